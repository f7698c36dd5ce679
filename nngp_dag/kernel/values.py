"""The distinct values of the nodes of many DAGs: each kernel that some node sends through linear edges, once.

What a node is made of are the features that linear edges bring and the embedding; its kernels are weighted sums of what
these send, V and W (`mixing.received`), and what it sends depends on that sum alone. So nodes of equal sums, of
whatever DAG, share one *value*: the 729 DAGs of four nodes have 8 values and 83 kernels (GELU), those of five nodes 83
and 2,859. Value 0 is the embedding, value 1 what node 0 sends (`optimization.normal_form` numbers them alike); sums are
told apart by their weights, so that proportional ones stay two.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nngp_dag.dag import num_edges, num_nodes_of
from nngp_dag.kernel.embedding import EmbeddedRow
from nngp_dag.kernel.flow import Flow
from nngp_dag.kernel.into import Into
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.mixing import Mixing, mixing, received
from nngp_dag.kernel.pair_recursion import Node, PairState
from nngp_dag.kernel.plane_sums import PlaneRows, PlaneSums, filled
from nngp_dag.kernel.recursion import Recursion, RowState
from nngp_dag.support.distinct import distinct_rows, distinct_sorted_rows

__all__ = ["ValueProgram", "ValueRows", "value_planes", "value_rows", "value_sums"]

_Held = TypeVar("_Held")


class ValueProgram(NamedTuple):
    """The values before it that each is made of; row 0, of the embedding, is not used.

    Attributes:
        sources: values, int32 [S, m]; those of weight 0 are value 0.
        power, mean: the weights of V and W, and of b, float [S, m].
        number: how many values there are; rows from there on fill up.
    """

    sources: np.ndarray
    power: np.ndarray
    mean: np.ndarray
    number: np.ndarray


class ValueRows(NamedTuple):
    """One input, or many on the last axis: the embedding, and the node that sends each value (first axis)."""

    embedded: EmbeddedRow
    nodes: Node


def value_sums(recursion: Recursion, codes: np.ndarray) -> PlaneSums:
    """The kernels of DAGs of equal node count as sums over values; its program is a `ValueProgram`.

    Args:
        recursion: exact or independent.
        codes: flat codes [A, E] in lexicographic order; some may have no path.
    """
    num_nodes = num_nodes_of(codes.shape[1])
    into = mixing(codes)
    power = received(into, recursion.correlated)
    mean = received(into, False) if recursion.means else [None] * len(power)
    values = _Values.of_embedding(num_nodes, recursion.means)
    sent = [np.zeros(len(codes), np.int64), np.ones(len(codes), np.int64)]  # of each DAG: embedding, node 0, 1, ...
    for t in range(1, num_nodes - 1):
        first, prefix = distinct_sorted_rows(codes[:, : num_edges(t + 1)])
        sums = _Sums.of(*_terms(sent, power[t - 1], mean[t - 1], first), num_nodes)
        sent.append(values.numbered(sums)[prefix])
    sums = _Sums.of(*_terms(sent, power[-1], mean[-1], slice(None)), num_nodes)
    first, which = distinct_rows(sums.table())
    return PlaneSums(values.program(), sums.planes[first], sums.power[first], sums.mean[first], which)


def value_rows(recursion: Recursion, program: ValueProgram, k: Array) -> PlaneRows:
    """The diagonals of the planes, and the nodes that send them, for K_in(x, x) = k [N]; its state is `ValueRows`."""
    r, size = recursion, len(program.sources)
    embedded, row, node = over_rows(lambda k, _: r.start_row(k))(k, None)
    start = _RowPlanes(row.mean.fresh[0], row.variance.fresh[0], _first(row.tangent))
    room = jax.tree.map(lambda a: jnp.zeros((size, *a.shape), a.dtype), (start, node))
    planes = jax.tree.map(lambda a, first: a.at[0].set(first), room[0], start)

    def step(s: Array, held: tuple[_RowPlanes, Node]) -> tuple[_RowPlanes, Node]:
        planes, nodes = held
        state = RowState(*jax.tree.map(lambda a: _flow(a, program, s), planes))
        row, node = over_rows(lambda row, into: r.step_row(row, 1, into))(state, _into(program, s))
        new = _RowPlanes(row.mean.through[-1], row.variance.through[-1], _last(row.tangent))
        return _stored(planes, new, s), _stored(nodes, node, s)

    planes, nodes = lax.fori_loop(1, program.number, step, (planes, room[1]))
    tangent = jnp.zeros_like(planes.variance) if planes.tangent is None else planes.tangent
    return PlaneRows(ValueRows(embedded, nodes), planes.variance, tangent, planes.mean)


def value_planes(
    recursion: Recursion, program: ValueProgram, x: ValueRows, y: ValueRows, k: Array
) -> tuple[Array, Array]:
    """V and W (zero without tangents) [S, X, Y] for the rows of x and y and K_in(x, x') = k [X, Y]."""
    r, size = recursion, len(program.sources)
    first = over_pairs(lambda k, x, y, _: r.start_pair(x[0], y[0], x[1], y[1], k)[0])
    at_first = [(rows.embedded, jax.tree.map(lambda a: a[1], rows.nodes)) for rows in (x, y)]
    pair = first(k, *at_first, None)
    start = _PairPlanes(pair.covariance.fresh[0], _first(pair.tangent))
    planes = jax.tree.map(lambda a: jnp.zeros((size, *a.shape), a.dtype).at[0].set(a), start)

    def step(s: Array, planes: _PairPlanes) -> _PairPlanes:
        state = PairState(*jax.tree.map(lambda a: _flow(a, program, s), planes))
        at = [jax.tree.map(lambda a: a[s], rows.nodes) for rows in (x, y)]
        sent = over_pairs(lambda pair, x, y, into: r.step_pair(pair, 1, into, x, y)[0])(state, *at, _into(program, s))
        new = _PairPlanes(sent.covariance.through[-1], _last(sent.tangent))
        return _stored(planes, new, s)

    planes = lax.fori_loop(1, program.number, step, planes)
    tangent = jnp.zeros_like(planes.covariance) if planes.tangent is None else planes.tangent
    return planes.covariance, tangent


class _RowPlanes(NamedTuple):
    """m or b, D or V, E or W of the values so far; of pairs the last two."""

    mean: Array
    variance: Array
    tangent: Array | None


class _PairPlanes(NamedTuple):
    covariance: Array
    tangent: Array | None


def _first(flow: Flow | None) -> Array | None:
    return None if flow is None else flow.fresh[0]


def _last(flow: Flow | None) -> Array | None:
    return None if flow is None else flow.through[-1]


def _flow(planes: Array, program: ValueProgram, s: Array) -> Flow:
    """The parts that a node of value s has received: its first source as if skipped to, the others by linear edges."""
    at = jnp.asarray(program.sources)[s]
    return Flow((planes[at[0]],), tuple(planes[at[u]] for u in range(1, program.sources.shape[1])))


def _into(program: ValueProgram, s: Array) -> Into:
    mean, power = (jnp.asarray(a)[s] for a in (program.mean, program.power))
    return Into(Mixing(mean[:1], mean[1:]), Mixing(power[:1], power[1:]))


def _stored(planes: _Held, new: _Held, s: Array) -> _Held:
    found: _Held = jax.tree.map(lambda all_, one: all_.at[s].set(one), planes, new)
    return found


# ---- sums as rows of numbers -----------------------------------------------------------------------------------------


class _Sums(NamedTuple):
    """Sums over planes, each plane at most once: planes in ascending order, then plane 0 with weight 0; [A, m]."""

    planes: np.ndarray
    power: np.ndarray
    mean: np.ndarray

    @classmethod
    def of(cls, planes: np.ndarray, power: np.ndarray, mean: np.ndarray, width: int) -> _Sums:
        """From sums in which planes repeat, or weigh nothing."""
        pad = [(0, 0), (0, width - planes.shape[1])]
        absent = np.iinfo(np.int64).max
        planes, power, mean = (np.pad(a, pad) for a in (np.where(power == 0, absent, planes), power, mean))
        planes[:, width - pad[1][1] :] = absent
        found = _sorted(planes, power, mean)
        for c in range(1, width):
            same = (found[0][:, c] == found[0][:, c - 1]) & (found[0][:, c] != absent)
            found[0][same, c - 1] = absent
            for weights in found[1:]:
                weights[same, c] += weights[same, c - 1]
                weights[same, c - 1] = 0
        planes, power, mean = _sorted(*found)
        return cls(np.where(planes == absent, 0, planes), power, mean)

    def table(self) -> np.ndarray:
        """A row of numbers each, equal where the sums are."""
        return np.concatenate([self.planes.astype(np.float64), self.power, self.mean], axis=1)


class _Values:
    """The values met so far, with their numbers."""

    def __init__(self, width: int) -> None:
        self.sums = _Sums(np.zeros((1, width), np.int64), np.zeros((1, width)), np.zeros((1, width)))
        self.numbers: dict[bytes, int] = {self.sums.table().tobytes(): 0}  # a node that nothing reaches sends nothing

    @classmethod
    def of_embedding(cls, width: int, means: bool) -> _Values:
        """The embedding, and what node 0 sends."""
        values = cls(width)
        one = np.ones((1, 1))
        values.numbered(_Sums.of(np.zeros((1, 1), np.int64), one, one * means, width))
        return values

    def numbered(self, sums: _Sums) -> np.ndarray:
        """The numbers [A] of sums, with new ones for those that are new."""
        table = sums.table()
        first, which = distinct_rows(table)
        numbers = np.array([self.numbers.setdefault(table[i].tobytes(), len(self.numbers)) for i in first])
        new = first[numbers >= len(self.sums.planes)]
        self.sums = _Sums(*(np.concatenate([a, b[new]]) for a, b in zip(self.sums, sums, strict=True)))
        return numbers[which]

    def program(self) -> ValueProgram:
        """The sums of all values."""
        number, width = self.sums.planes.shape
        room = [(0, filled(number) - number), (0, 0)]
        planes, power, mean = (np.pad(a[:, : max(1, width - 1)], room) for a in self.sums)
        return ValueProgram(planes.astype(np.int32), power, mean, np.array(number, np.int32))


def _terms(
    sent: list[np.ndarray], power: Mixing, mean: Mixing | None, some: np.ndarray | slice
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sums of node t of some DAGs: values [a, t + 1], and weights of V and of b."""
    planes = np.stack([numbers[some] for numbers in sent], axis=1)
    weights = np.concatenate([a[some] for a in power], axis=1)
    return planes, weights, np.zeros_like(weights) if mean is None else np.concatenate([a[some] for a in mean], axis=1)


def _sorted(planes: np.ndarray, *weights: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(planes, axis=1, kind="stable")
    return [np.take_along_axis(a, order, axis=1) for a in (planes, *weights)]
