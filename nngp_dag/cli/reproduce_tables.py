"""`nngp-dag reproduce table-1`, `table-2`, `table-3`: the paper's values beside measured ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from nngp_dag.cli.common import counts, emit_json, json_option, seed_option
from nngp_dag.cli.data import ImageSource, image_options
from nngp_dag.cli.reproduce_tables_text import print_table_1, print_table_2, print_table_3
from nngp_dag.errors import InputError
from nngp_dag.support.files import make_folder, write_text
from nngp_dag.support.progress import progress_bar
from nngp_dag.support.reading_files import Kind, kind_of
from nngp_dag.support.strict_json import strict_json_text

if TYPE_CHECKING:
    from nngp_dag.accuracy import Benchmark
    from nngp_dag.reproduce.tables.table_1 import Table1
    from nngp_dag.reproduce.tables.table_2 import Table2
    from nngp_dag.reproduce.tables.table_3 import Table3

__all__ = ["table_1", "table_2", "table_3"]

_FILE = "nas_bench_201_test_accuracy.csv"
_T = TypeVar("_T", "Table1", "Table2", "Table3")

_images = image_options(
    "cifar10 (with an optional :N), or an .npz of images [N, h, w, 3] and labels.",
    "Folder with CIFAR-10, and with the benchmark.",
)
_benchmark = click.option(
    "--benchmark", type=click.Path(path_type=Path), metavar="FILE", help=f"Accuracies of NAS-Bench-201 ({_FILE})."
)
_profile = click.option(
    "--profile",
    type=click.Choice(["quick", "full"]),
    default="quick",
    show_default=True,
    help="One run at reduced sizes in minutes, or three at the paper's.",
)
_runs = click.option("--runs", type=counts(1), help="Runs, with seeds one apart (1 quick, 3 full).")
_out = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder (created) that keeps every run as it ends, and the table; a second start goes on.",
)


@click.command("table-1")
@_profile
@_runs
@_images
@_out
@seed_option
@json_option
def table_1(profile: str, runs: int | None, images: ImageSource, out: Path | None, seed: int, as_json: bool) -> None:
    """Search the DARTS space by NAS-WOT and TE-NAS, with and without the filter, as in Table 1: cost, and genotypes.

    Training what is found on ImageNet is out of scope: the test errors of Table 1 are not measured.
    """
    from nngp_dag.reproduce.tables.table_1 import reproduce

    found = images.load()
    table = reproduce(
        found, profile=profile, runs=runs, seed=seed, progress=_begins, out=_runs_file(out), bar=progress_bar
    )
    _finish(table, "table-1", out, as_json, print_table_1)


@click.command("table-2")
@_profile
@_runs
@_images
@_benchmark
@_out
@seed_option
@json_option
def table_2(
    profile: str,
    runs: int | None,
    images: ImageSource,
    benchmark: Path | None,
    out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Search NAS-Bench-201 by NAS-WOT, TE-NAS and FP-NAS, with and without the filter, as in Table 2."""
    from nngp_dag.reproduce.tables.table_2 import reproduce

    accuracies = _accuracies(benchmark, images.folder)
    found = images.load(size=32)
    table = reproduce(
        found,
        accuracies,
        profile=profile,
        runs=runs,
        seed=seed,
        progress=_begins,
        out=_runs_file(out),
        bar=progress_bar,
    )
    _finish(table, "table-2", out, as_json, print_table_2)


@click.command("table-3")
@click.option(
    "--profile", type=click.Choice(["quick", "full"]), default="quick", show_default=True, help="Two runs, or three."
)
@click.option("--runs", type=counts(1), help="Runs, with seeds one apart (2 quick, 3 full).")
@click.option("--num", type=counts(1), default=100, show_default=True, help="Architectures that a run draws.")
@_images
@_benchmark
@_out
@seed_option
@json_option
def table_3(
    profile: str,
    runs: int | None,
    num: int,
    images: ImageSource,
    benchmark: Path | None,
    out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Search NAS-Bench-201 by NAS-WOT under the ranges of Table 3, and list the cells found."""
    from nngp_dag.reproduce.tables.table_3 import reproduce

    accuracies = _accuracies(benchmark, images.folder)
    found = images.load(size=32)
    runs = runs or {"quick": 2, "full": 3}[profile]  # one run may find one cell under every range
    table = reproduce(
        found, accuracies, num=num, runs=runs, seed=seed, progress=_begins, out=_runs_file(out), bar=progress_bar
    )
    _finish(table, "table-3", out, as_json, print_table_3)


def _accuracies(path: Path | None, data_dir: Path | None) -> Benchmark:
    from nngp_dag.accuracy import read
    from nngp_dag.datasets.download import cache_folder

    if path is None:
        path = (data_dir or cache_folder()) / _FILE
        if kind_of(path, "read") is Kind.MISSING:
            raise InputError(f"no accuracies of NAS-Bench-201 at {path}: give --benchmark with a CSV file")
    return read("nasbench201", path)


def _runs_file(out: Path | None) -> Path | None:
    """The file of finished runs in a folder, which is created."""
    return None if out is None else make_folder(out) / "runs.jsonl"


def _finish(table: _T, name: str, out: Path | None, as_json: bool, show: Callable[[_T], None]) -> None:
    """Write and print a table; then name the runs that failed (InputError)."""
    document = table.as_dict()
    if out is not None:
        write_text(out / f"{name}.json", strict_json_text(document, indent=1) + "\n")
    if as_json:
        emit_json(document)
    else:
        show(table)
    failed = table.conditions.failed
    if failed:
        raise InputError(f"{len(failed)} runs failed: {'; '.join(failed)}")


def _begins(what: str) -> None:
    click.echo(f"nngp-dag: {what}", err=True)
