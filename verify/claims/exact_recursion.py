"""The library's exact kernels against two other routes: a recursion over all pairs of nodes, and ball arithmetic."""

from __future__ import annotations

from fractions import Fraction

import jax.numpy as jnp
import numpy as np
from flint import fmpq

from nngp_dag.activations import from_function
from nngp_dag.dag import Dag
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.proofs import two_point
from nngp_dag.reading import Setting
from verify import Context, Evidence, Finding, claim
from verify.tools.literal import exact_two_point, gaussian_integrals
from verify.tools.spaces import READINGS, complete_space, two_point_kernels

_SETTINGS = (
    ("activation-last", "gaussian"),
    ("activation-first", "gaussian-trained"),
    ("activation-last", "stem"),
)


def _pairs_of_nodes(order: str, embedding: str) -> tuple[float, float]:
    """The largest relative differences of NNGP and NTK over all DAGs."""
    space = complete_space(4)
    reading = ("exact", order, embedding)
    nngp, ntk = (two_point_kernels(space, reading, kernel) for kernel in ("nngp", "ntk"))
    worst = [0.0, 0.0]
    for i, name in enumerate(space.names):
        dag = Dag.from_code(name).pruned()
        edges = [(s, t, int(op)) for s, t, op in dag.edges()]
        k, k_off, t, t_off = exact_two_point(edges, dag.num_nodes, nngp.rho, order == "activation-last", embedding)
        worst[0] = max(worst[0], abs(nngp.variance[i] / k - 1), np.abs(nngp.covariance[i] - k_off).max() / k)
        worst[1] = max(worst[1], abs(ntk.variance[i] / t - 1), np.abs(ntk.covariance[i] - t_off).max() / t)
    return worst[0], worst[1]


def _balls(reading: tuple[str, str, str], every: int) -> tuple[float, int]:
    """The largest relative distance of the library's NNGP from the ball that holds the true value."""
    space = complete_space(4)
    ours = two_point_kernels(space, reading)
    columns = [2, len(ours.rho) // 2, len(ours.rho) - 2]
    worst, cases = 0.0, 0
    for i in range(0, len(space.names), every):
        dag = Dag.from_code(space.names[i])
        for column in columns:
            v = Fraction(1 - float(ours.rho[column]))
            point = two_point(dag, fmpq(v.numerator, v.denominator), None, *reading)
            error = max(
                abs(float(point.variance) - ours.variance[i]), abs(float(point.covariance) - ours.covariance[i, column])
            )
            worst, cases = max(worst, error / float(point.variance)), cases + 1
    return worst, cases


def _unreached() -> Finding:
    """A linear edge out of a node that nothing reaches carries nothing, also where sigma(0) is not zero.

    The DAGs 0_22 and 0_20 (in the sweep over a space, where DAGs are not pruned) against f(K_0) by quadrature.
    """

    def sigma(x: np.ndarray) -> np.ndarray:
        return np.sin(x + 1)

    rho, rows = 0.6, np.array([[1.0, 0.0], [0.6, 0.8]])
    c = 1 / gaussian_integrals(sigma, 1, 1, 1)
    expected = c * np.array([[gaussian_integrals(sigma, 1, 1, r) for r in line] for line in ((1, rho), (rho, 1))])
    activation = from_function(lambda x: jnp.sin(x + 1), "sin(x + 1)")
    codes = np.array([[0, 2, 2], [0, 2, 0]], dtype=np.int8)
    setting = Setting.make(order="activation-first", activation=activation)
    kernels = np.asarray(sweep_kernels(codes, rows, ("nngp",), setting).nngp)
    return Finding.agreement(
        float(np.abs(kernels - expected).max()),
        tolerance=1e-9,
        cases=kernels.size,
        order="activation-first",
        embedding="gaussian",
        method="exact",
        activation=activation.name,
        label="a source that nothing reaches",
        detail="0_22 and 0_20 are one linear edge",
    )


@claim(
    "exact-recursion",
    title="The exact kernels are those of wide networks",
    source="Eq. 1-2, in the limit of infinite width",
    statement="The library's kernels equal the recursion over the covariances and tangent kernels of all pairs of"
    " nodes, and lie at the balls"
    " of interval arithmetic.",
    latex=r"K_{tr} = \sum_{s \in A} K_{sr} + \sum_{l \in L} b_l S_r, \quad \Theta_{tt} = \sum_{s,s' \in A} \Theta_{ss'}"
    r" + \sum_{l \in L} [\dot f(K_{ll}) \Theta_{ll} + T_l]",
    expected="holds",
    settings={"DAGs": "all of four nodes", "rows": "two unit rows", "orders and embeddings": "all that apply"},
    fast=True,
    duration=2,
)
def check(context: Context) -> Evidence:
    """Both kernels of all DAGs, by two routes that share no code with the library's."""
    total = len(complete_space(4).names)
    findings = []
    for order, embedding in _SETTINGS:
        for kernel, error in zip(("NNGP", "NTK"), _pairs_of_nodes(order, embedding), strict=True):
            findings.append(
                Finding.agreement(
                    float(error),
                    tolerance=1e-9,
                    cases=total,
                    order=order,
                    embedding=embedding,
                    method="exact",
                    label=f"{kernel} against the recursion over pairs of nodes",
                    detail="relative to the diagonal",
                )
            )
    for reading in READINGS:
        worst, cases = _balls(reading, context.pick(quick=4, full=1))
        method, order, embedding = reading
        findings.append(
            Finding.agreement(
                worst,
                tolerance=1e-11,
                cases=cases,
                order=order,
                embedding=embedding,
                method=method,
                label="NNGP against ball arithmetic",
                detail="relative to the diagonal",
            )
        )
    findings.append(_unreached())
    worst = max(reading.worst or 0.0 for reading in findings)
    return Evidence(
        findings,
        summary=f"NNGP and NTK of {total} DAGs by the library, by a recursion over all pairs of nodes, and by ball"
        f" arithmetic: they"
        f" differ by {worst:.1e} of the diagonal at most.",
        condition="none known: one of the routes is wrong",
        inside={"reading": "those that agree"},
        outside={"reading": "those that do not"},
        counterexample={"margin": worst, "confirmed": "by two routes"},
    )
