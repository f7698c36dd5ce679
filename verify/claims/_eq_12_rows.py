"""Eq. 12 on more than two rows: proved to be exceeded on orthonormal rows, and by intervals on real data.

On orthonormal rows all K_ij are equal, and not negative; lambda_min of N of them is K_ii - K_ij, as of two. So an
excess at rho = 0 is one of any number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.proofs import EigenvalueBound, Inequality, Term, precision, prove, prove_bound, to_certificate
from nngp_dag.proofs.matrices import pair_bound_by_paths, unit_gram
from nngp_dag.proofs.relu import relu_dual
from nngp_dag.reading import Setting
from nngp_dag.spectrum import certified, certified_digits
from verify import Finding, Proof
from verify.framework.needs import Need, exactly
from verify.tools.settings import NNGP_SETTINGS, path_sum_of

__all__ = ["ORTHONORMAL", "needs_on_rows", "on_data", "on_orthonormal_rows"]

_N = 8
ORTHONORMAL = f"{_N} orthonormal rows"
_CODES = ("1_12_002", "1_11", "1_11", "1_11")
_BETWEEN = (Fraction(119, 100), Fraction(3), Fraction(3), Fraction(2))
_CASES = dict(zip(NNGP_SETTINGS, zip(_CODES, _BETWEEN, strict=True), strict=True))
"""Per setting a DAG, and a number between Eq. 12 and lambda_min at rho = 0."""

_ON_DATA = "1_11_111"


def _statements(setting: Setting) -> tuple[EigenvalueBound, Inequality]:
    """lambda_min > t on orthonormal rows, and t > P - sum_p f^(d_p)(0)."""
    code, between = _CASES[setting]
    rows = tuple(tuple(int(i == j) for j in range(_N)) for i in range(_N))
    gap = Term(Fraction(-1), code, path_sum_of(setting))
    bound = EigenvalueBound(code, setting, rows, "above", between)
    return bound, Inequality((gap,), Fraction(1), Fraction(1), between)


def on_orthonormal_rows(setting: Setting) -> tuple[Finding, list[Mapping[str, object]]]:
    """The finding that Eq. 12 bounds lambda_min on orthonormal rows, which is false, and its certificates."""
    bound, below = _statements(setting)
    certificates: list[Mapping[str, object]] = [to_certificate(prove_bound(bound)), to_certificate(prove(below))]
    proved = all(certificate["proved"] for certificate in certificates)
    finding = Finding(
        False if proved else None,
        setting=setting,
        label=ORTHONORMAL,
        proof=Proof.by_certificates(*certificates) if proved else None,
        cases=1,
        detail=f"{bound.code}: lambda_min > {bound.bound} > P - sum over paths",
    )
    return finding, certificates


def needs_on_rows(setting: Setting) -> list[Need]:
    """The certificates of `on_orthonormal_rows`."""
    return [exactly(statement, shows=False) for statement in _statements(setting)]


def on_data(rows: np.ndarray, data: str, setting: Setting) -> Finding:
    """The finding that Eq. 12 bounds lambda_min on rows [N, d] of real data for one DAG, *exact*; both in intervals."""
    dag, names = Dag.from_code(_ON_DATA), setting.names()
    least = certified(
        dag, rows, "nngp", method=names["method"], order=names["order"], embedding=names["embedding"], normalize=True
    ).lambda_min
    with precision(128):
        gram = unit_gram(rows)
        if setting.embedding == "stem":
            gram = [[relu_dual(entry) if i != j else entry for j, entry in enumerate(r)] for i, r in enumerate(gram)]
        bound = pair_bound_by_paths(dag, gram)
        low, high = float(bound.lower()) * (1 - 2**-50), float(bound.upper()) * (1 + 2**-50)
    return Finding(
        False if least[0] > high else True if least[1] <= low else None,
        setting=setting,
        label=f"{len(rows)} rows of {data}",
        cases=1,
        tolerance=0.0,
        worst=least[0] - high,
        detail=f"{_ON_DATA}: lambda_min {certified_digits(least)}, Eq. 12 {certified_digits((low, high))}, both proved",
    )
