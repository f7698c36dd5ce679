"""Checking certificates again, alone: every number is evaluated anew, and the words are made from the data."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TypedDict

from nngp_dag.errors import InputError
from nngp_dag.proofs.certificate import Statement, Witness, certificate_id, read_certificate
from nngp_dag.proofs.eigenvalue_bound import EigenvalueBound, check_bound
from nngp_dag.proofs.prove import lower_bound, precision
from nngp_dag.support.strict_json import load_json

__all__ = ["Recheck", "RecheckedFile", "recheck", "recheck_all", "recheck_file"]


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


class RecheckedFile(TypedDict):
    """The outcome of checking the certificates of a file again; proved where all are."""

    proved: bool
    items: list[Recheck]


def recheck(certificate: object) -> Recheck:
    """Check a certificate anew.

    Raises:
        InputError: data that is no certificate.
    """
    start = time.perf_counter()
    statement, witness = read_certificate(certificate)
    assert isinstance(certificate, dict)
    name = certificate_id(statement)
    margin: float | None = None
    boxes = 0
    if certificate.get("id", name) != name:
        reason = f"its id {str(certificate['id'])[:40]!r} is that of another statement"
    elif isinstance(statement, EigenvalueBound):
        boxes = 1
        proved = check_bound(statement, witness.numbers, witness.precision)
        reason = "" if proved else "ball arithmetic does not prove it"
    else:
        reason, boxes, margin = _boxes(statement, witness)
    return {
        "id": name,
        "statement": statement.words,
        "proved": not reason,
        "reason": reason,
        "boxes": boxes,
        "margin": margin,
        "seconds": round(time.perf_counter() - start, 4),
    }


def _boxes(statement: Statement, witness: Witness) -> tuple[str, int, float | None]:
    """The reason why an inequality is not proved (empty where it is), the number of boxes, and the smallest bound."""
    assert not isinstance(statement, EigenvalueBound)
    cuts = witness.numbers
    ordered = all(a < b for a, b in itertools.pairwise(cuts))
    if not cuts or not ordered or cuts[0] != statement.low or cuts[-1] != statement.high:
        return "its boxes do not cover the interval", 0, None
    boxes = list(itertools.pairwise(cuts)) or [(cut, cut) for cut in cuts]
    with precision(witness.precision):
        bounds = [lower_bound(statement, low, high) for low, high in boxes]
    proved = all(bound > 0 for bound in bounds)
    margin = min(float(bound.lower()) for bound in bounds)
    return "" if proved else "a box is not above 0", len(bounds), margin


def recheck_all(certificates: object) -> list[Recheck]:
    """Check one certificate, or each of a list.

    Raises:
        InputError: no certificate among them.
    """
    items = certificates if isinstance(certificates, list) else [certificates]
    if not items:
        raise InputError("no certificate")
    return [recheck(item) for item in items]


def recheck_file(path: Path) -> RecheckedFile:
    """Check every certificate of a JSON file: one certificate or a list of them (reports: `verify.recheck`).

    Raises:
        InputError: a file that cannot be read, is not JSON, or holds no certificate.
    """
    content = load_json(path)
    try:
        results = recheck_all(content)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return {"proved": all(result["proved"] for result in results), "items": results}
