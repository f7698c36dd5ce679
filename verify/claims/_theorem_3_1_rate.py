"""Networks about the learning rate at which Eq. 3 ends: shared by the readings of the claim theorem-3.1-rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag
from verify import Finding
from verify.tools.descent import LiteralNetworks
from verify.tools.learning_rate import threshold
from verify.tools.literal import EQUATIONS
from verify.tools.pair_recursion import exact_gram
from verify.tools.residual_bound import BoundedRuns, spectra

__all__ = ["Networks", "run_networks"]

_FACTORS = (0.5, 2.5)
"""Rates about the threshold, far from it, since mu varies: by half in a network of DAG#1 of width 192."""

_START = 0.05
"""Norm of the residual at the start: small, so that the weights hardly move."""


@dataclass(frozen=True)
class Networks:
    """Runs along the direction of the NTK's largest eigenvalue: at the theorem's eta with constant 1 (the DAG of skips
    alone), and at `factors` of the threshold.
    """

    theorem: BoundedRuns
    below: BoundedRuns
    above: BoundedRuns
    factors: tuple[float, float] = _FACTORS

    def finding(self, label: str, runs: BoundedRuns) -> Finding:
        """The outcome for all networks: do they stay below Eq. 3?"""
        exceeding = runs.exceeding()
        count = int(exceeding.sum())
        return Finding(
            False if exceeding.all() else True if not count else None,
            order="activation-last",
            embedding="gaussian",
            method="networks",
            label=label,
            cases=exceeding.size,
            tolerance=1e-4,
            worst=float(np.minimum(runs.residuals[..., 1], 1e300).max()),
            detail=f"{count} of {exceeding.size} networks exceed it ({len(runs.spectra.dags)} DAGs)",
        )


def run_networks(width: int, seeds: int, first: int) -> Networks:
    """All runs as one program, on two orthonormal rows."""
    x = np.eye(2, 8)
    dags = [Dag.from_code(code) for code in ("1_11_111", *(code for code, *_ in EQUATIONS.values()))]
    found = spectra(dags, x)
    ntk = np.stack([exact_gram(dag, x, x, "activation-last", "gaussian")[1] for dag in dags])
    values, vectors = np.linalg.eigh(ntk)
    largest = threshold(values, found.nngp_min)
    low, high = _FACTORS
    rates = np.concatenate([found.theorem[:1], low * largest, high * largest])
    order = [0, *range(len(dags)), *range(len(dags))]
    start = _START * np.array([vectors[i][:, -1] for i in order])
    nets = LiteralNetworks([dags[i] for i in order], x, width, range(first, first + seeds), "relu", 2.0)
    residuals = nets.descend(start, list(rates), 20).residuals
    relative = residuals / residuals[..., :1]
    theorem, below, above = (
        BoundedRuns(spectra([dags[i] for i in order[part]], x), rates[part], relative[part])
        for part in (slice(0, 1), slice(1, 1 + len(dags)), slice(1 + len(dags), None))
    )
    return Networks(theorem, below, above)
