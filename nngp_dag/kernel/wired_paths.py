"""The paper's simplified rule (Eq. 12) for wirings, where it has a meaning: one activation on all edges, no layer norm.

- Scales are folded into paths where sigma is homogeneous and there are no biases: f(g^2 w^2 K) = g^2 w^2 f(K), and a
  path weighs the product of its squared gains and weight scales.
- They stay in the chain where all edges have the same w and v, and all gains are 1: k_d = f(w^2 k_{d-1} + v^2) for
  activation-last, w^2 f(k_{d-1}) + v^2 for activation-first, and a path weighs 1.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from nngp_dag.activations import Activation
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.method import Numbers
from nngp_dag.paths import path_counts
from nngp_dag.support.known import equals_everywhere, is_known
from nngp_dag.wiring import Wiring

__all__ = ["WiredPaths", "path_weights", "single_activation", "wired_paths"]


class WiredPaths(NamedTuple):
    """The program of *path-sum* for a wiring.

    Attributes:
        weights: what the paths with d linear edges weigh together, [D + 1], or at every node [T, D + 1].
        weight, bias: w^2 and v^2 of a step of the chain.
        readout_weight, readout_bias: w_out^2 and v_out^2.
    """

    weights: Numbers
    weight: Numbers
    bias: Numbers
    readout_weight: Numbers
    readout_bias: Numbers


def single_activation(wiring: Wiring) -> Activation | None:
    """The one activation of all linear edges; None where there is no edge.

    Raises:
        InputError: several.
    """
    found = {sigma for sigma in wiring.activations if sigma is not None}
    if len(found) > 1:
        raise InputError(
            f"path-sum has one map f for all edges, and this wiring has {len(found)} activations: use method exact or"
            " independent"
        )
    return next(iter(found), None)


def wired_paths(wiring: Wiring, at_nodes: bool = False) -> WiredPaths:
    """The program of a pruned wiring whose activations are given, at its output or at every node.

    Raises:
        InputError: layer norm, several activations, or scales and gains for which Eq. 12 has no form.
    """
    if wiring.layer_norm:
        raise InputError("path-sum has no formula for layer norm: use method exact or independent")
    sigma, w, v, g, a = (
        single_activation(wiring),
        wiring.weight_scale,
        wiring.bias_scale,
        wiring.gain,
        wiring.skip_gain,
    )
    readout = wiring.readout_weight_scale**2, wiring.readout_bias_scale**2
    one, zero = np.ones(()), np.zeros(())
    if sigma is None or (sigma.is_homogeneous and equals_everywhere(v, 0)):
        return WiredPaths(path_weights(wiring.dag, (g * w) ** 2, a**2, at_nodes), one, zero, *readout)
    uniform = all(is_known(values) and np.ptp(np.asarray(values), axis=-1).max() == 0 for values in (w, v))
    if uniform and equals_everywhere(g, 1) and equals_everywhere(a, 1):
        counts = path_weights(wiring.dag, np.ones(g.shape[-1]), np.ones(a.shape[-1]), at_nodes)
        return WiredPaths(counts, w[..., 0] ** 2, v[..., 0] ** 2, *readout)
    raise InputError(
        "path-sum has a formula for a homogeneous activation without biases, or for the same known weight and bias"
        " scale on all edges and gains of 1: use method exact or independent"
    )


def path_weights(dag: Dag, linear: Numbers, skip: Numbers, at_nodes: bool) -> Numbers:
    """Sums over the paths with d linear edges of products of what edges weigh, d = 0..D.

    Args:
        dag: a pruned DAG.
        linear: of the linear edges in code order, [L].
        skip: of the skip edges, [S].
        at_nodes: of the paths from node 0 to every node, [T, D + 1]; else to the output, [D + 1].
    """
    module = np if isinstance(linear, np.ndarray) and isinstance(skip, np.ndarray) else jnp
    depth = max(len(path_counts(dag)), 1)
    factors = {"linear": iter(range(linear.shape[-1])), "skip": iter(range(skip.shape[-1]))}
    first = module.zeros(depth) if module is np else module.zeros(depth, linear.dtype)
    first = np.eye(1, depth)[0] if module is np else first.at[0].set(1)
    sums = [first]
    incoming: list[list[tuple[int, str, int]]] = [[] for _ in range(dag.num_nodes)]
    for s, t, op in dag.edges():
        kind = op.name.lower()
        incoming[t].append((s, kind, next(factors[kind])))
    for t in range(1, dag.num_nodes):
        total = module.zeros_like(first)
        for s, kind, i in incoming[t]:
            if kind == "skip":
                total = total + skip[..., i, None] * sums[s]
            else:
                shifted = module.concatenate([module.zeros_like(sums[s][..., :1]), sums[s][..., :-1]], axis=-1)
                total = total + linear[..., i, None] * shifted
        sums.append(total)
    weights: Numbers = module.stack(sums) if at_nodes else sums[-1]
    return weights
