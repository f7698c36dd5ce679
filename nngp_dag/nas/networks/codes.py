"""Binary codes of rectified units, 32 units to a word, and how many units two codes agree on.

Two codes c, c' of F units agree on F - popcount(c xor c') of them: whole numbers, exact however many units there are,
and many times cheaper than the same number as a product of matrices of +-1.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax

__all__ = ["agreement", "packed_codes"]

_BITS = 32
_WORDS = 8
"""Words of a step of the sum: the counts, [N, N], are read and written once for so many."""


def packed_codes(z: Array) -> Array:
    """The codes c = [z > 0] of units z [N, ...] as words [N, W], uint32; bits without a unit are 0.

    Bit k of word w is unit k W + w, so that all units of a word's bit lie together in memory.
    """
    on = z.reshape(z.shape[0], -1) > 0
    units = on.shape[1]
    words = -(-units // (_BITS * _WORDS)) * _WORDS
    on = jnp.pad(on, ((0, 0), (0, _BITS * words - units))).reshape(-1, _BITS, words)
    packed = jnp.zeros((z.shape[0], words), jnp.uint32)
    for k in range(_BITS):
        packed |= on[:, k].astype(jnp.uint32) << jnp.uint32(k)
    return packed


def agreement(packed: Array, units: int) -> Array:
    """The number of `units` on which two codes agree, int32 [N, N], from their words [N, W], W a multiple of 8."""
    n = packed.shape[0]

    def add(step: Array, differing: Array) -> Array:
        # The words as they lie in memory: were they turned before the loop, they would be packed in that order, slowly.
        for word in lax.dynamic_slice_in_dim(packed, step * _WORDS, _WORDS, axis=1).T:
            differing += lax.population_count(word[:, None] ^ word[None, :]).astype(jnp.int32)
        return differing

    return units - lax.fori_loop(0, packed.shape[1] // _WORDS, add, jnp.zeros((n, n), jnp.int32))
