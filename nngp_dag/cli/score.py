"""`nngp-dag score`: scores of untrained networks, a row per architecture; goes on where it was killed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
import numpy as np

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, seed_option
from nngp_dag.cli.data import ImageSource, image_options
from nngp_dag.cli.score_options import batch_sizes, by_score, score_list, score_options
from nngp_dag.cli.streams import reader_left
from nngp_dag.errors import InputError
from nngp_dag.support.progress import progress_bar
from nngp_dag.support.row_format import Cell, Row

if TYPE_CHECKING:
    from nngp_dag.accuracy import Benchmark
    from nngp_dag.nas.scores.scorer import Scorer

__all__ = ["command"]

_HELP = f"""Score architectures without training them; a row per architecture as it is finished.

SCORE is one or more of {score_list()}, which always stand beside the others. Without --archs or --sample all
architectures of the space are scored. With --out a run that was killed goes on where it stopped.
"""


@click.command("score", help=_HELP)
@click.argument("names", metavar="SCORE,...")
@click.option("--space", "space_name", default="nasbench201", show_default=True, help="nasbench201 or darts.")
@image_options()
@click.option(
    "--archs", type=click.File("rb", lazy=False), metavar="FILE", help="Architectures, a line each; - for stdin."
)
@click.option("--sample", type=counts(1), metavar="N", help="N random architectures instead.")
@click.option("--benchmark", type=click.Path(path_type=Path), metavar="FILE", help="Accuracies to correlate with.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Rows go here: .csv or .jsonl.")
@click.option("--batch-size", type=counts(2), help=f"Images of a batch ({batch_sizes()}).")
@click.option("--channels", type=counts(1), help="C of the network that wot scores (16).")
@click.option("--cells", type=counts(1), help="N, cells of a stage of that network (5; darts 2).")
@score_options()
@click.option("--top", type=counts(1), default=10, show_default=True, help="k of the top-k recall.")
@click.option("--skip-bad", is_flag=True, help="Count lines of --archs that cannot be read and go on.")
@seed_option
@json_option
def command(
    names: str,
    space_name: str,
    images: ImageSource,
    archs: IO[bytes] | None,
    sample: int | None,
    benchmark: Path | None,
    out: Path | None,
    batch_size: int | None,
    channels: int | None,
    cells: int | None,
    top: int,
    skip_bad: bool,
    seed: int,
    as_json: bool,
    **options: str,
) -> None:
    """Score architectures without training them (`_HELP`)."""
    from nngp_dag.accuracy import read
    from nngp_dag.nas.networks.registry import space_networks
    from nngp_dag.nas.scores.registry import SCORES, score
    from nngp_dag.nas.scores.run import check_rows_file, score_architectures
    from nngp_dag.nas.scores.scorer import Scorer
    from nngp_dag.nas.scores.source import ArchitectureSource

    if archs is not None and sample is not None:
        raise click.UsageError("Give either --archs or --sample, not both.")
    if out is not None:
        check_rows_file(out)
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    needs_images = [name for name in chosen if score(name).batch is not None]
    if not chosen:
        raise InputError(f"no score given: accepted are {', '.join(SCORES)}")
    networks = space_networks(space_name).resized(channels, cells)
    table = None if benchmark is None else read(networks.space, benchmark)
    loaded = images.load() if needs_images else None
    scorer = Scorer.make(chosen, networks, loaded, seed=seed, batch_size=batch_size, options=by_score(options))
    source = ArchitectureSource(networks, archs, sample, seed=seed, skip_bad=skip_bad, benchmark=table)
    on_row = None if as_json or out is not None else _print_rows(scorer.columns)
    scored = score_architectures(scorer, source, out, on_row=on_row, total=source.total, progress=progress_bar)
    rankings = {} if table is None else _rankings(scorer, scored.rows, table, top, seed)
    if as_json:
        given = {"data": None if loaded is None else loaded.source, "seed": seed}
        counts = {"num_bad": source.bad, "num_duplicates": source.duplicates, "num_resumed": scored.num_resumed}
        head = {"space": networks.space.name, "scores": scorer.names, **given, **counts}
        emit_json({**head, "rows": scored.rows, "correlations": rankings})
    else:
        if out is not None:
            resumed = f" ({scored.num_resumed:,} of them from before)" if scored.num_resumed else ""
            click.echo(f"{len(scored.rows):,} architectures in {out}{resumed}")
        _print_rankings(rankings)
    if source.bad or source.duplicates:
        click.echo(
            f"nngp-dag: skipped {source.bad} lines that could not be read, {source.duplicates} duplicates", err=True
        )


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
) -> dict[str, dict[str, dict[str, Any]]]:
    """By data set and score, rank correlations as plain numbers; none where there are too few rows."""
    from nngp_dag.nas.scores.run import MIN_RANKED, rank_scores

    if len(rows) < MIN_RANKED:
        click.echo(f"nngp-dag: no rank correlations: {len(rows)} architectures, {MIN_RANKED} are needed", err=True)
        return {}
    found = rank_scores(scorer, rows, benchmark, top=top, seed=seed)
    return {data: {name: ranking.as_dict() for name, ranking in scores.items()} for data, scores in found.items()}


def _print_rankings(rankings: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    for data, scores in rankings.items():
        first = next(iter(scores.values()))
        print_table(
            f"Rank correlation with accuracy on {data}, {first['size']} architectures (95 % bootstrap intervals)",
            ["score", "Spearman", "Kendall", f"recall of the top {first['top']}"],
            [
                [name, *(_estimate(values[key]) for key in ("spearman", "kendall", "top_recall"))]
                for name, values in scores.items()
            ],
        )


def _estimate(value: dict[str, float]) -> str:
    if np.isnan(value["value"]):
        return "undefined"
    return f"{value['value']:.2f} [{value['low']:.2f}, {value['high']:.2f}]"
