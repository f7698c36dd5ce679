"""`nngp-dag reproduce table-1`, `table-2`, `table-3`: the paper's figures beside measured ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, seed_option
from nngp_dag.errors import InputError
from nngp_dag.support.reading_files import Kind, kind_of

__all__ = ["table_1", "table_2", "table_3"]

_FILE = "nas_bench_201_test_accuracy.csv"

_data = click.option(
    "--data",
    default="cifar10",
    show_default=True,
    metavar="SPEC",
    help="cifar10 (with an optional :N), or an .npz of images [N, h, w, 3] and labels.",
)
_data_dir = click.option(
    "--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="Folder with CIFAR-10, and with the benchmark."
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


@click.command("table-1")
@_profile
@_runs
@_data
@_data_dir
@seed_option
@json_option
def table_1(profile: str, runs: int | None, data: str, data_dir: Path | None, seed: int, as_json: bool) -> None:
    """Search the DARTS space by NAS-WOT and TE-NAS, with and without the filter, as in Table 1: cost, and genotypes.

    Training what is found on ImageNet is out of scope: the test errors of Table 1 are not measured.
    """
    from nngp_dag.nas.images import load_images
    from nngp_dag.reproduce.tables.table_1 import reproduce

    document = reproduce(load_images(data, data_dir=data_dir), profile=profile, runs=runs, seed=seed, progress=_begins)
    if as_json:
        emit_json(document)
        return
    _print_costs(document, "paper, days", lambda paper: f"{paper['gpu_days']:g}")
    for row in document["rows"]:
        for depth, width, text in zip(
            row["effective_depth"], row["effective_width"], row["measured"]["architectures"], strict=True
        ):
            shapes = ", ".join(f"({d:.2f}, {m:.2f})" for d, m in zip(depth, width, strict=True))
            click.echo(f"{_search_name(row)}: (d, m) of the cells {shapes}\n  {text}")
        millions = ", ".join(f"{number / 1e6:.2f}" for number in row["parameters"])
        click.echo(f"  millions of parameters with C=36 and 20 cells: {millions}")
    _honest(document, accuracies=False)
    sizes = document["sizes"]
    click.echo(
        f"The paper searched on ImageNet. Sizes: NAS-WOT {sizes['num']} draws, C={sizes['wot']['channels']}, 8 cells,"
        f" batch {sizes['batch_size']}; TE-NAS {sizes['ntk_images']} images, {sizes['repeats']} repetitions."
        " Training on ImageNet is out of scope: Table 1's test errors are not measured."
    )


@click.command("table-2")
@_profile
@_runs
@_data
@_data_dir
@_benchmark
@seed_option
@json_option
def table_2(
    profile: str, runs: int | None, data: str, data_dir: Path | None, benchmark: Path | None, seed: int, as_json: bool
) -> None:
    """Search NAS-Bench-201 by NAS-WOT, TE-NAS and FP-NAS, with and without the filter, as in Table 2."""
    from nngp_dag.nas.images import load_images
    from nngp_dag.reproduce.tables.table_2 import reproduce

    accuracies = _accuracies(benchmark, data_dir)
    images = load_images(data, data_dir=data_dir, size=32)
    document = reproduce(images, accuracies, profile=profile, runs=runs, seed=seed, progress=_begins)
    if as_json:
        emit_json(document)
        return
    names = list(accuracies.accuracy)
    _print_accuracies(document, names)
    _print_costs(document, "paper, s", lambda paper: f"{paper['seconds']:.0f}")
    _honest(document)
    sizes = document["sizes"]
    click.echo(
        f"Sizes: NAS-WOT {sizes['num']} draws, C=16, N=5, batch {sizes['batch_size']}; TE-NAS {sizes['ntk_images']}"
        f" images, {sizes['repeats']} repetitions; FP-NAS C={sizes['fp_nas_channels']}, N={sizes['fp_nas_cells']},"
        f" {sizes['fp_nas']['warmup']} + {sizes['fp_nas']['steps']} steps. FP-NAS has no public implementation: this"
        " is a reading of its paper (nngp_dag.nas.search.fp_nas)."
    )


def _print_accuracies(document: dict[str, Any], names: list[str]) -> None:
    from nngp_dag.accuracy.table import short_name

    rows = []
    for row in document["rows"]:
        rows.append([_search_name(row), *(_shown(row["measured"]["accuracy"][name]) for name in names)])
        if row["paper"] is not None:
            rows.append(["  paper", *(_shown(row["paper"]["accuracy"][name]) for name in names)])
    rows.append(["optimal", *(f"{document['optimal'][name]:.2f}" for name in names)])
    print_table(f"Table 2: test accuracy, {document['runs']} runs", ["search", *map(short_name, names)], rows)


def _print_costs(document: dict[str, Any], paper_column: str, paper_cost: Callable[[dict[str, Any]], str]) -> None:
    """The costs of searches, and the savings of the filter, in the paper and here."""
    rows = []
    for row in document["rows"]:
        measured, paper, saving = row["measured"], row["paper"] or {}, row["measured"]["saving"] or {}
        rows.append(
            [
                _search_name(row),
                paper_cost(paper) if paper else "",
                _shown(measured["seconds"], ".0f"),
                f"{measured['evaluations']:.0f} of {measured['candidates']:.0f}",
                _percent(paper.get("saving")),
                _percent(saving.get("seconds")),
                _percent(saving.get("evaluations")),
            ]
        )
    print_table(
        f"Table {document['table']}: search cost ({document['runs']} runs), and what the filter saves of it in percent:"
        " of the paper's cost, of seconds, of evaluations",
        ["search", paper_column, "s", "evaluated", "paper %", "s %", "ev. %"],
        rows,
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


@click.command("table-3")
@_profile
@_runs
@click.option("--num", type=counts(1), default=100, show_default=True, help="Architectures that a run draws.")
@_data
@_data_dir
@_benchmark
@seed_option
@json_option
def table_3(
    profile: str,
    runs: int | None,
    num: int,
    data: str,
    data_dir: Path | None,
    benchmark: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Search NAS-Bench-201 by NAS-WOT under the ranges of Table 3."""
    from nngp_dag.nas.images import load_images
    from nngp_dag.reproduce.tables.table_3 import reproduce

    accuracies = _accuracies(benchmark, data_dir)
    images = load_images(data, data_dir=data_dir, size=32)
    runs = runs or {"quick": 1, "full": 3}[profile]
    document = reproduce(images, accuracies, num=num, runs=runs, seed=seed, progress=_begins)
    if as_json:
        emit_json(document)
        return
    from nngp_dag.accuracy.table import short_name

    names = list(accuracies.accuracy)
    rows = []
    for row in document["rows"]:
        measured = row["measured"]
        rows.append(
            [
                _range_name(row["filter"]),
                "" if row["paper_cifar100"] is None else _shown(row["paper_cifar100"]),
                *(_shown(measured["accuracy"][name]) for name in names),
                f"{measured['evaluations']:.0f}",
                f"{measured['seconds'][0]:.0f}",
                f"{measured['saving_seconds']:.0f}",
            ]
        )
    print_table(
        f"Table 3, {runs} runs of {num} draws",
        ["range", "paper C-100", *map(short_name, names), "evaluated", "s", "saved %"],
        rows,
    )
    _honest(document)


def _accuracies(path: Path | None, data_dir: Path | None) -> Any:
    from nngp_dag.accuracy import read
    from nngp_dag.datasets.download import cache_folder

    if path is None:
        path = (data_dir or cache_folder()) / _FILE
        if kind_of(path) is Kind.MISSING:
            raise InputError(f"no accuracies of NAS-Bench-201 at {path}: give --benchmark with a CSV file")
    return read("nasbench201", path)


def _range_name(name: str) -> str:
    """The name of a row of Table 3, as the paper writes its ranges."""
    if name.startswith("radius:"):
        return f"{name.removeprefix('radius:')} radius"
    return {"none": "no filter"}.get(name, "largest, no net" if name.startswith("largest") else name)


def _begins(what: str) -> None:
    click.echo(f"nngp-dag: {what}", err=True)


def _honest(document: dict[str, Any], accuracies: bool = True) -> None:
    words = "One run: no deviations. " if document["runs"] == 1 else ""
    looked_up = " Accuracies are the benchmark file's, whatever images the search saw." if accuracies else ""
    click.echo(
        f"{words}Measured on {document['device']}, images: {document['images']}. The paper's costs are those of a GTX"
        " 1080Ti on its own images: savings compare, seconds do not. Compilation is not counted. Networks that pass the"
        " filter have more convolutions than others, so NAS-WOT and FP-NAS tend to save fewer seconds than evaluations."
        f"{looked_up}"
    )


def _search_name(row: dict[str, Any]) -> str:
    return str(row["search"]) + ("" if row["filter"] == "none" else f" + {row['filter']}")


def _shown(pair: tuple[float, float | None], digits: str = ".2f") -> str:
    mean, deviation = pair
    return f"{mean:{digits}}" + ("" if deviation is None else f" ({deviation:{digits}})")
