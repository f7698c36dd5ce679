"""A wiring: a DAG whose edges have weight and bias scales, gains and activations, and whose nodes may be normalised.

With W and b of i.i.d. N(0, 1) entries and m features, a linear edge with weight scale w, bias scale v, gain g and
activation sigma (c = 1 / E[sigma(z)^2]) is

    activation-last:   h -> g sqrt(c) sigma(w W h / sqrt(m) + v b),
    activation-first:  h -> g (w sqrt(c / m) W sigma(h) + v b),

a skip edge of gain a is h -> a h, a node with layer norm standardises the sum that it receives over its m features, and
the output is u = w_out a.h_H / sqrt(m) + v_out b. All scales and gains 1 and no bias: the network of the DAG alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import jax
import numpy as np

from nngp_dag.activations import Activation, get
from nngp_dag.dag import Dag, DagLike, Op, as_dag
from nngp_dag.errors import InputError
from nngp_dag.reading import ActivationLike
from nngp_dag.support.files import write_text
from nngp_dag.support.known import equals_everywhere, is_known
from nngp_dag.support.strict_json import Json, load_json, parse_json, strict_json_text
from nngp_dag.wiring.document import document_values, wiring_document
from nngp_dag.wiring.edge_values import (
    Edge,
    Numbers,
    checked_nodes,
    edge_numbers,
    edges_of,
    joined_on_edges,
    per_edge,
    scalar_number,
    times,
)
from nngp_dag.wiring.graph import graph_values
from nngp_dag.wiring.in_degree import in_degree_factors

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["NetworkLike", "Wiring", "as_wiring"]

_LINEAR = ("weight_scale", "bias_scale", "gain")
_SCALARS = ("readout_weight_scale", "readout_bias_scale")


@partial(
    jax.tree_util.register_dataclass,
    data_fields=[*_LINEAR, "skip_gain", *_SCALARS],
    meta_fields=["dag", "activations", "layer_norm"],
)
@dataclass(frozen=True, eq=False)
class Wiring:
    """A DAG with the numbers of its network; make one with `Wiring.make`, which checks them.

    A pytree of JAX: the arrays are its leaves, and what is discrete is static. With leading axes on the arrays it is a
    batch of wirings over one DAG (`Wiring.stack`).

    Attributes:
        dag: the DAG.
        activations: of each of the L linear edges in code order; None: the reading's.
        layer_norm: the nodes with layer norm, ascending.
        weight_scale, bias_scale, gain: w, v and g of the linear edges in code order, [..., L].
        skip_gain: a of the S skip edges in code order, [..., S].
        readout_weight_scale, readout_bias_scale: w_out and v_out, [...].
    """

    dag: Dag
    activations: tuple[Activation | None, ...]
    layer_norm: tuple[int, ...]
    weight_scale: Numbers
    bias_scale: Numbers
    gain: Numbers
    skip_gain: Numbers
    readout_weight_scale: Numbers
    readout_bias_scale: Numbers

    # ---- making -----------------------------------------------------------------------------------------------------

    @classmethod
    def make(
        cls,
        dag: DagLike,
        *,
        weight_scale: object = 1.0,
        bias_scale: object = 0.0,
        gain: object = 1.0,
        skip_gain: object = 1.0,
        activation: ActivationLike | Mapping[Edge, ActivationLike] | None = None,
        layer_norm: Iterable[int] = (),
        readout_weight_scale: object = 1.0,
        readout_bias_scale: object = 0.0,
    ) -> Wiring:
        """A wiring of a DAG.

        Args:
            dag: anything that describes a DAG.
            weight_scale: w of the linear edges: a number, an array [L] in code order, or a mapping {(s, t): number}
                that may leave edges out.
            bias_scale: v of the linear edges, likewise.
            gain: g of the linear edges, likewise.
            skip_gain: a of the skip edges, likewise.
            activation: of the linear edges, one or a mapping {(s, t): activation}; None, and edges that are left out:
                that of the reading (the argument `activation` of `kernel_fn`).
            layer_norm: nodes whose features are standardised.
            readout_weight_scale: w_out.
            readout_bias_scale: v_out.

        Raises:
            InputError: numbers that are not finite, edges or nodes that the DAG does not have, an unknown activation.
        """
        dag = as_dag(dag)
        linear = edges_of(dag, Op.LINEAR)
        if isinstance(activation, Mapping):
            known = {edge: get(value) for edge, value in activation.items()}
            sigmas = tuple(per_edge("activation", known, None, dag, Op.LINEAR))
        else:
            sigmas = (None if activation is None else get(activation),) * len(linear)
        return cls(
            dag,
            sigmas,
            checked_nodes(layer_norm, dag),
            edge_numbers("weight_scale", weight_scale, 1.0, dag, Op.LINEAR),
            edge_numbers("bias_scale", bias_scale, 0.0, dag, Op.LINEAR),
            edge_numbers("gain", gain, 1.0, dag, Op.LINEAR),
            edge_numbers("skip_gain", skip_gain, 1.0, dag, Op.SKIP),
            scalar_number("readout_weight_scale", readout_weight_scale),
            scalar_number("readout_bias_scale", readout_bias_scale),
        )

    @classmethod
    def from_networkx(
        cls, graph: nx.DiGraph, order: Sequence[Hashable] | None = None, default_op: object = None
    ) -> Wiring:
        """The wiring of a networkx graph.

        Args:
            graph: an acyclic DiGraph or MultiDiGraph. Attributes of an edge: `op`; `weight_scale`, `bias_scale`,
                `gain` and `activation` of a linear one, `gain` of a skip edge. Of a node: `layer_norm` (true or
                false). Of the graph: `readout_weight_scale`, `readout_bias_scale`. Others are not looked at. Of
                parallel edges all but the first get a node of their own (see `networkx_edges`).
            order: as in `Dag.from_networkx`.
            default_op: as in `Dag.from_networkx`.

        Raises:
            InputError: as `Dag.from_networkx` and `make`.
        """
        return cls.make(**graph_values(graph, order, default_op))

    @classmethod
    def from_json(cls, document: str | Mapping[str, Json]) -> Wiring:
        """The wiring of a JSON document (`to_json`), as text or as plain data; InputError for anything else."""
        if isinstance(document, str):
            try:
                parsed = parse_json(document)
            except InputError as error:
                raise InputError(f"a wiring is a JSON document: {error}") from None
        else:
            parsed = dict(document)
        return cls.make(**document_values(parsed))

    @classmethod
    def load(cls, path: str | Path) -> Wiring:
        """The wiring of a JSON file (`to_json`); InputError, with its name, for anything else."""
        value = load_json(Path(path))
        try:
            return cls.make(**document_values(value))
        except InputError as error:
            raise InputError(f"cannot read {path} as a wiring: {error}") from None

    @classmethod
    def stack(cls, wirings: Sequence[Wiring]) -> Wiring:
        """A batch of wirings over one DAG: all their arrays stacked on a new first axis.

        Raises:
            InputError: none, or another DAG, activations or layer norm.
        """
        if len({jax.tree.structure(wiring) for wiring in wirings}) != 1:
            raise InputError("a batch needs wirings of one DAG with the same activations and layer norm")
        batch: Wiring = jax.tree.map(lambda *leaves: np.stack(leaves), *wirings)
        return batch

    # ---- views ------------------------------------------------------------------------------------------------------

    @property
    def linear_edges(self) -> tuple[Edge, ...]:
        """The linear edges (s, t) in code order, [L]."""
        return edges_of(self.dag, Op.LINEAR)

    @property
    def skip_edges(self) -> tuple[Edge, ...]:
        """The skip edges (s, t) in code order, [S]."""
        return edges_of(self.dag, Op.SKIP)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The leading axes of the arrays, broadcast; () of a single wiring."""
        shapes = [np.shape(getattr(self, name))[:-1] for name in (*_LINEAR, "skip_gain")]
        return np.broadcast_shapes(*shapes, *(np.shape(getattr(self, name)) for name in _SCALARS))

    @property
    def is_plain(self) -> bool:
        """It is known to be the network of the DAG alone, with the reading's activation."""
        ones, zeros = (
            ("weight_scale", "gain", "skip_gain", "readout_weight_scale"),
            ("bias_scale", "readout_bias_scale"),
        )
        return (
            not self.layer_norm
            and all(sigma is None for sigma in self.activations)
            and all(equals_everywhere(getattr(self, name), 1) for name in ones)
            and all(equals_everywhere(getattr(self, name), 0) for name in zeros)
        )

    def reduced(self, function: Callable[[Numbers], Numbers]) -> Wiring:
        """Of a batch one wiring: a function of each array that has the leading axis, others as they are."""
        found = {name: (getattr(self, name), 1) for name in (*_LINEAR, "skip_gain")}
        found |= {name: (getattr(self, name), 0) for name in _SCALARS}
        parts = [function(value) if np.ndim(value) > base else value for value, base in found.values()]
        return Wiring(self.dag, self.activations, self.layer_norm, *parts)

    def checked(self) -> Wiring:
        """The wiring, its arrays checked again: for one that was made without `make`.

        Raises:
            InputError: arrays of other shapes, or known numbers that are not finite.
        """
        parts = {name: getattr(self, name) for name in (*_LINEAR, "skip_gain", *_SCALARS)}
        again = Wiring.make(self.dag, layer_norm=self.layer_norm, **parts)
        if len(self.activations) != len(self.linear_edges):
            raise InputError(f"{self.dag!r} needs {len(self.linear_edges)} activations, got {len(self.activations)}")
        return replace(again, activations=self.activations)

    def to_json(self) -> str:
        """The wiring as a JSON document, which `from_json` reads back to the last bit.

        Raises:
            InputError: a batch, or an activation that has no name.
        """
        if self.batch_shape:
            raise InputError("a JSON document holds one wiring, not a batch")
        linear = zip(self.linear_edges, *(np.asarray(getattr(self, n)) for n in _LINEAR), self.activations, strict=True)
        skip = zip(self.skip_edges, np.asarray(self.skip_gain), strict=True)
        readout = (float(self.readout_weight_scale), float(self.readout_bias_scale))
        document = wiring_document(self.dag.to_code(), list(linear), list(skip), self.layer_norm, readout)
        return strict_json_text(document, indent=1)

    def save(self, path: str | Path) -> None:
        """Write `to_json` to a file, whole or not at all."""
        write_text(Path(path), self.to_json() + "\n")

    def __repr__(self) -> str:
        parts = {name: getattr(self, name) for name in (*_LINEAR, "skip_gain", *_SCALARS)}
        shown = [f"{name}={_shown(value)}" for name, value in parts.items() if not _is_default(name, value)]
        if any(self.activations):
            shown.append(f"activations=({', '.join('None' if a is None else a.name for a in self.activations)})")
        if self.layer_norm:
            shown.append(f"layer_norm={self.layer_norm}")
        return ", ".join([f"Wiring({self.dag.to_code()[:60]!r}", *shown]) + ")"

    # ---- other wirings ----------------------------------------------------------------------------------------------

    def pruned(self) -> Wiring:
        """The wiring of the nodes and edges on paths from 0 to H, renumbered in order; the DAG `0` where there is none.

        A bias is part of its edge, and goes with it.
        """
        names = np.flatnonzero(self.dag.reachable()).tolist()
        if len(names) == self.dag.num_nodes:
            return self
        kept = set(names)
        linear, skip = (
            np.array([i for i, (s, t) in enumerate(edges_of(self.dag, op)) if {s, t} <= kept], int)
            for op in (Op.LINEAR, Op.SKIP)
        )
        return replace(
            self,
            dag=self.dag.pruned(),
            activations=tuple(self.activations[i] for i in linear),
            layer_norm=tuple(names.index(t) for t in self.layer_norm if t in kept),
            **{name: getattr(self, name)[..., linear] for name in _LINEAR},
            skip_gain=self.skip_gain[..., skip],
        )

    def then(self, other: Wiring | DagLike) -> Wiring:
        """This wiring with another stacked on it: its output node is the other's input node.

        The read-out of this one is gone: the other's stays. The node where they meet has layer norm if either has.
        """
        above = as_wiring(other)
        shift = self.dag.num_nodes - 1
        joined = {name: joined_on_edges(getattr(self, name), getattr(above, name)) for name in (*_LINEAR, "skip_gain")}
        return replace(
            above,
            dag=self.dag.then(above.dag),
            activations=self.activations + above.activations,
            layer_norm=tuple(sorted({*self.layer_norm, *(shift + t for t in above.layer_norm)})),
            **joined,
        )

    def divided_by_in_degree(self, of: str = "target") -> Wiring:
        """All gains divided by the square root of an in-degree: the number of edges that enter a node.

        Args:
            of: "target": of the node in which an edge ends, so that sums keep their size; "source": of the node where
                it starts, counted as 1 for the input.

        In-degrees are those of the pruned DAG; edges on no path keep their gains.
        """
        gain, skip_gain = (in_degree_factors(self.dag, op, of) for op in (Op.LINEAR, Op.SKIP))
        return replace(self, gain=times(self.gain, gain), skip_gain=times(self.skip_gain, skip_gain))


NetworkLike: TypeAlias = "Wiring | DagLike"
"""A wiring, or anything that describes a DAG."""


def as_wiring(network: NetworkLike) -> Wiring:
    """The wiring itself, or the plain one of a DAG; InputError for anything else."""
    return network if isinstance(network, Wiring) else Wiring.make(network)


def _is_default(name: str, value: object) -> bool:
    return equals_everywhere(value, 0 if "bias" in name else 1)


def _shown(value: object) -> str:
    if not is_known(value) or not hasattr(value, "shape"):
        return str(value)
    array = np.asarray(value)
    if array.size and (array == array.flat[0]).all():
        return f"{array.flat[0]:g}"
    return np.array2string(array, threshold=6, precision=4, separator=", ").replace("\n", "")
