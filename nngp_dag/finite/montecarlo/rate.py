"""Rate of approach to the limit by finite networks: the error of a draw against the width; theory says m^(-1/2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.finite.montecarlo.estimate import Stream, chunk_kernels
from nngp_dag.finite.montecarlo.moments import StreamMoments, empty_moments, standard_error, update_moments
from nngp_dag.finite.network import Member, NetworkSpec
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.kernel.network import Network, dag_of
from nngp_dag.kernel.result import Kernel
from nngp_dag.reading import Reading, Setting
from nngp_dag.support.statistics import Estimate

_Pair = tuple[StreamMoments, StreamMoments]

__all__ = ["RateFit", "WidthRate", "fit_rate", "width_rate"]


@dataclass(frozen=True)
class RateFit:
    """Relative root-mean-square error of one draw at each width, and the fitted power of the width.

    Attributes:
        errors: sqrt(E |K_m - K|_F^2) / |K|_F at each width.
        standard_errors: of log(errors), over seeds.
        exponent: slope of log error against log width (weighted least squares); -1/2 in theory.
        interval: 95 % confidence interval of the exponent.
    """

    errors: tuple[float, ...]
    standard_errors: tuple[float, ...]
    exponent: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class WidthRate:
    """Rates of both kernels over `seeds` networks at each of `widths`."""

    widths: tuple[int, ...]
    seeds: int
    nngp: RateFit
    ntk: RateFit


def width_rate(
    dag: Network,
    x: ArrayLike,
    widths: Sequence[int] = (64, 128, 256, 512),
    seeds: int = 32,
    seed: int = 0,
    *,
    reading: Reading | None = None,
    dtype: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> WidthRate:
    """Error of one draw of the empirical kernels against the exact ones, at several widths.

    Args:
        dag: a DAG or a wiring with a path from input to output.
        x: rows [N, d].
        widths: at least two different widths.
        seeds: networks at each width, at least 4.
        seed: seed of the whole.
        reading: one that has an exact kernel; by default activation-last, gaussian, ReLU.
        dtype: as in `monte_carlo`.
        progress: called with the number of networks done.

    Raises:
        InputError: fewer than two widths or 4 seeds, a zero kernel, or no exact kernel for this setting.
    """
    if len(set(widths)) < 2:
        raise InputError("the fitted rate needs at least two different widths")
    if seeds < 4:
        raise InputError(f"at least 4 seeds are needed for a standard error, got {seeds}")
    reading = reading or Reading()
    limit = kernel_of(dag, Setting("exact", reading))(np.asarray(x, np.float64))
    if not np.any(np.asarray(limit.nngp)):
        raise InputError(f"DAG {dag_of(dag).to_code()} has a zero kernel: no path from input to output")
    points: dict[str, list[tuple[float, float]]] = {"nngp": [], "ntk": []}
    done = 0
    for position, width in enumerate(widths):
        stream = Stream(dag, x, width, seed, reading=reading, dtype=dtype)
        target = Kernel(*(jnp.asarray(k, stream.spec.dtype) for k in limit))
        moments = (empty_moments((), stream.spec.dtype), empty_moments((), stream.spec.dtype))
        for start in range(0, seeds, stream.chunk):
            local = np.arange(start, start + stream.chunk)
            # Other networks at every width: the errors at different widths are independent.
            drawn = stream.draw(position * seeds + local, local < seeds)
            moments = _accumulate_errors(stream.spec, moments, target, stream.x, *drawn)
            done += min(stream.chunk, seeds - start)
            if progress is not None:
                jax.block_until_ready(moments)  # done, not only begun
                progress(done)
        for name, moment in zip(Kernel._fields, moments, strict=True):
            mean = float(moment.mean)
            points[name].append((0.5 * np.log(mean), 0.5 * float(standard_error(moment)) / mean))
    fits = {name: fit_rate(widths, *np.transpose(values)) for name, values in points.items()}
    return WidthRate(tuple(widths), seeds, fits["nngp"], fits["ntk"])


def fit_rate(widths: Sequence[int], log_errors: np.ndarray, deviations: np.ndarray) -> RateFit:
    """Weighted least squares of log errors [W] with standard deviations [W] on log widths."""
    log_width, weight = np.log(np.asarray(widths, float)), 1 / np.asarray(deviations) ** 2
    centered = log_width - np.average(log_width, weights=weight)
    information = float(np.sum(weight * centered**2))
    slope = float(np.sum(weight * centered * log_errors)) / information
    exponent = Estimate.student(slope, 1 / float(np.sqrt(information)), math.inf)  # the deviations are taken as known
    return RateFit(
        tuple(float(v) for v in np.exp(log_errors)),
        tuple(float(v) for v in deviations),
        exponent.value,
        exponent.interval,
    )


@partial(jax.jit, static_argnums=0)
def _accumulate_errors(
    spec: NetworkSpec,
    moments: _Pair,
    target: Kernel,
    x: Array,
    members: Member,
    valid: Array,
) -> _Pair:
    kernels = chunk_kernels(spec, x, members)
    errors = [((k - limit) ** 2).sum(axis=(1, 2)) / (limit**2).sum() for k, limit in zip(kernels, target, strict=True)]
    return update_moments(moments[0], errors[0], valid), update_moments(moments[1], errors[1], valid)
