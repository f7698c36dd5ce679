"""The tests' own helpers can fail, and fail where they should."""

import numpy as np
import pytest
from helpers import TOLERANCE, assert_close, assert_mean, mean_and_sem

pytestmark = pytest.mark.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_assert_close_is_as_strict_as_the_dtype(dtype):
    tolerance = TOLERANCE[np.dtype(dtype)]
    value = np.array([[1.0, -3.0], [0.0, 2.0]])
    assert_close((value + 0.9 * 3 * tolerance).astype(dtype), value)
    for sign in (-1, 1):  # two-sided
        with pytest.raises(AssertionError, match="largest error"):
            assert_close((value + sign * 1.2 * 3 * tolerance).astype(dtype), value)


def test_assert_close_takes_the_coarser_dtype_and_a_tighter_tolerance():
    assert_close(np.float64(1 + 1e-6), np.float32(1))
    assert_close(1 + 1e-14, 1, tolerance=1e-13)
    with pytest.raises(AssertionError, match="largest error"):
        assert_close(1 + 1e-12, 1, tolerance=1e-13)


def test_assert_close_refuses_what_can_not_be_compared():
    with pytest.raises(AssertionError, match="shapes differ"):
        assert_close(np.ones(2), np.ones((2, 1)))
    for bad in (np.nan, np.inf):
        with pytest.raises(AssertionError, match="finite"):
            assert_close(np.array([bad]), np.array([bad]))
    with pytest.raises(TypeError, match="reason"):
        assert_close(1.0, 1.0, tolerance=1e-3)
    assert_close(1.0005, 1.0, tolerance=1e-3, reason="shown to be accepted with a reason")


def test_mean_and_sem():
    mean, sem = mean_and_sem([[1.0, 5.0], [3.0, 5.0]])
    assert mean.tolist() == [2.0, 5.0]
    assert sem.tolist() == [1.0, 0.0]
    with pytest.raises(TypeError, match="two samples"):
        mean_and_sem([[1.0]])


def test_assert_mean_has_its_level_and_its_power():
    """False alarms come at the stated rate, and an error of the size `power` is found every time."""
    rng = np.random.default_rng(0)

    def alarm(samples, expected):
        try:
            assert_mean(samples, expected, power=0.25, level=level)
        except AssertionError as error:
            return "standard errors" in str(error)
        return False

    trials, level = 400, 0.05
    sets = [rng.normal([1.0, 2.0, -1.0], 1.0, size=(200, 3)) for _ in range(trials)]
    alarms = sum(alarm(samples, [1.0, 2.0, -1.0]) for samples in sets)
    found = sum(alarm(samples, [1.0, 2.5, -1.0]) for samples in sets)
    # Binomial(400, 0.05): mean 20, standard deviation 4.4; below 5 or above 35 is beyond 3.4 of these.
    assert 5 <= alarms <= 35
    assert found == trials


def test_assert_mean_refuses_a_test_without_power():
    samples = np.random.default_rng(1).normal(1.0, 1.0, size=(10, 2))
    with pytest.raises(AssertionError, match="no power"):
        assert_mean(samples, [1.0, 1.0], power=0.05)
    with pytest.raises(AssertionError, match="no power"):
        assert_mean(np.ones((10, 2)), [1.0, 1.0], power=0.1, bias=0.2)


def test_assert_mean_allows_a_stated_bias_only():
    samples = np.random.default_rng(2).normal(1.02, 0.01, size=(100, 1))
    assert_mean(samples, [1.0], power=0.2, bias=0.03)
    with pytest.raises(AssertionError, match="standard errors"):
        assert_mean(samples, [1.0], power=0.2)
