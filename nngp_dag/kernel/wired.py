"""The program of a wiring: the numbers of all its nodes, for a fold over nodes that is unrolled, by blocks, or by scan.

Weights of copies are sums over skip paths of products of gains: alpha for means and alpha^2 for *exact*, sums of
products of squared gains for *independent*; with layer norm the gains of single edges (`layer_norm`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nngp_dag.activations import Identity
from nngp_dag.dag import Op
from nngp_dag.kernel.blocks import BLOCK, Blocks, arranged, plan_of
from nngp_dag.kernel.into import Into, Layout, Port, Scales
from nngp_dag.kernel.method import Numbers
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.kernel.ports import WiredEdges, wired_edges
from nngp_dag.kernel.recursion import MAX_UNROLLED
from nngp_dag.reading import Order
from nngp_dag.support.known import equals_everywhere
from nngp_dag.wiring import Wiring

__all__ = ["Wired", "wired_program"]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["first", "nodes", "last", "readout"],
    meta_fields=["layout", "has_norm", "num_nodes"],
)
@dataclass(frozen=True)
class Wired:
    """A wiring as a method's program.

    Attributes:
        first: the numbers of node 0: its scales and norm.
        nodes: of nodes 1..H-1: one by one; `Blocks` with the last node inside; or stacked, for a scan over nodes.
        last: of node H (None: in the blocks).
        readout: w_out^2 and v_out^2; None where they are 1 and 0.
        layout: the ports.
        has_norm: some node has layer norm.
        num_nodes: H + 1.
    """

    first: Into
    nodes: tuple[Into, ...] | Blocks | Into
    last: Into | None
    readout: tuple[Numbers, Numbers] | None
    layout: Layout
    has_norm: bool
    num_nodes: int


def wired_program(wiring: Wiring, order: Order, correlated: bool) -> Wired:
    """The program of a pruned wiring all of whose activations are given; arrays [...] have the axes of its batch."""
    edges, n = wired_edges(wiring, order), wiring.dag.num_nodes
    has_norm = bool(wiring.layer_norm)
    if n <= MAX_UNROLLED:
        layout, ports = edges.layout, tuple(range(sum(map(len, edges.layout))))
    else:
        layout, ports = _alike(edges.layout)
    nodes = _nodes(wiring, edges, layout, ports, correlated)
    first, inner, last = nodes[0], nodes[1:-1], nodes[-1]
    readout = None
    if not (equals_everywhere(wiring.readout_weight_scale, 1) and equals_everywhere(wiring.readout_bias_scale, 0)):
        readout = (wiring.readout_weight_scale**2, wiring.readout_bias_scale**2)
    parts = (readout, layout, has_norm, n)
    if n <= MAX_UNROLLED:
        return Wired(first, tuple(inner), last, *parts)
    if has_norm:
        padded = [_padded(into, n, len(layout[0])) for into in (*inner, last)]
        stacked: Into = jax.tree.map(lambda *leaves: _stacked(leaves), *padded[:-1])
        return Wired(first, stacked, padded[-1], *parts)
    return Wired(first, _blocks(wiring, nodes, len(layout[0])), None, *parts)


def _nodes(wiring: Wiring, edges: WiredEdges, layout: Layout, place: Sequence[int], correlated: bool) -> list[Into]:
    """The numbers of nodes 0..H; `place` is where each port of `edges` lies among those of `layout`."""
    n = wiring.dag.num_nodes
    per_node = layout if len(layout) > 1 or n == 2 else layout * (n - 1)
    start = np.cumsum([0, *map(len, per_node)])
    mean, power = _copies(wiring, correlated)
    into: list[list[int]] = [[] for _ in range(n)]
    for i, (_, t) in enumerate(wiring.linear_edges):
        into[t].append(i)
    found = []
    for t in range(n):
        at = np.array([place[edges.port[i]] for i in into[t]], int)
        linear = [_scattered(values[..., into[t]], at, int(start[t])) for values in (edges.mean, edges.power)]
        constant = edges.constant[..., into[t]].sum(axis=-1) if edges.constant is not None and into[t] else None
        if edges.constant is not None and constant is None:
            constant = np.zeros(())
        scales = None if t == n - 1 else _scales(wiring, edges, per_node[t], place, int(start[t]))
        norm = np.array(float(t in wiring.layer_norm)) if wiring.layer_norm else None
        found.append(Into(Mixing(mean[t], linear[0]), Mixing(power[t], linear[1]), constant, scales, norm))
    return found


def _copies(wiring: Wiring, correlated: bool) -> tuple[list[Numbers], list[Numbers]]:
    """For t = 0..H the weights of copies over nodes u < t [..., t], of means and of covariances."""
    a = wiring.skip_gain
    if wiring.layer_norm:
        return _single(wiring, a), _single(wiring, a**2)
    alpha = _summed(wiring, a)
    return alpha, [w**2 for w in alpha] if correlated else _summed(wiring, a**2)


def _single(wiring: Wiring, gains: Numbers) -> list[Numbers]:
    """Gains of single skip edges."""
    sources: list[list[int]] = [[] for _ in range(wiring.dag.num_nodes)]
    index: list[list[int]] = [[] for _ in range(wiring.dag.num_nodes)]
    for i, (s, t) in enumerate(wiring.skip_edges):
        sources[t].append(s)
        index[t].append(i)
    return [_scattered(gains[..., index[t]], np.array(sources[t], int), t) for t in range(len(sources))]


def _summed(wiring: Wiring, gains: Numbers) -> list[Numbers]:
    """Sums over skip paths of products of gains."""
    module = np if isinstance(gains, np.ndarray) else jnp
    one = module.ones((*gains.shape[:-1], 1), gains.dtype)
    own: list[Numbers] = []  # alpha_tu for u = 0..t, with alpha_tt = 1
    gain = dict(zip(wiring.skip_edges, range(gains.shape[-1]), strict=True))
    found: list[Numbers] = []
    for t in range(wiring.dag.num_nodes):
        total = module.zeros((*gains.shape[:-1], t), gains.dtype)
        for s in range(t):
            if (s, t) in gain:
                term = gains[..., gain[s, t], None] * own[s]
                total = total + module.concatenate([term, module.zeros((*term.shape[:-1], t - s - 1), term.dtype)], -1)
        found.append(total)
        own.append(module.concatenate([total, one], axis=-1))
    return found


def _scales(
    wiring: Wiring, edges: WiredEdges, ports: Sequence[Port], place: Sequence[int], start: int
) -> Scales | None:
    """w^2 and v^2 of the ports of a node, each [...]; 1 and 0 of those that no edge has."""
    if not any(port.scaled for port in ports):
        return None
    edge_of = {place[p]: i for p, i in enumerate(edges.scale_of)}
    chosen = [edge_of.get(start + j) if port.scaled else None for j, port in enumerate(ports)]
    return Scales(
        tuple(np.ones(()) if i is None else wiring.weight_scale[..., i] ** 2 for i in chosen),
        tuple(np.zeros(()) if i is None else wiring.bias_scale[..., i] ** 2 for i in chosen),
    )


def _alike(layout: Layout) -> tuple[Layout, tuple[int, ...]]:
    """The same ports for every node, as many of each kind as some node has; and where each port of each node lies."""
    kinds: list[Port] = []
    for ports in layout:
        for port in set(ports):
            kinds += [port] * (ports.count(port) - kinds.count(port))
    kinds = kinds or [Port(Identity())]
    place = []
    for node, ports in enumerate(layout):
        free = list(range(len(kinds)))
        for port in ports:
            slot = next(j for j in free if kinds[j] == port)
            free.remove(slot)
            place.append(node * len(kinds) + slot)
    return (tuple(kinds),), tuple(place)


def _blocks(wiring: Wiring, nodes: Sequence[Into], ports: int) -> Blocks:
    """The nodes after the first as blocks."""
    n = wiring.dag.num_nodes
    skips, edges = (np.zeros((n, n), bool) for _ in range(2))
    receives = np.zeros(n, bool)
    receives[0] = True
    for s, t, op in wiring.dag.edges():
        edges[t, s] = op is Op.LINEAR
        receives[t] |= op is Op.LINEAR
    reach = np.eye(n, dtype=bool)
    for s, t in wiring.skip_edges:
        reach[t] |= reach[s]
        skips[t] = reach[t]
    skips[np.arange(n), np.arange(n)] = False
    skips &= receives  # nodes without linear edges receive nothing afresh
    plans = plan_of(skips), plan_of(edges)
    parts: tuple[list[Mixing], list[Mixing], list[Mixing]] = ([], [], [])
    for kind in Into._fields[:2]:
        weights = [getattr(into, kind) for into in nodes[1:]]
        copies = arranged(plans[0], [_where(skips[t, :t], w.skip_paths) for t, w in enumerate(weights, start=1)])
        linear = arranged(plans[1], [w.linear for w in weights], ports)
        for part, values in zip(parts, zip(copies, linear, strict=True), strict=True):
            part.append(Mixing(*values))
    before, within, last = (Into(mean, power) for mean, power in parts)
    inner, num = nodes[1:-1], len(plans[0].place)
    constant: Numbers | None = _in_blocks([into.constant for into in inner], num)
    scales: Scales | None = _in_blocks([into.scales and _as_arrays(into.scales) for into in inner], num)
    return Blocks(
        before,
        within._replace(constant=constant, scales=scales),
        Mixing(plans[0].place, plans[1].place * ports),
        last._replace(constant=nodes[-1].constant),
    )


def _in_blocks(parts: Sequence[Any], num_blocks: int) -> Any:
    """The parts of the inner nodes stacked, [K, B, ...]; what fills up the last block repeats the last node's."""
    if parts[0] is None:
        return None

    def stack(*leaves: Numbers) -> Numbers:
        flat = _stacked([*leaves, *[leaves[-1]] * (num_blocks * BLOCK - len(leaves))])
        return flat.reshape(num_blocks, BLOCK, *flat.shape[1:])

    return jax.tree.map(stack, *parts)


def _as_arrays(scales: Scales) -> Scales:
    """Scales as arrays [q]."""
    return Scales(*(_stacked(list(part)) for part in scales))


def _padded(into: Into, num_nodes: int, ports: int) -> Into:
    """The numbers of a node for a scan: weights over the ports of all H + 1 nodes."""
    mean, power = (
        Mixing(_filled(w.skip_paths, num_nodes), _filled(w.linear, num_nodes * ports)) for w in (into.mean, into.power)
    )
    return Into(mean, power, into.constant, into.scales and _as_arrays(into.scales), into.norm)


def _filled(values: Numbers, size: int) -> Numbers:
    """An array [t] with zeros up to [size]."""
    return _scattered(values, np.arange(values.shape[-1]), size)


def _scattered(values: Numbers, at: np.ndarray, size: int) -> Numbers:
    """Zeros [..., size] with the values [..., m] in their places [m]."""
    shape = (*values.shape[:-1], size)
    if isinstance(values, np.ndarray):
        result = np.zeros(shape)
        result[..., at] = values
        return result
    return jnp.zeros(shape, values.dtype).at[..., at].set(values)


def _stacked(leaves: Sequence[Numbers]) -> Numbers:
    return (np if all(isinstance(leaf, (np.ndarray, np.generic)) for leaf in leaves) else jnp).stack(leaves)


def _where(chosen: np.ndarray, values: Numbers) -> Numbers:
    module = np if isinstance(values, np.ndarray) else jnp
    return module.where(chosen, values, module.zeros_like(values))
