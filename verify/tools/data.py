"""Kernels of many DAGs on rows of data, and their smallest eigenvalues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nngp_dag.reading import Setting
from verify.tools.spaces import ConnectedDags, swept

__all__ = ["SpaceSpectra", "space_spectra"]


@dataclass(frozen=True, eq=False)
class SpaceSpectra:
    """Statistics of the kernels of every DAG of a space on the same rows, arrays [A]."""

    smallest: np.ndarray
    largest: np.ndarray
    mean_diagonal: np.ndarray
    pair_bound: np.ndarray

    @property
    def scale_free(self) -> np.ndarray:
        """lambda_min over the mean diagonal."""
        return self.smallest / self.mean_diagonal


def space_spectra(
    space: ConnectedDags, rows: np.ndarray, setting: Setting, kernels: tuple[str, ...] = ("nngp",)
) -> dict[str, SpaceSpectra]:
    """Spectral statistics of NNGP and NTK of every DAG on rows [N, d], by kernel.

    `tangent` among the kernels is NTK - NNGP.
    """
    from nngp_dag.spectrum import spectra

    names = tuple(name for name in ("nngp", "ntk") if name in kernels or "tangent" in kernels)
    found = {name: SpaceSpectra(*(np.empty(len(space.codes)) for _ in range(4))) for name in kernels}
    for index, result in swept(space, rows, setting, names):
        for name, store in found.items():
            matrices = result.ntk - result.nngp if name == "tangent" else getattr(result, name)
            statistics = spectra(np.asarray(matrices))
            store.smallest[index], store.largest[index] = statistics.lambda_min, statistics.lambda_max
            store.mean_diagonal[index], store.pair_bound[index] = statistics.mean_diagonal, statistics.pair_bound
    return found
