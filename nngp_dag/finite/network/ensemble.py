"""Many networks as one program: members (a DAG and a seed each) vmapped, compiled once, split over the devices.

A member's weights depend on its seed and the spec alone, so an ensemble of one reproduces any member of a larger one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from nngp_dag.errors import InputError
from nngp_dag.finite.network.module import DagNetwork
from nngp_dag.finite.network.spec import NetworkSpec
from nngp_dag.kernel.network import Network

__all__ = ["Ensemble", "Member", "check_seeds", "drawing_program", "initialize", "member_sharding", "rebuild"]

_QUICK_TO_COMPILE = {"xla_backend_optimization_level": 2}
"""Random numbers: on a CPU the default level takes three times as long to compile and is no faster afterwards."""


class Member(NamedTuple):
    """The state of one network, or of many with a leading member axis: trained parameters, and all other variables."""

    params: Any
    rest: Any


def initialize(spec: NetworkSpec, wiring: Array, key: Array) -> Member:
    """The state of the network of a matrix [`spec.wiring_shape`], with weights drawn by `key`: traceable."""
    model = DagNetwork(spec, wiring, rngs=nnx.Rngs(params=key))
    parts: Any = nnx.split(model, nnx.Param, ...)
    _, params, rest = parts
    return Member(params, rest)


def rebuild(spec: NetworkSpec, member: Member) -> DagNetwork:
    """The module with the state of one member; works under jit, vmap and grad."""
    # Variables belong to the trace that made them, and merging keeps them: new ones, so that averages may change.
    return nnx.merge(_graphdef(spec), *jax.tree.map(lambda leaf: leaf, member))


def _graphdef(spec: NetworkSpec) -> Any:
    model = nnx.eval_shape(lambda: DagNetwork(spec, jnp.zeros(spec.wiring_shape, spec.dtype), rngs=nnx.Rngs(0)))
    return nnx.split(model, nnx.Param, ...)[0]


def member_sharding(devices: Sequence[jax.Device] | None = None) -> NamedSharding:
    """A sharding that splits a leading member axis over the given devices (by default all)."""
    return NamedSharding(
        Mesh(np.array(jax.devices() if devices is None else list(devices)), ("member",)), PartitionSpec("member")
    )


def check_seeds(*seeds: int) -> None:
    """InputError for a seed that is no unsigned integer of 32 bits."""
    for seed in seeds:
        if not 0 <= seed < 2**32:
            raise InputError(f"seeds are integers from 0 to 2^32 - 1, got {seed}")


@cache
def drawing_program(spec: NetworkSpec, sharding: NamedSharding) -> Callable[[Array, Array], Member]:
    """A compiled program: matrices [B, *`spec.wiring_shape`] and keys [B] to B networks as one `Member`, sharded.

    Cached, so that ensembles that differ in seeds and DAGs alone share one compilation. What uses the weights is
    better another program: within one, XLA draws them again for every product that they enter.
    """
    draw = jax.vmap(lambda wiring, key: initialize(spec, wiring, key))
    return jax.jit(draw, out_shardings=sharding, compiler_options=_QUICK_TO_COMPILE)


class Ensemble:
    """The networks of every DAG and every seed, as one vmapped program.

    Members are ordered by DAG, then by seed; where their number is no multiple of the number of devices, copies of
    the last member fill up and are cut off again from every result.

    Args:
        spec: made for all the DAGs (`NetworkSpec.make(dags, ...)`).
        dags: the D DAGs, or wirings.
        seeds: the S seeds, non-negative integers below 2^32.
        devices: devices to split the members over, by default all of JAX's.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        dags: Sequence[Network],
        seeds: Sequence[int],
        devices: Sequence[jax.Device] | None = None,
    ) -> None:
        if not dags or not seeds:
            raise InputError("an ensemble needs at least one DAG and one seed")
        check_seeds(*seeds)
        self.spec, self.dags, self.seeds = spec, tuple(dags), tuple(seeds)
        devices = jax.devices() if devices is None else list(devices)
        devices = devices[: len(self)]
        self.sharding = member_sharding(devices)
        padding = -len(self) % len(devices)
        wirings = np.repeat([spec.wiring(dag) for dag in dags], len(seeds), axis=0)
        all_seeds = np.tile(np.asarray(seeds, np.uint32), len(dags))
        self.wirings = np.concatenate([wirings, np.repeat(wirings[-1:], padding, axis=0)]).astype(spec.dtype)
        self.member_seeds = np.concatenate([all_seeds, np.repeat(all_seeds[-1:], padding)])

    def __len__(self) -> int:
        return len(self.dags) * len(self.seeds)

    def init(self) -> Member:
        """The state of all members at initialisation, sharded over the member axis."""
        wirings, seeds = jax.device_put((self.wirings, self.member_seeds), self.sharding)
        return drawing_program(self.spec, self.sharding)(wirings, _keys(seeds))

    def apply(self, state: Member, x: Array) -> Array:
        """Outputs [D, S, N, outputs] of all members for the same rows x [N, d]."""
        return self.unpack(_apply(self.spec, state, jnp.asarray(x, self.spec.dtype)))

    def unpack(self, values: Array) -> Array:
        """[padded members, ...] -> [D, S, ...]."""
        return values[: len(self)].reshape(len(self.dags), len(self.seeds), *values.shape[1:])


@jax.jit
def _keys(seeds: Array) -> Array:
    return jax.vmap(jax.random.key)(seeds)


@partial(jax.jit, static_argnums=0)
def _apply(spec: NetworkSpec, state: Member, x: Array) -> Array:
    return jax.vmap(lambda member: rebuild(spec, member)(x))(state)
