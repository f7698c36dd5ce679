"""The two ways in which a claim ends without a verdict of its own, and what is said of any other."""

from __future__ import annotations

__all__ = ["EvidenceError", "Undecided", "reason_of"]


class EvidenceError(ValueError):
    """Evidence that is malformed, or lacks what its verdict needs. Its claim is reported as crashed."""


class Undecided(Exception):
    """Raised by a claim that cannot come to a verdict: it is inconclusive, and the message becomes its summary."""


def reason_of(error: BaseException) -> str:
    """An exception's type and message; the type alone where its message cannot be had."""
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except Exception:  # its own __str__ raises
        return name
