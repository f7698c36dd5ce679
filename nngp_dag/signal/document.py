"""The signal propagation of one network as plain data: for `nngp-dag signal --json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.signal.fixed_points import fixed_point
from nngp_dag.signal.maps import SignalMaps
from nngp_dag.signal.plane import OrderChaosPlane
from nngp_dag.signal.shaping import ShapedActivation

__all__ = ["plane_document", "shaped_document", "signal_document"]

Document = dict[str, Any]


def signal_document(maps: SignalMaps, q: float = 1.0, correlations: Sequence[float] = ()) -> Document:
    """The maps at one variance of the input, at every node, and where a stack of such cells ends up.

    Args:
        maps: the network's.
        q: the variance of the input.
        correlations: of two inputs, whose map is asked for.

    Returns:
        input_variance; variance, variance_slope, chi and correlation_slope at the output; `correlations`, a list of
        {input, output, centred}; `nodes`, a list of {node, ...} with the same four; `stacked`, the fields of
        `FixedPoint`, or {reason}, where a stack is no iterate of the maps.

    Raises:
        InputError: a variance or correlation out of range.
    """
    nodes = [node._asdict() for node in maps.nodes(q)]
    output = {name: value for name, value in nodes[-1].items() if name != "node"}
    points: list[Document] = []
    if correlations:
        c = np.asarray(correlations, dtype=np.float64)
        both = (np.asarray(maps.correlation(c, q, centred=centred)).tolist() for centred in (False, True))
        points = [{"input": a, "output": b, "centred": d} for a, b, d in zip(c.tolist(), *both, strict=True)]
    stacked: Document
    try:
        stacked = fixed_point(maps, q)._asdict()
    except InputError as error:
        stacked = {"reason": str(error)}
    return {"input_variance": q, **output, "correlations": points, "nodes": nodes, "stacked": stacked}


def plane_document(plane: OrderChaosPlane) -> Document:
    """The plane: its axes, variance and chi as lists of rows (a row per bias scale), and the critical weight scales."""
    names = ("weight_scale", "bias_scale", "variance", "chi", "critical")
    return {name: getattr(plane, name).tolist() for name in names}


def shaped_document(shaped: ShapedActivation) -> Document:
    """The constants of a shaped activation, and what was asked for."""
    names = ("method", "input_scale", "input_shift", "output_scale", "output_shift", "negative_slope", "condition")
    return {name: getattr(shaped, name) for name in names} | {"local": shaped.local, "network": shaped.network}
