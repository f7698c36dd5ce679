r"""Proved bounds of the eigenvalues of a symmetric matrix A that is known up to a radius.

||A - M||_2 <= r for a matrix M of floats. All work in floats is in products of matrices. If each entry of a product is
a sum of n products, in any order, with or without fused operations, then |fl(F G) - F G| <= gamma_n |F| |G| + n eta,
gamma_n = n u / (1 - n u), u = 2^-53, eta = 2^-1074 (Higham, Accuracy and Stability of Numerical Algorithms, Section
3.5); nothing is assumed of LAPACK, whose results are only candidates. The proofs in full are in
verify/proofs/certified-eigenvalues.md.

- lambda_min from below: for any R, A - t I = R'R + E, and R'R is positive semi-definite, so lambda_min(A) >= t -
  ||E||_2, with ||E||_2 <= (1 + u) ||fl(M - t I - R'R)||_F + gamma_n ||R||_F^2 + u max|M_ii - t| + r. R is a Cholesky
  factor, which exists for t slightly below lambda_min.
- lambda_max from above: the same for -A.
- From the other side: the Rayleigh quotient of any vector.
- All: for any X of full rank and any real Lambda_1 <= .. <= Lambda_n, |lambda_i(A) - Lambda_i| <=
  ||A X - X Lambda||_2 / sigma_min(X) (Cao, Xie, Li 1996), with sigma_min(X)^2 >= 1 - ||X'X - I||_2.

Norms are bounded from floats, and bounds put together in balls. A matrix of extreme size, whose squares would leave the
range of floats, is divided by a power of two before and its bounds multiplied by it after.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
from flint import arb

from nngp_dag.errors import InputError
from nngp_dag.support.blas import one_blas_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "EigenvalueBounds",
    "EnclosedMatrix",
    "Interval",
    "enclosed_eigenvalues",
    "rayleigh_quotient",
]

Interval = tuple[float, float]
"""(low, high): a proved enclosure."""

_UNIT = arb(2) ** -53
_UNDERFLOW = arb(2) ** -1000
_TRIES = 12
_MODERATE = 300
"""Up to this binary exponent, or from its negative, squares of entries and sums of many of them are well in range."""
_SMALL = 1000
"""Up to this number of rows a matrix is too small for BLAS threads."""


@dataclass(frozen=True, eq=False)
class EnclosedMatrix:
    """Symmetric matrices A with ||A - middle||_2 <= radius.

    Attributes:
        middle: float64 [N, N], symmetric to the last bit, finite.
        radius: r >= 0.

    Raises:
        InputError: a middle that is not square, symmetric and finite, or a radius that is no number.
    """

    middle: NDArray[np.float64]
    radius: float

    def __post_init__(self) -> None:
        m = self.middle
        if type(m) is not np.ndarray:  # a subclass may leave entries out of its sums, as masked arrays do
            raise InputError(f"an enclosed matrix is a plain array, got {type(m).__name__}")
        if m.ndim != 2 or m.shape[0] != m.shape[1] or not m.size or m.dtype != np.float64:
            raise InputError(f"an enclosed matrix is float64 [N, N], got {m.dtype} {m.shape}")
        if not np.isfinite(m).all() or not 0 <= self.radius < np.inf:
            raise InputError("an enclosed matrix has finite entries and a finite radius")
        if not np.array_equal(m, m.T):
            raise InputError("an enclosed matrix is symmetric to the last bit")


@dataclass(frozen=True, eq=False)
class EigenvalueBounds:
    """Proved enclosures of the eigenvalues of every matrix of an `EnclosedMatrix`.

    Attributes:
        least, greatest: of lambda_min and lambda_max.
        low, high: float64 [N], of all eigenvalues in ascending order.
        vectors: [2, N], float32 numbers in float64; their Rayleigh quotients bound lambda_min from above and
            lambda_max from below.
        trace: of the sum of all eigenvalues, which is N times the mean diagonal.
    """

    least: Interval
    greatest: Interval
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    vectors: NDArray[np.float64]
    trace: Interval

    @property
    def condition(self) -> Interval | None:
        """Of lambda_max / lambda_min; None where lambda_min > 0 is not proved."""
        if not self.least[0] > 0:
            return None
        low, high = arb(self.greatest[0]) / arb(self.least[1]), arb(self.greatest[1]) / arb(self.least[0])
        return _down(low), _up(high)


def enclosed_eigenvalues(matrix: EnclosedMatrix) -> EigenvalueBounds:
    """Bounds of all eigenvalues, those of the least and the greatest as sharp as floats allow.

    Memory beside the matrix: six more of its size.
    """
    threads = one_blas_thread() if len(matrix.middle) <= _SMALL else nullcontext()
    scaled, exponent = _scaled(matrix)
    # An infinite norm proves nothing, which the bounds then say.
    with threads, np.errstate(over="ignore", invalid="ignore"):
        bounds = _enclosed(scaled)
    if not exponent:
        return bounds
    low = np.array([_back((v, v), exponent)[0] for v in bounds.low.tolist()])
    high = np.array([_back((v, v), exponent)[1] for v in bounds.high.tolist()])
    least, greatest, trace = (_back(i, exponent) for i in (bounds.least, bounds.greatest, bounds.trace))
    return EigenvalueBounds(least, greatest, low, high, bounds.vectors, trace)


def _enclosed(matrix: EnclosedMatrix) -> EigenvalueBounds:
    m = matrix.middle
    values, vectors = _candidates(m)
    error = _error_of_all(matrix, values, vectors)
    low = np.array([_down(arb(v) - error) for v in values.tolist()])
    high = np.array([_up(arb(v) + error) for v in values.tolist()])
    # In float32 a vector is good enough, and short in a certificate: a quotient's error is of second order.
    ends = np.array([vectors[:, 0], vectors[:, -1]]).astype(np.float32).astype(np.float64)
    del vectors
    below, above = (
        _least_above(m, matrix.radius, float(values[0])),
        -_least_above(-m, matrix.radius, -float(values[-1])),
    )
    # The inner ends are those of the vectors alone, with which a certificate is checked, though `error` may be smaller.
    least = float(max(low[0], below)), rayleigh_quotient(matrix, ends[0])[1]
    greatest = rayleigh_quotient(matrix, ends[1])[0], float(min(high[-1], above))
    low[0], low[-1] = max(low[0], least[0]), max(low[-1], greatest[0])
    high[0], high[-1] = min(high[0], least[1]), min(high[-1], greatest[1])
    return EigenvalueBounds(least, greatest, low, high, ends, _trace(matrix))


def _trace(matrix: EnclosedMatrix) -> Interval:
    """Of tr(A): |A_ii - M_ii| <= r."""
    diagonal = sum((arb(v) for v in np.diagonal(matrix.middle).tolist()), arb(0))
    error = len(matrix.middle) * arb(matrix.radius)
    return _down(diagonal - error), _up(diagonal + error)


def _candidates(m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Computed eigenvalues in ascending order, which Cao, Xie and Li need, and their vectors in columns."""
    try:
        values, vectors = np.linalg.eigh(m)
    except np.linalg.LinAlgError:  # LAPACK does not converge on some graded matrices
        values, vectors = np.diagonal(m), np.eye(len(m))
    if np.all(values[1:] >= values[:-1]):
        return values, vectors
    order = np.argsort(values)
    return values[order], vectors[:, order]


def rayleigh_quotient(matrix: EnclosedMatrix, vector: NDArray[np.float64]) -> Interval:
    """An enclosure of x'A x / x'x for all A: |x|'|M||x| <= ||x||^2 times the largest row sum of |M|; x is not zero."""
    scaled, exponent = _scaled(matrix)
    n, x = len(vector), vector / np.max(np.abs(vector))
    computed = arb(float(x @ x))
    square = computed + _ball(2 * _gamma(n) * computed + n * _UNDERFLOW)
    size = _largest_row_sum(scaled.middle)
    error = _gamma(2 * n + 1) * size * square + (n * n + n) * _UNDERFLOW + arb(scaled.radius) * square
    quotient = (arb(float(x @ (scaled.middle @ x))) + _ball(error)) / square
    return _back((_down(quotient), _up(quotient)), exponent)


def _scaled(matrix: EnclosedMatrix) -> tuple[EnclosedMatrix, int]:
    """The matrices divided by 2^e, and e; e = 0, and the matrix itself, unless it is of extreme size."""
    size = max(float(np.max(np.abs(matrix.middle))), matrix.radius)
    exponent = int(np.frexp(size)[1])
    if not size or abs(exponent) <= _MODERATE:
        return matrix, 0
    # Entries that become subnormal are rounded, each by less than _UNDERFLOW.
    radius = arb(matrix.radius) * arb(2) ** -exponent + len(matrix.middle) * _UNDERFLOW
    return EnclosedMatrix(np.ldexp(matrix.middle, -exponent), _up(radius)), exponent


def _back(interval: Interval, exponent: int) -> Interval:
    """Bounds multiplied by 2^e."""
    if not exponent:
        return interval
    low, high = (arb(end) * arb(2) ** exponent for end in interval)
    return _down(low), _up(high)


def _least_above(m: NDArray[np.float64], radius: float, guess: float) -> float:
    """A number that all eigenvalues are proved to be at least; `guess` is a computed lambda_min; -inf without proof."""
    n = len(m)
    # Rounding in the factor is of this order; a little below the guess the factor exists.
    slack = max(n * float(np.finfo(np.float64).eps) * float(np.abs(np.trace(m - guess * np.eye(n)))) / 8, 1e-300)
    for _ in range(_TRIES):
        t = guess - slack
        shifted = m.copy()
        diagonal = np.arange(n)
        shifted[diagonal, diagonal] -= t
        rounding = _UNIT * arb(float(np.max(np.abs(np.diagonal(shifted)))))
        try:
            factor = scipy.linalg.cholesky(shifted, check_finite=False)
        except np.linalg.LinAlgError:
            slack *= 4
            continue
        rest = shifted - factor.T @ factor
        product = _gamma(n) * _norm(factor) ** 2 + n * n * _UNDERFLOW
        return _down(arb(t) - (_norm(rest) * (1 + _UNIT) + product + rounding + arb(radius)))
    return -np.inf


def _error_of_all(matrix: EnclosedMatrix, values: NDArray[np.float64], vectors: NDArray[np.float64]) -> arb:
    """A bound of |lambda_i(A) - values_i| for all i; values ascend."""
    m, n = matrix.middle, len(values)
    size, columns = _largest_row_sum(m), _norm(vectors)
    residual = m @ vectors
    residual -= vectors * values
    scale = arb(float(np.max(np.abs(values))))
    rounding = (_gamma(n) * size + 2 * _UNIT * scale) * columns + n * n * _UNDERFLOW
    identity = vectors.T @ vectors
    diagonal = np.arange(n)
    identity[diagonal, diagonal] -= 1
    lost = _norm(identity) * (1 + _UNIT) + _gamma(n) * columns**2 + n * n * _UNDERFLOW + n * _UNIT
    if not lost < 1:
        return arb.pos_inf()
    # ||X||_2 <= sqrt(1 + lost), sigma_min(X) >= sqrt(1 - lost).
    spread = arb(matrix.radius) * (1 + lost).sqrt()
    return (_norm(residual) * (1 + 2 * _UNIT) + rounding + spread) / (1 - lost).sqrt()


def _gamma(n: int) -> arb:
    return n * _UNIT / (1 - n * _UNIT)


def _norm(matrix: NDArray[np.float64]) -> arb:
    """A bound of the Frobenius norm, from a sum of squares in floats."""
    flat = matrix.ravel(order="K")
    total = arb(float(flat @ flat))
    return (total * (1 + 2 * _gamma(flat.size + 1)) + flat.size * _UNDERFLOW).sqrt()


def _largest_row_sum(m: NDArray[np.float64]) -> arb:
    """A bound of ||m||_inf = || |m| ||_inf, which is no less than the 2-norm of |m| for a symmetric m."""
    return arb(float(np.max(np.sum(np.abs(m), axis=1)))) * (1 + 2 * _gamma(len(m)))


def _ball(radius: arb) -> arb:
    return arb(0, radius.abs_upper())


def _down(value: arb) -> float:
    return float(np.nextafter(float(arb(value.lower())), -np.inf))


def _up(value: arb) -> float:
    return float(np.nextafter(float(arb(value.upper())), np.inf))
