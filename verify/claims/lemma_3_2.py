"""Lemma 3.2 (Eq. 4): f, c and C of every activation, by four routes."""

from __future__ import annotations

import jax
import numpy as np
from scipy import stats

from nngp_dag.activations import ACTIVATIONS, Activation
from verify import Context, Evidence, Finding, KeyValue, claim
from verify.tools.dual_maps import dual_on_pairs, pair_grid
from verify.tools.literal import SIGMAS, gaussian_integrals

_VARIANCES = (0.25, 1.0, 2.5)
_CORRELATIONS = (-1.0, -0.7, 0.0, 0.3, 0.9, 0.999, 1.0)
_SAMPLED = (-0.8, 0.0, 0.5, 0.95)
_LEVEL = 0.99


def _against_quadrature(activation: Activation, pairs: np.ndarray, ours: np.ndarray) -> Finding:
    sigma = SIGMAS[activation.name]
    own = {k: gaussian_integrals(sigma, k, k, 1) for k in _VARIANCES}
    c = 1 / own[1.0]
    integrals = np.array([gaussian_integrals(sigma, *pair) for pair in pairs])
    scale = c * np.sqrt([own[kxx] * own[kyy] for kxx, kyy, _ in pairs])
    return Finding.agreement(
        max(float(np.max(np.abs(ours - c * integrals) / scale)), abs(activation.normalization / c - 1)),
        tolerance=1e-8,
        cases=len(pairs) + 1,
        activation=activation.name,
        label="against quadrature of Eq. 4",
        detail="f and c, relative to the variances behind the layer",
    )


def _against_neural_tangents(activation: Activation, pairs: np.ndarray, ours: np.ndarray) -> Finding | None:
    from nngp_dag.support.neural_tangents_compat import neural_tangents

    stax = neural_tangents.stax
    layers = {
        "relu": stax.Relu(),
        "leaky_relu": stax.LeakyRelu(0.01),
        "erf": stax.Erf(),
        "gelu": stax.Gelu(),
        "sin": stax.Sin(),
        "identity": stax.Identity(),
    }
    if activation.name not in layers:
        return None
    kernel = stax.serial(stax.Dense(1, 1.0, 0.0), layers[activation.name])[2]
    kxx, kyy, rho = pairs.T
    x = np.stack([np.sqrt(kxx), np.zeros_like(kxx)], axis=-1) * np.sqrt(2)  # Dense divides by the input dimension
    y = np.sqrt(kyy)[:, None] * np.stack([rho, np.sqrt(1 - rho**2)], axis=-1) * np.sqrt(2)
    theirs = activation.normalization * np.diag(np.asarray(jax.jit(lambda x, y: kernel(x, y, "nngp"))(x, y)))
    return Finding.agreement(
        float(np.max(np.abs(ours - theirs) / np.sqrt(kxx * kyy))),
        tolerance=1e-9,
        cases=len(pairs),
        activation=activation.name,
        label="against neural-tangents",
        detail="f, relative to the variances",
    )


def _against_random_features(
    activation: Activation, expected: np.ndarray, rng: np.random.Generator, width: int, tests: int
) -> Finding:
    """One linear edge (code 2) with `width` neurons on two unit rows: its pre-activations are exactly Gaussian."""
    z_scores = []
    for rho, value in zip(_SAMPLED, expected, strict=True):
        w = rng.standard_normal((width, 2))
        h = SIGMAS[activation.name](w @ np.array([[1.0, rho], [0.0, np.sqrt(1 - rho**2)]]))
        products = h[:, 0] * h[:, 1] * activation.normalization
        z_scores.append(abs(products.mean() - value) / (products.std(ddof=1) / np.sqrt(width)))
    z = float(max(z_scores))
    limit = float(stats.norm.isf((1 - _LEVEL) / (2 * tests * len(_SAMPLED))))
    return Finding(
        z <= limit,
        activation=activation.name,
        label="against Monte-Carlo networks",
        cases=len(_SAMPLED),
        confidence=_LEVEL,
        tolerance=limit,
        worst=z,
        detail=f"largest |z| of K_12 of a layer of {width:,} neurons; Bonferroni over all activations",
    )


@claim(
    "lemma-3.2",
    title="A linear edge maps K to f(K)",
    source="Lemma 3.2, Eq. 4",
    statement="Behind a linear edge the covariance is K_ij' = c E[sigma(g) sigma(g')] for Gaussian pre-activations of"
    " covariance K, "
    "with c = 1 / E[sigma(z)^2].",
    latex=r"K'_{ij} = \int \mathcal{D}z_1 \mathcal{D}z_2\, c_\sigma\, \sigma(\sqrt{K_{ii}} z_1)\,"
    r" \sigma(\sqrt{K_{jj}} (C_{ij} z_1 + \sqrt{1 - C_{ij}^2} z_2))",
    expected="holds",
    settings={"activations": "all", "variances": "0.25 to 2.5", "correlations": "-1 to 1, both included"},
    fast=True,
    duration=2,
)
def check(context: Context) -> Evidence:
    """Closed forms against quadrature, against neural-tangents, and against networks of one layer."""
    grid = pair_grid(_VARIANCES, _CORRELATIONS)
    sampled = np.array([[1.0, 1.0, rho] for rho in _SAMPLED])
    rng, width = context.rng(), context.pick(quick=100_000, full=4_000_000)
    findings: list[Finding] = []
    for activation in ACTIVATIONS.values():
        values = dual_on_pairs(activation, np.concatenate([grid, sampled]))
        ours, expected = values[: len(grid)], values[len(grid) :]
        findings.append(_against_quadrature(activation, grid, ours))
        if (reading := _against_neural_tangents(activation, grid, ours)) is not None:
            findings.append(reading)
        findings.append(_against_random_features(activation, expected, rng, width, len(ACTIVATIONS)))
    worst = max(r.worst or 0 for r in findings if "quadrature" in r.label)
    return Evidence(
        findings,
        summary=f"{len(ACTIVATIONS)} activations on {len(grid)} pairs: the largest error against quadrature is"
        f" {worst:.1e}; also"
        f" against neural-tangents, and within {_LEVEL:.0%} confidence of networks of {width:,} neurons.",
        key_values={
            f"c of {name}": KeyValue(activation.normalization, 1e-9) for name, activation in ACTIVATIONS.items()
        },
    )
