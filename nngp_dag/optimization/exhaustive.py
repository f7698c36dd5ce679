"""The best of all DAGs: one of each class of equal kernels is judged, piece by piece, and bounds discard first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from nngp_dag.kernel.chunks import sweep_chunks
from nngp_dag.optimization.criteria import Batch, Criterion, Probes, kernels_of
from nngp_dag.optimization.leaders import Leaders
from nngp_dag.optimization.planes import Planes, planes_bytes
from nngp_dag.optimization.problem import Problem
from nngp_dag.optimization.quotient import Quotient
from nngp_dag.support.digest import digest
from nngp_dag.support.progress import ProgressBar, no_progress
from nngp_dag.support.row_format import JsonRows
from nngp_dag.support.table import GrowingTable

__all__ = ["Search", "classes_of", "pieces_of", "search"]

_PIECE_BYTES = 32 * 2**20
_PLANES_BYTES = 2**31
_PIECE = 4096
_PROBED = 8
"""Leading graphs whose directions bound the others."""
_COLUMNS = ("piece", "judged", "discarded", "found", "settings")


@dataclass(frozen=True, eq=False)
class Search:
    """The result of a search through all classes.

    Attributes:
        leaders: the best classes, by their places in the quotient.
        judged: classes whose values were computed.
        discarded: classes of which a bound showed that they do not lead.
        resumed: classes that an earlier, unfinished run had been through.
    """

    leaders: Leaders
    judged: int
    discarded: int
    resumed: int


def pieces_of(
    criteria: tuple[Criterion, ...], codes: np.ndarray, problem: Problem, wanted: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, Batch]]:
    """The kernels that criteria need, piece by piece: (places in `codes`, batch); pieces are the same in every run."""
    names = kernels_of(criteria)
    empty = np.zeros((0, len(problem.x), len(problem.x)))
    if not names:
        for start in range(0, len(codes), _PIECE):
            index = np.arange(start, min(start + _PIECE, len(codes)))
            if wanted is None or wanted[index].any():
                yield index, Batch(problem, codes[index], empty, empty)
        return
    x = np.asarray(problem.x, np.float64)
    for index, kernels in sweep_chunks(codes, x, names, problem.setting, _PIECE_BYTES, wanted):
        nngp, ntk = (np.asarray(kernel) for kernel in kernels)
        yield index, Batch(problem, codes[index], nngp, ntk)


def classes_of(
    criteria: tuple[Criterion, ...], quotient: Quotient, problem: Problem, wanted: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, Batch]]:
    """`pieces_of` for the classes of a quotient: sums of planes, where these fit into memory and are closed forms."""
    names = kernels_of(criteria)
    codes, n = quotient.codes(), len(problem.x)
    too_large = planes_bytes(len(quotient.values), n) > _PLANES_BYTES
    if not names or too_large or problem.setting.activation.has_rules:
        yield from pieces_of(criteria, codes, problem, wanted)
        return
    planes = Planes.of(quotient.values, problem.x, problem.setting)
    length, empty = max(1, _PIECE_BYTES // (8 * n * n * len(names))), np.zeros((0, n, n))
    for start in range(0, len(codes), length):
        index = np.arange(start, min(start + length, len(codes)))
        if wanted is None or wanted[index].any():
            found = dict(zip(names, planes.weighted(*quotient.weights(index), names), strict=True))
            yield index, Batch(problem, codes[index], found.get("nngp", empty), found.get("ntk", empty))


def search(
    quotient: Quotient,
    criteria: tuple[Criterion, ...],
    problem: Problem,
    keep: int = 10,
    out: Path | None = None,
    progress: ProgressBar = no_progress,
) -> Search:
    """The best classes of a quotient.

    Args:
        quotient: the classes.
        criteria: one, by which `keep` graphs lead, or the two of a front.
        problem: what they are judged on.
        keep: how many.
        out: a .jsonl file in an existing folder; every piece is kept there as it is done, and a second start goes on.
        progress: opens a progress bar over the classes.

    Raises:
        InputError: the file cannot be written or holds another search, or as `sweep_kernels`.
    """
    codes = quotient.codes()
    leaders = Leaders.of(len(criteria), keep)
    totals = {"judged": 0, "discarded": 0}
    with _table(out, quotient, criteria, problem, keep) as table, progress("Graphs", len(codes), "graphs") as advance:
        done = np.zeros(len(codes), bool)
        if table is not None:
            for key in [str(i) for i in range(len(codes)) if str(i) in table]:
                row = table[key]
                found = json.loads(str(row["found"]))
                places = np.array([place for place, *_ in found["leading"]], np.int64)
                leaders.offer(places, np.array([costs for _, *costs in found["leading"]]).reshape(-1, len(criteria)))
                first, last = found["range"]
                done[first:last] = True
                for name in totals:
                    totals[name] += int(cast(float, row[name]))
        resumed = int(done.sum())
        advance(resumed)
        probes: Probes | None = None
        for index, batch in classes_of(criteria, quotient, problem, ~done):
            chosen, costs = _judged(batch, criteria, leaders, probes)
            before = set(leaders.places.tolist())
            leaders.offer(index[chosen], costs)
            new = [i for i, place in enumerate(leaders.places.tolist()) if place not in before]
            leading = [[int(leaders.places[i]), *leaders.costs[i].tolist()] for i in new]
            totals["judged"] += int(chosen.sum())
            totals["discarded"] += int((~chosen).sum())
            done[index] = True
            if table is not None:
                table.add([(str(index[0]), _row(index, chosen, leading))])
            if new and len(batch.ntk):
                probes = _probes(batch, index, leaders, probes)
            advance(int(done.sum()))
        if table is not None:
            table.finish()
    return Search(leaders, totals["judged"], totals["discarded"], resumed)


def _judged(
    batch: Batch, criteria: tuple[Criterion, ...], leaders: Leaders, probes: Probes | None
) -> tuple[np.ndarray, np.ndarray]:
    """The graphs of a batch that were judged, bool [A], and their costs [a, k]."""
    chosen = np.ones(len(batch), bool)
    if probes is not None and any(criterion.optimist for criterion in criteria):
        least = np.stack(
            [c.costs(c.optimist(batch, probes) if c.optimist else _known(c, batch)) for c in criteria], axis=1
        )
        chosen = leaders.may_lead(least)
    part = batch if chosen.all() else batch.take(chosen)
    if not len(part):
        return chosen, np.zeros((0, len(criteria)))
    return chosen, np.stack([criterion.costs(criterion.values(part)) for criterion in criteria], axis=1)


def _known(criterion: Criterion, batch: Batch) -> np.ndarray:
    """Its values where they cost nothing, else the best that any graph could have."""
    if not criterion.kernels:
        return criterion.values(batch)
    return np.full(len(batch), np.inf if criterion.larger_is_better else -np.inf)


def _probes(batch: Batch, index: np.ndarray, leaders: Leaders, before: Probes | None) -> Probes:
    """Directions of the leading graphs of a batch, and the latest ones from before."""
    place = {int(i): a for a, i in enumerate(index)}
    own = [place[int(i)] for i in leaders.places if int(i) in place][:_PROBED]
    new = Probes.of(batch.ntk[own])
    if before is None:
        return new
    least, greatest = (
        np.concatenate([a, b], axis=1)[:, :_PROBED]
        for a, b in ((new.least, before.least), (new.greatest, before.greatest))
    )
    return Probes(least, greatest)


def _row(index: np.ndarray, chosen: np.ndarray, leading: list[list[float]]) -> dict[str, str | int | float | None]:
    found = json.dumps({"range": [int(index[0]), int(index[-1]) + 1], "leading": leading})
    return {
        "piece": str(index[0]),
        "judged": int(chosen.sum()),
        "discarded": int((~chosen).sum()),
        "found": found,
    }


def _table(
    out: Path | None, quotient: Quotient, criteria: tuple[Criterion, ...], problem: Problem, keep: int
) -> AbstractContextManager[GrowingTable | None]:
    if out is None:
        return nullcontext()
    names = ",".join(criterion.name for criterion in criteria)
    settings = digest(quotient.index, f"{names}, {keep}, {problem.digest()}")[:16]
    rows = JsonRows(_COLUMNS, ("piece", "found", "settings"))
    return GrowingTable(out, rows, settings, "another search (other criterion, limits or data)", "pieces of a search")
