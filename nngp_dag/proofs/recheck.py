"""Checking certificates again, alone: every number is evaluated anew, and the words are made from the data."""

from __future__ import annotations

import time
from typing import TypedDict

from nngp_dag.errors import InputError
from nngp_dag.proofs.certificate import certificate_id, read_certificate
from nngp_dag.proofs.prove import Checked

__all__ = ["Recheck", "recheck", "recheck_all"]


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


def recheck(certificate: object) -> Recheck:
    """Check a certificate anew.

    Raises:
        InputError: data that is no certificate.
    """
    start = time.perf_counter()
    statement, witness = read_certificate(certificate)
    assert isinstance(certificate, dict)
    name = certificate_id(statement)
    if certificate.get("id", name) != name:
        checked = Checked(f"its id {str(certificate['id'])[:40]!r} is that of another statement", 0)
    else:
        checked = statement.check(witness.numbers, witness.precision)
    return {
        "id": name,
        "statement": statement.words,
        "proved": not checked.reason,
        "reason": checked.reason,
        "boxes": checked.boxes,
        "margin": checked.margin,
        "seconds": round(time.perf_counter() - start, 4),
    }


def recheck_all(certificates: object) -> list[Recheck]:
    """Check one certificate, or each of a list.

    Raises:
        InputError: no certificate among them.
    """
    items = certificates if isinstance(certificates, list) else [certificates]
    if not items:
        raise InputError("no certificate")
    return [recheck(item) for item in items]
