"""Scores against the best trivial baseline, on data whose true difference is known."""

import numpy as np
import pytest
from helpers import assert_close
from scipy import stats

from nngp_dag.nas.scores.comparison import compare
from nngp_dag.nas.scores.resampling import kendall, spearman

SIZE, TRIALS, RESAMPLES = 40, 60, 200


def population(r):
    """Spearman's and Kendall's coefficient of a normal pair with correlation r."""
    return np.array([6 * np.arcsin(r / 2), 2 * np.arcsin(r)]) / np.pi


def normal(rng, score, noise=0.0, draws=1):
    """Accuracies, two baselines that correlate with them by 0.5 and 0.45, and draws of a score that does by `score`.

    Noise of that deviation is added to each draw. The score shares what it does not know of accuracy with the first
    baseline, so that the two go together, as parameters and scores do.
    """
    accuracy, shared, own, other = rng.normal(size=(4, SIZE))
    first = 0.5 * accuracy + np.sqrt(0.75) * shared
    second = 0.45 * accuracy + np.sqrt(1 - 0.45**2) * other
    mixed = score * accuracy + np.sqrt(1 - score**2) * (0.8 * shared + 0.6 * own)
    return accuracy, {"first": first, "second": second}, mixed + noise * rng.normal(size=(draws, SIZE))


def intervals(score, noise=0.0, draws=1):
    """Intervals of both differences of many data sets, [TRIALS, 2, 2], and verdicts."""
    rng = np.random.default_rng(5)
    found = []
    for trial in range(TRIALS):
        accuracy, baselines, every = normal(rng, score, noise, draws)
        found.append(compare({"s": every}, baselines, accuracy, seed=trial, resamples=RESAMPLES)["s"])
    ends = [[c.spearman.estimate.interval, c.kendall.estimate.interval] for c in found]
    return np.array(ends), [c.spearman.verdict for c in found]


@pytest.mark.parametrize(("noise", "draws"), [(0.0, 1), (0.5, 3)])
def test_intervals_cover_the_true_difference_at_their_level(noise, draws):
    """Ends err at most as often as they say; intervals are tight enough to miss a wrong difference."""
    ends, verdicts = intervals(0.95, noise, draws)
    truth = population(0.95 / np.sqrt(1 + noise**2 / draws)) - population(0.5)
    for which in (0, 1):
        low, high = ends[:, which].T
        misses = (low > truth[which]).sum(), (high < truth[which]).sum()
        for missed in misses:
            assert stats.binomtest(int(missed), TRIALS, 0.025, alternative="greater").pvalue > 1e-3, misses
        wrong = truth[which] + 0.35
        assert stats.binomtest(int((high < wrong).sum()), TRIALS, 0.5, alternative="greater").pvalue < 1e-3
    assert verdicts.count("above") > TRIALS / 2 and "below" not in verdicts


def test_a_baseline_with_noise_is_not_declared_better():
    rng, above, below = np.random.default_rng(6), 0, 0
    for trial in range(TRIALS):
        accuracy, baselines, _ = normal(rng, 0.5)
        noisy = baselines["first"] + 0.3 * rng.normal(size=(2, SIZE))
        verdict = compare({"s": noisy}, baselines, accuracy, seed=trial, resamples=RESAMPLES)["s"].spearman.verdict
        above, below = above + (verdict == "above"), below + (verdict == "below")
    assert stats.binomtest(above, TRIALS, 0.025, alternative="greater").pvalue > 1e-3, above
    _, verdicts = intervals(0.0)
    assert verdicts.count("below") > TRIALS / 2 and "above" not in verdicts


def test_equally_good_baselines_do_not_put_an_equal_score_below():
    """The best of many baselines looks better than it is; a score as good as all of them is hardly ever below."""
    rng, below = np.random.default_rng(7), 0
    for trial in range(TRIALS):
        accuracy, noise = rng.normal(size=SIZE), rng.normal(size=(7, SIZE))
        score, *others = 0.5 * accuracy + np.sqrt(0.75) * noise
        baselines = {str(i): other for i, other in enumerate(others)}
        below += (
            compare({"s": score}, baselines, accuracy, seed=trial, resamples=RESAMPLES)["s"].spearman.verdict == "below"
        )
    assert stats.binomtest(below, TRIALS, 0.025, alternative="greater").pvalue > 1e-3, below


def test_a_difference_is_that_of_two_correlations_and_is_paired():
    accuracy, baselines, every = normal(np.random.default_rng(0), 0.8, 0.3, 2)
    found = compare({"s": every}, baselines, accuracy)["s"]
    for difference, correlation in ((found.spearman, spearman), (found.kendall, kendall)):
        values = {name: correlation(values, accuracy) for name, values in baselines.items()}
        assert values[difference.baseline] == max(values.values())
        assert_close(difference.estimate.value, correlation(every.mean(0), accuracy) - max(values.values()))
    same = compare({"first": baselines["first"]}, {"first": baselines["first"]}, accuracy)["first"].spearman
    assert (same.estimate.value, *same.estimate.interval, same.verdict) == (0, 0, 0, "undecided")


def test_constants_and_shapes():
    accuracy, constant = np.arange(8.0), np.ones(8)
    assert compare({"s": accuracy}, {"constant": constant}, accuracy) == {}
    found = compare({"s": constant}, {"constant": constant, "b": accuracy}, accuracy)["s"].spearman
    assert found.baseline == "b" and np.isnan(found.estimate.value) and found.verdict == "undecided"
    infinite = np.where(accuracy < 2, -np.inf, accuracy)
    tied = np.where(accuracy < 2, 0, accuracy)
    results = [compare({"s": score}, {"b": -accuracy}, accuracy)["s"].kendall for score in (infinite, tied)]
    assert results[0] == results[1]
    with pytest.raises(ValueError, match="shape"):
        compare({"s": accuracy[1:]}, {"b": accuracy}, accuracy)
