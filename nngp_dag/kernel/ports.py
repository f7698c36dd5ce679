"""The ports of a wiring's nodes, and the factors of its linear edges.

With activation-last an edge (l, t) of gain g, weight scale w and bias scale v takes from node l, Q = w^2 K_ll + v^2,

    V = f(Q) - beta(Q) beta(Q)',  b = beta(Q),  W = fdot(Q) (w^2 (Theta_ll + K_ll) + v^2) = fdot(Q) (w^2 Theta_ll + Q),

and adds g b to m_t, g^2 V to D_t, g^2 W to E_t. Edges of one node with equal sigma, w and v share a port. Where sigma
is homogeneous and v = 0, f(w^2 K) = w^2 f(K): w goes into the factors, and Q = K. With activation-first the port is
f(K_ll), fdot(K_ll) Theta_ll + f(K_ll) whatever w and v are: the factor is g^2 w^2, and g^2 v^2 is received besides.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.errors import InputError
from nngp_dag.kernel.into import Layout, Port
from nngp_dag.kernel.method import Numbers
from nngp_dag.reading import Order
from nngp_dag.support.known import equals_everywhere, is_known
from nngp_dag.wiring import Wiring

__all__ = ["WiredEdges", "edge_variances", "wired_edges"]


@dataclass(frozen=True)
class WiredEdges:
    """The linear edges of a wiring, in code order.

    Attributes:
        layout: the ports of nodes 0..H-1.
        port: of each edge the place of its port among all ports, nodes in order.
        scale_of: of each port an edge with its weight and bias scale.
        mean, power: what m, and what D and E are multiplied by on the way, [..., L].
        constant: what D and E receive besides, [..., L]; None: nothing.
    """

    layout: Layout
    port: tuple[int, ...]
    scale_of: tuple[int, ...]
    mean: Numbers
    power: Numbers
    constant: Numbers | None


def wired_edges(wiring: Wiring, order: Order) -> WiredEdges:
    """The ports of a wiring all of whose activations are given."""
    w, v, g = wiring.weight_scale, wiring.bias_scale, wiring.gain
    first, linear = order == "activation-first", wiring.linear_edges
    folded = [first or _folds(wiring, i) for i in range(len(linear))]
    ports: list[list[Port]] = [[] for _ in range(wiring.dag.num_nodes - 1)]
    keys: list[dict[Hashable, int]] = [{} for _ in ports]
    examples: list[list[int]] = [[] for _ in ports]
    place: list[tuple[int, int]] = []
    for i, (s, _) in enumerate(linear):
        sigma = wiring.activations[i]
        if sigma is None:
            raise InputError("an edge without an activation of its own needs the reading's")
        scaled = not (folded[i] or (_equals(w, i, 1) and _equals(v, i, 0)))
        key = (sigma, (_column(w, i), _column(v, i)) if scaled else None)
        if key not in keys[s]:
            keys[s][key] = len(ports[s])
            ports[s].append(Port.of(order, sigma, scaled))
            examples[s].append(i)
        place.append((s, keys[s][key]))
    start = np.cumsum([0, *map(len, ports)])
    inside = np.array(folded, bool)
    factor: Numbers = w if inside.all() else _where(inside, w)
    return WiredEdges(
        tuple(map(tuple, ports)),
        tuple(int(start[s]) + j for s, j in place),
        tuple(i for found in examples for i in found),
        mean=g * jnp.abs(factor) if isinstance(factor, jax.Array) else g * np.abs(factor),
        power=(g * factor) ** 2,
        constant=(g * v) ** 2 if first and not equals_everywhere(v, 0) else None,
    )


def edge_variances(wiring: Wiring, order: str, k: Array) -> list[tuple[Activation, Array]]:
    """Of each linear edge its activation, and the variances to which it is applied: Q(x, x), for K_tt(x, x) = k [T, N]
    (of a batch [..., N], with its axes).
    """
    found = []
    for i, ((s, _), sigma) in enumerate(zip(wiring.linear_edges, wiring.activations, strict=True)):
        assert sigma is not None
        w, v = (jnp.asarray(a[..., i, None], k.dtype) for a in (wiring.weight_scale, wiring.bias_scale))
        found.append((sigma, k[..., s, :] if order == "activation-first" else w**2 * k[..., s, :] + v**2))
    return found


def _folds(wiring: Wiring, i: int) -> bool:
    sigma = wiring.activations[i]
    return sigma is not None and sigma.is_homogeneous and _equals(wiring.bias_scale, i, 0)


def _equals(values: Numbers, i: int, number: float) -> bool:
    """The value of edge i is known to be this number, in every wiring of a batch."""
    return equals_everywhere(values[..., i], number)


def _column(values: Numbers, i: int) -> Hashable:
    """A key of the values of edge i: equal keys, equal values."""
    return np.asarray(values[..., i]).tobytes() if is_known(values) else ("edge", i)


def _where(inside: np.ndarray, w: Numbers) -> Numbers:
    return np.where(inside, w, 1.0) if isinstance(w, np.ndarray) else jnp.where(inside, w, jnp.ones_like(w))
