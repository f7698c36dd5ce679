"""Kernels of many DAGs on rows of data, and their smallest eigenvalues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nngp_dag.activations import Activation
from verify.tools.spaces import Space

__all__ = ["SpaceSpectra", "setting_of", "space_spectra"]


def setting_of(reading: tuple[str, str, str]) -> dict[str, str]:
    """A reading (method, order, embedding) as keyword arguments of the kernel functions."""
    return dict(zip(("method", "order", "embedding"), reading, strict=True))


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
    space: Space,
    rows: np.ndarray,
    reading: tuple[str, str, str],
    activation: str | Activation = "relu",
    kernels: tuple[str, ...] = ("nngp",),
) -> dict[str, SpaceSpectra]:
    """Spectral statistics of NNGP and NTK of every DAG on rows [N, d], by kernel; `tangent` is lambda_min of NTK -
    NNGP.
    """
    from nngp_dag.kernel.chunks import sweep_chunks
    from nngp_dag.reading import Setting
    from nngp_dag.spectrum import spectra

    names = tuple(name for name in ("nngp", "ntk") if name in kernels or "tangent" in kernels)
    found = {name: [np.empty(len(space.codes)) for _ in range(4)] for name in kernels}
    chunks = sweep_chunks(
        space.codes,
        rows,
        get=names,
        chunk_bytes=128 * 2**20,
        setting=Setting.make(**setting_of(reading), activation=activation),
    )
    for index, result in chunks:
        for name in kernels:
            matrices = result.ntk - result.nngp if name == "tangent" else getattr(result, name)
            statistics = spectra(np.asarray(matrices))
            for store, values in zip(
                found[name],
                (statistics.lambda_min, statistics.lambda_max, statistics.mean_diagonal, statistics.pair_bound),
                strict=True,
            ):
                store[index] = values
    return {name: SpaceSpectra(*arrays) for name, arrays in found.items()}
