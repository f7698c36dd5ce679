r"""Strict inequalities between two-point kernels, proved on an interval by adaptive subdivision.

An inequality is constant + sum_i c_i q_i(v) > 0 for all v = 1 - rho in [low, high], with rational c_i and quantities
q_i of DAGs:

- `gap-ratio`: (K_ii - K_ij) / v, which has a limit at v = 0: strictness there is strictness "up to the end where both
  sides vanish";
- `eigenvalue-ratio`: lambda_min / v = min(gap, 2 K_ii - gap) / v;
- `deficit`: (gap-ratio at 0 - gap-ratio at v) / sqrt(v), for comparisons of gap ratios that agree at v = 0;
- `limit`: the gap ratio at v = 0;
- `variance`: K_ii;
- `covariance`: K_ij.

Each may be divided by K_ii (`scale="variance"`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import flint
from flint import arb, fmpq

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError, unknown
from nngp_dag.proofs.two_point import TwoPoint, two_point
from nngp_dag.reading import Setting

__all__ = ["QUANTITIES", "Checked", "Inequality", "ProofAttempt", "Term", "lower_bound", "precision", "prove"]

_QUANTITIES: dict[str, Callable[[TwoPoint], arb]] = {
    "gap-ratio": lambda point: point.ratio,
    "eigenvalue-ratio": lambda point: point.eigenvalue_ratio,
    "deficit": lambda point: point.deficit,
    "limit": lambda point: point.limit,
    "variance": lambda point: point.variance,
    "covariance": lambda point: point.covariance,
}
QUANTITIES = tuple(_QUANTITIES)
_WORDS = {
    "gap-ratio": "(K_ii - K_ij) / (1 - rho)",
    "eigenvalue-ratio": "lambda_min / (1 - rho)",
    "deficit": "(limit - (K_ii - K_ij) / (1 - rho)) / sqrt(1 - rho)",
    "limit": "limit of (K_ii - K_ij) / (1 - rho) at rho = 1",
    "variance": "K_ii",
    "covariance": "K_ij",
}


@dataclass(frozen=True)
class Term:
    """coefficient * quantity of one DAG under one setting; `scale="variance"` divides it by K_ii."""

    coefficient: Fraction
    code: str
    setting: Setting = field(default_factory=Setting)
    quantity: str = "gap-ratio"
    scale: str = "none"

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise unknown("quantity", self.quantity, QUANTITIES)
        if self.scale not in ("none", "variance"):
            raise unknown("scale", self.scale, "none, variance")

    @property
    def words(self) -> str:
        """The quantity in words, without its coefficient."""
        quantity = _WORDS[self.quantity] + (" / K_ii" if self.scale == "variance" else "")
        setting = f"{self.setting.method} {self.setting.order} {self.setting.embedding}"
        return f"[{quantity} of {self.code}, {setting}]"

    def enclose(self, low: fmpq, high: fmpq) -> arb:
        """A ball that holds the term for every v in [low, high]."""
        point = _evaluate(self.code, low, high, self.setting, flint.ctx.prec)
        value = _QUANTITIES[self.quantity](point)
        return arb(_exact(self.coefficient)) * (value / point.variance if self.scale == "variance" else value)


class Checked(NamedTuple):
    """The outcome of checking a statement again: why it is not proved (empty where it is), how many boxes were
    evaluated, and the smallest bound where there is one.
    """

    reason: str
    boxes: int
    margin: float | None = None


@dataclass(frozen=True)
class Inequality:
    """sum of `terms` plus `constant` > 0 for all v = 1 - rho in [low, high].

    Raises:
        InputError: no terms, or an interval that is not within [0, 2].
    """

    terms: tuple[Term, ...]
    low: Fraction
    high: Fraction
    constant: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not self.terms:
            raise InputError("an inequality has at least one term")
        if not 0 <= self.low <= self.high <= 2:
            raise InputError(f"an interval of v = 1 - rho lies in [0, 2], got [{self.low}, {self.high}]")

    @property
    def words(self) -> str:
        """The statement, made from the data alone."""
        where = (
            f"at rho = {1 - self.low}" if self.low == self.high else f"for all rho in [{1 - self.high}, {1 - self.low}]"
        )
        total = " ".join(_signed(term.coefficient, term.words) for term in self.terms)
        if self.constant:
            total += " " + _signed(self.constant, "")
        return f"{total.removeprefix('+ ')} > 0 {where}"

    def check(self, cuts: Sequence[Fraction], bits: int) -> Checked:
        """Evaluate the left side anew on the boxes between these cuts, which have to cover the interval."""
        ordered = all(a < b for a, b in itertools.pairwise(cuts))
        if not cuts or not ordered or cuts[0] != self.low or cuts[-1] != self.high:
            return Checked("its boxes do not cover the interval", 0)
        boxes = list(itertools.pairwise(cuts)) or [(cut, cut) for cut in cuts]
        with precision(bits):
            bounds = [lower_bound(self, low, high) for low, high in boxes]
        reason = "" if all(bound > 0 for bound in bounds) else "a box is not above 0"
        return Checked(reason, len(bounds), min(float(bound.lower()) for bound in bounds))


@dataclass(frozen=True)
class ProofAttempt:
    """The outcome of a proof attempt.

    Attributes:
        proved: whether every box was settled.
        cuts: low = cuts[0] < ... < cuts[-1] = high, the ends of the settled boxes, in order; a single box for a point.
        margin: the smallest lower bound over the settled boxes.
        open: boxes left when the budget ended (empty where proved).
        precision: bits.
        seconds: time.
    """

    inequality: Inequality
    proved: bool
    cuts: tuple[Fraction, ...]
    margin: float
    open: tuple[tuple[Fraction, Fraction], ...]
    precision: int
    seconds: float

    @property
    def statement(self) -> Inequality:
        """The statement that was tried."""
        return self.inequality

    def witness(self) -> dict[str, object]:
        """The numbers of the proof, for a certificate: of one that failed the boxes left open."""
        return {
            "boxes": self.boxes,
            "cuts": [str(cut) for cut in self.cuts],
            "open": [[str(low), str(high)] for low, high in self.open],
            "margin": self.margin if self.proved else None,
        }

    @property
    def boxes(self) -> int:
        """Number of boxes settled."""
        return max(len(self.cuts) - 1, 1) if self.proved else max(len(self.cuts) - 1, 0)


def prove(inequality: Inequality, bits: int = 128, max_boxes: int = 4096, max_seconds: float = 60.0) -> ProofAttempt:
    """Try to prove an inequality; where the budget of boxes or seconds ends, the result says 'not proved' and what is
    left open.
    """
    start = time.perf_counter()
    todo = [(inequality.low, inequality.high)]
    settled: list[tuple[Fraction, Fraction]] = []
    stuck: list[tuple[Fraction, Fraction]] = []
    margin = float("inf")
    with precision(bits):
        while todo:
            if len(settled) + len(stuck) >= max_boxes or time.perf_counter() - start > max_seconds:
                stuck += todo
                break
            low, high = todo.pop()
            bound = lower_bound(inequality, low, high)
            if bound > 0:
                settled.append((low, high))
                margin = min(margin, float(bound.lower()))
            elif low == high or high - low < Fraction(1, 2**60):
                stuck.append((low, high))
            else:
                middle = (low + high) / 2
                todo += [(middle, high), (low, middle)]
    settled.sort()
    cuts = tuple(dict.fromkeys([low for low, _ in settled] + [high for _, high in settled[-1:]]))
    seconds = time.perf_counter() - start
    return ProofAttempt(inequality, not stuck, cuts if not stuck else (), margin, tuple(sorted(stuck)), bits, seconds)


def lower_bound(inequality: Inequality, low: Fraction, high: Fraction) -> arb:
    """A rigorous lower bound of the inequality's left side on [low, high], at the current precision."""
    a, b = _exact(low), _exact(high)
    total = arb(_exact(inequality.constant))
    for term in inequality.terms:
        total += term.enclose(a, b)
    return arb(total.lower())


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Ball arithmetic with `bits` of precision within the block."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


@lru_cache(maxsize=100_000)
def _evaluate(code: str, low: fmpq, high: fmpq, setting: Setting, bits: int) -> TwoPoint:
    """`two_point`, cached, since inequalities share DAGs and boxes; `bits`, the current precision, is part of the
    key.
    """
    return two_point(Dag.from_code(code), low, high, setting)


def _signed(coefficient: Fraction, words: str) -> str:
    """A summand with its sign: "+ [...]", "- 3 [...]", "+ 1/2"."""
    size = abs(coefficient)
    shown = " ".join(part for part in ("" if size == 1 and words else str(size), words) if part)
    return f"{'-' if coefficient < 0 else '+'} {shown}"


def _exact(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)
