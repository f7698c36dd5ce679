"""Section 4: do Eq. 12, the exact smallest eigenvalues, and effective depth and width rank DAGs alike?"""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import arb
from scipy import stats

from nngp_dag.dag import Dag
from nngp_dag.paths import effective_depth_width
from nngp_dag.proofs import precision
from nngp_dag.proofs.matrices import exceeds, falls_below, independent_kernel, pair_bound_by_paths, unit_gram
from verify import Context, Evidence, Finding, KeyValue, Points, Series, Table, Undecided, claim
from verify.tools.data import space_spectra
from verify.tools.spaces import complete_space

_READINGS = (
    ("independent", "activation-last", "gaussian-trained"),
    ("exact", "activation-first", "gaussian-trained"),
    ("exact", "activation-last", "gaussian-trained"),
    ("exact", "activation-last", "stem"),
)
_LINEAR = (2, 3, 4)
_RESOLUTION = 1e-9


def _tau(a: np.ndarray, b: np.ndarray) -> tuple[float, int]:
    """Kendall's tau-b, and the number of strictly discordant pairs; values within rounding of each other are ties."""
    a, b = (np.round(v / np.abs(v).max(), 9) for v in (a, b))
    tau = float(stats.kendalltau(a, b).statistic)
    product = np.sign(a[:, None] - a[None]) * np.sign(b[:, None] - b[None])
    return tau, int((product < 0).sum()) // 2


@claim(
    "section-4-ranking",
    title="Eq. 12, the smallest eigenvalue, and effective depth and width rank DAGs alike",
    source="Section 4: Eq. 12 'precisely characterizes the impact of a network's topology on its convergence'",
    statement="Among DAGs with as many linear edges, the ranking by Eq. 12 is that by the smallest eigenvalue of the"
    " kernel, NNGP or NTK, scaled or not.",
    latex=r"P - \sum_p f^{d_p}(\rho) \;\text{ ranks DAGs as }\; \lambda_{\min}(K^{(H)})",
    expected="refuted",
    settings={
        "DAGs": "all of four nodes with a path, at 2, 3 and 4 linear edges",
        "data": "32 rows of real data (96 in the full profile)",
    },
    duration=7,
)
def check(context: Context) -> Evidence:
    """Kendall's tau at a fixed number of linear edges; one strictly discordant pair makes a reading false."""
    space = complete_space(4)
    rows = context.rows(context.pick(quick=32, full=96))
    linear = np.array([item.num_linear for item in space.structures()])
    depth, width = effective_depth_width(space.counts)
    gaps = _closest_pair_gaps(rows, space.counts)
    findings, table, key_values = [], [], {}
    points = None
    for reading in _READINGS:
        spectra = space_spectra(space, rows, reading, kernels=("nngp", "ntk"))
        values = {
            "NNGP": spectra["nngp"].smallest,
            "NTK": spectra["ntk"].smallest,
            "NNGP scale-free": spectra["nngp"].scale_free,
            "NTK scale-free": spectra["ntk"].scale_free,
        }
        bound = gaps["stem" if reading[2] == "stem" else "gaussian"]
        scaled = bound / space.counts.sum(axis=1)
        for words, value in values.items():
            rank_by = scaled if "scale-free" in words else bound
            taus, discordant, pairs = [], 0, 0
            for number in _LINEAR:
                chosen = linear == number
                tau, wrong = _tau(rank_by[chosen], value[chosen])
                by_depth, by_width = (_tau(by[chosen], value[chosen])[0] for by in (depth, width))
                table.append([", ".join(reading), words, number, int(chosen.sum()), tau, wrong, by_depth, by_width])
                key_values[f"tau, {' '.join(reading)}, {words}, {number}"] = KeyValue(tau, 0, 1e-3)
                taus.append(tau)
                discordant += wrong
                pairs += int(chosen.sum()) * (int(chosen.sum()) - 1) // 2
            method, order, embedding = reading
            findings.append(
                Finding(
                    discordant == 0,
                    method=method,
                    order=order,
                    embedding=embedding,
                    label=words,
                    cases=pairs,
                    tolerance=_RESOLUTION,
                    worst=min(taus),
                    detail=f"tau {', '.join(f'{t:.2f}' for t in taus)} at {_LINEAR} linear edges; {discordant}"
                    f" discordant pairs",
                )
            )
            if points is None and linear is not None:
                points = _points(space.counts, linear, bound, value)
    discordance = _counterexample(rows, space.names, linear, gaps["gaussian"], spectra_of_first(context, space, rows))
    rescaled = _rescaled(table)
    return Evidence(
        findings,
        summary=_summary(table, rescaled),
        condition="True between DAGs for which Eq. 12 is an identity and the smallest eigenvalue is that of two rows;"
        " on N rows and for other DAGs"
        " it is a correlation, given as Kendall's tau at each number of linear edges.",
        counterexample=discordance,
        tables=[
            Table(
                f"Kendall's tau with lambda_min on {len(rows)} rows of {context.data}",
                [
                    "reading",
                    "lambda_min of",
                    "linear edges",
                    "DAGs",
                    "by Eq. 12",
                    "discordant",
                    "by depth",
                    "by width",
                ],
                table,
            )
        ],
        plots=[points] if points else [],
        key_values=key_values,
    )


def spectra_of_first(context: Context, space: Any, rows: np.ndarray) -> np.ndarray:
    """lambda_min of the paper's own recursion, by which the counterexample is looked for."""
    return space_spectra(space, rows, _READINGS[0])["nngp"].smallest


def _closest_pair_gaps(rows: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
    """The right-hand side of Eq. 12 on the data, min over pairs, [A], without and with a stem."""
    gram = rows @ rows.T
    rho = gram[np.triu_indices(len(rows), 1)]

    def f(r: np.ndarray) -> np.ndarray:
        r = np.clip(r, -1, 1)
        return (np.sqrt(1 - r**2) + (np.pi - np.arccos(r)) * r) / np.pi

    found = {}
    for name, start in (("gaussian", rho), ("stem", f(rho))):
        chain, total = start, np.zeros((len(counts), len(rho)))
        for d in range(counts.shape[1]):
            total += counts[:, d, None] * (1 - chain)
            chain = f(chain)
        found[name] = total.min(axis=1)
    return found


def _counterexample(
    rows: np.ndarray, names: tuple[str, ...], linear: np.ndarray, bound: np.ndarray, value: np.ndarray
) -> dict[str, Any] | None:
    """The discordant pair with the largest product of relative differences, at three linear edges, certified."""
    chosen = np.flatnonzero(linear == 3)
    b, v = np.log(bound[chosen]), np.log(value[chosen])
    product = (b[:, None] - b[None]) * (v[:, None] - v[None])
    i, j = np.unravel_index(int(np.argmin(product)), product.shape)
    if product[i, j] >= 0:
        return None
    i, j = (i, j) if b[i] > b[j] else (j, i)
    return {
        "codes": f"{names[chosen[i]]} and {names[chosen[j]]}",
        "Eq. 12": f"{np.exp(b[i]):.4g} > {np.exp(b[j]):.4g}",
        "lambda_min (independent)": f"{np.exp(v[i]):.4g} < {np.exp(v[j]):.4g}",
        "margin": float(np.exp(v[j] - v[i]) - 1),
        "confirmed": _confirmed(rows, names[chosen[i]], names[chosen[j]], float(np.exp((v[i] + v[j]) / 2))),
    }


def _confirmed(rows: np.ndarray, first: str, second: str, between: float) -> str:
    """Proof in balls that `first` has the larger bound by Eq. 12 and the smaller lambda_min, on opposite sides of
    `between`.
    """
    dags = [Dag.from_code(code) for code in (first, second)]
    with precision(128):
        gram = unit_gram(rows)
        bounds = [pair_bound_by_paths(dag, gram) for dag in dags]
        kernels = [independent_kernel(dag, gram) for dag in dags]
        floats = np.array([[float(entry) for entry in row] for row in kernels[0]])
        lowest = np.linalg.eigh(floats)[1][:, 0]
        t = arb(between)
        proved = bounds[0] > bounds[1] and falls_below(kernels[0], t, lowest.tolist()) and exceeds(kernels[1], t)
    if not proved:
        raise Undecided(f"that Eq. 12 and lambda_min order {first} and {second} differently could not be certified")
    return (
        f"interval arithmetic: lambda_min of the first < {between:.6g} (a vector) < lambda_min of the second (the"
        f" pivots of L D L')"
    )


def _rescaled(table: list[list[Any]]) -> str:
    raw = [row[4] for row in table if row[2] == 3 and row[1] in ("NNGP", "NTK")]
    scaled = [row[4] for row in table if row[2] == 3 and "scale-free" in row[1]]
    return f"{min(raw):.2f} to {max(raw):.2f} as they are, {min(scaled):.2f} to {max(scaled):.2f} scale-free"


def _summary(table: list[list[Any]], rescaled: str) -> str:
    by = {
        words: [row[i] for row in table if row[2] == 3 and row[1] == "NNGP"]
        for words, i in (("depth", 6), ("width", 7))
    }
    return (
        f"At three linear edges Kendall's tau of Eq. 12 with lambda_min is {rescaled}; of the NNGP with effective depth"
        f" {min(by['depth']):+.2f} to {max(by['depth']):+.2f}, with effective width {min(by['width']):+.2f} to"
        f" {max(by['width']):+.2f}."
    )


def _points(counts: np.ndarray, linear: np.ndarray, bound: np.ndarray, value: np.ndarray) -> Points:
    series = [
        Series(f"{number} linear edges", bound[linear == number].tolist(), value[linear == number].tolist())
        for number in _LINEAR
    ]
    return Points(
        "lambda_min of the NNGP against Eq. 12 (independent)",
        series,
        x="Eq. 12",
        y="lambda_min",
        xscale="log",
        yscale="log",
    )
