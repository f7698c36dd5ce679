"""The centre and radius that the paper prints for a space, against the exact ones, and the readings that would give
them.

Section 5.3 prints centre (1.6, 2.2) and half radius (0.7, 0.9) for NAS-Bench-201, and (1.5, 10.5) and (0.7, 4.8) for
DARTS. The first follow exactly. The second do not follow from DARTS under any of the usual conventions. They do follow
from the union of the five NDS spaces (the fourth panel of Figure 5), if cells are entered into a seven-row adjacency
matrix as in the authors' released code: there the second of two edges between the same nodes replaces the first, and
the fifth node of a five-node cell takes the place of the output.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache

import numpy as np

from nngp_dag.spaces.genotype_count import GenotypeRules, count_shapes
from nngp_dag.spaces.shape import Box, ShapeTable

__all__ = ["PRINTED", "PrintedRange", "RangeReading", "darts_range_readings", "sampled_range_reading"]


@dataclass(frozen=True)
class PrintedRange:
    """A centre and half radius of Section 5.3, to one decimal."""

    center: tuple[float, float]
    half_radius: tuple[float, float]

    def matches(self, box: Box) -> bool:
        """True for a range with this centre and half radius to the printed decimal."""
        exact = (*box.center, *(r / 2 for r in box.radius))
        return all(
            abs(float(x) - p) <= 0.05 + 1e-12 for x, p in zip(exact, self.center + self.half_radius, strict=True)
        )


PRINTED = {
    "nasbench201": PrintedRange((1.6, 2.2), (0.7, 0.9)),
    "darts": PrintedRange((1.5, 10.5), (0.7, 4.8)),
}
"""The ranges that Section 5.3 prints, by space."""

_FIVE_CONVOLUTIONS = 5
_NDS_SAMPLE = 5000


@dataclass(frozen=True)
class RangeReading:
    """One way to read 'the range of (d, m)', and what it gives.

    Attributes:
        reading: in words.
        center, half_radius: what it gives.
        matches: whether that is what the paper prints, to its rounding.
        probability: for a range over a random sample, how often a sample gives the printed numbers.
    """

    reading: str
    center: tuple[float, float]
    half_radius: tuple[float, float]
    matches: bool
    probability: float | None = None

    @classmethod
    def of(cls, words: str, box: Box, printed: PrintedRange) -> RangeReading:
        """The reading of an exact range."""
        (d, m), (rd, rm) = box.center, box.radius
        return cls(words, (float(d), float(m)), (float(rd / 2), float(rm / 2)), printed.matches(box))

    def as_dict(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


# By class of operation: zero, skip and pooling, linear.
_DARTS = GenotypeRules(4, (0, 3, 4), distinct=True)
_NDS_DARTS = GenotypeRules(4, (1, 3, 4))
_FIVE_NODES = (
    GenotypeRules(5, (0, 5, 8), loose_ends=True),  # NASNet
    GenotypeRules(5, (0, 3, 5), loose_ends=True),  # Amoeba
    GenotypeRules(5, (0, 3, 5)),  # PNAS
    GenotypeRules(5, (0, 3, 2), loose_ends=True),  # ENAS
)


def _in_matrix(rules: GenotypeRules) -> GenotypeRules:
    return replace(rules, overwrite=True, last_is_output=rules.nodes == 5, loose_ends=False)


@cache
def _union_in_matrix() -> tuple[ShapeTable, ...]:
    return tuple(count_shapes(_in_matrix(rules)) for rules in (*_FIVE_NODES, _NDS_DARTS))


def darts_range_readings() -> list[RangeReading]:
    """The exact range of DARTS, and of every other reading of its space that was thought of, against the printed
    numbers.
    """
    printed = PRINTED["darts"]
    union = ShapeTable.merge([count_shapes(rules) for rules in (*_FIVE_NODES, _NDS_DARTS)])
    matrix = ShapeTable.merge(_union_in_matrix())
    at_five = matrix.select(matrix.parameterised == _FIVE_CONVOLUTIONS)
    tables = {
        "DARTS: two different predecessors per node, no 'none', every cell": count_shapes(_DARTS),
        "the same, with 'none'": count_shapes(replace(_DARTS, operations=(1, 3, 4))),
        "DARTS as NDS samples it: independent predecessors, 'none', every cell": count_shapes(_NDS_DARTS),
        "the same, in the released code's adjacency matrix": count_shapes(_in_matrix(_NDS_DARTS)),
        "union of NASNet, Amoeba, PNAS, ENAS and DARTS (NDS), every cell": union,
        "the same union, in the released code's adjacency matrix": matrix,
        "the same, cells with five convolutions as in Figure 5": at_five,
    }
    readings = [RangeReading.of(words, table.range, printed) for words, table in tables.items()]
    return [*readings, sampled_range_reading()]


@cache
def sampled_range_reading(samples: int = 400, seed: int = 0) -> RangeReading:
    """The union in the released code's matrix, its range over a random sample of 5,000 cells per space, as NDS has.

    Args:
        samples: number of simulated samples; the medians of centre and radius are given.
        seed: of the simulation.
    """
    rng = np.random.default_rng(seed)
    tables = [table.select(table.totals.nondegenerate) for table in _union_in_matrix()]
    lowest, highest = [], []
    for table, full in zip(tables, _union_in_matrix(), strict=True):
        weight = np.array([float(n) for n in table.multiplicity]) / float(full.num_cells)
        drawn = rng.multinomial(_NDS_SAMPLE, [*weight, max(0.0, 1 - weight.sum())], size=samples)[:, :-1] > 0
        shape = np.stack([table.totals.depth, table.totals.width])
        lowest.append(np.where(drawn, shape[:, None], np.inf).min(axis=2))
        highest.append(np.where(drawn, shape[:, None], -np.inf).max(axis=2))
    low, high = np.min(lowest, axis=0), np.max(highest, axis=0)  # [2, samples]
    center, half = (low + high) / 2, (high - low) / 4
    printed = PRINTED["darts"]
    target = np.array([*printed.center, *printed.half_radius])[:, None]
    hit = (np.abs(np.concatenate([center, half]) - target) <= 0.05 + 1e-9).all(axis=0)
    (d, m), (hd, hm) = np.median(center, axis=1), np.median(half, axis=1)
    return RangeReading(
        "the same union in the matrix, range over a random sample of 5,000 cells per space, any number of convolutions",
        (float(d), float(m)),
        (float(hd), float(hm)),
        bool(hit.any()),
        float(hit.mean()),
    )
