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
from typing import Any, TypeVar

import jax
import numpy as np
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.kernel.method import AnyMethod, cast_program
from nngp_dag.kernel.network import Network
from nngp_dag.reading import Setting
from nngp_dag.support.known import all_known
from nngp_dag.wiring import Wiring

__all__ = ["AccuracyWarning", "prepared_for", "prepared_for_many", "serving_for", "settled"]

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


_Network = TypeVar("_Network", bound=Network)


def prepared_for(
    method: AnyMethod, network: _Network, norms: Callable[[], Sequence[Array]]
) -> tuple[AnyMethod, _Network]:
    """Method and network with the rules for inputs of these squared norms K_in(x, x), [N] each, at the nodes.

    As they are where their activations need no rule, or where the norms or the numbers of a wiring are unknown.

    Warns:
        AccuracyWarning: no rule of an activation keeps an error below 1e-8 there.
    """
    k = _sample(_activations(method, network), norms)
    if k is None or not (isinstance(network, Wiring) or any(network.ops)):
        return method, network
    bare_method, bare = _exchanged(method, network, _Bare)
    program = cast_program(bare_method.program(bare), k.dtype)
    reached: dict[Activation, list[Array]] = {}
    for activation, variances in bare_method.reached(bare, _rows(bare_method, program, k)):
        reached.setdefault(activation, []).append(variances)
    return _exchanged(method, network, lambda activation: serving_for(activation, reached.get(_Bare(activation), [])))


def prepared_for_many(method: AnyMethod, codes: np.ndarray, norms: Callable[[], Sequence[Array]]) -> AnyMethod:
    """The same for the DAGs of flat codes [A, E], which `PairMethod.many` computes at once."""
    k = _sample([method.setting.activation], norms)
    return method if k is None else settled(method, _of(method, _Bare).reached_by_many(codes, k))


def settled(method: AnyMethod, variances: Iterable[Array]) -> AnyMethod:
    """The method with the rule of its activation for these variances (arrays of any shape)."""
    return _of(method, lambda activation: serving_for(activation, variances))


def _activations(method: AnyMethod, network: Network) -> list[Activation]:
    """All activations of a network, or none where its numbers are unknown."""
    if not isinstance(network, Wiring):
        return [method.setting.activation]
    if not all_known(network):
        return []
    return [method.setting.activation, *(sigma for sigma in network.activations if sigma is not None)]


def _sample(activations: Iterable[Activation], norms: Callable[[], Sequence[Array]]) -> np.ndarray | None:
    """A few of the norms; None where no activation needs a rule, or norms are unknown."""
    found = norms() if any(activation.has_rules for activation in activations) else ()
    if not found or not all_known(found):
        return None
    k = np.sort(np.concatenate([np.asarray(k).ravel() for k in found]))
    return k[np.linspace(0, k.size - 1, _NUM_SAMPLES).round().astype(int)]


def _exchanged(
    method: AnyMethod, network: _Network, by: Callable[[Activation], Activation]
) -> tuple[AnyMethod, _Network]:
    """Method and network with other activations."""
    exchanged = {activation: by(activation) for activation in {*_activations(method, network)}}
    if isinstance(network, Wiring):
        network = replace(network, activations=tuple(exchanged[sigma] for sigma in network.activations if sigma))
    return _of(method, exchanged.__getitem__), network


def _of(method: AnyMethod, by: Callable[[Activation], Activation]) -> AnyMethod:
    """The method with another activation."""
    reading = replace(method.setting.reading, activation=by(method.setting.activation))
    return replace(method, setting=Setting(method.setting.method, reading))


def serving_for(activation: Activation, variances: Iterable[Array]) -> Activation:
    """The rule of an activation for these variances; the activation itself where there are none."""
    found = [np.asarray(v, dtype=np.float64) for v in variances]
    positive = np.concatenate([v[np.isfinite(v) & (v > 0)] for v in found]) if found else np.empty(0)
    if not positive.size or not activation.has_rules:
        return activation
    serving = activation.serving(float(positive.max()))
    _warn(serving, float(positive.min()), float(positive.max()))
    return serving


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
