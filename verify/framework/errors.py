"""The two ways in which a claim ends without a verdict of its own."""

from __future__ import annotations

__all__ = ["EvidenceError", "Undecided"]


class EvidenceError(ValueError):
    """Evidence that is malformed, or lacks what its verdict needs. Its claim is reported as crashed."""


class Undecided(Exception):
    """Raised by a claim that cannot come to a verdict: it is inconclusive, and the message becomes its summary."""
