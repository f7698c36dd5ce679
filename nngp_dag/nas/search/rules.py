"""The DAG filter within TE-NAS: which removals of a supernet need not be evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nngp_dag.nas.networks.supernet import Layout
from nngp_dag.spaces import Box

__all__ = ["BoxRule", "KeepAll", "NearestCentroid", "Plan", "Rule"]


@dataclass(frozen=True)
class Plan:
    """A decision on the candidates of one edge (or node), given by position.

    Attributes:
        evaluate: the removals to evaluate and rank.
        remove: the removals that are made without evaluation; if there are any, they are all that is needed.
    """

    evaluate: tuple[int, ...]
    remove: tuple[int, ...] = ()


class Rule(Protocol):
    """A way to decide on removals by effective depth and width alone."""

    def plan(self, layout: Layout, without: Sequence[np.ndarray], prune: int, reserve: int = 2) -> Plan:
        """Decide on the candidates of one edge or node.

        Args:
            layout: the space's supernet.
            without: the cell's supernet [edges, operations] after each candidate's removal.
            prune: number of candidates that have to go.
            reserve: the most that may be kept without evaluation (the released code's constant).
        """


class KeepAll:
    """No filter: everything is evaluated."""

    def plan(self, layout: Layout, without: Sequence[np.ndarray], prune: int, reserve: int = 2) -> Plan:
        """See `Rule.plan`."""
        del layout, prune, reserve
        return Plan(tuple(range(len(without))))


class NearestCentroid:
    """The released code's rule: the operations whose removal leaves (d, m) nearest to the centroid of all removals are
    kept without evaluation; at most two, and never so many that fewer than `prune` + 1 are left to rank.
    """

    def plan(self, layout: Layout, without: Sequence[np.ndarray], prune: int, reserve: int = 2) -> Plan:
        """See `Rule.plan`."""
        shapes = np.array([layout.released_depth_width(alive) for alive in without])
        reserve = max(0, min(reserve, len(without) - prune - 1))
        distance = ((shapes - shapes.mean(0)) ** 2).sum(1)
        kept = set(np.argsort(distance, kind="stable")[:reserve].tolist())
        return Plan(tuple(i for i in range(len(without)) if i not in kept))


@dataclass(frozen=True)
class BoxRule:
    """The paper's rule: a removal that would take (d, m) out of the box is skipped, and the operation stays.

    Where no more removals stay inside than have to be made, nothing is left to rank: those are made, and if they do not
    suffice, the ones that end nearest to the box's centre (in units of its radius).

    Attributes:
        box: half the radius around the space's centre, in the paper.
    """

    box: Box

    def plan(self, layout: Layout, without: Sequence[np.ndarray], prune: int, reserve: int = 2) -> Plan:
        """See `Rule.plan`."""
        del reserve
        centre, radius = (np.array([float(v) for v in pair]) for pair in (self.box.center, self.box.radius))
        shapes = np.array([layout.depth_width(alive) for alive in without])
        away = np.abs(shapes - centre) / np.where(radius > 0, radius, 1)
        inside = (away <= 1 + 1e-12).all(1)
        if inside.sum() > prune:
            return Plan(tuple(np.flatnonzero(inside).tolist()))
        order = np.lexsort(((away**2).sum(1), ~inside))
        return Plan((), tuple(order[:prune].tolist()))
