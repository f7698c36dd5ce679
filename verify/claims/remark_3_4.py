"""Remark 3.4: centred normalised inputs have K^(0)_ii = 1."""

from __future__ import annotations

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel.functions import pair_kernel_of
from nngp_dag.reading import Setting
from verify import Context, Evidence, Finding, claim


@claim(
    "remark-3.4",
    title="Centred normalised inputs have K_ii = 1",
    source="Remark 3.4",
    statement="With centred normalised inputs every diagonal entry of K^(0) is 1, and f keeps it at 1 along a chain.",
    latex=r"K^{(0)}_{ii} = 1",
    expected="holds-conditionally",
    settings={"data": "real data: unit rows; features centred and scaled to unit variance", "embeddings": "all"},
    fast=True,
    duration=3,
)
def check(context: Context) -> Evidence:
    """Two meanings of 'normalised': rows of unit norm, and features of mean zero and unit variance."""
    rows = context.rows(64)
    standardised = rows - rows.mean(axis=0)
    scale = standardised.std(axis=0)
    standardised = standardised[:, scale > 0] / scale[scale > 0]
    standardised /= np.sqrt(standardised.shape[1])
    chain = Dag.from_code("2_02_002")
    samples = {
        "rows of unit norm": np.sum(rows**2, axis=1),
        "features of mean 0 and variance 1, over sqrt(d)": np.sum(standardised**2, axis=1),
    }
    findings = []
    for words, k in samples.items():
        for embedding in ("gaussian", "stem"):
            setting = Setting.make(embedding=embedding)
            behind = np.asarray(pair_kernel_of(chain, k, k, k, setting).nngp)
            findings.append(
                Finding.agreement(
                    max(float(np.abs(k - 1).max()), float(np.abs(behind - 1).max())),
                    tolerance=1e-12,
                    cases=2 * len(k),
                    setting=setting,
                    label=words,
                    detail=f"K_ii from {k.min():.4g} to {k.max():.4g}",
                )
            )
    outside = findings[2]
    return Evidence(
        findings,
        summary=f"Exactly 1 on rows of unit norm, centred or not. Features of mean 0 and variance 1 alone give"
        f" {outside.detail}: 1 only on average.",
        condition="Rows must have unit norm; centring features has no part in it. Then f(1) = 1 for every activation,"
        " by the choice of c.",
        inside={"rows": "unit norm", "largest error": findings[0].worst},
        outside={"rows": "features standardised", "largest error": outside.worst},
    )
