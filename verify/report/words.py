"""Values of evidence in words, for pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["number", "sentence"]


def number(value: Any, digits: int = 5) -> str:
    """A table cell: floats with up to so many significant digits, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def sentence(value: Any, digits: int = 5) -> str:
    """A mapping in words: `code: 1_11, margin: 2`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {number(item, digits)}" for key, item in value.items())
    return str(value)
