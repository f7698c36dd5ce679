"""Bounds of the smallest eigenvalue of a kernel on given rows, proved in ball arithmetic (ReLU, unit rows).

A bound says lambda_min(K) > t or lambda_min(K) < t for the NNGP K of a DAG on rows of integers, each divided by its
norm. Above: all pivots of K - t I are positive. Below: a vector x of rational numbers has x'(K - t I) x < 0
(`matrices`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from flint import arb, fmpq

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError, unknown
from nngp_dag.proofs.matrices import Matrix, exceeds, falls_below, unit_gram, unit_row_kernel
from nngp_dag.proofs.prove import Checked, precision
from nngp_dag.reading import Setting

__all__ = ["BoundProof", "EigenvalueBound", "Side", "prove_bound"]

Side = Literal["above", "below"]
_LARGEST_ENTRY = 2**40
_MOST_ROWS = 64


@dataclass(frozen=True)
class EigenvalueBound:
    """lambda_min of the NNGP of `code` on `rows` divided by their norms lies above (or below) `bound`.

    Attributes:
        code: a DAG with a path.
        setting: as `two_point` takes it.
        rows: integers [N][d], 2 to 64 rows, none of them zero.
        side: "above" or "below".
        bound: t.

    Raises:
        InputError: rows or a side that are none.
    """

    code: str
    setting: Setting
    rows: tuple[tuple[int, ...], ...]
    side: Side
    bound: Fraction

    def __post_init__(self) -> None:
        if self.side not in ("above", "below"):
            raise unknown("side", self.side, ("above", "below"))
        if not 2 <= len(self.rows) <= _MOST_ROWS or len({len(row) for row in self.rows}) != 1:
            raise InputError(f"an eigenvalue bound needs 2 to {_MOST_ROWS} rows of one length")
        if any(abs(entry) > _LARGEST_ENTRY for row in self.rows for entry in row) or not all(map(any, self.rows)):
            raise InputError(f"rows of an eigenvalue bound are integers up to {_LARGEST_ENTRY}, and none is zero")

    @property
    def words(self) -> str:
        """The statement, made from the data alone."""
        setting = f"{self.setting.method} {self.setting.order} {self.setting.embedding}"
        relation = ">" if self.side == "above" else "<"
        rows = " ".join(f"({','.join(map(str, row))})" for row in self.rows)
        return f"lambda_min of {self.code}, {setting}, on the normalised rows {rows} {relation} {self.bound}"

    def kernel(self) -> Matrix:
        """The kernel in balls, at the current precision."""
        gram = unit_gram(np.array(self.rows, dtype=np.float64))
        return unit_row_kernel(Dag.from_code(self.code), gram, self.setting)

    def check(self, vector: Sequence[Fraction], bits: int) -> Checked:
        """Prove it in balls of `bits` bits; with a vector [N] where it is a bound from above (side "below")."""
        with precision(bits):
            kernel = self.kernel()
            t = arb(_exact(self.bound))
            if self.side == "above":
                proved = exceeds(kernel, t)
            else:
                proved = len(vector) == len(kernel) and falls_below(kernel, t, [arb(_exact(x)) for x in vector])
        return Checked("" if proved else "ball arithmetic does not prove it", 1)


@dataclass(frozen=True)
class BoundProof:
    """The outcome of a proof attempt; `vector` [N] is the witness of a bound from above (side "below")."""

    bound: EigenvalueBound
    proved: bool
    vector: tuple[Fraction, ...]
    precision: int
    seconds: float

    @property
    def statement(self) -> EigenvalueBound:
        """The statement that was tried."""
        return self.bound

    def witness(self) -> dict[str, object]:
        """The numbers of the proof, for a certificate."""
        return {"boxes": 1, "vector": [str(entry) for entry in self.vector]}


def prove_bound(bound: EigenvalueBound, bits: int = 128) -> BoundProof:
    """Try to prove a bound; the vector of a bound from above is a computed eigenvector, taken as exact numbers."""
    start = time.perf_counter()
    vector: tuple[Fraction, ...] = ()
    if bound.side == "below":
        with precision(bits):
            middle = [[float(entry) for entry in row] for row in bound.kernel()]
        vector = tuple(Fraction(float(entry)) for entry in np.linalg.eigh(middle)[1][:, 0])
    proved = not bound.check(vector, bits).reason
    return BoundProof(bound, proved, vector, bits, time.perf_counter() - start)


def _exact(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)
