"""Gradient descent on the mean squared error at infinite width: linear dynamics, in closed form in the NTK's
eigenbasis.

With Theta the exact NTK of the training rows (N of them) and the loss (1/N) sum_i |u_i - y_i|^2 / 2, a step of size
eta is u <- u - (eta/N) Theta (u - y). With Theta = V diag(lambda) V^T and q_i = 1 - eta lambda_i / N,

    u(k) - y = V diag(q^k) V^T (u(0) - y),
    u*(k) = u*(0) + Theta_* V diag((1 - q^k) / lambda) V^T (y - u(0))        for other rows, Theta_* = Theta(x*, x).

At initialisation every output is a draw of the Gaussian process with covariance K (NNGP), independent of y: the loss
averaged over networks is (1/2N) [ |q^k V^T y|^2 + C tr(diag(q^2k) V^T K V) ] for C outputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError

__all__ = ["LinearDynamics"]

_NEGATIVE = 1e-3
"""The largest share of the largest eigenvalue by which rounding makes one negative (32 bits, thousands of rows)."""


class LinearDynamics:
    """The training dynamics of an infinitely wide network under gradient descent on mean squared error.

    Args:
        ntk: NTK of the training rows, [N, N], symmetric.
        learning_rate: eta, for the loss averaged over rows; eta = N lr for the paper's sum over rows.

    Raises:
        InputError: a kernel that is not square or has negative eigenvalues, or a learning rate that is not positive.
    """

    def __init__(self, ntk: ArrayLike, learning_rate: float) -> None:
        kernel = np.asarray(ntk, np.float64)
        if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1]:
            raise InputError(f"the NTK must be a square matrix, got shape {kernel.shape}")
        if not learning_rate > 0:
            raise InputError(f"the learning rate must be positive, got {learning_rate}")
        self.learning_rate = learning_rate
        eigenvalues, self.basis = np.linalg.eigh(kernel)
        largest = float(np.abs(eigenvalues).max(initial=0.0))
        if eigenvalues.min(initial=0.0) < -_NEGATIVE * largest:
            raise InputError(f"an NTK has no negative eigenvalues, but the smallest is {eigenvalues[0]:g}")
        # Rounding (of the kernel, too) makes the zeros of a singular kernel negative: where nothing is, nothing moves.
        rounding = len(eigenvalues) * np.finfo(np.float64).eps * largest
        self.eigenvalues = np.where(eigenvalues <= rounding, 0.0, eigenvalues)
        self.factors = 1 - learning_rate * self.eigenvalues / kernel.shape[0]

    @property
    def largest_learning_rate(self) -> float:
        """The learning rate above which the dynamics diverge, 2 N / lambda_max."""
        largest = float(self.eigenvalues.max(initial=0.0))
        return 2 * len(self.factors) / largest if largest else np.inf

    def outputs(self, step: float, targets: ArrayLike, initial: ArrayLike = 0.0) -> np.ndarray:
        """Training outputs u(k) [..., N, C] for targets y [N, C] and initial outputs [..., N, C]; k may be infinity."""
        targets = np.asarray(targets, np.float64)
        residual = np.swapaxes(self.basis, 0, 1) @ (np.asarray(initial, np.float64) - targets + np.zeros_like(targets))
        return targets + self.basis @ (self._powers(step)[:, None] * residual)

    def test_outputs(
        self, step: float, cross: ArrayLike, targets: ArrayLike, initial: ArrayLike = 0.0, initial_test: ArrayLike = 0.0
    ) -> np.ndarray:
        """Outputs u*(k) [M, C] on other rows, for the NTK between them and the training rows, `cross` [M, N]."""
        residual = self.basis.T @ (np.asarray(targets, np.float64) - np.asarray(initial, np.float64))
        progress = (1 - self._powers(step)) / np.where(self.eigenvalues == 0, 1, self.eigenvalues)
        # (1 - q^k) / lambda tends to k eta / N where lambda is zero; by convention nothing moves there for k = inf.
        limit = step * self.learning_rate / len(self.factors) if np.isfinite(step) else 0.0
        progress = np.where(self.eigenvalues == 0, limit, progress)
        return np.asarray(initial_test, np.float64) + np.asarray(cross, np.float64) @ self.basis @ (
            progress[:, None] * residual
        )

    def expected_losses(self, steps: Sequence[float], targets: ArrayLike, nngp: ArrayLike) -> np.ndarray:
        """Mean loss over rows and random networks at each step [P], for targets [N, C] and the NNGP [N, N]."""
        targets = np.asarray(targets, np.float64)
        signal = ((self.basis.T @ targets) ** 2).sum(axis=1)
        noise = targets.shape[1] * np.einsum(
            "ia,ij,ja->a", self.basis, np.asarray(nngp, np.float64), self.basis, optimize=True
        )
        squares = np.stack([self._powers(step) ** 2 for step in steps])
        return squares @ (signal + noise) / (2 * len(self.factors))

    def _powers(self, step: float) -> np.ndarray:
        if np.isinf(step):
            if self.learning_rate >= self.largest_learning_rate:
                raise InputError(
                    f"gradient descent diverges at learning rate {self.learning_rate:g}: it must be below"
                    f" {self.largest_learning_rate:g}"
                )
            return np.where(self.eigenvalues == 0, 1.0, 0.0)
        return self.factors**step
