"""float64 for a while, and evaluation at once, on every supported JAX and also from inside a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import jax

__all__ = ["compile_time_float64", "enable_x64"]


def enable_x64(enabled: bool) -> AbstractContextManager[object]:
    """Within it, JAX has 64-bit types or has them not, whatever the global setting."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(enabled)
    from jax.experimental import enable_x64 as before_jax_0_8  # type: ignore[attr-defined]

    return before_jax_0_8(enabled)


@contextmanager
def compile_time_float64() -> Iterator[None]:
    """Within it, JAX operations on concrete arrays run immediately, with float64 enabled."""
    with jax.ensure_compile_time_eval(), enable_x64(True):
        yield
