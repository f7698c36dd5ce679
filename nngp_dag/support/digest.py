"""A hash of texts and arrays, by which computations are told apart across runs."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["digest"]


def digest(*parts: str | np.ndarray) -> str:
    """The SHA-256 of texts, and of arrays with their shapes and dtypes, in hexadecimal digits."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            found.update(str(("text", len(part))).encode() + part.encode())
        else:
            found.update(str((part.shape, part.dtype.str)).encode() + np.ascontiguousarray(part).tobytes())
    return found.hexdigest()
