"""The option --devices: how many of JAX's devices share the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from nngp_dag.cli.common import counts
from nngp_dag.errors import InputError

if TYPE_CHECKING:
    import jax

_F = TypeVar("_F", bound=Callable[..., object])

__all__ = ["chosen_devices", "devices_option"]


def _prepare(context: click.Context, parameter: click.Parameter, value: int | None) -> int | None:
    """Processors are split before JAX starts to compute; of accelerators there are as many as there are."""
    if value is not None:
        import jax

        try:
            jax.config.update("jax_num_cpu_devices", value)
        except RuntimeError:
            chosen_devices(value)
    return value


def chosen_devices(number: int | None) -> list[jax.Device] | None:
    """The first devices of JAX, None for None; InputError where there are fewer."""
    import jax

    if number is None:
        return None
    if len(jax.devices()) < number:
        raise InputError(f"JAX has {len(jax.devices())} devices, not {number}")
    return jax.devices()[:number]


def devices_option(words: str) -> Callable[[_F], _F]:
    """Add --devices, with what it says of itself."""
    return click.option("--devices", type=counts(1), is_eager=True, callback=_prepare, help=words)
