"""Probes: what a network reports about the inputs of its ReLUs, without a second forward pass.

Several ReLUs may read the same tensor (every convolution that leaves a node has one of its own), so a network calls its
probe once per tensor, with the number of ReLUs that read it; that number is traced, as the architecture is.
"""

from __future__ import annotations

import math
from typing import Any, Protocol, TypeAlias

import jax.numpy as jnp
from jax import Array, lax

from nngp_dag.nas.networks.codes import agreement, packed_codes

__all__ = ["Probe", "Report", "code_agreement", "no_probe", "patterns", "released_agreement"]

Report: TypeAlias = Any
"""The result of a probe: a tree of arrays, for which JAX has no type."""


class Probe(Protocol):
    """A probe of ReLU inputs; the network gathers what it returns."""

    def __call__(self, z: Array, count: Array | int, *, block: bool) -> Report:
        """Report on z.

        Args:
            z: input of ReLUs, [N, ...], a row per image.
            count: number of ReLUs that read z, a scalar, possibly traced; 0 where none does.
            block: whether those ReLUs belong to ReLU-conv-BN blocks (the last ReLU does not).
        """


def no_probe(z: Array, count: Array | int, *, block: bool) -> tuple[()]:
    """Report nothing."""
    del z, count, block
    return ()


def code_agreement(z: Array, count: Array | int, *, block: bool) -> Array:
    """The agreement of binary codes, int32 [N, N]: at how many places both are on or both off, times
    `count`.

    With codes c in {0,1} this is c c^T + (1-c)(1-c)^T (Mellor et al., arXiv:2006.04647, Eq. 3: the number of rectified
    units minus the Hamming distance).
    """
    del block

    def gram() -> Array:
        return agreement(packed_codes(z), math.prod(z.shape[1:])) * count

    if isinstance(count, int):
        return gram()
    return lax.cond(count > 0, gram, lambda: jnp.zeros((z.shape[0], z.shape[0]), jnp.int32))


def released_agreement(z: Array, count: Array | int, *, block: bool) -> Array:
    """`code_agreement` with the weights of the released code, whose hooks fire on a ReLU-conv-BN block and on its ReLU:
    every ReLU of a block counts twice, the last one once.
    """
    return code_agreement(z, count, block=block) * (2 if block else 1)


def patterns(z: Array, count: Array | int, *, block: bool) -> Array:
    """The units that are on, bool [N, units]; all off where no ReLU reads z."""
    del block
    return (z.reshape(z.shape[0], -1) > 0) & (jnp.asarray(count) > 0)
