"""A benchmark report as files: Figure 5 as PNG and PDF, its tables as CSV, everything as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from nngp_dag.accuracy.filters import Kept
from nngp_dag.reproduce.figure5.report import BenchmarkReport
from nngp_dag.support.files import check_writable, make_folder, write_bytes
from nngp_dag.support.statistics import Estimate
from nngp_dag.support.strict_json import strict_json_text

__all__ = ["tables", "write_report"]

_ROWS = tuple[Sequence[str], list[list[object]]]


def tables(report: BenchmarkReport) -> dict[str, _ROWS]:
    """The header and rows of each table of a report, by the name of its CSV file."""
    return {name: table(report) for name, table in _TABLES.items()}


def write_report(
    report: BenchmarkReport,
    folder: Path,
    document: Mapping[str, object],
    figure_name: str = "figure-5",
    inputs: Iterable[Path] = (),
) -> list[Path]:
    """Write figure, tables and JSON document into a folder (created); nothing half-written is left behind.

    Args:
        report: what is written.
        folder: where to.
        document: its plain form.
        figure_name: stem of the figure's files.
        inputs: files that the report was made from, which are not overwritten.

    Returns:
        The paths written.

    Raises:
        InputError: the folder cannot be written, or something in it is in the way: nothing was written then.
    """
    import matplotlib as mpl

    from nngp_dag.reproduce.figure5.plot import plot_figure5

    make_folder(folder)
    contents = {"report.json": (strict_json_text(document, indent=1) + "\n").encode()}
    contents |= {f"{name}.csv": _csv(header, rows).encode() for name, (header, rows) in tables(report).items()}
    with mpl.rc_context({"savefig.bbox": "tight"}):
        figure = plot_figure5(report)
        for kind in ("png", "pdf"):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=200)
            contents[f"{figure_name}.{kind}"] = buffer.getvalue()
        figure.clear()
    sources = list(inputs)
    for name in contents:
        check_writable(folder / name, "a file of results", sources)
    for name, content in contents.items():
        write_bytes(folder / name, content)
    return [folder / name for name in contents]


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def _interval(estimate: Estimate) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]


def _groups(report: BenchmarkReport) -> _ROWS:
    groups = report.groups
    rows = [
        [dataset, float(d), float(m), str(d), str(m), int(n), float(mean), float(deviation)]
        for dataset in report.datasets
        for (d, m), n, mean, deviation in zip(
            groups.shapes, groups.counts, groups.mean[dataset], groups.deviation[dataset], strict=True
        )
    ]
    return ("dataset", "depth", "width", "depth_exact", "width_exact", "count", "mean", "std"), rows


def _correlations(report: BenchmarkReport) -> _ROWS:
    header = ["dataset", "over", "features", "size"]
    header += [f"{kind}{end}" for kind in ("r", "spearman", "kendall") for end in ("", "_low", "_high")]
    rows = [
        [dataset, over, features, c.size, *_interval(c.multiple), *_interval(c.spearman), *_interval(c.kendall)]
        for dataset, found in report.datasets.items()
        for over, sets in found.correlations.items()
        for features, c in sets.items()
    ]
    return header, rows


def _filters(report: BenchmarkReport) -> _ROWS:
    header = ["dataset", "filter", "share", "mean", "mean_low", "mean_high", "gain", "gain_low", "gain_high"]
    header += ["recall_top100", "bottom_tenth", "optimum", "over_count", "over_count_low", "over_count_high"]
    rows = [
        _kept_row(dataset, name, k) for dataset, found in report.datasets.items() for name, k in found.filters.items()
    ]
    return header, rows


def _kept_row(dataset: str, name: str, kept: Kept) -> list[object]:
    shown = [dataset, name, kept.share, *_interval(kept.mean), *_interval(kept.gain)]
    return [*shown, kept.recall_top100, kept.bottom_tenth, kept.optimum, *_interval(kept.over_count)]


def _draws(report: BenchmarkReport) -> _ROWS:
    header = ["dataset", "filter", "way", "mean", "mean_low", "mean_high", "std", "gain", "gain_low", "gain_high"]
    rows = [
        [dataset, name, way, *_interval(b.mean), b.deviation, *_interval(b.gain), b.evaluated]
        for dataset, found in report.datasets.items()
        for way, filters in found.draws.items()
        for name, b in filters.items()
    ]
    return [*header, "evaluated"], rows


def _passing(report: BenchmarkReport) -> _ROWS:
    rows = [
        [dataset, name, p.count, p.mean, p.deviation, *p.quantiles.values()]
        for dataset, found in report.datasets.items()
        for name, p in found.passing.items()
    ]
    first = next(iter(next(iter(report.datasets.values())).passing.values()))
    return ["dataset", "filter", "count", "mean", "std", *(f"quantile_{q}" for q in first.quantiles)], rows


def _sides(report: BenchmarkReport) -> _ROWS:
    rows = [
        [dataset, side, values["count"], values["mean"], values["std"]]
        for dataset, found in report.datasets.items()
        for side, values in found.sides.items()
    ]
    return ("dataset", "side", "count", "mean", "std"), rows


_TABLES: dict[str, Callable[[BenchmarkReport], _ROWS]] = {
    "groups": _groups,
    "correlations": _correlations,
    "filters": _filters,
    "draws": _draws,
    "passing": _passing,
    "sides": _sides,
}
"""The tables of a report by name, a CSV file per table."""
