"""The compiled programs of training: many steps of all members, and their evaluation on all rows.

Step k of an epoch takes rows perm[k B : (k + 1) B] of a permutation that depends on the member's seed and the epoch
alone, and sums over steps are carried from call to call, so that a step is a function of (state, sums, step number):
where a run is cut into calls changes no bit of it.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jax.typing import DTypeLike

from nngp_dag.finite.network import Member, NetworkSpec, rebuild
from nngp_dag.finite.training.config import Loss, Optimizer, TrainConfig

__all__ = [
    "Data",
    "Program",
    "Tally",
    "TrainState",
    "empty_tally",
    "evaluate",
    "init_optimizer",
    "row_losses",
    "run_steps",
]

_DATA_STREAM = 0x6461
_EVALUATION_ROWS = 1024


class Data(NamedTuple):
    """Training rows x [N, d], targets [N, C] (one-hot for classes) and class labels int32 [N]."""

    x: Array
    targets: Array
    labels: Array


class Tally(NamedTuple):
    """Sums over rows of one member: `loss`, and the exact counts `correct` [C] and `rows` [C] by true class (int32)."""

    loss: Array | np.ndarray
    correct: Array | np.ndarray
    rows: Array | np.ndarray


class Program(NamedTuple):
    """The part of a recipe that the compiled steps depend on: recipes that differ elsewhere share one compilation."""

    loss: Loss
    optimizer: Optimizer
    batch: int

    @classmethod
    def of(cls, config: TrainConfig) -> Program:
        """The program of a recipe."""
        return cls(config.loss, config.optimizer, config.batch)


class TrainState(NamedTuple):
    """State of all members: their variables and those of the optimiser."""

    member: Member
    optimizer: optax.OptState


def empty_tally(members: int, classes: int, dtype: DTypeLike) -> Tally:
    """Sums over no rows, for all members."""
    counts = jnp.zeros((members, classes), jnp.int32)
    return Tally(jnp.zeros(members, dtype), counts, counts)


def row_losses(outputs: Array, targets: Array, labels: Array, loss: Loss) -> Array:
    """Loss of every row [B]: |u - y|^2 / 2, or -log softmax(u)[label], for outputs and targets [B, C]."""
    if loss == "mse":
        return 0.5 * jnp.sum((outputs - targets) ** 2, axis=1)
    return optax.softmax_cross_entropy_with_integer_labels(outputs, labels)


def init_optimizer(params: nnx.State, learning_rates: Array) -> optax.OptState:
    """The optimiser's state of all members; learning_rates [members]."""
    return jax.vmap(lambda p, rate: _optimizer(rate).init(p))(params, learning_rates)


@partial(jax.jit, static_argnums=(0, 1), donate_argnums=2)
def run_steps(
    spec: NetworkSpec,
    program: Program,
    state: TrainState,
    tally: Tally,
    data: Data,
    seeds: Array,
    output_scales: Array,
    start: Array,
    stop: Array,
) -> tuple[TrainState, Tally]:
    """Steps start..stop-1 of every member, all within one epoch.

    Args:
        spec: the networks.
        program: loss, optimiser and batch.
        state: state before step `start`; its memory is reused.
        tally: sums over the batches before, to be continued.
        data: training rows.
        seeds: uint32 [members]: the order of the rows.
        output_scales: factor on the outputs, [members].
        start: number of the first step.
        stop: number of the step after the last.

    Returns:
        The state after the last step, and the sums with the rows of these steps' batches added, each measured before
        its update (as the authors report their training accuracy).
    """
    rows = data.x.shape[0]
    epoch_steps = -(-rows // program.batch)

    def member_steps(state: TrainState, tally: Tally, seed: Array, scale: Array) -> tuple[TrainState, Tally]:
        order = _row_order(program.optimizer, rows, seed, start // epoch_steps)

        def body(step: Array, carry: tuple[TrainState, Tally]) -> tuple[TrainState, Tally]:
            state, tally = carry
            positions = (step % epoch_steps) * program.batch + jnp.arange(program.batch)
            valid = positions < rows
            chosen = order[jnp.minimum(positions, rows - 1)]
            batch = Data(data.x[chosen], data.targets[chosen], data.labels[chosen])
            state, seen = _step(spec, program.loss, state, batch, valid, scale)
            return state, jax.tree.map(jnp.add, tally, seen)

        return jax.lax.fori_loop(start, stop, body, (state, tally))

    return jax.vmap(member_steps)(state, tally, seeds, output_scales)


@partial(jax.jit, static_argnums=(0, 1))
def evaluate(spec: NetworkSpec, loss: Loss, member: Member, data: Data, output_scales: Array) -> Tally:
    """Sums over all rows for every member, in blocks of rows, with batch normalisation by its running averages."""
    rows, classes = data.targets.shape
    block = min(rows, _EVALUATION_ROWS)
    padding = -rows % block
    padded = jax.tree.map(lambda a: jnp.pad(a, [(0, padding)] + [(0, 0)] * (a.ndim - 1)), data)
    valid = jnp.arange(rows + padding) < rows
    blocks = jax.tree.map(lambda a: a.reshape(-1, block, *a.shape[1:]), (padded, valid))

    def one(member: Member, scale: Array) -> Tally:
        network = rebuild(spec, member)

        def measure(part: tuple[Data, Array]) -> Tally:
            batch, valid = part
            outputs = scale * network(batch.x)
            return _tally(row_losses(outputs, batch.targets, batch.labels, loss), outputs, batch.labels, valid, classes)

        return jax.tree.map(lambda a: a.sum(axis=0), jax.lax.map(measure, blocks))

    return jax.vmap(one)(member, output_scales)


def _optimizer(learning_rate: Array | float) -> optax.GradientTransformation:
    return optax.inject_hyperparams(optax.sgd)(learning_rate=learning_rate)


def _row_order(optimizer: Optimizer, rows: int, seed: Array, epoch: Array) -> Array:
    if optimizer == "gd":
        return jnp.arange(rows)
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), _DATA_STREAM), epoch)
    return jax.random.permutation(key, rows)


def _step(
    spec: NetworkSpec, loss: Loss, state: TrainState, batch: Data, valid: Array, scale: Array
) -> tuple[TrainState, Tally]:
    def objective(params: nnx.State) -> tuple[Array, tuple[Array, Array, nnx.State]]:
        network = rebuild(spec, Member(params, state.member.rest))
        outputs = scale * network(batch.x, mask=valid, train=True)
        losses = row_losses(outputs, batch.targets, batch.labels, loss)
        rest = nnx.state(network, nnx.Not(nnx.Param))
        return jnp.where(valid, losses, 0).sum() / valid.sum(), (losses, outputs, rest)

    gradient, (losses, outputs, rest) = jax.grad(objective, has_aux=True)(state.member.params)
    updates, optimizer = _optimizer(0.0).update(gradient, state.optimizer, state.member.params)
    params = optax.apply_updates(state.member.params, updates)
    seen = _tally(losses, outputs, batch.labels, valid, batch.targets.shape[1])
    return TrainState(Member(params, rest), optimizer), seen


def _tally(losses: Array, outputs: Array, labels: Array, valid: Array, classes: int) -> Tally:
    member_of = jax.nn.one_hot(labels, classes, dtype=bool) & valid[:, None]
    correct = (jnp.argmax(outputs, axis=1) == labels)[:, None] & member_of
    counts = (part.sum(axis=0, dtype=jnp.int32) for part in (correct, member_of))
    return Tally(jnp.where(valid, losses, 0).sum(), *counts)
