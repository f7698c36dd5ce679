"""Theorem 3.1 put to the test: residuals of real networks under gradient descent against the bound."""

from __future__ import annotations

from nngp_dag.finite.convergence.bound import BoundMeasurement as BoundMeasurement
from nngp_dag.finite.convergence.bound import KernelScales as KernelScales
from nngp_dag.finite.convergence.bound import kernel_scales as kernel_scales
from nngp_dag.finite.convergence.bound import measure_bound as measure_bound
from nngp_dag.finite.convergence.descent import GradientDescent as GradientDescent
from nngp_dag.finite.convergence.scaling import ScalingFit as ScalingFit
from nngp_dag.finite.convergence.scaling import fit_scaling as fit_scaling
from nngp_dag.finite.convergence.thresholds import LearningRateThreshold as LearningRateThreshold
from nngp_dag.finite.convergence.thresholds import WidthFailures as WidthFailures
from nngp_dag.finite.convergence.thresholds import learning_rate_thresholds as learning_rate_thresholds
from nngp_dag.finite.convergence.thresholds import width_failures as width_failures

__all__ = [
    "BoundMeasurement",
    "GradientDescent",
    "KernelScales",
    "LearningRateThreshold",
    "ScalingFit",
    "WidthFailures",
    "fit_scaling",
    "kernel_scales",
    "learning_rate_thresholds",
    "measure_bound",
    "width_failures",
]
