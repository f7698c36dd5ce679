"""Methods against finite networks: the kernel of each is rejected, or not, by a test over all entries.

For n seeds, z = max |mean - K| / standard error over the upper triangle (diagonal included, E entries), and
p = min(1, 2 E P(T > z)) with Student's T of n - 1 degrees: Bonferroni, so that the chance to reject the right kernel is
at most the level, however the entries depend on each other. At a finite width m the mean itself is off by O(1/m); that
matters once the standard error, of order (n m)^(-1/2), is as small: with many more seeds than neurons every method is
rejected, rightly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.finite.montecarlo.estimate import KernelEstimate, MonteCarloEstimate
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.reading import METHODS, Setting

__all__ = ["LEVEL", "Agreement", "Unavailable", "agreement", "compare_methods"]

LEVEL = 0.01
"""A method is rejected where p is less than this."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of one method's kernel with an estimate.

    Attributes:
        relative_error: |mean - K|_F / |K|_F; NaN where K is zero and the mean is not.
        z: the largest distance of an entry in standard errors.
        p: probability of such a z, or a larger one, were K the mean (an upper bound: Bonferroni).
        accepted: p >= 0.01: not rejected, which says something only where the intervals are narrow (`words`).
    """

    relative_error: float
    z: float
    p: float
    accepted: bool
    available: bool = True


@dataclass(frozen=True)
class Unavailable:
    """A method that does not apply, and why."""

    reason: str
    available: bool = False


def agreement(estimate: KernelEstimate, kernel: ArrayLike, seeds: int) -> Agreement:
    """Compare an estimate over `seeds` networks with a kernel [N, N]."""
    from scipy.stats import t

    kernel = np.asarray(kernel, np.float64)
    difference = np.asarray(estimate.mean, np.float64) - kernel
    upper = np.triu_indices(kernel.shape[0])
    # Entries that are the same in every draw have an error of rounding only.
    rounding = 64 * np.finfo(estimate.mean.dtype).eps * np.abs(kernel).max(initial=0)
    error = np.maximum(np.asarray(estimate.standard_error, np.float64)[upper], rounding)
    distance = np.abs(difference[upper])
    z = float(np.max(np.divide(distance, error, out=np.where(distance > 0, np.inf, 0.0), where=error > 0)))
    p = float(min(1.0, 2 * upper[0].size * t.sf(z, seeds - 1)))
    size, off = float(np.linalg.norm(kernel)), float(np.linalg.norm(difference))
    relative = off / size if size > 0 else (0.0 if off == 0 else float("nan"))
    return Agreement(relative, z, p, p >= LEVEL)


def compare_methods(result: MonteCarloEstimate, x: ArrayLike) -> dict[str, dict[str, Agreement | Unavailable]]:
    """Every method against the estimate, for the same rows x [N, d]: {"nngp": {method: ...}, "ntk": {...}}."""
    table: dict[str, dict[str, Agreement | Unavailable]] = {"nngp": {}, "ntk": {}}
    for method in METHODS:
        try:
            kernels = kernel_of(result.dag, Setting(method, result.spec.reading))(np.asarray(x, np.float64))
        except InputError as error:
            table["nngp"][method] = table["ntk"][method] = Unavailable(str(error))
            continue
        table["nngp"][method] = agreement(result.nngp, kernels.nngp, result.seeds)
        table["ntk"][method] = agreement(result.ntk, kernels.ntk, result.seeds)
    return table
