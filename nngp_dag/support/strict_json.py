"""Strict JSON: undefined numbers are null, never NaN or Infinity, and counts are exact integers."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.support.reading_files import read_bytes

__all__ = ["Json", "load_json", "parse_json", "strict_json", "strict_json_text"]

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""Plain data of a JSON document."""

_BEYOND_TEXT = 10**4300
"""The least integer that Python, by default, neither writes nor reads as text."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def strict_json(value: object) -> Json:
    """Plain data of `value`: NumPy types and fractions made plain, NaN and infinity null, counts exact integers.

    Raises:
        TypeError: something in it has no form in JSON.
    """
    if isinstance(value, Mapping):
        return {str(key): strict_json(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return strict_json(value.tolist())
    if isinstance(value, (list, tuple)):
        return [strict_json(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        if abs(int(value)) >= _BEYOND_TEXT:
            raise TypeError("an integer of more than 4,300 digits has no form in JSON")
        return int(value)
    if isinstance(value, (float, np.floating, Fraction)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return str.__str__(value)  # not a subclass, which may mean something else elsewhere
    if value is None:
        return None
    raise TypeError(f"{type(value).__name__} has no form in JSON: {value!r}")


def strict_json_text(value: object, indent: int | None = None) -> str:
    """The text of `strict_json(value)`, on one line or indented; no newline at its end."""
    return json.dumps(strict_json(value), allow_nan=False, indent=indent)


def parse_json(text: str, undefined: bool = False) -> Json:
    """Plain data of a JSON text, read as strictly as it is written.

    Args:
        text: one document.
        undefined: take NaN and Infinity too, which strict JSON does not have.

    Raises:
        InputError: malformed, nested too deeply, with a key twice in one object, with half a surrogate pair in a
            string, or with a number that is none; the message completes "it is not JSON: ...".
    """
    try:
        value: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=float if undefined else _refuse_undefined,
            parse_float=float if undefined else _finite,
        )
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise InputError("nested too deeply") from None
    except UnicodeEncodeError:
        raise InputError("half a surrogate pair in a string") from None
    except InputError:
        raise
    except ValueError as error:
        raise InputError(str(error)) from None
    return value


def load_json(path: Path, undefined: bool = False) -> Json:
    """Plain data of a JSON file in UTF-8; see `parse_json`.

    Raises:
        InputError: one line that names the file, where it cannot be read or is not JSON.
    """
    content = read_bytes(path)
    if content.startswith(codecs.BOM_UTF8):
        raise InputError(f"cannot read {path}: it is not JSON: a byte order mark at its start")
    try:
        return parse_json(content.decode(), undefined)
    except UnicodeDecodeError as error:
        raise InputError(f"cannot read {path}: it is not JSON: not UTF-8 (byte {error.start})") from None
    except InputError as error:
        raise InputError(f"cannot read {path}: it is not JSON: {error}") from None


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise InputError(f"the key {twice[:40]!r} stands twice in one object")
    return found


def _refuse_undefined(name: str) -> float:
    raise InputError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise InputError(f"the number {text[:40]} is beyond float64")
    return number
