"""`nngp-dag score`: scores of untrained networks, a row an architecture; goes on where it was killed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click
import numpy as np

from nngp_dag.cli.common import emit_json, json_option, print_table, seed_option
from nngp_dag.errors import InputError

__all__ = ["command"]

_RANKED = 3
"""The least number of architectures that are ranked."""


@click.command("score")
@click.argument("names", metavar="SCORE,...")
@click.option("--space", "space_name", default="nasbench201", show_default=True, help="nasbench201 or darts.")
@click.option(
    "--data",
    default="cifar10",
    show_default=True,
    metavar="SPEC",
    help="cifar10, cifar10-test (with an optional :N), or an .npz or .npy of images [N, h, w, 3].",
)
@click.option("--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="Folder with the CIFAR-10 files.")
@click.option(
    "--archs", type=click.File("rb", lazy=False), metavar="FILE", help="Architectures, a line each; - for stdin."
)
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="N random architectures instead.")
@click.option("--benchmark", type=click.Path(path_type=Path), metavar="FILE", help="Accuracies to correlate with.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Rows go here: .csv or .jsonl.")
@click.option("--batch-size", type=click.IntRange(min=2), help="Images of a batch (128 for wot, 32 for ntk-cond).")
@click.option("--channels", type=click.IntRange(min=1), help="C of the network that wot scores (16).")
@click.option("--cells", type=click.IntRange(min=1), help="N, cells of a stage of that network (5; darts 2).")
@click.option(
    "--wot-weights",
    type=click.Choice(["once", "released"]),
    default="once",
    show_default=True,
    help="Count every ReLU once, or as often as NAS-WOT's released code does.",
)
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="k of the top-k recall.")
@click.option("--skip-bad", is_flag=True, help="Count lines of --archs that cannot be read and go on.")
@seed_option
@json_option
def command(
    names: str,
    space_name: str,
    data: str,
    data_dir: Path | None,
    archs: IO[bytes] | None,
    sample: int | None,
    benchmark: Path | None,
    out: Path | None,
    batch_size: int | None,
    channels: int | None,
    cells: int | None,
    wot_weights: str,
    top: int,
    skip_bad: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Score architectures without training them; a row each as it is finished.

    SCORE is one or more of wot, ntk-cond, linear-regions, effective-depth, effective-width, num-parameterised,
    parameters, multiply-adds. The last five, trivial baselines, always stand beside the others. Without --archs or
    --sample all architectures of the space are scored. With --out a run that was killed goes on where it stopped.
    """
    from nngp_dag.accuracy import read
    from nngp_dag.nas.images import load_images
    from nngp_dag.nas.networks.registry import space_networks
    from nngp_dag.nas.scores.registry import SCORES, score
    from nngp_dag.nas.scores.scorer import Scorer
    from nngp_dag.support.rows import check_path

    if archs is not None and sample is not None:
        raise click.UsageError("Give either --archs or --sample, not both.")
    if out is not None:
        check_path(out)
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    needs_images = [name for name in chosen if score(name).batch is not None]
    if not chosen:
        raise InputError(f"no score given: accepted are {', '.join(SCORES)}")
    networks = space_networks(space_name).resized(channels, cells)
    table = None if benchmark is None else read(networks.space, benchmark)
    images = load_images(data, data_dir=data_dir) if needs_images else None
    scorer = Scorer.make(
        chosen,
        networks,
        images,
        seed=seed,
        batch_size=batch_size,
        options={"wot": {"weights": wot_weights}} if "wot" in chosen else None,
    )
    known = None if table is None else {genes.tobytes(): i for i, genes in enumerate(table.architectures)}
    source = _Source(networks, archs, sample, seed, skip_bad, known, benchmark)
    rows, resumed = _run(scorer, source, out, scorer.settings(wot_weights=wot_weights), as_json)
    rankings = {} if table is None else _rankings(scorer, rows, table, known or {}, top, seed)
    if as_json:
        emit_json(
            {
                "space": networks.space.name,
                "scores": scorer.names,
                "data": None if images is None else images.source,
                "seed": seed,
                "num_bad": source.bad,
                "num_duplicates": source.duplicates,
                "num_resumed": resumed,
                "rows": rows,
                "correlations": rankings,
            }
        )
    else:
        _print_rankings(rankings)
    if source.bad or source.duplicates:
        click.echo(
            f"nngp-dag: skipped {source.bad} lines that could not be read, {source.duplicates} duplicates", err=True
        )


class _Source:
    """The architectures to score, each once, in the space's notation."""

    def __init__(
        self,
        networks: Any,
        file: IO[bytes] | None,
        sample: int | None,
        seed: int,
        skip_bad: bool,
        known: dict[bytes, int] | None,
        benchmark: Path | None,
    ) -> None:
        space = networks.space
        self.networks, self.space, self.file, self.sample, self.seed = networks, space, file, sample, seed
        self.skip_bad, self.known, self.benchmark = skip_bad, known, benchmark
        self.bad = self.duplicates = 0
        self.total: int | None = None
        if file is None:
            self.total = space.num_architectures if sample is None else sample
            if sample is None and len(space.cells) > 1:
                raise InputError(f"{space.title} is too large to be scored as a whole: give --archs or --sample")

    def __iter__(self) -> Iterator[str]:
        seen: set[bytes] = set()
        for where, rows in self._all():
            if self.known is not None and rows.tobytes() not in self.known:
                error = InputError(f"{where}{self.space.write(rows)} is not in {self.benchmark}")
                if not self.skip_bad:
                    raise error
                self.bad += 1
                continue
            if rows.tobytes() in seen:
                self.duplicates += 1
                continue
            seen.add(rows.tobytes())
            yield self.space.write(rows)

    def _all(self) -> Iterator[tuple[str, np.ndarray]]:
        if self.file is not None:
            for number, raw in enumerate(self.file, start=1):
                line = raw.decode("utf-8", errors="replace").strip()
                if not line:
                    continue
                try:
                    rows = self.space.parse(line)
                    self.networks.genes(rows)  # some genotypes can be written, but have no network
                except InputError as error:
                    if not self.skip_bad:
                        raise InputError(f"line {number}: {error}") from None
                    self.bad += 1
                    continue
                yield f"line {number}: ", rows
        elif self.sample is not None:
            for rows in self.space.sample(self.sample, np.random.default_rng(self.seed)):
                yield "", rows
        else:
            for chunk in self.space.cells_in_chunks():
                for row in chunk:
                    yield "", row[None]


def _run(
    scorer: Any, source: _Source, out: Path | None, settings: str, quiet: bool
) -> tuple[list[dict[str, Any]], int]:
    """Score what is not in `out` yet; the rows in the order of the source, and how many were there before."""
    from contextlib import nullcontext

    from nngp_dag.support.progress import progress_bar
    from nngp_dag.support.rows import RowFile

    rows: list[dict[str, Any]] = []
    resumed = 0
    journal: Any = nullcontext() if out is None else RowFile(out, scorer.columns, settings, scorer.worst)
    with journal as file, progress_bar("Scores", source.total or 0, "architectures") as advance:
        done = {} if file is None else file.rows
        if out is None and not quiet:
            click.echo(",".join(scorer.columns))
        for text in source:
            if text in done:
                row = {column: done[text][column] for column in scorer.columns}
                resumed += 1
            else:
                row = scorer.row(text)
                if file is not None:
                    file.add(row)
            if out is None and not quiet:
                click.echo(",".join(_field(row[column]) for column in scorer.columns))
                sys.stdout.flush()
            rows.append(row)
            advance(len(rows))
    if out is not None and not quiet:
        click.echo(f"{len(rows):,} architectures in {out}" + (f" ({resumed:,} of them from before)" if resumed else ""))
    return rows, resumed


def _field(value: Any) -> str:
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return f'"{text}"' if "," in text else text


def _rankings(
    scorer: Any, rows: list[dict[str, Any]], table: Any, known: dict[bytes, int], top: int, seed: int
) -> dict[str, Any]:
    """By data set and score, rank correlations with the benchmark's accuracies."""
    from nngp_dag.nas.scores.ranking import rank
    from nngp_dag.nas.scores.registry import SCORES

    if len(rows) < _RANKED:
        click.echo(f"nngp-dag: no rank correlations: {len(rows)} architectures, {_RANKED} are needed", err=True)
        return {}
    index = [known[table.space.parse(row["architecture"]).tobytes()] for row in rows]
    return {
        data: {
            name: rank(
                [row[name] for row in rows],
                accuracy[index],
                higher_is_better=SCORES[name].higher_is_better,
                top=top,
                rng=np.random.default_rng(seed),
            ).as_dict()
            for name in scorer.names
        }
        for data, accuracy in table.accuracy.items()
    }


def _print_rankings(rankings: dict[str, Any]) -> None:
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
