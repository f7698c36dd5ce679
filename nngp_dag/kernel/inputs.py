"""Checks of what the kernel functions are given, and the precision that it asks for.

Arrays of float64 and float32 are computed in their own precision. What has no floating type of its own is float64, as
it is to NumPy (lists, integers), and a Python number beside arrays follows them. An array of JAX, traced or not, is of
the type that JAX gave it: with x64 mode off, `jit`, `grad` and `vmap` have made float32 of NumPy's float64 before a
kernel function is called, and nothing here can tell.
"""

from __future__ import annotations

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError, accepted_text
from nngp_dag.support.freed_memory import keep_freed_memory
from nngp_dag.support.known import is_known
from nngp_dag.support.x64 import enable_x64

__all__ = ["checked_names", "checked_pair", "checked_rows", "float_dtype", "input_precision"]

_ACCEPTED = "float64 and float32"


def checked_names(get: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The names that `get` stands for, checked."""
    names = ("nngp", "ntk") if get is None else (get,) if isinstance(get, str) else tuple(get)
    if not names or not set(names) <= {"nngp", "ntk"} or len(set(names)) < len(names):
        raise InputError(
            accepted_text(f"get={get!r} is not known", "'nngp', 'ntk', a tuple of them, None for both, or 'nodes'")
        )
    return names


def input_precision(*arrays: object) -> contextlib.AbstractContextManager[object]:
    """Where kernels are computed: 64-bit types if what comes in is float64 by the rules of this module, whatever the
    global setting, and freed memory that stays with the process.
    """
    keep_freed_memory()
    return enable_x64(True) if any(_precision_of(a) == np.float64 for a in arrays) else contextlib.nullcontext()


def float_dtype(**arrays: ArrayLike) -> np.dtype:
    """The floating type in which to compute with these arrays: float64 if one is or none has a type, else float32.

    Raises:
        InputError: an array of another type, by its name.
    """
    found = {name: _precision_of(array) for name, array in arrays.items()}
    dtypes = [_accepted_dtype(name, dtype) for name, dtype in found.items() if dtype is not None]
    return max(dtypes or [np.dtype(np.float64)], key=lambda dtype: dtype.itemsize)


def checked_rows(name: str, x: ArrayLike) -> Array:
    """Rows [N, d] as a JAX array of float64 or float32: finite and not so small that their products underflow (where
    that is known), and not empty; else InputError with `name`.
    """
    dtype = _precision_of(x)
    if dtype is None:
        raise InputError(f"{name} must be an array of numbers [N, d], got {type(x).__name__}")
    values = x if isinstance(x, jax.Array) else np.asarray(x, dtype)
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(f"{name} must be [N, d] with at least one row and column, got shape {values.shape}")
    rows = jnp.asarray(values, _accepted_dtype(name, dtype))
    if is_known(rows) and not bool(jnp.isfinite(rows).all()):
        raise InputError(f"{name} holds NaN or infinite values")
    _refuse_underflow(name, rows)
    return rows


def checked_pair(x1: ArrayLike, x2: ArrayLike | None) -> tuple[Array, Array | None]:
    """Rows x1 and x2 (or None) by `checked_rows`, of one length and dtype; else InputError."""
    a = checked_rows("x1", x1)
    b = None if x2 is None else checked_rows("x2", x2)
    if b is not None and (b.shape[1] != a.shape[1] or b.dtype != a.dtype):
        raise InputError(
            f"x1 and x2 must have rows of one length and dtype, got {a.shape} {a.dtype} and {b.shape} {b.dtype}"
            + _lost_precision(a, b)
        )
    return a, b


def _precision_of(array: object) -> np.dtype | None:
    """The type to compute in, accepted or not; None for Python numbers and what is no array."""
    if isinstance(array, jax.Array):
        return np.dtype(jnp.result_type(float)) if jnp.issubdtype(array.dtype, jnp.integer) else np.dtype(array.dtype)
    if array is None or isinstance(array, (int, float)):
        return None
    try:
        dtype = np.asarray(array).dtype.newbyteorder("=")
    except (TypeError, ValueError):
        return None
    return np.dtype(np.float64) if dtype.kind in "iu" else dtype


def _accepted_dtype(name: str, dtype: np.dtype) -> np.dtype:
    if dtype in (np.float64, np.float32):
        return dtype
    if jnp.issubdtype(dtype, jnp.floating):
        raise InputError(accepted_text(f"{name} is of {dtype}, in which kernels are not computed", _ACCEPTED))
    raise InputError(f"{name} must hold real numbers, got dtype {dtype}")


def _refuse_underflow(name: str, rows: Array) -> None:
    """Refuse (InputError) a row that is not zero, but whose squared norm the dtype cannot hold to full precision."""
    if not is_known(rows):
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


def _lost_precision(a: Array, b: Array) -> str:
    """A remark where a traced argument is float32, for JAX may have made it so, and empty elsewhere."""
    traced = any(not is_known(rows) and rows.dtype == np.float32 for rows in (a, b))
    return ": jit, grad and vmap make float32 of float64 unless JAX's x64 mode is on" if traced else ""
