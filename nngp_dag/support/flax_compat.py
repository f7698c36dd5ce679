"""A change of Flax between the oldest and the newest supported version: a list of submodules."""

from __future__ import annotations

from typing import Any

from flax import nnx

__all__ = ["ModuleList"]

ModuleList: Any = getattr(nnx, "List", list)
"""A list of submodules: `nnx.List`; before 0.12 Flax takes plain lists, which later versions refuse."""
