"""The accuracy of every activation over variance and correlation, as the table of docs/accuracy.md: `python -m
benchmarks.accuracy`.

Closed forms are compared with the same formulas in balls of 200 bits, everything else with the definition as a double
integral on panels that follow the variance, the conditional variance and the kinks; both see the very float64 numbers
that the maps get. Errors are in units of f and fdot on the diagonal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import flint
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from nngp_dag.activations import ACTIVATIONS, Activation, from_function
from nngp_dag.support.x64 import enable_x64

__all__ = ["CORRELATIONS", "SUBJECTS", "VARIANCES", "Subject", "errors_at", "main", "table"]

Floats = NDArray[np.float64]

VARIANCES = (1e-12, 1e-4, 1e-2, 1.0, 10.0, 100.0, 1e4, 1e6)
CORRELATIONS = (-1.0, -0.999, -0.5, 0.0, 0.3, 0.9, 0.999, 1 - 1e-6, 1 - 1e-12, 1.0)
_BITS = 200
_NOTHING = 1e-40


@dataclass(frozen=True)
class Subject:
    """An activation with its reference.

    Attributes:
        activation: what is measured.
        reference: E[sigma sigma] and E[sigma' sigma'] at equal variances k and covariance kxy.
    """

    activation: Activation
    reference: Callable[[float, float], tuple[float, float]]


def shifted_relu(x: jax.Array) -> jax.Array:
    """ReLU with its kink at 0.3."""
    return jnp.maximum(x - 0.3, 0)


def clip(x: jax.Array) -> jax.Array:
    """The identity, clipped at -1 and 1."""
    return jnp.clip(x, -1, 1)


def _closed(ball: Callable[[flint.arb, flint.arb], tuple[flint.arb, flint.arb]]) -> Callable[..., tuple[float, float]]:
    def reference(k: float, kxy: float) -> tuple[float, float]:
        with flint.ctx.workprec(_BITS):
            f, fdot = ball(flint.arb(k), flint.arb(kxy))
            return float(f), float(fdot)

    return reference


def _relu(k: flint.arb, t: flint.arb) -> tuple[flint.arb, flint.arb]:
    pi = flint.arb.pi()
    angle = pi if t == -k else flint.arb(0) if t == k else (t / k).acos()
    root = flint.arb(0) if abs(t) == k else (k * k - t * t).sqrt()
    return (root + (pi - angle) * t) / (2 * pi), (pi - angle) / (2 * pi)


def _leaky_relu(k: flint.arb, t: flint.arb) -> tuple[flint.arb, flint.arb]:
    a = flint.arb(ACTIVATIONS["leaky_relu"].slope)  # type: ignore[attr-defined]
    f, fdot = _relu(k, t)
    return (1 - a) ** 2 * f + a * t, (1 - a) ** 2 * fdot + a


def _erf(k: flint.arb, t: flint.arb) -> tuple[flint.arb, flint.arb]:
    pi, a = flint.arb.pi(), 1 + 2 * k
    return 2 / pi * (2 * t / a).asin(), 4 / pi / (a * a - 4 * t * t).sqrt()


def _gelu(k: flint.arb, t: flint.arb) -> tuple[flint.arb, flint.arb]:
    pi, a = flint.arb.pi(), 1 + k
    d = a * a - t * t
    half = flint.arb(1) / 4 + (t / a).asin() / (2 * pi)
    f = t * half + (k * k - t * t + t * t * 2 / a) / (2 * pi * d.sqrt())
    return f, half + t * (2 / a + 1 / d) / (2 * pi * d.sqrt())


def _sin(k: flint.arb, t: flint.arb) -> tuple[flint.arb, flint.arb]:
    return (-k).exp() * t.sinh(), (-k).exp() * t.cosh()


def _identity(k: flint.arb, t: flint.arb) -> tuple[flint.arb, flint.arb]:
    del k
    return t, flint.arb(1)


def _integral(
    function: Callable[[jax.Array], jax.Array], kinks: tuple[float, ...] = ()
) -> Callable[..., tuple[float, float]]:
    maps = [jax.jit(jax.vmap(f)) for f in (function, jax.grad(function))]

    def reference(k: float, kxy: float) -> tuple[float, float]:
        f, fdot = (_double(lambda x, m=m: _padded(m, x), kinks, k, kxy) for m in maps)  # type: ignore[misc]
        return f, fdot

    return reference


def _padded(compiled: Callable[[jax.Array], jax.Array], x: Floats) -> Floats:
    """At nodes of any number, in blocks of a million at most and of a power of two, so that little is compiled."""
    size = min(2**20, 1 << max(12, (len(x) - 1).bit_length()))
    blocks = np.pad(x, (0, -len(x) % size)).reshape(-1, size)
    return np.concatenate([np.asarray(compiled(jnp.asarray(block))) for block in blocks])[: len(x)]


def _double(function: Callable[[Floats], Floats], kinks: tuple[float, ...], k: float, kxy: float) -> float:
    """E[F(g) F(g')]: for each node of g panels of the conditional distribution of g'."""
    gap, scale = (k - abs(kxy)) / k, np.sqrt(k)
    spread = scale * np.sqrt(gap * (2 - gap))
    half = np.concatenate([np.arange(1, 13) / 2, 6 * 1.5 ** np.arange(1, 10)])
    features = np.concatenate([-half[::-1], [0.0], half, kinks])
    bell = np.arange(-13.0, 14.0)
    nodes, weights = np.polynomial.legendre.leggauss(16)

    def panels(middle: Floats, width: float, extra: Floats) -> tuple[Floats, Floats]:
        ends = np.concatenate([np.broadcast_to(bell, (len(middle), len(bell))), (extra - middle[:, None]) / width], 1)
        ends = np.sort(np.clip(ends, -13, 13), axis=1)
        radius, center = (ends[:, 1:] - ends[:, :-1]) / 2, (ends[:, 1:] + ends[:, :-1]) / 2
        z = (center[..., None] + radius[..., None] * nodes).reshape(len(middle), -1)
        p = (radius[..., None] * weights).reshape(len(middle), -1) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        return z, p

    # The inner integral varies with g over the spread around each feature too, and about the kinks.
    near = (np.array([0.0, *kinks])[:, None] + spread * np.concatenate([-half[:16], half[:16]])).ravel()
    x, p = (a[0] for a in panels(np.zeros(1), scale, np.concatenate([features, -features, near, -near])))
    x, p = scale * x[p > _NOTHING], p[p > _NOTHING]
    conditional = np.sign(kxy) * (x - gap * x)
    if spread == 0:
        return float(p @ (function(x) * function(conditional)))
    inner = np.empty_like(x)
    for start in range(0, len(x), 512):
        part = conditional[start : start + 512]
        z, q = panels(part, spread, features)
        y = part[:, None] + spread * z
        kept = q > _NOTHING
        q[kept] *= function(y[kept])
        inner[start : start + 512] = np.sum(q, axis=1, where=kept)
    return float(p @ (function(x) * inner))


@cache
def subjects() -> dict[str, Subject]:
    """Everything that the table has a row for."""
    closed = {"relu": _relu, "leaky_relu": _leaky_relu, "erf": _erf, "gelu": _gelu, "sin": _sin, "identity": _identity}
    found = {name: Subject(ACTIVATIONS[name], _closed(ball)) for name, ball in closed.items()}
    found["tanh"] = Subject(ACTIVATIONS["tanh"], _integral(jnp.tanh))
    given = {"softplus": (jax.nn.softplus, ()), "swish": (jax.nn.silu, ()), "elu": (jax.nn.elu, ())}
    given |= {"max(x - 0.3, 0)": (shifted_relu, (0.3,)), "clip(x, -1, 1)": (clip, (-1.0, 1.0))}
    for name, (function, kinks) in given.items():
        found[name] = Subject(from_function(function, name), _integral(function, kinks))
    return found


SUBJECTS = (
    "relu",
    "leaky_relu",
    "erf",
    "gelu",
    "sin",
    "identity",
    "tanh",
    "max(x - 0.3, 0)",
    "clip(x, -1, 1)",
    "softplus",
    "swish",
    "elu",
)
"""The rows of the table."""


def errors_at(name: str, k: float, correlations: tuple[float, ...] = CORRELATIONS) -> tuple[Floats, bool]:
    """The errors [2, correlations] of f and fdot at variance k, and whether the activation says more than 1e-8."""
    subject = subjects()[name]
    with enable_x64(True):
        served = subject.activation.serving(k)
        c = 1 / subject.reference(1.0, 1.0)[0]
        on_diagonal = c * np.array(subject.reference(k, k))
        covariances = np.array([rho * k for rho in correlations])
        found = np.array(_maps(served)(jnp.float64(k), jnp.asarray(covariances)))
        exact = c * np.array([subject.reference(k, float(t)) for t in covariances]).T
    if min(on_diagonal) < np.finfo(np.float64).tiny:  # sigma vanishes around 0, and the kernel with it
        return np.full(found.shape, np.nan), False
    return abs(found - exact) / on_diagonal[:, None], max(served.accuracy(k)) > 1e-8


@cache
def _maps(activation: Activation) -> Callable[..., tuple[jax.Array, jax.Array]]:
    def maps(k: jax.Array, kxy: jax.Array) -> tuple[jax.Array, jax.Array]:
        row = activation.prepare(k)
        return activation.dual(row, row, kxy), activation.dual_derivative(row, row, kxy)

    return jax.jit(jax.vmap(maps, (None, 0)))


def table(names: tuple[str, ...] = SUBJECTS, variances: tuple[float, ...] = VARIANCES) -> str:
    """The table in Markdown: the largest errors of f and fdot over all correlations; (warned) where this is said."""
    lines = ["| activation | " + " | ".join(f"{k:g}" for k in variances) + " |", "|---" * (len(variances) + 1) + "|"]
    for name in names:
        cells = []
        for k in variances:
            errors, warned = errors_at(name, k)
            f, fdot = errors.max(axis=1)
            cells.append("-" if np.isnan(f) else f"{f:.0e}, {fdot:.0e}" + (" (warned)" if warned else ""))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(lines[-1], file=sys.stderr)
    return "\n".join(lines)


def main(names: list[str] | None = None) -> None:
    """Print the table, of the activations named or of all."""
    print(table(tuple(names) if names else SUBJECTS))


if __name__ == "__main__":
    main(sys.argv[1:])
