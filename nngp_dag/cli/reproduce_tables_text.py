"""Tables 1 to 3 as text: the paper's values beside measured ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from nngp_dag.cli.common import print_table

if TYPE_CHECKING:
    from nngp_dag.reproduce.tables.measured import Measured, Saving
    from nngp_dag.reproduce.tables.runs import Conditions
    from nngp_dag.reproduce.tables.table_1 import Table1, Table1Row
    from nngp_dag.reproduce.tables.table_2 import Table2, Table2Row
    from nngp_dag.reproduce.tables.table_3 import FoundCells, Table3

__all__ = ["print_table_1", "print_table_2", "print_table_3"]


def print_table_1(table: Table1) -> None:
    """Print Table 1: costs, and the genotypes found."""
    costs = [(row, f"{row.paper['gpu_days']:g}", row.paper["saving"]) for row in table.rows]
    _print_costs(1, table.conditions.runs, "paper, days", [_cost(*cost) for cost in costs])
    for row in table.rows:
        _print_genotypes(row)
    _honest(table.conditions, accuracies=False)
    sizes = table.settings
    click.echo(
        f"The paper searched on ImageNet. Sizes: NAS-WOT {sizes.num} draws, C={table.wot.channels}, 8 cells,"
        f" batch {sizes.batch_size}; TE-NAS {sizes.ntk_images} images, {sizes.repeats} repetitions."
        " Training on ImageNet is out of scope: Table 1's test errors are not measured."
    )


def _print_genotypes(row: Table1Row) -> None:
    for depth, width, text in zip(row.effective_depth, row.effective_width, row.measured.architectures, strict=True):
        shapes = ", ".join(f"({d:.2f}, {m:.2f})" for d, m in zip(depth, width, strict=True))
        click.echo(f"{_search_name(row)}: (d, m) of the cells {shapes}\n  {text}")
    millions = ", ".join(f"{number / 1e6:.2f}" for number in row.parameters)
    click.echo(f"  millions of parameters with C=36 and 20 cells: {millions}")


def print_table_2(table: Table2) -> None:
    """Print Table 2: accuracies, and costs."""
    _print_accuracies(table)
    costs = [
        (row, "" if row.paper is None else f"{row.paper.seconds:.0f}", None if row.paper is None else row.paper.saving)
        for row in table.rows
    ]
    _print_costs(2, table.conditions.runs, "paper, s", [_cost(*cost) for cost in costs])
    _honest(table.conditions)
    sizes = table.settings
    click.echo(
        f"Sizes: NAS-WOT {sizes.num} draws, C=16, N=5, batch {sizes.batch_size}; TE-NAS {sizes.ntk_images}"
        f" images, {sizes.repeats} repetitions; FP-NAS C={table.fp_nas_channels}, N={table.fp_nas_cells},"
        f" {sizes.fp_nas.warmup} + {sizes.fp_nas.steps} steps. FP-NAS has no public implementation: this"
        " is a reading of its paper (nngp_dag.nas.search.fp_nas)."
    )


def _print_accuracies(table: Table2) -> None:
    from nngp_dag.accuracy.table import short_name

    names = list(table.optimal)
    rows = []
    for row in table.rows:
        rows.append([_search_name(row), *(_shown(row.measured.accuracy[name]) for name in names)])
        if row.paper is not None:
            rows.append(["  paper", *map(_shown, row.paper.accuracy)])
    rows.append(["optimal", *(f"{table.optimal[name]:.2f}" for name in names)])
    print_table(f"Table 2: test accuracy, {table.conditions.runs} runs", ["search", *map(short_name, names)], rows)


def _cost(row: Table1Row | Table2Row, paper: str, paper_saving: float | None) -> list[str]:
    """The cost of a search, in the paper and here, and what the filter saves of it."""
    measured: Measured = row.measured
    saved: Saving | None = row.saving
    return [
        _search_name(row),
        paper,
        _shown(measured.seconds, ".0f"),
        f"{measured.evaluations:.0f} of {measured.candidates:.0f}",
        _percent(paper_saving),
        _percent(None if saved is None else saved.seconds),
        _percent(None if saved is None else saved.evaluations),
    ]


def _print_costs(number: int, runs: int, paper_column: str, rows: Sequence[Sequence[str]]) -> None:
    print_table(
        f"Table {number}: search cost ({runs} runs), and what the filter saves of it in percent:"
        " of the paper's cost, of seconds, of evaluations",
        ["search", paper_column, "s", "evaluated", "paper %", "s %", "ev. %"],
        rows,
    )


def print_table_3(table: Table3) -> None:
    """Print Table 3: accuracies and costs by range, and the cells found."""
    from nngp_dag.accuracy.table import short_name

    names = list(table.rows[-1].measured.accuracy)
    rows = [
        [
            _range_name(row.filter),
            "" if row.paper_cifar100 is None else _shown(row.paper_cifar100),
            *(_shown(row.measured.accuracy[name]) for name in names),
            f"{row.measured.evaluations:.0f}",
            f"{row.measured.seconds[0]:.0f}",
            _percent(row.saving_seconds),
        ]
        for row in table.rows
    ]
    print_table(
        f"Table 3, {table.conditions.runs} runs of {table.num} draws",
        ["range", "paper C-100", *map(short_name, names), "evaluated", "s", "saved %"],
        rows,
    )
    if table.one_cell_each:
        click.echo("In every run all ranges found the same cell: these accuracies tell no range from another.")
    else:
        for group in table.alike:
            ranges = ", ".join(map(_range_name, group))
            click.echo(
                f"The same cell in every run: {ranges}. These accuracies do not tell them apart; more --runs may."
            )
    for found in table.found:
        _print_found(found)
    _honest(table.conditions)


def _print_found(found: FoundCells) -> None:
    for cell, ranges in found.cells.items():
        by = "all ranges" if len(found.cells) == 1 else ", ".join(map(_range_name, ranges))
        click.echo(f"seed {found.seed}, {by}: {cell}")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _range_name(name: str) -> str:
    """The name of a row of Table 3, as the paper writes its ranges."""
    if name.startswith("radius:"):
        return f"{name.removeprefix('radius:')} radius"
    return {"none": "no filter"}.get(name, "largest, no net" if name.startswith("largest") else name)


def _honest(conditions: Conditions, accuracies: bool = True) -> None:
    words = "One run: no deviations. " if conditions.runs == 1 else ""
    looked_up = " Accuracies are the benchmark file's, whatever images the search saw." if accuracies else ""
    click.echo(
        f"{words}Measured on {conditions.device}, images: {conditions.images}. The paper's costs are those of a GTX"
        " 1080Ti on its own images: savings compare, seconds do not. Compilation is not counted. Networks that pass the"
        " filter have more convolutions than others, so NAS-WOT and FP-NAS tend to save fewer seconds than evaluations."
        f"{looked_up}"
    )


def _search_name(row: Table1Row | Table2Row) -> str:
    return row.search + ("" if row.filter == "none" else f" + {row.filter}")


def _shown(pair: tuple[float, float | None], digits: str = ".2f") -> str:
    mean, deviation = pair
    return f"{mean:{digits}}" + ("" if deviation is None else f" ({deviation:{digits}})")
