"""The interface of a criterion: numbers of many DAGs at once, and cheap bounds of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.optimization.problem import Problem

__all__ = ["Batch", "Criterion", "Probes", "kernels_of"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some DAGs of equal node count, with the kernels that criteria asked for.

    Attributes:
        problem: what they are judged on.
        codes: flat codes, int8 [A, E], with no edge off the paths from input to output.
        nngp, ntk: float64 [A, N, N]; [0, N, N] where no criterion asks for it.
    """

    problem: Problem
    codes: np.ndarray
    nngp: np.ndarray
    ntk: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, index: np.ndarray) -> Batch:
        """Some of them, by places or bool [A]."""
        nngp, ntk = (k[index] if len(k) else k for k in (self.nngp, self.ntk))
        return Batch(self.problem, self.codes[index], nngp, ntk)


@dataclass(frozen=True, eq=False)
class Probes:
    """Directions that bound eigenvalues of any kernel: those of the extreme eigenvalues of the best graphs so far.

    Attributes:
        least, greatest: unit columns, float64 [N, m].
    """

    least: np.ndarray
    greatest: np.ndarray

    @classmethod
    def of(cls, kernels: np.ndarray) -> Probes:
        """The extreme eigenvectors of kernels [m, N, N]."""
        vectors = np.linalg.eigh(kernels)[1]
        return cls(vectors[:, :, 0].T, vectors[:, :, -1].T)


@dataclass(frozen=True)
class Criterion:
    """A number of a graph by which graphs are compared.

    Attributes:
        name: on the command line.
        title: in words, for tables and axes.
        larger_is_better: whether the best graph has the largest value.
        values: float64 [A] of a batch; NaN where it is undefined, which ranks last.
        kernels: which kernels on the rows it needs, of "nngp" and "ntk".
        needs_labels: whether it is about targets.
        optimist: for a batch and probes, float64 [A] that no value is better than, at a fraction of the cost; None
            where there is no such bound.
    """

    name: str
    title: str
    larger_is_better: bool
    values: Callable[[Batch], np.ndarray]
    kernels: tuple[str, ...] = ()
    needs_labels: bool = False
    optimist: Callable[[Batch, Probes], np.ndarray] | None = None

    def costs(self, values: np.ndarray) -> np.ndarray:
        """Values with a sign by which less is better, infinite where undefined."""
        signed = -values if self.larger_is_better else values
        return np.where(np.isnan(signed), np.inf, signed)

    def value(self, cost: float) -> float:
        """The value of a cost that is finite."""
        return -cost if self.larger_is_better else cost


def kernels_of(criteria: Sequence[Criterion]) -> tuple[str, ...]:
    """The kernels that some criteria need, of "nngp" and "ntk" in this order."""
    return tuple(name for name in ("nngp", "ntk") if any(name in criterion.kernels for criterion in criteria))
