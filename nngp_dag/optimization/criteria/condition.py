"""The condition number of the NTK on the rows, undefined where it cannot be told from a singular matrix.

A lower bound that discards: the largest over the smallest Rayleigh quotient of any directions.
"""

from __future__ import annotations

import numpy as np

from nngp_dag.optimization.criteria.base import Batch, Criterion, Probes
from nngp_dag.optimization.criteria.lambda_min import extremes, quotients

__all__ = ["CRITERION"]


def _values(batch: Batch) -> np.ndarray:
    low, high, resolved = extremes(batch.ntk)
    return np.divide(high, low, out=np.full(len(low), np.nan), where=resolved)


def _optimist(batch: Batch, probes: Probes) -> np.ndarray:
    low = quotients(batch.ntk, probes.least).min(axis=1)
    high = quotients(batch.ntk, probes.greatest).max(axis=1)
    return np.divide(high, low, out=np.full(len(low), np.inf), where=low > 0)


CRITERION = Criterion("condition", "NTK condition number", False, _values, ("ntk",), optimist=_optimist)
