"""Threads of BLAS and LAPACK."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import Any

__all__ = ["one_blas_thread"]


def one_blas_thread() -> contextlib.AbstractContextManager[object]:
    """BLAS threads of small problems wait for each other far longer than they work, above all on a busy machine."""
    return _blas().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _blas() -> Any:
    import scipy.linalg  # noqa: F401 (its BLAS must be loaded before the controller looks for libraries)
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
