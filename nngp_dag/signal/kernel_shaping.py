"""Deep Kernel Shaping (Martens et al. 2021, arXiv:2110.01765): constants of an activation for a DAG.

The largest slope C'(1) over all subnetworks shall be zeta. With psi the slope of one activation, it is M(psi), the
largest value of r(y) = psi y from x = 1, an increasing polynomial; psi = M^-1(zeta), and the four constants follow from

    Q(1) = 1,    Q'(1) = 1,    C(0) = 0,    C'(1) = psi.

C(0) = 0 gives output_shift = -E[sigma], Q(1) = 1 gives output_scale = Var[sigma]^(-1/2) at scale z + shift, and the
other two are solved for input_scale and input_shift. As means vanish, the orders activation-first and activation-last
agree.

A leaky ReLU has its negative slope a in the place of the scale. At shift 0, Q'(1) = 1 always and C'(1) = psi where
(1 - a)^2 = pi (1 - 1 / psi) (1 + a^2). A ReLU has no constant left for Q'(1) = 1, which is not asked of it: its use is
discouraged by the authors. Its shift is +1, or -1 where psi > pi / (pi - 1), the slope at shift 0.
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
from nngp_dag.signal.local_maps import InputMoments, input_moments
from nngp_dag.signal.shaping import ShapedActivation
from nngp_dag.signal.solving import Constants, increasing_root, solve_scale_and_shift
from nngp_dag.signal.subnetworks import Subnetworks
from nngp_dag.wiring import NetworkLike

__all__ = ["deep_kernel_shaping", "local_slope"]

RELU_SLOPE = math.pi / (math.pi - 1)
"""C'(1) of a ReLU without shift, its output centred: 1.4669..."""


def deep_kernel_shaping(
    network: NetworkLike | Subnetworks,
    activation: str | Activation | Callable[[Array], Array] = "tanh",
    max_slope: float = 1.5,
    variance_slope: float = 1.0,
) -> ShapedActivation:
    """An activation shaped so that the largest slope C'(1) of any subnetwork is `max_slope`.

    Args:
        network: a DAG or wiring, whose sums are then taken as normalised, or `Subnetworks` of one.
        activation: a name, an `Activation`, or any JAX function of one number.
        max_slope: zeta > 1, of the paper; its authors use 1.5.
        variance_slope: Q'(1) of the activation; 1 but for ablations.

    Raises:
        InputError: a target that is not above 1, a DAG without a linear edge, an activation that no constants shape.
    """
    if not (math.isfinite(max_slope) and max_slope > 1):
        raise InputError(f"max_slope must be a number above 1, got {max_slope}")
    psi = local_slope(network, max_slope)
    sigma = activations.get(activation)
    if isinstance(sigma, Relu):
        constants = _relu_constants(psi)
    elif isinstance(sigma, LeakyRelu):
        sigma, constants = _leaky_relu_constants(psi, variance_slope)
    else:
        constants = _constants(sigma, psi, variance_slope)
    return ShapedActivation("dks", sigma, *constants, condition="slope", local=psi, network=max_slope)


def local_slope(network: NetworkLike | Subnetworks, max_slope: float) -> float:
    """The slope psi of one activation at which the largest C'(1) of any subnetwork is `max_slope`."""
    found = network if isinstance(network, Subnetworks) else Subnetworks.of(network)
    return increasing_root(lambda psi: found.largest(1.0, lambda y: psi * y).value, max_slope, 1.0, max_slope)


def _constants(sigma: Activation, psi: float, variance_slope: float) -> Constants:
    def equations(scale: float, m: InputMoments) -> tuple[float, float]:
        variance = m.power - m.mean**2
        slope_of_variance = scale * (m.radial - m.mean * m.tilt) / variance
        return slope_of_variance - variance_slope, (scale**2 * m.slope / variance - 1) / (psi - 1) - 1

    wanted = f"Q'(1) = {variance_slope:g}, C(0) = 0 and C'(1) = {psi:.6g} of one activation"
    return solve_scale_and_shift(sigma, equations, lambda _, m: _centred(m), wanted)


def _relu_constants(psi: float) -> Constants:
    shift = 1.0 if psi < RELU_SLOPE else -1.0

    def error(logarithm: float) -> float:
        scale = math.exp(logarithm)
        m = input_moments(Relu(), scale, shift)
        return scale**2 * m.slope / (m.power - m.mean**2) - psi

    low, high = math.log(0.25), math.log(1024.0)
    if error(low) * error(high) > 0:
        raise InputError(f"no scale of relu gives C'(1) = {psi:.6g}: use leaky_relu")
    scale = math.exp(optimize.brentq(error, low, high, xtol=1e-14))
    return Constants(scale, shift, *_centred(input_moments(Relu(), scale, shift)))


def _leaky_relu_constants(psi: float, variance_slope: float) -> tuple[LeakyRelu, Constants]:
    excess = math.pi * (1 - 1 / psi) - 1
    if excess > 1:
        raise InputError(f"no negative slope of leaky_relu gives C'(1) = {psi:.6g}: the largest is pi / (pi - 2)")
    slope = (1 - math.sqrt(1 - excess**2)) / -excess if excess else 0.0
    shift = 0.0
    if variance_slope != 1:

        def errors(p: np.ndarray) -> tuple[float, float]:
            m = input_moments(LeakyRelu(float(p[0])), 1.0, float(p[1]))
            variance = m.power - m.mean**2
            return (m.radial - m.mean * m.tilt) / variance - variance_slope, (m.slope / variance - psi) / (psi - 1)

        found = optimize.root(errors, [slope, 0.1], method="hybr", tol=1e-12)
        if np.abs(found.fun).max() > 1e-8:
            raise InputError(f"no leaky_relu has Q'(1) = {variance_slope:g} and C'(1) = {psi:.6g}")
        slope, shift = map(float, found.x)
    sigma = LeakyRelu(slope)
    return sigma, Constants(1.0, shift, *_centred(input_moments(sigma, 1.0, shift)))


def _centred(m: InputMoments) -> tuple[float, float]:
    return 1 / math.sqrt(m.power - m.mean**2), -m.mean
