"""What Flax changed between the oldest and the newest supported version: a list of submodules."""

from __future__ import annotations

from typing import Any

from flax import nnx

__all__ = ["ModuleList"]

# Before 0.12 Flax has no `nnx.List`: plain lists in a module hold submodules, which later versions refuse.
ModuleList: Any = getattr(nnx, "List", list)
"""A list of submodules: `nnx.List` where Flax has it, else `list`."""
