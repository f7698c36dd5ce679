"""Errors that speak to people: one line that says what was wrong and what is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["InputError", "unknown"]


class InputError(ValueError):
    """Input that cannot be used. Its message is one line; the command line prints it and exits with 2."""


def unknown(kind: str, value: object, accepted: str | Iterable[str], of: str = "") -> InputError:
    """The error for a name that is not one of those accepted: "unknown KIND 'VALUE': accepted are A, B".

    Args:
        kind: what is named ("method").
        value: the name given; of a list or tuple, the names in it that are not known, or none where none was given.
        accepted: the names that are known, or the words that list them.
        of: words that follow the name ("of a certificate").
    """
    names = accepted if isinstance(accepted, str) else ", ".join(accepted)
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(str(name) for name in value) or "(none given)"
    else:
        shown = repr(value)
    return InputError(f"unknown {kind} {shown}{of and ' ' + of}: accepted are {names}")
