"""Lemma 3.2 (Eq. 4): f, c and C of every activation, by four routes."""

from __future__ import annotations

import jax
import numpy as np
from scipy import stats

from nngp_dag.activations import ACTIVATIONS, Activation
from verify import Context, Control, Evidence, Finding, KeyValue, claim
from verify.papers import CONNECTIVITY
from verify.tools.dual_maps import dual_on_pairs, pair_grid
from verify.tools.literal import SIGMAS, gaussian_integrals

_VARIANCES = (0.25, 1.0, 2.5)
_CORRELATIONS = (-1.0, -0.7, 0.0, 0.3, 0.9, 0.999, 1.0)
_SAMPLED = ((1.0, 1.0, -0.8), (1.0, 1.0, 0.5), (0.5, 2.0, 0.0), (2.0, 1.5, 0.95))
"""K(x, x), K(x', x') and the correlation of the pairs that networks see."""

_LEVEL = 0.9999


def _against_quadrature(activation: Activation, pairs: np.ndarray, ours: np.ndarray, ours_c: float) -> Finding:
    """Values of f [P] and of c against the integral of Eq. 4."""
    sigma = SIGMAS[activation.name]
    own = {k: gaussian_integrals(sigma, k, k, 1) for k in _VARIANCES}
    c = 1 / own[1.0]
    integrals = np.array([gaussian_integrals(sigma, *pair) for pair in pairs])
    scale = c * np.sqrt([own[kxx] * own[kyy] for kxx, kyy, _ in pairs])
    return Finding.agreement(
        max(float(np.max(np.abs(ours - c * integrals) / scale)), abs(ours_c / c - 1)),
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


def _against_networks(activation: Activation, expected: np.ndarray, weights: np.ndarray) -> Finding:
    """One linear edge (code 2) on pairs of rows (`_SAMPLED`), its pre-activations W x exactly Gaussian.

    Args:
        activation: sigma; c by quadrature.
        expected: K_12 of each pair.
        weights: W, two entries for each neuron [width, 2].
    """
    sigma, width = SIGMAS[activation.name], len(weights)
    c = 1 / gaussian_integrals(sigma, 1, 1, 1)
    z_scores = []
    for (kxx, kyy, rho), value in zip(_SAMPLED, expected, strict=True):
        rows = np.array([[np.sqrt(kxx), np.sqrt(kyy) * rho], [0.0, np.sqrt(kyy * (1 - rho**2))]])
        h = sigma(weights @ rows)
        products = c * h[:, 0] * h[:, 1]
        z_scores.append(abs(products.mean() - value) / (products.std(ddof=1) / np.sqrt(width)))
    z = float(max(z_scores))
    limit = float(stats.norm.isf((1 - _LEVEL) / (2 * len(ACTIVATIONS) * len(_SAMPLED))))
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


def _controls(grid: np.ndarray, values: dict[str, np.ndarray], weights: np.ndarray) -> list[Control]:
    """Neighbouring formulas, by both routes: what Eq. 4 is not.

    Args:
        grid: the pairs of the quadrature (kxx, kyy, rho) [P, 3]; those that networks see follow them in `values`.
        values: f by the name of the activation, [P + S].
        weights: of the networks.
    """
    relu, erf = ACTIVATIONS["relu"], ACTIVATIONS["erf"]
    kxx, kyy, rho = np.concatenate([grid, _SAMPLED]).T
    degree_zero = np.sqrt(kxx * kyy) * (np.pi - np.arccos(rho)) / np.pi
    centred = np.pi / (np.pi - 1)  # 1 / Var[relu(z)] = 2 pi / (pi - 1), where c = 2
    n, c = len(grid), relu.normalization
    zero = "f of ReLU is the arc-cosine kernel of degree 0 times the square roots of the variances"
    variance = "c of ReLU is 1 / Var[sigma(z)]"
    return [
        Control.rejects(f"{zero}.", _against_quadrature(relu, grid, degree_zero[:n], c)),
        Control.rejects(f"{zero} (networks).", _against_networks(relu, degree_zero[n:], weights)),
        Control.rejects(f"{variance}.", _against_quadrature(relu, grid, centred * values["relu"][:n], centred * c)),
        Control.rejects(f"{variance} (networks).", _against_networks(relu, centred * values["relu"][n:], weights)),
        Control.rejects(
            "f of ReLU is f of leaky ReLU with slope 0.01.",
            _against_quadrature(relu, grid, values["leaky_relu"][:n], c),
        ),
        Control.rejects(
            "A linear edge with erf keeps the covariance (networks).",
            _against_networks(erf, (np.sqrt(kxx * kyy) * rho)[n:], weights),
        ),
    ]


@claim(
    "lemma-3.2",
    title="A linear edge maps K to f(K)",
    paper=CONNECTIVITY,
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
    width = context.pick(quick=100_000, full=4_000_000)
    weights = context.rng().standard_normal((width, 2))
    pairs = np.concatenate([grid, _SAMPLED])
    values = {name: dual_on_pairs(activation, pairs) for name, activation in ACTIVATIONS.items()}
    findings: list[Finding] = []
    for name, activation in ACTIVATIONS.items():
        ours, expected = values[name][: len(grid)], values[name][len(grid) :]
        findings.append(_against_quadrature(activation, grid, ours, activation.normalization))
        if (reading := _against_neural_tangents(activation, grid, ours)) is not None:
            findings.append(reading)
        findings.append(_against_networks(activation, expected, weights))
    worst = max(r.worst or 0 for r in findings if "quadrature" in r.label)
    return Evidence(
        findings,
        summary=f"{len(ACTIVATIONS)} activations on {len(grid)} pairs: the largest error against quadrature is"
        f" {worst:.1e}; also"
        f" against neural-tangents, and within {_LEVEL:.2%} confidence of networks of {width:,} neurons.",
        controls=_controls(grid, values, weights),
        key_values={
            f"c of {name}": KeyValue(activation.normalization, 1e-9) for name, activation in ACTIVATIONS.items()
        },
    )
