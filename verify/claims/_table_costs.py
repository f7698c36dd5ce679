"""Search costs of Tables 1 and 2, counted in evaluations: what a filter drops, exactly, against what is printed."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.networks.supernet import Layout
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.rules import KeepAll, NearestCentroid, Rule
from nngp_dag.nas.search.te_nas import prune_search
from nngp_dag.spaces import Box, get
from nngp_dag.support.statistics import Estimate
from verify import Finding

__all__ = [
    "arithmetic",
    "dropped",
    "dropped_by_released_rule",
    "pruned_at_random",
    "resolution",
    "saves_at_least",
    "savings_of_rankings",
]

_HALF_UNIT = Fraction(1, 20)


def dropped(space: str, box: Box, cells: int = 1) -> Fraction:
    """The share of a space's architectures of which one of `cells` independent cells lies outside a box, exactly: the
    share of NAS-WOT's evaluations that the filter saves on average.
    """
    table = get(space).distribution()
    inside = sum(int(n) for n in table.multiplicity[table.totals.within(box)])
    return 1 - Fraction(inside, table.num_cells) ** cells


def saves_at_least(saving: Fraction, printed: float, words: str, cases: int, of: str = "") -> Finding:
    """The finding that a search saves at least the printed percentage of its evaluations.

    Args:
        saving: the exact share of evaluations saved.
        printed: in percent, to one decimal.
        words: label of the reading.
        cases: number of cases that were counted.
        of: more of the numbers, in words.
    """
    margin = 100 * saving - Fraction(str(printed)) + _HALF_UNIT
    return Finding(
        margin >= 0,
        activation=None,
        label=words,
        cases=cases,
        tolerance=0.0,
        worst=float(margin),
        detail=f"{float(100 * saving):.2f} % of the evaluations saved, {printed} % printed{of}",
    )


def arithmetic(cost: float, filtered: float, printed: float, words: str) -> Finding:
    """The finding that a printed saving is that of the two printed costs, to its decimal."""
    error = abs(100 * (1 - Fraction(str(filtered)) / Fraction(str(cost))) - Fraction(str(printed)))
    return Finding(
        error <= _HALF_UNIT,
        activation=None,
        label=f"{words}, the printed costs",
        cases=1,
        tolerance=float(_HALF_UNIT),
        worst=float(error),
        detail=f"{cost:g} to {filtered:g}, {printed} % printed",
    )


def resolution(cost: str, filtered: str) -> tuple[float, float]:
    """The savings, in percent, that two costs as printed leave possible: each is known to half of its last digit."""

    def half_unit(text: str) -> Fraction:
        return Fraction(1, 2 * 10 ** len(text.partition(".")[2]))

    (a, e), (b, h) = ((Fraction(text), half_unit(text)) for text in (cost, filtered))
    return float(100 * (1 - (b + h) / (a - e))), float(100 * (1 - (b - h) / (a + e)))


class _RandomJudge:
    """Statistics of supernets drawn at random: TE-NAS with rankings that no network has made."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def new_round(self) -> None:
        """Nothing to draw."""

    def __call__(self, alive: np.ndarray) -> np.ndarray:
        """Two positive numbers, [1, 2]."""
        del alive
        return 1 + self._rng.random((1, 2))


def pruned_at_random(space: str, rng: np.random.Generator, rule: Rule | None = None) -> SearchResult:
    """TE-NAS with random rankings: its counts of candidates and evaluations are those of the search."""
    return prune_search(space_networks(space).layout, _RandomJudge(rng), rule=rule or KeepAll())


def savings_of_rankings(space: str, rule: Rule, rng: np.random.Generator, runs: int) -> Estimate:
    """The mean percentage of evaluations that a rule saves TE-NAS, over runs with random rankings, each paired with the
    search without a rule; with its 99 % interval (Student's t over runs).
    """
    seeds = rng.integers(2**32, size=runs)
    whole, ruled = (
        [pruned_at_random(space, np.random.default_rng(seed), chosen).evaluations for seed in seeds]
        for chosen in (None, rule)
    )
    return Estimate.mean([100 * (1 - b / a) for a, b in zip(whole, ruled, strict=True)], 0.99)


def dropped_by_released_rule(space: str, rng: np.random.Generator) -> tuple[Fraction, Finding]:
    """The share of evaluations that the released code's rule saves TE-NAS, which no ranking changes; and the finding
    that the search does save it, with random rankings.

    Of n operations of which p have to go, the rule keeps min(2, n - p - 1) without evaluation, in every round; of n
    edges into a node, one at most.
    """
    layout = space_networks(space).layout
    result = pruned_at_random(space, rng, NearestCentroid())
    candidates, saved = _counted(layout)
    found = result.candidates - result.evaluations
    same = Finding(
        (result.candidates, found) == (candidates, saved),
        activation=None,
        cases=candidates,
        tolerance=0.0,
        worst=abs(found - saved),
        detail=f"{found} of {result.candidates} in a search, {saved} of {candidates} counted by rounds",
    )
    return Fraction(saved, candidates), same


def _counted(layout: Layout) -> tuple[int, int]:
    """Candidates of TE-NAS, and those that the released rule keeps without evaluation, added up by rounds."""

    def kept(n: int, p: int, most: int) -> int:
        return max(0, min(most, n - p - 1))

    rounds: list[tuple[int, int]] = []  # operations before a round, and how many go
    operations = len(layout.operations) - 1
    while operations > 1:
        rounds.append((operations, min(layout.prune, operations - 1)))
        operations -= rounds[-1][1]
    per_edge = [(n, kept(n, p, 2)) for n, p in rounds] * len(layout.edges)
    per_node = []
    if layout.keep is not None:
        per_node = [(len(g), kept(len(g), len(g) - layout.keep, 1)) for g in layout.groups() if len(g) > layout.keep]
    return _sums([*per_edge, *per_node], layout.cells)


def _sums(pairs: Iterable[tuple[int, int]], times: int) -> tuple[int, int]:
    first, second = zip(*pairs, strict=True)
    return times * sum(first), times * sum(second)
