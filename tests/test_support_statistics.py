"""Intervals against SciPy's own tests, which have them too."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers import assert_close
from scipy import stats

from nngp_dag.support.statistics import Estimate, student_margin

FIRST = np.random.default_rng(0).normal(3, 2, size=9)
SECOND = np.random.default_rng(1).normal(1, 0.5, size=14)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_mean_of_a_sample(level):
    expected = stats.ttest_1samp(FIRST, 0).confidence_interval(level)
    found = Estimate.mean(FIRST, level)
    assert found.value == FIRST.mean()
    assert_close(found.low, expected.low)
    assert_close(found.high, expected.high)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_difference_of_two_means(level):
    expected = stats.ttest_ind(FIRST, SECOND, equal_var=False).confidence_interval(level)
    means = float(FIRST.mean()), float(SECOND.mean())
    variances = float(FIRST.var(ddof=1)), float(SECOND.var(ddof=1))
    found = Estimate.difference(means, variances, (len(FIRST), len(SECOND)), level)
    assert_close(found.value, means[0] - means[1])
    assert_close(found.low, expected.low)
    assert_close(found.high, expected.high)


def test_known_errors_are_normal_and_single_values_have_no_interval():
    assert_close(student_margin(2.0, math.inf), 2 * stats.norm.ppf(0.975))
    assert np.isnan(student_margin(np.array([1.0, 2.0]), 0)).all()
    assert_close(student_margin(np.array([1.0, 2.0]), 5, 0.9), stats.t.ppf(0.95, 5) * np.array([1.0, 2.0]))
    assert Estimate.difference((3.0, 1.0), (0.0, 0.0), (4, 4)) == Estimate(2.0, 2.0, 2.0)
    assert Estimate.mean([2.0, 2.0, 2.0]).interval == (2.0, 2.0)


def test_percentiles_of_resamples():
    found = Estimate.percentile(1.0, np.arange(101.0), 0.9)
    assert_close(np.array(found.interval), np.array([5.0, 95.0]))
    assert np.isnan(Estimate.percentile(1.0, np.full(5, np.nan)).interval).all()
