"""Two-point kernels of whole spaces of DAGs, by the library's sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.dag import Dag, enumerate_codes
from nngp_dag.paths import path_counts_array
from nngp_dag.reading import Setting
from verify.tools.structure import Structure, structure

if TYPE_CHECKING:
    from nngp_dag.kernel import Kernel

__all__ = [
    "ConnectedDags",
    "TwoPointKernels",
    "complete_space",
    "swept",
    "two_point_kernels",
    "unit_circle",
]

_CHUNK_BYTES = 128 * 2**20
"""Memory for the kernels of one piece of a sweep."""


@dataclass(frozen=True, eq=False)
class ConnectedDags:
    """The DAGs of a node count that have a path from input to output.

    Attributes:
        num_nodes: the node count.
        codes: flat codes, int8 [A, E], in lexicographic order.
        names: code strings.
        counts: path counts by depth, int64 [A, n].
        total: number of all DAGs, those without a path included.
    """

    num_nodes: int
    codes: np.ndarray
    names: tuple[str, ...]
    counts: np.ndarray
    total: int

    def structures(self, stem: bool = False) -> tuple[Structure, ...]:
        """Structural conditions of each DAG."""
        return _structures(self.num_nodes, stem)

    def flags(self, name: str, stem: bool = False) -> np.ndarray:
        """One structural condition as bool [A]."""
        return np.array([getattr(item, name) for item in self.structures(stem)])

    def index(self, code: str) -> int:
        """The first DAG whose pruned form has this code."""
        return next(i for i, name in enumerate(self.names) if Dag.from_code(name).pruned().to_code() == code)

    def smallest(self, chosen: np.ndarray) -> str | None:
        """Among the chosen DAGs (bool [A]) the code with the fewest edges, then the fewest nodes, pruned; ties by
        code.
        """
        candidates = {Dag.from_code(self.names[i]).pruned() for i in np.flatnonzero(chosen)}
        key = lambda dag: (len(list(dag.edges())), dag.num_nodes, dag.to_code())  # noqa: E731
        return min(candidates, key=key).to_code() if candidates else None


@lru_cache(maxsize=4)
def complete_space(num_nodes: int) -> ConnectedDags:
    """The complete space of `num_nodes` nodes (729 DAGs of four, 59,049 of five), without the DAGs that have no
    path.
    """
    codes = enumerate_codes(num_nodes)
    counts = path_counts_array(codes)
    keep = counts.sum(axis=1) > 0
    names = tuple(Dag.from_array(code).to_code() for code in codes[keep])
    return ConnectedDags(num_nodes, codes[keep], names, counts[keep], len(codes))


@lru_cache(maxsize=8)
def _structures(num_nodes: int, stem: bool) -> tuple[Structure, ...]:
    return tuple(structure(Dag.from_code(name), stem) for name in complete_space(num_nodes).names)


def unit_circle(n: int) -> np.ndarray:
    """Unit rows [n, 2] whose correlations with the first run from 1 (itself) down to -1, denser near 1."""
    angles = np.pi * np.linspace(0, 1, n) ** 1.5
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def swept(
    space: ConnectedDags, x: np.ndarray, setting: Setting, get: tuple[str, ...] = ("nngp", "ntk")
) -> Iterator[tuple[np.ndarray, Kernel]]:
    """The kernels of every DAG of a space on rows [N, d], piece by piece: positions in the space, kernels [a, N, N]."""
    from nngp_dag.kernel.chunks import sweep_chunks

    yield from sweep_chunks(space.codes, x, get, setting, _CHUNK_BYTES)


@dataclass(frozen=True, eq=False)
class TwoPointKernels:
    """Two-point kernels of every DAG of a space: `variance` [A] = K_ii and `covariance` [A, R] = K_ij at `rho` [R]."""

    rho: np.ndarray
    variance: np.ndarray
    covariance: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """K_ii - K_ij, [A, R]."""
        return self.variance[:, None] - self.covariance

    @property
    def smallest_eigenvalue(self) -> np.ndarray:
        """K_ii - |K_ij|, [A, R]."""
        return self.variance[:, None] - np.abs(self.covariance)


def two_point_kernels(
    space: ConnectedDags, setting: Setting, kernel: str = "nngp", points: int = 25
) -> TwoPointKernels:
    """NNGP (or NTK) of pairs of unit rows, for every DAG of the space, at `points` - 1 correlations."""
    return _both_kernels(space, setting, points)[kernel]


@lru_cache(maxsize=64)
def _both_kernels(space: ConnectedDags, setting: Setting, points: int) -> dict[str, TwoPointKernels]:
    """Both kernels out of one sweep, kept, since claims share them."""
    x = unit_circle(points)
    rho, size = x[1:] @ x[0], len(space.codes)
    found = {name: TwoPointKernels(rho, np.empty(size), np.empty((size, points - 1))) for name in ("nngp", "ntk")}
    for index, kernels in swept(space, x, setting):
        for name, store in found.items():
            matrices = np.asarray(getattr(kernels, name))
            store.variance[index] = matrices[:, 0, 0]
            store.covariance[index] = matrices[:, 0, 1:]
    return found
