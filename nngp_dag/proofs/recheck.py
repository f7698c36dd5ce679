"""Checking certificates again, alone: every number is evaluated anew, and the words are made from the data."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias, TypedDict

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.proofs import spectrum_bounds
from nngp_dag.proofs.certificate import Statement, certificate_id, read_certificate
from nngp_dag.proofs.prove import Checked

__all__ = ["FindRows", "Recheck", "read_statement", "recheck", "recheck_all"]

FindRows: TypeAlias = Callable[[spectrum_bounds.Rows], np.ndarray | None]
"""The rows that a checksum names, or None where they are not at hand."""


def _no_rows(_: spectrum_bounds.Rows) -> None:
    return None


class Recheck(TypedDict):
    """The outcome of checking a certificate again.

    `id` and `statement` are made from its data; `boxes` were evaluated, `margin` is the smallest bound of an
    inequality; `reason` says why it is not proved, and is empty where it is.
    """

    id: str
    statement: str
    proved: bool
    reason: str
    boxes: int
    margin: float | None
    seconds: float


def recheck(certificate: object, find_rows: FindRows = _no_rows) -> Recheck:
    """Check a certificate anew; one about a spectrum needs its rows, which `find_rows` has to find.

    Raises:
        InputError: data that is no certificate.
    """
    start = time.perf_counter()
    name, words, check = _read(certificate, find_rows)
    assert isinstance(certificate, dict)
    if certificate.get("id", name) != name:
        checked = Checked(f"its id {str(certificate['id'])[:40]!r} is that of another statement", 0)
    else:
        checked = check()
    return {
        "id": name,
        "statement": words,
        "proved": not checked.reason,
        "reason": checked.reason,
        "boxes": checked.boxes,
        "margin": checked.margin,
        "seconds": round(time.perf_counter() - start, 4),
    }


def read_statement(certificate: object) -> Statement | spectrum_bounds.SpectrumBounds:
    """The statement of a certificate of either schema.

    Raises:
        InputError: data that is no certificate.
    """
    if _is_spectrum(certificate):
        return spectrum_bounds.read_spectrum(certificate)[0]
    return read_certificate(certificate)[0]


def _is_spectrum(certificate: object) -> bool:
    return isinstance(certificate, dict) and certificate.get("schema") == spectrum_bounds.SCHEMA


def _read(certificate: object, find_rows: FindRows) -> tuple[str, str, Callable[[], Checked]]:
    """The id and the words of a certificate of either schema, made from its data, and how to check it."""
    if _is_spectrum(certificate):
        bounds, vectors, bits = spectrum_bounds.read_spectrum(certificate)

        def check_bounds() -> Checked:
            x = find_rows(bounds.rows)
            if x is None:
                n, d = bounds.rows.shape
                return Checked(f"its rows, {n} of length {d} of sha256 {bounds.rows.sha256[:12]}, are not at hand", 0)
            try:
                matrix = bounds.enclosure(x, bits)
            except InputError as error:  # a DAG without a path, say, or balls that are too wide at this precision
                return Checked(str(error), 0)
            return Checked(bounds.why_not_proved(matrix, vectors), 1)

        return bounds.id, bounds.words, check_bounds
    statement, witness = read_certificate(certificate)

    def check() -> Checked:
        return statement.check(witness.numbers, witness.precision)

    return certificate_id(statement), statement.words, check


def recheck_all(certificates: object, find_rows: FindRows = _no_rows) -> list[Recheck]:
    """Check one certificate, or each of a list.

    Raises:
        InputError: no certificate among them.
    """
    items = certificates if isinstance(certificates, list) else [certificates]
    if not items:
        raise InputError("no certificate")
    return [recheck(item, find_rows) for item in items]
