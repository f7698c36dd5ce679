"""The kernels against slow literal transcriptions of their definitions, over every reading and over whole spaces."""

import numpy as np
import pytest
from helpers import assert_close

from nngp_dag import Dag, enumerate_codes
from nngp_dag.dag import Op
from nngp_dag.kernel import pair_kernel
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.paths import path_counts
from nngp_dag.reading import EMBEDDINGS, ORDERS, Setting
from verify.tools.dual_formulas import DUALS
from verify.tools.pair_recursion import exact_gram, exact_pair

READINGS = [
    (order, embedding)
    for order in ORDERS
    for embedding in EMBEDDINGS
    if not (embedding == "stem" and order == "activation-first")
]
PAIRS = np.array([[1.0, 0.3, 1.0], [0.5, -0.6, 1.7], [1.2, 1.1, 1.05], [1.0, -1.0, 1.0], [2.0, 0.0, 0.3]])
"""Pairs of inputs (K_in(x, x), K_in(x, x'), K_in(x', x')): unequal norms, opposite and orthogonal rows among them."""


CASES = [
    pytest.param(
        activation,
        order,
        embedding,
        # Each compiles programs of its own. Means of an activation enter by the stem and after linear edges alike.
        marks=() if activation == "relu" or (order, embedding) == ("activation-last", "stem") else pytest.mark.full,
    )
    for activation in ["relu", "leaky_relu", "erf", "gelu", "sin", "identity"]
    for order, embedding in READINGS
]


@pytest.mark.parametrize(("activation", "order", "embedding"), CASES)
def test_exact_is_the_node_to_node_recursion(activation, order, embedding):
    # The reference's GELU is Gauss-Hermite quadrature, which is accurate at small variances only.
    kxx, kxy, kyy = PAIRS.T / 10 if activation == "gelu" else PAIRS.T
    reason = "Gauss-Hermite quadrature of the reference's GELU near rho = 1"
    loose = {"tolerance": 1e-8, "reason": reason} if activation == "gelu" else {}
    # Programs are traced, so that DAGs of one node count share a compilation.
    for code in ["2_21_112", "1_11_121"] + ["2_12_221_1222"] * (activation == "relu"):
        dag = Dag.from_code(code)
        kernel = pair_kernel(dag, kxx, kxy, kyy, order=order, embedding=embedding, activation=activation)
        nngp, ntk = exact_pair(dag, kxx, kxy, kyy, order, embedding, activation)
        assert_close(kernel.nngp, nngp, **loose)
        assert_close(kernel.ntk, ntk, **loose)


@pytest.mark.parametrize(
    ("order", "embedding"),
    [
        pytest.param(*reading, marks=() if "gaussian-trained" in reading else pytest.mark.full)
        for reading in READINGS  # the others are compared on single DAGs above
    ],
)
def test_all_four_node_dags_equal_the_node_to_node_recursion(order, embedding):
    x = np.random.default_rng(0).normal(size=(4, 3)) / np.sqrt(3)
    codes = enumerate_codes(4)
    kernels = sweep_kernels(codes, x, setting=Setting.make(order=order, embedding=embedding))
    grams = [exact_gram(Dag.from_array(code), x, x, order, embedding) for code in codes]
    reason = "arccos of a rounded correlation, at the diagonal of the reference's fdot"
    assert_close(kernels.nngp, np.array([nngp for nngp, _ in grams]))
    assert_close(kernels.ntk, np.array([ntk for _, ntk in grams]), tolerance=2e-8, reason=reason)


def independent_literally(dag, k00, th00, duals, last):
    """Eq. 6-11: K_t = sum_A K_s + sum_L f(K_s); k00 is [2, 2, pairs] over the two inputs."""
    dag = dag.pruned()
    covariance, tangent = [k00], [th00]
    for t in range(1, dag.num_nodes):
        k, th = np.zeros_like(k00), np.zeros_like(k00)
        for s in range(t):
            if dag.op(s, t) is Op.SKIP:
                k, th = k + covariance[s], th + tangent[s]
            elif dag.op(s, t) is Op.LINEAR:
                f, fdot = propagated(duals, covariance[s])
                k, th = k + f, th + fdot * tangent[s] + (fdot * covariance[s] if last else f)
        covariance.append(k)
        tangent.append(th)
    return covariance[-1][0, 1], (covariance[-1] + tangent[-1])[0, 1]


def path_sum_literally(dag, k00, th00, duals, last):
    """Eq. 12: sums over paths of the d-fold composition of f, one path at a time."""
    k, th, nngp, ntk = k00, th00, 0.0, 0.0
    for d, count in enumerate(path_counts(dag)):
        if d:
            f, fdot = propagated(duals, k)
            k, th = f, fdot * th + (fdot * k if last else f)
        for _ in range(count):
            nngp, ntk = nngp + k[0, 1], ntk + (k + th)[0, 1]
    return nngp, ntk


def propagated(duals, k):
    return tuple(
        np.array([[dual(k[u, u], k[u, v], k[v, v]) for v in (0, 1)] for u in (0, 1)]) for dual in (duals.f, duals.fdot)
    )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "embedding", [pytest.param(name, marks=pytest.mark.full) if name == "gaussian" else name for name in EMBEDDINGS]
)
@pytest.mark.parametrize("activation", ["erf"])
@pytest.mark.parametrize(
    ("method", "literally"), [("independent", independent_literally), ("path-sum", path_sum_literally)]
)
def test_the_papers_rules_are_what_the_paper_says(method, literally, order, embedding, activation):
    duals = DUALS[activation]
    kxx, kxy, kyy = PAIRS.T
    k_in = np.array([[kxx, kxy], [kxy, kyy]])
    f, fdot = propagated(duals, k_in)
    k00, th00 = {
        "gaussian": (k_in, np.zeros_like(k_in)),
        "gaussian-trained": (k_in, k_in),
        "stem": (f, fdot * k_in),
    }[embedding]
    for code in ["2_02_002", "1_01_222", "2_21_112", "1_12_212", "0_12_021"]:
        dag = Dag.from_code(code)
        kernel = pair_kernel(dag, kxx, kxy, kyy, method=method, order=order, embedding=embedding, activation=activation)
        nngp, ntk = literally(dag, k00, th00, duals, order == "activation-last")
        assert_close(kernel.nngp, nngp)
        assert_close(kernel.ntk, ntk)


def test_the_difference_to_eq_8_is_six_over_pi():
    """DAG#2, activation-last, unit rows: exact - independent = 6 / pi, whatever the angle."""
    rho = np.linspace(-1, 1, 41)
    exact, paper = (pair_kernel(Dag.from_code("1_01_222"), 1, rho, 1, method=m).nngp for m in ("exact", "independent"))
    assert_close(exact - paper, np.full(41, 6 / np.pi))
