"""Training curves of DAGs, measured over seeds, and predicted at infinite width where that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nngp_dag.finite.network import Ensemble, NetworkSpec
from nngp_dag.finite.training.checkpoint import CheckpointStore
from nngp_dag.finite.training.config import TrainConfig
from nngp_dag.finite.training.curves import Curves
from nngp_dag.finite.training.loop import make_data, train
from nngp_dag.finite.training.scale import matching_scale
from nngp_dag.kernel.network import Network
from nngp_dag.prediction import PredictedCurve, predict_curve
from nngp_dag.support.progress import ProgressBar, no_progress

__all__ = ["Experiment", "run_experiment"]

_PREDICTED_ROWS = 4000


@dataclass(frozen=True)
class Experiment:
    """Curves of D DAGs.

    Attributes:
        curves: measured.
        output_scales: the factor on the outputs of each DAG, [D].
        predictions: at infinite width, [D]; None for all of them where `unpredicted` says why.
        unpredicted: the reason why there is no prediction, None where there is one.
    """

    curves: Curves
    output_scales: list[float]
    predictions: list[PredictedCurve | None]
    unpredicted: str | None


def run_experiment(
    dags: Sequence[Network],
    x: np.ndarray,
    targets: np.ndarray,
    spec: NetworkSpec,
    config: TrainConfig,
    seeds: Sequence[int],
    *,
    scale_matched: bool = False,
    checkpoints: Path | None = None,
    resume: bool = False,
    checkpoint_seconds: float = 60.0,
    progress: ProgressBar = no_progress,
) -> Experiment:
    """Train networks of each DAG from each seed, all at once, and predict their curves.

    Args:
        dags: D DAGs, or wirings.
        x: rows [N, d].
        targets: their labels as indicator rows [N, C].
        spec: the networks, made for these DAGs and rows.
        config: the recipe.
        seeds: of the networks of each DAG.
        scale_matched: divide outputs by the root of the NNGP's mean diagonal.
        checkpoints: folder for checkpoints, of this run alone (`run_folder`).
        resume: continue from the newest checkpoint there.
        checkpoint_seconds: time between two checkpoints.
        progress: opens a progress bar.

    Raises:
        InputError: as `matching_scale`, `Ensemble`, `train` and `predict_curve`.
    """
    scales = [matching_scale(dag, x, spec.reading) if scale_matched else 1.0 for dag in dags]
    ensemble = Ensemble(spec, dags, list(seeds))
    store = None if checkpoints is None else CheckpointStore(checkpoints, {})
    with progress("Training", config.steps, "steps") as report:
        curves = train(
            ensemble,
            make_data(x, targets.argmax(axis=1), targets.shape[1], spec.dtype),
            config,
            output_scales=scales,
            store=store,
            resume=resume,
            checkpoint_seconds=checkpoint_seconds,
            progress=report,
        )
    reason = _unpredicted(spec, config, len(x))
    predictions: list[PredictedCurve | None] = [None] * len(dags)
    if reason is None:
        rate, points = config.learning_rate, curves.steps
        predictions = [
            predict_curve(dag, x, targets, rate, points, output_scale=scale, reading=spec.reading)
            for dag, scale in zip(dags, scales, strict=True)
        ]
    return Experiment(curves, scales, predictions, reason)


def _unpredicted(spec: NetworkSpec, config: TrainConfig, rows: int) -> str | None:
    """The reason why infinite width predicts nothing here."""
    if config.loss != "mse" or config.optimizer != "gd":
        return "the prediction is for full-batch gradient descent on mean squared error: --loss mse --optimizer gd"
    if spec.parameterization != "ntk":
        return "the prediction is for the ntk parameterization"
    if spec.reading.embedding == "stem" and spec.reading.order == "activation-first":
        return "there is no exact kernel for a stem with activation-first"
    if rows > _PREDICTED_ROWS:
        return f"the prediction needs all eigenvalues of the NTK: at most {_PREDICTED_ROWS} rows"
    return None
