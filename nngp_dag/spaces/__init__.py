"""Architecture spaces: their notations, their cells as DAGs, their exact sizes and path statistics.

`get("nasbench201")` returns a `Space`; `names()` lists them. Adding a space is one module and one line in `SPACES`.
"""

from __future__ import annotations

import importlib
from functools import cache

from nngp_dag.errors import unknown
from nngp_dag.spaces.base import Space
from nngp_dag.spaces.shape import Box, PathTotals, ShapeTable, exact

__all__ = ["SPACES", "Box", "PathTotals", "ShapeTable", "Space", "exact", "get", "names"]

SPACES = {
    "nasbench201": "nasbench201:NasBench201",
    "darts": "genotype_spaces:darts",
    "nds-darts": "genotype_spaces:nds_darts",
    "nasnet": "genotype_spaces:nasnet",
    "amoeba": "genotype_spaces:amoeba",
    "pnas": "genotype_spaces:pnas",
    "enas": "genotype_spaces:enas",
    "nds": "genotype_spaces:NdsUnion",
    "nasbench101": "nasbench101:NasBench101",
    "complete-3": "complete:complete_3",
    "complete-4": "complete:complete_4",
    "complete-5": "complete:complete_5",
    "complete-6": "complete:complete_6",
}
"""Name on the command line -> module in this folder, and the class or function without arguments that makes the
space.
"""


def names() -> list[str]:
    """The names of all spaces."""
    return list(SPACES)


@cache
def get(name: str) -> Space:
    """The space of a name, or of `codes:FILE`, a file with a code string per line; InputError lists the names."""
    if name.startswith("codes:"):
        from nngp_dag.spaces.listed import ListedSpace

        return ListedSpace.from_file(name.removeprefix("codes:"))
    if name not in SPACES:
        raise unknown("space", name, f"{', '.join(SPACES)}, and codes:FILE")
    module, factory = SPACES[name].split(":")
    space: Space = getattr(importlib.import_module(f"nngp_dag.spaces.{module}"), factory)()
    return space
