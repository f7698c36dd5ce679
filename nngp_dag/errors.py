"""Errors that speak to people: one line that says what was wrong and what is accepted."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["InputError", "unknown", "unknown_names"]


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
    names = accepted if isinstance(accepted, str) else ", ".join(accepted)
    return InputError(f"unknown {kind} {value!r}{of and ' ' + of}: accepted are {names}")


def unknown_names(kind: str, names: Iterable[str], accepted: Iterable[str]) -> InputError:
    """The same for several names of a list: "unknown KIND X, Y: accepted are A, B"; of none, "(none given)"."""
    return InputError(f"unknown {kind} {', '.join(names) or '(none given)'}: accepted are {', '.join(accepted)}")
