"""Numbers with the interval that says how far they can be trusted: Student's t, and the percentile bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

__all__ = ["UNDEFINED", "Estimate", "student_margin"]

_Error = TypeVar("_Error", float, np.ndarray)


@dataclass(frozen=True)
class Estimate:
    """A number with an interval (NaN bounds where it has none).

    Attributes:
        value: the estimate.
        low, high: the ends of its interval.
    """

    value: float
    low: float
    high: float

    @classmethod
    def student(cls, value: float, error: float, freedom: float, level: float = 0.95) -> Estimate:
        """The two-sided interval of an estimate with a standard error of `freedom` degrees."""
        margin = float(student_margin(error, freedom, level))
        return cls(value, value - margin, value + margin)

    @classmethod
    def mean(cls, sample: Sequence[float] | np.ndarray, level: float = 0.95) -> Estimate:
        """The mean of independent values [n], n > 1, with its interval."""
        values = np.asarray(sample, np.float64)
        error = float(values.std(ddof=1) / np.sqrt(len(values)))
        return cls.student(float(values.mean()), error, len(values) - 1, level)

    @classmethod
    def difference(
        cls,
        means: tuple[float, float],
        variances: tuple[float, float],
        sizes: tuple[int, int],
        level: float = 0.95,
    ) -> Estimate:
        """The first mean less the second one of independent samples, by Welch's interval; exact where nothing varies.

        Args:
            means: of the two samples.
            variances: of their values.
            sizes: numbers of values, each above 1.
            level: of the interval.
        """
        value = means[0] - means[1]
        errors = [variance / size for variance, size in zip(variances, sizes, strict=True)]
        if not any(errors):
            return cls(value, value, value)
        freedom = sum(errors) ** 2 / sum(error**2 / (size - 1) for error, size in zip(errors, sizes, strict=True))
        return cls.student(value, float(np.sqrt(sum(errors))), freedom, level)

    @classmethod
    def percentile(cls, value: float, resampled: np.ndarray, level: float = 0.95) -> Estimate:
        """The percentile bootstrap interval of an estimate from its values on resamples."""
        tail = 50 * (1 - level)
        low, high = (
            np.nanpercentile(resampled, [tail, 100 - tail]) if np.isfinite(resampled).any() else (np.nan, np.nan)
        )
        return cls(float(value), float(low), float(high))

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high)."""
        return self.low, self.high

    def above(self, threshold: float) -> bool | None:
        """True where the whole interval lies above a threshold, False where it lies below, else None: undecided."""
        return True if self.low > threshold else False if self.high < threshold else None

    def as_dict(self) -> dict[str, float]:
        """{value, low, high}."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def __format__(self, spec: str) -> str:
        """The value and its interval, each in the format of a float (by default .3f)."""
        return f"{self.value:{spec or '.3f'}} [{self.low:{spec or '.3f'}}, {self.high:{spec or '.3f'}}]"

    def __str__(self) -> str:
        return format(self)


UNDEFINED = Estimate(float("nan"), float("nan"), float("nan"))
"""No number and no interval."""


def student_margin(error: _Error, freedom: float, level: float = 0.95) -> _Error:
    """Half the width of a two-sided confidence interval: Student's t times the standard error.

    Args:
        error: standard errors, a number or an array.
        freedom: degrees of freedom, infinite where the standard error is known; NaN results for none.
        level: of the interval.
    """
    from scipy.stats import t

    quantile = float(t.ppf((1 + level) / 2, freedom)) if freedom > 0 else float("nan")
    return quantile * error
