"""The library's exact kernels against networks, a recursion over all pairs of nodes, and ball arithmetic."""

from __future__ import annotations

from fractions import Fraction

import jax.numpy as jnp
import numpy as np

from nngp_dag.activations import from_function
from nngp_dag.dag import Dag
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.reading import Setting
from verify import Context, Evidence, Finding, claim
from verify.claims._exact_networks import against_networks
from verify.papers import CONNECTIVITY
from verify.tools.literal import gaussian_integrals
from verify.tools.pair_recursion import exact_pair
from verify.tools.proofs import two_point_at
from verify.tools.settings import NNGP_SETTINGS
from verify.tools.spaces import complete_space, two_point_kernels

_SETTINGS = (
    Setting.make("exact", "activation-last", "gaussian"),
    Setting.make("exact", "activation-first", "gaussian-trained"),
    Setting.make("exact", "activation-last", "stem"),
)


def _pairs_of_nodes(setting: Setting) -> tuple[float, float]:
    """The largest relative differences of NNGP and NTK over all DAGs."""
    space = complete_space(4)
    ours = [two_point_kernels(space, setting, kernel) for kernel in ("nngp", "ntk")]
    worst = [0.0, 0.0]
    pairs = np.concatenate([[1.0], ours[0].rho])  # the first is the pair of an input with itself
    for i, name in enumerate(space.names):
        theirs = exact_pair(Dag.from_code(name), 1.0, pairs, 1.0, setting.order, setting.embedding)
        for kernel, (mine, values) in enumerate(zip(ours, theirs, strict=True)):
            found = np.concatenate([[mine.variance[i]], mine.covariance[i]])
            worst[kernel] = max(worst[kernel], float(np.abs(found - values).max() / values[0]))
    return worst[0], worst[1]


def _balls(setting: Setting, every: int) -> tuple[float, int]:
    """The largest relative distance of the library's NNGP from the ball that holds the true value."""
    space = complete_space(4)
    ours = two_point_kernels(space, setting)
    columns = [2, len(ours.rho) // 2, len(ours.rho) - 2]
    worst, cases = 0.0, 0
    for i in range(0, len(space.names), every):
        for column in columns:
            point = two_point_at(space.names[i], setting, Fraction(1 - float(ours.rho[column])))
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
    setting = Setting.make(order="activation-first", activation=from_function(lambda x: jnp.sin(x + 1), "sin(x + 1)"))
    codes = np.array([[0, 2, 2], [0, 2, 0]], dtype=np.int8)
    kernels = np.asarray(sweep_kernels(codes, rows, ("nngp",), setting).nngp)
    return Finding.agreement(
        float(np.abs(kernels - expected).max()),
        tolerance=1e-9,
        cases=kernels.size,
        setting=setting,
        label="a source that nothing reaches",
        detail="0_22 and 0_20 are one linear edge",
    )


@claim(
    "exact-recursion",
    title="The exact kernels are those of wide networks",
    paper=CONNECTIVITY,
    source="Eq. 1-2, in the limit of infinite width",
    statement="NNGP and NTK of wide networks, of any rows and as cross-kernels, are those of the recursion over the"
    " covariances and tangent kernels of all pairs of nodes, which the library's kernels equal.",
    latex=r"K_{tr} = \sum_{s \in A} K_{sr} + \sum_{l \in L} b_l S_r, \quad \Theta_{tt} = \sum_{s,s' \in A} \Theta_{ss'}"
    r" + \sum_{l \in L} [\dot f(K_{ll}) \Theta_{ll} + T_l]",
    expected="holds",
    settings={
        "DAGs": "all of four nodes by recursion and balls; four (ten in the full profile) by networks",
        "rows": "two unit rows; for networks four, of norms 0.7 to 1.3",
        "orders and embeddings": "all that apply",
        "activations": "relu; erf and gelu in networks",
    },
    fast=True,
    duration=6,
)
def check(context: Context) -> Evidence:
    """Both kernels by routes that share no code with the library's: networks, a recursion, balls."""
    total = len(complete_space(4).names)
    findings = []
    for setting in _SETTINGS:
        for kernel, error in zip(("NNGP", "NTK"), _pairs_of_nodes(setting), strict=True):
            findings.append(
                Finding.agreement(
                    error,
                    tolerance=1e-9,
                    cases=total,
                    setting=setting,
                    label=f"{kernel} against the recursion over pairs of nodes",
                    detail="relative to the diagonal",
                )
            )
    for setting in NNGP_SETTINGS:
        worst, cases = _balls(setting, context.pick(quick=4, full=1))
        findings.append(
            Finding.agreement(
                worst,
                tolerance=1e-11,
                cases=cases,
                setting=setting,
                label="NNGP against ball arithmetic",
                detail="relative to the diagonal",
            )
        )
    findings.append(_unreached())
    worst = max(reading.worst or 0.0 for reading in findings)
    networks, controls = against_networks(context)
    return Evidence(
        [*networks, *findings],
        summary=f"Networks of unequal rows have the library's NNGP and NTK and reject {len(controls)} others. NNGP and"
        f" NTK of {total} DAGs by the library, by a recursion over all pairs of nodes, and by ball arithmetic differ by"
        f" {worst:.1e} of the diagonal at most.",
        condition="none known: one of the routes is wrong",
        inside={"reading": "those that agree"},
        outside={"reading": "those that do not"},
        counterexample={"margin": worst, "confirmed": "by two routes"},
        controls=controls,
    )
