"""Pairs of DAGs that two rankings order differently, proved: which pairs, and what their certificates have to state.

A pair (a, b) with as many linear edges is *against* a ranking where that places a above b, and lambda_min(a) <
lambda_min(b), by proved eigenvalues on the same rows. Effective depth and width are rational numbers. Eq. 12 places a
above b on any rows where sum_p f^(d_p) says so for all rho, which is one inequality between two-point kernels. Of depth
and width either direction may be meant, and so it takes a pair against each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.paths import path_statistics
from nngp_dag.proofs import Inequality, Term, prove
from nngp_dag.proofs.certificate import to_certificate
from nngp_dag.proofs.spectrum_bounds import SpectrumBounds
from nngp_dag.reading import Setting
from verify import Context, Proof, Undecided
from verify.framework.needs import Statement, Together, setting_of
from verify.framework.record import FindingRecord
from verify.tools.certified import QUANTITIES, CertifiedKernel, certified_kernels, in_order, kernel_among

__all__ = ["LINEAR", "SHAPES", "RankedReading", "Witnesses", "needs"]

_CLEAR = 1e-4
"""The least relative difference of two eigenvalues of a pair that is tried."""
_TRIED = 200
SHAPES = ("effective depth", "effective width")
LINEAR = (2, 3, 4)
"""The numbers of linear edges at which DAGs are ranked."""


@dataclass(frozen=True, eq=False)
class RankedReading:
    """One reading: lambda_min of a kernel against what ranks.

    Attributes:
        label: of the reading: kernel, `scale-free` or nothing, and `by effective depth` or `width` or nothing (Eq. 12).
        by: what ranks, [A]. value: lambda_min, [A].
    """

    label: str
    by: np.ndarray
    value: np.ndarray


def _parts(label: str) -> tuple[str, str, str]:
    """The kernel, the quantity and the shape (empty for Eq. 12) of a label."""
    words, _, by = label.partition(", by ")
    kernel, _, scale = words.partition(" ")
    return kernel.lower(), "lambda_min / mean diagonal" if scale else "lambda_min", by


def _above(a: str, b: str, setting: Setting, scale_free: bool) -> Inequality:
    """Eq. 12 of `a` lies above that of `b` on any rows.

    Over P both are 1 - rho next to rho = 1, since f'(1) = 1; what each lacks of that, over (1 - rho)^(3/2), is its
    deficit, and the order is the reverse of that of deficits.
    """
    embedding = "stem" if setting.embedding == "stem" else "gaussian"
    paths = Setting.make("path-sum", "activation-last", embedding)
    upper, lower = (b, a) if scale_free else (a, b)
    quantity, scale = ("deficit", "variance") if scale_free else ("gap-ratio", "none")
    terms = (Term(Fraction(1), upper, paths, quantity, scale), Term(Fraction(-1), lower, paths, quantity, scale))
    return Inequality(terms, Fraction(0), Fraction(2))


def _shape(code: str, words: str) -> Fraction:
    found = path_statistics(Dag.from_code(code))
    return found.effective_depth if words == SHAPES[0] else found.effective_width


def _linear_edges(code: str) -> int:
    return Dag.from_code(code).pruned().num_linear


@dataclass
class Witnesses:
    """Pairs against rankings in one setting, of as few DAGs as serve.

    Attributes:
        names: code strings of the DAGs. linear: their numbers of linear edges, [A].
        kernels: the proved kernels of the DAGs that were taken.
        certificates: all that proofs name. first: the pair of the first proof.
    """

    context: Context
    rows: np.ndarray
    setting: Setting
    names: tuple[str, ...]
    linear: np.ndarray
    kernels: dict[str, Mapping[str, CertifiedKernel]] = field(default_factory=dict)
    certificates: list[Mapping[str, object]] = field(default_factory=list)
    first: tuple[str, str] = ("", "")

    def proof(self, ranked: RankedReading) -> Proof:
        """The proof that the order of `by` is not that of `value`.

        Raises:
            Undecided: no pair that is proved to be against it.
        """
        kernel, quantity, shape = _parts(ranked.label)
        pairs = [self._pair(ranked, kernel, quantity, 1)]
        if shape:
            pairs.append(self._pair(ranked, kernel, quantity, -1))
        named: list[Mapping[str, object]] = []
        for pair, certificates in pairs:
            named += [*(self.kernels[code][kernel].certificate for code in pair), *certificates]
        self.certificates += named
        self.first = self.first if all(self.first) else pairs[0][0]
        return Proof.by_certificates(*named)

    def _pair(
        self, ranked: RankedReading, kernel: str, quantity: str, sign: int
    ) -> tuple[tuple[str, str], list[Mapping[str, object]]]:
        """A pair against `sign` times the ranking, and the certificate that Eq. 12 needs."""
        _, _, shape = _parts(ranked.label)
        for a, b in self._candidates(sign * ranked.by, ranked.value):
            certificates: list[Mapping[str, object]] = []
            if not shape:
                attempt = prove(_above(a, b, self.setting, quantity != "lambda_min"), max_boxes=64)
                if not attempt.proved:
                    continue
                certificates.append(to_certificate(attempt))
            elif sign * (_shape(a, shape) - _shape(b, shape)) <= 0:
                continue
            for code in (a, b):
                if code not in self.kernels:
                    self.kernels[code] = certified_kernels(self.context, self.rows, code, self.setting)
            if in_order([QUANTITIES[quantity](self.kernels[code][kernel].statement) for code in (a, b)]):
                return (a, b), certificates
        raise Undecided(f"{self.setting}, {ranked.label}: no pair of DAGs is proved to be against the ranking")

    def _candidates(self, by: np.ndarray, value: np.ndarray) -> Iterator[tuple[str, str]]:
        """Pairs (a, b) with by(a) > by(b) and value(a) < value(b): of DAGs taken before first, then the clearest."""
        ranked = np.isin(self.linear, LINEAR)
        i, j = np.nonzero((self.linear[:, None] == self.linear[None]) & ranked[:, None])
        rank, size = by[i] / by[j] if by[i].min() > 0 else by[j] / by[i], value[j] / value[i]
        against = np.flatnonzero((rank > 1 + 1e-9) & (size > 1 + _CLEAR))
        taken = np.array([name in self.kernels for name in self.names])
        clear = np.minimum(np.log(rank[against]), np.log(size[against]))
        order = np.lexsort((-clear, -(taken[i[against]].astype(int) + taken[j[against]])))
        for k in against[order[:_TRIED]]:
            yield self.names[i[k]], self.names[j[k]]


def needs(reading: FindingRecord) -> list[Together]:
    """A pair against the ranking of this reading; against both directions where it is one by shape."""
    kernel, quantity, shape = _parts(reading["label"])
    setting = setting_of(reading)

    def follows(statements: Sequence[Statement]) -> bool:
        codes = sorted({found.code for found in statements if isinstance(found, SpectrumBounds)})
        kernels = {code: kernel_among(statements, code, setting, kernel) for code in codes}
        increasing = [
            (a, b)
            for a in codes
            for b in codes
            for rows in kernels[a].keys() & kernels[b].keys()
            if _linear_edges(a) == _linear_edges(b)
            and in_order([QUANTITIES[quantity](kernels[code][rows]) for code in (a, b)])
        ]
        if not shape:
            return any(_above(a, b, setting, quantity != "lambda_min") in statements for a, b in increasing)
        differences = [_shape(a, shape) - _shape(b, shape) for a, b in increasing]
        return any(d > 0 for d in differences) and any(d < 0 for d in differences)

    return [Together(f"a pair of DAGs against the ranking: {reading['label']}", follows, shows=False)]
