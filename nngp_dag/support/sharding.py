"""Devices in a row, of one process or of several, and what lies on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from nngp_dag.errors import InputError
from nngp_dag.support.known import is_known

__all__ = ["AXIS", "device_mesh", "on_all_devices", "shard_map", "some_devices"]

AXIS = "devices"
"""The one axis of a mesh: tiles, rows or DAGs are dealt out along it."""

_Tree = TypeVar("_Tree")


def device_mesh(devices: Sequence[jax.Device]) -> Mesh:
    """Devices along one axis, which deals out tiles, rows or DAGs.

    Raises:
        InputError: none.
    """
    return Mesh(np.array(some_devices(devices)), (AXIS,))


def some_devices(devices: Sequence[jax.Device]) -> Sequence[jax.Device]:
    """The devices themselves; InputError where there are none."""
    if not devices:
        raise InputError("at least one device is needed")
    return devices


def on_all_devices(tree: _Tree, mesh: Mesh) -> _Tree:
    """A pytree of arrays, each whole on every device; several processes hand in the same values."""
    everywhere = NamedSharding(mesh, PartitionSpec())

    def placed(a: object) -> object:
        if isinstance(a, jax.Array) and is_known(a):
            if a.sharding == everywhere:
                return a
            if mesh.is_multi_process:  # an array on a device of one process goes by way of its values
                a = np.asarray(a)
        return jax.device_put(a, everywhere)

    found: _Tree = jax.tree.map(placed, tree)
    return found


def shard_map(function, mesh, in_specs, out_specs):  # type: ignore[no-untyped-def]
    """`jax.shard_map`, by its name on every supported JAX; what is replicated is not checked."""
    if hasattr(jax, "shard_map"):
        return jax.shard_map(function, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_vma=False)
    from jax.experimental.shard_map import shard_map as before_jax_0_8

    return before_jax_0_8(function, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_rep=False)
