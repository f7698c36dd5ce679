"""`nngp-dag reproduce figure-5`: Figure 5 on NAS-Bench-201 with three convolutions per cell, as the paper draws it."""

from __future__ import annotations

from pathlib import Path

import click

from nngp_dag.cli.common import counts, emit_json, json_option, seed_option
from nngp_dag.cli.space import run_benchmark
from nngp_dag.errors import InputError
from nngp_dag.support.reading_files import Kind, kind_of

__all__ = ["FILE", "command"]

FILE = "nas_bench_201_test_accuracy.csv"
"""The file that is looked for in the data folder."""


@click.command("figure-5")
@click.option("--benchmark", type=click.Path(path_type=Path), help=f"CSV file or NATS-Bench folder ({FILE}).")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder with the benchmark (the cache folder).")
@click.option("--fixed-parameterised", type=counts(0), default=3, show_default=True, help="Convolutions.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    default="figure-5",
    show_default=True,
    help="Folder of the figure and its tables.",
)
@click.option("--resamples", type=counts(1), default=1000, show_default=True, help="Bootstrap resamples.")
@seed_option
@json_option
def command(
    benchmark: Path | None,
    data_dir: Path | None,
    fixed_parameterised: int,
    out: Path,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Figure 5 for each data set of NAS-Bench-201: figure as PNG and PDF, tables as CSV, all numbers as JSON, in
    --out.
    """
    from nngp_dag.datasets.download import cache_folder
    from nngp_dag.spaces import get

    if benchmark is None:
        benchmark = (data_dir or cache_folder()) / FILE
        if kind_of(benchmark) is Kind.MISSING:
            raise InputError(
                f"no accuracies of NAS-Bench-201 at {benchmark}: give --benchmark with a CSV file"
                " (architecture,cifar10,...) or the publisher's NATS-Bench folder (NATS-tss-v1_0-3ffb9-simple)"
            )
    report, document = run_benchmark(get("nasbench201"), [benchmark], fixed_parameterised, out, seed, resamples)
    if as_json:
        emit_json(document)
    else:
        from nngp_dag.cli.benchmark_tables import print_benchmark

        print_benchmark(report, out)
