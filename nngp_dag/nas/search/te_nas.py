"""The search of TE-NAS: a supernet pruned by trainability and expressivity (arXiv:2102.11535, Algorithm 1).

In every round each remaining operation is judged by what its removal does: the relative drop of the tangent kernel's
condition number, and the relative gain of linear regions. Both are ranked over all operations (equal values share a
rank), and every edge loses the operation whose two ranks have the least sum, until one per edge is left. In DARTS,
edges are then judged alike until every node keeps two.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from nngp_dag.nas.networks.supernet import Layout
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.rules import KeepAll, Rule
from nngp_dag.support.cores import in_order

__all__ = ["Candidate", "Judge", "dense_ranks", "prune_search"]

Candidate = tuple[int, int, int]
"""(cell, edge, operation) to be removed."""


class Judge(Protocol):
    """Statistics of supernets."""

    def new_round(self) -> None:
        """Draw what the supernets of a round have in common: batches and initial weights."""

    def __call__(self, alive: np.ndarray) -> np.ndarray:
        """Condition number and linear regions of a supernet for each repetition, [repeats, 2]."""


def dense_ranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from the smallest value up, 0, 1, 2, ...; equal values share a rank."""
    return np.asarray(np.unique(np.asarray(values), return_inverse=True)[1]).reshape(-1)


def prune_search(
    layout: Layout,
    judge: Judge,
    *,
    rule: Rule | None = None,
    precision: int = 3,
    threads: int = 1,
    on_step: Callable[[int], None] | None = None,
) -> SearchResult:
    """Prune the supernet of a space to one architecture.

    Args:
        layout: the space's supernet.
        judge: computes the statistics; an evaluation is one supernet with an operation (or edge) less.
        rule: the DAG filter: which removals need not be evaluated. By default all are.
        precision: relative changes are rounded to so many decimals before they are ranked.
        threads: supernets of a round that are judged at a time.
        on_step: called with the number of candidates dealt with.
    """
    rule = KeepAll() if rule is None else rule
    alive = layout.supernet()
    run = _Run(layout, judge, precision, threads, on_step)
    start = time.perf_counter()
    while (alive.sum(-1) > 1).any():
        judge.new_round()
        run.round(alive, rule)
    if layout.keep is not None:
        for cell in range(layout.cells):
            for group in layout.groups():
                if len(group) > layout.keep:
                    judge.new_round()
                    run.edges(alive, cell, group, rule)
    seconds = time.perf_counter() - start
    return SearchResult(layout.to_architecture(alive), run.candidates, run.evaluations, seconds, 0.0)


class _Run:
    """One search's counts, and its two kinds of round."""

    def __init__(
        self, layout: Layout, judge: Judge, precision: int, threads: int, on_step: Callable[[int], None] | None
    ) -> None:
        self.layout, self.judge, self.precision, self.on_step = layout, judge, precision, on_step
        self.threads = threads
        self.candidates = self.evaluations = 0

    def round(self, alive: np.ndarray, rule: Rule) -> None:
        """Remove `prune` operations from every edge that has more than one, in place."""
        to_judge: list[Candidate] = []
        to_remove: list[Candidate] = []
        open_edges = [(int(c), int(e)) for c, e in np.argwhere(alive.sum(-1) > 1)]
        for cell, edge in open_edges:
            operations = [int(o) for o in np.flatnonzero(alive[cell, edge])]
            prune = min(self.layout.prune, len(operations) - 1)
            without = [_removed(alive, [(cell, edge, o)])[cell] for o in operations]
            plan = rule.plan(self.layout, without, prune)
            self._count(len(operations))
            to_judge += [(cell, edge, operations[i]) for i in plan.evaluate]
            to_remove += [(cell, edge, operations[i]) for i in plan.remove]
        ordered = self.judged(alive, to_judge)
        decided = {(cell, edge) for cell, edge, _ in to_remove}
        for cell, edge in open_edges:
            if (cell, edge) not in decided:
                prune = min(self.layout.prune, int(alive[cell, edge].sum()) - 1)
                to_remove += [c for c in ordered if c[:2] == (cell, edge)][:prune]
        alive[tuple(np.transpose(to_remove))] = False

    def edges(self, alive: np.ndarray, cell: int, group: list[int], rule: Rule) -> None:
        """Remove edges of one node until it keeps as many as the layout says, in place."""
        assert self.layout.keep is not None
        single = [(cell, edge, int(alive[cell, edge].argmax())) for edge in group]
        prune = len(group) - self.layout.keep
        plan = rule.plan(self.layout, [_removed(alive, [c])[cell] for c in single], prune, reserve=1)
        self._count(len(group))
        to_remove = [single[i] for i in plan.remove]
        if not to_remove:
            to_remove = self.judged(alive, [single[i] for i in plan.evaluate])[:prune]
        alive[tuple(np.transpose(to_remove))] = False

    def judged(self, alive: np.ndarray, candidates: list[Candidate]) -> list[Candidate]:
        """The candidates from the best removal to the worst."""
        if not candidates:
            return []
        before = self.judge(alive)
        changes = []
        for after in in_order(lambda c: self.judge(_removed(alive, [c])), candidates, self.threads):
            self.evaluations += 1
            changes.append(np.round((before - after) / before, self.precision).mean(0))
            if self.on_step is not None:
                self.on_step(self.candidates)
        drop, loss = np.transpose(changes)
        ranks = dense_ranks(-np.round(drop, 12)), dense_ranks(np.round(loss, 12))
        order = np.lexsort((ranks[0], ranks[0] + ranks[1]))
        return [candidates[i] for i in order]

    def _count(self, candidates: int) -> None:
        self.candidates += candidates
        if self.on_step is not None:
            self.on_step(self.candidates)


def _removed(alive: np.ndarray, candidates: list[Candidate]) -> np.ndarray:
    result = alive.copy()
    result[tuple(np.transpose(candidates))] = False
    return result
