"""Several DAGs on the same data: a table, and overlaid spectra."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nngp_dag.analysis.dag_on_data import DagOnData
from nngp_dag.reading import Reading
from nngp_dag.spectrum import Spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DagsOnData"]


@dataclass(frozen=True, eq=False, repr=False)
class DagsOnData:
    """Several DAGs with their exact kernels on the same rows.

    Attributes:
        labels: a name for each, by default its code.
        analyses: each DAG on the data.
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
    analyses: tuple[DagOnData, ...]

    def __len__(self) -> int:
        return len(self.analyses)

    @property
    def data(self) -> str:
        """Name of the data."""
        return self.analyses[0].data

    @property
    def reading(self) -> Reading:
        """Order, embedding and activation."""
        return self.analyses[0].reading

    @cached_property
    def spectra(self) -> dict[str, dict[str, Spectrum]]:
        """Spectra of the exact kernels: by kernel (nngp, ntk), then by label."""
        return {
            kernel: {label: a.exact_spectra[kernel] for label, a in zip(self.labels, self.analyses, strict=True)}
            for kernel in ("nngp", "ntk")
        }

    def rows(self) -> list[tuple[str, list[str | float | None]]]:
        """The table: a label, then the cells of the other `COLUMNS`, for each DAG."""
        rows = []
        for label, analysis in zip(self.labels, self.analyses, strict=True):
            paths = analysis.paths
            cells: list[str | float | None] = [analysis.dag.pruned().num_linear, f"{paths.num_paths:,}"]
            cells += [float(paths.effective_depth), float(paths.effective_width)]
            for kernel in ("nngp", "ntk"):
                s = self.spectra[kernel][label]
                cells += [s.lambda_min, s.scale_free.lambda_min, s.condition]
            rows.append((label, cells))
        return rows

    def sentences(self) -> list[str]:
        """Ranks of the DAGs by the smallest eigenvalue of the NNGP, as it is and scale-free."""
        orders = []
        for statistic in ("lambda_min", "scale-free lambda_min"):
            values = []
            for s in self.spectra["nngp"].values():
                value = s.lambda_min if statistic == "lambda_min" else s.scale_free.lambda_min
                values.append(-np.inf if value is None else value)
            ranked = sorted(zip(self.labels, values, strict=True), key=lambda item: -item[1])
            orders.append([label for label, _ in ranked])
        if len(self) > 8:
            return [f"Largest λ_min: {orders[0][0]}; largest λ_min / scale: {orders[1][0]}."]
        first = f"By λ_min of the NNGP: {' > '.join(orders[0])}."
        same = "The order is the same by scale." if orders[0] == orders[1] else f"By scale: {' > '.join(orders[1])}."
        return [f"{first} {same}"]

    def plot_spectra(self, ax: Axes | None = None, kernel: str = "nngp", *, scale_free: bool = False) -> Axes:
        """Overlaid eigenvalues of the exact kernels."""
        from nngp_dag.plots import plot_spectrum
        from nngp_dag.plots.style import shown_name

        ax = plot_spectrum(self.spectra[kernel], ax, scale_free=scale_free)
        scale = ", divided by its scale" if scale_free else ""
        ax.set_title(f"{kernel.upper()} on {shown_name(self.data)}{scale}")
        return ax

    def plot_scale_free(self, ax: Axes | None = None, kernel: str = "nngp") -> Axes:
        """Overlaid eigenvalues, each kernel divided by its mean diagonal."""
        return self.plot_spectra(ax, kernel, scale_free=True)
