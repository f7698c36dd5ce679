"""Drawings of DAGs side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.theme.notation import mathtext
from verify.framework.checks import instances, text
from verify.framework.errors import EvidenceError
from verify.framework.plots.plot import Plot, blank

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Captioned", "Dags"]

_PER_ROW = 2


@dataclass(frozen=True)
class Captioned:
    """A DAG by its code, with the words below its drawing."""

    code: str
    caption: str


@dataclass(frozen=True)
class Dags(Plot):
    """DAGs with their captions, two per row."""

    kind: ClassVar[str] = "dags"
    parts: ClassVar[Mapping[str, type]] = {"dags": Captioned}

    dags: Sequence[Captioned]

    def _check(self) -> None:
        object.__setattr__(self, "dags", instances(self.dags, Captioned, "dags"))
        for dag in self.dags:
            text(dag.caption, f"caption of {dag.code!r}")
            try:
                Dag.from_code(text(dag.code, "code"))
            except InputError as error:
                raise EvidenceError(str(error)) from error

    def draw(self) -> Figure:
        """One drawing per DAG."""
        from nngp_dag.plots import draw_dag

        columns = min(_PER_ROW, max(len(self.dags), 1))
        rows = max(1, math.ceil(len(self.dags) / columns))
        captions = max((dag.caption.count("\n") for dag in self.dags), default=0)
        drawn = blank(2.3 * columns, rows * (1.6 + 0.16 * captions))
        for i, dag in enumerate(self.dags):
            ax = drawn.add_subplot(rows, columns, i + 1)
            draw_dag(Dag.from_code(dag.code), ax, title=dag.code, legend=False)
            caption = mathtext(dag.caption)
            ax.text(0.5, -0.04, caption, transform=ax.transAxes, ha="center", va="top", fontsize=7.5)
        return drawn
