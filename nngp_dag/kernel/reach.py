"""The variances that a kernel reaches, and with them the rule of an activation that needs one.

Before anything is traced: the variances of the smallest, the largest and a few other inputs at all nodes that a linear
edge leaves say which rule the activation takes (`Activation.serving`), and whether it keeps eight digits; where it
does not, a warning says so. Inside `jax.jit` or `jax.grad` variances are unknown: the activation serves as it is.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.dag import Dag
from nngp_dag.kernel.method import AnyMethod, cast_program
from nngp_dag.reading import Setting

__all__ = ["AccuracyWarning", "prepared_for", "prepared_for_many", "settled"]

_KEPT = 1e-8
_NUM_SAMPLES = 8


class AccuracyWarning(UserWarning):
    """An activation keeps fewer than eight digits at the variances that a kernel reaches."""


@dataclass(frozen=True)
class _Bare(Activation):
    """An activation of which only the maps of one input with itself are used: it prepares nothing."""

    activation: Activation

    @property
    def normalization(self) -> float:
        return self.activation.normalization

    def __call__(self, x: Array) -> Array:
        return self.activation(x)

    def dual(self, px: Array, py: Array, kxy: Array) -> Array:
        raise NotImplementedError("of one input with itself only")

    dual_derivative = dual

    def dual_diagonal(self, k: Array) -> Array:
        return self.activation.dual_diagonal(k)

    def dual_derivative_diagonal(self, k: Array) -> Array:
        return self.activation.dual_derivative_diagonal(k)

    def mean(self, k: Array) -> Array:
        return self.activation.mean(k)


def prepared_for(method: AnyMethod, dag: Dag, norms: Callable[[], Sequence[Array]]) -> AnyMethod:
    """The method with the rule for inputs of these squared norms K_in(x, x), [N] each, at the nodes of a DAG.

    The method itself where its activation needs no rule, where the norms are unknown, or the DAG has no linear edge.

    Warns:
        AccuracyWarning: no rule of the activation keeps an error below 1e-8 there.
    """
    bare, k = _sampled(method, norms)
    if bare is None or not any(dag.ops):
        return method
    program = cast_program(bare.program(dag), k.dtype)
    return settled(method, bare.reached(dag, _rows(bare, program, k)))


def prepared_for_many(method: AnyMethod, codes: np.ndarray, norms: Callable[[], Sequence[Array]]) -> AnyMethod:
    """The same for the DAGs of flat codes [A, E], which `PairMethod.many` computes at once."""
    bare, k = _sampled(method, norms)
    return method if bare is None else settled(method, bare.reached_by_many(codes, k))


def settled(method: AnyMethod, variances: Iterable[Array]) -> AnyMethod:
    """The method with the rule of its activation for these variances (arrays of any shape)."""
    found = [np.asarray(v, dtype=np.float64) for v in variances]
    positive = np.concatenate([v[np.isfinite(v) & (v > 0)] for v in found]) if found else np.empty(0)
    if not positive.size:
        return method
    activation = method.setting.activation.serving(float(positive.max()))
    _warn(activation, float(positive.min()), float(positive.max()))
    reading = replace(method.setting.reading, activation=activation)
    return replace(method, setting=Setting(method.setting.method, reading))


def _sampled(method: AnyMethod, norms: Callable[[], Sequence[Array]]) -> tuple[AnyMethod | None, np.ndarray]:
    """The method with a bare activation (None: no rule is needed, or norms are unknown), and a few of the norms."""
    activation = method.setting.activation
    found = norms() if activation.has_rules else ()
    if not found or any(isinstance(k, jax.core.Tracer) for k in found):
        return None, np.empty(0)
    k = np.sort(np.concatenate([np.asarray(k).ravel() for k in found]))
    k = k[np.linspace(0, k.size - 1, _NUM_SAMPLES).round().astype(int)]
    reading = replace(method.setting.reading, activation=_Bare(activation))
    return replace(method, setting=Setting(method.setting.method, reading)), k


@partial(jax.jit, static_argnames="method")
def _rows(method: AnyMethod, program: Any, k: Array) -> Any:
    return method.rows(program, k)


def _warn(activation: Activation, least: float, largest: float) -> None:
    """Warn of the largest error at these variances, looked up at powers of two."""
    powers = range(math.floor(math.log2(least)), math.ceil(math.log2(largest)) + 1)
    for variance in (2.0**n for n in reversed(powers)):
        error = activation.accuracy(variance)
        if max(error) > _KEPT:
            warnings.warn(
                f"the dual maps of {activation.name} are off by up to {error.dual:.0e} (f) and"
                f" {error.dual_derivative:.0e} (fdot) at variance {variance:g}, which this kernel reaches: its entries"
                " for nearly parallel rows are no better",
                AccuracyWarning,
                stacklevel=2,
            )
            return
