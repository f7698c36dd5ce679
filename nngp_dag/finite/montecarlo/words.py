"""The outcome of a comparison with networks in words: what is not rejected is not thereby right."""

from __future__ import annotations

from collections.abc import Mapping

from nngp_dag.finite.montecarlo.comparison import Agreement

__all__ = ["WIDE", "outcome", "too_wide"]

WIDE = 0.1
"""Half width of the widest confidence interval, over the mean diagonal, beyond which nothing is decided: a kernel that
is off by a tenth would not be noticed."""


def outcome(found: Agreement, half_width: float) -> str:
    """`rejected`, `not rejected`, or `undecided` where the intervals are too wide for that to say anything.

    Args:
        found: of a method.
        half_width: of the widest interval of its kernel, over the mean diagonal (`KernelEstimate.tightness`).
    """
    if not found.accepted:
        return "rejected"
    return "not rejected" if half_width <= WIDE else "undecided"


def too_wide(half_widths: Mapping[str, float], confidence: float) -> str:
    """A warning that names the kernels whose intervals are too wide to decide anything; empty where none is."""
    wide = [f"{name.upper()} ±{width:.0%}" for name, width in half_widths.items() if not width <= WIDE]
    if not wide:
        return ""
    return (
        f"The widest {confidence:.0%} intervals are {' and '.join(wide)} of the mean diagonal: too wide to tell a wrong"
        " kernel from a right one. More networks, or wider ones, narrow them."
    )
