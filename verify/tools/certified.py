"""Proved eigenvalues of kernels on real data: what claims about whole kernels are decided by, with their certificates.

Rows are divided by their norms in balls, and so the diagonal of K_in is exactly 1. A certificate names them by a
checksum, and the data set; a report is checked again where the same rows are at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.proofs.spectrum_bounds import Quotient, SpectrumBounds, read_spectrum
from nngp_dag.reading import Setting
from nngp_dag.spectrum.certification import CertifiedSpectrum, certify_kernels
from verify import Undecided
from verify.framework.context import Context
from verify.framework.needs import Statement

__all__ = ["QUANTITIES", "CertifiedKernel", "certified_kernels", "in_order", "kernel_among", "middle"]

QUANTITIES: dict[str, Callable[[SpectrumBounds], Quotient]] = {
    "lambda_min": lambda statement: statement.least,
    "lambda_min / mean diagonal": lambda statement: statement.scale_free,
    "1 / condition": lambda statement: statement.inverse_condition,
}
"""Quantities that a certificate encloses, by what claims call them."""


@dataclass(frozen=True, eq=False)
class CertifiedKernel:
    """A kernel of a DAG on rows whose lambda_min > 0, with its enclosures, what its certificate states, and that."""

    spectrum: CertifiedSpectrum
    statement: SpectrumBounds
    certificate: Mapping[str, object]

    @property
    def eigenvalues(self) -> np.ndarray:
        """The middles of the enclosures, ascending, [N]."""
        low, high = self.spectrum.eigenvalues
        return np.asarray((low + high) / 2)


def certified_kernels(
    context: Context,
    rows: np.ndarray,
    code: str,
    setting: Setting,
    names: tuple[str, ...] = ("nngp", "ntk"),
) -> dict[str, CertifiedKernel]:
    """The kernels of a DAG on rows [N, d] of the context's data.

    Raises:
        Undecided: an eigenvalue that is not told from zero.
    """
    source = f"{context.data}:{len(rows)}"
    spectra = certify_kernels(Dag.from_code(code), rows, setting, names, normalize=True, source=source)
    found = {}
    for name, spectrum in spectra.items():
        if not spectrum.proved:
            raise Undecided(f"{name} of {code}, {setting}, on {len(rows)} rows of {context.data}: {spectrum.reason}")
        certificate = spectrum.certificate()
        found[name] = CertifiedKernel(spectrum, read_spectrum(certificate)[0], certificate)
    return found


def in_order(intervals: Sequence[Quotient]) -> bool | None:
    """True where each interval lies below the next, False where one lies above its next, else None: not decided."""
    pairs = list(pairwise(intervals))
    if all(first[1] < second[0] for first, second in pairs):
        return True
    return False if any(first[0] > second[1] for first, second in pairs) else None


def middle(interval: Quotient) -> float:
    """The middle of an interval, as a float."""
    return float((interval[0] + interval[1]) / 2)


def kernel_among(
    statements: Sequence[Statement], code: str, setting: Setting, kernel: str
) -> Mapping[tuple[str, tuple[int, int]], SpectrumBounds]:
    """The statements of certificates about a kernel of a DAG on normalised rows, by checksum and shape of the rows."""
    return {
        (found.rows.sha256, found.rows.shape): found
        for found in statements
        if isinstance(found, SpectrumBounds)
        and (found.code, found.setting, found.kernel, found.rows.normalized) == (code, setting, kernel, True)
    }
