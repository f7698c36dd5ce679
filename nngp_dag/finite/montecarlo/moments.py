"""Mean and standard error of a stream of arrays (Welford, merged by chunks): memory does not grow with the stream."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.support.statistics import student_margin

__all__ = ["StreamMoments", "empty_moments", "half_width", "standard_error", "update_moments"]


class StreamMoments(NamedTuple):
    """Of values v_1..v_n: their number n, `mean`, and `m2` = sum (v_i - mean)^2 (the latter two of a value's shape)."""

    n: Array
    mean: Array
    m2: Array


def empty_moments(shape: tuple[int, ...], dtype: str) -> StreamMoments:
    """The moments of no values."""
    return StreamMoments(jnp.zeros((), dtype), jnp.zeros(shape, dtype), jnp.zeros(shape, dtype))


def update_moments(moments: StreamMoments, values: Array, weights: Array) -> StreamMoments:
    """The moments with a chunk of values [B, ...] added; a weight [B] of 0 leaves a value out, 1 takes it.

    With delta = mean of the chunk - mean so far: mean += delta n_B / n, m2 += m2_B + delta^2 n_old n_B / n
    (Chan, Golub and LeVeque, 1979).
    """
    shape = (-1,) + (1,) * (values.ndim - 1)
    weight = weights.astype(values.dtype).reshape(shape)
    size = weight.sum()
    chunk_mean = (weight * values).sum(axis=0) / jnp.maximum(size, 1)
    chunk_m2 = (weight * (values - chunk_mean) ** 2).sum(axis=0)
    count = moments.n + size
    delta = chunk_mean - moments.mean
    share = size / jnp.maximum(count, 1)
    return StreamMoments(count, moments.mean + delta * share, moments.m2 + chunk_m2 + delta**2 * moments.n * share)


def standard_error(moments: StreamMoments) -> Array:
    """Standard error of the mean, sqrt(m2 / (n (n - 1))); NaN for fewer than two values."""
    n = moments.n
    return jnp.where(n > 1, jnp.sqrt(moments.m2 / jnp.maximum(n * (n - 1), 1)), jnp.nan)


def half_width(moments: StreamMoments, confidence: float = 0.95) -> np.ndarray:
    """Half the width of the mean's two-sided confidence interval, Student's t of n - 1 degrees, entry by entry."""
    return student_margin(np.asarray(standard_error(moments)), int(moments.n) - 1, confidence)
