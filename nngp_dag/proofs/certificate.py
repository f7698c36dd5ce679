"""Certificates: what was proved, as JSON, and checking it again alone.

A certificate holds a statement as data, and what its proof needs: the ends of the boxes of an inequality
(`prove`), or the vector of an eigenvalue bound (`eigenvalue_bound`). Checking evaluates everything anew and trusts
nothing but the data; the words that it prints are made from these data, whatever words a file holds. A certificate's
`id` is a digest of its statement, so that a finding that names it cannot be moved to another statement. Rationals are
strings "p/q". verify/check_certificate.py does the same without this library.

To add a kind: a dataclass of its statement with `words` and `check`, a proof with `witness`, and its entry in `_KINDS`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError, unknown
from nngp_dag.proofs.eigenvalue_bound import BoundProof, EigenvalueBound, Side
from nngp_dag.proofs.prove import Inequality, ProofAttempt, Term
from nngp_dag.reading import Setting

__all__ = ["SCHEMA", "Statement", "Untrusted", "Witness", "certificate_id", "read_certificate", "to_certificate"]

SCHEMA = 1
Statement: TypeAlias = Inequality | EigenvalueBound
Untrusted: TypeAlias = Mapping[str, object]
"""Data out of a file, whose form shows while they are read."""

_SETTING = ("method", "order", "embedding")  # what a certificate says of a setting; its activation is ReLU
_RATIONAL = re.compile(r"-?[0-9]{1,4000}(/[0-9]{1,4000})?")
_LONGEST_CODE = 10_000


@dataclass(frozen=True)
class Witness:
    """The numbers that the proof of a statement needs: cuts or a vector, and the precision in bits."""

    numbers: tuple[Fraction, ...]
    precision: int


def to_certificate(proof: ProofAttempt | BoundProof) -> dict[str, object]:
    """A proof as plain data; one that failed is written down as not proved, with the boxes left open."""
    statement = proof.statement
    return {
        "schema": SCHEMA,
        "id": certificate_id(statement),
        **_document(statement),
        "statement": statement.words,
        "proved": proof.proved,
        **proof.witness(),
        "precision": proof.precision,
        "seconds": round(proof.seconds, 4),
    }


def certificate_id(statement: Statement) -> str:
    """A digest of the statement: twelve hexadecimal digits."""
    text = json.dumps(_document(statement), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_certificate(certificate: object) -> tuple[Statement, Witness]:
    """The statement of a certificate, and what its proof needs.

    Raises:
        InputError: data that is no certificate, in one line.
    """
    if not isinstance(certificate, Mapping):
        raise InputError(f"malformed certificate: expected an object, got {type(certificate).__name__}")
    try:
        schema = certificate["schema"]
        if schema != SCHEMA or isinstance(schema, bool) or certificate["activation"] != "relu":
            raise InputError(f"not a certificate of schema {SCHEMA} for relu")
        kind = certificate["kind"]
        if not isinstance(kind, str) or kind not in _KINDS:
            raise unknown("kind", kind, _KINDS, "of a certificate")
        statement = _KINDS[kind].read(certificate)
        witness = _rationals(certificate[_KINDS[kind].numbers])
        bits = certificate["precision"]
    except InputError as error:
        raise InputError(" ".join(str(error).split())) from None
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"malformed certificate: {type(error).__name__}: {error}") from error
    if isinstance(bits, bool) or not isinstance(bits, int) or not 32 <= bits <= 65536:
        raise InputError(f"malformed certificate: precision {str(bits)[:40]} is not within 32 to 65536 bits")
    return statement, Witness(witness, bits)


def _document(statement: Statement) -> dict[str, object]:
    """The statement as plain data; its digest is the certificate's id."""
    name, kind = next((name, kind) for name, kind in _KINDS.items() if isinstance(statement, kind.statement))
    return {"kind": name, "activation": "relu", **kind.document(statement)}


def _inequality_document(statement: Inequality) -> dict[str, object]:
    return {
        "variable": "v = 1 - rho",
        "interval": [str(statement.low), str(statement.high)],
        "constant": str(statement.constant),
        "terms": [
            {
                "coefficient": str(term.coefficient),
                "code": term.code,
                **_setting_document(term.setting),
                "quantity": term.quantity,
                "scale": term.scale,
            }
            for term in statement.terms
        ],
    }


def _bound_document(statement: EigenvalueBound) -> dict[str, object]:
    return {
        "code": statement.code,
        **_setting_document(statement.setting),
        "rows": [list(row) for row in statement.rows],
        "side": statement.side,
        "bound": str(statement.bound),
    }


def _setting_document(setting: Setting) -> dict[str, str]:
    return {name: getattr(setting, name) for name in _SETTING}


def _read_inequality(document: Untrusted) -> Inequality:
    terms = document["terms"]
    if not isinstance(terms, list):
        raise TypeError("terms are a list")
    low, high = _rationals(document["interval"])
    return Inequality(tuple(_read_term(term) for term in terms), low, high, _rational(document["constant"]))


def _read_term(document: object) -> Term:
    if not isinstance(document, Mapping):
        raise TypeError(f"a term is an object, not {type(document).__name__}")
    names = {"coefficient", "code", *_SETTING, "quantity", "scale"}
    if strange := set(document) - names:
        raise unknown("entry", min(map(str, strange)), names, "of a term")
    return Term(
        _rational(document["coefficient"]),
        _code(document["code"]),
        _read_setting(document),
        _word(document.get("quantity", "gap-ratio")),
        _word(document.get("scale", "none")),
    )


def _read_bound(document: Untrusted) -> EigenvalueBound:
    rows = document["rows"]
    if not isinstance(rows, list) or not all(isinstance(row, list) and row for row in rows):
        raise TypeError("rows are lists of integers")
    if any(isinstance(entry, bool) or not isinstance(entry, int) for row in rows for entry in row):
        raise TypeError("rows are lists of integers")
    side: Side = "above" if document["side"] == "above" else "below"
    if document["side"] != side:
        raise unknown("side", document["side"], ("above", "below"))
    return EigenvalueBound(
        _code(document["code"]),
        _read_setting(document),
        tuple(tuple(row) for row in rows),
        side,
        _rational(document["bound"]),
    )


def _read_setting(document: Untrusted) -> Setting:
    return Setting.make(**{name: _word(document[name]) for name in _SETTING if name in document})


def _code(value: object) -> str:
    """The code of a DAG, of moderate length."""
    code = _word(value)
    if len(code) > _LONGEST_CODE:
        raise InputError(f"malformed certificate: a code of {len(code)} characters, more than {_LONGEST_CODE}")
    Dag.from_code(code)
    return code


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value


def _rationals(values: object) -> tuple[Fraction, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise TypeError("expected a list of rational numbers")
    return tuple(_rational(value) for value in values)


def _rational(text: object) -> Fraction:
    """The number "p/q" or "p"; not every form of Fraction, whose "1e999999999" would never end.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(text, str) or not _RATIONAL.fullmatch(text):
        raise ValueError(f"{str(text)[:40]!r} is no rational number p/q")
    return Fraction(text)


class _Kind(NamedTuple):
    """A kind of statement: its class, how it is written and read, and where a certificate has its proof's numbers."""

    statement: type[Statement]
    document: Callable[[Any], dict[str, object]]
    read: Callable[[Untrusted], Statement]
    numbers: str


_KINDS = {
    "strict-inequality": _Kind(Inequality, _inequality_document, _read_inequality, "cuts"),
    "eigenvalue-bound": _Kind(EigenvalueBound, _bound_document, _read_bound, "vector"),
}
