"""Where a DAG's structure makes the approximations differ from the exact kernel: which features meet which, and where.

On the pruned DAG let alpha_tu be the number of skip paths from u to t (see `nngp_dag.kernel.mixing`) and L_u the linear
edges into u. Node t is *used* where it is the output or a linear edge leaves it: nothing reads the kernel of any other
node. Three things can happen at a used node, each with the methods that get it wrong:

- *copies* meet: alpha_tu > 1 for a node u that receives features. They are alpha equal copies, of variance alpha^2,
  where *independent* adds alpha independent ones.
- *means* meet: sum_u alpha_tu |L_u| > 1, the input counted once more after a stem. Features that end in an activation
  with a mean b contribute b b' for every pair of them, which *independent* drops. Only under activation-last.
- *depths* meet: paths of several depths lead to a node that a linear edge leaves. f(K_a + K_b) is not f(K_a) + f(K_b),
  because f is strictly convex in the correlation, but *path-sum* takes it so. For an activation that is not homogeneous
  any two paths suffice. For a linear activation f(K) = K, and nothing is lost.

For the built-in activations *independent* is exact precisely where no copies and no means meet; *path-sum* equals
*independent* precisely where no depths meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nngp_dag.activations import Activation
from nngp_dag.dag import Dag, Op
from nngp_dag.kernel.mixing import mixing
from nngp_dag.paths import path_counts
from nngp_dag.reading import Reading

__all__ = ["Meeting", "has_mean", "is_linear", "meetings"]

Kind = Literal["copies", "means", "depths"]


@dataclass(frozen=True)
class Meeting:
    """Features that meet at a node, against an assumption.

    Attributes:
        kind: copies, means or depths (see the module).
        node: where, numbered as in the DAG that was asked about.
        source: for copies, the node whose feature is copied.
        count: number of copies, of means, or of paths to the node.
        depths: for depths, numbers of linear edges on the paths to the node.
    """

    kind: Kind
    node: int
    count: int
    source: int | None = None
    depths: tuple[int, ...] = ()


def has_mean(activation: Activation) -> bool:
    """True where a feature that ends in the activation has a mean: beta(1) is not zero."""
    import jax.numpy as jnp

    return abs(float(activation.mean(jnp.asarray(1.0)))) > 1e-6  # odd activations by quadrature have a rounded zero


def is_linear(activation: Activation) -> bool:
    """True where sigma is a multiple of the identity: of its dual map, a power series in rho with coefficients that are
    not negative and sum to 1, only f(rho) = rho has f(1/2) = 1/2 without a mean.
    """
    import jax.numpy as jnp

    one = activation.prepare(jnp.asarray(1.0))
    return not has_mean(activation) and abs(float(activation.dual(one, one, jnp.asarray(0.5))) - 0.5) < 1e-6


def meetings(dag: Dag, reading: Reading) -> tuple[Meeting, ...]:
    """Everything that meets in a DAG against an assumption of *independent* or *path-sum*, by node.

    Args:
        dag: any DAG; empty for one without a path.
        reading: of its activation the mean and the homogeneity matter.
    """
    names = np.flatnonzero(dag.reachable())
    if not names.size:
        return ()
    pruned = dag.pruned()
    n = pruned.num_nodes
    rows = [np.eye(n)[0]]
    linear_into = [0]
    for t, into in enumerate(mixing(pruned.to_array()[None]), start=1):
        rows.append(np.concatenate([into.skip_paths[0], [1.0], np.zeros(n - t - 1)]))
        linear_into.append(int(into.linear[0].sum()))
    tails = {s for s, _, op in pruned.edges() if op is Op.LINEAR}
    with_means = reading.order == "activation-last" and has_mean(reading.activation)
    adds_up = is_linear(reading.activation)
    means = np.array(linear_into) + np.eye(n, dtype=int)[0] * (reading.embedding == "stem")
    found: list[Meeting] = []
    for t in range(n):
        if t != n - 1 and t not in tails:
            continue
        alpha, node = rows[t], int(names[t])
        for u in range(t):
            if alpha[u] > 1 and (u == 0 or linear_into[u]):
                found.append(Meeting("copies", node, int(alpha[u]), source=int(names[u])))
        met = int(alpha @ means)
        if with_means and met > 1:
            found.append(Meeting("means", node, met))
        if t in tails and t > 0 and not adds_up:
            counts = path_counts(_up_to(pruned, t))
            depths = tuple(d for d, count in enumerate(counts) if count)
            if len(depths) > 1 or (not reading.activation.is_homogeneous and sum(counts) > 1):
                found.append(Meeting("depths", node, sum(counts), depths=depths))
    return tuple(found)


def _up_to(dag: Dag, t: int) -> Dag:
    """The DAG of nodes 0..t, with t as its output."""
    return Dag(t + 1, dag.ops[: t * (t + 1) // 2])
