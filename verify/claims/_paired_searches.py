"""NAS-WOT with a filter against NAS-WOT without, seed by seed on the same draws: Tables 2 and 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.support.statistics import Estimate
from verify import Finding
from verify.claims._wot_rankings import Ranked

__all__ = ["CONFIDENCE", "TITLES", "Keep", "PairedSearches", "found", "random_filter"]

CONFIDENCE = 0.99
TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16_120": "ImageNet16-120"}

Keep = Callable[[np.ndarray], bool]
"""A filter: whether genes [1, 6] pass."""


def found(ranked: Sequence[Ranked], keep: Keep, dataset: str) -> float:
    """The accuracy of what the search finds with a filter: of the best-scored draw that passes.

    Raises:
        InputError: no recorded draw passes.
    """
    for draw in ranked:
        if keep(draw.genes):
            return draw.accuracy[dataset]
    raise InputError(f"none of {len(ranked)} recorded draws passes the filter")


def random_filter(ranked: Sequence[Ranked], share: float, dataset: str) -> float:
    """The expected accuracy with a filter that lets each draw pass by lot, with probability `share`; over the lots with
    which a recorded draw passes.
    """
    weights = share * (1 - share) ** np.arange(len(ranked))
    return float(np.average([draw.accuracy[dataset] for draw in ranked], weights=weights))


@dataclass(frozen=True)
class PairedSearches:
    """The accuracy of one search less that of another, by seed.

    Attributes:
        words: the searches.
        dataset: of the accuracies.
        first, second: accuracies by seed, [S].
    """

    words: str
    dataset: str
    first: Sequence[float]
    second: Sequence[float]

    @classmethod
    def of(
        cls, words: str, dataset: str, rankings: Mapping[int, Sequence[Ranked]], keep: Keep, against: Keep
    ) -> PairedSearches:
        """A filter against another, on the same draws."""
        first, second = ([found(ranked, chosen, dataset) for ranked in rankings.values()] for chosen in (keep, against))
        return cls(words, dataset, first, second)

    @property
    def difference(self) -> Estimate:
        """The mean difference with its interval: Student's t over the seeds' differences."""
        return Estimate.mean(np.subtract(self.first, self.second), CONFIDENCE)

    @property
    def alike(self) -> int:
        """Number of seeds without a difference."""
        return int((np.subtract(self.first, self.second) == 0).sum())

    @property
    def detail(self) -> str:
        """The numbers in words."""
        d = self.difference
        return (
            f"mean {np.mean(self.first):.2f} against {np.mean(self.second):.2f}: difference {d.value:.2f}"
            f" [{d.low:.2f}, {d.high:.2f}], none in {self.alike} of {len(self.first)} seeds"
        )

    def not_lost(self) -> Finding:
        """The finding that the first search is no less accurate."""
        d = self.difference
        return self._finding(True if d.low >= 0 else False if d.high < 0 else None)

    def gained(self) -> Finding:
        """The finding that the first search is more accurate."""
        d = self.difference
        return self._finding(True if d.low > 0 else False if d.high <= 0 else None)

    def equivalent(self, margin: float) -> Finding:
        """The finding that the two searches differ by less than `margin`, either way (two one-sided tests)."""
        d = self.difference
        inside, outside = -margin < d.low and d.high < margin, d.low >= margin or d.high <= -margin
        return self._finding(True if inside else False if outside else None, margin)

    def _finding(self, holds: bool | None, margin: float | None = None) -> Finding:
        return Finding(
            holds,
            activation=None,
            label=f"{TITLES[self.dataset]}, {self.words}",
            cases=len(self.first),
            tolerance=margin,
            worst=self.difference.value,
            confidence=CONFIDENCE,
            detail=self.detail,
        )
