"""`nngp-dag reproduce exact-nasbench201`: exact kernels of NAS-Bench-201's cells against published accuracies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, seed_option, use_float64
from nngp_dag.cli.conv_options import normalization_option
from nngp_dag.cli.data import ImageSource, image_options
from nngp_dag.errors import InputError
from nngp_dag.support.files import make_folder, write_text
from nngp_dag.support.progress import progress_bar
from nngp_dag.support.strict_json import strict_json_text

__all__ = ["command"]


@click.command("exact-nasbench201")
@image_options()
@click.option(
    "--benchmark", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Accuracies of NAS-Bench-201."
)
@click.option("--sample", type=counts(10), default=200, show_default=True, help="Random cells; no two the same graph.")
@click.option("--all", "every", is_flag=True, help="All 8,765 cells that differ as graphs, which takes hours.")
@click.option("--images", "count", type=counts(2), default=30, show_default=True, help="Images, as many of each class.")
@click.option("--size", type=counts(1), default=8, show_default=True, help="Height and width of the images.")
@click.option(
    "--stages", type=counts(1), default=3, show_default=True, help="Stages of the networks, of one cell each."
)
@normalization_option
@click.option(
    "--finite",
    type=counts(0),
    default=100,
    show_default=True,
    metavar="N",
    help="Cells, the first of the sample, that NAS-WOT and TE-NAS' condition number of finite networks stand beside.",
)
@click.option(
    "--scores",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Rows of `nngp-dag score`, to stand beside instead.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    default="exact-nasbench201",
    show_default=True,
    help="Folder of the rows and of what follows from them.",
)
@click.option("--resamples", type=counts(1), default=1000, show_default=True, help="Bootstrap resamples.")
@seed_option
@json_option
@use_float64
def command(
    images: ImageSource,
    benchmark: Path,
    sample: int,
    every: bool,
    count: int,
    size: int,
    stages: int,
    normalization: str,
    finite: int,
    scores: Path | None,
    out: Path,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Exact NNGP and NTK of NAS-Bench-201's cells, and how they go with accuracy.

    A row per cell goes to cells.csv in --out as it is finished, and scores of finite networks to finite.csv; the same
    command goes on where it was, and more cells add to it. report.json holds correlations and verdicts.
    """
    from nngp_dag.accuracy import read
    from nngp_dag.reproduce.exact_nasbench201.finite import finite_scores
    from nngp_dag.reproduce.exact_nasbench201.report import MIN_CELLS, study_report
    from nngp_dag.reproduce.exact_nasbench201.scores_file import read_scores
    from nngp_dag.reproduce.exact_nasbench201.study import cells_in_order, run_study, study_data

    if 0 < finite < MIN_CELLS:
        raise InputError(f"--finite {finite}: 0 or at least {MIN_CELLS} cells are needed to compare scores on")
    table = read("nasbench201", benchmark)
    others = {} if scores is None else read_scores(scores)
    loaded = images.load()
    data = study_data(loaded, count, size)
    make_folder(out)
    cells = cells_in_order(seed, None if every else sample)
    rows = run_study(data, cells, out / "cells.csv", stages=stages, normalization=normalization, progress=progress_bar)
    if scores is None and finite:
        others = finite_scores(loaded, cells[:finite], out / "finite.csv", seed, progress_bar)
    report = study_report(rows, table, others, seed, resamples)
    document = {
        "data": loaded.source,
        "images": count,
        "size": size,
        "stages": stages,
        "normalization": normalization,
        "seed": seed,
        **report.as_dict(),
    }
    write_text(out / "report.json", strict_json_text(document, indent=1) + "\n")
    if as_json:
        emit_json(document)
    else:
        _print(document)


def _print(document: Mapping[str, Any]) -> None:
    for part in filter(None, (document, document["beside"])):
        for data, columns in part["correlations"].items():
            print_table(
                f"{data}: rank correlations with accuracy, {part['cells']:,} cells",
                ["", "Spearman", "convolutions fixed", "and parameters"],
                [[name, *map(_shown, found.values())] for name, found in columns.items()],
            )
    for found in document["statements"]:
        values = ", ".join(f"{name} {_shown(value)}" for name, value in found["values"].items())
        click.echo(f"{found['verdict']}: {found['statement']} ({values})")


def _shown(value: Mapping[str, float | None]) -> str:
    if any(value[key] is None or value[key] != value[key] for key in ("value", "low", "high")):
        return "-"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
