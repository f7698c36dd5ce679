"""Eq. 2: the factor c keeps the mean square of the features at one, along a chain."""

from __future__ import annotations

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.paths import path_statistics
from nngp_dag.support.statistics import student_margin
from verify import Context, Control, Evidence, Finding, KeyValue, Table, claim
from verify.papers import CONNECTIVITY
from verify.tools.descent import LiteralNetworks
from verify.tools.literal import SIGMAS, gaussian_integrals
from verify.tools.pair_recursion import exact_pair
from verify.tools.spaces import complete_space

_CHAIN, _TWO_PATHS = "2_02_002", "2_02_012"
_CONFIDENCE = 0.999

_NAMES = ("relu", "erf", "tanh", "gelu")


def _second_moment(activation: str, variance: float = 1.0, centred: bool = False) -> float:
    """E[sigma(z)^2], z ~ N(0, variance), by the trapezoid rule on each side of zero; `centred`: less E[sigma(z)]^2."""
    z, step = np.linspace(0, 12, 200_001, retstep=True)
    weights = np.full_like(z, step)
    weights[[0, -1]] /= 2
    weights *= np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    sides = [SIGMAS[activation](sign * np.sqrt(variance) * z) for sign in (1, -1)]
    square, mean = (float(sum(weights @ of(side) for side in sides)) for of in (np.square, np.asarray))
    return square - mean**2 if centred else square


def _quadrature(activation: str, c: float, cases: int = 3) -> Finding:
    """The mean square after each of three edges of a chain: q -> c E[sigma(sqrt(q) z)^2] from q = 1."""
    q, worst = 1.0, 0.0
    for _ in range(cases):
        q = c * _second_moment(activation, q)
        worst = max(worst, abs(q - 1))
    return Finding.agreement(
        worst, tolerance=1e-8, cases=cases, activation=activation, method="quadrature", label="a chain"
    )


def _networks(activation: str, code: str, c: float, context: Context) -> Finding:
    """The mean of |h_H|^2 / m over random networks against one."""
    width, seeds = context.pick(quick=(128, 64), full=(512, 256))
    first = int(context.rng().integers(2**30))
    x = np.eye(1, 4)
    grams = LiteralNetworks([Dag.from_code(code)], x, width, range(first, first + seeds), activation, c).grams()
    squares = grams[0, :, 0, 0]
    error = squares.std(ddof=1) / np.sqrt(seeds)
    margin = float(student_margin(float(error), seeds - 1, _CONFIDENCE))
    return Finding(
        bool(abs(squares.mean() - 1) <= margin),
        activation=activation,
        order="activation-last",
        method="networks",
        label="a chain" if code == _CHAIN else code,
        cases=seeds,
        confidence=_CONFIDENCE,
        tolerance=margin,
        worst=float(abs(squares.mean() - 1)),
        detail=f"mean {squares.mean():.3f} +- {margin:.3f} over {seeds} networks of width {width}",
    )


def _every_dag(activation: str) -> tuple[Finding, Finding]:
    """K_HH(x, x) = 1 for every DAG of four nodes, and for those with one path alone."""
    dags = sorted({Dag.from_code(name).pruned() for name in complete_space(4).names}, key=Dag.to_code)
    paths = np.array([path_statistics(dag).num_paths for dag in dags])
    values = np.array(
        [float(exact_pair(dag, 1.0, 1.0, 1.0, "activation-last", "gaussian", activation)[0]) for dag in dags]
    )
    errors = np.abs(values - 1)
    away = int((errors[paths > 1] > 1e-6).sum())

    def finding(chosen: np.ndarray, label: str) -> Finding:
        return Finding.agreement(
            float(errors[chosen].max()),
            tolerance=1e-6,
            cases=int(chosen.sum()),
            activation=activation,
            order="activation-last",
            embedding="gaussian",
            method="exact",
            label=label,
            detail=f"{int((errors[chosen] > 1e-6).sum())} of {int(chosen.sum())} distinct DAGs of four nodes differ"
            f" from 1, {away} of the {int((paths > 1).sum())} with several paths; largest {values[chosen].max():.3g}",
        )

    return finding(paths > 0, "every DAG"), finding(paths == 1, "DAGs with one path")


@claim(
    "eq-2",
    title="The factor c normalises the features, along a chain",
    paper=CONNECTIVITY,
    source="Eq. 2",
    statement="With c = 1 / E[sigma(z)^2] the mean square of the features is one at initialisation, for unit rows.",
    latex=r"c_\sigma = \big(E_{z \sim N(0,1)}[\sigma(z)^2]\big)^{-1} \Rightarrow K^{(H)}_{ii} = 1",
    expected="holds-conditionally",
    settings={"activations": ", ".join(_NAMES), "DAGs": "a chain of three edges; all of four nodes"},
    duration=4,
)
def check(context: Context) -> Evidence:
    """A chain by quadrature and by networks, and every DAG of four nodes by the reference recursion."""
    # By panels of Gauss-Legendre in the plane; the chain is computed by another rule.
    c = {name: 1 / gaussian_integrals(SIGMAS[name], 1.0, 1.0, 1.0) for name in _NAMES}
    chains = [_quadrature(name, c[name]) for name in _NAMES]
    sampled = [_networks(name, _CHAIN, c[name], context) for name in ("relu", "erf")]
    every, single = _every_dag("relu")
    several = _networks("relu", _TWO_PATHS, c["relu"], context)
    centred = 1 / _second_moment("relu", centred=True)
    return Evidence(
        [*chains, *sampled, single, every, several],
        summary=f"Along a chain every node keeps the mean square 1 ({len(_NAMES)} activations, error"
        f" {max(found.worst or 0 for found in chains):.1g}), and so does every DAG with one path. Where paths meet the"
        f" sum has more: {every.detail}.",
        condition="One path from input to output, and rows of unit norm.",
        inside={"DAG": _CHAIN, "what": sampled[0].detail},
        outside={"DAG": _TWO_PATHS, "what": several.detail},
        counterexample={"margin": several.worst, "confirmed": "networks"},
        would_decide="more networks",
        controls=[
            Control.rejects("A chain with c = 1 (erf, quadrature).", _quadrature("erf", 1.0)),
            Control.rejects(
                "A chain with the second moment less the squared mean, c = 1 / Var(sigma(z)) (ReLU, networks).",
                _networks("relu", _CHAIN, centred, context),
            ),
            Control.rejects("A chain with c 1 % too large (GELU, quadrature).", _quadrature("gelu", 1.01 * c["gelu"])),
        ],
        tables=[
            Table(
                "c, and the mean square behind one edge for an input of mean square 1/2, 1 and 2",
                ["activation", "c", "1/2", "1", "2"],
                [[name, c[name], *(c[name] * _second_moment(name, q) for q in (0.5, 1.0, 2.0))] for name in _NAMES],
            )
        ],
        key_values={f"c, {name}": KeyValue(value, 1e-6) for name, value in c.items()},
        notes=[
            "Only for a homogeneous activation does an edge keep a mean square other than one: behind a node that sums"
            " paths, or for rows that are not of unit norm, erf, tanh and GELU change it (the table)."
        ],
    )
