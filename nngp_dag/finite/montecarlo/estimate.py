"""Mean empirical kernels over seeds: networks are drawn, measured and forgotten, chunk by chunk.

Drawing and measuring are two programs (`drawing_program`): drawing is most of the work, and done once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.finite.montecarlo.moments import StreamMoments, empty_moments, half_width, standard_error, update_moments
from nngp_dag.finite.network import (
    Member,
    NetworkSpec,
    check_seeds,
    drawing_program,
    empirical_kernel,
    member_sharding,
    rebuild,
)
from nngp_dag.kernel.network import Network
from nngp_dag.kernel.result import Kernel
from nngp_dag.reading import Reading
from nngp_dag.support.memory import require_memory

__all__ = ["KernelEstimate", "MonteCarloEstimate", "Stream", "chunk_size", "monte_carlo"]

_Pair = tuple[StreamMoments, StreamMoments]
_MOST_SEEDS = 2**31 - 1  # numbers of networks are of 32 bits
_PARAMETERS_PER_CALL = {"cpu": 2**22}
_PARAMETERS_PER_CALL_ACCELERATOR = 2**28


@dataclass(frozen=True)
class KernelEstimate:
    """A kernel estimated over n seeds.

    Attributes:
        mean: float [N, N].
        standard_error: of the mean, [N, N].
        half_width: of the mean's confidence interval, [N, N].
    """

    mean: np.ndarray
    standard_error: np.ndarray
    half_width: np.ndarray

    @property
    def tightness(self) -> float:
        """The largest half width over all entries, relative to the mean diagonal: what `tolerance` bounds."""
        return _tightness(self.mean, self.half_width)


@dataclass(frozen=True)
class MonteCarloEstimate:
    """Empirical NNGP and NTK of a DAG or a wiring at a finite width, averaged over `seeds` networks."""

    dag: Network
    spec: NetworkSpec
    seeds: int
    confidence: float
    nngp: KernelEstimate
    ntk: KernelEstimate


def monte_carlo(
    dag: Network,
    x: ArrayLike,
    width: int = 1024,
    seeds: int = 16,
    seed: int = 0,
    *,
    reading: Reading | None = None,
    dtype: str | None = None,
    tolerance: float | None = None,
    confidence: float = 0.95,
    devices: Sequence[jax.Device] | None = None,
    progress: Callable[[int], None] | None = None,
) -> MonteCarloEstimate:
    """Empirical NNGP h_H h_H^T / m and NTK J J^T of independent networks (ntk parameterisation), averaged.

    Args:
        dag: any DAG, or a wiring (of which biases count in the NTK, and NNGP and NTK are those of the scaled read-out).
        x: rows [N, d]; not normalised.
        width: m.
        seeds: number of networks, 4 to 2^31 - 1 (the largest number, with a tolerance).
        seed: seed of the whole; network i is drawn by fold_in(key(seed), i).
        reading: order, embedding and activation; by default activation-last, gaussian, ReLU.
        dtype: float32 or float64; by default float64 where JAX's x64 mode is on.
        tolerance: stop as soon as both kernels' confidence intervals have a largest half width, relative to the mean
            diagonal, of at most this.
        confidence: level of the intervals.
        devices: devices to split the networks over, by default all.
        progress: called with the number of networks done after every chunk.

    Raises:
        InputError: seeds, a tolerance or a level out of range, unusable rows, or too little memory.
    """
    if seeds < 4:
        raise InputError(f"at least 4 seeds are needed for a standard error, got {seeds}")
    if seeds > _MOST_SEEDS:
        raise InputError(f"at most {_MOST_SEEDS:,} seeds give different networks, got {seeds:,}")
    if tolerance is not None and not tolerance > 0:
        raise InputError(f"tolerance must be positive, got {tolerance}")
    if not 0 < confidence < 1:
        raise InputError(f"confidence must lie between 0 and 1, got {confidence}")
    stream = Stream(dag, x, width, seed, reading=reading, dtype=dtype, devices=devices)
    n = stream.x.shape[0]
    moments = (empty_moments((n, n), stream.spec.dtype), empty_moments((n, n), stream.spec.dtype))
    for start in range(0, seeds, stream.chunk):
        indices = np.arange(start, start + stream.chunk)
        moments = _accumulate(stream.spec, moments, stream.x, *stream.draw(indices, indices < seeds))
        done = min(seeds, start + stream.chunk)
        if progress is not None:
            jax.block_until_ready(moments)  # done, not only begun
            progress(done)
        if tolerance is not None and done >= 4 and _widest(moments, confidence) <= tolerance:
            break
    nngp, ntk = (_estimate(m, confidence) for m in moments)
    return MonteCarloEstimate(dag, stream.spec, int(moments[0].n), confidence, nngp, ntk)


class Stream:
    """Draws networks of one DAG in chunks of a size that suits the device; `draw` feeds a vmapped program."""

    def __init__(
        self,
        dag: Network,
        x: ArrayLike,
        width: int,
        seed: int,
        *,
        reading: Reading | None = None,
        dtype: str | None = None,
        devices: Sequence[jax.Device] | None = None,
    ) -> None:
        rows = np.asarray(x)
        if rows.ndim != 2 or rows.shape[0] < 1 or not np.isfinite(rows).all():
            raise InputError(f"rows must be a finite array [N, d], got shape {rows.shape}")
        check_seeds(seed)
        dtype = dtype or str(jnp.result_type(float))
        if dtype == "float64" and jnp.result_type(float) != "float64":
            raise InputError("float64 networks need JAX's x64 mode: jax.config.update('jax_enable_x64', True)")
        self.spec = NetworkSpec.make(dag, rows.shape[1], width, reading=reading, dtype=dtype)
        devices = jax.devices() if devices is None else list(devices)
        self.sharding = member_sharding(devices)
        self.chunk = chunk_size(self.spec, rows.shape[0], devices)
        self.x = jnp.asarray(rows, dtype)
        wirings = np.repeat(self.spec.wiring(dag)[None], self.chunk, axis=0).astype(dtype)
        self.wirings = jax.device_put(wirings, self.sharding)
        self.seed = jnp.asarray(seed, jnp.uint32)

    def draw(self, indices: np.ndarray, valid: np.ndarray) -> tuple[Member, Array]:
        """Arguments of a program over a chunk, sharded: the networks of indices [chunk], and their validity [chunk]."""
        placed, counted = jax.device_put((indices.astype(np.uint32), valid), self.sharding)
        return drawing_program(self.spec, self.sharding)(self.wirings, _keys(self.seed, placed)), counted


def chunk_size(spec: NetworkSpec, num_rows: int, devices: Sequence[jax.Device] | None = None) -> int:
    """Networks that are drawn at a time, for kernels of `num_rows` rows on some devices (by default all).

    Raises:
        InputError: too little memory, with the estimate; nothing was computed.
    """
    devices = jax.devices() if devices is None else list(devices)
    budget = _PARAMETERS_PER_CALL.get(devices[0].platform, _PARAMETERS_PER_CALL_ACCELERATOR)
    chunk = len(devices) * int(np.clip(budget // max(spec.weights, num_rows * spec.width), 1, 64))
    each = 2 * spec.weights + 2 * (spec.slots + 2) * num_rows * spec.width + 3 * num_rows**2
    size = np.dtype(spec.dtype).itemsize
    require_memory(size * (chunk * each + 8 * num_rows**2), f"a chunk of {chunk} networks of width {spec.width}")
    return chunk


def chunk_kernels(spec: NetworkSpec, x: Array, members: Member) -> Kernel:
    """Empirical kernels [chunk, N, N] of the networks of a chunk on rows x [N, d]: traceable."""
    return jax.vmap(lambda member: empirical_kernel(rebuild(spec, member), x))(members)


@jax.jit
def _keys(seed: Array, indices: Array) -> Array:
    return jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(seed), indices)


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def _accumulate(spec: NetworkSpec, moments: _Pair, x: Array, members: Member, valid: Array) -> _Pair:
    kernels = chunk_kernels(spec, x, members)
    return update_moments(moments[0], kernels.nngp, valid), update_moments(moments[1], kernels.ntk, valid)


def _estimate(moments: StreamMoments, confidence: float) -> KernelEstimate:
    mean, error = np.asarray(moments.mean), np.asarray(standard_error(moments))
    return KernelEstimate(mean, error, half_width(moments, confidence))


def _widest(moments: _Pair, confidence: float) -> float:
    return max(_tightness(m.mean, half_width(m, confidence)) for m in moments)


def _tightness(mean: ArrayLike, width: ArrayLike) -> float:
    diagonal = float(np.mean(np.diagonal(np.asarray(mean))))
    widest = float(np.max(np.asarray(width)))
    if widest == 0:
        return 0.0
    return widest / diagonal if diagonal > 0 else float("inf")
