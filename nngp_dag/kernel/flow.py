"""The parts that nodes have received and sent so far: what a fold over the nodes of a network carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from nngp_dag.kernel.entries import Entries, Part, Values
from nngp_dag.kernel.method import Numbers
from nngp_dag.kernel.mixing import Mixing

__all__ = ["Flow"]


class Flow(NamedTuple):
    """Per node so far, the part received afresh (m, D or E) and the parts sent through its ports (b, V or W).

    Two arrays with room for all nodes [n] and ports [n q], for folds by scan; or two tuples of scalars that grow, so
    that nothing is joined and every node's value is computed once (XLA repeats the operands of a concatenation in each
    of its uses).

    Attributes:
        fresh, through: a value per node, and per port.
        before: in a block of a large DAG (`Blocks`), what each of its nodes gets from earlier blocks by linear edges
            and by skip paths, [n] each.
    """

    fresh: Values
    through: Values
    before: tuple[Array, Array] | None = None

    @classmethod
    def empty(cls, like: Array, rooms: tuple[int, int]) -> Flow:
        """Room for so many nodes and ports (0: a tuple that grows), of the dtype of `like`."""
        fresh, through = (jnp.zeros(size, like.dtype) if size else () for size in rooms)
        return cls(fresh, through)

    def arrive(self, entries: Entries, t: int | Array, weights: Mixing) -> tuple[Part, Part]:
        """The part of node t received afresh through ports, and what skip edges bring besides."""
        copied = entries.weigh(weights.skip_paths, self.fresh)
        is_empty = isinstance(self.through, tuple) and not self.through
        fresh = entries.nothing(copied) if is_empty else entries.weigh(weights.linear, self.through)
        if self.before is not None:
            fresh, copied = fresh + self.before[0][t], copied + self.before[1][t]
        return fresh, copied

    def append(self, t: int | Array, fresh: Part, through: Sequence[Part]) -> Flow:
        """With node t and its ports added: at the end of a tuple, in their places of an array."""
        return Flow(_put(self.fresh, t, (fresh,)), _put(self.through, t, through), self.before)

    def block(self, weights: Mixing, ports: int) -> Flow:
        """Of arrays: an empty flow for the next block of nodes with so many ports each, given the weights [B, ...] of
        its nodes over those held here.
        """
        before = _product(weights.linear, self.through), _product(weights.skip_paths, self.fresh)
        room = jnp.zeros_like(before[0])
        return Flow(room, jnp.tile(room, ports), before)

    def store(self, block: Flow, place: Mixing) -> Flow:
        """Of arrays: with the nodes of a block from its place on."""
        fresh = _overwritten(self.fresh, block.fresh, place.skip_paths)
        return Flow(fresh, _overwritten(self.through, block.through, place.linear))


def _put(values: Values, t: int | Array, new: Sequence[Part]) -> Values:
    """With `new` at place t, counted in steps of their number."""
    if isinstance(values, tuple):
        return (*values, *new)
    if len(new) == 1:
        return values.at[t].set(new[0])
    return lax.dynamic_update_slice_in_dim(values, jnp.stack(new), t * len(new), 0)


def _product(weights: Numbers | Sequence[Numbers], values: Values) -> Array:
    return jnp.dot(jnp.asarray(weights), jnp.asarray(values), precision=lax.Precision.HIGHEST)


def _overwritten(values: Values, block: Values, start: Numbers | Sequence[Numbers]) -> Array:
    return lax.dynamic_update_slice_in_dim(jnp.asarray(values), jnp.asarray(block), jnp.asarray(start), 0)
