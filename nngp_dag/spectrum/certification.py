"""Proved bounds of the eigenvalues of the kernels of a DAG, or a wiring, on real data.

Entries are enclosed in balls (python-flint), eigenvalues from floating-point products with bounded rounding
(`nngp_dag.proofs.enclosed_eigenvalues`); nothing that is printed here rests on an unproved digit. About 20
microseconds of one core for a pair of rows and a small DAG, then some cubes of N: 1,000 rows take about 20 s, all
1,797 digits about 80 s, below 600 MiB.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, cast, overload

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.reading import ActivationLike, Setting
from nngp_dag.support.memory import require_memory

if TYPE_CHECKING:
    from nngp_dag.proofs.enclosed_eigenvalues import EigenvalueBounds, Interval
    from nngp_dag.proofs.spectrum_bounds import KernelName, Rows
    from nngp_dag.wiring import Wiring

__all__ = ["CertifiedSpectrum", "certified", "certified_bytes", "certified_digits", "certify_kernels"]

_KERNELS = ("nngp", "ntk")


@dataclass(frozen=True, eq=False)
class CertifiedSpectrum:
    """Proved bounds of the eigenvalues of one kernel on N rows.

    Attributes:
        code: the DAG.
        setting: method and reading.
        kernel: "nngp" or "ntk".
        rows: checksum and shape of the rows.
        bounds: the enclosures.
        seconds: what it took.
        wiring: the network, where it is a wiring that is more than its DAG.
    """

    code: str
    setting: Setting
    kernel: KernelName
    rows: Rows
    bounds: EigenvalueBounds
    seconds: float
    wiring: Wiring | None = None

    @property
    def lambda_min(self) -> Interval:
        """(low, high) of the smallest eigenvalue."""
        return self.bounds.least

    @property
    def lambda_max(self) -> Interval:
        """(low, high) of the largest eigenvalue."""
        return self.bounds.greatest

    @property
    def condition(self) -> Interval | None:
        """(low, high) of lambda_max / lambda_min; None where lambda_min > 0 is not proved."""
        return self.bounds.condition

    @property
    def trace(self) -> Interval:
        """(low, high) of the sum of all eigenvalues."""
        return self.bounds.trace

    @property
    def eigenvalues(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of all eigenvalues, float64 [N] each, in ascending order."""
        return self.bounds.low, self.bounds.high

    @property
    def proved(self) -> bool:
        """True where lambda_min > 0 is proved, and all bounds are finite."""
        return self.lambda_min[0] > 0 and bool(np.isfinite([*self.lambda_min, *self.lambda_max]).all())

    @property
    def reason(self) -> str:
        """Why not, empty where it is."""
        if self.proved:
            return ""
        low, high = self.lambda_min
        if low > 0:
            return f"lambda_max has no finite bound: it is at least {self.lambda_max[0]:.3g}"
        return f"lambda_min is not told from zero: it lies in [{low:.3g}, {high:.3g}]"

    def summary(self) -> dict[str, object]:
        """The intervals as the command line gives them; of a kernel that is not told from a singular one the reason."""
        if not self.proved:
            return {"proved": False, "reason": self.reason}
        assert self.condition is not None
        return {
            "proved": True,
            "lambda_min": list(self.lambda_min),
            "lambda_max": list(self.lambda_max),
            "condition": list(self.condition),
        }

    def certificate(self) -> dict[str, object]:
        """The proof as plain data, of schema 2, which `verify --recheck` and verify/check_spectrum.py prove again.

        Raises:
            InputError: lambda_min > 0 is not proved, or the network is a wiring, which no certificate can name.
        """
        from nngp_dag.proofs.spectrum_bounds import spectrum_certificate

        if self.wiring is not None:
            raise InputError("a certificate names a network by its code: wirings have proved bounds, and none on disk")
        if not self.proved:
            raise InputError(f"no certificate: {self.reason}")
        return spectrum_certificate(self.code, self.setting, self.kernel, self.rows, self.bounds, self.seconds)


@overload
def certified(
    dag: Dag | Wiring,
    x: ArrayLike,
    get: str,
    *,
    method: str = ...,
    order: str | None = ...,
    embedding: str = ...,
    activation: ActivationLike = ...,
    normalize: bool = ...,
) -> CertifiedSpectrum: ...
@overload
def certified(
    dag: Dag | Wiring,
    x: ArrayLike,
    get: tuple[str, ...] = ...,
    *,
    method: str = ...,
    order: str | None = ...,
    embedding: str = ...,
    activation: ActivationLike = ...,
    normalize: bool = ...,
) -> dict[str, CertifiedSpectrum]: ...
def certified(
    dag: Dag | Wiring,
    x: ArrayLike,
    get: str | tuple[str, ...] = _KERNELS,
    *,
    method: str = "exact",
    order: str | None = None,
    embedding: str = "gaussian",
    activation: ActivationLike = "relu",
    normalize: bool = False,
) -> CertifiedSpectrum | dict[str, CertifiedSpectrum]:
    """Proved bounds of the eigenvalues of the NNGP and the NTK of a DAG on rows.

        >>> from nngp_dag.datasets import load
        >>> x = load("digits:40", raw=True).x
        >>> certified(Dag.from_code("2_02_002"), x, "nngp", normalize=True).lambda_min  # doctest: +SKIP
        (0.0246..., 0.0246...)

    Args:
        dag: any DAG with a path from input to output, or a wiring of one, whose numbers are taken as exact.
        x: rows [N, d] in float64, taken as the exact numbers that they are.
        get: "nngp" or "ntk" (one `CertifiedSpectrum`), or a tuple of them (a dictionary).
        method: exact, independent or path-sum.
        order: as of `kernel_fn`.
        embedding: as of `kernel_fn`.
        activation: relu, leaky_relu, erf, sin, gelu or identity; of a wiring's edges too.
        normalize: divide rows by their norms; in balls, so that the diagonal of K_in is exactly 1.

    Raises:
        InputError: rows that are not float64, or not finite; a DAG without a path; an activation without a closed
            form; a batch of wirings, or one that the method has no formula for; more memory than there is.
    """
    names = (get,) if isinstance(get, str) else tuple(get)
    setting = Setting.make(method, order, embedding, activation)
    found = certify_kernels(dag, np.asarray(x), setting, names, normalize=normalize)
    return found[get] if isinstance(get, str) else found


def certify_kernels(
    dag: Dag | Wiring,
    x: np.ndarray,
    setting: Setting,
    names: tuple[str, ...] = _KERNELS,
    *,
    normalize: bool = False,
    source: str = "",
    progress: Callable[[int], None] = lambda pairs: None,
) -> dict[str, CertifiedSpectrum]:
    """`certified` under a setting; `source` says where the rows come from, `progress` is told of the pairs done."""
    from nngp_dag.kernel.network import dag_of
    from nngp_dag.proofs.enclosed_eigenvalues import enclosed_eigenvalues
    from nngp_dag.proofs.kernel_balls import enclosed_kernels
    from nngp_dag.proofs.spectrum_bounds import Rows

    if not names or not set(names) <= set(_KERNELS):
        raise InputError(f"kernels are nngp and ntk, got {', '.join(map(str, names)) or 'none'}")
    if x.ndim == 2:
        require_memory(certified_bytes(*x.shape), f"certified eigenvalues of {x.shape[0]:,} rows")
    x = np.array(x)  # the checksum and the proof have to be of the same numbers, whatever becomes of the caller's
    start = time.perf_counter()
    enclosed = enclosed_kernels(dag, x, setting, normalize=normalize, progress=progress)
    rows = Rows.of(x, normalized=normalize, source=source)
    entries, found = time.perf_counter() - start, {}
    for name in dict.fromkeys(names):
        start = time.perf_counter()
        bounds = enclosed_eigenvalues(enclosed.pop(name))
        seconds = entries + time.perf_counter() - start
        parts = (dag_of(dag).to_code(), setting, cast("KernelName", name), rows, bounds, seconds)
        found[name] = CertifiedSpectrum(*parts, wiring=None if isinstance(dag, Dag) or dag.is_plain else dag)
    return found


def certified_bytes(n: int, d: int) -> int:
    """Peak memory of a certification of n rows of length d: nine matrices, balls of the data, and a constant."""
    return 8 * 9 * n * n + 200 * n * d + 2**28


def certified_digits(interval: Interval) -> str:
    """The digits that an interval proves: every value in it is within one unit of the bracketed digit, as 0.2184[3].

    The interval as it is where it has not even one digit.
    """
    if not np.isfinite(interval).all():
        return f"[{interval[0]:.3g}, {interval[1]:.3g}]"
    low, high = (Fraction(end) for end in interval)
    middle = (low + high) / 2
    if middle:
        first = Decimal(float(abs(middle))).adjusted()
        for place in range(first - 16, first + 1):
            unit = Fraction(10) ** place
            shown = round(middle / unit) * unit
            if shown and max(high - shown, shown - low) <= unit:
                return _bracketed(shown, place)
    return f"[{interval[0]:.3g}, {interval[1]:.3g}]"


def _bracketed(value: Fraction, place: int) -> str:
    """A number that is a multiple of 10^place, with its digit of that place in brackets."""
    digits = int(value / Fraction(10) ** place)
    exponent = len(str(abs(digits))) - 1 + place
    if -5 <= exponent < 12 and place <= 0:
        text = f"{Decimal(digits).scaleb(place):f}"
        return f"{text[:-1]}[{text[-1]}]"
    text = str(abs(digits))
    sign = "-" if digits < 0 else ""
    if len(text) == 1:
        return f"{sign}[{text}]e{exponent}"
    return f"{sign}{text[0]}.{text[1:-1]}[{text[-1]}]e{exponent}"
