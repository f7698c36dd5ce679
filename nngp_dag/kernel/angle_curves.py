"""Kernels of two unit inputs as functions of the angle between them, by every method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.errors import InputError, unknown_names
from nngp_dag.kernel.functions import kernel_of, pair_kernel_of
from nngp_dag.reading import METHODS, Reading, Setting
from nngp_dag.wiring import NetworkLike

__all__ = ["NUM_ANGLES", "AngleCurves", "angle_curves"]

NUM_ANGLES = 181
"""Angles from 0 to 180 degrees, one per degree."""


@dataclass(frozen=True)
class AngleCurves:
    """Kernels of two unit inputs.

    Attributes:
        angles: radians [181], from 0 to pi.
        nngp: K(x, x') by method, [181]; the first entry is K(x, x).
        ntk: (K + Theta)(x, x') likewise.
        unavailable: the methods that do not apply, and why.
    """

    angles: np.ndarray
    nngp: dict[str, np.ndarray]
    ntk: dict[str, np.ndarray]
    unavailable: dict[str, str]

    @property
    def rho(self) -> np.ndarray:
        """Correlations cos(angle), [181]."""
        return np.cos(self.angles)

    def gap(self, method: str) -> np.ndarray:
        """K(x, x) - K(x, x') of a method, [181]: the smallest eigenvalue of two rows where K(x, x') >= 0."""
        return np.asarray(self.nngp[method][0] - self.nngp[method])

    def eq_12_excess(self, method: str = "exact") -> tuple[float, float]:
        """By how much a method exceeds Eq. 12, and at which rho: max of K_ii - K_ij - (P - sum_d n_d f^d(rho)).

        Taken over the angles, ends left out; positive where Eq. 12 is no bound on the smallest eigenvalue.
        """
        excess = (self.gap(method) - self.gap("path-sum"))[1:-1]
        return float(excess.max()), float(self.rho[1:-1][excess.argmax()])


def angle_curves(
    dag: NetworkLike,
    methods: Sequence[str] = tuple(METHODS),
    reading: Reading | None = None,
) -> AngleCurves:
    """Kernels of two unit inputs over 181 angles.

    Args:
        dag: any DAG, or a wiring.
        methods: which methods.
        reading: the same for all methods; by default activation-last, gaussian, ReLU.

    Raises:
        InputError: an unknown name, or no method that applies.
    """
    strange = [method for method in methods if method not in METHODS]
    if strange or not methods:
        raise unknown_names("method", strange, METHODS)
    reading = reading or Reading()
    angles = np.linspace(0, np.pi, NUM_ANGLES)
    one, rho = np.ones_like(angles), np.cos(angles)
    result = AngleCurves(angles, {}, {}, {})
    for method in methods:
        try:
            setting = Setting(method, reading)
            if METHODS[method].is_pairwise:
                kernels = pair_kernel_of(dag, one, rho, one, setting)
            else:
                circle = np.stack([rho, np.sin(angles)], axis=1)
                kernels = kernel_of(dag, setting)(circle[:1], circle)
        except InputError as error:
            result.unavailable[method] = str(error)
            continue
        result.nngp[method], result.ntk[method] = (np.asarray(kernel).reshape(-1) for kernel in kernels)
    if not result.nngp:
        raise InputError(next(iter(result.unavailable.values())))
    return result
