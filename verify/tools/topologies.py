"""Every DAG of linear edges on a few vertices whose vertices all lie on paths from the input to the output."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from nngp_dag.dag import Dag

__all__ = ["all_topologies"]


def all_topologies(hidden: int) -> Iterator[Dag]:
    """The DAGs with `hidden` vertices beside input and output, each labelled one once."""
    last = hidden + 1
    into = [list(_subsets(t)) for t in range(1, last + 1)]
    for chosen in product(*into):
        if set().union(*chosen) == set(range(last)):  # every vertex but the output has an edge out of it
            yield Dag.from_edges({(s, t): "linear" for t, sources in enumerate(chosen, 1) for s in sources}, last + 1)


def _subsets(t: int) -> Iterator[tuple[int, ...]]:
    """The sets of vertices before t that are not empty."""
    for bits in range(1, 2**t):
        yield tuple(s for s in range(t) if bits >> s & 1)
