"""Strict JSON: undefined numbers are null, never NaN or Infinity, and counts are exact integers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

__all__ = ["Json", "strict_json", "strict_json_text"]

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""Plain data of a JSON document."""


def strict_json(value: object) -> Json:
    """Plain data of `value`: NumPy types and fractions made plain, NaN and infinity null, counts exact integers.

    Raises:
        TypeError: something in it has no form in JSON.
    """
    if isinstance(value, Mapping):
        return {str(key): strict_json(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return strict_json(value.tolist())
    if isinstance(value, (list, tuple)):
        return [strict_json(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating, Fraction)):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"{type(value).__name__} has no form in JSON: {value!r}")


def strict_json_text(value: object, indent: int | None = None) -> str:
    """The text of `strict_json(value)`, on one line or indented; no newline at its end."""
    return json.dumps(strict_json(value), allow_nan=False, indent=indent)
