"""One DAG on some data: its structure, kernels, spectra and finite networks, computed when they are first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nngp_dag.analysis.neighbours import Neighbour, neighbours
from nngp_dag.analysis.nodes import node_spectra
from nngp_dag.analysis.programs import exact_kernels
from nngp_dag.analysis.proved import ProvedSpectra, proved_eigenvalues
from nngp_dag.analysis.structure import Meeting, meetings
from nngp_dag.analysis.wired import wired_node_spectra
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.angle_curves import AngleCurves, angle_curves
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.kernel.network import Network
from nngp_dag.kernel.result import Kernel
from nngp_dag.paths import PathStatistics, path_statistics
from nngp_dag.reading import METHODS, Reading, Setting
from nngp_dag.spectrum import Spectrum, spectrum
from nngp_dag.support.memory import require_memory
from nngp_dag.wiring import Wiring

if TYPE_CHECKING:
    from nngp_dag.finite.montecarlo import Agreement, MonteCarloEstimate, Unavailable

__all__ = ["DagOnData"]

_FINITE_ROWS = 12


@dataclass(frozen=True, eq=False, repr=False)
class DagOnData:
    """One DAG on one data set: its paths, its kernels by all methods, their spectra, and what finite networks say.

    Everything beside the fields is computed when it is first asked for, and kept.

    Attributes:
        dag: the DAG.
        data: name of the data.
        x: rows, float64 [N, d].
        reading: order, embedding and activation, for all methods.
        width: neurons of the finite networks.
        seeds: their number.
        seed: the seed of anything random.
        wiring: of the DAG; None: the plain DAG is meant.
    """

    dag: Dag
    data: str
    x: np.ndarray
    reading: Reading
    width: int = 256
    seeds: int = 32
    seed: int = 0
    wiring: Wiring | None = None

    # ---- structure --------------------------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The wiring, or the plain DAG."""
        return self.dag if self.wiring is None else self.wiring

    @property
    def code(self) -> str:
        """The code of the DAG."""
        return self.dag.to_code()

    @cached_property
    def paths(self) -> PathStatistics:
        """Path counts, effective depth and width."""
        return path_statistics(self.dag)

    @cached_property
    def meetings(self) -> tuple[Meeting, ...]:
        """Where features meet against the assumptions of the approximations (`nngp_dag.analysis.structure`).

        Of plain DAGs only: gains and layer norm decide otherwise.
        """
        return () if self.wiring is not None else meetings(self.dag, self.reading)

    # ---- kernels ----------------------------------------------------------------------------------------------------

    def _compute(self, method: str) -> Kernel:
        self._require_memory()
        kernels = kernel_of(self.network, Setting(method, self.reading))(self.x)
        arrays: list[Any] = [np.asarray(kernel) for kernel in kernels]
        return Kernel(*arrays)

    def _require_memory(self) -> None:
        n = len(self.x)
        require_memory(8 * 9 * n * n, f"kernels of {n:,} rows")

    @cached_property
    def exact(self) -> Kernel:
        """Both exact kernels, float64 [N, N]."""
        if self.wiring is not None:
            return self._compute("exact")
        self._require_memory()
        return exact_kernels([self.dag], self.x, self.reading)[0]

    @cached_property
    def exact_spectra(self) -> dict[str, Spectrum]:
        """Spectra of both exact kernels (nngp, ntk)."""
        return {"nngp": spectrum(self.exact.nngp), "ntk": spectrum(self.exact.ntk)}

    @cached_property
    def proved(self) -> ProvedSpectra:
        """Proved bounds of the eigenvalues of both exact kernels, where they are cheap."""
        if self.wiring is not None:
            return ProvedSpectra({}, "proofs are of plain DAGs, not of wirings")
        return proved_eigenvalues(self.dag, self.x, self.reading)

    @cached_property
    def _others(self) -> tuple[dict[str, Kernel], dict[str, str]]:
        kernels: dict[str, Kernel] = {}
        reasons: dict[str, str] = {}
        for method in METHODS:
            if method == "exact":
                continue
            try:
                kernels[method] = self._compute(method)
            except InputError as error:
                reasons[method] = str(error)
        return kernels, reasons

    @property
    def kernels(self) -> dict[str, Kernel]:
        """Both kernels by method, float64 [N, N], for the methods that apply; exact comes first."""
        return {"exact": self.exact, **self._others[0]}

    @property
    def unavailable(self) -> dict[str, str]:
        """The methods that do not apply, and why."""
        return self._others[1]

    @cached_property
    def spectra(self) -> dict[str, dict[str, Spectrum]]:
        """Spectra by method, then by kernel (nngp, ntk)."""
        others = {
            method: {"nngp": spectrum(kernel.nngp), "ntk": spectrum(kernel.ntk)}
            for method, kernel in self._others[0].items()
        }
        return {"exact": self.exact_spectra, **others}

    @cached_property
    def differences(self) -> dict[str, dict[str, float]]:
        """|K_method - K_exact|_F / |K_exact|_F by method, then by kernel; NaN where the exact kernel is zero."""
        return {
            method: {name: _relative(getattr(kernel, name), getattr(self.exact, name)) for name in Kernel._fields}
            for method, kernel in self.kernels.items()
        }

    @cached_property
    def angle_curves(self) -> AngleCurves:
        """Kernels of two unit rows over all angles between them, by method: what plots and Eq. 12 are about."""
        return angle_curves(self.network, reading=self.reading)

    @cached_property
    def nodes(self) -> dict[int, Spectrum]:
        """The spectrum of the exact K_tt at every node t on a path, from the input to the output."""
        if self.wiring is not None:
            return wired_node_spectra(self.wiring, self.x, self.reading)
        return node_spectra(self.dag, self.x, self.reading)

    @cached_property
    def neighbours(self) -> tuple[Neighbour, ...]:
        """The DAGs that differ in one edge, with the statistics of their exact kernels, best lambda_min first.

        Raises:
            InputError: a wiring, or more than 8 nodes.
        """
        if self.wiring is not None:
            raise InputError("neighbours are those of a plain DAG: the new edge of a wiring would have no numbers")
        return neighbours(self.dag, self.x, self.reading)

    # ---- finite networks --------------------------------------------------------------------------------------------

    def require_networks(self) -> None:
        """InputError, with the estimate, where the finite networks would not fit in memory; nothing is drawn."""
        import jax.numpy as jnp

        from nngp_dag.finite.montecarlo.estimate import chunk_size
        from nngp_dag.finite.network import NetworkSpec

        rows = self.x[:_FINITE_ROWS]
        if any(self.dag.pruned().ops):
            dtype = str(jnp.result_type(float))
            chunk_size(
                NetworkSpec.make(self.network, rows.shape[1], self.width, reading=self.reading, dtype=dtype), len(rows)
            )

    @cached_property
    def networks(self) -> MonteCarloEstimate:
        """Empirical kernels of `seeds` networks of `width` neurons per node, on the first rows (at most twelve)."""
        from nngp_dag.finite.montecarlo import monte_carlo

        return monte_carlo(self.network, self.x[:_FINITE_ROWS], self.width, self.seeds, self.seed, reading=self.reading)

    @cached_property
    def agreement(self) -> dict[str, dict[str, Agreement | Unavailable]]:
        """The methods that these networks accept: {"nngp": {method: `Agreement` or `Unavailable`}, "ntk": ...}."""
        from nngp_dag.finite.montecarlo import Unavailable, agreement

        estimate = self.networks
        n = estimate.nngp.mean.shape[0]
        table: dict[str, dict[str, Agreement | Unavailable]] = {}
        for name in Kernel._fields:
            table[name] = {
                # A kernel is a function of pairs of rows: that of some rows is a part of the whole.
                method: agreement(getattr(estimate, name), getattr(self.kernels[method], name)[:n, :n], estimate.seeds)
                if method in self.kernels
                else Unavailable(self.unavailable[method])
                for method in METHODS
            }
        return table


def _relative(value: np.ndarray, target: np.ndarray) -> float:
    size = float(np.linalg.norm(target))
    return float(np.linalg.norm(value - target)) / size if size > 0 else float("nan")
