"""The training loop on the host: calls of bounded length, evaluations, checkpoints, resumption."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypedDict

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.finite.network import Ensemble
from nngp_dag.finite.training.checkpoint import CheckpointStore, flatten, unflatten
from nngp_dag.finite.training.config import TrainConfig
from nngp_dag.finite.training.curves import MEASURES, Curves, measures
from nngp_dag.finite.training.program import (
    Data,
    Program,
    Tally,
    TrainState,
    empty_tally,
    evaluate,
    init_optimizer,
    run_steps,
)
from nngp_dag.kernel.network import dag_of
from nngp_dag.support.memory import require_memory

__all__ = ["Run", "check_memory", "make_data", "run_identity", "train"]

_STEPS_A_CALL = 64


def make_data(x: ArrayLike, y: ArrayLike | None, classes: int | None = None, dtype: str = "float32") -> Data:
    """Training data from rows and labels.

    Args:
        x: rows [N, d].
        y: class labels, integers [N] from 0; or real targets [N, C], whose "labels" are their largest entries.
        classes: number of classes, by default the largest label plus one.
        dtype: of rows and targets.

    Raises:
        InputError: labels that do not fit the rows or the number of classes, or numbers that are not finite.
    """
    rows, labels = np.asarray(x, np.float64), np.asarray(y)
    if rows.ndim != 2 or labels.ndim not in (1, 2) or len(labels) != len(rows) or len(rows) == 0:
        raise InputError(f"expected rows [N, d] with labels [N] or targets [N, C], got {rows.shape} and {labels.shape}")
    if labels.ndim == 2:
        targets, labels = labels.astype(np.float64), labels.argmax(axis=1)
    else:
        if labels.dtype.kind not in "iu" or labels.min() < 0:
            raise InputError("labels must be integers from 0")
        classes = int(labels.max()) + 1 if classes is None else classes
        if labels.max() >= classes:
            raise InputError(f"label {labels.max()} is out of range for {classes} classes")
        targets = np.eye(classes)[labels]
    if not (np.isfinite(rows).all() and np.isfinite(targets).all()):
        raise InputError("rows and targets must be finite numbers")
    return Data(jnp.asarray(rows, dtype), jnp.asarray(targets, dtype), jnp.asarray(labels, jnp.int32))


def run_identity(
    ensemble: Ensemble, data: Data, config: TrainConfig, output_scales: Sequence[float]
) -> dict[str, object]:
    """The identity of a run, as a JSON object: two runs with the same identity have the same curves.

    The number of steps is left out, so that a run can be continued.
    """
    spec = ensemble.spec
    content = hashlib.sha256()
    for array in data:
        content.update(np.asarray(array).tobytes())
    recipe = {name: value for name, value in asdict(config).items() if name != "steps"}
    return {
        "codes": [dag_of(dag).to_code() for dag in ensemble.dags],
        **_wired_identity(ensemble),
        "seeds": list(ensemble.seeds),
        "width": spec.width,
        "inputs": spec.inputs,
        "outputs": spec.outputs,
        "order": spec.reading.order,
        "embedding": spec.reading.embedding,
        "activation": spec.reading.activation.name,
        "parameterization": spec.parameterization,
        "batch_norm": spec.batch_norm,
        "dtype": spec.dtype,
        "output_scales": [float(scale) for scale in output_scales],
        "data": content.hexdigest(),
        **recipe,
    }


def _wired_identity(ensemble: Ensemble) -> dict[str, object]:
    """The part of wirings in the identity of a run: their slots and their numbers."""
    wired = ensemble.spec.wired
    if wired is None:
        return {}
    slots = ["layer norm" if kind.activation is None else kind.activation.name for kind in wired.kinds]
    return {"slots": slots, "wirings": hashlib.sha256(ensemble.wirings.tobytes()).hexdigest()}


def train(
    ensemble: Ensemble,
    data: Data,
    config: TrainConfig,
    *,
    output_scales: Sequence[float] | None = None,
    store: CheckpointStore | None = None,
    resume: bool = False,
    checkpoint_seconds: float = 60.0,
    progress: Callable[[int], None] | None = None,
) -> Curves:
    """Train every member of an ensemble, all at once, and return their curves.

    Args:
        ensemble: the networks; member (DAG, seed) is initialised, and its batches are ordered, by its seed.
        data: training rows (`make_data`).
        config: the recipe.
        output_scales: a factor on the outputs for each DAG, by default 1.
        store: where to save checkpoints: every `checkpoint_seconds`, and at the end.
        resume: start from the store's newest checkpoint, if it has any.
        checkpoint_seconds: time between two checkpoints; 0 saves after every call.
        progress: called with the number of steps done.

    Returns:
        Curves at steps 0, eval_every, 2 eval_every, ... and at the last step.

    Raises:
        InputError: sizes that do not fit, too little memory, or a checkpoint that is damaged or of another run.
    """
    scales = _scales(ensemble, data, output_scales)
    check_memory(ensemble, data, config)
    if store is not None:
        store.run = run_identity(ensemble, data, config, scales)
    run = Run(ensemble, data, config, scales)
    found = store.latest() if store is not None and resume else None
    if found is not None:
        run.restore(*found)
        if run.step > config.steps:
            raise InputError(
                f"the run to be continued has made {run.step} steps, more than the {config.steps} asked for"
            )
    saved_step, saved_time = -1 if found is None else run.step, time.monotonic()
    while True:
        done = run.step >= config.steps
        # Before the evaluation: a point that only the end of this run has is none of a longer run's.
        if (
            store is not None
            and run.step != saved_step
            and (done or time.monotonic() - saved_time >= checkpoint_seconds)
        ):
            store.save(*run.checkpoint())
            saved_step, saved_time = run.step, time.monotonic()
        if done or run.step % config.eval_every == 0:
            run.record()
        if progress is not None:
            progress(run.step)
        if done:
            return run.curves
        run.advance()


def _scales(ensemble: Ensemble, data: Data, output_scales: Sequence[float] | None) -> list[float]:
    """A factor on the outputs for each DAG; InputError where the sizes of networks, data and scales do not fit."""
    spec = ensemble.spec
    if data.x.shape[1] != spec.inputs or data.targets.shape[1] != spec.outputs or str(data.x.dtype) != spec.dtype:
        raise InputError(
            f"the networks take {spec.inputs} inputs to {spec.outputs} outputs in {spec.dtype}, but the data have"
            f" {data.x.shape[1]} and {data.targets.shape[1]} in {data.x.dtype}"
        )
    scales = [1.0] * len(ensemble.dags) if output_scales is None else [float(scale) for scale in output_scales]
    if len(scales) != len(ensemble.dags):
        raise InputError(f"{len(ensemble.dags)} DAGs need as many output scales, got {len(scales)}")
    return scales


class _Arrays(TypedDict):
    """The arrays of a checkpoint but for the curves."""

    state: TrainState
    tally: Tally


class Run:
    """A run at some step: networks, optimiser, curves so far, and sums over the batches since their last point."""

    def __init__(self, ensemble: Ensemble, data: Data, config: TrainConfig, scales: list[float]) -> None:
        self.ensemble, self.data, self.config = ensemble, data, config
        members, padded = len(ensemble), len(ensemble.member_seeds)
        factors = np.repeat(scales, len(ensemble.seeds))
        factors = np.concatenate([factors, np.repeat(factors[-1:], padded - members)]).astype(ensemble.spec.dtype)
        rates = np.full(padded, config.learning_rate, ensemble.spec.dtype)
        self.seeds, self.factors, rates = jax.device_put((ensemble.member_seeds, factors, rates), ensemble.sharding)
        member = ensemble.init()
        # Placed like the rest, so that the first call's program serves all later ones.
        self.state = TrainState(member, jax.device_put(init_optimizer(member.params, rates), ensemble.sharding))
        self.tally = self._no_rows()
        self.step = 0
        self.curves = Curves(tuple(dag_of(dag).to_code() for dag in ensemble.dags), ensemble.seeds)

    def _no_rows(self) -> Tally:
        zero = empty_tally(len(self.ensemble.member_seeds), self.ensemble.spec.outputs, self.ensemble.spec.dtype)
        return jax.device_put(zero, self.ensemble.sharding)

    def advance(self) -> None:
        """As many steps as one call makes: to the next point of the curve, end of an epoch, or multiple of 64 steps."""
        epoch = -(-self.data.x.shape[0] // self.config.batch)
        stop = min(self.config.steps, *(_next(self.step, n) for n in (_STEPS_A_CALL, epoch, self.config.eval_every)))
        self.state, self.tally = run_steps(
            self.ensemble.spec,
            Program.of(self.config),
            self.state,
            self.tally,
            self.data,
            self.seeds,
            self.factors,
            jnp.asarray(self.step),
            jnp.asarray(stop),
        )
        self.step = stop

    def record(self) -> None:
        """Add a point to the curves."""
        if self.config.evaluate:
            whole = evaluate(self.ensemble.spec, self.config.loss, self.state.member, self.data, self.factors)
            self._add(self.curves.evaluated, whole)
        else:
            for points in self.curves.evaluated.values():
                points.append(np.full((len(self.ensemble.dags), len(self.ensemble.seeds)), np.nan))
        if self.curves.steps:
            self._add(self.curves.running, self.tally)
        self.curves.steps.append(self.step)
        self.tally = self._no_rows()

    def _add(self, points: dict[str, list[np.ndarray]], sums: Tally) -> None:
        for name, values in measures(jax.tree.map(lambda a: np.asarray(a)[: len(self.ensemble)], sums)).items():
            points[name].append(values.reshape(-1, len(self.ensemble.seeds)))

    def checkpoint(self) -> tuple[int, dict[str, np.ndarray], dict[str, object]]:
        """Step, arrays and notes."""
        arrays = flatten({"state": self.state, "tally": self.tally}, len(self.ensemble))
        for name in MEASURES:
            for kind, points in (("evaluated", self.curves.evaluated), ("running", self.curves.running)):
                if points[name]:
                    arrays[f"{kind}_{name}"] = np.asarray(points[name])
        device = jax.devices()[0].device_kind
        return self.step, arrays, {"points": self.curves.steps, "jax": jax.__version__, "device": device}

    def restore(self, step: int, arrays: dict[str, np.ndarray], notes: dict[str, Any]) -> None:
        """Continue from a checkpoint; InputError where it does not hold the state of these networks."""
        curves = {name: arrays.pop(name) for name in list(arrays) if name.startswith(("evaluated_", "running_"))}
        current: _Arrays = {"state": self.state, "tally": self.tally}
        found = unflatten(arrays, current)
        self.state, self.tally, self.step = found["state"], found["tally"], step
        self.curves.steps = [int(point) for point in notes["points"]]
        for name in MEASURES:
            self.curves.evaluated[name] = list(curves.get(f"evaluated_{name}", []))
            self.curves.running[name] = list(curves.get(f"running_{name}", []))


def _next(step: int, every: int) -> int:
    return (step // every + 1) * every


def check_memory(ensemble: Ensemble, data: Data, config: TrainConfig) -> None:
    """InputError where training these networks needs more memory than there is."""
    spec, members = ensemble.spec, len(ensemble.member_seeds)
    features = 4 * (spec.slots + 2) * spec.width * max(config.batch, min(1024, data.x.shape[0]))
    size = np.dtype(spec.dtype).itemsize
    require_memory(size * members * (3 * spec.weights + features), f"training {members} networks of width {spec.width}")
