"""The kernels of one DAG: what every kernel function returns."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from typing import Any, NamedTuple

from jax import Array

__all__ = ["Kernel", "kernels_asked_for"]


class Kernel(NamedTuple):
    """The kernels of one DAG: `nngp` = K_HH and `ntk` = K_HH + Theta_HH, scalars or Gram matrices."""

    nngp: Array
    ntk: Array


def kernels_asked_for(kernels: Mapping[str, Array], get: str | tuple[str, ...] | None) -> Any:
    """Kernels by name as `get` asks for them: an array, a namedtuple of a tuple of names, or `Kernel` for None."""
    if isinstance(get, str):
        return kernels[get]
    if get is None:
        return Kernel(kernels["nngp"], kernels["ntk"])
    return namedtuple("Kernel", get)(*(kernels[name] for name in get))  # type: ignore[misc]
