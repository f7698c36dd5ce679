"""Predictions at infinite width: training curves, the NNGP posterior, the end of training, leave-one-out errors."""

from __future__ import annotations

from nngp_dag.prediction.curve import PredictedCurve as PredictedCurve
from nngp_dag.prediction.curve import predict_curve as predict_curve
from nngp_dag.prediction.dynamics import LinearDynamics as LinearDynamics
from nngp_dag.prediction.leave_one_out import leave_one_out as leave_one_out
from nngp_dag.prediction.posterior import Posterior as Posterior
from nngp_dag.prediction.posterior import Scores as Scores
from nngp_dag.prediction.posterior import posterior as posterior
from nngp_dag.prediction.posterior import scores as scores

__all__ = [
    "LinearDynamics",
    "Posterior",
    "PredictedCurve",
    "Scores",
    "leave_one_out",
    "posterior",
    "predict_curve",
    "scores",
]
