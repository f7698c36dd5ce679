"""Figure 4: the authors' experiment on DAG#1-3, once as it is and once with outputs of equal scale.

DAG#3's outputs are larger at initialisation than DAG#2's, and those than DAG#1's, so that at one learning rate the
former also take larger steps. The scale-matched run divides the outputs by the root of the NNGP's mean diagonal; what
remains of the order there is due to the kernel's shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.datasets import Dataset
from nngp_dag.finite.network import Ensemble, NetworkSpec
from nngp_dag.finite.training import CheckpointStore, Curves, TrainConfig, make_data, train
from nngp_dag.finite.training.loop import check_memory
from nngp_dag.finite.training.scale import matching_scale
from nngp_dag.reading import Reading
from nngp_dag.reproduce.figure4.order import Difference, early_accuracy, paired_differences, ranking
from nngp_dag.reproduce.figure4.prediction import initial_state, predicted_accuracy
from nngp_dag.reproduce.figure4.preset import CODES, NAMES, PRESETS, Preset

__all__ = ["CLAIMED", "Figure4", "Panel", "run_figure4", "standardize"]

CLAIMED = ("DAG#3", "DAG#2", "DAG#1")
"""The paper's order, fastest first."""

_PREDICTION_ROWS = 300
_PREDICTION_SEEDS = 32
_POINTS = 40


@dataclass(frozen=True)
class Panel:
    """One run of the three DAGs.

    Attributes:
        output_scales: factors on the outputs, [D].
        curves: measured curves; the authors' accuracy is `running` `class_accuracy`.
        predicted: mean per-class accuracy that the NTK at initialisation predicts at each point, [P, D].
        early: early accuracy of each DAG and seed, [D, S]: the mean of the first half of the running curve.
        differences: neighbours of the paper's order, compared over seeds.
        order: DAGs by mean early accuracy, fastest first.
        predicted_order: the same by the prediction.
    """

    output_scales: tuple[float, ...]
    curves: Curves
    predicted: np.ndarray
    early: np.ndarray
    differences: list[Difference]
    order: list[str]
    predicted_order: list[str]


@dataclass(frozen=True)
class Figure4:
    """The experiment on one data set: as published, and scale-matched."""

    data: str
    rows: int
    preset: Preset
    confidence: float
    as_published: Panel
    scale_matched: Panel

    @property
    def verdict(self) -> str:
        """The part of the order DAG#3 > DAG#2 > DAG#1 in early accuracy that remains, in words."""
        published, matched = (
            all(difference.verdict == "holds" for difference in panel.differences)
            for panel in (self.as_published, self.scale_matched)
        )
        if published:
            return "holds as published and scale-matched" if matched else "holds as published, not when scale-matched"
        return "holds when scale-matched only" if matched else "not confirmed"


def standardize(data: Dataset) -> np.ndarray:
    """Pixels less their mean, over their deviation, as the authors' transform: by channel for colour images, [N, d]."""
    shape = data.image_shape or (data.x.shape[1],)
    channels = shape[0] if len(shape) == 3 else 1
    pixels = data.x.reshape(len(data), channels, -1)
    mean, deviation = pixels.mean(axis=(0, 2), keepdims=True), pixels.std(axis=(0, 2), keepdims=True)
    return ((pixels - mean) / np.where(deviation > 0, deviation, 1)).reshape(len(data), -1)


def run_figure4(
    data: Dataset,
    preset: Preset = PRESETS["laptop"],
    *,
    seed: int = 0,
    confidence: float = 0.95,
    dtype: str = "float32",
    evaluate: bool = True,
    checkpoints: Path | None = None,
    resume: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Figure4:
    """Run the experiment.

    Args:
        data: raw pixels (`load(spec, raw=True)`) with labels.
        preset: sizes.
        seed: the first seed.
        confidence: level of the intervals.
        dtype: of the networks; the authors' is float32.
        evaluate: as in `TrainConfig`; the orders need the running accuracy only.
        checkpoints: a folder to save the two runs' checkpoints in, of this run alone (`run_folder`).
        resume: continue from them.
        progress: called with (run, steps done, steps).

    Raises:
        InputError: data without labels, too little memory, or an unusable checkpoint.
    """
    x, targets = standardize(data), data.one_hot()
    dags, reading = [Dag.from_code(code) for code in CODES], Reading(embedding="stem")
    config = _config(len(x), preset, evaluate)
    spec = NetworkSpec.make(
        dags, x.shape[1], preset.width, targets.shape[1], reading=reading, parameterization="standard", dtype=dtype
    )
    seeds = list(range(seed, seed + preset.seeds))
    ensemble = Ensemble(spec, dags, seeds)
    rows = make_data(x, data.y, targets.shape[1], dtype)
    check_memory(ensemble, rows, config)
    chosen = np.random.default_rng(0).permutation(len(x))[:_PREDICTION_ROWS]
    kernels = initial_state(Ensemble(spec, dags, seeds[:_PREDICTION_SEEDS]), x[chosen])
    # The standard parameterisation divides by the number of pixels: its features are those of rows x / sqrt(d).
    sample = x[chosen] / np.sqrt(x.shape[1])
    matched = tuple(matching_scale(dag, sample, reading) for dag in dags)

    def panel(name: str, scales: tuple[float, ...]) -> Panel:
        curves = train(
            ensemble,
            rows,
            config,
            output_scales=scales,
            store=None if checkpoints is None else CheckpointStore(checkpoints / name, {}),
            resume=resume,
            progress=None if progress is None else partial(_report, progress, name, config.steps),
        )
        times = [config.learning_rate * step for step in curves.steps]
        return _panel(scales, curves, _predictions(kernels, targets[chosen], times, scales), confidence)

    published = panel("as-published", (1.0,) * len(dags))
    return Figure4(data.name, len(x), preset, confidence, published, panel("scale-matched", matched))


def _config(rows: int, preset: Preset, evaluate: bool) -> TrainConfig:
    return TrainConfig.make(
        rows,
        loss="cross-entropy",
        optimizer="sgd",
        learning_rate=preset.learning_rate,
        batch=preset.batch,
        epochs=preset.epochs,
        eval_every=_eval_every(rows, preset),
        evaluate=evaluate,
    )


def _predictions(
    kernels: tuple[np.ndarray, np.ndarray], targets: np.ndarray, times: Sequence[float], scales: Sequence[float]
) -> np.ndarray:
    """Predicted accuracies of every DAG at each time, [P, D], from its NTK and initial outputs."""
    predicted = [
        predicted_accuracy(ntk, initial, targets, times, output_scale=scale)
        for ntk, initial, scale in zip(*kernels, scales, strict=True)
    ]
    return np.stack(predicted, axis=1)


def _report(progress: Callable[[str, int, int], None], name: str, steps: int, done: int) -> None:
    progress(name, done, steps)


def _panel(scales: tuple[float, ...], curves: Curves, predicted: np.ndarray, confidence: float) -> Panel:
    early = early_accuracy(curves.array("class_accuracy", running=True))
    differences = paired_differences(early, NAMES, CLAIMED, confidence)
    # The running curve's points are means over intervals: of the prediction, the mean of both ends.
    between = (predicted[1:] + predicted[:-1]) / 2
    return Panel(
        scales,
        curves,
        predicted,
        early,
        differences,
        ranking(early.mean(axis=1), NAMES),
        ranking(early_accuracy(between), NAMES),
    )


def _eval_every(rows: int, preset: Preset) -> int:
    epoch = -(-rows // min(preset.batch, rows))
    return epoch * max(1, round(preset.epochs / _POINTS))
