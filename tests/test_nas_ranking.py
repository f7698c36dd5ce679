"""Rank correlations of scores with accuracy, and their bootstrap, against loops over pairs."""

import numpy as np
import pytest
from helpers import assert_close
from scipy import stats

from nngp_dag.nas.scores import resampling
from nngp_dag.nas.scores.ranking import rank, top_recall
from nngp_dag.nas.scores.resampling import kendall, spearman


def tied(n, seed, infinite=0):
    rng = np.random.default_rng(seed)
    score, accuracy = rng.integers(0, n // 2, size=n).astype(float), rng.integers(0, n, size=n).astype(float)
    score[:infinite] = -np.inf
    return score, accuracy


def literal_kendall(x, y):
    concordant = ties_x = ties_y = 0
    pairs = [(i, j) for i in range(len(x)) for j in range(i)]
    for i, j in pairs:
        concordant += np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
        ties_x += x[i] == x[j]
        ties_y += y[i] == y[j]
    return concordant / np.sqrt((len(pairs) - ties_x) * (len(pairs) - ties_y))


def test_correlations_are_those_of_pairs_and_of_ranks():
    for seed in range(5):
        x, y = tied(15, seed)
        assert_close(kendall(x, y), literal_kendall(x, y))
        assert_close(spearman(x, y), stats.spearmanr(x, y).statistic)


def test_infinite_scores_are_the_lowest():
    x, y = tied(20, 0, infinite=4)
    finite = np.where(np.isfinite(x), x, -1e6)
    assert_close(kendall(x, y), kendall(finite, y))
    assert_close(spearman(x, y), spearman(finite, y))
    assert rank(x, y).size == 20


def test_recall_of_the_top_breaks_ties_at_random():
    accuracy = np.arange(6.0)
    assert top_recall(np.arange(6.0), accuracy, 2) == 1
    assert top_recall(-np.arange(6.0), accuracy, 2) == 0
    assert_close(top_recall(np.zeros(6), accuracy, 2), 2 / 6)
    assert_close(top_recall(np.array([0, 0, 0, 0, 1, 0.0]), accuracy, 2), (1 + 1 / 5) / 2)


def test_the_fast_bootstrap_is_the_slow_one(monkeypatch):
    for infinite, repeats in ((0, 1), (3, 1), (0, 3), (3, 2)):
        x, y = tied(30, 1, infinite)
        x = np.stack([x, *np.random.default_rng(0).permuted(np.tile(x, (repeats - 1, 1)), axis=1)])
        fast = rank(x, y, resamples=200)
        monkeypatch.setattr(resampling, "_MAX_PAIRWISE", 0)
        slow = rank(x, y, resamples=200)
        monkeypatch.undo()
        for name in ("spearman", "kendall", "recall"):
            a, b = getattr(fast, name), getattr(slow, name)
            assert_close(np.array([a.value, a.low, a.high]), np.array([b.value, b.low, b.high]))


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's rho of a normal pair with correlation 0.6
    hits = 0
    for _ in range(100):
        x = rng.normal(size=80)
        y = 0.6 * x + 0.8 * rng.normal(size=80)
        estimate = rank(x, y, resamples=200).spearman
        hits += estimate.low <= truth <= estimate.high
    assert 85 <= hits <= 100


def test_direction_top_and_constants():
    x, y = tied(12, 3)
    assert_close(rank(-x, y, higher_is_better=False).kendall.value, rank(x, y).kendall.value)
    assert rank(x, y, top=50).top == 6
    constant = rank(np.ones(8), np.arange(8.0))
    assert np.isnan(constant.spearman.value)
    with pytest.raises(ValueError, match="shape"):
        rank(np.ones(3), np.ones(4))
