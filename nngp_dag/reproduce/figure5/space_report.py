"""The size of a space and its exact range of effective depth and width, beside what the paper prints for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from nngp_dag.spaces import Box, Space
from nngp_dag.spaces.printed_ranges import PRINTED, PrintedRange, RangeReading, darts_range_readings

__all__ = ["HALF", "SpaceReport", "space_report"]

HALF = Fraction(1, 2)
"""The share of the radius that the paper keeps."""


@dataclass(frozen=True)
class SpaceReport:
    """A space as numbers.

    Attributes:
        space: the space.
        box: the exact range of (d, m) of one cell.
        num_distinct: cells up to isomorphism; None where they are not counted.
        other_counts: further counts of the space's own, by what they count.
        share_within_half_radius: share of all cells.
        num_without_path: cells without a path.
        num_without_parameterised_path: cells with paths, none of which has a parameterised operation.
        printed: what Section 5.3 prints; None where it prints nothing.
        readings: other readings of the space, and what they give (DARTS).
    """

    space: Space
    box: Box
    num_distinct: int | None
    other_counts: Mapping[str, int]
    share_within_half_radius: Fraction
    num_without_path: int
    num_without_parameterised_path: int
    printed: PrintedRange | None
    readings: tuple[RangeReading, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON: `center`, `radius`, `half_radius` and `range` are [d, m] of one cell (full radius),
        and `exact` has the same as fractions.
        """
        space, box = self.space, self.box
        return {
            "space": space.name,
            "title": space.title,
            "num_architectures": space.num_architectures,
            "num_cells": space.num_cells,
            "num_distinct": self.num_distinct,
            "other_counts": self.other_counts,
            "complete": space.complete,
            "center": box.center,
            "radius": box.radius,
            "half_radius": tuple(r / 2 for r in box.radius),
            "range": {"depth": box.bounds[:2], "width": box.bounds[2:]},
            "exact": {"center": tuple(map(str, box.center)), "radius": tuple(map(str, box.radius))},
            "share_within_half_radius": self.share_within_half_radius,
            "num_without_path": self.num_without_path,
            "num_without_parameterised_path": self.num_without_parameterised_path,
            "cells": {cell: {"center": box.center, "radius": box.radius} for cell in space.cells},
        } | self._paper()

    def _paper(self) -> dict[str, object]:
        if self.printed is None:
            return {}
        printed: dict[str, object] = {
            "center": self.printed.center,
            "half_radius": self.printed.half_radius,
            "matches": self.printed.matches(self.box),
        }
        if self.readings:
            printed["readings"] = [reading.as_dict() for reading in self.readings]
        return {"paper": printed}


def space_report(space: Space) -> SpaceReport:
    """Size, exact range, centre and radius of a space, and what the paper prints for it."""
    table = space.distribution()
    totals = table.totals
    within = totals.within(space.range.shrink(HALF))
    return SpaceReport(
        space,
        space.range,
        space.count_distinct(),
        space.other_counts(),
        Fraction(int(sum(table.multiplicity[within])), table.num_cells),
        sum(table.multiplicity[np.asarray(totals.paths == 0, dtype=bool)]),
        sum(table.multiplicity[np.asarray((totals.paths > 0) & (totals.length == 0), dtype=bool)]),
        PRINTED.get(space.name),
        tuple(darts_range_readings()) if space.name == "darts" else (),
    )
