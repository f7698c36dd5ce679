"""Exact distribution of path totals over a whole space of genotypes, up to 10^17 cells, without listing them.

Later nodes may choose any earlier node, so all that matters of a partial cell is the multiset of its nodes' path
totals (P, S, n_0) and the number of its parameterised operations. Those classes number a few hundred; each carries
its exact multiplicity, and the cells are counted node by node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement

import numpy as np

from nngp_dag.dag import Op
from nngp_dag.errors import InputError
from nngp_dag.spaces.shape import PathTotals, ShapeTable

__all__ = ["GenotypeRules", "count_shapes"]

_Totals = tuple[int, int, int]  # paths P, their length S, and the paths n_0 without a parameterised operation
_Node = tuple[_Totals, bool]  # and whether a later node uses it

_INPUT: _Totals = (1, 0, 1)
_NOTHING: _Totals = (0, 0, 0)


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
    """How many cells have each path totals and number of parameterised operations, exactly."""
    states: dict[tuple[int, tuple[_Node, ...]], int] = {(0, ()): 1}
    finished: dict[tuple[int, int, int, int], int] = defaultdict(int)
    for i in range(rules.nodes):
        grown: dict[tuple[int, tuple[_Node, ...]], int] = defaultdict(int)
        last = i == rules.nodes - 1
        for (linear, nodes), multiplicity in states.items():
            for rest, value, added, ways in _choices(rules, nodes, last):
                if last:
                    finished[(*_output(rest, value), linear + added)] += multiplicity * ways
                else:
                    grown[linear + added, tuple(sorted((*rest, (value, False))))] += multiplicity * ways
        states = grown
    rows = np.array(list(finished), dtype=np.int64)
    totals = PathTotals(rows[:, 0], rows[:, 1], rows[:, 0] - rows[:, 2])
    return ShapeTable.count(totals, rows[:, 3], np.array(list(finished.values()), dtype=object))


def _choices(
    rules: GenotypeRules, nodes: tuple[_Node, ...], last: bool
) -> Iterator[tuple[tuple[_Node, ...], _Totals, int, int]]:
    """Every choice of a node's edges: (the other nodes after it, its totals, its linear operations, in how many
    ways).
    """
    totals = [_INPUT, _INPUT, *(node[0] for node in nodes)]
    ops = [op for op in Op if rules.operations[op]]
    for a, b in combinations_with_replacement(range(len(totals)), 2):
        if a == b and rules.distinct:
            continue
        orders = 1 if a == b or rules.distinct else 2
        used = {a - 2, b - 2} if rules.loose_ends else set()
        rest = tuple(sorted((total, flag or j in used) for j, (total, flag) in enumerate(nodes))) if used else nodes
        for first in ops:
            for second in ops:
                ways = orders * rules.operations[first] * rules.operations[second]
                if a == b and rules.overwrite:
                    value = _apply(totals[b], second)
                else:
                    value = _add(_apply(totals[a], first), _apply(totals[b], second))
                if last and rules.last_is_output:
                    # The skip of a node that the last node's own edge replaces is taken away again.
                    for j in {a, b} - {0, 1}:
                        value = _add(value, totals[j], -1)
                yield rest, value, (first == Op.LINEAR) + (second == Op.LINEAR), ways


def _output(rest: tuple[_Node, ...], value: _Totals) -> _Totals:
    for total, used in rest:
        if not used:
            value = _add(value, total)
    return value


def _apply(totals: _Totals, op: Op) -> _Totals:
    if op == Op.ZERO:
        return _NOTHING
    paths, length, _ = totals
    return totals if op == Op.SKIP else (paths, length + paths, 0)


def _add(a: _Totals, b: _Totals, sign: int = 1) -> _Totals:
    return (a[0] + sign * b[0], a[1] + sign * b[1], a[2] + sign * b[2])
