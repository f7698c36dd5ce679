"""Errors that speak to people: one line that says what was wrong and what is accepted."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["InputError", "accepted_text", "unknown", "unknown_names", "unknown_text"]


class InputError(ValueError):
    """Input that cannot be used. Its message is one line; the command line prints it and exits with 2."""


def unknown(kind: str, value: object, accepted: str | Iterable[str], of: str = "") -> InputError:
    """The error for a value that is not one of those accepted: "unknown KIND 'VALUE': accepted are A, B".

    Args:
        kind: what is named ("method").
        value: what was given.
        accepted: the names that are known, or the words that list them.
        of: words that follow the value ("of a certificate").
    """
    return InputError(unknown_text(kind, value, accepted, of))


def unknown_names(kind: str, names: Iterable[str], accepted: Iterable[str]) -> InputError:
    """The same for several names of a list: "unknown KIND X, Y: accepted are A, B"; of none, "(none given)"."""
    given = list(names)
    return InputError(accepted_text(f"unknown {kind} {', '.join(given) or '(none given)'}", accepted, given))


def unknown_text(kind: str, value: object, accepted: str | Iterable[str], of: str = "") -> str:
    """The message of `unknown`, for errors of other types."""
    return accepted_text(f"unknown {kind} {value!r}{of and ' ' + of}", accepted, [str(value)])


def accepted_text(problem: str, accepted: str | Iterable[str], given: Iterable[str] = ()) -> str:
    """The message "PROBLEM: accepted are A, B", for names that are known or the words that list them.

    Where a name that was given is nearly a known one, it ends with "; did you mean A?".
    """
    if isinstance(accepted, str):
        return f"{problem}: accepted are {accepted}"
    names = list(accepted)
    near = list(dict.fromkeys(match for name in given for match in get_close_matches(name, names, 1)))
    question = f"; did you mean {', '.join(near)}?" if near else ""
    return f"{problem}: accepted are {', '.join(names)}{question}"
