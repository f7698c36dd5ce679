"""The kernels of one DAG: what every kernel function returns."""

from __future__ import annotations

from typing import NamedTuple

from jax import Array

__all__ = ["Kernel"]


class Kernel(NamedTuple):
    """The kernels of one DAG: `nngp` = K_HH and `ntk` = K_HH + Theta_HH, scalars or Gram matrices."""

    nngp: Array
    ntk: Array
