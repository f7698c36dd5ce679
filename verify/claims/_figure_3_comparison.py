"""A kernel of one of the three DAGs beside its equation, for the claims about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nngp_dag.kernel.functions import kernel_of
from nngp_dag.reading import Setting
from verify import Finding, KeyValue, Series
from verify.claims._figure_3_equations import Equation, gram
from verify.claims._figure_3_proofs import EIGENVALUE, EIGENVALUE_NEGATIVE, KERNEL, certified
from verify.framework.proof import Proof
from verify.tools.proofs import Proved
from verify.tools.settings import key
from verify.tools.spaces import unit_circle

__all__ = ["COLUMNS", "DRAWN", "TOLERANCE", "EquationComparison", "compared"]

TOLERANCE = 1e-10
"""Largest difference of a kernel that is the equation's, over the diagonal."""
COLUMNS = (
    "reading",
    "largest error / diagonal",
    "smallest difference",
    "largest difference",
    "lambda_min",
    "by the equation",
    "rho = -1: lambda_min of two rows",
    "by the equation ",
)
DRAWN = 24
"""Rows whose pairs are drawn."""
_CIRCLE = unit_circle(129)


@dataclass(frozen=True)
class EquationComparison:
    """A kernel and the equation's on the same rows, [N, N] each, the first `data` of them real data, of Gram matrix
    [N, N]; and of the first row of a circle with the others.
    """

    equation: Equation
    setting: Setting
    data: int
    gram: np.ndarray
    actual: np.ndarray
    expected: np.ndarray
    on_circle: np.ndarray
    by_equation: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """The kernel minus the equation's."""
        return self.actual - self.expected

    @property
    def error(self) -> float:
        """The largest difference, over the largest diagonal entry."""
        return float(np.abs(self.difference).max() / np.diag(self.expected).max())

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """lambda_min of the first row of the circle with each other, computed, and by the equation, [R] each."""
        n = len(_CIRCLE)
        blocks = np.array([self.on_circle[np.ix_((0, j), (0, j))] for j in range(1, n)])
        return np.linalg.eigvalsh(blocks)[:, 0], self.by_equation[0, 0] - self.by_equation[0, 1:]

    @cached_property
    def spectra(self) -> tuple[np.ndarray, np.ndarray]:
        """The eigenvalues of both on the data, ascending."""
        some = slice(self.data)
        return np.linalg.eigvalsh(self.actual[some, some]), np.linalg.eigvalsh(self.expected[some, some])

    @cached_property
    def proofs(self) -> dict[str, Proved]:
        """The differences that are proved, by label."""
        labels = (KERNEL, EIGENVALUE, EIGENVALUE_NEGATIVE)
        found = {label: certified(self.equation.code, label, self.setting) for label in labels}
        return {label: proved for label, proved in found.items() if proved}

    def findings(self) -> list[Finding]:
        """The findings that the equation is the kernel, and that its eigenvalue is right.

        That it is the kernel of *independent* is no finding: independent was written from it.
        """
        found = [self._kernel()] if self.setting.method == "exact" else []
        rho = _CIRCLE[1:] @ _CIRCLE[0]
        return [*found, self._eigenvalue(EIGENVALUE, rho >= 0), self._eigenvalue(EIGENVALUE_NEGATIVE, rho < 0)]

    def _kernel(self) -> Finding:
        words = f"{self.equation.words} on {len(self.gram)} rows, relative to the diagonal"
        return self._finding(KERNEL, self.error, self.gram.size, words)

    def _eigenvalue(self, label: str, chosen: np.ndarray) -> Finding:
        actual, expected = (values[chosen] for values in self.pairs)
        worst = int(np.abs(actual - expected).argmax())
        words = f"{actual[worst]:.6g}, by the equation {expected[worst]:.6g}, where they differ most"
        return self._finding(label, float(np.abs(actual - expected).max()), len(actual), words)

    def _finding(self, label: str, error: float, cases: int, detail: str) -> Finding:
        """True where the numbers agree; false by the certificate of a difference."""
        plain = Finding.agreement(
            error, tolerance=TOLERANCE, cases=cases, setting=self.setting, label=label, detail=detail
        )
        if plain.holds is not False:
            return plain
        proved = self.proofs.get(label)
        return Finding(
            False if proved else None,
            setting=self.setting,
            label=label,
            proof=Proof.by_certificates(proved.certificate) if proved else None,
            cases=cases,
            tolerance=TOLERANCE,
            worst=error,
            detail=detail,
            counterexample={"rho": str(proved.rho), "margin": proved.margin} if proved else None,
        )

    def row(self) -> list[object]:
        """The comparison as a row of the table."""
        smallest = [float(values[0]) for values in self.spectra]
        opposite = [float(values[-1]) for values in self.pairs]
        least, most = float(self.difference.min()), float(self.difference.max())
        return [str(self.setting), self.error, least, most, *smallest, *opposite]

    def key_values(self) -> dict[str, KeyValue]:
        """The difference of the first diagonal entry, and the smallest eigenvalue."""
        return {
            f"difference of K_11, {key(self.setting)}": KeyValue(float(self.difference[0, 0]), 1e-9, 1e-10),
            f"lambda_min, {key(self.setting)}": KeyValue(float(self.spectra[0][0]), 1e-7),
        }

    def gap(self) -> Series:
        """The difference of some pairs of rows over their correlation."""
        some = np.triu_indices(DRAWN)
        return Series(str(self.setting), self.gram[some].tolist(), self.difference[some].tolist())

    def spectrum(self) -> Series:
        """The eigenvalues, the largest first."""
        values = self.spectra[0]
        return Series(str(self.setting), list(range(1, len(values) + 1)), values[::-1].tolist())


def compared(equation: Equation, setting: Setting, rows: np.ndarray, data: int) -> EquationComparison:
    """The kernel of a setting on unit rows [N, d] and on the circle, beside the equation's."""
    kernel = kernel_of(equation.dag, setting)
    actual, on_circle = (np.asarray(kernel(x, get="nngp")) for x in (rows, _CIRCLE))
    expected, by_equation = (equation.kernel(x, setting.embedding) for x in (rows, _CIRCLE))
    return EquationComparison(equation, setting, data, gram(rows), actual, expected, on_circle, by_equation)
