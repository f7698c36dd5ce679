"""Remark 3.3: do the means of the features matter?"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel import kernel_fn
from verify import Context, Evidence, Finding, KeyValue, Points, Series, Table, claim
from verify.framework.errors import Undecided
from verify.tools.data import space_spectra
from verify.tools.literal import exact_two_point
from verify.tools.spaces import Space, complete_space, two_point_kernels

_Name = tuple[str, str, str]
_TOLERANCE = 1e-11
_WITHOUT: _Name = ("exact", "activation-first", "gaussian")
_READINGS: tuple[_Name, ...] = (
    _WITHOUT,
    ("exact", "activation-last", "gaussian"),
    ("exact", "activation-last", "stem"),
)


def _without_means(space: Space, reading: _Name) -> tuple[np.ndarray, np.ndarray]:
    """K_ii [A] and K_ij [A, R] with every mean set to zero: activation-first differs from activation-last in nothing
    else.
    """
    if reading[2] != "stem":
        kernels = two_point_kernels(space, _WITHOUT)
        return kernels.variance, kernels.covariance
    rho = two_point_kernels(space, reading).rho
    variance, covariance = np.empty(len(space.names)), np.empty((len(space.names), rho.size))
    for i, name in enumerate(space.names):
        dag = Dag.from_code(name).pruned()
        edges = [(s, t, int(op)) for s, t, op in dag.edges()]
        variance[i], covariance[i], *_ = exact_two_point(edges, dag.num_nodes, rho, True, "stem", means=False)
    return variance, covariance


def _changes(space: Space, reading: _Name) -> tuple[np.ndarray, np.ndarray]:
    """How much the means change the kernel, and K_ii - K_ij, relative to K_ii without them, [A] each."""
    ours = two_point_kernels(space, reading)
    variance, covariance = _without_means(space, reading)
    kernel = np.maximum(np.abs(ours.covariance - covariance).max(axis=1), np.abs(ours.variance - variance)) / variance
    gap = np.abs(ours.gap - (variance[:, None] - covariance)).max(axis=1) / variance
    return kernel, gap


def _reading(name: _Name, changed: np.ndarray, label: str, code: str | None, what: str) -> Finding:
    method, order, embedding = name
    count = int((changed > _TOLERANCE).sum())
    return Finding(
        count == 0,
        method=method,
        order=order,
        embedding=embedding,
        label=label,
        cases=len(changed),
        tolerance=_TOLERANCE,
        worst=float(changed.max()),
        detail=f"the means change {what} of {count} of {len(changed)} DAGs",
        counterexample={"code": code, "margin": float(changed.max())} if code else None,
    )


@claim(
    "remark-3.3",
    title="The mean b is constant and does not affect the analysis",
    source="Remark 3.3",
    statement="Leaving out the means of the features changes neither the kernel, nor K_ii - K_ij, nor the smallest"
    " eigenvalue, of any DAG.",
    latex=r"b^{(l)}_i = \text{const} \;\Rightarrow\; K^{(H)} \text{ and } \lambda_{\min}(K^{(H)}) \text{ unchanged}",
    expected="holds-conditionally",
    settings={
        "DAGs": "all of four nodes with a path",
        "rows": "two unit rows; rows of real data",
        "activation": "relu",
    },
    duration=4,
)
def check(context: Context) -> Evidence:
    """Exact kernels with and without means; which DAGs change, and in what."""
    space = complete_space(4)
    findings, rows, key_values = [], [], {}
    for name in _READINGS:
        stem, last = name[2] == "stem", name[1] == "activation-last"
        kernel, gap = _changes(space, name)
        for changed, flag in ((kernel, "mean_meeting"), (gap, "mean_meeting_before_linear")):
            expected = space.flags(flag, stem) if last else np.zeros(len(space.names), bool)
            if ((changed > _TOLERANCE) != expected).any():
                raise Undecided(f"{', '.join(name)}: {flag} does not tell which DAGs the means change")
        findings += [
            _reading(name, kernel, "kernel", space.smallest(kernel > _TOLERANCE), "the kernel"),
            _reading(name, gap, "K_ii - K_ij", space.smallest(gap > _TOLERANCE), "K_ii - K_ij"),
        ]
        counts = [int((changed > _TOLERANCE).sum()) for changed in (kernel, gap)]
        rows.append([", ".join(name), *counts, float(kernel.max()), float(gap.max())])
        key_values[f"kernel changed, {' '.join(name)}"] = KeyValue(counts[0], 0)
        key_values[f"K_ii - K_ij changed, {' '.join(name)}"] = KeyValue(counts[1], 0)
    spectra = _spectra(context, space)
    findings.append(spectra["reading"])
    return Evidence(
        findings,
        summary=f"Activation-first: features have mean zero and nothing changes. Activation-last: the means change the"
        f" kernel of {rows[1][1]}"
        f" of {len(space.names)} DAGs ({rows[2][1]} with a stem), K_ii - K_ij of {rows[1][2]} ({rows[2][2]})."
        f" {spectra['words']}",
        condition="Means change the kernel exactly where skip paths bring the features of two different linear edges"
        " (a stem is one) to one node, in"
        " activation-last. On unit rows they then add the same constant to every entry, which leaves K_ii - K_ij"
        " alone, unless a"
        " linear edge leaves such a node: only then the bound of Lemma 3.3 changes. On rows of different norms b is"
        " not constant.",
        inside={"reading": findings[0].name(), "DAGs": len(space.names)},
        outside={
            "code": space.smallest(_changes(space, _READINGS[1])[1] > _TOLERANCE),
            "reading": ", ".join(_READINGS[1]),
            "what": "K_ii - K_ij",
        },
        counterexample={"margin": rows[1][3], "confirmed": "by two routes (claim exact-recursion)"},
        tables=[
            Table(
                f"DAGs of {len(space.names)} that the means change",
                [
                    "reading",
                    "kernel",
                    "K_ii - K_ij",
                    "largest change of the kernel",
                    "largest change of K_ii - K_ij",
                ],
                rows,
            ),
            spectra["table"],
            _norms(),
        ],
        plots=[spectra["plot"]],
        key_values=key_values | spectra["key_values"],
    )


def _spectra(context: Context, space: Space) -> dict[str, Any]:
    """The smallest and largest eigenvalues on real data, with and without means (activation-last, gaussian)."""
    data = context.rows(40)
    with_means = space_spectra(space, data, _READINGS[1])["nngp"]
    without = space_spectra(space, data, _WITHOUT)["nngp"]
    small, large = with_means.smallest / without.smallest - 1, with_means.largest / without.largest - 1
    meeting, inner = space.flags("mean_meeting"), space.flags("mean_meeting_before_linear")
    full = space.flags("has_linear_path") | (data.shape[1] >= len(data))
    classes = {
        "no means meet": ~meeting,
        "they meet, and no linear edge follows": meeting & ~inner,
        "a linear edge follows": inner,
    }
    table = [
        [
            words,
            int(flag.sum()),
            float(small[flag & full].min()),
            float(small[flag & full].max()),
            float(large[flag].max()),
        ]
        for words, flag in classes.items()
    ]
    worst = float(np.abs(small[full]).max())
    method, order, embedding = _READINGS[1]
    reading = Finding.agreement(
        worst,
        tolerance=1e-7,
        cases=len(space.names),
        method=method,
        order=order,
        embedding=embedding,
        label="smallest eigenvalue on data",
        detail=f"relative change over {len(data)} rows of {context.data}",
    )
    dots = [
        Series(words, with_means.largest[flag].tolist(), (1 + small)[flag].tolist()) for words, flag in classes.items()
    ]
    return {
        "reading": reading,
        "words": f"On {len(data)} rows of {context.data} the smallest eigenvalue changes by {table[1][2]:+.1%} to"
        f" {table[1][3]:+.1%} where no linear"
        f" edge follows, by {table[2][2]:+.1%} to {table[2][3]:+.1%} where one does; the largest grows by up to"
        f" {table[1][4]:.0%} and {table[2][4]:.0%}.",
        "table": Table(
            f"Eigenvalues with means over those without, minus one, {len(data)} rows of {context.data}",
            ["DAGs in which", "count", "lambda_min, least", "lambda_min, most", "lambda_max, most"],
            table,
        ),
        "plot": Points("lambda_min with means over without", dots, x="lambda_max", y="ratio of lambda_min"),
        "key_values": {f"lambda_min, most, {row[0]}": KeyValue(cast(float, row[3]), 1e-6, 1e-9) for row in table},
    }


def _norms() -> Table:
    """DAG#2 on two rows of different norms: what the means add is no constant."""
    rows = np.array([[1.0, 0.0], [0.6, 0.8], [1.2, 1.6]])
    dag = Dag.from_code("1_01_222")
    last, first = (
        np.asarray(kernel_fn(dag, order=order)(rows, get="nngp")) for order in ("activation-last", "activation-first")
    )
    added = last - first
    return Table(
        "What means add to DAG#2 (1_01_222) on rows of norms 1, 1, 2: 6/pi = 1.90986 times the product of norms",
        ["row", "1", "2", "3"],
        [[i + 1, *map(float, line)] for i, line in enumerate(added)],
    )
