"""Statements about a benchmark: groups, correlations, filters and draws, against written-out definitions."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from nngp_dag import spaces
from nngp_dag.accuracy import Benchmark, read
from nngp_dag.accuracy.correlation import correlate, multiple_correlation, resample_chunks
from nngp_dag.accuracy.draws import best_of_draws, distribution
from nngp_dag.accuracy.filters import at_least, at_share, box_filters, measure
from nngp_dag.accuracy.groups import group
from nngp_dag.reproduce.figure5.report import analyse
from nngp_dag.support.statistics import Estimate


@pytest.fixture(scope="module")
def synthetic() -> Benchmark:
    """The complete space of four nodes with an accuracy that is worst far from the centre, plus noise."""
    space = spaces.get("complete-4")
    rows = space.enumerate()
    totals = space.totals(rows)
    rng = np.random.default_rng(0)
    accuracy = 80 - 5 * (totals.depth - 1.6) ** 2 - 2 * (totals.width - 2) ** 2 + rng.normal(size=len(rows))
    return Benchmark(space, rows[:, None], {"a": accuracy, "b": rng.uniform(20, 70, size=len(rows))})


def test_groups_written_out(synthetic: Benchmark) -> None:
    groups = group(synthetic)
    by_shape: dict = {}
    for i in range(len(synthetic)):
        by_shape.setdefault(synthetic.totals.fractions(i), []).append(synthetic.accuracy["a"][i])
    assert list(groups.shapes) == sorted(by_shape)
    for shape, count, mean, deviation in zip(
        groups.shapes, groups.counts, groups.mean["a"], groups.deviation["a"], strict=True
    ):
        assert count == len(by_shape[shape])
        assert mean == pytest.approx(np.mean(by_shape[shape]))
        assert deviation == pytest.approx(np.std(by_shape[shape]))
    assert groups.shapes[0] == (0, 0)  # without a path, and without a parameterised one: one group
    assert [groups.shapes[g] for g in groups.member] == [synthetic.totals.fractions(i) for i in range(len(synthetic))]


def test_multiple_correlation_is_that_of_the_least_squares_fit() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)) * [1, 1e-6, 1e6] + [5, 0, -3e6]
    y = x @ [1, 2e6, -1e-6] + rng.normal(size=200)
    design = np.column_stack([np.ones(200), x / [1, 1e-6, 1e6]])
    fit = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    assert multiple_correlation(x, y) == pytest.approx(np.corrcoef(fit, y)[0, 1], abs=1e-9)
    assert multiple_correlation(x[:, :1], y) == pytest.approx(abs(np.corrcoef(x[:, 0], y)[0, 1]), abs=1e-9)
    assert multiple_correlation(x, x[:, 0]) == pytest.approx(1)
    # A feature given twice, and a constant one, change nothing.
    assert multiple_correlation(np.column_stack([x, x[:, 0], np.ones(200)]), y) == pytest.approx(
        multiple_correlation(x, y), abs=1e-9
    )
    assert np.isnan(multiple_correlation(np.ones((9, 2)), np.arange(9)))
    assert np.isnan(multiple_correlation(np.arange(9)[:, None], np.ones(9)))


def test_bootstrap_interval_agrees_with_scipy() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    y = x + 1.5 * rng.normal(size=300)
    found = correlate({"x": x}, [("x",)], y, rng, resamples=4000)["x",]
    reference = stats.bootstrap(
        (x, y), lambda a, b: abs(stats.pearsonr(a, b)[0]), paired=True, vectorized=False, n_resamples=1000,
        method="percentile", rng=rng,
    )  # fmt: skip
    spread = reference.standard_error
    assert found.multiple.low == pytest.approx(reference.confidence_interval.low, abs=0.25 * spread)
    assert found.multiple.high == pytest.approx(reference.confidence_interval.high, abs=0.25 * spread)
    assert found.spearman.value == stats.spearmanr(x, y).statistic
    assert found.kendall.value == stats.kendalltau(x, y).statistic
    assert found.spearman.low < found.spearman.value < found.spearman.high


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_resamples_have_the_size_of_the_sample(size: int) -> None:
    counts = np.concatenate(list(resample_chunks(size, 1000, np.random.default_rng(0))))
    assert counts.shape == (1000, size)
    assert (counts.sum(axis=1) == size).all()
    if size > 1:
        assert counts.var() == pytest.approx(1 - 1 / size, rel=0.05)


def test_intervals_cover() -> None:
    """The interval of R holds the truth about as often as it says: 400 samples, a binomial bound."""
    rng = np.random.default_rng(0)
    truth = np.sqrt(0.5)
    hits = 0
    for _ in range(400):
        x = rng.normal(size=(150, 2))
        y = x @ np.sqrt([0.5, 0.5]) + rng.normal(size=150)
        (found,) = correlate({"a": x[:, 0], "b": x[:, 1]}, [("a", "b")], y, rng, resamples=200).values()
        hits += found.multiple.low <= truth <= found.multiple.high
    assert stats.binom.ppf(1e-4, 400, 0.90) <= hits


def test_measure_written_out(synthetic: Benchmark) -> None:
    accuracy = synthetic.accuracy["a"]
    keep = synthetic.totals.within(synthetic.space.range.shrink(Fraction(1, 2)))
    share = at_share(synthetic.parameterised, keep.mean())
    found = measure(
        {"box": keep, "count": share, "none": np.zeros(len(keep))},
        accuracy,
        np.random.default_rng(0),
        counting={"box": "count"},
    )
    order = np.argsort(accuracy)
    box = found["box"]
    assert box.share == keep.mean()
    assert box.mean.value == pytest.approx(accuracy[keep].mean())
    assert box.gain.value == pytest.approx(accuracy[keep].mean() - accuracy.mean())
    assert box.recall_top100 == pytest.approx(keep[order[-100:]].mean())
    assert box.bottom_tenth == pytest.approx(keep[order[:72]].mean())
    assert box.optimum == keep[order[-1]]
    assert box.over_count.value == pytest.approx(box.mean.value - found["count"].mean.value)
    half = (box.mean.high - box.mean.low) / 2
    assert half == pytest.approx(1.96 * accuracy[keep].std() / np.sqrt(keep.sum()), rel=0.15)
    assert box.over_count.low > 0  # the synthetic accuracy is made of (d, m)
    assert found["none"].share == 0 and np.isnan(found["none"].mean.value)


def test_counting_filter_keeps_exactly_the_share() -> None:
    rng = np.random.default_rng(0)
    number = rng.integers(0, 7, size=1000)
    for share in (0.0, 0.013, 0.4, 0.9999, 1.0):
        p = at_share(number, share)
        assert p.mean() == pytest.approx(share)
        assert ((p == 0) | (p == 1) | (number == number[(p > 0) & (p < 1)][:1].sum())).all()
        assert not (np.diff(p[np.argsort(number)]) < -1e-12).any()
    np.testing.assert_array_equal(at_least(number, 3), number >= 3)
    allowed = rng.random(1000) < 0.5
    p = at_share(number, 0.2, among=allowed)
    assert p.mean() == pytest.approx(0.2) and not p[~allowed].any()
    assert at_share(number, 0.9, among=allowed).mean() == pytest.approx(allowed.mean())


def test_best_of_draws_against_its_exact_expectation() -> None:
    rng = np.random.default_rng(0)
    accuracy = rng.normal(size=500)
    keep = accuracy + rng.normal(size=500) > 0.5

    def expected_best(values: np.ndarray, draws: int) -> float:
        ordered = np.sort(values)
        cdf = np.arange(len(values) + 1) / len(values)
        return float(ordered @ np.diff(cdf**draws))

    filters = {"all": np.ones(500), "half": keep, "lots": 0.5 * keep, "nothing": np.zeros(500)}
    found = best_of_draws(filters, accuracy, rng, refill=True, draws=20, repetitions=4000)
    for name, values in (("all", accuracy), ("half", accuracy[keep]), ("lots", accuracy[keep])):
        error = found[name].deviation / np.sqrt(4000)
        assert found[name].mean.value == pytest.approx(expected_best(values, 20), abs=4.5 * error)
        assert found[name].mean.low < found[name].mean.value < found[name].mean.high
        assert found[name].evaluated == 20
    assert found["nothing"].evaluated == 0 and np.isnan(found["nothing"].mean.value)
    dropped = best_of_draws(filters, accuracy, rng, refill=False, draws=20, repetitions=4000)
    for name, share in (("all", 1), ("half", keep.mean()), ("lots", keep.mean() / 2)):
        assert dropped[name].evaluated == pytest.approx(20 * share, abs=4.5 * np.sqrt(5 / 4000) + 1e-12)
    assert dropped["half"].gain.value < found["half"].gain.value


def test_intervals_of_draws_agree_with_scipy() -> None:
    rng = np.random.default_rng(0)
    accuracy = rng.normal(size=50)
    found = best_of_draws(
        {"few": accuracy > 0}, accuracy, np.random.default_rng(1), refill=True, draws=3, repetitions=40
    )
    again = np.random.default_rng(1)
    without = accuracy[again.integers(50, size=(40, 3))].max(axis=1)
    p = (accuracy > 0).astype(float)
    best = accuracy[np.searchsorted(np.cumsum(p), again.random((40, 3)) * p.sum(), side="right")].max(axis=1)
    mean = stats.ttest_1samp(best, 0).confidence_interval(0.95)
    gain = stats.ttest_ind(best, without, equal_var=False).confidence_interval(0.95)
    assert (found["few"].mean.low, found["few"].mean.high) == pytest.approx(tuple(mean), rel=1e-12)
    assert (found["few"].gain.low, found["few"].gain.high) == pytest.approx(tuple(gain), rel=1e-12)
    same = best_of_draws({"one": np.eye(50)[3]}, np.full(50, 7.0), rng, refill=True)["one"]
    assert (same.mean.low, same.mean.high, same.gain.value) == (7, 7, 0)


def test_distribution_of_what_passes() -> None:
    accuracy = np.arange(101.0)
    found = distribution(accuracy, accuracy >= 50)
    assert (found.count, found.mean) == (51, 75)
    assert found.deviation == pytest.approx(np.std(np.arange(50, 101)))
    assert found.quantiles["0.5"] == 75 and found.quantiles["0"] == 50 and found.quantiles["1"] == 100
    halved = distribution(accuracy, 0.5 * (accuracy >= 50))
    assert halved.count == 25.5 and halved.mean == 75 and halved.quantiles == found.quantiles
    assert np.isnan(distribution(accuracy, np.zeros(101)).mean)


def test_report_is_a_function_of_the_seed(synthetic: Benchmark) -> None:
    first, again, other = (analyse(synthetic, seed=seed, resamples=50).as_dict() for seed in (3, 3, 4))
    assert first == again
    assert first != other
    assert first["datasets"]["a"]["filters"]["1/2 of the radius"]["over_count"]["low"] > 0
    assert len(first["summary"]) == 2


def test_constant_features_give_no_number(synthetic: Benchmark) -> None:
    report = analyse(synthetic, fixed=2, resamples=20)
    found = report.datasets["a"].correlations["architectures"]
    assert np.isnan(found["parameterised"].multiple.value)
    assert found["d, m"].multiple.value == pytest.approx(found["d, m, parameterised"].multiple.value)


def test_estimate_of_nothing() -> None:
    assert np.isnan(Estimate.percentile(1.0, np.full(5, np.nan)).low)


def test_real_nasbench201(shared_data) -> None:
    benchmark = read("nasbench201", shared_data / "nas_bench_201_test_accuracy.csv")
    boxes = box_filters(benchmark)
    assert {name: int(keep.sum()) for name, keep in boxes.items()} == {
        "1 of the radius": 15_625 - 1_983,
        "3/4 of the radius": 9_762,
        "1/2 of the radius": 6_256,
        "1/4 of the radius": 1_376,
        "released code": 8_226,
    }
    report = analyse(benchmark, fixed=3, resamples=100)
    assert len(report.shown) == 20 * 2**3 * 3**3
    for found in report.datasets.values():
        # Section 5.2: positive correlation; inside the box is better than outside.
        assert found.correlations["architectures"]["d, m"].multiple.low > 0.3
        assert found.filters["1/2 of the radius"].gain.low > 4
        # But counting convolutions keeps more of the best.
        count = found.filters["at least k operations, share of 1/2 of the radius"]
        assert count.recall_top100 > found.filters["1/2 of the radius"].recall_top100
    # The first architecture's group by hand: three convolutions in a row, all else none.
    chain = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_3x3~2|"
    rows = [i for i, a in enumerate(report.shown.architectures) if benchmark.space.write(a) == chain]
    assert report.groups.shapes[report.groups.member[rows[0]]] == (3, Fraction(1, 3))


def test_correlations_over_no_architecture_are_undefined():
    (found,) = correlate({"d": []}, [("d",)], [], np.random.default_rng(0)).values()
    assert found.size == 0
    assert np.isnan([found.multiple.value, found.spearman.value, found.kendall.value]).all()
