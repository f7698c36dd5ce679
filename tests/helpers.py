"""Helpers that tests share: one tolerance per dtype, and the comparison of Monte-Carlo means with an exact value."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

__all__ = ["TOLERANCE", "assert_close", "assert_mean", "mean_and_sem"]

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 2e-5}
"""Default tolerance of `assert_close` by the coarser dtype of the two: a few thousand roundings."""


def assert_close(actual: Any, desired: Any, *, tolerance: float | None = None, reason: str = "") -> None:
    """Assert equal shapes and, in every entry, |actual - desired| <= tolerance * max(|desired|, scale).

    The scale is the largest finite |desired|, so that an entry which cancels is not held to digits that it never had.
    NaN and infinities never compare equal: a kernel has none.

    Args:
        actual: array of floats, what the code gave.
        desired: array of the same shape, what is right.
        tolerance: relative; by default `TOLERANCE` of the coarser dtype (integers and Python numbers count as float64).
        reason: why another tolerance than the default is right; required with one that is looser.
    """
    actual, desired = np.asarray(actual), np.asarray(desired)
    default = max(TOLERANCE.get(array.dtype, TOLERANCE[np.dtype(np.float64)]) for array in (actual, desired))
    if tolerance is not None and tolerance > default and not reason:
        raise TypeError(f"a tolerance above {default:g} needs a reason")
    tolerance = default if tolerance is None else tolerance
    assert actual.shape == desired.shape, f"shapes differ: {actual.shape} and {desired.shape}"
    assert np.isfinite(actual).all(), "not all values are finite"
    assert np.isfinite(desired).all(), "not all desired values are finite"
    if actual.size == 0:
        return
    actual, desired = actual.astype(np.float64), desired.astype(np.float64)
    error = np.abs(actual - desired)
    allowed = tolerance * max(float(np.abs(desired).max()), np.finfo(np.float64).tiny)
    worst = np.unravel_index(error.argmax(), error.shape)
    assert error[worst] <= allowed, (
        f"largest error {error[worst]:.3e} at {tuple(map(int, worst))}: {actual[worst]!r} instead of {desired[worst]!r}"
        f" (allowed {allowed:.3e})"
    )


def mean_and_sem(samples: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error of the mean over the first axis; samples [S, ...], S >= 2."""
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim == 0 or samples.shape[0] < 2:
        raise TypeError(f"at least two samples are needed, got shape {samples.shape}")
    return samples.mean(axis=0), samples.std(axis=0, ddof=1) / np.sqrt(samples.shape[0])


def assert_mean(
    samples: Any, expected: Any, *, power: float, level: float = 1e-3, bias: float | np.ndarray = 0.0
) -> None:
    """Assert that independent samples have the expected mean: a two-sided t-test of every entry, Bonferroni-corrected.

    It can fail: the samples must be many enough for an error of the size `power` to be noticed, or the test is refused.
    With fixed keys its outcome is fixed too; `level` is the chance that the choice of keys was an unlucky one.

    Args:
        samples: [S, ...], independent along the first axis.
        expected: [...], the mean that is claimed.
        power: the error in any entry that must not pass, relative to the largest |expected|. The half-width of the
            acceptance region plus the allowed bias must be at most half of it (noticed with probability near one).
        level: chance of a false alarm over all entries together.
        bias: known bound of |mean - expected| that is not statistical (a finite width, say), absolute, [...] or scalar.
    """
    mean, sem = mean_and_sem(samples)
    expected = np.asarray(expected, dtype=np.float64)
    assert mean.shape == expected.shape, f"shapes differ: {mean.shape} and {expected.shape}"
    assert np.isfinite(mean).all(), "not all samples are finite"
    assert np.isfinite(expected).all(), "not all expected values are finite"
    degrees = np.asarray(samples).shape[0] - 1
    quantile = stats.t.isf(level / (2 * mean.size), degrees)
    # An entry that does not vary at all is still only as exact as float64.
    half_width = quantile * sem + bias + 1e-12 * np.abs(expected).max()
    noticed = power * np.abs(expected).max()
    assert (2 * half_width <= noticed).all(), (
        f"no power: an error of {noticed:.3e} may pass, as the test accepts +-{half_width.max():.3e}; use more samples"
    )
    excess = np.abs(mean - expected) / half_width
    worst = np.unravel_index(excess.argmax(), excess.shape)
    assert excess[worst] <= 1, (
        f"mean {mean[worst]:.6g} instead of {expected[worst]:.6g} at {tuple(map(int, worst))}:"
        f" {abs(mean[worst] - expected[worst]) / max(sem[worst], 1e-300):.2f} standard errors, {quantile:.2f} allowed"
    )
