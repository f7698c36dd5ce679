"""The exact kernel of every node of a DAG: how the spectrum propagates."""

from __future__ import annotations

from typing import Any

import numpy as np

from nngp_dag.analysis.programs import exact_kernels
from nngp_dag.dag import Dag, num_edges
from nngp_dag.kernel.setting import Setting
from nngp_dag.spectrum import Spectrum, spectrum

__all__ = ["MAX_NODES", "node_dag", "node_kernels", "node_spectra"]

MAX_NODES = 24
"""Of a larger DAG so many nodes are looked at, evenly spread."""


def node_dag(dag: Dag, t: int) -> Dag:
    """A DAG of as many nodes whose output is a copy of node t: what enters node t, and one skip edge to the output.

    Its exact kernel is K_tt; for the output it is the DAG itself.
    """
    last = dag.num_nodes - 1
    if t == last:
        return dag
    ops = bytearray(dag.ops[: num_edges(last)]) + bytearray(last)
    ops[num_edges(last) + t] = 1
    return Dag(dag.num_nodes, bytes(ops))


def node_kernels(dag: Dag, x: Any, setting: Setting) -> dict[int, np.ndarray]:
    """The exact NNGP K_tt, [N, N], of every node t on a path from input to output, numbered as in `dag`.

    Args:
        dag: any DAG; of one with more than 24 nodes on paths, 24 are chosen evenly, ends included.
        x: rows [N, d].
        setting: order, embedding and activation (the method is exact).
    """
    names = np.flatnonzero(dag.reachable())
    if not names.size:
        return {}
    pruned = dag.pruned()
    chosen = np.unique(np.linspace(0, pruned.num_nodes - 1, min(pruned.num_nodes, MAX_NODES)).round().astype(int))
    dags = [node_dag(pruned, int(t)) for t in chosen]
    kernels = exact_kernels(dags, x, setting)
    return {int(names[t]): np.asarray(kernel.nngp) for t, kernel in zip(chosen, kernels, strict=True)}


def node_spectra(dag: Dag, x: Any, setting: Setting) -> dict[int, Spectrum]:
    """The spectrum of `node_kernels` at every node."""
    return {node: spectrum(kernel) for node, kernel in node_kernels(dag, x, setting).items()}
