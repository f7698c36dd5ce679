"""DAGs of growing H for which no constant in the learning rate of Theorem 3.1 is small enough."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.reading import Setting
from verify import Finding, Proof
from verify.tools.learning_rate import all_skip_keeps, linear_rates

__all__ = ["beside_a_skip", "skips_alone"]

_LABEL = "one constant for every H"
_SLIGHTLY = Fraction(1_000_001, 1_000_000)


def skips_alone(setting: Setting, largest: int = 24) -> Finding:
    """Skips alone, in rationals: Eq. 3 is kept with C = 6 / 4^(H-1) and lost with slightly more, H = 1..`largest`."""
    constants = [Fraction(6, 4 ** (h - 1)) for h in range(1, largest + 1)]
    exact = all(
        all_skip_keeps(h + 1, 2, c) and not all_skip_keeps(h + 1, 2, c * _SLIGHTLY) for h, c in enumerate(constants, 1)
    )
    return Finding(
        False if exact else None,
        setting=setting,
        label=_LABEL,
        proof=Proof.written("learning-rate") if exact else None,
        cases=largest,
        worst=float(constants[-1]),
        detail=f"skips alone, two orthonormal rows: C <= 6 / 4^(H-1), in rationals; {float(constants[-1]):.1g} at"
        f" H = {largest}",
    )


def beside_a_skip(setting: Setting, largest: int = 32) -> Finding:
    """A chain of H linear edges beside one skip: the largest C for H = 2..`largest`, which falls as 1 / H."""
    x = np.eye(2)
    found = [linear_rates([_chain_and_skip(h)], x, [[0, 1]], setting)[0] for h in range(2, largest + 1)]
    constants = np.array([float(of.largest_constant[0]) for of in found])
    below_limit = all(c < 32 / (h + 2) for h, c in enumerate(constants, 2))
    lost = [h for h, of in enumerate(found, 2) if not of.keep(of.theorem)[0]]
    shown = bool(lost) and below_limit
    return Finding(
        False if shown else None,
        setting=setting,
        label=_LABEL,
        proof=Proof.written("learning-rate") if shown else None,
        cases=len(found),
        worst=float(constants[-1]),
        detail=f"a chain of H linear edges beside a skip, two orthonormal rows: C <= {constants[0]:.3g} at H = 2,"
        f" {constants[-1]:.3g} at H = {largest}" + (f"; constant 1 fails from H = {lost[0]}" if lost else ""),
    )


def _chain_and_skip(h: int) -> Dag:
    return Dag.from_edges({(0, h): "skip", **{(t, t + 1): "linear" for t in range(h)}}, h + 1)
