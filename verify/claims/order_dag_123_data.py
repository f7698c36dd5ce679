"""The order of the three DAGs for whole kernels on real data: NNGP and NTK, raw, scale-free, and by condition
number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel import kernel_fn
from nngp_dag.spectrum import spectrum
from verify import Context, Evidence, Finding, KeyValue, Lines, Series, Table, claim
from verify.tools.literal import EQUATIONS

_SETTINGS = (
    ("independent", "activation-last", "gaussian"),
    ("exact", "activation-first", "gaussian"),
    ("exact", "activation-first", "gaussian-trained"),
    ("exact", "activation-last", "gaussian"),
    ("exact", "activation-last", "gaussian-trained"),
    ("exact", "activation-last", "stem"),
)
_QUANTITIES = {
    "lambda_min": lambda s: s.lambda_min,
    "lambda_min / mean diagonal": lambda s: s.scale_free.lambda_min,
    "1 / condition": lambda s: s.lambda_min / s.lambda_max,
}


@claim(
    "order-dag-123-data",
    title="lambda_min of whole kernels is ordered DAG#1 < DAG#2 < DAG#3 on real data",
    source="Section 3.3, conclusion",
    statement="On real data the smallest eigenvalues of the N x N kernels (NNGP and NTK) are ordered DAG#1 < DAG#2 <"
    " DAG#3; likewise divided by"
    " the mean diagonal, and the inverse condition numbers.",
    latex=r"\lambda_{\min}(K_{\text{DAG\#1}}) < \lambda_{\min}(K_{\text{DAG\#2}}) < \lambda_{\min}(K_{\text{DAG\#3}})",
    expected="holds-conditionally",
    settings={"data": "real data, N = 64 (256 in the full profile)", "kernels": "NNGP and NTK"},
    duration=8,
)
def check(context: Context) -> Evidence:
    """Six readings, both kernels, three scalings."""
    rows = context.rows(context.pick(quick=64, full=256))
    findings, table, spectra = [], [], []
    key_values: dict[str, KeyValue] = {}
    for method, order, embedding in _SETTINGS:
        kernels = [kernel_fn(Dag.from_code(code), method, order, embedding)(rows) for code, *_ in EQUATIONS.values()]
        for kernel in ("nngp", "ntk"):
            found = [spectrum(np.asarray(getattr(k, kernel))) for k in kernels]
            for words, quantity in _QUANTITIES.items():
                values = [float(quantity(s)) for s in found]
                margin = min(values[1] / values[0] - 1, values[2] / values[1] - 1)
                ranking = " < ".join(f"#{i + 1}" for i in np.argsort(values))
                findings.append(
                    Finding.inequality(
                        margin,
                        tolerance=1e-7,
                        cases=2,
                        method=method,
                        order=order,
                        embedding=embedding,
                        label=f"{kernel.upper()}, {words}",
                        detail=f"{ranking}: " + ", ".join(f"{v:.4g}" for v in values),
                    )
                )
                table.append([f"{method}, {order}, {embedding}", kernel.upper(), words, *values, ranking])
            key_values |= {
                f"{kernel} lambda_min, {name}, {method} {order} {embedding}": KeyValue(float(s.lambda_min), 1e-6)
                for name, s in zip(EQUATIONS, found, strict=True)
            }
            if (method, kernel) == ("exact", "nngp") and embedding == "gaussian":
                spectra.append(_spectra(found, f"NNGP, {order}, {len(rows)} rows of {context.data}"))
    raw = [r for r in findings if r.label.endswith("lambda_min")]
    scaled = [r for r in findings if not r.label.endswith("lambda_min")]
    yes, no = next(r for r in findings if r.holds), next((r for r in findings if r.holds is False), None)
    return Evidence(
        findings,
        summary=f"On {len(rows)} rows of {context.data} the order is true in {sum(r.holds is True for r in raw)} of"
        f" {len(raw)} readings for"
        f" lambda_min as it is, and in {sum(r.holds is True for r in scaled)} of {len(scaled)} with the scale taken"
        f" out.",
        condition="On the raw scale, where DAG#2 and DAG#3 gain from having three and four paths; the table says which"
        " order each reading has.",
        inside={"reading": yes.name(), "margin": yes.worst},
        outside=None if no is None else {"reading": no.name(), "order": no.detail},
        tables=[
            Table(
                f"{len(rows)} rows of {context.data}",
                ["reading", "kernel", "quantity", "DAG#1", "DAG#2", "DAG#3", "order"],
                table,
            )
        ],
        plots=spectra,
        key_values=key_values,
    )


def _spectra(found: list[Any], title: str) -> Lines:
    series = [
        Series(f"DAG#{i}", list(range(1, len(s.eigenvalues) + 1)), s.eigenvalues[::-1].tolist())
        for i, s in enumerate(found, start=1)
    ]
    return Lines(f"Spectra: {title}", series, x="index", y="eigenvalue", yscale="log")
