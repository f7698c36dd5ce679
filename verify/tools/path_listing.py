"""Paths of a DAG listed one by one, and Definition 4.1 of the list: nothing of the library's passes over the nodes."""

from __future__ import annotations

from fractions import Fraction

from nngp_dag.dag import Dag

__all__ = ["ListedValues", "definition_4_1", "path_depths"]

ListedValues = tuple[int, Fraction, Fraction]
"""The number of paths, effective depth and effective width."""


def path_depths(dag: Dag, node: int = 0) -> list[int]:
    """The number of linear edges of every path from a node to the output, one entry per path."""
    if node == dag.num_nodes - 1:
        return [0]
    found = []
    for t in range(node + 1, dag.num_nodes):
        op = int(dag.op(node, t))
        if op:
            found += [depth + (op == 2) for depth in path_depths(dag, t)]
    return found


def definition_4_1(depths: list[int]) -> ListedValues:
    """Paths, effective depth and effective width as Definition 4.1 has them, from the depths of all paths; both are 0
    where no path has a linear edge.
    """
    depth = Fraction(sum(depths), len(depths)) if depths else Fraction(0)
    width = Fraction(sum(d > 0 for d in depths)) / depth if depth else Fraction(0)
    return len(depths), depth, width
