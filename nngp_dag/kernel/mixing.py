"""Mixing of a DAG's random features: skip-path counts, the only thing about skip edges that a kernel sees.

Every node t adds fresh features of its own: what its linear edges bring, of centred covariance
D_t = sum_{l in L_t} (f(K_ll) - b_l b_l') and mean m_t = sum_{l in L_t} b_l (D_0, m_0 are the embedding's). Skip edges
only copy and add, so the features of node t are the sum over u <= t of alpha_tu times the fresh features of u, where
alpha_tu is the number of skip paths from u to t. Fresh features of different nodes are independent given their means,
so that

    S_t  = sum_u alpha_tu m_u,        K_tt = sum_u alpha_tu^2 D_u + S_t S_t',        Theta_tt = sum_u alpha_tu^2 E_u,

with E_u = sum_{l in L_u} (fdot(K_ll) Theta_ll + T_l). This solves the node-to-node recursion of the exact kernel:
C_st = K_st - S_s S_t' = sum_u alpha_su alpha_tu D_u satisfies C_tr = sum_{s in A} C_sr. The paper's recursion (Eq.
6-11) has alpha_tu where this has its square, and no means: it treats alpha copies of one feature as alpha independent
ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nngp_dag.dag import num_edges, num_nodes_of

if TYPE_CHECKING:
    from jax import Array

__all__ = ["Mixing", "mixing", "received"]


class Mixing(NamedTuple):
    """The inputs of a node, as weights over the earlier nodes (arrays [..., t], or [..., n] padded with zeros).

    Attributes:
        skip_paths: alpha_tu, the number of skip paths from u to t.
        linear: 1 where the edge (u, t) is linear and u can be reached from the input, else 0.
    """

    skip_paths: np.ndarray | Array
    linear: np.ndarray | Array

    def weights(self, correlated: bool) -> np.ndarray | Array:
        """The weights of D and E of earlier nodes: alpha^2, as copies of one feature, or alpha, as independent ones."""
        return self.skip_paths**2 if correlated else self.skip_paths


def mixing(codes: np.ndarray) -> list[Mixing]:
    """The weights of nodes 1..H of many DAGs of equal node count.

    Args:
        codes: flat codes, integers [A, E].

    Returns:
        for t = 1..H a `Mixing` of float64 arrays [A, t]. Counts are exact up to 2^53 and rounded beyond; infinite
        where they overflow.
    """
    num_codes, num_nodes = codes.shape[0], num_nodes_of(codes.shape[1])
    result: list[Mixing] = []
    sources: dict[int, np.ndarray] = {}  # alpha_tu for u = 0..t, with alpha_tt = 1, of nodes that some DAG skips from
    skipped = _skipped_from(codes)
    reached = np.zeros((num_codes, num_nodes), dtype=bool)
    reached[:, 0] = True
    for t in range(num_nodes):
        ops = codes[:, num_edges(t) : num_edges(t + 1)]
        skip_paths = np.zeros((num_codes, t))
        for s in np.flatnonzero((ops == 1).any(axis=0)).tolist():  # edges that no DAG skips add nothing
            skip_paths[:, : s + 1] += sources[s] * (ops[:, s, None] == 1)
        if t in skipped:
            sources[t] = np.concatenate([skip_paths, np.ones((num_codes, 1))], axis=1)
        if t:
            result.append(Mixing(skip_paths, ((ops == 2) & reached[:, :t]).astype(np.float64)))
            reached[:, t] = ((ops > 0) & reached[:, :t]).any(axis=1)
    return result


def _skipped_from(codes: np.ndarray) -> set[int]:
    """The nodes from which a skip edge of some code leads on."""
    edges = np.flatnonzero((codes == 1).any(axis=0))
    targets = ((1 + np.sqrt(1 + 8 * edges)) // 2).astype(int)  # edge t (t - 1) / 2 + s, s < t
    return set((edges - targets * (targets - 1) // 2).tolist())


def received(nodes: list[Mixing], correlated: bool) -> list[Mixing]:
    """The weights over D_0, E_0 and over what earlier nodes send, V and W, of what nodes 1..H receive in all.

    Since D_u = sum_l lin_ul V_l, with w = alpha^2 (`correlated`) or alpha

        K_tt - S_t S_t' = sum_{u < t} w_tu D_u + D_t
                        = w_t0 D_0 + sum_{l < t} (lin_tl + sum_{l < u < t} w_tu lin_ul) V_l,

    and Theta_tt is the same sum of E_0 and W: nothing needs to be kept of what nodes receive.

    Args:
        nodes: as `mixing` gives them, arrays [A, t].
        correlated: copies of one feature; else independent ones.

    Returns:
        for t = 1..H a `Mixing` of arrays [A, 1] and [A, t].
    """
    found = []
    for t, into in enumerate(nodes, start=1):
        weights = np.asarray(into.weights(correlated))
        through = np.array(into.linear)
        for u in range(1, t):
            linear = np.asarray(nodes[u - 1].linear)
            through[:, :u] += np.where(linear != 0, linear * weights[:, u, None], 0.0)
        found.append(Mixing(weights[:, :1], through))
    return found
