"""Several DAGs on the same data: a table, and overlaid spectra."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nngp_dag.activations import Activation
from nngp_dag.analysis.analysis import Analysis
from nngp_dag.analysis.inputs import as_dag, as_rows
from nngp_dag.errors import InputError
from nngp_dag.reading import Setting
from nngp_dag.spectrum import Spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Several DAGs with their exact kernels on the same rows.

    Attributes:
        labels: a name for each, by default its code.
        analyses: the analysis of each.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "DAG",
        "linear",
        "P",
        "d̄",
        "m̄",
        "λ_min",
        "λ_min / scale",
        "κ",
        "λ_min (NTK)",
        "λ_min / scale (NTK)",
        "κ (NTK)",
    )
    MAX_DRAWN: ClassVar[int] = 16

    labels: tuple[str, ...]
    analyses: tuple[Analysis, ...]

    def __len__(self) -> int:
        return len(self.analyses)

    def __getitem__(self, label: str) -> Analysis:
        """The analysis of the DAG with this label."""
        if label not in self.labels:
            raise KeyError(label)
        return self.analyses[self.labels.index(label)]

    @property
    def data(self) -> str:
        """Name of the data."""
        return self.analyses[0].data

    @property
    def setting(self) -> Setting:
        """Order, embedding and activation."""
        return self.analyses[0].setting

    @cached_property
    def spectra(self) -> dict[str, dict[str, Spectrum]]:
        """Spectra of the exact kernels: by kernel (nngp, ntk), then by label."""
        return {
            kernel: {label: a.exact_spectra[kernel] for label, a in zip(self.labels, self.analyses, strict=True)}
            for kernel in ("nngp", "ntk")
        }

    def rows(self) -> list[tuple[str, list[Any]]]:
        """The table: a label, then the cells of the other `COLUMNS`, for each DAG."""
        rows = []
        for label, analysis in zip(self.labels, self.analyses, strict=True):
            paths = analysis.paths
            cells: list[Any] = [analysis.dag.pruned().num_linear, f"{paths.num_paths:,}"]
            cells += [float(paths.effective_depth), float(paths.effective_width)]
            for kernel in ("nngp", "ntk"):
                s = self.spectra[kernel][label]
                cells += [s.lambda_min, s.scale_free.lambda_min, s.condition]
            rows.append((label, cells))
        return rows

    def sentences(self) -> list[str]:
        """How the DAGs rank by the smallest eigenvalue of the NNGP, as it is and scale-free."""
        orders = []
        for figure in ("lambda_min", "scale-free lambda_min"):
            values = []
            for s in self.spectra["nngp"].values():
                value = s.lambda_min if figure == "lambda_min" else s.scale_free.lambda_min
                values.append(-np.inf if value is None else value)
            ranked = sorted(zip(self.labels, values, strict=True), key=lambda item: -item[1])
            orders.append([label for label, _ in ranked])
        if len(self) > 8:
            return [f"Largest λ_min: {orders[0][0]}; largest λ_min / scale: {orders[1][0]}."]
        first = f"By λ_min of the NNGP: {' > '.join(orders[0])}."
        same = "The order is the same by scale." if orders[0] == orders[1] else f"By scale: {' > '.join(orders[1])}."
        return [f"{first} {same}"]

    # ---- looks ------------------------------------------------------------------------------------------------------

    def plot_spectra(self, ax: Axes | None = None, kernel: str = "nngp", *, scale_free: bool = False) -> Axes:
        """Overlaid eigenvalues of the exact kernels."""
        from nngp_dag.plots import plot_spectrum

        ax = plot_spectrum(self.spectra[kernel], ax, scale_free=scale_free)
        ax.set_title(f"{kernel.upper()} on {self.data}")
        return ax

    def plot_scale_free(self, ax: Axes | None = None, kernel: str = "nngp") -> Axes:
        """Overlaid eigenvalues, each kernel divided by its mean diagonal."""
        return self.plot_spectra(ax, kernel, scale_free=True)

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

    def to_dict(self) -> dict[str, Any]:
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
    dags: Mapping[str, Any] | Iterable[Any],
    data: Any = "digits:128",
    *,
    order: str | None = None,
    embedding: str = "gaussian",
    activation: str | Activation = "relu",
) -> Comparison:
    """Several DAGs on the same data, by their exact kernels.

    Args:
        dags: DAGs as `analyze` takes them, or a mapping from labels to them; each with a path from input to output.
        data: as in `analyze`.
        order: as in `kernel_fn`.
        embedding: as in `kernel_fn`.
        activation: as in `kernel_fn`.

    Raises:
        InputError: no DAG, one without a path, two of the same label, or what `analyze` refuses.
    """
    if isinstance(dags, str):
        raise InputError(f"expected several DAGs, got the text {dags!r}: analyze() takes a single one")
    named = list(dags.items()) if isinstance(dags, Mapping) else [(None, dag) for dag in dags]
    if not named:
        raise InputError("nothing to compare: give at least one DAG")
    graphs = [as_dag(dag) for _, dag in named]
    labels = tuple(
        dag.to_code() if label is None else str(label) for (label, _), dag in zip(named, graphs, strict=True)
    )
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise InputError(f"{twice} is given twice: leave one out, or give a mapping from labels to DAGs")
    name, rows = as_rows(data)
    setting = Setting.make("exact", order, embedding, activation)
    analyses = tuple(Analysis(dag, name, rows, setting) for dag in graphs)
    for analysis in analyses:
        if not analysis.paths.num_paths:
            raise InputError(f"{analysis.code} has no path from input to output: its kernels are zero")
    return Comparison(labels, analyses)
