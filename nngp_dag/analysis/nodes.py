"""The exact kernel of every node of a DAG: how the spectrum propagates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.analysis.programs import exact_kernels
from nngp_dag.dag import Dag, num_edges
from nngp_dag.kernel.recursion import MAX_UNROLLED
from nngp_dag.reading import Reading
from nngp_dag.spectrum import Spectrum, spectrum

__all__ = ["MAX_NODES", "node_dag", "node_kernels", "node_spectra"]

MAX_NODES = 24
"""Of a larger DAG so many nodes are looked at, evenly spread."""


def node_dag(dag: Dag, t: int, num_nodes: int | None = None) -> Dag:
    """A DAG whose output is a copy of node t: nodes 0..t as they are, then idle nodes, and one skip edge to the output.

    Its exact kernel is K_tt.

    Args:
        dag: any DAG.
        t: a node.
        num_nodes: number of nodes of the result, at least t + 2; by default that of `dag`, and for the output of `dag`
            then the DAG itself.
    """
    n = num_nodes or dag.num_nodes
    if num_nodes is None and t == dag.num_nodes - 1:
        return dag
    ops = bytearray(dag.ops[: num_edges(t + 1)]).ljust(num_edges(n), b"\0")
    ops[num_edges(n - 1) + t] = 1
    return Dag(n, bytes(ops))


def node_kernels(dag: Dag, x: ArrayLike, reading: Reading) -> dict[int, np.ndarray]:
    """The exact NNGP K_tt, [N, N], of every node t on a path from input to output, numbered as in `dag`.

    Args:
        dag: any DAG; of one with more than 24 nodes on paths, 24 are chosen evenly, ends included.
        x: rows [N, d].
        reading: one that has an exact kernel.
    """
    names = np.flatnonzero(dag.reachable())
    if not names.size:
        return {}
    pruned = dag.pruned()
    chosen = np.unique(np.linspace(0, pruned.num_nodes - 1, min(pruned.num_nodes, MAX_NODES)).round().astype(int))
    if pruned.num_nodes <= MAX_UNROLLED:  # the program of the DAG itself serves all its nodes
        kernels = exact_kernels([node_dag(pruned, int(t)) for t in chosen], x, reading)
    else:  # sizes in powers of two: few compilations, and early nodes do not pay for late ones
        dags = [node_dag(pruned, int(t), max(MAX_UNROLLED, 1 << (int(t) + 1).bit_length())) for t in chosen]
        kernels = exact_kernels(dags, x, reading, ntk=False)
    return {int(names[t]): np.asarray(kernel.nngp) for t, kernel in zip(chosen, kernels, strict=True)}


def node_spectra(dag: Dag, x: ArrayLike, reading: Reading) -> dict[int, Spectrum]:
    """The spectrum of `node_kernels` at every node."""
    return {node: spectrum(kernel) for node, kernel in node_kernels(dag, x, reading).items()}
