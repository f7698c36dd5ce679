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
    from nngp_dag.reproduce.figure5.report import space_report

    if not files and (out is not None or fixed_parameterised is not None or datasets or cell):
        raise click.UsageError("--out, --fixed-parameterised, --cell and --dataset need a --benchmark")
    chosen = get(space)
    document = space_report(chosen)
    report = None
    if files:
        report, document["benchmark"] = run_benchmark(
            chosen, files, fixed_parameterised, out, seed, resamples, skip_bad, datasets or None, document, cell
        )
    if as_json:
        emit_json(document)
        return
    _print_space(document)
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

    benchmark = read(
        space, list(files), skip_bad, datasets, track=lambda items, total: track(items, "reading", total=total)
    )
    benchmark = replace(benchmark, cell_name=cell or "")
    if benchmark.num_bad:
        click.echo(f"nngp-dag: skipped {benchmark.num_bad} rows that could not be used", err=True)
    report = analyse(
        benchmark, fixed, seed, resamples, track=lambda items, total: track(items, "analysing", total=total)
    )
    plain = report.as_dict()
    if out is not None:
        written = write_report(report, out, {**(document or {}), "benchmark": plain})
        click.echo(f"nngp-dag: wrote {', '.join(path.name for path in written)} to {out}", err=True)
    return report, plain


def _print_space(report: dict[str, Any]) -> None:
    pair = "({0[0]:.6g}, {0[1]:.6g})".format
    rows: list[list[object]] = [
        ["architectures", f"{report['num_architectures']:,}"],
        [f"cells ({', '.join(report['cells'])})", f"{report['num_cells']:,}"],
        ["different up to isomorphism", report["num_distinct"]],
        *(list(count) for count in report["other_counts"].items()),
        ["cells without a path", f"{report['num_without_path']:,}"],
        ["cells with paths, none parameterised", f"{report['num_without_parameterised_path']:,}"],
        ["range of effective depth d", "{0[0]} to {0[1]}".format(report["range"]["depth"])],
        ["range of effective width m", "{0[0]} to {0[1]}".format(report["range"]["width"])],
        ["centre (d, m)", pair([float(x) for x in report["center"]])],
        ["radius", pair([float(x) for x in report["radius"]])],
        ["half radius", pair([float(x) for x in report["half_radius"]])],
        ["cells within half the radius", f"{100 * float(report['share_within_half_radius']):.3g} %"],
    ]
    if "paper" in report:
        paper = report["paper"]
        agrees = "agrees to its rounding" if paper["matches"] else "differs"
        rows.append(
            ["the paper: centre, half radius", f"{pair(paper['center'])}, {pair(paper['half_radius'])}: {agrees}"]
        )
    print_table(report["title"], ["quantity", "value"], rows)
    if "readings" in report.get("paper", {}):
        print_table(
            "Readings of the space, and whether they give the paper's numbers",
            ["reading", "centre", "half radius", "gives the paper's"],
            [
                [r["reading"], pair(r["center"]), pair(r["half_radius"]), _agreement(r)]
                for r in report["paper"]["readings"]
            ],
        )


def _agreement(reading: dict[str, Any]) -> str:
    if reading["probability"] is None:
        return "yes" if reading["matches"] else "no"
    return f"{100 * reading['probability']:.0f} % of samples"
