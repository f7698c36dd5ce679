"""Scaling of a measured threshold with lambda_min, the number of rows and the number of paths, against the theorem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.finite.convergence.thresholds import LearningRateThreshold
from nngp_dag.support.statistics import Estimate

__all__ = ["ScalingFit", "fit_scaling"]


@dataclass(frozen=True)
class ScalingFit:
    """log eta* = constant + sum of exponent log quantity, by least squares over DAGs, row counts and seeds.

    Attributes:
        exponents: fitted exponents of lambda_min(K), N and P_H.
        intervals: their 95 % confidence intervals (Student's t).
        theorem: the exponents of the theorem's eta: 1, -2, -2.
        stability: mean of log(eta* lambda_max(NTK) / 2) over all points, and its standard deviation: how well the
            single law eta* = 2 / lambda_max(NTK) describes them.
        points: number of thresholds fitted.
    """

    exponents: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    theorem: dict[str, float]
    stability: tuple[float, float]
    points: int


def fit_scaling(thresholds: Sequence[LearningRateThreshold]) -> ScalingFit:
    """Fit the exponents to thresholds of several DAGs at several numbers of rows.

    Raises:
        InputError: too few different combinations to tell the three exponents apart.
    """
    names = ("lambda_min", "rows", "paths")
    design, response, stability = [], [], []
    for item in thresholds:
        scales = item.scales
        for threshold in item.thresholds:
            design.append([1.0, np.log(scales.nngp_min), np.log(scales.rows), np.log(scales.num_paths)])
            response.append(np.log(threshold))
            stability.append(np.log(threshold * scales.ntk_max / 2))
    a, b = np.asarray(design), np.asarray(response)
    if len(b) <= a.shape[1] or np.linalg.matrix_rank(a) < a.shape[1]:
        raise InputError("the fit needs DAGs of different path counts at different numbers of rows")
    solution, _, _, _ = np.linalg.lstsq(a, b, rcond=None)
    free = len(b) - a.shape[1]
    variance = float(np.sum((b - a @ solution) ** 2)) / free
    errors = np.sqrt(np.diagonal(variance * np.linalg.inv(a.T @ a)))
    exponents = {
        name: Estimate.student(float(value), float(error), free)
        for name, value, error in zip(names, solution[1:], errors[1:], strict=True)
    }
    return ScalingFit(
        {name: exponent.value for name, exponent in exponents.items()},
        {name: exponent.interval for name, exponent in exponents.items()},
        {"lambda_min": 1.0, "rows": -2.0, "paths": -2.0},
        (float(np.mean(stability)), float(np.std(stability, ddof=1))),
        len(b),
    )
