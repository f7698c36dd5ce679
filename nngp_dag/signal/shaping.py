"""A shaped activation: phi(x) = output_scale * (sigma(input_scale x + input_shift) + output_shift), and what it is for.

Both transforms of this package, `deep_kernel_shaping` and `tailored_activation`, return one; its `activation` goes
where any other goes: `kernel_fn(dag, activation=shaped.activation)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import jax.numpy as jnp
from jax import Array

from nngp_dag.activations import Activation, LeakyRelu, from_function
from nngp_dag.signal.local_maps import Function, LocalMaps, kinks_of, local_maps

__all__ = ["ShapedActivation", "Transformed"]


@dataclass(frozen=True)
class Transformed:
    """The scalar function output_scale * (function(input_scale x + input_shift) + output_shift); hashable."""

    function: Function
    input_scale: float
    input_shift: float
    output_scale: float
    output_shift: float

    def __call__(self, x: Array) -> Array:
        return self.output_scale * (self.function(self.input_scale * x + self.input_shift) + self.output_shift)


@dataclass(frozen=True)
class ShapedActivation:
    """An activation shaped for a network, with what was asked of the network and of the activation.

    Attributes:
        method: "dks" or "tat".
        base: sigma; of a leaky ReLU that with the negative slope that was found.
        input_scale, input_shift, output_scale, output_shift: the four constants of phi.
        condition: what the two next numbers are: "slope" C'(1), "curvature" C''(1) or "value" C(0).
        local: that of one activation.
        network: the largest over all subnetworks, as it was asked for.
    """

    method: Literal["dks", "tat"]
    base: Activation
    input_scale: float
    input_shift: float
    output_scale: float
    output_shift: float
    condition: Literal["slope", "curvature", "value"]
    local: float
    network: float

    @property
    def negative_slope(self) -> float | None:
        """The slope of a leaky ReLU on the negative side; None of another activation."""
        return self.base.slope if isinstance(self.base, LeakyRelu) else None

    @property
    def function(self) -> Transformed:
        """The function phi of one number."""
        return Transformed(self.base, self.input_scale, self.input_shift, self.output_scale, self.output_shift)

    @cached_property
    def activation(self) -> Activation:
        """The `Activation` phi; its c is 1, or, of a leaky ReLU that is only scaled, output_scale^2."""
        if isinstance(self.base, LeakyRelu) and self.input_shift == 0 and self.output_shift == 0:
            return self.base
        places = [(kink - self.input_shift) / self.input_scale for kink in kinks_of(self.base)]
        name = f"{self.method}({self.base.name})"
        return from_function(self.function, name, kinks=places, is_analytic=self.base.is_analytic)

    def maps(self) -> LocalMaps:
        """Q(1), Q'(1), C(0), C'(1) and C''(1) of phi, by quadrature."""
        return local_maps(self.base, self.input_scale, self.input_shift, self.output_scale, self.output_shift)

    def __call__(self, x: Array) -> Array:
        """phi, elementwise."""
        x = jnp.asarray(x)
        scaled = self.base(self.input_scale * x + self.input_shift)
        return (self.output_scale * (scaled + self.output_shift)).astype(x.dtype)
