"""Where the methods coincide, by theory, and that they differ everywhere else: all 729 DAGs of four nodes.

On the pruned DAG let alpha_tu be the number of skip paths from u to t, and let t be *used* where it is the output or
has a linear edge out of it. With c_t = sum_u alpha_tu |L_u| the number of means that meet at t (plus alpha_t0 for a
stem):

- *independent* = *exact* under activation-first exactly when alpha_tu <= 1 for every used t and every u that receives
  features (the input, and nodes with a linear edge into them): no features meet their own copies.
- *independent* = *exact* under activation-last (ReLU, whose means are not zero) exactly when moreover c_t <= 1 for
  every used t: no two means meet. For an odd activation the second condition falls away.
- *path-sum* = *independent* for a homogeneous activation exactly when all paths from the input to a node with a linear
  edge out of it have the same depth (f(P k) = P f(k), but f is strictly convex in the correlation); for others exactly
  when there is only one path to such a node.
"""

import numpy as np
import pytest

from nngp_dag import Dag, enumerate_codes
from nngp_dag.dag import Op
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.paths import path_counts
from nngp_dag.reading import Reading, Setting

CODES = enumerate_codes(4)
X = np.array([[1.0, 0.0], [0.6, 0.8], [-0.8, 0.6], [0.28, 0.96]])
"""Unit rows at several angles: unequal kernels differ in some entry."""


def structure(dag):
    """Counts alpha [t][u], receiving nodes, used nodes, and linear in-degrees of a pruned DAG."""
    n = dag.num_nodes
    alpha = np.eye(n, dtype=int)
    for t in range(n):
        for s in range(t):
            if dag.op(s, t) is Op.SKIP:
                alpha[t] += alpha[s]
    incoming = [sum(dag.op(s, t) is Op.LINEAR for s in range(t)) for t in range(n)]
    receives = [u for u in range(n) if u == 0 or incoming[u]]
    used = [t for t in range(n) if t == n - 1 or any(dag.op(t, v) is Op.LINEAR for v in range(t + 1, n))]
    return alpha, receives, used, incoming


def copies_meet(dag):
    alpha, receives, used, _ = structure(dag)
    return any(alpha[t, u] > 1 for t in used for u in receives)


def means_meet(dag, stem):
    alpha, _, used, incoming = structure(dag)
    means = np.array(incoming) + np.eye(dag.num_nodes, dtype=int)[0] * stem
    return any(alpha[t] @ means > 1 for t in used)


def depths_meet(dag, homogeneous):
    """True where paths of several depths (or several paths at all) lead to a node with a linear edge out of it."""
    _, _, used, _ = structure(dag)
    for t in (t for t in used if t < dag.num_nodes - 1 or t == 0):
        up_to = Dag(t + 1, dag.ops[: t * (t + 1) // 2]) if t else None
        counts = path_counts(up_to) if up_to else (1,)
        if np.count_nonzero(counts) > 1 or (not homogeneous and sum(counts) > 1):
            return True
    return False


def agreement(first, second):
    return [
        np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(np.asarray(first), np.asarray(second), strict=True)
    ]


def check(theory, first, second):
    pruned = [Dag.from_array(code).pruned() for code in CODES]
    expected = [not any(dag.ops) or theory(dag) for dag in pruned]
    assert 0 < sum(expected) < len(expected)
    for name in ("nngp", "ntk"):
        agree = agreement(getattr(first, name), getattr(second, name))
        wrong = [str(Dag.from_array(c)) for c, a, e in zip(CODES, agree, expected, strict=True) if a != e]
        assert not wrong, f"{name}: theory and numbers differ for {wrong[:5]} ({len(wrong)} DAGs)"


@pytest.mark.parametrize(
    ("order", "embedding", "activation"),
    [
        ("activation-first", "gaussian", "relu"),
        pytest.param("activation-first", "gaussian-trained", "relu", marks=pytest.mark.full),
        pytest.param("activation-last", "gaussian", "relu", marks=pytest.mark.full),
        ("activation-last", "stem", "relu"),
        ("activation-last", "gaussian", "erf"),
    ],
)
def test_independent_is_exact_where_no_copies_and_no_means_meet(order, embedding, activation):
    reading = Reading.make(order, embedding, activation)
    with_means = order == "activation-last" and activation == "relu"
    check(
        lambda dag: not copies_meet(dag) and not (with_means and means_meet(dag, embedding == "stem")),
        sweep_kernels(CODES, X, setting=Setting("exact", reading)),
        sweep_kernels(CODES, X, setting=Setting("independent", reading)),
    )


@pytest.mark.parametrize(("activation", "homogeneous"), [("relu", True), ("erf", False)])
def test_path_sum_is_independent_where_no_depths_meet(activation, homogeneous):
    check(
        lambda dag: not depths_meet(dag, homogeneous),
        sweep_kernels(CODES, X, setting=Setting.make("independent", activation=activation)),
        sweep_kernels(CODES, X, setting=Setting.make("path-sum", activation=activation)),
    )
