"""Finite networks written out from Eq. 1-2 in NumPy, with gradients by hand: nothing here uses the library's networks.

A network has m neurons at every node. Node 0 is h_0 = G x (gaussian, gaussian-trained) or sqrt(c) sigma(G x) (stem); a
linear edge is sqrt(c) sigma(W h / sqrt(m)) (activation-last) or sqrt(c / m) W sigma(h) (activation-first); a node is
the sum of its edges; the output is u = a.h_H / sqrt(m). All weights are N(0, 1). The empirical NNGP of rows x is
h_H h_H' / m, and the empirical NTK the sum over all weights of du(x_i)/dW du(x_j)/dW.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from nngp_dag.dag import Dag, Op
from verify.tools.literal import SIGMAS, gaussian_integrals

__all__ = ["SLOPES", "Empirical", "empirical_kernels"]

_NORMAL = np.sqrt(2 * np.pi)

SLOPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: (x > 0).astype(x.dtype),
    "erf": lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2)),
    "gelu": lambda x: special.ndtr(x) + x * np.exp(-(x**2) / 2) / _NORMAL,
}
"""Derivatives of the activations."""


@dataclass(frozen=True)
class Empirical:
    """Kernels of independent networks, [n, N, N] each."""

    nngp: np.ndarray
    ntk: np.ndarray


@dataclass(frozen=True)
class _Edge:
    """One linear edge of all networks: what the backward pass needs of it.

    Attributes:
        tail, head: its nodes.
        weights: W' [n, m, m].
        inputs: what multiplies W', scaled: the product needs no further factor [n, N, m].
        slope: sqrt(c) sigma' at the product (activation-last) or at the tail (activation-first) [n, N, m].
    """

    tail: int
    head: int
    weights: np.ndarray
    inputs: np.ndarray
    slope: np.ndarray


def empirical_kernels(
    dag: Dag,
    x: np.ndarray,
    order: str,
    embedding: str,
    activation: str,
    *,
    width: int,
    networks: int,
    rng: np.random.Generator,
) -> Empirical:
    """The empirical kernels of `networks` independent networks of a DAG on rows x [N, d].

    Args:
        dag: a DAG with a path from input to output.
        x: rows, of any norms.
        order: activation-last or activation-first.
        embedding: gaussian, gaussian-trained or stem.
        activation: a name in `SLOPES`.
        width: m.
        networks: n.
        rng: where weights come from.
    """
    dag, last = dag.pruned(), order == "activation-last"
    sigma, slope = SIGMAS[activation], SLOPES[activation]
    root = np.sqrt(1 / gaussian_integrals(sigma, 1, 1, 1))
    x = np.asarray(x, np.float32)
    embedded = x @ rng.standard_normal((networks, x.shape[1], width), np.float32)
    nodes, edges = [root * sigma(embedded) if embedding == "stem" else embedded], []
    for t in range(1, dag.num_nodes):
        node = np.zeros_like(nodes[0])
        for s in range(t):
            if dag.op(s, t) is Op.SKIP:
                node = node + nodes[s]
            elif dag.op(s, t) is Op.LINEAR:
                weights = rng.standard_normal((networks, width, width), np.float32)
                inputs = (nodes[s] if last else root * sigma(nodes[s])) / np.sqrt(np.float32(width))
                product = inputs @ weights
                node = node + (root * sigma(product) if last else product)
                edges.append(_Edge(s, t, weights, inputs, root * slope(product if last else nodes[s])))
        nodes.append(node)
    nngp = _gram(nodes[-1]) / width
    readout = rng.standard_normal((networks, 1, width), np.float32) / np.sqrt(np.float32(width))
    gradients = _gradients(dag, edges, readout + np.zeros_like(nodes[0]), last)
    ntk = nngp + sum(_gram(edge.inputs) * _gram(_at_product(edge, gradients[edge.head], last)) for edge in edges)
    if embedding != "gaussian":
        at_embedding = gradients[0] * (root * slope(embedded) if embedding == "stem" else 1)
        ntk = ntk + _gram(at_embedding) * (x @ x.T)
    return Empirical(nngp.astype(np.float64), ntk.astype(np.float64))


def _gradients(dag: Dag, edges: list[_Edge], at_output: np.ndarray, last: bool) -> list[np.ndarray]:
    """du/dh_t for every node t, [n, N, m] each, from that of the output node."""
    top = dag.num_nodes - 1
    gradients = [np.zeros_like(at_output) for _ in range(top)] + [at_output]
    width = np.sqrt(np.float32(at_output.shape[-1]))
    for s in range(top - 1, -1, -1):
        for t in range(s + 1, top + 1):
            if dag.op(s, t) is Op.SKIP:
                gradients[s] = gradients[s] + gradients[t]
        for edge in edges:
            if edge.tail == s:
                back = _at_product(edge, gradients[edge.head], last) @ np.swapaxes(edge.weights, 1, 2) / width
                gradients[s] = gradients[s] + (back if last else back * edge.slope)
    return gradients


def _at_product(edge: _Edge, at_head: np.ndarray, last: bool) -> np.ndarray:
    """du/d(inputs W'), given du/dh at the head of the edge."""
    return at_head * edge.slope if last else at_head


def _gram(h: np.ndarray) -> np.ndarray:
    """The inner products of rows, [n, N, m] to [n, N, N]."""
    return h @ np.swapaxes(h, 1, 2)
