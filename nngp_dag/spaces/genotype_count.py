"""Exact distribution of path totals over a whole space of genotypes, up to 10^17 cells, without listing them.

Later nodes may choose any earlier node, so all that matters of a partial cell is the multiset of its nodes' path
totals (P, S, n_0) and the number of its parameterised operations. Those classes number a few hundred; each carries
its exact multiplicity, and the cells are counted node by node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations_with_replacement, product

import numpy as np

from nngp_dag.dag import Op
from nngp_dag.errors import InputError
from nngp_dag.spaces.shape import PathTotals, ShapeTable

__all__ = ["GenotypeRules", "count_shapes"]

_Totals = tuple[int, int, int]  # paths P, their length S, and the paths n_0 without a parameterised operation
_Node = tuple[_Totals, bool]  # and whether a later node uses it

_State = tuple[int, tuple[_Node, ...]]  # linear operations so far, and the nodes, sorted

_INPUT: _Totals = (1, 0, 1)


@dataclass(frozen=True)
class GenotypeRules:
    """A space of two-input cells by class of operation.

    Attributes:
        nodes: number of nodes of a cell.
        operations: number of zero, skip and linear operations that an edge may carry.
        distinct: the two predecessors differ, in no order; otherwise both are chosen independently, in order.
        loose_ends: only unused nodes lead to the output; otherwise all do.
        overwrite: of two edges between the same nodes only the second counts, as in an adjacency matrix.
        last_is_output: the last node is the output itself: every other node leads to it by a skip, which an edge of the
            last node's own replaces. (What a seven-row adjacency matrix makes of a five-node cell.)
    """

    nodes: int
    operations: tuple[int, ...]
    distinct: bool = False
    loose_ends: bool = False
    overwrite: bool = False
    last_is_output: bool = False

    def __post_init__(self) -> None:
        if self.nodes < 1 or len(self.operations) != 3 or sum(self.operations) < 1:
            raise InputError("rules need at least one node and the number of zero, skip and linear operations")


@cache
def count_shapes(rules: GenotypeRules) -> ShapeTable:
    """The exact numbers of cells with each path totals and number of parameterised operations."""
    zero, skip, linear = rules.operations
    if zero == 0 and (skip, linear) != (1, 1):
        # Without zeros the number of linear edges says how many cells a class of operations stands for.
        table = count_shapes(replace(rules, operations=(0, min(skip, 1), min(linear, 1))))
        edges = 2 * rules.nodes
        weights = [linear ** int(k) * skip ** (edges - int(k)) for k in table.parameterised]
        return ShapeTable(table.totals, table.parameterised, table.multiplicity * np.array(weights, dtype=object))
    states: dict[_State, int] = {(0, ()): 1}
    for _ in range(rules.nodes - 1):
        grown: dict[_State, int] = defaultdict(int)
        for (linear, nodes), multiplicity in states.items():
            totals = [_INPUT, _INPUT, *(node[0] for node in nodes)]
            for a, b, first, second, ways in _choices(rules, len(totals)):
                value = _add(_apply(totals[a], first, a == b and rules.overwrite), _apply(totals[b], second))
                used = {a - 2, b - 2} if rules.loose_ends else set()
                rest = [(total, flag or j in used) for j, (total, flag) in enumerate(nodes)]
                added = (first == Op.LINEAR) + (second == Op.LINEAR)
                grown[linear + added, tuple(sorted([*rest, (value, False)]))] += multiplicity * ways
        states = grown
    return _finish(rules, states)


def _choices(rules: GenotypeRules, earlier: int) -> Iterator[tuple[int, int, Op, Op, int]]:
    """Every choice of a node's two edges among earlier nodes: (predecessors, operations, in how many ways)."""
    ops = [op for op in Op if rules.operations[op]]
    for a, b in combinations_with_replacement(range(earlier), 2):
        if a == b and rules.distinct:
            continue
        orders = 1 if a == b or rules.distinct else 2
        for first, second in product(ops, ops):
            yield a, b, first, second, orders * rules.operations[first] * rules.operations[second]


def _finish(rules: GenotypeRules, states: Mapping[_State, int]) -> ShapeTable:
    """Choose the last node's edges for all states at once, and add up what leads to the output."""
    inner = rules.nodes - 1
    linear = np.array([state[0] for state in states], dtype=np.int64)
    multiplicity = np.array(list(states.values()), dtype=np.int64)
    totals = np.array([[_INPUT, _INPUT, *(node[0] for node in state[1])] for state in states], dtype=np.int64)
    unused = np.array([[not node[1] for node in state[1]] for state in states], dtype=np.int64).reshape(-1, inner)
    rows, ways = [], []
    for a, b, first, second, number in _choices(rules, inner + 2):
        leads = unused.copy()
        if rules.loose_ends or rules.last_is_output:
            # A node that the last one uses is no loose end; its skip to the output is replaced by the last node's edge.
            leads[:, [v - 2 for v in {a, b} - {0, 1}]] = 0
        value = np.einsum("snk,sn->sk", totals[:, 2:], leads) + _applied(totals[:, b], second)
        if not (a == b and rules.overwrite):
            value += _applied(totals[:, a], first)
        added = (first == Op.LINEAR) + (second == Op.LINEAR)
        rows.append(np.column_stack([value, linear + added]))
        ways.append(multiplicity * number)
    found = np.concatenate(rows)
    shape = PathTotals(found[:, 0], found[:, 1], found[:, 0] - found[:, 2])
    return ShapeTable.count(shape, found[:, 3], np.concatenate(ways))


def _applied(totals: np.ndarray, op: Op) -> np.ndarray:
    """`_apply` for many nodes, [S, 3]."""
    paths, length, inactive = totals.T
    if op == Op.ZERO:
        return np.zeros_like(totals)
    return totals.copy() if op == Op.SKIP else np.stack([paths, length + paths, np.zeros_like(inactive)], axis=1)


def _apply(totals: _Totals, op: Op, replaced: bool = False) -> _Totals:
    """Path totals after an edge; nothing where another edge replaces it."""
    if op == Op.ZERO or replaced:
        return (0, 0, 0)
    paths, length, _ = totals
    return totals if op == Op.SKIP else (paths, length + paths, 0)


def _add(a: _Totals, b: _Totals) -> _Totals:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])
