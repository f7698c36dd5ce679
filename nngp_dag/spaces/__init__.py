"""Architecture spaces: their notations, their cells as DAGs, their exact sizes and path statistics.

`get("nasbench201")` returns a `Space`; `names()` lists them. Adding a space is one module and one line in `SPACES`.
"""

from __future__ import annotations

import importlib
from functools import cache

from nngp_dag.errors import InputError
from nngp_dag.spaces.base import Space
from nngp_dag.spaces.shape import Box, PathTotals, ShapeTable, exact

__all__ = ["SPACES", "Box", "PathTotals", "ShapeTable", "Space", "exact", "get", "names"]

SPACES = {
    "nasbench201": "nasbench201:NasBench201",
}
"""Name on the command line -> module in this folder and the class (or callable without arguments) that makes the space."""


def names() -> list[str]:
    """The names of all spaces."""
    return list(SPACES)


@cache
def get(name: str) -> Space:
    """The space of a name; InputError lists the names."""
    if name not in SPACES:
        raise InputError(f"unknown space {name!r}: accepted are {', '.join(SPACES)}")
    module, factory = SPACES[name].split(":")
    space: Space = getattr(importlib.import_module(f"nngp_dag.spaces.{module}"), factory)()
    return space
