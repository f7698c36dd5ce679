"""Remark 3.4: centred normalised inputs have K^(0)_ii = 1."""

from __future__ import annotations

import numpy as np

from nngp_dag.activations import ACTIVATIONS
from nngp_dag.dag import Dag
from nngp_dag.kernel.functions import pair_kernel_of
from nngp_dag.reading import Setting
from verify import Context, Control, Evidence, Finding, KeyValue, claim
from verify.papers import CONNECTIVITY
from verify.tools.literal import SIGMAS, gaussian_integrals, gaussian_mean

_CHAIN = "2_02_002"
_TOLERANCE = 1e-12
_QUADRATURE = 1e-9


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _standardised(rows: np.ndarray) -> np.ndarray:
    """Features that vary, of mean 0 and variance 1, over sqrt(d)."""
    centred = rows - rows.mean(axis=0)
    scale = centred.std(axis=0)
    kept = centred[:, scale > 0] / scale[scale > 0]
    return kept / np.sqrt(kept.shape[1])


def _samples(rows: np.ndarray) -> dict[str, np.ndarray]:
    """The rows under each meaning of 'centred' and 'normalised'."""
    return {
        "rows of unit norm": rows,
        "rows of mean 0, then of unit norm": _unit(rows - rows.mean(axis=1, keepdims=True)),
        "features of mean 0, then rows of unit norm": _unit(rows - rows.mean(axis=0)),
        "features of mean 0 and variance 1, over sqrt(d)": _standardised(rows),
    }


def _diagonal(rows: np.ndarray, words: str, embedding: str) -> Finding:
    """The finding that K^(0)_ii and K^(3)_ii of a chain are 1, in the library's kernels."""
    setting = Setting.make(embedding=embedding)
    k = np.sum(rows**2, axis=1)
    behind = np.asarray(pair_kernel_of(Dag.from_code(_CHAIN), k, k, k, setting).nngp)
    return Finding.agreement(
        max(float(np.abs(k - 1).max()), float(np.abs(behind - 1).max())),
        tolerance=_TOLERANCE,
        cases=2 * len(k),
        setting=setting,
        label=words,
        detail=f"K_ii from {k.min():.4g} to {k.max():.4g}",
    )


def _fixed(variance: float, c: dict[str, float], label: str) -> Finding:
    """The finding that c E[sigma(g)^2] = K_ii for g ~ N(0, K_ii), of every activation, by quadrature.

    Args:
        variance: K_ii.
        c: the normalisation of each activation.
        label: of the finding.
    """
    errors = [
        abs(c[name] * gaussian_integrals(sigma, variance, variance, 1) - variance) for name, sigma in SIGMAS.items()
    ]
    return Finding.agreement(
        max(errors),
        tolerance=_QUADRATURE,
        cases=len(errors),
        activation=None,
        label=label,
        detail="largest error over all activations, by quadrature of Eq. 4",
    )


def _controls(rows: np.ndarray, c: dict[str, float]) -> list[Control]:
    """Diagonals that are not 1, or do not stay."""
    centred = {name: 1 / (1 / value - gaussian_mean(SIGMAS[name], 1.0) ** 2) for name, value in c.items()}
    return [
        Control.rejects("f keeps a K_ii of 2 at 2, for every activation.", _fixed(2.0, c, "K_ii = 2")),
        Control.rejects(
            "With c = 1 / Var[sigma(z)] f keeps K_ii at 1, for every activation.", _fixed(1.0, centred, "another c")
        ),
        Control.rejects(
            "Rows of norm 1.01 have K_ii = 1.",
            _diagonal(1.01 * rows, "rows of norm 1.01", "gaussian"),
        ),
    ]


@claim(
    "remark-3.4",
    title="Centred normalised inputs have K_ii = 1",
    paper=CONNECTIVITY,
    source="Remark 3.4",
    statement="With centred normalised inputs every diagonal entry of K^(0) is 1, and f keeps it at 1 along a chain.",
    latex=r"K^{(0)}_{ii} = 1",
    expected="holds-conditionally",
    settings={
        "data": "real data: unit rows, not centred, or centred by rows or by features; features of unit variance",
        "embeddings": "gaussian, stem",
        "activations": "all",
    },
    fast=True,
    duration=3,
)
def check(context: Context) -> Evidence:
    """Each meaning of 'centred' and 'normalised'; and f(1) = 1 by quadrature, which needs no kernel of the library."""
    rows = context.rows(64)
    samples = _samples(rows)
    findings = {
        (words, embedding): _diagonal(sample, words, embedding)
        for words, sample in samples.items()
        for embedding in ("gaussian", "stem")
    }
    c = {name: activation.normalization for name, activation in ACTIVATIONS.items()}
    inside, outside = (findings[words, "gaussian"] for words in (next(iter(samples)), list(samples)[-1]))
    fixed = _fixed(1.0, c, "f(1) = 1")
    return Evidence(
        [*findings.values(), fixed],
        summary=f"Exactly 1 on rows of unit norm, centred or not, and f(1) = 1 to {fixed.worst:.1e} for {fixed.cases}"
        f" activations. Features of mean 0 and variance 1 alone give"
        f" {outside.detail}: 1 only on average.",
        condition="Rows must have unit norm; centring has no part in it. Then f(1) = 1 for every activation,"
        " by the choice of c.",
        inside={"rows": "unit norm", "largest error": inside.worst},
        outside={"rows": "features standardised", "largest error": outside.worst},
        controls=_controls(rows, c),
        key_values={"K_ii - 1, features standardised": KeyValue(outside.worst, 1e-6)},
    )
