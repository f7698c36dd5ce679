"""Tailored Activation Transformations (Zhang, Botev and Martens 2022, arXiv:2203.08120): for leaky ReLUs, and others.

*Leaky ReLU*: the largest correlation C(0) that any subnetwork gives two orthogonal inputs shall be eta. With
r(c) = ((1 - a)^2 F(c) + 2 a c) / (1 + a^2) the C map at negative slope a (F that of ReLU), M(a) is the largest value
of r from x = 0; it falls from that of ReLUs at a = 0 to 0 at a = 1, and a = M^-1(eta). Q(q) = q needs
output_scale = (2 / (1 + a^2))^(1/2).

*Smooth activations*: the largest curvature C''(1) shall be tau. Slopes being 1, curvatures add along a path: M(kappa)
is the largest value of r(y) = y + kappa from x = 0, kappa times a number of the graph. The constants follow from

    Q(1) = 1,    Q'(1) = 1,    C'(1) = 1,    C''(1) = kappa.

With alpha the input scale, the first and the third give output_scale = (alpha^2 E[sigma'^2])^(-1/2), and the second
output_shift = (alpha E[sigma'^2] - E[sigma sigma' z]) / E[sigma' z]; alpha and the input shift are solved for.

These activations have means: sums are those of activation-first, of branches that end in a random matrix.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jax import Array
from scipy import optimize

from nngp_dag import activations
from nngp_dag.activations import Activation, LeakyRelu, Relu
from nngp_dag.errors import InputError
from nngp_dag.signal.local_maps import InputMoments, kinks_of
from nngp_dag.signal.shaping import ShapedActivation
from nngp_dag.signal.solving import Constants, solve_scale_and_shift
from nngp_dag.signal.subnetworks import Subnetworks
from nngp_dag.wiring import NetworkLike

__all__ = ["leaky_relu_map", "tailored_activation"]


def tailored_activation(
    network: NetworkLike | Subnetworks,
    activation: str | Activation | Callable[[Array], Array] = "leaky_relu",
    max_value: float = 0.9,
    max_curvature: float = 0.3,
) -> ShapedActivation:
    """An activation tailored so that the largest C(0), or C''(1), of any subnetwork is what is asked for.

    Args:
        network: a DAG or wiring, whose sums are then taken as normalised, or `Subnetworks` of one.
        activation: a name, an `Activation`, or any JAX function of one number; of a leaky ReLU the slope is found.
        max_value: eta, the largest C(0), for leaky ReLUs.
        max_curvature: tau, the largest C''(1), for the others, which must have no kinks.

    Raises:
        InputError: a target that is out of range, ReLU or another activation with kinks, a DAG without a linear edge,
            an activation that no constants shape.
    """
    found = network if isinstance(network, Subnetworks) else Subnetworks.of(network)
    sigma = activations.get(activation)
    if isinstance(sigma, LeakyRelu):
        slope = _negative_slope(found, max_value)
        scale = math.sqrt(2 / (1 + slope**2))
        local = float(leaky_relu_map(np.zeros(1), slope)[0])
        return ShapedActivation("tat", LeakyRelu(slope), 1.0, 0.0, scale, 0.0, "value", local, max_value)
    if isinstance(sigma, Relu) or kinks_of(sigma):
        raise InputError(f"{sigma.name} has a kink, where C''(1) is infinite: use leaky_relu, whose slope is tailored")
    if not (math.isfinite(max_curvature) and max_curvature > 0):
        raise InputError(f"max_curvature must be a positive number, got {max_curvature}")
    layers = found.largest(0.0, lambda y: y + 1).value
    if layers == 0:
        raise InputError("the DAG has no linear edge: there is no activation to shape")
    kappa = max_curvature / layers
    constants = _constants(sigma, kappa)
    return ShapedActivation("tat", sigma, *constants, condition="curvature", local=kappa, network=max_curvature)


def leaky_relu_map(c: np.ndarray, slope: float) -> np.ndarray:
    """The C map of a leaky ReLU, elementwise for correlations c."""
    c = np.clip(np.asarray(c, dtype=np.float64), -1, 1)
    rectified = (np.sqrt((1 - c) * (1 + c)) + (math.pi - np.arccos(c)) * c) / math.pi
    return ((1 - slope) ** 2 * rectified + 2 * slope * c) / (1 + slope**2)


def _negative_slope(network: Subnetworks, max_value: float) -> float:
    def largest(slope: float) -> float:
        return network.largest(0.0, lambda c: leaky_relu_map(c, slope)).value

    most = largest(0.0)
    if not 0 < max_value < most:
        raise InputError(
            f"max_value must be between 0 and {most:.6g}, the largest C(0) of this DAG with ReLU, got {max_value}"
        )
    return float(optimize.brentq(lambda slope: largest(slope) - max_value, 0.0, 1.0, xtol=1e-15, rtol=1e-14))


def _constants(sigma: Activation, kappa: float) -> Constants:
    def shift(scale: float, m: InputMoments) -> float:
        return (scale * m.slope - m.radial) / m.tilt

    def equations(scale: float, m: InputMoments) -> tuple[float, float]:
        output_shift, size = shift(scale, m), scale**2 * m.slope
        power = output_shift**2 + 2 * output_shift * m.mean + m.power
        return power / size - 1, scale**2 * m.curvature / m.slope / kappa - 1

    def outputs(scale: float, m: InputMoments) -> tuple[float, float]:
        return 1 / (scale * math.sqrt(m.slope)), shift(scale, m)

    wanted = f"Q'(1) = 1, C'(1) = 1 and C''(1) = {kappa:.6g} of one activation"
    return solve_scale_and_shift(sigma, equations, outputs, wanted)
