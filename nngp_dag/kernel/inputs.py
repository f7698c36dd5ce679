"""Checks of what the kernel functions are given, and the precision that it asks for."""

from __future__ import annotations

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError, accepted_text
from nngp_dag.support.x64 import enable_x64

__all__ = ["checked_names", "checked_rows", "input_precision"]


def checked_names(get: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The names that `get` stands for, checked."""
    names = ("nngp", "ntk") if get is None else (get,) if isinstance(get, str) else tuple(get)
    if not names or not set(names) <= {"nngp", "ntk"} or len(set(names)) < len(names):
        raise InputError(accepted_text(f"get={get!r} is not known", "'nngp', 'ntk', a tuple of them, or None for both"))
    return names


def input_precision(*arrays: object) -> contextlib.AbstractContextManager[object]:
    """float64 where a NumPy or JAX float64 array comes in, whatever the global setting."""
    if not any(getattr(a, "dtype", None) == np.float64 for a in arrays):
        return contextlib.nullcontext()
    return enable_x64(True)


def checked_rows(name: str, x: ArrayLike) -> Array:
    """Rows [N, d] as a JAX array of floats: finite and not so small that their products underflow (where that
    is known), and not empty; else InputError with `name`.
    """
    try:
        rows = x if isinstance(x, jax.Array) else jnp.asarray(np.asarray(x))
    except (TypeError, ValueError):
        raise InputError(f"{name} must be an array of numbers [N, d], got {type(x).__name__}") from None
    if rows.ndim != 2 or 0 in rows.shape:
        raise InputError(f"{name} must be [N, d] with at least one row and column, got shape {rows.shape}")
    if not jnp.issubdtype(rows.dtype, jnp.floating):
        if not jnp.issubdtype(rows.dtype, jnp.integer):
            raise InputError(f"{name} must hold real numbers, got dtype {rows.dtype}")
        rows = rows.astype(float)
    if not isinstance(rows, jax.core.Tracer) and not bool(jnp.isfinite(rows).all()):
        raise InputError(f"{name} holds NaN or infinite values")
    _refuse_underflow(name, rows)
    return rows


def _refuse_underflow(name: str, rows: Array) -> None:
    """Refuse (InputError) a row that is not zero, but whose squared norm the dtype cannot hold to full precision."""
    if isinstance(rows, jax.core.Tracer):
        return
    # In NumPy: XLA takes subnormal entries for zeros.
    largest = np.abs(np.asarray(rows)).max(axis=1)
    limits = jnp.finfo(rows.dtype)
    small = (largest > 0) & (largest < np.sqrt(float(limits.tiny) / float(limits.eps)))
    if small.any():
        row = int(np.argmax(small))
        raise InputError(
            f"the squared norm of row {row} of {name} underflows {rows.dtype} (its largest entry is"
            f" {float(largest[row]):.2g}): scale the rows up"
        )
