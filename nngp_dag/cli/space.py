"""`nngp-dag space`: an architecture space, and what a benchmark on it says about effective depth and width."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, seed_option
from nngp_dag.spaces import Space, get, names
from nngp_dag.support.progress import track

if TYPE_CHECKING:
    from nngp_dag.reproduce.figure5.report import BenchmarkReport
    from nngp_dag.reproduce.figure5.space_report import SpaceReport
    from nngp_dag.spaces.printed_ranges import RangeReading

__all__ = ["command", "run_benchmark"]


@click.command("space", epilog=f"Spaces: {', '.join(names())}, or codes:FILE with one code string per line.")
@click.argument("space", metavar="SPACE")
@click.option("--benchmark", "files", multiple=True, type=click.Path(path_type=Path), help="Accuracies; repeatable.")
@click.option("--dataset", "datasets", multiple=True, help="Accuracy column of a CSV file; repeatable (all).")
@click.option("--cell", help="Cell of a two-cell architecture that is looked at: normal, reduce (normal).")
@click.option("--fixed-parameterised", type=counts(0), help="Only cells with so many convolutions.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for Figure 5 and tables.")
@click.option("--resamples", type=counts(1), default=1000, show_default=True, help="Bootstrap resamples.")
@click.option("--skip-bad", is_flag=True, help="Count rows of a benchmark that cannot be used and go on.")
@seed_option
@json_option
def command(
    space: str,
    files: tuple[Path, ...],
    datasets: tuple[str, ...],
    cell: str | None,
    fixed_parameterised: int | None,
    out: Path | None,
    resamples: int,
    skip_bad: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Size, exact range, centre and radius of SPACE; with --benchmark, Figure 5 and the filter of Section 5.3 on it.

    A benchmark is a CSV file (a column with the architecture, the others accuracies in percent), an NDS or
    NAS-Bench-101
    JSON file, or a NATS-Bench folder.
    """
    from nngp_dag.reproduce.figure5.space_report import space_report

    if not files and (out is not None or fixed_parameterised is not None or datasets or cell):
        raise click.UsageError("--out, --fixed-parameterised, --cell and --dataset need a --benchmark")
    chosen = get(space)
    described = space_report(chosen)
    document = described.as_dict()
    report = None
    if files:
        report, document["benchmark"] = run_benchmark(
            chosen, files, fixed_parameterised, out, seed, resamples, skip_bad, datasets or None, document, cell
        )
    if as_json:
        emit_json(document)
        return
    _print_space(described)
    if report is not None:
        from nngp_dag.cli.benchmark_tables import print_benchmark

        print_benchmark(report, out)


def run_benchmark(
    space: Space,
    files: Iterable[Path],
    fixed: int | None,
    out: Path | None,
    seed: int,
    resamples: int = 1000,
    skip_bad: bool = False,
    datasets: Iterable[str] | None = None,
    document: dict[str, object] | None = None,
    cell: str | None = None,
) -> tuple[BenchmarkReport, dict[str, Any]]:
    """Read and analyse a benchmark, write its files if asked for; the report and its plain form."""
    from nngp_dag.accuracy import read
    from nngp_dag.reproduce.figure5.output import write_report
    from nngp_dag.reproduce.figure5.report import analyse

    files = list(files)
    benchmark = read(space, files, skip_bad, datasets, track=lambda items, total: track(items, "reading", total=total))
    benchmark = replace(benchmark, cell_name=cell or "")
    if benchmark.num_bad:
        click.echo(f"nngp-dag: skipped {benchmark.num_bad} rows that could not be used", err=True)
    report = analyse(
        benchmark, fixed, seed, resamples, track=lambda items, total: track(items, "analysing", total=total)
    )
    plain = report.as_dict()
    if out is not None:
        written = write_report(report, out, {**(document or {}), "benchmark": plain}, inputs=files)
        click.echo(f"nngp-dag: wrote {', '.join(path.name for path in written)} to {out}", err=True)
    return report, plain


def _print_space(report: SpaceReport) -> None:
    pair = "({0[0]:.6g}, {0[1]:.6g})".format
    space, box = report.space, report.box
    depth, width = box.bounds[:2], box.bounds[2:]
    rows: list[list[object]] = [
        ["architectures", f"{space.num_architectures:,}"],
        [f"cells ({', '.join(space.cells)})", f"{space.num_cells:,}"],
        ["different up to isomorphism", report.num_distinct],
        *(list(count) for count in report.other_counts.items()),
        ["cells without a path", f"{report.num_without_path:,}"],
        ["cells with paths, none parameterised", f"{report.num_without_parameterised_path:,}"],
        ["range of effective depth d", f"{depth[0]} to {depth[1]}"],
        ["range of effective width m", f"{width[0]} to {width[1]}"],
        ["centre (d, m)", pair([float(x) for x in box.center])],
        ["radius", pair([float(x) for x in box.radius])],
        ["half radius", pair([float(x / 2) for x in box.radius])],
        ["cells within half the radius", f"{100 * float(report.share_within_half_radius):.3g} %"],
    ]
    if report.printed is not None:
        agrees = "agrees to its rounding" if report.printed.matches(box) else "differs"
        words = f"{pair(report.printed.center)}, {pair(report.printed.half_radius)}: {agrees}"
        rows.append(["the paper: centre, half radius", words])
    print_table(space.title, ["quantity", "value"], rows)
    if report.readings:
        print_table(
            "Readings of the space, and whether they give the paper's numbers",
            ["reading", "centre", "half radius", "gives the paper's"],
            [[r.reading, pair(r.center), pair(r.half_radius), _agreement(r)] for r in report.readings],
        )


def _agreement(reading: RangeReading) -> str:
    if reading.probability is None:
        return "yes" if reading.matches else "no"
    return f"{100 * reading.probability:.0f} % of samples"
