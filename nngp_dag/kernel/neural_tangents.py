"""The method *neural-tangents*: the network of a DAG out of neural-tangents' layers, its kernels node by node.

An independent route to *exact* where neural-tangents can express the DAG, and a finite-width network besides. Its
`FanInSum` adds the kernels of the branches that meet at a node: right for uncorrelated mean-zero Gaussian ones only.

- A branch is not Gaussian where an activation ends it (activation-last; a stem). `FanInSum` refuses to add it to
  another, so with activation-last what remains are DAGs whose pruned form is a chain.
- Two branches are correlated exactly if both are skip edges and some node reaches both of their tails by skip edges
  alone (a tail counts as reaching itself): K_st > 0 on the diagonal there, and K_st = 0 otherwise, as every linear edge
  has weights of its own. `FanInSum` would silently take them as independent.

`check` finds both, names the node, and nothing is built where it objects.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError

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


def check(dag: Dag, setting: Setting) -> None:
    """Return if neural-tangents computes this DAG rightly; nodes in the message are those of `dag` as given.

    Raises:
        InputError: no path from input to output, a node that adds non-Gaussian or correlated branches, an activation of
            which neural-tangents has no closed form; the message names the node and says what to use instead.
    """
    _check_activation(setting)
    name = np.flatnonzero(dag.reachable()).tolist()
    if not name:
        raise InputError(f"neural-tangents cannot build {dag.to_code()}: no path leads from the input to the output")
    keeps_gaussian = setting.activation.name == "identity"
    gaussian = [setting.embedding != "stem" or keeps_gaussian]
    carried = [{0}]  # nodes that reach this one by skip edges alone, and itself
    for t, branches in enumerate(_branches(dag.pruned()), start=1):
        branch_gaussian = []
        for s, op in branches:
            if op is Op.LINEAR and setting.order == "activation-first" and not gaussian[s]:
                raise InputError(
                    f"neural-tangents cannot build {dag.to_code()}: the features of node {name[s]} are not Gaussian, as"
                    f" the activation of edge ({name[s]}, {name[t]}) needs them; use order activation-last"
                )
            after = setting.order == "activation-first" or keeps_gaussian
            branch_gaussian.append(after if op is Op.LINEAR else gaussian[s])
            if len(branches) > 1 and not branch_gaussian[-1]:
                raise InputError(
                    f"neural-tangents cannot build {dag.to_code()}: node {name[t]} adds the {op.name.lower()} branch"
                    f" from node {name[s]} to another, and it is not mean-zero Gaussian, as FanInSum needs it;"
                    " use order activation-first, or method exact"
                )
        skips = [s for s, op in branches if op is Op.SKIP]
        for i, s in enumerate(skips):
            for r in skips[:i]:
                if common := carried[r] & carried[s]:
                    raise InputError(
                        f"neural-tangents would compute {dag.to_code()} wrongly: the skip branches from nodes {name[r]}"
                        f" and {name[s]} into node {name[t]} are correlated (both carry node {name[max(common)]}), and"
                        " FanInSum takes them as independent; use method exact"
                    )
        gaussian.append(all(branch_gaussian))
        carried.append({t}.union(*(carried[s] for s in skips)))


def build(dag: Dag, setting: Setting, dim: int, width: int = 1024, outputs: int = 1) -> StaxNetwork:
    """The network of a DAG out of neural-tangents' layers.

    Args:
        dag: any DAG; what is built is its pruned form.
        setting: order, embedding and activation (the method is not looked at).
        dim: d, the length of an input row.
        width: number of features m of every node, for `init_fn` and `apply_fn`; the kernels are those of m -> infinity.
        outputs: number of output units, each with readout weights of its own.

    Returns:
        The triple `StaxNetwork`. Kernels are not divided by d; the NTK counts all weights, the embedding's only if it
        is trained (with embedding "gaussian" no gradient reaches G, at finite width too).

    Raises:
        InputError: neural-tangents cannot express the network, or would compute it wrongly (`check`); sizes below one.
    """
    if min(dim, width, outputs) < 1:
        raise InputError(f"dim, width and outputs must be at least 1, got {dim}, {width} and {outputs}")
    check(dag, setting)
    return _assemble(dag.pruned(), setting, dim, width, outputs)


def make_kernel_fn(dag: Dag, setting: Setting) -> Callable[[Array, Array | None, Sequence[str]], dict[str, Array]]:
    """`compute(x1, x2, names)`: the kernels asked for ("nngp", "ntk") of rows x1 [N, d] against x2 [M, d] (None: x1).

    A dictionary of arrays [N, M] of the dtype of x1, exactly symmetric where x2 is None; zeros where there is no path.

    Raises:
        InputError: as `check`, at once, but a DAG without a path is served.
    """
    pruned = dag.pruned()
    if pruned.num_nodes == 2 and not any(pruned.ops):
        _check_activation(setting)
        return _zeros
    check(dag, setting)
    network = lru_cache(maxsize=8)(lambda dim: _assemble(pruned, setting, dim, 1, 1))

    def compute(x1: Array, x2: Array | None, names: Sequence[str]) -> dict[str, Array]:
        kernels = (k.astype(x1.dtype) for k in network(x1.shape[1]).kernel_fn(x1, x2, tuple(names)))
        return {name: (k + k.T) / 2 if x2 is None else k for name, k in zip(names, kernels, strict=True)}

    return compute


def _zeros(x1: Array, x2: Array | None, names: Sequence[str]) -> dict[str, Array]:
    return dict.fromkeys(names, jnp.zeros((x1.shape[0], (x1 if x2 is None else x2).shape[0]), x1.dtype))


def _check_activation(setting: Setting) -> None:
    if setting.activation.name not in _LAYERS:
        raise InputError(
            f"neural-tangents has no closed form for the activation {setting.activation.name}, and its quadrature is"
            f" not accurate enough: use method exact, or one of {', '.join(_LAYERS)}"
        )


def _branches(pruned: Dag) -> list[list[tuple[int, Op]]]:
    """For each node t >= 1 its incoming edges (s, op)."""
    branches: list[list[tuple[int, Op]]] = [[] for _ in range(pruned.num_nodes - 1)]
    for s, t, op in pruned.edges():
        branches[t - 1].append((s, op))
    return branches


def _assemble(pruned: Dag, setting: Setting, dim: int, width: int, outputs: int) -> StaxNetwork:
    """Embedding, cell and readout in series; nothing is checked."""
    from nngp_dag.support.neural_tangents_compat import neural_tangents

    stax = neural_tangents.stax
    scale = math.sqrt(setting.activation.normalization)
    sigma = _LAYERS[setting.activation.name](stax)
    if setting.order == "activation-first":
        linear = stax.serial(sigma, stax.Dense(width, W_std=scale, b_std=None))
    else:
        linear = stax.serial(stax.Dense(width, W_std=1.0, b_std=None), sigma, _scale(scale))
    embedding = [stax.Dense(width, W_std=math.sqrt(dim), b_std=None)]  # neural-tangents divides by the fan-in d
    if setting.embedding == "gaussian":
        embedding.append(_frozen())
    elif setting.embedding == "stem":
        embedding += [sigma, _scale(scale)]
    readout = stax.Dense(outputs, W_std=1.0, b_std=None)
    return StaxNetwork(*stax.serial(*embedding, _cell(_branches(pruned), linear, stax.FanInSum()), readout))


def _cell(branches: list[list[tuple[int, Op]]], linear: Layer, fan_in_sum: Layer) -> Layer:
    """The DAG as one layer. Its parameters are those of its linear edges, ordered by head, then tail."""
    init_linear, apply_linear, kernel_linear = linear
    apply_sum, kernel_sum = fan_in_sum[1:]

    def fold(start: Any, along_linear: Callable[[Any], Any], add: Callable[[list[Any]], Any]) -> Any:
        nodes = [start]
        for incoming in branches:
            arriving = [along_linear(nodes[s]) if op is Op.LINEAR else nodes[s] for s, op in incoming]
            nodes.append(add(arriving) if len(arriving) > 1 else arriving[0])
        return nodes[-1]

    def init_fn(key: Array, shape: tuple[int, ...]) -> tuple[tuple[int, ...], list[Any]]:
        count = sum(op is Op.LINEAR for incoming in branches for _, op in incoming)
        return shape, [init_linear(k, shape)[1] for k in jax.random.split(key, count)] if count else []

    def apply_fn(parameters: list[Any], h: Array, **kwargs: Any) -> Array:
        remaining = iter(parameters)
        result: Array = fold(
            h, lambda x: apply_linear(next(remaining), x, **kwargs), lambda xs: apply_sum((), xs, **kwargs)
        )
        return result

    def kernel_fn(k: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings():
            # "... assume independent inputs which is not verified": `check` has verified it.
            warnings.filterwarnings("ignore", "`FanIn` layers assume independent inputs", UserWarning)
            return fold(k, lambda x: kernel_linear(x, **kwargs), lambda xs: kernel_sum(xs, **kwargs))

    return init_fn, apply_fn, kernel_fn


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
