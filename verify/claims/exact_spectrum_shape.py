"""Section 4: do effective depth and width predict the exact spectrum of convolutional cells?"""

from __future__ import annotations

import numpy as np

from nngp_dag.reading import Setting
from nngp_dag.reproduce.exact_nasbench201.ranks import explained, explained_more, rank_correlations
from nngp_dag.support.statistics import Estimate
from verify import Context, Control, Evidence, Finding, KeyValue, Table, claim, examples
from verify.claims._exact_cells import SPECTRA, Cells, samples
from verify.papers import CONNECTIVITY

_SETTING = Setting.make("exact", "activation-first", "gaussian-trained")
_HALF = 0.5
_FORMS = {"lambda_min": "lambda_min", "lambda_min_scale_free": "lambda_min scale-free", "condition": "condition number"}


def _words(name: str) -> str:
    kernel, _, form = name.partition("_")
    return f"{_FORMS[form]} of the {kernel.upper()}"


def _above(value: Estimate, threshold: float, label: str, cases: int) -> Finding:
    """The finding that a share, or a difference of shares, lies above a threshold."""
    return Finding.above(
        value,
        threshold,
        setting=_SETTING,
        label=label,
        cases=cases,
        worst=value.value - threshold,
        confidence=0.95,
        detail=f"{value:.2f}",
    )


@claim(
    "exact-spectrum-shape",
    title="Effective depth and width predict the exact spectrum of convolutional cells",
    paper=CONNECTIVITY,
    source="Section 4: 'reducing P and d_p's to only two intuitive variables', the factors 'that control the"
    " lambda_min'; Remark 4.2: convolutional layers, pooling",
    statement="Over the cells of NAS-Bench-201 effective depth and width explain at least half of the variance of the"
    " ranks of the exact kernel's least eigenvalue, scaled or not, and of its condition number, and more of it than the"
    " number of convolutions does.",
    latex=r"R^2\big(\lambda_{\min} \mid \bar d, \bar m\big) \ge \tfrac12",
    expected="holds-conditionally",
    settings={
        "cells": "a random sample, no two the same graph",
        "networks": "one cell a stage; three stages on images of CIFAR-10 (recorded), one stage on digits (computed;"
        " in the full profile one to three)",
        "prediction": "a linear fit of ranks on ranks; 95 % intervals, bootstrap over cells",
    },
    duration=8,
)
def check(context: Context) -> Evidence:
    """The share of the variance of ranks that both explain, less one half, and less that of the convolutions."""
    found = samples(context)
    resamples = context.pick(quick=200, full=1000)
    findings: list[Finding] = []
    rows: list[list[object]] = []
    key_values: dict[str, KeyValue] = {}
    for cells in found:
        shape, number, size = cells.shape, cells.convolutions, len(cells.genes)
        for name in SPECTRA:
            target = cells.spectra[name]
            share = explained(shape, target, context.seed, resamples)
            more = explained_more(shape, number, target, context.seed, resamples)
            label = f"{_words(name)}; {cells.label}"
            findings += [
                _above(share, _HALF, f"half of the variance, {label}", size),
                _above(more, 0.0, f"more than the convolutions, {label}", size),
            ]
            signed = rank_correlations(shape | number, target, list(number), context.seed, resamples)
            single = [f"{signed[each].spearman:.2f}" for each in shape]
            given = [f"{signed[each].partial:.2f}" for each in shape]
            rows.append([cells.label, _words(name), size, *single, *given, f"{share:.2f}", f"{more:.2f}"])
            key_values[f"share, {name}, {cells.label}"] = KeyValue(share.value, 0, 0.01)
    true, false = examples(findings)
    return Evidence(
        findings,
        summary=_summary(rows),
        condition="Scale-free, of the NTK: about half, in every network tried. Of the NNGP about as much with one stage"
        " and less with each further one, next to nothing with three on images of CIFAR-10.",
        inside=None if true is None else {"reading": true.label, "share": true.detail},
        outside=None if false is None else {"reading": false.label, "share": false.detail},
        would_decide="More cells: the study of exact kernels keeps them, and `_exact_cells` records them.",
        controls=_controls(found[0], context, resamples),
        tables=[
            Table(
                "Spearman's correlation with effective depth d and width m, and the share that both explain",
                [
                    "network and images",
                    "of",
                    "cells",
                    "d",
                    "m",
                    "d, convolutions fixed",
                    "m, convolutions fixed",
                    "share by d and m",
                    "less that by convolutions",
                ],
                rows,
            )
        ],
        key_values=key_values,
    )


def _controls(cells: Cells, context: Context, resamples: int) -> list[Control]:
    """Depths and widths of other cells, and two numbers that do determine the spectrum."""
    target, size = cells.spectra["ntk_lambda_min_scale_free"], len(cells.genes)
    order = context.rng().permutation(size)
    others = {name: column[order] for name, column in cells.shape.items()}
    known = {"logarithm": np.log(target), "cube": target**3}

    def half(columns: dict[str, np.ndarray]) -> Finding:
        return _above(explained(columns, target, context.seed, resamples), _HALF, "a control", size)

    return [
        Control.rejects("Depth and width of cells drawn at random explain half of the variance.", half(others)),
        Control.keeps("The logarithm of the least eigenvalue and its cube explain half of the variance.", half(known)),
    ]


def _summary(rows: list[list[object]]) -> str:
    """The shares of the recorded sample."""
    first = [row for row in rows if row[0] == rows[0][0]]
    return (
        f"Share of the variance of ranks that d and m explain ({rows[0][0]}): "
        + "; ".join(f"{row[1]} {row[-2]}" for row in first)
        + "."
    )
