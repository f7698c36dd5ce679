"""Checks of what a claim hands over, made where the claim makes it, so that a mistake is that claim's crash alone."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from nngp_dag.support.strict_json import strict_json
from verify.framework.errors import EvidenceError

__all__ = ["MaybeNumber", "as_number", "as_numbers", "case", "instances", "plain", "text"]

_T = TypeVar("_T")

MaybeNumber = int | float | None
"""A number of a report; None where it is undefined."""


def text(value: object, what: str) -> str:
    """`value`, which has to be a string.

    Raises:
        EvidenceError: it is none.
    """
    if not isinstance(value, str):
        raise EvidenceError(f"{what}: expected text, got {type(value).__name__}")
    return value


def as_number(value: object, what: str) -> MaybeNumber:
    """A real number as an int or a float; None for one that is undefined (NaN, infinite or None).

    Raises:
        EvidenceError: not a real number, or a truth value.
    """
    if value is None:
        return None
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else None
    raise EvidenceError(f"{what}: expected a number, got {type(value).__name__}")


def as_numbers(values: object, what: str) -> tuple[MaybeNumber, ...]:
    """`as_number` of each entry of a sequence or of an array [N].

    Raises:
        EvidenceError: no sequence, or an entry that is no number.
    """
    entries = values.tolist() if hasattr(values, "tolist") else values
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Sequence):
        raise EvidenceError(f"{what}: expected a sequence of numbers, got {type(values).__name__}")
    return tuple(as_number(entry, what) for entry in entries)


def plain(value: object, what: str) -> object:
    """`value` as strict JSON: NumPy types made plain, undefined numbers None.

    Raises:
        EvidenceError: something that JSON has no type for.
    """
    try:
        return strict_json(value)
    except TypeError as error:
        raise EvidenceError(f"{what}: {error}") from error


def case(value: object, what: str) -> dict[str, object] | None:
    """A case in words, a mapping from names to values, as strict JSON; None stays None.

    Raises:
        EvidenceError: no mapping, or a value that JSON has no type for.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise EvidenceError(f"{what}: expected a mapping, got {type(value).__name__}")
    found = plain(value, what)
    assert isinstance(found, dict)
    return found


def instances(values: Iterable[_T], kind: type[_T], what: str) -> tuple[_T, ...]:
    """`values` as a tuple of instances of `kind`.

    Raises:
        EvidenceError: no sequence, or an entry of another type.
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise EvidenceError(f"{what}: expected a sequence of {kind.__name__}, got {type(values).__name__}")
    found = tuple(values)
    for value in found:
        if not isinstance(value, kind):
            raise EvidenceError(f"{what}: expected {kind.__name__}, got {type(value).__name__}")
    return found
