"""A wiring as data: its slots, and one matrix with what enters each of them and the numbers that go with it.

A wiring has a slot for each linear edge, as its DAG has (`nngp_dag.finite.network.wiring`), and one for each node with
layer norm, behind the edges into it. Slot l reads g_l = sum_{j <= l} A[l, j] c_j and gives

    activation-last:   c_{l+1} = sqrt(c) sigma(w W g_l / sqrt(m) + v b)
    activation-first:  c_{l+1} = w sqrt(c / m) W sigma(g_l) + v b
    layer norm:        c_{l+1} = (g_l - their mean) / their standard deviation over the m coordinates.

Gains are in A: A[l, j] sums over the paths of skip edges the products of their gains, times the gain of the edge of
slot j - 1. Behind the columns of A the matrix has two more, w and v of each slot, and in the last row of the read-out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nngp_dag.activations import Activation
from nngp_dag.dag import Op
from nngp_dag.errors import InputError
from nngp_dag.wiring import Wiring

__all__ = ["Slot", "Slots", "slots_of", "union_slots", "widened"]


class Slot(NamedTuple):
    """One slot: a linear edge, or a layer norm.

    Attributes:
        activation: sigma of a linear edge; None: layer norm.
        has_bias: some wiring has a bias there.
    """

    activation: Activation | None
    has_bias: bool = False


class Slots(NamedTuple):
    """The slots of a network, in order, and whether its read-out has a bias: static."""

    kinds: tuple[Slot, ...]
    readout_bias: bool


def slots_of(wiring: Wiring) -> tuple[Slots, np.ndarray]:
    """The slots of a pruned wiring all of whose activations are given, and its matrix, float64 [L + 1, L + 3].

    Raises:
        InputError: a batch of wirings.
    """
    if wiring.batch_shape:
        raise InputError("a network has one wiring, not a batch of them")
    parts = (wiring.weight_scale, wiring.bias_scale, wiring.gain, wiring.skip_gain)
    w, v, gain, skip_gain = (np.asarray(part, np.float64) for part in parts)
    into: list[list[tuple[int, Op, int]]] = [[] for _ in range(wiring.dag.num_nodes)]
    for op, edges in ((Op.LINEAR, wiring.linear_edges), (Op.SKIP, wiring.skip_edges)):
        for i, (s, t) in enumerate(edges):
            into[t].append((s, op, i))
    size = len(wiring.linear_edges) + len(wiring.layer_norm)
    nodes = np.zeros((wiring.dag.num_nodes, size + 1))
    nodes[0, 0] = 1
    matrix = np.zeros((size + 1, size + 3))
    kinds: list[Slot] = []
    for t, edges_into in enumerate(into):
        for s, op, i in sorted(edges_into):
            if op is Op.SKIP:
                nodes[t] += skip_gain[i] * nodes[s]
                continue
            matrix[len(kinds)] = [*nodes[s], w[i], v[i]]
            kinds.append(Slot(wiring.activations[i], bool(v[i])))
            nodes[t, len(kinds)] += gain[i]
        if t in wiring.layer_norm:
            matrix[len(kinds)] = [*nodes[t], 1, 0]
            kinds.append(Slot(None))
            nodes[t] = np.eye(size + 1)[len(kinds)]
    matrix[size] = [*nodes[-1], float(wiring.readout_weight_scale), float(wiring.readout_bias_scale)]
    return Slots(tuple(kinds), bool(matrix[size, -1])), matrix


def union_slots(found: list[Slots]) -> Slots:
    """The slots that serve all of these networks.

    Raises:
        InputError: a slot with one activation here and another there, or a layer norm.
    """
    longest = max((slots.kinds for slots in found), key=len)
    biased = [False] * len(longest)
    for slots in found:
        for i, kind in enumerate(slots.kinds):
            if kind.activation != longest[i].activation:
                raise InputError(
                    "wirings share a program where their linear edges and layer norms follow each other in the same"
                    f" order with the same activations, but number {i + 1} is {_named(longest[i])} in one and"
                    f" {_named(kind)} in another"
                )
            biased[i] |= kind.has_bias
    kinds = tuple(Slot(kind.activation, has) for kind, has in zip(longest, biased, strict=True))
    return Slots(kinds, any(slots.readout_bias for slots in found))


def widened(matrix: np.ndarray, slots: int) -> np.ndarray:
    """The matrix [L + 1, L + 3] with spare slots behind the L that there are, whose outputs go nowhere."""
    used = matrix.shape[0] - 1
    result = np.zeros((slots + 1, slots + 3))
    for rows in ((slice(used), slice(used)), (slice(used, None), slice(slots, None))):
        result[rows[1], : used + 1] = matrix[rows[0], : used + 1]
        result[rows[1], slots + 1 :] = matrix[rows[0], used + 1 :]
    return result


def _named(slot: Slot) -> str:
    return "layer norm" if slot.activation is None else f"an edge with {slot.activation.name}"
