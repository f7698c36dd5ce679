r"""Dual maps in ball arithmetic, for inputs of any variances: what certified kernels are made of.

    f = c E[sigma(g) sigma(g')],   fdot = c E[sigma'(g) sigma'(g')],   beta = sqrt(c) E[sigma(g)]   (Lemma 3.2),

for variances kxx, kyy and covariance kxy; with q = sqrt(kxx kyy), rho = kxy / q, t = arccos rho, A = 1 + kxx,
B = 1 + kyy:

- relu (c = 2): f = (q sin t + (pi - t) kxy) / pi, fdot = (pi - t) / pi, beta = sqrt(kxx / pi);
- leaky_relu of slope a (c = 2 / (1 + a^2)): ((1 - a)^2 f_relu + 2 a kxy) / (1 + a^2), likewise fdot with 1 for kxy;
  beta = sqrt(c) (1 - a) sqrt(kxx / 2 pi);
- erf (c = pi / (2 arcsin 2/3)), with e = kxx kyy - kxy^2, D = 1 + 2 kxx + 2 kyy + 4 e:
  f = c (2 / pi) arctan(2 kxy / sqrt D), fdot = c (4 / pi) / sqrt D, beta = 0;
- sin (c = 2 / (1 - exp -2)), with s = (kxx + kyy) / 2: f = c exp(-s) sinh kxy, fdot = c exp(-s) cosh kxy, beta = 0;
- gelu (1/c = 1/3 + 1 / (2 pi sqrt 3)), with D = 1 + kxx + kyy + e = A B - kxy^2, h = 1/4 + arctan(kxy / sqrt D) / 2 pi:
  f = c [kxy h + (e + kxy^2 (1/A + 1/B)) / (2 pi sqrt D)],
  fdot = c [h + kxy (1/A + 1/B + 1/D) / (2 pi sqrt D)], beta = sqrt(c) kxx / sqrt(2 pi A);
- identity: f = kxy, fdot = 1, beta = 0.

The precision of the balls makes up for cancellation; e, s - kxy and s + kxy, which are never negative, are cut at 0,
so that rows of any norms have finite balls. Where a ball of rho reaches 1 or -1, f and fdot of ReLU, which increase in
rho, are enclosed by their values at the ends. A row of zeros is taken as orthogonal to all others (rho = 0), as the
kernels in floats do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flint import arb

from nngp_dag.activations import Activation, Erf, Gelu, Identity, LeakyRelu, Relu, Sin
from nngp_dag.errors import InputError, unknown

__all__ = ["DualBalls", "RowBalls", "dual_balls"]


class RowBalls(NamedTuple):
    """One input at a node: its variance, sqrt of it, and beta."""

    variance: arb
    root: arb
    mean: arb


_Pair = Callable[[RowBalls, RowBalls, arb], tuple[arb, arb]]


class DualBalls(NamedTuple):
    """The maps of one activation, at the precision that was set when they were made.

    Attributes:
        pair: (f, fdot) of two inputs with a covariance.
        diagonal: (f, fdot) of an input with itself.
        mean: beta of a variance.
    """

    pair: _Pair
    diagonal: Callable[[arb], tuple[arb, arb]]
    mean: Callable[[arb], arb]

    def row(self, variance: arb) -> RowBalls:
        """An input of this variance."""
        return RowBalls(variance, variance.nonnegative_part().sqrt(), self.mean(variance))


def dual_balls(activation: Activation) -> DualBalls:
    """The maps of an activation in balls, at the present precision.

    An activation is known by its class and not by its name, which a function may share with it.

    Raises:
        InputError: an activation without a closed form here.
    """
    if type(activation) in _MAPS:
        return _MAPS[type(activation)](activation)
    names = [known.name for known in _MAPS]
    if activation.name in names:
        raise InputError(
            f"the activation called {activation.name} is not the library's own, so nothing is proved of it"
        )
    raise unknown("activation", activation.name, names, "of certified eigenvalues")


def _relu(_: Activation) -> DualBalls:
    pi = arb.pi()

    def pair(x: RowBalls, y: RowBalls, k: arb) -> tuple[arb, arb]:
        f, fdot = _arc_cosine(x, y, k, pi)
        return f, fdot

    return DualBalls(pair, lambda k: (k, arb(1)), lambda k: (k / pi).sqrt())


def _leaky_relu(activation: Activation) -> DualBalls:
    assert isinstance(activation, LeakyRelu)
    pi, a = arb.pi(), arb(float(activation.slope))
    total = 1 + a * a
    bent, straight, scale = (1 - a) ** 2 / total, 2 * a / total, (1 - a) / (total * pi).sqrt()

    def pair(x: RowBalls, y: RowBalls, k: arb) -> tuple[arb, arb]:
        f, fdot = _arc_cosine(x, y, k, pi)
        return bent * f + straight * k, bent * fdot + straight

    return DualBalls(pair, lambda k: (k, arb(1)), lambda k: scale * k.sqrt())


def _erf(_: Activation) -> DualBalls:
    pi = arb.pi()
    c = pi / (2 * (arb(2) / 3).asin())

    def maps(kxx: arb, kyy: arb, k: arb, excess: arb) -> tuple[arb, arb]:
        root = (1 + 2 * kxx + 2 * kyy + 4 * excess).sqrt()
        return 2 * c / pi * (2 * k / root).atan(), 4 * c / pi / root

    return DualBalls(
        lambda x, y, k: maps(x.variance, y.variance, k, _excess(x, y, k)),
        lambda k: maps(k, k, k, arb(0)),
        lambda k: arb(0),
    )


def _sin(_: Activation) -> DualBalls:
    c = 2 / (1 - arb(-2).exp())

    def pair(x: RowBalls, y: RowBalls, k: arb) -> tuple[arb, arb]:
        s = (x.variance + y.variance) / 2
        if s < 1:
            return c * (-s).exp() * k.sinh(), c * (-s).exp() * k.cosh()
        near, far = (-(s - k).nonnegative_part()).exp(), (-(s + k).nonnegative_part()).exp()
        return c * (near - far) / 2, c * (near + far) / 2

    def diagonal(k: arb) -> tuple[arb, arb]:
        lost = (-2 * k).expm1()
        return -c * lost / 2, c * (2 + lost) / 2

    return DualBalls(pair, diagonal, lambda k: arb(0))


def _gelu(_: Activation) -> DualBalls:
    pi = arb.pi()
    c = 1 / (arb(1) / 3 + 1 / (2 * pi * arb(3).sqrt()))

    def maps(kxx: arb, kyy: arb, k: arb, excess: arb) -> tuple[arb, arb]:
        determinant, inverse = 1 + kxx + kyy + excess, 1 / (1 + kxx) + 1 / (1 + kyy)
        root = determinant.sqrt()
        half = arb(1) / 4 + (k / root).atan() / (2 * pi)
        f = k * half + (excess + k * k * inverse) / (2 * pi * root)
        return c * f, c * (half + k * (inverse + 1 / determinant) / (2 * pi * root))

    return DualBalls(
        lambda x, y, k: maps(x.variance, y.variance, k, _excess(x, y, k)),
        lambda k: maps(k, k, k, arb(0)),
        lambda k: c.sqrt() * k / (2 * pi * (1 + k)).sqrt(),
    )


def _excess(x: RowBalls, y: RowBalls, k: arb) -> arb:
    """The determinant kxx kyy - kxy^2, never negative of two variances and a covariance."""
    return (x.variance * y.variance - k * k).nonnegative_part()


def _identity(_: Activation) -> DualBalls:
    return DualBalls(lambda x, y, k: (k, arb(1)), lambda k: (k, arb(1)), lambda k: arb(0))


_MAPS: dict[type[Activation], Callable[[Activation], DualBalls]] = {
    Relu: _relu,
    LeakyRelu: _leaky_relu,
    Erf: _erf,
    Sin: _sin,
    Gelu: _gelu,
    Identity: _identity,
}


def _arc_cosine(x: RowBalls, y: RowBalls, k: arb, pi: arb) -> tuple[arb, arb]:
    """2 E[relu(g) relu(g')] and 2 E[relu'(g) relu'(g')]."""
    q = x.root * y.root
    if q == 0:
        return arb(0), arb(0.5)
    rho = k / q
    rest = 1 - rho * rho
    if rest > 0:  # as may fail next to 1 even where rho < 1
        behind = pi - rho.acos()
        return (q * rest.sqrt() + behind * k) / pi, behind / pi
    low, high = arb(rho.lower()).max(arb(-1)).min(arb(1)), arb(rho.upper()).min(arb(1)).max(arb(-1))
    (f_low, slope_low), (f_high, slope_high) = _at_correlation(low, pi), _at_correlation(high, pi)
    return q * f_low.union(f_high), slope_low.union(slope_high)


def _at_correlation(rho: arb, pi: arb) -> tuple[arb, arb]:
    behind = pi - rho.acos()
    return ((1 - rho * rho).nonnegative_part().sqrt() + behind * rho) / pi, behind / pi
