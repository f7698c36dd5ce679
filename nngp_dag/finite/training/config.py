"""The recipe of training: loss, optimiser, learning rate, batches and when they are evaluated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast, get_args

from nngp_dag.errors import InputError, unknown

__all__ = ["LOSSES", "OPTIMIZERS", "Loss", "Optimizer", "TrainConfig"]

Loss = Literal["mse", "cross-entropy"]
Optimizer = Literal["sgd", "gd"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)
_MOST_STEPS = 2**31 - 1


@dataclass(frozen=True)
class TrainConfig:
    """A validated training recipe; no momentum, weight decay or schedule, as in the paper's experiments.

    The loss is a mean over the rows of a batch: of |u_i - y_i|^2 / 2 (mse) or of the cross-entropy of softmax(u_i). The
    paper's L = |y - u|^2 / 2 sums over rows, so that its learning rate is this one divided by the number of rows.

    Attributes:
        loss: mse or cross-entropy.
        optimizer: sgd (batches in an order of its own for every epoch and seed) or gd (all rows at every step).
        learning_rate: step size.
        batch: rows in a batch; all rows for gd.
        steps: number of steps.
        eval_every: steps between two points of the curves.
        evaluate: whether a point has the measures on all rows, which costs a forward pass over them, beside those of
            the batches since the point before.
    """

    loss: Loss
    optimizer: Optimizer
    learning_rate: float
    batch: int
    steps: int
    eval_every: int
    evaluate: bool = True

    @classmethod
    def make(
        cls,
        rows: int,
        *,
        loss: str = "cross-entropy",
        optimizer: str = "sgd",
        learning_rate: float = 1e-2,
        batch: int | None = None,
        steps: int | None = None,
        epochs: float | None = None,
        eval_every: int | None = None,
        evaluate: bool = True,
    ) -> TrainConfig:
        """Check a recipe for `rows` training rows.

        Args:
            rows: number of training rows.
            loss: mse or cross-entropy.
            optimizer: sgd or gd.
            learning_rate: positive.
            batch: rows in a batch (sgd only), by default 128, and never more than `rows`.
            steps: number of steps; or
            epochs: passes over the data, an epoch being ceil(rows / batch) steps; by default 10.
            eval_every: by default once an epoch (sgd), or a hundred times in all (gd).
            evaluate: whether to measure all rows at each point.

        Raises:
            InputError: an unknown name, a number out of range, both steps and epochs, or a batch for gd.
        """
        for kind, value, accepted in (("loss", loss, LOSSES), ("optimizer", optimizer, OPTIMIZERS)):
            if value not in accepted:
                raise unknown(kind, value, accepted)
        if not (learning_rate > 0 and math.isfinite(learning_rate)):
            raise InputError(f"the learning rate must be a positive number, got {learning_rate}")
        if steps is not None and epochs is not None:
            raise InputError("give either steps or epochs, not both")
        batch = _batch(rows, optimizer, batch)
        epoch = -(-rows // batch)
        steps = _steps(epoch, steps, epochs)
        if eval_every is None:
            eval_every = epoch if optimizer == "sgd" else max(1, steps // 100)
        if eval_every < 1:
            raise InputError(f"evaluations are at least 1 step apart, got {eval_every}")
        return cls(cast(Loss, loss), cast(Optimizer, optimizer), learning_rate, batch, steps, eval_every, evaluate)


def _batch(rows: int, optimizer: str, batch: int | None) -> int:
    """The number of rows in a batch, at most all of them."""
    if optimizer == "gd":
        if batch is not None and batch != rows:
            raise InputError(f"gd uses all {rows} rows at every step: leave the batch out, or use sgd")
        batch = rows
    batch = min(128 if batch is None else batch, rows)
    if batch < 1:
        raise InputError(f"a batch has at least 1 row, got {batch}")
    return batch


def _steps(epoch: int, steps: int | None, epochs: float | None) -> int:
    """The number of steps, given as such or in epochs of `epoch` steps."""
    if steps is None:
        epochs = 10 if epochs is None else epochs
        if not 0 <= epochs * epoch <= _MOST_STEPS:
            raise InputError(f"epochs must make 0 to {_MOST_STEPS:,} steps, got {epochs:g} epochs of {epoch} steps")
        steps = round(epochs * epoch)
    if not 0 <= steps <= _MOST_STEPS:
        raise InputError(f"the number of steps must lie between 0 and {_MOST_STEPS:,}, got {steps:,}")
    return steps
