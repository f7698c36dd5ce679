"""Plots of a report, by kind. A new kind is a file with its class, and an entry here."""

from __future__ import annotations

from collections.abc import Mapping

from nngp_dag.errors import unknown_text
from verify.framework.errors import EvidenceError
from verify.framework.plots.dags import Captioned, Dags
from verify.framework.plots.lines import Lines
from verify.framework.plots.matrix import Matrix
from verify.framework.plots.plot import Plot
from verify.framework.plots.points import Points
from verify.framework.plots.series import Series

__all__ = ["KINDS", "Captioned", "Dags", "Lines", "Matrix", "Plot", "Points", "Series", "plot_of"]

KINDS: dict[str, type[Plot]] = {kind.kind: kind for kind in (Lines, Points, Dags, Matrix)}
"""The kinds of plots by their name in report.json."""


def plot_of(record: Mapping[str, object]) -> Plot:
    """The plot of an entry of `plots` in report.json.

    Raises:
        EvidenceError: an unknown kind, or data that cannot be drawn.
    """
    kind = record.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise EvidenceError(unknown_text("kind of plot", kind, KINDS))
    return KINDS[kind].from_record(record)
