"""Evaluate JAX functions at once and in float64, whatever the global setting, also from inside a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax

__all__ = ["compile_time_float64"]


@contextmanager
def compile_time_float64() -> Iterator[None]:
    """Within it, JAX operations on concrete arrays run immediately, with float64 enabled."""
    if hasattr(jax, "enable_x64"):
        enabled = jax.enable_x64(True)
    else:  # JAX before 0.8
        from jax.experimental import enable_x64  # type: ignore[attr-defined]

        enabled = enable_x64(True)
    with jax.ensure_compile_time_eval(), enabled:
        yield
