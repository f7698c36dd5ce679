"""Predictions at infinite width: training curves, the NNGP posterior, and what training ends at."""

from __future__ import annotations

from nngp_dag.prediction.curve import PredictedCurve as PredictedCurve
from nngp_dag.prediction.curve import predict_curve as predict_curve
from nngp_dag.prediction.dynamics import LinearDynamics as LinearDynamics
from nngp_dag.prediction.posterior import Posterior as Posterior
from nngp_dag.prediction.posterior import Scores as Scores
from nngp_dag.prediction.posterior import posterior as posterior
from nngp_dag.prediction.posterior import scores as scores

__all__ = ["LinearDynamics", "Posterior", "PredictedCurve", "Scores", "posterior", "predict_curve", "scores"]
