"""Effective depth and width of many cells as exact integers, and boxes in the (d, m) plane.

With P paths, S = sum_p d_p and Q = #{p: d_p > 0}, Definition 4.1 reads d = S / P and m = Q P / S. Three integers per
cell say everything; comparisons with bounds are integer cross-multiplications, so a cell on the edge of a box is
inside.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nngp_dag.errors import InputError

__all__ = ["Box", "Number", "PathTotals", "ShapeTable", "code_totals", "exact", "unique_rows"]

Number: TypeAlias = int | float | str | Fraction | np.integer | np.floating
"""A number as users give it; text is read as a decimal or a fraction."""

_SAFE = 1 << 31
"""Totals below this keep every product of two of them within int64."""


_POWER = re.compile(r"[eE]([-+]?\d+)\s*$")
_LARGEST_POWER = 400


def exact(value: Number) -> Fraction:
    """A number exactly; a float counts as the decimal that it prints (0.1 is 1/10). InputError for what is no finite
    number, or text with an exponent beyond all floats, whose digits would never end.
    """
    try:
        if isinstance(value, str) and (power := _POWER.search(value)) and abs(int(power[1])) > _LARGEST_POWER:
            raise ValueError
        if isinstance(value, (float, np.floating)):
            return Fraction(repr(float(value)))
        return Fraction(int(value) if isinstance(value, np.integer) else value)
    except (TypeError, ValueError, ZeroDivisionError):
        raise InputError(f"expected a finite number, got {value!r}") from None


@dataclass(frozen=True)
class PathTotals:
    """Three exact integers of each cell, arrays [A] (int64, or Python integers of dtype object where they do not fit).

    Attributes:
        paths: P, the number of end-to-end paths.
        length: S, the parameterised operations summed over the paths.
        active: Q, the number of paths with at least one parameterised operation.
    """

    paths: np.ndarray
    length: np.ndarray
    active: np.ndarray

    def __len__(self) -> int:
        return len(self.paths)

    @classmethod
    def from_counts(cls, counts: npt.ArrayLike) -> PathTotals:
        """Totals from path counts n_d [A, depth + 1]; int64 where all products stay exact, else Python integers."""
        counts = np.asarray(counts)
        # P <= 2^31 / D keeps S below 2^31 as well; the sum of a row is bounded through its maximum.
        width = max(counts.shape[1], 1)
        largest = int(counts.max(initial=0)) * width * width
        counts = counts.astype(object if largest >= _SAFE else np.int64)
        paths = counts.sum(axis=1)
        length = (counts * np.arange(counts.shape[1])).sum(axis=1)
        return cls(paths, length, paths - counts[:, 0])

    @classmethod
    def concatenate(cls, parts: Sequence[PathTotals]) -> PathTotals:
        """The totals of several batches as one."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("paths", "length", "active")))

    def take(self, index: np.ndarray) -> PathTotals:
        """The cells selected by an index or mask."""
        return PathTotals(self.paths[index], self.length[index], self.active[index])

    @property
    def nondegenerate(self) -> np.ndarray:
        """Cells with a parameterised path, d > 0: bool [A]. The others have no place in the (d, m) plane."""
        return (self.length > 0).astype(bool)

    @property
    def depth(self) -> np.ndarray:
        """Effective depth d = S / P, float64 [A]; 0 where there is no path."""
        return _divide(self.length, self.paths)

    @property
    def width(self) -> np.ndarray:
        """Effective width m = Q P / S, float64 [A]; 0 where d = 0."""
        return _divide(self.active * self.paths, self.length)

    def fractions(self, i: int) -> tuple[Fraction, Fraction]:
        """Effective depth and width of cell i, exactly."""
        paths, length, active = int(self.paths[i]), int(self.length[i]), int(self.active[i])
        return (
            Fraction(length, paths) if paths else Fraction(0),
            Fraction(active * paths, length) if length else Fraction(0),
        )

    def keys(self) -> np.ndarray:
        """Four integers that name (d, m) exactly, [A, 4]: both fractions in lowest terms, 0 / 1 where d = 0.

        Equal rows are equal (d, m).
        """
        proper = self.nondegenerate
        length, paths = np.where(proper, self.length, 0), np.where(proper, self.paths, 1)
        product, below = np.where(proper, self.active * self.paths, 0), np.where(proper, self.length, 1)
        g, h = np.gcd(length, paths), np.gcd(product, below)
        return np.stack([length // g, paths // g, product // h, below // h], axis=1)

    def within(self, box: Box) -> np.ndarray:
        """Cells inside a box, bounds included, compared exactly; cells with d = 0 never are. bool [A]."""
        paths, length, product = (np.asarray(v) for v in (self.paths, self.length, self.active * self.paths))
        sizes = [bound.numerator for bound in box.bounds] + [bound.denominator for bound in box.bounds]
        largest = max((int(v.max(initial=0)) for v in (paths, length, product)), default=0)
        if largest * max(map(abs, sizes)) >= 1 << 62:
            paths, length, product = (v.astype(object) for v in (paths, length, product))
        return np.asarray(
            self.nondegenerate
            & (length * box.depth_min.denominator >= box.depth_min.numerator * paths)
            & (length * box.depth_max.denominator <= box.depth_max.numerator * paths)
            & (product * box.width_min.denominator >= box.width_min.numerator * length)
            & (product * box.width_max.denominator <= box.width_max.numerator * length),
            dtype=bool,
        )


@dataclass(frozen=True)
class Box:
    """A closed box in the (d, m) plane with exact bounds.

    Attributes:
        depth_min, depth_max: bounds of the effective depth.
        width_min, width_max: bounds of the effective width.
    """

    depth_min: Fraction
    depth_max: Fraction
    width_min: Fraction
    width_max: Fraction

    @classmethod
    def make(cls, depth_min: Number, depth_max: Number, width_min: Number, width_max: Number) -> Box:
        """A box from numbers of any kind (`exact`); InputError where a minimum exceeds its maximum."""
        box = cls(exact(depth_min), exact(depth_max), exact(width_min), exact(width_max))
        if box.depth_min > box.depth_max or box.width_min > box.width_max:
            raise InputError(f"empty range: the minimum exceeds the maximum in {box}")
        return box

    @property
    def bounds(self) -> tuple[Fraction, Fraction, Fraction, Fraction]:
        """(depth_min, depth_max, width_min, width_max)."""
        return (self.depth_min, self.depth_max, self.width_min, self.width_max)

    @property
    def center(self) -> tuple[Fraction, Fraction]:
        """((d_max + d_min) / 2, (m_max + m_min) / 2), Section 5.3."""
        return ((self.depth_min + self.depth_max) / 2, (self.width_min + self.width_max) / 2)

    @property
    def radius(self) -> tuple[Fraction, Fraction]:
        """((d_max - d_min) / 2, (m_max - m_min) / 2), Section 5.3: the full radius."""
        return ((self.depth_max - self.depth_min) / 2, (self.width_max - self.width_min) / 2)

    def shrink(self, factor: Number) -> Box:
        """The box with the same centre and `factor` times the radius: |d - d*| <= factor r_d, |m - m*| <= factor
        r_m.
        """
        factor = exact(factor)
        if factor < 0:
            raise InputError(f"the share of the radius cannot be negative, got {float(factor):g}")
        (d, m), (rd, rm) = self.center, self.radius
        return Box(d - factor * rd, d + factor * rd, m - factor * rm, m + factor * rm)

    def contains(self, depth: Fraction, width: Fraction) -> bool:
        """True where (d, m), exact, lies in the box, bounds included."""
        return self.depth_min <= depth <= self.depth_max and self.width_min <= width <= self.width_max

    def __str__(self) -> str:
        return ",".join(f"{float(bound):.6g}" for bound in self.bounds)


@dataclass(frozen=True)
class ShapeTable:
    """Cells counted by path totals and number of parameterised operations: a whole space, exactly, in few rows.

    Attributes:
        totals: path totals of each row, [R].
        parameterised: number of parameterised operations of each row, int64 [R].
        multiplicity: number of cells of each row, Python integers [R].
    """

    totals: PathTotals
    parameterised: np.ndarray
    multiplicity: np.ndarray

    @classmethod
    def count(cls, totals: PathTotals, parameterised: np.ndarray, multiplicity: np.ndarray | None = None) -> ShapeTable:
        """Count equal rows; `multiplicity` [A] where a row stands for several cells."""
        rows = np.stack([totals.paths, totals.length, totals.active, np.asarray(parameterised)], axis=1)
        unique, _, inverse = unique_rows(rows)
        if multiplicity is None:
            sums = np.bincount(inverse, minlength=len(unique))
        else:
            # Machine integers as long as the sum fits.
            fits = sum(map(int, multiplicity)) < 1 << 62
            sums = np.zeros(len(unique), dtype=np.int64 if fits else object)
            np.add.at(sums, inverse, multiplicity.astype(sums.dtype))
        shape = PathTotals(unique[:, 0], unique[:, 1], unique[:, 2])
        return cls(shape, unique[:, 3].astype(np.int64), sums.astype(object))

    @classmethod
    def merge(cls, tables: Sequence[ShapeTable]) -> ShapeTable:
        """The sum of several tables."""
        totals = PathTotals.concatenate([table.totals for table in tables])
        joined = [
            np.concatenate([getattr(table, name) for table in tables]) for name in ("parameterised", "multiplicity")
        ]
        return cls.count(totals, joined[0], joined[1])

    @cached_property
    def num_cells(self) -> int:
        """Number of cells counted."""
        return int(sum(self.multiplicity))

    def select(self, mask: np.ndarray) -> ShapeTable:
        """The rows of a mask."""
        return ShapeTable(self.totals.take(mask), self.parameterised[mask], self.multiplicity[mask])

    @cached_property
    def range(self) -> Box:
        """The exact range of (d, m) over the cells with a parameterised path; InputError where there is none."""
        totals = self.totals.take(self.totals.nondegenerate)
        if not len(totals):
            raise InputError(
                "no cell has a path with a parameterised operation: effective depth and width have no range"
            )
        bounds = []
        for values, part in ((totals.depth, 0), (totals.width, 1)):
            for sign in (1, -1):
                # Rounded quotients find the few candidates; exact fractions decide among them.
                edge = (sign * values).min()
                near = np.flatnonzero(sign * values <= edge + 1e-9 * abs(edge))
                exactly = (sign * totals.fractions(int(i))[part] for i in near)
                bounds.append(sign * min(exactly))
        return Box(*bounds)


def code_totals(code: Sequence[int]) -> tuple[int, int, int]:
    """Path totals (P, S, Q) of one flat code, a list of digits: for a single cell, quicker than arrays."""
    paths, length, inactive = [1], [0], [1]
    start = t = 0
    while start < len(code):
        t += 1
        p = total = z = 0
        for s in range(t):
            op = code[start + s]
            if op:
                p += paths[s]
                total += length[s] + paths[s] * (op == 2)
                z += inactive[s] * (op == 1)
        paths.append(p)
        length.append(total)
        inactive.append(z)
        start += t
    return paths[-1], length[-1], paths[-1] - inactive[-1]


def unique_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Different rows of non-negative integers [A, k] in lexicographic order, where each first occurs, and which each
    row is.

    Rows are packed into single integers where they fit, which sorts ten times faster than `numpy.unique` over an axis.
    """
    sizes = [int(column.max(initial=0)) + 1 for column in rows.T]
    if rows.dtype == object or math.prod(sizes) >= 1 << 62:
        listed = list(map(tuple, rows.tolist()))
        place = {row: i for i, row in enumerate(sorted(set(listed)))}
        inverse = np.array([place[row] for row in listed], dtype=np.int64)
        first = np.zeros(len(place), dtype=np.int64)
        first[inverse[::-1]] = np.arange(len(listed))[::-1]
        return rows[first], first, inverse
    packed = np.zeros(len(rows), dtype=np.int64)
    for column, size in zip(rows.T, sizes, strict=True):
        packed = packed * size + column
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    return rows[first], first, inverse.reshape(-1)


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotients as float64, 0 where the denominator is 0; Python integers divide without overflow."""
    result = np.zeros(len(numerator), dtype=denominator.dtype if denominator.dtype == object else np.float64)
    return np.divide(numerator, denominator, out=result, where=np.asarray(denominator > 0, dtype=bool)).astype(
        np.float64
    )
