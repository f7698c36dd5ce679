"""A wiring in an analysis: its numbers in words, its kernels node by node, and where methods begin to differ."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nngp_dag.analysis.nodes import MAX_NODES
from nngp_dag.errors import InputError
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.reading import METHODS, Reading, Setting
from nngp_dag.spectrum import Spectrum, spectrum
from nngp_dag.wiring import NetworkLike, Wiring, as_wiring

__all__ = ["first_differences", "more_than_its_dag", "wired_node_spectra", "wiring_words"]

_DIFFERENT = 1e-7
"""|K - K_exact| / |K_exact| at a node from which on two methods differ: beyond the rounding of correlations near 1."""


def more_than_its_dag(network: NetworkLike) -> Wiring | None:
    """The wiring, where it is more than its DAG.

    Raises:
        InputError: a batch, or no path from input to output.
    """
    if not isinstance(network, Wiring):
        return None
    wiring = as_wiring(network).checked()
    if wiring.batch_shape:
        raise InputError("one wiring is analyzed at a time, not a batch")
    if wiring.is_plain:
        return None
    if not any(wiring.pruned().dag.ops):
        raise InputError("no path leads from input to output: kernels are the read-out's bias squared")
    return wiring


def wiring_words(wiring: Wiring) -> list[str]:
    """The numbers of a wiring, a line for each kind that is not the default everywhere."""
    lines = []
    linear = ("weight_scale", "weight scale", 1.0), ("bias_scale", "bias scale", 0.0), ("gain", "gain", 1.0)
    for name, words, default in linear:
        lines += _line(words, dict(zip(wiring.linear_edges, getattr(wiring, name), strict=True)), default)
    lines += _line("gain of skip edges", dict(zip(wiring.skip_edges, wiring.skip_gain, strict=True)), 1.0)
    named = [(e, s.name) for e, s in zip(wiring.linear_edges, wiring.activations, strict=True) if s is not None]
    if named:
        lines.append("activation: " + ", ".join(f"{name} at {edge}" for edge, name in named[:8]) + _more(len(named)))
    if wiring.layer_norm:
        lines.append(f"layer norm at {', '.join(map(str, wiring.layer_norm[:8]))}{_more(len(wiring.layer_norm))}")
    weight, bias = float(wiring.readout_weight_scale), float(wiring.readout_bias_scale)
    if (weight, bias) != (1, 0):
        lines.append(f"read-out: weight scale {weight:g}, bias scale {bias:g}")
    return lines


def wired_node_spectra(wiring: Wiring, x: np.ndarray, reading: Reading) -> dict[int, Spectrum]:
    """The spectrum of the exact K_tt at every node on a path (24 at most, evenly spread), behind its layer norm."""
    found = kernel_of(wiring, Setting("exact", reading))(x, get="nodes")
    chosen = np.unique(np.linspace(0, len(found.nodes) - 1, min(len(found.nodes), MAX_NODES)).round().astype(int))
    return {int(found.nodes[i]): spectrum(np.asarray(found.nngp[i])) for i in chosen}


def first_differences(wiring: Wiring, x: np.ndarray, reading: Reading, methods: Iterable[str]) -> dict[str, int | None]:
    """By method with kernels at nodes, the first node at which its NNGP is not the exact one; None: nowhere."""
    exact = kernel_of(wiring, Setting("exact", reading))(x, get="nodes")
    found: dict[str, int | None] = {}
    for method in methods:
        if method == "exact" or not METHODS[method].is_pairwise:
            continue
        other = kernel_of(wiring, Setting(method, reading))(x, get="nodes")
        off = [float(np.linalg.norm(b - a)) > _DIFFERENT * float(np.linalg.norm(a)) for a, b in _pairs(exact, other)]
        found[method] = int(exact.nodes[off.index(True)]) if any(off) else None
    return found


def _pairs(exact: object, other: object) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.asarray(a), np.asarray(b)) for a, b in zip(exact.nngp, other.nngp, strict=True)]  # type: ignore[attr-defined]


def _line(words: str, values: dict[tuple[int, int], object], default: float) -> list[str]:
    numbers = {edge: float(np.asarray(value)) for edge, value in values.items()}
    others = {edge: number for edge, number in numbers.items() if number != default}
    if not others:
        return []
    if len(set(numbers.values())) == 1:
        return [f"{words}: {next(iter(numbers.values())):g}"]
    shown = ", ".join(f"{number:g} at {edge}" for edge, number in list(others.items())[:8])
    return [f"{words}: {shown}{_more(len(others))}; else {default:g}"]


def _more(count: int) -> str:
    return f" and {count - 8} more" if count > 8 else ""
