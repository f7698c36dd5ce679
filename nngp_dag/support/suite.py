"""The package `verify`, whose name other projects use too: ours lies beside `nngp_dag`, and no other is imported."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from nngp_dag.errors import InputError

__all__ = ["check_suite"]


def check_suite() -> None:
    """Make sure that `import verify` finds the claims of nngp_dag, without importing what else it might find.

    A file verify.py in the folder of `python -m nngp_dag` or `python -m pytest`, in PYTHONPATH or beside a test hides
    the package that is installed.

    Raises:
        InputError: another module is called so, or none is; the message names its file.
    """
    found, ours = _place("verify"), Path(__file__).resolve().parents[2] / "verify"
    if found is None:
        raise InputError(f"the package verify, the claims of nngp-dag, is not at {ours}: install nngp-dag again")
    if ours not in (found, found.parent):
        raise InputError(
            f"{found} hides nngp-dag's package of the same name: start elsewhere, rename it or take it off the path"
        )


def _place(name: str) -> Path | None:
    """The file or folder of the module that `import name` would give."""
    module = sys.modules.get(name)
    if module is not None:  # imported by someone: find_spec would want the module's own word
        origin, folders = getattr(module, "__file__", None), list(getattr(module, "__path__", []))
    else:
        spec = importlib.util.find_spec(name)
        if spec is None:
            return None
        origin, folders = spec.origin, list(spec.submodule_search_locations or [])
    place = origin or next(iter(folders), None)  # a folder without __init__.py has no origin
    return Path(place or f"<{name}>").resolve()
