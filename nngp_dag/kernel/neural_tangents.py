"""The method *neural-tangents*: the network of a DAG out of neural-tangents' layers, its kernels node by node.

An independent route to *exact* where neural-tangents can express the DAG, and a finite-width network besides. Its
`FanInSum` adds the kernels of the branches that meet at a node: right for uncorrelated mean-zero Gaussian ones only.

- A branch is not Gaussian where an activation ends it (activation-last; a stem). `FanInSum` refuses to add it to
  another, so with activation-last what remains are DAGs whose pruned form is a chain.
- Two branches are correlated exactly if both are skip edges and some node reaches both of their tails by skip edges
  alone (a tail counts as reaching itself): K_st > 0 on the diagonal there, and K_st = 0 otherwise, as every linear edge
  has weights of its own. `FanInSum` would silently take them as independent.

A wiring's numbers are those of `Dense` (W_std, b_std) and of factors behind it. `LayerNorm` divides by the root of the
second moment, which is right for mean-zero Gaussian features, and refused elsewhere.

`check` finds all of this, names the node, and nothing is built where it objects.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError
from nngp_dag.kernel.network import Network, dag_of
from nngp_dag.support.known import all_known
from nngp_dag.wiring import Wiring

if TYPE_CHECKING:
    from nngp_dag.reading import Setting

__all__ = ["StaxNetwork", "build", "check", "make_kernel_fn"]

Layer = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]

_LAYERS: dict[str, Callable[[Any], Layer]] = {
    "relu": lambda stax: stax.Relu(),
    "leaky_relu": lambda stax: stax.LeakyRelu(0.01),
    "erf": lambda stax: stax.Erf(),
    "gelu": lambda stax: stax.Gelu(),
    "sin": lambda stax: stax.Sin(),
    "identity": lambda stax: stax.Identity(),
}
"""The layers of the activations that neural-tangents has in closed form; each is sigma itself, without sqrt(c)."""


class StaxNetwork(NamedTuple):
    """A network as neural-tangents represents one, to be used wherever neural-tangents takes such a triple.

    Attributes:
        init_fn: init_fn(key, (N, d)) -> (output shape, parameters).
        apply_fn: apply_fn(parameters, x [N, d]) -> outputs [N, outputs], u = a.h_H / sqrt(width).
        kernel_fn: kernel_fn(x1, x2=None, get=None), the kernels of the infinitely wide network.
    """

    init_fn: Callable[..., Any]
    apply_fn: Callable[..., Any]
    kernel_fn: Callable[..., Any]


def check(network: Network, setting: Setting) -> None:
    """Return if neural-tangents computes this network rightly; nodes in the message are those of its DAG as given.

    Raises:
        InputError: no path from input to output, a node that adds non-Gaussian or correlated branches, layer norm of
            features that are not Gaussian, an activation of which neural-tangents has no closed form; the message names
            the node and says what to use instead.
    """
    dag = dag_of(network)
    names = np.flatnonzero(dag.reachable()).tolist()
    if not names:
        _check_activations(_edges(network, setting), setting)
        raise InputError(f"neural-tangents cannot build {dag.to_code()}: no path leads from the input to the output")
    edges = _edges(network.pruned(), setting)
    _check_activations(edges, setting)
    norms = network.pruned().layer_norm if isinstance(network, Wiring) else ()
    _Check(dag.to_code(), names, setting.order == "activation-first").run(edges, setting, norms)


@dataclass
class _Edge:
    """An edge of a pruned network, with the numbers of its layer."""

    s: int
    t: int
    op: Op
    activation: Activation | None = None
    weight_scale: float = 1.0
    bias_scale: float = 0.0
    gain: float = 1.0


@dataclass(frozen=True)
class _Check:
    """The walk over the nodes of a DAG with this code, whose nodes on paths have these names."""

    code: str
    names: list[int]
    first: bool

    def run(self, edges: list[_Edge], setting: Setting, norms: tuple[int, ...]) -> None:
        """Raise InputError at the first node that neural-tangents would refuse or compute wrongly."""
        stem = setting.embedding == "stem"
        gaussian = [not stem or setting.activation.name == "identity"]
        self._check_norm(0, gaussian, norms)
        carried = [{0}]  # nodes that reach this one by skip edges alone, and itself
        for t in range(1, len(self.names)):
            incoming = [edge for edge in edges if edge.t == t]
            branch_gaussian = [self._gaussian(edge, gaussian, len(incoming) > 1) for edge in incoming]
            skips = [edge.s for edge in incoming if edge.op is Op.SKIP]
            self._check_correlations(t, skips, carried)
            gaussian.append(all(branch_gaussian))
            self._check_norm(t, gaussian, norms)
            carried.append({t}.union(*(carried[s] for s in skips)))

    def _gaussian(self, edge: _Edge, gaussian: list[bool], added: bool) -> bool:
        """True for a Gaussian branch; refuses one that is not where it is added to another."""
        s, t, name = edge.s, edge.t, self.names
        linear = edge.op is Op.LINEAR
        if linear and self.first and not gaussian[s]:
            raise InputError(
                f"neural-tangents cannot build {self.code}: the features of node {name[s]} are not Gaussian, as"
                f" the activation of edge ({name[s]}, {name[t]}) needs them; use order activation-last"
            )
        keeps = edge.activation is not None and edge.activation.name == "identity"
        found = self.first or keeps if linear else gaussian[s]
        if added and not found:
            raise InputError(
                f"neural-tangents cannot build {self.code}: node {name[t]} adds the {edge.op.name.lower()} branch"
                f" from node {name[s]} to another, and it is not mean-zero Gaussian, as FanInSum needs it;"
                " use order activation-first, or method exact"
            )
        return found

    def _check_norm(self, t: int, gaussian: list[bool], norms: tuple[int, ...]) -> None:
        if t in norms and not gaussian[t]:
            raise InputError(
                f"neural-tangents cannot build {self.code}: node {self.names[t]} has layer norm, and its features are"
                " not mean-zero Gaussian, as LayerNorm needs them; use order activation-first, or method exact"
            )

    def _check_correlations(self, t: int, skips: list[int], carried: list[set[int]]) -> None:
        for i, s in enumerate(skips):
            for r in skips[:i]:
                if common := carried[r] & carried[s]:
                    raise InputError(
                        f"neural-tangents would compute {self.code} wrongly: the skip branches from nodes"
                        f" {self.names[r]} and {self.names[s]} into node {self.names[t]} are correlated (both carry"
                        f" node {self.names[max(common)]}), and FanInSum takes them as independent; use method exact"
                    )


def build(network: Network, setting: Setting, dim: int, width: int = 1024, outputs: int = 1) -> StaxNetwork:
    """The network of a DAG or a wiring out of neural-tangents' layers.

    Args:
        network: any DAG or wiring; what is built is its pruned form.
        setting: order, embedding and activation (the method is not looked at).
        dim: d, the length of an input row.
        width: number of features m of every node, for `init_fn` and `apply_fn`; the kernels are those of m -> infinity.
        outputs: number of output units, each with readout weights of its own.

    Returns:
        The triple `StaxNetwork`. Kernels are not divided by d; the NTK counts all weights and biases, the embedding's
        only if it is trained (with embedding "gaussian" no gradient reaches G, at finite width too).

    Raises:
        InputError: neural-tangents cannot express the network, or would compute it wrongly (`check`); sizes below one.
    """
    if min(dim, width, outputs) < 1:
        raise InputError(f"dim, width and outputs must be at least 1, got {dim}, {width} and {outputs}")
    check(network, setting)
    return _assemble(network.pruned(), setting, dim, width, outputs)


def make_kernel_fn(
    network: Network, setting: Setting
) -> Callable[[Array, Array | None, Sequence[str]], dict[str, Array]]:
    """`compute(x1, x2, names)`: the kernels asked for ("nngp", "ntk") of rows x1 [N, d] against x2 [M, d] (None: x1).

    A dictionary of arrays [N, M] of the dtype of x1, exactly symmetric where x2 is None; zeros where there is no path.

    Raises:
        InputError: as `check`, at once, but a DAG without a path is served.
    """
    pruned = network.pruned()
    if not any(dag_of(pruned).ops) and isinstance(pruned, Dag):
        _check_activations([], setting)
        return _zeros
    check(pruned, setting)
    built = lru_cache(maxsize=8)(lambda dim: _assemble(pruned, setting, dim, 1, 1))

    def compute(x1: Array, x2: Array | None, names: Sequence[str]) -> dict[str, Array]:
        kernels = (k.astype(x1.dtype) for k in built(x1.shape[1]).kernel_fn(x1, x2, tuple(names)))
        return {name: (k + k.T) / 2 if x2 is None else k for name, k in zip(names, kernels, strict=True)}

    return compute


def _zeros(x1: Array, x2: Array | None, names: Sequence[str]) -> dict[str, Array]:
    return dict.fromkeys(names, jnp.zeros((x1.shape[0], (x1 if x2 is None else x2).shape[0]), x1.dtype))


def _check_activations(edges: list[_Edge], setting: Setting) -> None:
    found = [setting.activation, *(edge.activation for edge in edges if edge.activation is not None)]
    for activation in found:
        if activation.name not in _LAYERS:
            raise InputError(
                f"neural-tangents has no closed form for the activation {activation.name}, and its quadrature is"
                f" not accurate enough: use method exact, or one of {', '.join(_LAYERS)}"
            )


def _edges(pruned: Network, setting: Setting) -> list[_Edge]:
    """The edges of a network, by end and start."""
    if not isinstance(pruned, Wiring):
        return [_Edge(s, t, op, setting.activation if op is Op.LINEAR else None) for s, t, op in pruned.edges()]
    if not all_known(pruned):
        raise InputError("neural-tangents needs the numbers of a wiring, which are traced here: use method exact")
    linear = zip(
        pruned.activations,
        *(np.asarray(a).tolist() for a in (pruned.weight_scale, pruned.bias_scale, pruned.gain)),
        strict=True,
    )
    skip = iter(np.asarray(pruned.skip_gain).tolist())
    found = []
    for s, t, op in pruned.dag.edges():
        if op is Op.LINEAR:
            sigma, *numbers = next(linear)
            found.append(_Edge(s, t, op, sigma or setting.activation, *numbers))
        else:
            found.append(_Edge(s, t, op, gain=next(skip)))
    return found


def _assemble(pruned: Network, setting: Setting, dim: int, width: int, outputs: int) -> StaxNetwork:
    """Embedding, cell and readout in series; nothing is checked."""
    from nngp_dag.support.neural_tangents_compat import neural_tangents

    stax = neural_tangents.stax
    sigma = _LAYERS[setting.activation.name](stax)
    embedding = [stax.Dense(width, W_std=math.sqrt(dim), b_std=None)]  # neural-tangents divides by the fan-in d
    if setting.embedding == "gaussian":
        embedding.append(_frozen())
    elif setting.embedding == "stem":
        embedding += [sigma, _scale(math.sqrt(setting.activation.normalization))]
    edges = _edges(pruned, setting)
    layers = [_layer(stax, edge, setting, width) for edge in edges]
    wiring = pruned if isinstance(pruned, Wiring) else None
    if wiring and 0 in wiring.layer_norm:
        embedding.append(stax.LayerNorm(axis=-1))
    norms = {t: stax.LayerNorm(axis=-1) for t in wiring.layer_norm if t} if wiring else {}
    weight, bias = (
        (float(wiring.readout_weight_scale), float(wiring.readout_bias_scale) or None) if wiring else (1.0, None)
    )
    readout = stax.Dense(outputs, W_std=weight, b_std=bias)
    cell = _cell(dag_of(pruned).num_nodes, list(zip(edges, layers, strict=True)), norms, stax.FanInSum())
    return StaxNetwork(*stax.serial(*embedding, cell, readout))


def _layer(stax: Any, edge: _Edge, setting: Setting, width: int) -> Layer:
    """The layer of an edge; of a skip edge the factor by which it copies."""
    if edge.op is Op.SKIP:
        return _scale(edge.gain)
    assert edge.activation is not None
    scale, sigma = math.sqrt(edge.activation.normalization), _LAYERS[edge.activation.name](stax)
    bias = edge.bias_scale or None
    if setting.order == "activation-first":
        dense = stax.Dense(width, W_std=scale * edge.weight_scale, b_std=bias)
        return stax.serial(sigma, dense, *([] if edge.gain == 1 else [_scale(edge.gain)]))
    return stax.serial(stax.Dense(width, W_std=edge.weight_scale, b_std=bias), sigma, _scale(scale * edge.gain))


def _cell(num_nodes: int, edges: list[tuple[_Edge, Layer]], norms: dict[int, Layer], fan_in_sum: Layer) -> Layer:
    """The network between embedding and readout as one layer. Its parameters are those of its linear edges, ordered by
    head, then tail.
    """
    apply_sum, kernel_sum = fan_in_sum[1:]

    def fold(start: Any, along: Callable[[_Edge, Layer, Any], Any], add: Callable[[list[Any]], Any], kind: int) -> Any:
        nodes = [start]
        for t in range(1, num_nodes):
            arriving = [along(edge, layer, nodes[edge.s]) for edge, layer in edges if edge.t == t]
            node = add(arriving) if len(arriving) > 1 else arriving[0]
            nodes.append(_applied(norms[t], node, kind) if t in norms else node)
        return nodes[-1]

    def init_fn(key: Array, shape: tuple[int, ...]) -> tuple[tuple[int, ...], list[Any]]:
        inits = [layer[0] for edge, layer in edges if edge.op is Op.LINEAR]
        keys = list(jax.random.split(key, len(inits))) if inits else []
        return shape, [init(k, shape)[1] for k, init in zip(keys, inits, strict=True)]

    def apply_fn(parameters: list[Any], h: Array, **kwargs: Any) -> Array:
        remaining = iter(parameters)

        def along(edge: _Edge, layer: Layer, x: Array) -> Any:
            return layer[1](next(remaining) if edge.op is Op.LINEAR else (), x, **kwargs)

        result: Array = fold(h, along, lambda xs: apply_sum((), xs, **kwargs), 1)
        return result

    def kernel_fn(k: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings():
            # "... assume independent inputs which is not verified": `check` has verified it.
            warnings.filterwarnings("ignore", "`FanIn` layers assume independent inputs", UserWarning)
            return fold(k, lambda _, layer, x: layer[2](x, **kwargs), lambda xs: kernel_sum(xs, **kwargs), 2)

    return init_fn, apply_fn, kernel_fn


def _applied(layer: Layer, x: Any, kind: int) -> Any:
    """A layer without parameters, on features (kind 1) or on a kernel (kind 2)."""
    return layer[1]((), x) if kind == 1 else layer[2](x)


def _scale(factor: float) -> Layer:
    """Multiply features by a constant."""
    return (
        lambda key, shape: (shape, ()),
        lambda parameters, h, **kwargs: factor * h,
        lambda k, **kwargs: k * factor,
    )


def _frozen() -> Layer:
    """Stop gradients: what lies below is not trained, and adds nothing to the NTK."""
    return (
        lambda key, shape: (shape, ()),
        lambda parameters, h, **kwargs: jax.lax.stop_gradient(h),
        lambda k, **kwargs: k.replace(ntk=None if k.ntk is None else jnp.zeros_like(k.ntk)),
    )
