"""Everything about one DAG, computed when it is first looked at, and its looks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nngp_dag.analysis.dag_on_data import DagOnData
from nngp_dag.analysis.inputs import DataLike, as_rows
from nngp_dag.analysis.remarks import Remark, remarks
from nngp_dag.analysis.wired import more_than_its_dag
from nngp_dag.errors import InputError
from nngp_dag.reading import ActivationLike, Reading, Setting
from nngp_dag.wiring import NetworkLike, as_wiring

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Analysis", "analyze"]


@dataclass(frozen=True, eq=False, repr=False)
class Analysis(DagOnData):
    """One DAG on one data set (`DagOnData`), and how it is shown: remarks, a figure, a page, text, plain values.

    In Jupyter the last line of a cell shows it as a page, `print` as text.
    """

    @cached_property
    def remarks(self) -> tuple[Remark, ...]:
        """Remarks to read before trusting a number: where approximations fail and by how much, scale, resolution."""
        return remarks(self)

    # ---- looks ------------------------------------------------------------------------------------------------------

    def figure(self) -> Figure:
        """The DAG, its kernel over the angle, its spectra, and how they propagate: one figure of four panels."""
        from nngp_dag.analysis.panels import summary_figure

        return summary_figure(self)

    def to_html(self, *, page: bool = False, finite: bool = True) -> str:
        """The analysis as HTML that needs nothing else: a fragment, or with `page` a whole document.

        Args:
            page: a whole document.
            finite: train no network, but draw `seeds` of them and say which methods they accept.
        """
        from nngp_dag.analysis.html import analysis_html

        return analysis_html(self, page=page, finite=finite)

    def to_dict(self, *, finite: bool = True) -> dict[str, object]:
        """The numbers of the analysis as plain nested values, for JSON."""
        from nngp_dag.analysis.document import analysis_document

        return analysis_document(self, finite=finite)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        from nngp_dag.analysis.text import analysis_text

        return analysis_text(self)

    def __repr__(self) -> str:
        return str(self)


def analyze(
    dag: NetworkLike,
    data: DataLike = "digits:128",
    *,
    order: str | None = None,
    embedding: str = "gaussian",
    activation: ActivationLike = "relu",
    width: int = 256,
    seeds: int = 32,
    seed: int = 0,
) -> Analysis:
    """Everything about one DAG on some data, computed when it is looked at.

    Args:
        dag: a `Dag`, a code such as "2_02_002", edges {(s, t): op}, a networkx DiGraph, or a `Wiring`.
        data: a specification (`digits:128`, `mnist:500`, a file), a `Dataset`, or rows [N, d], which are taken as they
            are; N >= 2.
        order: as in `kernel_fn`, the same for all methods; by default activation-last.
        embedding: as in `kernel_fn`.
        activation: as in `kernel_fn`.
        width: neurons of the finite networks.
        seeds: number of finite networks, at least 4.
        seed: their seed.

    Raises:
        InputError: a DAG, data or a setting that cannot be used; later, when kernels are first looked at, one that
            would not fit in memory or overflows.
    """
    return analysis_of(dag, data, Reading.make(order, embedding, activation), width=width, seeds=seeds, seed=seed)


def analysis_of(
    dag: NetworkLike, data: DataLike, reading: Reading, *, width: int = 256, seeds: int = 32, seed: int = 0
) -> Analysis:
    """`analyze` under a reading, for code that has one."""
    Setting("exact", reading)  # refuses a reading without an exact kernel
    name, rows = as_rows(data)
    if len(rows) < 2:
        raise InputError("an analysis needs at least 2 rows of data: there is nothing to compare in one")
    if seeds < 4 or width < 1 or seed < 0:
        raise InputError(f"width must be at least 1, seeds at least 4, seed at least 0; got {width}, {seeds}, {seed}")
    dag_itself, wiring = as_wiring(dag).dag, more_than_its_dag(dag)
    return Analysis(dag_itself, name, rows, reading, width, seeds, seed, wiring)
