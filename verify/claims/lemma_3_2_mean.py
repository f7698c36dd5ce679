"""The mean of Lemma 3.2, as Eq. 4 prints it: with the variance behind the layer, where it should be the one before
it.
"""

from __future__ import annotations

import numpy as np

from nngp_dag.activations import ACTIVATIONS
from verify import Context, Evidence, Finding, Table, claim
from verify.tools.dual_maps import mean_on
from verify.tools.literal import SIGMAS, gaussian_integrals

_TOLERANCE = 1e-9
_CASES = (("unit rows", 1.0), ("a node of two paths, K_ii = 2", 2.0))


def _true_mean(name: str, k: float) -> float:
    """E[sqrt(c) sigma(g)], g ~ N(0, k), by quadrature."""
    sigma = SIGMAS[name]
    c = 1 / gaussian_integrals(sigma, 1, 1, 1)
    # With g' = 1 constant the integral of sigma(g) g'^0 is a mean: take sigma' = 1 through a lifted activation.
    plus, minus = (
        gaussian_integrals(lambda x: sigma(x) + 1, k, k, 1),
        gaussian_integrals(lambda x: sigma(x) - 1, k, k, 1),
    )
    return float(np.sqrt(c) * (plus - minus) / 4)


@claim(
    "lemma-3.2-mean",
    title="The mean of a feature is g of the layer's variance, as printed",
    source="Lemma 3.2, last line of Eq. 4",
    statement="Behind a linear edge the mean of a feature is b = E[sqrt(c) sigma(sqrt(K^(l)) z)], with K^(l) the"
    " variance behind the layer.",
    latex=r"b^{(l)}_i = \int \mathcal{D}z \sqrt{c_\sigma}\, \sigma\big(\sqrt{K^{(l)}_{ii}}\, z\big)",
    expected="holds-conditionally",
    settings={"activations": "all", "variances before the layer": "1 and 2", "orders": "both"},
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """The printed formula against the mean by quadrature, and the library's beta against the same."""
    findings, rows, library = [], [], 0.0
    for name, activation in ACTIVATIONS.items():
        for words, k in _CASES:
            behind = gaussian_integrals(SIGMAS[name], k, k, 1) / gaussian_integrals(SIGMAS[name], 1, 1, 1)
            true, printed = _true_mean(name, k), _true_mean(name, behind)
            library = max(library, abs(float(mean_on(activation, np.array([k]))[0]) - true))
            findings.append(
                Finding.agreement(
                    abs(printed - true),
                    tolerance=_TOLERANCE,
                    cases=1,
                    order="activation-last",
                    activation=name,
                    label=words,
                    detail=f"mean {true:.6g}, as printed {printed:.6g}",
                )
            )
            rows.append([name, k, behind, true, printed])
    if library > _TOLERANCE:
        findings.append(
            Finding(False, label="the library's beta", cases=len(rows), tolerance=_TOLERANCE, worst=library)
        )
    first = _activation_first(context)
    findings.append(first)
    false = [reading for reading in findings if reading.holds is False]
    return Evidence(
        findings,
        summary=f"The library's means agree with quadrature to {library:.1e}. The printed formula is right on unit"
        f" rows, and for any variance where"
        f" f(k, k, k) = k or the mean is zero; it is wrong in {len(false)} of {len(findings)} readings,"
        f" activation-first among them.",
        condition="The mean takes the variance before the layer, K^(l-1). The printed K^(l) gives the same where f(k,"
        " k, k) = k (homogeneous"
        " activations; k = 1 for all), or where sigma is odd and the mean zero. In activation-first the mean is zero,"
        " because W is.",
        inside={"activation": "relu", "variance": 1.0},
        outside={"activation": "gelu", "variance": 2.0, "mean": rows[7][3], "as printed": rows[7][4]},
        tables=[
            Table(
                "Mean of a feature behind a linear edge",
                ["activation", "variance before", "variance behind", "mean", "as printed"],
                rows,
            )
        ],
    )


def _activation_first(context: Context) -> Finding:
    """The coordinate mean of W sigma(h): zero, whatever sigma."""
    rng, width = context.rng(), 4000
    h = np.maximum(rng.standard_normal(width), 0)
    features = np.sqrt(2 / width) * rng.standard_normal((width, width)) @ h
    z = abs(features.mean()) / (features.std(ddof=1) / np.sqrt(width))
    printed = abs(features.mean() - np.sqrt(1 / np.pi)) / (features.std(ddof=1) / np.sqrt(width))
    return Finding(
        bool(printed < 4),
        order="activation-first",
        label="networks",
        cases=width,
        confidence=0.9999,
        tolerance=4.0,
        worst=float(printed),
        detail=f"mean of {width} coordinates: {z:.1f} standard errors from 0, {printed:.0f} from the printed value",
    )
