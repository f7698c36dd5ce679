"""The surroundings of a claim: the profile, a seed of its own, and data."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

__all__ = ["PROFILES", "Context"]

PROFILES = ("quick", "full")

_T = TypeVar("_T")


@dataclass(frozen=True)
class Context:
    """The surroundings of one claim.

    Attributes:
        claim: identifier of the claim.
        profile: `quick` (a minute for all claims) or `full` (an hour).
        seed: seed of the run; anything random is a function of it and of the claim's identifier.
        data: data specification (`nngp_dag.datasets`) of the claims that use real data.
        data_dir: folder with the original files of MNIST or CIFAR-10, for claims that use those too.
    """

    claim: str
    profile: str = "quick"
    seed: int = 0
    data: str = "digits"
    data_dir: str | None = None

    def pick(self, *, quick: _T, full: _T) -> _T:
        """The value for this profile."""
        return quick if self.profile == "quick" else full

    def rng(self) -> np.random.Generator:
        """A new generator: the same numbers at every call, others for another claim or seed."""
        return np.random.default_rng([self.seed, zlib.crc32(self.claim.encode())])

    def rows(self, n: int) -> np.ndarray:
        """The first n rows of the data, float64 [n, d], of unit norm and no two of them parallel."""
        from nngp_dag import datasets

        spec = f"{self.data}:{2 * n}" if self.data in datasets.NAMES else self.data
        rows = np.asarray(datasets.load(spec, data_dir=self.data_dir).x, dtype=np.float64)
        norms = np.linalg.norm(rows, axis=1)
        keep: list[int] = []
        for i, row in enumerate(rows):
            if len(keep) == n:
                break
            if not keep or np.abs(rows[keep] @ row / norms[keep]).max() < (1 - 1e-9) * norms[i]:
                keep.append(i)
        if len(keep) < n:
            raise ValueError(f"{self.data} has fewer than {n} rows of which no two are parallel")
        return rows[keep]
