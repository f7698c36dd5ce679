"""Rows found again by their checksum: what a certificate about a spectrum speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from nngp_dag.datasets.load import load
from nngp_dag.errors import InputError
from nngp_dag.proofs.recheck import FindRows
from nngp_dag.proofs.spectrum_bounds import Rows

__all__ = ["rows_finder"]

_EMBEDDED = r"digits(:[0-9]{1,12})?"
"""All of a source that is looked up: `digits:x.npy`, say, would be a file."""


def rows_finder(spec: str | None = None, data_dir: str | None = None) -> FindRows:
    """A function that finds rows: in the data of `spec` where it is given, else in those digits that a certificate
    names as its source. Never read, of a source that a file names, is anything else: no path, no download.
    """
    found: dict[Rows, np.ndarray | None] = {}  # the certificates of a report speak of the same rows many times

    def find(rows: Rows) -> np.ndarray | None:
        if rows not in found:
            found[rows] = next((x for x in _candidates(rows, spec, data_dir) if rows.are(x)), None)
        return found[rows]

    return find


def _candidates(rows: Rows, spec: str | None, data_dir: str | None) -> Iterator[np.ndarray]:
    """Rows as they are, and divided by their norms in floats; of a named data set also its first N in random order, of
    a file its first N.
    """
    specs = [] if spec is None else [spec, f"{spec}:{rows.shape[0]}"]
    if re.fullmatch(_EMBEDDED, rows.source):
        specs.append(rows.source)
    for name in specs:
        for raw in (True, False):
            try:
                x = load(name, raw=raw, data_dir=data_dir, labels=False).x
            except InputError:
                if name == spec:
                    raise
                break  # a source or a number of rows that this data has not
            yield x
            yield x[: rows.shape[0]]
