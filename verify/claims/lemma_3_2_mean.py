"""The mean of Lemma 3.2, as Eq. 4 prints it: with the variance behind the layer, where it should be the one before
it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from nngp_dag.activations import ACTIVATIONS
from verify import Context, Control, Evidence, Finding, Table, Undecided, claim
from verify.papers import CONNECTIVITY
from verify.tools.dual_maps import mean_on
from verify.tools.literal import SIGMAS, gaussian_integrals, gaussian_mean

_TOLERANCE = 1e-9
_CASES = (("unit rows", 1.0), ("a node of two paths, K_ii = 2", 2.0))


_LEVEL = 0.9999

Candidate = Callable[[str, float], float]
"""The mean of a feature, by the name of the activation and the variance before the layer."""


def _normalisation(name: str) -> float:
    return 1 / gaussian_integrals(SIGMAS[name], 1, 1, 1)


def _true_mean(name: str, k: float) -> float:
    """E[sqrt(c) sigma(g)], g ~ N(0, k), by quadrature."""
    return float(np.sqrt(_normalisation(name))) * gaussian_mean(SIGMAS[name], k)


def _variance_behind(name: str, k: float) -> float:
    """f(k, k, k), by quadrature."""
    return _normalisation(name) * gaussian_integrals(SIGMAS[name], k, k, 1)


def _printed(name: str, k: float) -> float:
    """The formula of Eq. 4 as printed."""
    return _true_mean(name, _variance_behind(name, k))


def _without_root(name: str, k: float) -> float:
    """The mean with c for sqrt(c), c E[sigma(g)]: the constant of the covariance where its root belongs."""
    return float(np.sqrt(_normalisation(name))) * _true_mean(name, k)


def _networks(candidate: Candidate, weights: np.ndarray, label: str) -> Finding:
    """The finding that the mean over neurons of sqrt(c) sigma(W h) is the candidate's, for all activations and cases.

    Args:
        candidate: the mean that is tried.
        weights: standard normal numbers [width]: W h is Gaussian of variance K_ii, exactly.
        label: of the finding.
    """
    scores = []
    for name, sigma in SIGMAS.items():
        for _, k in _CASES:
            features = np.sqrt(_normalisation(name)) * sigma(np.sqrt(k) * weights)
            scores.append(abs(features.mean() - candidate(name, k)) / (features.std(ddof=1) / np.sqrt(len(weights))))
    limit, z = float(stats.norm.isf((1 - _LEVEL) / (2 * len(scores)))), float(max(scores))
    return Finding(
        z <= limit,
        order="activation-last",
        activation=None,
        label=label,
        cases=len(scores),
        confidence=_LEVEL,
        tolerance=limit,
        worst=z,
        detail=f"largest |z| of the mean over {len(weights):,} neurons; Bonferroni over activations and variances",
    )


def _controls(means: dict[tuple[str, float], float], weights: np.ndarray) -> list[Control]:
    """The mean that is right in place of the printed line, and others that are not."""
    before = "The mean of a feature is that of the variance before the layer, K^(l-1)"
    return [
        Control.keeps(f"{before}: the library's closed forms against quadrature.", _library(means, _true_mean)),
        Control.keeps(f"{before}: networks.", _networks(_true_mean, weights, "networks")),
        Control.rejects(
            "The mean is g of the layer's variance where K^(l-1)_ii = 2 too: networks.",
            _networks(_printed, weights, "networks"),
        ),
        Control.rejects(
            "The mean has c in place of sqrt(c), sqrt(2 k / pi) for ReLU: networks.",
            _networks(_without_root, weights, "networks"),
        ),
        Control.rejects(
            "The library's means have c in place of sqrt(c), sqrt(2 k / pi) for ReLU: quadrature.",
            _library(means, _without_root),
        ),
    ]


def _library(means: dict[tuple[str, float], float], candidate: Candidate) -> Finding:
    """The finding that the library's means, by activation and variance, are the candidate's."""
    return Finding.agreement(
        max(abs(value - candidate(*case)) for case, value in means.items()),
        tolerance=_TOLERANCE,
        cases=len(means),
        order="activation-last",
        activation=None,
        label="the library's means",
        detail="largest difference over activations and variances",
    )


def _means_of_library() -> dict[tuple[str, float], float]:
    variances = [k for _, k in _CASES]
    return {
        (name, k): float(value)
        for name, activation in ACTIVATIONS.items()
        for k, value in zip(variances, mean_on(activation, np.array(variances)), strict=True)
    }


@claim(
    "lemma-3.2-mean",
    title="The mean of a feature is g of the layer's variance, as printed",
    paper=CONNECTIVITY,
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
    """The printed formula against the mean by quadrature; the library's means and networks against the same."""
    findings, rows = [], []
    for name in ACTIVATIONS:
        for words, k in _CASES:
            true, printed = _true_mean(name, k), _printed(name, k)
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
            rows.append([name, k, _variance_behind(name, k), true, printed])
    findings.append(_activation_first(context))
    means = _means_of_library()
    library = _library(means, _true_mean)
    weights = context.rng().standard_normal(context.pick(quick=100_000, full=2_000_000))
    false = [reading for reading in findings if reading.holds is False]
    return Evidence(
        findings,
        summary=f"The library's means agree with quadrature to {library.worst:.1e}. The printed formula is right on"
        f" unit rows, and for any variance where"
        f" f(k, k, k) = k or the mean is zero; it is wrong in {len(false)} of {len(findings)} readings,"
        f" activation-first among them.",
        condition="The mean takes the variance before the layer, K^(l-1). The printed K^(l) gives the same where f(k,"
        " k, k) = k (homogeneous"
        " activations; k = 1 for all), or where sigma is odd and the mean zero. In activation-first the mean is zero,"
        " because W is.",
        inside={"activation": "relu", "variance": 1.0},
        outside={"activation": "gelu", "variance": 2.0, "mean": rows[7][3], "as printed": rows[7][4]},
        controls=_controls(means, weights),
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
    if z > 4:
        raise Undecided(f"activation-first: the mean of {width} coordinates is {z:.1f} standard errors from 0")
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
