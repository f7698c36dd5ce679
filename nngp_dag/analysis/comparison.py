"""The comparison of several DAGs on the same data, and its looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nngp_dag.analysis.analysis import Analysis
from nngp_dag.analysis.dags_on_data import DagsOnData
from nngp_dag.analysis.inputs import DataLike, as_rows
from nngp_dag.analysis.wired import more_than_its_dag
from nngp_dag.errors import InputError
from nngp_dag.reading import ActivationLike, Reading, Setting
from nngp_dag.wiring import NetworkLike, as_wiring

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(DagsOnData):
    """Several DAGs with their exact kernels on the same rows (`DagsOnData`), and how they are shown.

    Attributes:
        labels: a name for each, by default its code.
        analyses: the analysis of each.
    """

    analyses: tuple[Analysis, ...]

    def __getitem__(self, label: str) -> Analysis:
        """The analysis of the DAG with this label."""
        if label not in self.labels:
            raise KeyError(label)
        return self.analyses[self.labels.index(label)]

    def figure(self) -> Figure:
        """The spectra as they are and scale-free, side by side."""
        import matplotlib.pyplot as plt

        from nngp_dag.plots import figure_style

        with figure_style():
            figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.1), layout="constrained")
            self.plot_spectra(axes[0])
            self.plot_scale_free(axes[1])
        return figure

    def to_html(self, *, page: bool = False) -> str:
        """The comparison as HTML that needs nothing else: a fragment, or with `page` a whole document."""
        from nngp_dag.analysis.html import comparison_html

        return comparison_html(self, page)

    def to_dict(self) -> dict[str, object]:
        """The numbers of the comparison as plain nested values, for JSON."""
        from nngp_dag.analysis.document import comparison_document

        return comparison_document(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        from nngp_dag.analysis.text import comparison_text

        return comparison_text(self)

    def __repr__(self) -> str:
        return str(self)


def compare(
    dags: Mapping[str, NetworkLike] | Iterable[NetworkLike],
    data: DataLike = "digits:128",
    *,
    order: str | None = None,
    embedding: str = "gaussian",
    activation: ActivationLike = "relu",
) -> Comparison:
    """Several DAGs on the same data, by their exact kernels.

    Args:
        dags: DAGs or wirings as `analyze` takes them, or a mapping from labels to them; each with a path from input to
            output.
        data: as in `analyze`.
        order: as in `kernel_fn`.
        embedding: as in `kernel_fn`.
        activation: as in `kernel_fn`.

    Raises:
        InputError: no DAG, one without a path, two of the same label, or what `analyze` refuses.
    """
    return comparison_of(dags, data, Reading.make(order, embedding, activation))


def comparison_of(
    dags: Mapping[str, NetworkLike] | Iterable[NetworkLike], data: DataLike, reading: Reading
) -> Comparison:
    """`compare` under a reading, for code that has one."""
    Setting("exact", reading)  # refuses a reading without an exact kernel
    if isinstance(dags, str):
        raise InputError(f"expected several DAGs, got the text {dags!r}: analyze() takes a single one")
    named = list(dags.items()) if isinstance(dags, Mapping) else [(None, dag) for dag in dags]
    if not named:
        raise InputError("nothing to compare: give at least one DAG")
    graphs = [as_wiring(network).dag for _, network in named]
    wirings = [more_than_its_dag(network) for _, network in named]
    labels = tuple(
        dag.to_code() if label is None else str(label) for (label, _), dag in zip(named, graphs, strict=True)
    )
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise InputError(f"{twice} is given twice: leave one out, or give a mapping from labels to DAGs")
    name, rows = as_rows(data)
    analyses = tuple(
        Analysis(dag, name, rows, reading, wiring=wiring) for dag, wiring in zip(graphs, wirings, strict=True)
    )
    for analysis in analyses:
        if not analysis.paths.num_paths:
            raise InputError(f"{analysis.code} has no path from input to output: its kernels are zero")
    return Comparison(labels, analyses)
