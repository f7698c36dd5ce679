"""Proved bounds of the eigenvalues of the exact kernels, where they cost a fraction of what an analysis takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.reading import Reading, Setting
from nngp_dag.spectrum.certification import CertifiedSpectrum, certified_digits, certify_kernels

__all__ = ["ProvedSpectra", "proved_eigenvalues", "proved_words"]

_MOST_STEPS = 400_000
"""Pairs of rows times nodes and linear edges: each step costs a core about 5 microseconds, so three seconds at most."""

_QUANTITIES = (("λ_min", "lambda_min"), ("λ_max", "lambda_max"), ("κ", "condition"))


class ProvedSpectra(NamedTuple):
    """The certified spectra of both exact kernels (nngp, ntk), or none, and why none was computed."""

    spectra: dict[str, CertifiedSpectrum]
    reason: str

    def summary(self, kernel: str) -> dict[str, object]:
        """As `CertifiedSpectrum.summary`: the intervals of a kernel, or why they are not proved."""
        if kernel in self.spectra:
            return self.spectra[kernel].summary()
        return {"proved": False, "reason": self.reason}


def proved_eigenvalues(dag: Dag, x: np.ndarray, reading: Reading) -> ProvedSpectra:
    """Bounds for rows [N, d], float64, as the exact numbers that they are.

    None where it would take long, for an activation without a closed form in balls, or where no ball encloses an
    entry: the plain figures are all there is then.
    """
    pruned, n = dag.pruned(), len(x)
    if n * (n + 1) // 2 * (pruned.num_nodes + pruned.num_linear) > _MOST_STEPS:
        return ProvedSpectra({}, f"a proof for {n:,} rows takes long: nngp_dag.spectrum.certified has it")
    try:
        return ProvedSpectra(certify_kernels(dag, x, Setting("exact", reading)), "")
    except InputError as error:
        return ProvedSpectra({}, str(error))


def proved_words(proved: ProvedSpectra, kernel: str) -> str:
    """The proved digits of a kernel in a line; empty where no proof was tried."""
    if kernel not in proved.spectra:
        return ""
    found = proved.spectra[kernel]
    if not found.proved:
        return f"not proved for exact: {found.reason}"
    shown = (f"{label} = {certified_digits(getattr(found, name))}" for label, name in _QUANTITIES)
    return f"proved for exact: {', '.join(shown)} (± 1 in brackets)"
