"""The tables of an analysis, as rows for people: the same in the terminal and in the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from nngp_dag.analysis.dag_on_data import DagOnData
from nngp_dag.reading import METHODS

Cell: TypeAlias = str | float | None

__all__ = ["METHOD_COLUMNS", "finite_rows", "method_rows", "neighbour_rows", "path_rows", "shown"]

METHOD_COLUMNS = ("λ_min", "λ_min / scale", "λ_max", "κ", "effective rank", "pair bound", "differs")
"""Columns of `method_rows`: scale is the mean diagonal, κ = λ_max / λ_min, the last |K - K_exact| / |K_exact|."""


def method_rows(analysis: DagOnData, kernel: str) -> list[tuple[str, list[Cell]]]:
    """A row of statistics for each method and one kernel (nngp or ntk); empty for a method that does not apply."""
    rows: list[tuple[str, list[Cell]]] = []
    for method in METHODS:
        if method not in analysis.kernels:
            rows.append((method, []))
            continue
        s = analysis.spectra[method][kernel]
        cells = [s.lambda_min, s.scale_free.lambda_min, s.lambda_max, s.condition, s.effective_rank, s.pair_bound]
        rows.append((method, [*cells, "-" if method == "exact" else _share(analysis.differences[method][kernel])]))
    return rows


def finite_rows(analysis: DagOnData) -> list[tuple[str, list[Cell]]]:
    """A row for each method: relative error, z, p and the verdict of the networks, for NNGP and NTK."""
    from nngp_dag.finite.montecarlo import Agreement
    from nngp_dag.finite.montecarlo.words import outcome

    rows: list[tuple[str, list[Cell]]] = []
    for method in METHODS:
        cells: list[Cell] = []
        for kernel in ("nngp", "ntk"):
            found = analysis.agreement[kernel][method]
            if isinstance(found, Agreement):
                half_width = getattr(analysis.networks, kernel).tightness
                cells += [_share(found.relative_error), found.z, found.p, outcome(found, half_width)]
        rows.append((method, cells))
    return rows


def neighbour_rows(analysis: DagOnData, number: int = 4) -> list[list[Cell]]:
    """The neighbours with the largest and the smallest lambda_min: change, code, then ratios of statistics."""
    found = analysis.neighbours
    chosen = found if len(found) <= 2 * number else (*found[:number], *found[-number:])
    statistics = ("nngp_lambda_min", "nngp_lambda_min_scale_free", "ntk_lambda_min", "n_paths")
    return [[n.change, n.dag.to_code(), *(_times(n.ratio(name)) for name in statistics)] for n in chosen]


def shown(value: Cell) -> str:
    """A table cell: floats with four significant digits, undefined ones as a dash."""
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _share(value: float | None) -> str | None:
    if value is None or value != value:
        return None
    return "0" if value < 1e-12 else f"{100 * value:.2g} %" if value >= 1e-6 else f"{value:.0e}"


def _times(value: float | None) -> str | None:
    return None if value is None else f"× {value:.3g}"


def path_rows(counts: Sequence[int], limit: int = 12) -> list[tuple[int, int]]:
    """(d, n_d) for the depths that have paths, at most `limit` of them, evenly chosen."""
    rows = [(d, n) for d, n in enumerate(counts) if n]
    if len(rows) <= limit:
        return rows
    step = (len(rows) - 1) / (limit - 1)
    return [rows[round(i * step)] for i in range(limit)]
