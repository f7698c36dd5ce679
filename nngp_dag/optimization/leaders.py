"""The best graphs so far: the first few by one criterion, or the front of two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["DIGITS", "Leaders", "front", "rounded"]

DIGITS = 11
"""Significant digits of a cost that count: what agrees in them is in the order of the graphs."""

_SLACK = 1e-9
"""By how much, relative to a cost, a bound has to be worse before a graph is discarded unseen: far above rounding."""


def front(costs: np.ndarray) -> np.ndarray:
    """The places of the rows of costs [A, 2] (or [A, 1]) that no other row dominates: less or equal in all, less in
    one. Of equal rows the first. In ascending order of the first column, int64.
    """
    order = np.lexsort((np.arange(len(costs)), *costs.T[::-1]))
    if costs.shape[1] == 1:
        return order[:1]
    second = costs[order, 1]
    before = np.concatenate([[np.inf], np.minimum.accumulate(second)[:-1]])
    kept: np.ndarray = order[(second < before) & np.isfinite(costs[order]).all(axis=1)]
    return kept


def rounded(costs: np.ndarray) -> np.ndarray:
    """Costs to `DIGITS` significant digits: rounding of the last bits puts no graph before its equal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(costs))) - DIGITS + 1)
        return np.where(np.isfinite(costs) & (costs != 0), np.round(costs / unit) * unit, costs)


@dataclass
class Leaders:
    """Graphs that lead, with their costs by each criterion (less is better).

    Attributes:
        keep: how many are kept by one criterion; of two criteria the whole front is.
        places: numbers of the graphs, int64 [m], the best first.
        costs: float64 [m, k], ascending in the first column.
    """

    keep: int
    places: np.ndarray
    costs: np.ndarray

    @classmethod
    def of(cls, num_criteria: int, keep: int) -> Leaders:
        """No graph yet."""
        return cls(keep, np.zeros(0, np.int64), np.zeros((0, num_criteria)))

    def offer(self, places: np.ndarray, costs: np.ndarray) -> None:
        """Take those of these graphs that lead; of equals those with the smallest number."""
        defined = np.isfinite(costs).all(axis=1)
        all_places = np.concatenate([self.places, places[defined]])
        all_costs = np.concatenate([self.costs, costs[defined]])
        by_place = np.argsort(all_places, kind="stable")
        all_places, all_costs = all_places[by_place], all_costs[by_place]
        if all_costs.shape[1] == 1:
            kept = np.argsort(rounded(all_costs[:, 0]), kind="stable")[: self.keep]
        else:
            kept = front(rounded(all_costs))
        self.places, self.costs = all_places[kept], all_costs[kept]

    def may_lead(self, least: np.ndarray) -> np.ndarray:
        """Where graphs whose costs are at least these [A, k] may lead, bool [A]."""
        if self.costs.shape[1] == 1:
            if len(self.places) < self.keep:
                return np.ones(len(least), bool)
            worst = self.costs[-1, 0]
            return least[:, 0] <= worst + _SLACK * abs(worst)
        close = self.costs <= least[:, None]
        clear = self.costs + _SLACK * np.abs(self.costs) < least[:, None]
        beaten = close.all(axis=2) & clear.any(axis=2)
        return ~beaten.any(axis=1)
