"""Certificates: what was proved, as JSON, and checking it again alone.

A certificate holds the inequality and the ends of the boxes. Checking evaluates the left side on every box anew (it
trusts nothing but the statement), and that the boxes cover the interval without a hole. Rationals are strings "p/q".
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from nngp_dag.errors import InputError
from nngp_dag.proofs.prove import Inequality, Proof, Term, lower_bound, precision
from nngp_dag.reading import Setting
from nngp_dag.support.strict_json import load_json

__all__ = [
    "SCHEMA",
    "Recheck",
    "RecheckedFile",
    "_Untrusted",
    "from_certificate",
    "recheck",
    "recheck_file",
    "to_certificate",
]

SCHEMA = 1
_SETTING = ("method", "order", "embedding")  # what a certificate says of a setting; its activation is ReLU
_RATIONAL = re.compile(r"-?[0-9]{1,4000}(/[0-9]{1,4000})?")


_Untrusted: TypeAlias = Mapping[str, Any]
"""Data out of a file, whose form shows while they are read."""


class Recheck(TypedDict):
    """The outcome of checking a certificate again: of `boxes` boxes, in `seconds`; `margin` is the smallest bound."""

    statement: str
    proved: bool
    boxes: int
    margin: float | None
    seconds: float


class RecheckedFile(TypedDict):
    """The outcome of checking the certificates of a file again; proved where all are."""

    proved: bool
    items: list[Recheck]


def to_certificate(proof: Proof) -> dict[str, object]:
    """A proof as plain data; one that failed is written down as not proved, with the boxes left open."""
    inequality = proof.inequality
    return {
        "schema": SCHEMA,
        "kind": "strict-inequality",
        "activation": "relu",
        "statement": inequality.statement,
        "variable": "v = 1 - rho",
        "interval": [str(inequality.low), str(inequality.high)],
        "constant": str(inequality.constant),
        "terms": [_term_document(term) for term in inequality.terms],
        "proved": proof.proved,
        "boxes": proof.boxes,
        "cuts": [str(cut) for cut in proof.cuts],
        "open": [[str(low), str(high)] for low, high in proof.open],
        "margin": proof.margin if proof.proved else None,
        "precision": proof.precision,
        "seconds": round(proof.seconds, 4),
    }


def from_certificate(certificate: _Untrusted) -> tuple[Inequality, list[Fraction], int]:
    """The inequality, the cuts and the precision of a certificate.

    Raises:
        InputError: data that is no certificate.
    """
    try:
        if (
            certificate["schema"] != SCHEMA
            or certificate["kind"] != "strict-inequality"
            or certificate["activation"] != "relu"
        ):
            raise InputError(f"not a certificate of schema {SCHEMA} for relu")
        terms = tuple(_term(term) for term in certificate["terms"])
        low, high = (_rational(end) for end in certificate["interval"])
        inequality = Inequality(terms, low, high, str(certificate["statement"]), _rational(certificate["constant"]))
        cuts = [_rational(cut) for cut in certificate["cuts"]]
        bits = int(certificate["precision"])
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"malformed certificate: {type(error).__name__}: {error}") from error
    if not 32 <= bits <= 65536:
        raise InputError(f"malformed certificate: precision {bits} is not within 32 to 65536 bits")
    return inequality, cuts, bits


def _term_document(term: Term) -> dict[str, str]:
    return {
        "coefficient": str(term.coefficient),
        "code": term.code,
        **{name: getattr(term.setting, name) for name in _SETTING},
        "quantity": term.quantity,
        "scale": term.scale,
    }


def _term(document: _Untrusted) -> Term:
    setting = Setting.make(**{name: document[name] for name in _SETTING if name in document})
    rest = {name: value for name, value in document.items() if name not in _SETTING}
    return Term(**{**rest, "coefficient": _rational(document["coefficient"]), "setting": setting})


def _rational(text: object) -> Fraction:
    """The number "p/q" or "p"; not every form of Fraction, whose "1e999999999" would never end.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(text, str) or not _RATIONAL.fullmatch(text):
        raise ValueError(f"{str(text)[:40]!r} is no rational number p/q")
    return Fraction(text)


def recheck(certificate: _Untrusted) -> Recheck:
    """Check a certificate anew: {"statement", "proved", "boxes", "margin", "seconds"}."""
    start = time.perf_counter()
    inequality, cuts, bits = from_certificate(certificate)
    ordered = all(a < b for a, b in itertools.pairwise(cuts))
    covers = bool(cuts) and ordered and cuts[0] == inequality.low and cuts[-1] == inequality.high
    boxes = list(itertools.pairwise(cuts)) or [(cut, cut) for cut in cuts]
    with precision(bits):
        bounds = [lower_bound(inequality, low, high) for low, high in boxes] if covers else []
    proved = covers and all(bound > 0 for bound in bounds)
    return {
        "statement": inequality.statement,
        "proved": proved,
        "boxes": len(bounds),
        "margin": min((float(bound.lower()) for bound in bounds), default=None),
        "seconds": round(time.perf_counter() - start, 4),
    }


def recheck_file(path: Path) -> RecheckedFile:
    """Check every certificate of a JSON file: one certificate, a list of them, or a report.json.

    Returns:
        {"proved": whether all are, "items": one result of `recheck` each}.

    Raises:
        InputError: a file that cannot be read, is not JSON, or holds no certificate.
    """
    content: Any = load_json(path)
    if isinstance(content, dict) and "claims" in content:
        try:
            content = [item for claim in content["claims"] for item in claim["evidence"]["certificates"]]
        except (KeyError, TypeError):
            raise InputError(f"{path} is neither a certificate nor a report with certificates") from None
    items = content if isinstance(content, list) else [content]
    if not items or not all(isinstance(item, dict) for item in items):
        raise InputError(f"{path} holds no certificate")
    results = [recheck(item) for item in items]
    return {"proved": all(result["proved"] for result in results), "items": results}
