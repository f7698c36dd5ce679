"""The training loop on the host: calls of bounded length, evaluations, checkpoints, resumption."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.memory import require_memory
from nngp_dag.network import Ensemble
from nngp_dag.training.checkpoint import CheckpointStore, flatten, unflatten
from nngp_dag.training.config import TrainConfig
from nngp_dag.training.curves import MEASURES, Curves, measures
from nngp_dag.training.program import Data, Tally, TrainState, empty_tally, evaluate, init_optimizer, run_steps

__all__ = ["make_data", "run_identity", "train"]

_STEPS_A_CALL = 64


def make_data(x: Any, y: Any, classes: int | None = None, dtype: str = "float32") -> Data:
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


def run_identity(ensemble: Ensemble, data: Data, config: TrainConfig, output_scales: Sequence[float]) -> dict[str, Any]:
    """What defines a run, as a JSON object: two runs with the same identity have the same curves.

    The number of steps is left out, so that a run can be continued.
    """
    spec = ensemble.spec
    content = hashlib.sha256()
    for array in data:
        content.update(np.asarray(array).tobytes())
    recipe = {name: value for name, value in asdict(config).items() if name != "steps"}
    return {
        "codes": [dag.to_code() for dag in ensemble.dags],
        "seeds": list(ensemble.seeds),
        "width": spec.width,
        "inputs": spec.inputs,
        "outputs": spec.outputs,
        "order": spec.order,
        "embedding": spec.embedding,
        "activation": spec.activation.name,
        "parameterization": spec.parameterization,
        "batch_norm": spec.batch_norm,
        "dtype": spec.dtype,
        "output_scales": [float(scale) for scale in output_scales],
        "data": content.hexdigest(),
        **recipe,
    }


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
    spec, members = ensemble.spec, len(ensemble)
    if data.x.shape[1] != spec.inputs or data.targets.shape[1] != spec.outputs or str(data.x.dtype) != spec.dtype:
        raise InputError(
            f"the networks take {spec.inputs} inputs to {spec.outputs} outputs in {spec.dtype}, but the data have"
            f" {data.x.shape[1]} and {data.targets.shape[1]} in {data.x.dtype}"
        )
    scales = [1.0] * len(ensemble.dags) if output_scales is None else [float(scale) for scale in output_scales]
    if len(scales) != len(ensemble.dags):
        raise InputError(f"{len(ensemble.dags)} DAGs need as many output scales, got {len(scales)}")
    _check_memory(ensemble, data, config)
    identity = run_identity(ensemble, data, config, scales)
    if store is not None:
        store.run = identity
    padded = len(ensemble.member_seeds)
    member_scales = np.repeat(scales, len(ensemble.seeds))
    member_scales = np.concatenate([member_scales, np.repeat(member_scales[-1:], padded - members)]).astype(spec.dtype)
    seeds, factors, rates = jax.device_put(
        (ensemble.member_seeds, member_scales, np.full(padded, config.learning_rate, spec.dtype)), ensemble.sharding
    )
    member = ensemble.init()
    state = TrainState(member, init_optimizer(member.params, rates))
    curves = Curves(tuple(identity["codes"]), ensemble.seeds)
    tally, step = empty_tally(members, spec.outputs), 0
    found = store.latest() if store is not None and resume else None
    if found is not None:
        step, arrays, notes = found
        state = unflatten({k[len("state") :]: v for k, v in arrays.items() if k.startswith("state")}, state)
        tally = Tally(*(arrays[f"tally_{name}"] for name in Tally._fields))
        _restore_curves(curves, arrays, notes)
    epoch = -(-data.x.shape[0] // config.batch)
    saved = time.monotonic()
    while True:
        due = step % config.eval_every == 0 or step >= config.steps
        if due and (not curves.steps or step > curves.steps[-1]):
            whole = evaluate(spec, config.loss, state.member, data, factors)
            _record(curves, step, jax.tree.map(lambda a: np.asarray(a)[:members], whole), tally, len(ensemble.seeds))
            tally = jax.tree.map(np.zeros_like, tally)
        done = step >= config.steps
        if (
            store is not None
            and (done or time.monotonic() - saved >= checkpoint_seconds)
            and (found is None or found[0] != step)
        ):
            _save(store, step, state, tally, curves, members)
            saved, found = time.monotonic(), (step, {}, {})
        if progress is not None:
            progress(step)
        if done:
            return curves
        boundaries = (step + _STEPS_A_CALL, (step // epoch + 1) * epoch, _next(step, config.eval_every), config.steps)
        stop = min(boundaries)
        state, seen = run_steps(spec, config, state, data, seeds, factors, jnp.asarray(step), jnp.asarray(stop))
        tally = jax.tree.map(lambda total, part: total + np.asarray(part, np.float64)[:members], tally, seen)
        step = stop


def _next(step: int, every: int) -> int:
    return (step // every + 1) * every


def _record(curves: Curves, step: int, whole: Tally, tally: Tally, seeds: int) -> None:
    for name, values in measures(whole).items():
        curves.evaluated[name].append(values.reshape(-1, seeds))
    if curves.steps:
        for name, values in measures(tally).items():
            curves.running[name].append(values.reshape(-1, seeds))
    curves.steps.append(step)


def _save(store: CheckpointStore, step: int, state: TrainState, tally: Tally, curves: Curves, members: int) -> None:
    arrays = {"state" + name: leaf for name, leaf in flatten(state, members).items()}
    arrays |= {f"tally_{name}": np.asarray(part) for name, part in zip(Tally._fields, tally, strict=True)}
    for name in MEASURES:
        arrays[f"evaluated_{name}"] = curves.array(name)
        if len(curves.steps) > 1:
            arrays[f"running_{name}"] = curves.array(name, running=True)
    store.save(step, arrays, {"steps": curves.steps, "jax": jax.__version__, "device": jax.devices()[0].device_kind})


def _restore_curves(curves: Curves, arrays: dict[str, np.ndarray], notes: dict[str, Any]) -> None:
    curves.steps = [int(step) for step in notes["steps"]]
    for name in MEASURES:
        curves.evaluated[name] = list(arrays[f"evaluated_{name}"])
        curves.running[name] = list(arrays.get(f"running_{name}", []))


def _check_memory(ensemble: Ensemble, data: Data, config: TrainConfig) -> None:
    spec, members = ensemble.spec, len(ensemble.member_seeds)
    weights = spec.slots * spec.width**2 + spec.width * (spec.inputs + spec.outputs)
    features = 4 * (spec.slots + 2) * spec.width * max(config.batch, min(1024, data.x.shape[0]))
    size = np.dtype(spec.dtype).itemsize
    require_memory(size * members * (3 * weights + features), f"training {members} networks of width {spec.width}")
