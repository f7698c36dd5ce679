r"""The ReLU dual map in ball arithmetic, written for the end rho -> 1.

For two points of equal variance k and correlation rho = 1 - v the dual map of Lemma 3.2 is k f(rho). Near rho = 1 both
k and k f(rho) lose all digits in their difference, so what is evaluated is the *gap factor*

    s(v) = (1 - f(1 - v)) / v = 1 - (sin t - t cos t) / (pi v),   t = arccos(1 - v),   s(0) = 1, s(2) = 1/2,

and, for comparisons in which the first order cancels too, the *deficit factor* e(v) = (1 - s(v)) / sqrt(v), e(0) = 2
sqrt(2) / (3 pi).

- f is convex with f(1) = 1, so v s(v) = 1 - f(1 - v) is concave, increasing and zero at zero, and s decreases on [0,
  2].
- e increases on [0, 2]: with (1 - cos t)^(3/2) below, its derivative has the sign of h(t) = t + t cos(t)/2 - 3
  sin(t)/2, and h(0) = 0, h'(t) = sin(t) (tan(t/2) - t/2) >= 0.

All of them are monotone, so the ends of a ball decide.
"""

from __future__ import annotations

from flint import arb

__all__ = ["deficit_factor", "feature_mean", "gap_factor", "relu_dual"]


def relu_dual(rho: arb) -> arb:
    """f(rho) = (sqrt(1 - rho^2) + (pi - arccos rho) rho) / pi for a ball within [-1, 1]; increasing."""
    low, high = arb(rho.lower()).max(arb(-1)), arb(rho.upper()).min(arb(1))
    return _dual_at(low).union(_dual_at(high))


def gap_factor(v: arb) -> arb:
    """s(v) for a ball within [0, 2], zero included; decreasing."""
    low, high = _within(v)
    return (1 - _lost(low)).union(1 - _lost(high))


def deficit_factor(v: arb) -> arb:
    """e(v) for a ball within [0, 2], zero included; increasing."""
    low, high = _within(v)
    return _deficit_at(low).union(_deficit_at(high))


def feature_mean(k: arb) -> arb:
    """beta(k) = sqrt(k / pi), the mean of a ReLU feature of variance k."""
    return (k / arb.pi()).sqrt()


def _dual_at(rho: arb) -> arb:
    root = (1 - rho * rho).max(arb(0)).sqrt()
    return (root + (arb.pi() - rho.acos()) * rho) / arb.pi()


def _within(v: arb) -> tuple[arb, arb]:
    """The ends of a ball, as exact numbers clamped to [0, 2]; rounding may have carried a ball slightly outside."""
    return arb(v.lower()).max(arb(0)), arb(v.upper()).min(arb(2))


def _lost(v: arb) -> arb:
    """1 - s at an exact point 0 <= v <= 2: (sin t - t cos t) / (pi v)."""
    if v == 0:
        return arb(0)
    t = _angle(v)
    return (t.sin() - t * t.cos()) / (arb.pi() * v)


def _deficit_at(v: arb) -> arb:
    return 2 * arb(2).sqrt() / (3 * arb.pi()) if v == 0 else _lost(v) / v.sqrt()


def _angle(v: arb) -> arb:
    """arccos(1 - v) = 2 arcsin sqrt(v / 2), which keeps the digits of a small v."""
    return 2 * (v / 2).sqrt().min(arb(1)).asin()
