"""Many architectures scored into a file that keeps every row; a run that was killed goes on where it was.

scorer = Scorer.make(["wot"], nngp_dag.nas.space_networks("nasbench201"), images)
scored = score_architectures(scorer, architectures, out=Path("scores.csv"))
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nngp_dag.accuracy import Benchmark
from nngp_dag.errors import InputError
from nngp_dag.nas.scores.comparison import ScoreComparison, compare
from nngp_dag.nas.scores.ranking import Ranking, rank, rank_stability
from nngp_dag.nas.scores.registry import SCORES
from nngp_dag.nas.scores.scorer import Scorer
from nngp_dag.support.files import check_writable
from nngp_dag.support.progress import ProgressBar, no_progress
from nngp_dag.support.row_format import Row, row_format
from nngp_dag.support.table import GrowingTable

__all__ = [
    "MIN_RANKED",
    "Scored",
    "check_rows_file",
    "compare_scores",
    "draws_of",
    "rank_scores",
    "rank_stabilities",
    "score_architectures",
]

_SUFFIXES = (".csv", ".jsonl")
_ANOTHER_RUN = "another run (other scores, data, sizes or seed)"

MIN_RANKED = 3
"""The least number of architectures that are ranked."""


@dataclass(frozen=True)
class Scored:
    """Scores of many architectures.

    Attributes:
        rows: by the columns of the scorer, in the order in which the architectures were given.
        num_resumed: number of rows that were in the file before.
    """

    rows: Sequence[Row]
    num_resumed: int


def check_rows_file(path: Path, inputs: Iterable[Path | None] = ()) -> None:
    """InputError where rows cannot be written to that path, by its name or its folder, or as it is one of `inputs`."""
    if path.suffix not in _SUFFIXES:
        raise InputError(f"cannot write {path}: the name has to end in {' or '.join(_SUFFIXES)}")
    check_writable(path, f"a {' or '.join(_SUFFIXES)} file", inputs)


def score_architectures(
    scorer: Scorer,
    architectures: Iterable[str],
    out: Path | None = None,
    *,
    on_row: Callable[[Row], None] | None = None,
    total: int | None = None,
    threads: int | None = None,
    progress: ProgressBar = no_progress,
) -> Scored:
    """Scores of architectures, several at a time, row by row.

    Args:
        scorer: the scores.
        architectures: in the space's notation, each once (`ArchitectureSource`).
        out: a .csv or .jsonl file; every row is in it as soon as it and those before it are computed, with a last
            column `settings` that tells what it was computed with. Rows that an earlier run with the same settings left
            are taken over.
        on_row: called with every row, as soon as it is known.
        total: number of architectures, for the progress bar.
        threads: architectures that are scored at a time, by default as many as the scorer finds worth it. With one, a
            row is finished before the next architecture is asked for.
        progress: opens a progress bar.

    Raises:
        InputError: `out` cannot be written, or holds something else.
    """
    rows: list[Row] = []
    num_resumed = 0
    with nullcontext() if out is None else _table(scorer, out) as table:
        with progress("Scores", total or 0, "architectures") as advance:
            for text, kept, row in _each(scorer, architectures, table, threads):
                num_resumed += kept
                if table is not None and not kept:
                    table.add([(text, row)])
                rows.append(row)
                if on_row is not None:
                    on_row(row)
                advance(len(rows))
        if table is not None:
            table.finish()
    return Scored(rows, num_resumed)


def _each(
    scorer: Scorer, architectures: Iterable[str], table: GrowingTable | None, threads: int | None
) -> Iterator[tuple[str, bool, Row]]:
    """Architectures with their rows, and whether those were kept: these are looked up, the others computed."""
    waiting: deque[tuple[str, Row | None]] = deque()

    def unknown() -> Iterator[str]:
        """Architectures without a row, as they are asked for; all that come are put in the queue."""
        for text in architectures:
            kept = None if table is None or text not in table else table[text]
            waiting.append((text, kept and {column: kept[column] for column in scorer.columns}))
            if kept is None:
                yield text

    def known() -> Iterator[tuple[str, bool, Row]]:
        """The kept rows that come next."""
        while waiting and (row := waiting[0][1]) is not None:
            yield waiting.popleft()[0], True, row

    for row in scorer.rows(unknown(), threads):
        yield from known()
        yield waiting.popleft()[0], False, row
    yield from known()


def _table(scorer: Scorer, out: Path) -> GrowingTable:
    check_rows_file(out)
    columns, text = (*scorer.columns, "settings"), ("architecture", "settings")
    rows = row_format(out, columns, text, short=True, undefined=scorer.worst)
    return GrowingTable(out, rows, scorer.settings(), _ANOTHER_RUN, "scores")


def draws_of(scorer: Scorer, rows: Sequence[Row], name: str) -> np.ndarray:
    """The single draws of a score, float64 [R, A], of as many rows; R = 1 for a baseline."""
    return np.array([[row[column] for row in rows] for column in scorer.draw_columns(name)], dtype=np.float64)


def rank_stabilities(scorer: Scorer, rows: Sequence[Row]) -> dict[str, float]:
    """By score, the mean Spearman correlation between the ranks of two draws; none where there is a single draw.

    NaN where a draw gives all architectures the same score. Baselines do not vary and are left out.

    Raises:
        InputError: fewer than `MIN_RANKED` rows.
    """
    if len(rows) < MIN_RANKED:
        raise InputError(f"no rank stability: {len(rows)} architectures, {MIN_RANKED} are needed")
    if scorer.repeats == 1:
        return {}
    return {name: rank_stability(draws_of(scorer, rows, name)) for name in scorer.drawn}


def rank_scores(
    scorer: Scorer, rows: Sequence[Row], benchmark: Benchmark, *, top: int = 10, seed: int = 0
) -> dict[str, dict[str, Ranking]]:
    """By data set and score, the rank correlations of scores with a benchmark's accuracies.

    Args:
        scorer: the scores.
        rows: of architectures that the benchmark has.
        benchmark: accuracies of the same space.
        top: k of the top-k recall.
        seed: of the bootstrap.

    Raises:
        InputError: fewer than `MIN_RANKED` rows.
    """
    index = _places(rows, benchmark)
    return {
        data: {
            name: rank(
                draws_of(scorer, rows, name),
                accuracy[index],
                higher_is_better=SCORES[name].higher_is_better,
                top=top,
                rng=np.random.default_rng(seed),
            )
            for name in scorer.names
        }
        for data, accuracy in benchmark.accuracy.items()
    }


def compare_scores(
    scorer: Scorer, rows: Sequence[Row], benchmark: Benchmark, *, seed: int = 0
) -> dict[str, dict[str, ScoreComparison]]:
    """By data set and score, the rank correlation less that of the best trivial baseline; baselines are left out.

    Args:
        scorer: the scores.
        rows: of architectures that the benchmark has.
        benchmark: accuracies of the same space.
        seed: of the bootstrap, as in `rank_scores`.

    Raises:
        InputError: fewer than `MIN_RANKED` rows.
    """
    index = _places(rows, benchmark)
    signed = {
        name: draws_of(scorer, rows, name) * (1 if SCORES[name].higher_is_better else -1) for name in scorer.names
    }
    scores, baselines = ({n: v for n, v in signed.items() if SCORES[n].baseline is kind} for kind in (False, True))
    return {
        data: compare(scores, baselines, accuracy[index], seed=seed) for data, accuracy in benchmark.accuracy.items()
    }


def _places(rows: Sequence[Row], benchmark: Benchmark) -> list[int]:
    """The places of rows' architectures in a benchmark; InputError where there are fewer than `MIN_RANKED`."""
    if len(rows) < MIN_RANKED:
        raise InputError(f"no rank correlations: {len(rows)} architectures, {MIN_RANKED} are needed")
    place = {genes.tobytes(): i for i, genes in enumerate(benchmark.architectures)}
    return [place[benchmark.space.parse(str(row["architecture"])).tobytes()] for row in rows]
