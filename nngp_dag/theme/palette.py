"""The colours of every page and plot, each in one place: roles for light and dark pages, verdicts, edges.

Text has at least the contrast 4.5 of WCAG 2.2 (AA) on every ground that it stands on, lines of drawings at least 3;
`tests/test_theme.py` computes the ratios.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["EDGES", "ROLES", "SERIES", "VERDICTS", "Shades", "VerdictLook", "contrast"]


class Shades(NamedTuple):
    """A colour on light pages and on dark ones."""

    light: str
    dark: str


ROLES = {
    "ink": Shades("#1c2430", "#e6eaf0"),
    "soft": Shades("#505c6b", "#a9b4c2"),
    "line": Shades("#d9e0e8", "#37424f"),
    "paper": Shades("#ffffff", "#171c23"),
    "wash": Shades("#f4f6f9", "#0f1318"),
    "link": Shades("#00609c", "#6cbcf5"),
    "good": Shades("#0b6640", "#5fd39a"),
    "warning": Shades("#8f4300", "#f5a66a"),
    "badge": Shades("#ffffff", "#10151c"),
}
"""Text, text of less weight, rules, cards, the page behind them, links, praise, warnings, and the text of a badge."""


class VerdictLook(NamedTuple):
    """The look of a verdict: its colour on pages, in a terminal (a style of rich), and in Markdown; what it means."""

    shades: Shades
    terminal: str
    mark: str
    meaning: str


VERDICTS = {
    "certified": VerdictLook(
        Shades("#075c38", "#4fd394"),
        "bold green",
        "🟢",
        "proved: by interval arithmetic, or by a written proof and an exhaustive check",
    ),
    "holds": VerdictLook(
        Shades("#2b7a1f", "#a3d977"),
        "green",
        "🟢",
        "true in every reading that was tried, numerically or statistically",
    ),
    "holds-conditionally": VerdictLook(
        Shades("#8a5a00", "#f0b94b"),
        "yellow",
        "🟡",
        "true in at least one whole reading and false in another; the condition is given",
    ),
    "refuted": VerdictLook(
        Shades("#7b3fa0", "#cfa2ee"), "magenta", "🟣", "false in every reading: a counterexample in each"
    ),
    "inconclusive": VerdictLook(Shades("#1f6585", "#7fc4e6"), "cyan", "🔵", "not decided by what was tried"),
    "crashed": VerdictLook(Shades("#b3261e", "#ff9d94"), "bold red", "🔴", "the check itself failed: no verdict"),
}
"""The look of each verdict, the same on every page, in the terminal and in Markdown."""

EDGES = {
    "linear": Shades("#0072b2", "#56b4e9"),
    "skip": Shades("#c15400", "#ff9d57"),
    "zero": Shades("#8a929c", "#6f7a87"),
}
"""Edges of a drawing by their operation; a zero edge is thin, too."""

SERIES = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "orange": "#E69F00",
    "black": "#222222",
}
"""Lines of plots: the palette of Okabe and Ito, without its yellow, which does not show on white."""


def contrast(a: str, b: str) -> float:
    """The contrast of two colours #rrggbb, from 1 (equal) to 21 (black and white), by WCAG 2.2."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """The relative luminance of WCAG 2.2: linear light of sRGB, weighted by the eye's sensitivity."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
