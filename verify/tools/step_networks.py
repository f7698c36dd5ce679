"""Finite networks of Eq. 1 of the paper `scaling`, in NumPy with derivatives by hand, and Eq. 5 evaluated on them.

Nothing here knows the recursion of `first_step`. With g_t = dz_out / dz_t, the gradient of z_out in W_st is the outer
product of g_t and relu(z_s), so that a step of rate eta on (z_out - y)^2 / 2 changes z_t to first order by

    Delta z_t = sum over edges (s, t) of eta (y - z_out) g_t |relu(z_s)|^2 + W_st (relu'(z_s) * Delta z_s).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from nngp_dag.dag import Dag
from verify.tools.first_step import Scales

__all__ = ["StepSample", "sample_steps"]


_DRAWS = 8
"""Inputs and read-outs of a network's hidden weights: its second moments are means over them."""


@dataclass(frozen=True)
class StepSample:
    """Second moments of independent networks, means over y, inputs, read-outs and coordinates; one row a network.

    Attributes:
        scale: |z_t|^2 / n of vertices 1..L [N, L].
        hidden: (Delta z_t)^2 / eta^2 of vertices 1..L [N, L].
        output: of vertex L + 1 [N].
    """

    scale: np.ndarray
    hidden: np.ndarray
    output: np.ndarray


def sample_steps(dag: Dag, scales: Scales, width: int, networks: int, rng: np.random.Generator) -> StepSample:
    """Independent networks of a width; E y = 0, E y^2 = 1, and inputs are Gaussian."""
    found = [_network(dag, scales, width, rng) for _ in range(networks)]
    scale, hidden, output = (np.array(part) for part in zip(*found, strict=True))
    return StepSample(scale, hidden, output)


def _network(dag: Dag, scales: Scales, n: int, rng: np.random.Generator) -> tuple[list[float], list[float], float]:
    """The moments of one network; columns of all arrays [n, draws] are its inputs, each with a read-out of its own."""
    last = dag.num_nodes - 1
    weights = {edge: _normal(rng, (n, n), scale / n) for edge, scale in scales.items() if edge[1] < last}
    read_out = {s: _normal(rng, (n, _DRAWS), scale / n**2) for (s, t), scale in scales.items() if t == last}
    into = [[s for s in range(t) if (s, t) in weights] for t in range(last)]
    z = [_normal(rng, (n, _DRAWS), Fraction(1))]
    for t in range(1, last):
        z.append(_total(weights[s, t] @ np.maximum(z[s], 0) for s in into[t]))
    slope, passed = [(value > 0).astype(np.float32) for value in z], [np.maximum(value, 0) for value in z]
    output = _total((read_out[s] * passed[s]).sum(axis=0) for s in read_out)
    g = [np.zeros_like(z[0]) for _ in z]
    for s in range(last - 1, 0, -1):
        parts = [weights[s, t].T @ g[t] for t in range(s + 1, last) if (s, t) in weights]
        g[s] = slope[s] * _total([*parts, *([read_out[s]] if s in read_out else [])])
    change = [np.zeros_like(z[0])]
    for t in range(1, last):
        own = g[t] * _total((passed[s] ** 2).sum(axis=0) for s in into[t])
        change.append(own + _total(weights[s, t] @ (slope[s] * change[s]) for s in into[t]))
    changed = _total((read_out[s] * slope[s] * change[s]).sum(axis=0) for s in read_out)
    over_y = 1 + output**2  # E (y - z_out)^2
    hidden = [float(np.mean(over_y * value**2, dtype=np.float64)) for value in change[1:]]
    scale = [float(np.mean(value**2, dtype=np.float64)) for value in z[1:]]
    return scale, hidden, float(np.mean(over_y * changed**2, dtype=np.float64))


def _normal(rng: np.random.Generator, shape: tuple[int, int], variance: Fraction) -> np.ndarray:
    return rng.standard_normal(shape, np.float32) * np.float32(float(variance) ** 0.5)


def _total(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.asarray(np.sum(list(parts), axis=0, dtype=np.float32))
