"""Statements about the spectrum of a kernel on data, as certificates of schema 2, and checking them again.

Such a certificate says that lambda_min, lambda_max and the trace of one kernel of a DAG on given rows lie in three
intervals; the trace over N is the mean diagonal, by which eigenvalues are made free of scale. Rows are named by a
checksum of their float64 numbers, and what was said of where they come from; whoever checks has to have them. The
witness is two vectors, whose Rayleigh quotients bound lambda_min from above and lambda_max from below; that nothing
lies outside is proved anew. verify/check_spectrum.py does the same with python-flint alone, and in another way.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from nngp_dag.activations import ACTIVATIONS
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError, unknown
from nngp_dag.proofs.enclosed_eigenvalues import (
    EigenvalueBounds,
    EnclosedMatrix,
    Interval,
    enclosed_eigenvalues,
    rayleigh_quotient,
)
from nngp_dag.proofs.kernel_balls import BITS, enclosed_kernels
from nngp_dag.reading import PAIR_METHODS, Setting

__all__ = ["SCHEMA", "KernelName", "Rows", "SpectrumBounds", "read_spectrum", "spectrum_certificate"]

SCHEMA = 2
_KIND = "spectrum"
_SETTING = ("method", "order", "embedding", "activation")
_WIDENED = 0.25
"""Part of its half width by which a stated interval is wider than the proved one, so that other processors, which round
otherwise, prove it too."""

KernelName = Literal["nngp", "ntk"]
Quotient = tuple[Fraction | float, Fraction | float]
"""(low, high) of a quotient of two numbers in intervals: rational numbers, and so not rounded."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Rows named by a checksum.

    Attributes:
        sha256: of the numbers as little-endian float64, row by row, in hexadecimal digits.
        shape: (N, d).
        normalized: rows are divided by their norms, in balls.
        source: where they come from, in words; no part of the statement.
    """

    sha256: str
    shape: tuple[int, int]
    normalized: bool
    source: str = ""

    @classmethod
    def of(cls, x: _Floats, *, normalized: bool, source: str = "") -> Rows:
        """The name of rows x [N, d]."""
        return cls(hashlib.sha256(_bytes(x)).hexdigest(), (x.shape[0], x.shape[1]), normalized, source)

    def are(self, x: _Floats) -> bool:
        """True for the very same numbers."""
        return x.shape == self.shape and hashlib.sha256(_bytes(x)).hexdigest() == self.sha256


@dataclass(frozen=True)
class SpectrumBounds:
    """lambda_min, lambda_max and the trace of a kernel of a DAG on rows lie in these intervals.

    Attributes:
        code: a DAG with a path.
        setting: method, order, embedding and activation.
        kernel: "nngp" or "ntk".
        rows: the rows.
        least, greatest, trace: (low, high), floats.

    Raises:
        InputError: intervals or a kernel that are none.
    """

    code: str
    setting: Setting
    kernel: KernelName
    rows: Rows
    least: Interval
    greatest: Interval
    trace: Interval

    def __post_init__(self) -> None:
        if self.kernel not in ("nngp", "ntk"):
            raise unknown("kernel", self.kernel, ("nngp", "ntk"))
        if self.setting.method not in PAIR_METHODS:
            raise unknown("method", self.setting.method, PAIR_METHODS, "of a certificate")
        name = self.setting.activation.name
        if self.setting.activation != ACTIVATIONS.get(name):
            raise InputError(
                f"a certificate names its activation, and {name} names another one: {ACTIVATIONS.get(name)}"
            )
        for low, high in (self.least, self.greatest, self.trace):
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise InputError(f"an interval has two finite ends, low and high, got [{low}, {high}]")

    @property
    def id(self) -> str:
        """A digest of the statement: twelve hexadecimal digits."""
        document = self.document()
        rows = {key: value for key, value in cast("dict[str, object]", document["rows"]).items() if key != "source"}
        text = json.dumps({**document, "rows": rows}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def words(self) -> str:
        """The statement, made from the data alone."""
        n, d = self.rows.shape
        setting = ", ".join(self.setting.names().values())
        rows = f"{n} {'normalised ' if self.rows.normalized else ''}rows of length {d}, sha256 {self.rows.sha256[:12]}"
        intervals = (f"[{low!r}, {high!r}]" for low, high in (self.least, self.greatest, self.trace))
        least, greatest, trace = intervals
        return (
            f"{self.kernel.upper()} of {self.code}, {setting}, on {rows}: lambda_min in {least},"
            f" lambda_max in {greatest}, trace in {trace}"
        )

    @property
    def scale_free(self) -> Quotient:
        """(low, high) of lambda_min over the mean diagonal; infinite where the trace is not told from zero."""
        return _over(self.least, self.trace, self.rows.shape[0])

    @property
    def inverse_condition(self) -> Quotient:
        """(low, high) of lambda_min / lambda_max; infinite where lambda_max is not told from zero."""
        return _over(self.least, self.greatest)

    def document(self) -> dict[str, object]:
        """The statement as plain data."""
        return {
            "schema": SCHEMA,
            "kind": _KIND,
            "code": self.code,
            **self.setting.names(),
            "kernel": self.kernel,
            "rows": {
                "sha256": self.rows.sha256,
                "shape": list(self.rows.shape),
                "normalized": self.rows.normalized,
                "source": self.rows.source,
            },
            "lambda_min": list(self.least),
            "lambda_max": list(self.greatest),
            "trace": list(self.trace),
        }

    def enclosure(self, x: _Floats, bits: int = BITS) -> EnclosedMatrix:
        """The kernel that this speaks of, on the rows that it names, computed anew.

        Raises:
            InputError: other rows.
        """
        if not self.rows.are(x):
            raise InputError(f"these are not the rows of sha256 {self.rows.sha256[:12]} that the certificate speaks of")
        kernels = enclosed_kernels(Dag.from_code(self.code), x, self.setting, normalize=self.rows.normalized, bits=bits)
        return kernels[self.kernel]

    def why_not_proved(self, matrix: EnclosedMatrix, vectors: _Floats) -> str:
        """Check all six bounds on an enclosure of the kernel: empty where they are proved, else the first that is not.

        `vectors` [2, N] are the witness.
        """
        if vectors.shape != (2, len(matrix.middle)) or not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            return "its vectors are none of this kernel"
        if not rayleigh_quotient(matrix, vectors[0])[1] <= self.least[1]:
            return f"lambda_min <= {self.least[1]!r} is not proved"
        if not rayleigh_quotient(matrix, vectors[1])[0] >= self.greatest[0]:
            return f"lambda_max >= {self.greatest[0]!r} is not proved"
        bounds = enclosed_eigenvalues(matrix)
        if not bounds.least[0] >= self.least[0]:
            return f"lambda_min >= {self.least[0]!r} is not proved"
        if not bounds.greatest[1] <= self.greatest[1]:
            return f"lambda_max <= {self.greatest[1]!r} is not proved"
        if not (bounds.trace[0] >= self.trace[0] and bounds.trace[1] <= self.trace[1]):
            return f"a trace within [{self.trace[0]!r}, {self.trace[1]!r}] is not proved"
        return ""


def spectrum_certificate(
    code: str, setting: Setting, kernel: KernelName, rows: Rows, bounds: EigenvalueBounds, seconds: float
) -> dict[str, object]:
    """A proof about a kernel, as plain data; intervals are a little wider than the proved ones."""
    intervals = (_widened(interval) for interval in (bounds.least, bounds.greatest, bounds.trace))
    statement = SpectrumBounds(code, setting, kernel, rows, *intervals)
    vectors = base64.b64encode(bounds.vectors.astype("<f4").tobytes()).decode()
    return {
        **statement.document(),
        "id": statement.id,
        "statement": statement.words,
        "proved": True,
        "vectors": vectors,
        "precision": BITS,
        "seconds": round(seconds, 4),
    }


def read_spectrum(certificate: object) -> tuple[SpectrumBounds, _Floats, int]:
    """The statement of a certificate, its vectors [2, N] and its precision in bits.

    Raises:
        InputError: data that is no certificate of schema 2, in one line.
    """
    try:
        if not isinstance(certificate, Mapping):
            raise TypeError(f"expected an object, got {type(certificate).__name__}")
        if certificate["schema"] != SCHEMA or certificate["kind"] != _KIND:
            raise ValueError(f"not a {_KIND} certificate of schema {SCHEMA}")
        rows = certificate["rows"]
        n, d = (_count(number) for number in rows["shape"])
        vectors = np.frombuffer(base64.b64decode(_text(certificate["vectors"]), validate=True), "<f4")
        if not isinstance(rows["normalized"], bool):
            raise TypeError("normalized is true or false")
        statement = SpectrumBounds(
            Dag.from_code(_text(certificate["code"])).to_code(),
            _setting(certificate),
            cast(KernelName, _text(certificate["kernel"])),
            Rows(_text(rows["sha256"]), (n, d), rows["normalized"], _text(rows.get("source", ""))),
            _interval(certificate["lambda_min"]),
            _interval(certificate["lambda_max"]),
            _interval(certificate["trace"]),
        )
        bits = _count(certificate["precision"])
        if not 64 <= bits <= 4096:
            raise ValueError(f"precision {bits} is not within 64 to 4096 bits")
        return statement, vectors.reshape(2, n).astype(np.float64), bits
    except InputError as error:
        raise InputError(f"malformed certificate: {' '.join(str(error).split())}") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"malformed certificate: {type(error).__name__}: {str(error)[:200]}") from error


def _widened(interval: Interval) -> Interval:
    low, high = interval
    more = _WIDENED * (high - low) / 2
    return float(np.nextafter(low - more, -np.inf)), float(np.nextafter(high + more, np.inf))


def _over(interval: Interval, divisor: Interval, times: int = 1) -> Quotient:
    if not divisor[0] > 0:
        return -math.inf, math.inf
    found = [times * Fraction(a) / Fraction(b) for a in interval for b in divisor]
    return min(found), max(found)


def _bytes(x: _Floats) -> bytes:
    return np.ascontiguousarray(x, dtype="<f8").tobytes()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value


def _setting(certificate: Mapping[str, object]) -> Setting:
    names = {name: _text(certificate[name]) for name in _SETTING}
    setting = Setting.make(**names)
    if setting.names() != names:  # an empty name, say, which asks for the default elsewhere
        raise ValueError(f"no setting: {names}")
    return setting


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31:
        raise TypeError("expected a positive integer")
    return value


def _interval(value: object) -> Interval:
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError("an interval is a list of two numbers")
    if any(isinstance(end, bool) or not isinstance(end, int | float) for end in value):
        raise TypeError("an interval is a list of two numbers")
    low, high = float(value[0]), float(value[1])
    if [low, high] != value and not (math.isnan(low) or math.isnan(high)):
        raise ValueError("an end of an interval is no float64")  # rounded, it would make another statement
    return low, high
