"""`nngp-dag score`: scores of untrained networks, a row per architecture; goes on where it was killed."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import click

from nngp_dag.cli.common import counts, emit_json, json_option, seed_option
from nngp_dag.cli.data import ImageSource, LinesFile, image_options
from nngp_dag.cli.score_options import score_list
from nngp_dag.cli.score_tables import print_comparisons, print_rankings, print_stabilities
from nngp_dag.cli.scorer_options import ScorerChoices, scorer_options
from nngp_dag.cli.streams import reader_left
from nngp_dag.errors import InputError, accepted_text
from nngp_dag.support.progress import progress_bar
from nngp_dag.support.reading_files import bounded_lines
from nngp_dag.support.row_format import Cell, Row

if TYPE_CHECKING:
    from nngp_dag.accuracy import Benchmark
    from nngp_dag.nas.scores.scorer import Scorer

__all__ = ["command"]

_ByDataAndScore: TypeAlias = dict[str, dict[str, dict[str, Any]]]

_HELP = f"""Score architectures without training them; a row per architecture as it is finished.

SCORE is one or more of {score_list()}, which always stand beside the others. Without --archs or --sample all
architectures of the space are scored. With --out a run that was killed goes on where it stopped.
"""


@click.command("score", help=_HELP)
@click.argument("names", metavar="SCORE,...")
@image_options()
@click.option("--archs", type=LinesFile(), metavar="FILE", help="Architectures, one per line; - for stdin.")
@click.option("--sample", type=counts(1), metavar="N", help="N random architectures instead.")
@click.option("--benchmark", type=click.Path(path_type=Path), metavar="FILE", help="Accuracies to correlate with.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Rows go here: .csv or .jsonl.")
@scorer_options
@click.option("--top", type=counts(1), default=10, show_default=True, help="k of the precision at the top k.")
@click.option("--skip-bad", is_flag=True, help="Count lines of --archs that cannot be read and go on.")
@seed_option
@json_option
def command(
    names: str,
    images: ImageSource,
    archs: BinaryIO | None,
    sample: int | None,
    benchmark: Path | None,
    out: Path | None,
    scoring: ScorerChoices,
    top: int,
    skip_bad: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Score architectures without training them (`_HELP`)."""
    from nngp_dag.accuracy import read
    from nngp_dag.nas.scores.registry import SCORES, score
    from nngp_dag.nas.scores.run import check_rows_file, score_architectures
    from nngp_dag.nas.scores.source import ArchitectureSource

    if archs is not None and sample is not None:
        raise click.UsageError("Give either --archs or --sample, not both.")
    if out is not None:
        check_rows_file(out, [benchmark, images.file, LinesFile.path_of(archs)])
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    needs_images = [name for name in chosen if score(name).batch is not None]
    if not chosen:
        raise InputError(accepted_text("no score given", SCORES))
    networks = scoring.networks()
    table = None if benchmark is None else read(networks.space, benchmark)
    loaded = images.load() if needs_images else None
    scorer = scoring.scorer(chosen, networks, loaded, seed)
    lines = None if archs is None else bounded_lines(archs)
    source = ArchitectureSource(networks, lines, sample, seed=seed, skip_bad=skip_bad, benchmark=table)
    on_row = None if as_json or out is not None else _print_rows(scorer.columns)
    threads = None if archs is None or _is_on_disk(archs) else 1  # whoever writes a pipe may wait for each row
    scored = score_architectures(
        scorer, source, out, on_row=on_row, total=source.total, threads=threads, progress=progress_bar
    )
    rankings, comparisons = ({}, {}) if table is None else _rankings(scorer, scored.rows, table, top, seed)
    stabilities = _stabilities(scorer, scored.rows)
    if as_json:
        given = {"data": None if loaded is None else loaded.source, "seed": seed, **scoring.as_dict()}
        found = {"num_bad": source.bad, "num_duplicates": source.duplicates, "num_resumed": scored.num_resumed}
        head = {"space": networks.space.name, "scores": scorer.names, **given, **found}
        ranked = {"correlations": rankings, "against_best_baseline": comparisons}
        emit_json({**head, "rows": scored.rows, "rank_stability": stabilities, **ranked})
    else:
        if out is not None:
            resumed = f" ({scored.num_resumed:,} of them from before)" if scored.num_resumed else ""
            click.echo(f"{len(scored.rows):,} architectures in {out}{resumed}")
        print_rankings(rankings)
        print_comparisons(comparisons)
        print_stabilities(stabilities, scoring.repeats)
    if source.bad or source.duplicates:
        click.echo(
            f"nngp-dag: skipped {source.bad} lines that could not be read, {source.duplicates} duplicates", err=True
        )


def _is_on_disk(file: BinaryIO) -> bool:
    """True for a file whose lines are all there."""
    return file is not sys.stdin.buffer and stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def _print_rows(columns: Sequence[str]) -> Callable[[Row], None]:
    """Print the columns; the function that prints a row below them at once."""
    click.echo(",".join(columns))

    def print_row(row: Row) -> None:
        click.echo(",".join(_field(row[column]) for column in columns))
        sys.stdout.flush()
        if reader_left():
            raise click.exceptions.Exit(0)  # nobody reads what the next rows would cost

    return print_row


def _field(value: Cell) -> str:
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return f'"{text}"' if "," in text else text


def _rankings(
    scorer: Scorer, rows: Sequence[Row], benchmark: Benchmark, top: int, seed: int
) -> tuple[_ByDataAndScore, _ByDataAndScore]:
    """Rank correlations, and their differences to the best baseline's, as plain values; none of too few rows."""
    from nngp_dag.nas.scores.run import MIN_RANKED, compare_scores, rank_scores

    if len(rows) < MIN_RANKED:
        click.echo(f"nngp-dag: no rank correlations: {len(rows)} architectures, {MIN_RANKED} are needed", err=True)
        return {}, {}
    found = rank_scores(scorer, rows, benchmark, top=top, seed=seed)
    compared = compare_scores(scorer, rows, benchmark, seed=seed)
    return (
        {data: {name: ranking.as_dict() for name, ranking in scores.items()} for data, scores in found.items()},
        {data: {name: paired.as_dict() for name, paired in scores.items()} for data, scores in compared.items()},
    )


def _stabilities(scorer: Scorer, rows: Sequence[Row]) -> dict[str, float]:
    """By score, the rank correlation between draws; none where there are too few rows or a single draw."""
    from nngp_dag.nas.scores.run import MIN_RANKED, rank_stabilities

    return rank_stabilities(scorer, rows) if len(rows) >= MIN_RANKED else {}
