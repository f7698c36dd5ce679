"""The classes of a complete space, kept in a folder: those of six nodes take a minute or more to find."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nngp_dag.dag import num_edges
from nngp_dag.errors import InputError
from nngp_dag.optimization.quotient import Limits, Quotient, quotient
from nngp_dag.reading import Setting
from nngp_dag.support.array_files import open_arrays
from nngp_dag.support.digest import digest
from nngp_dag.support.files import atomic_file
from nngp_dag.support.progress import ProgressBar, no_progress

__all__ = ["kept_quotient"]

_KEPT_FROM = 6
_FIELDS = ("index", "size", "num_linear", "keys")


def kept_quotient(
    num_nodes: int,
    setting: Setting,
    limits: Limits,
    folder: Path | None = None,
    progress: ProgressBar = no_progress,
) -> Quotient:
    """`quotient`, from a file of the folder where an earlier run left one, else computed and left there.

    Raises:
        InputError: as `quotient`, or a file that cannot be written.
    """
    words = f"{num_nodes}, {limits}, {setting.names()}"
    path = None if folder is None or num_nodes < _KEPT_FROM else folder / f"classes-{digest(words)[:16]}.npz"
    if path is not None and path.exists() and (kept := _read(path, num_nodes)) is not None:
        return kept
    total = 3 ** num_edges(num_nodes)
    with progress("Classes of equal kernels", total, "DAGs") as advance:
        found = quotient(num_nodes, setting, limits, advance)
    if path is not None:
        counts = np.array([found.total, found.without_path, found.beyond])
        entries = np.array([entry for value in found.values for entry in value])
        lengths = np.array([len(value) for value in found.values])
        classes = {name: getattr(found, name) for name in _FIELDS}
        with atomic_file(path) as file:
            np.savez(file, counts=counts, entries=entries, lengths=lengths, **classes)
    return found


def _read(path: Path, num_nodes: int) -> Quotient | None:
    """The classes that were kept; None where the file is damaged or incomplete, and its sizes do not add up."""
    try:
        with open_arrays(path, "an .npz of classes") as arrays:
            if not {"counts", "entries", "lengths", *_FIELDS} <= set(arrays.names):
                return None
            counts, entries, lengths = (arrays.read(name) for name in ("counts", "entries", "lengths"))
            classes = {name: arrays.read(name) for name in _FIELDS}
    except InputError:
        return None
    total, without_path, beyond = map(int, counts)
    ends = np.cumsum(lengths).tolist()
    values = tuple(
        tuple(map(tuple, entries[end - length : end].tolist()))
        for end, length in zip(ends, lengths.tolist(), strict=True)
    )
    found = Quotient(num_nodes, total, without_path, values=values, beyond=beyond, **classes)
    return found if int(found.size.sum()) + without_path + beyond == total else None
