"""Lemma 3.3 (Eq. 5): the smallest eigenvalue is bounded by that of any 2x2 principal submatrix."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
from flint import arb

from nngp_dag.dag import Dag
from nngp_dag.proofs import precision
from nngp_dag.proofs.enclosed_eigenvalues import EnclosedMatrix, Interval, enclosed_eigenvalues
from nngp_dag.proofs.kernel_balls import enclosed_kernels
from nngp_dag.reading import Setting
from nngp_dag.spectrum import certified_digits, pair_bound
from verify import Context, Control, Evidence, Finding, KeyValue, Lines, Proof, Series, Table, claim
from verify.papers import CONNECTIVITY
from verify.tools.literal import EQUATIONS

_TOLERANCE = 1e-12
_PROOF = Proof.written("lemma-3.3")

Bound = Callable[[np.ndarray], float]


def _of_pairs(matrix: np.ndarray) -> float:
    """The smallest eigenvalue of any 2x2 principal submatrix of [n, n]."""
    i, j = np.triu_indices(len(matrix), 1)
    blocks = np.stack([np.stack([matrix[i, i], matrix[i, j]], -1), np.stack([matrix[j, i], matrix[j, j]], -1)], -2)
    return float(np.linalg.eigvalsh(blocks)[:, 0].min())


def _off_the_diagonal(matrix: np.ndarray) -> float:
    """The smallest singular value of the 2x2 submatrix of rows 0 and 1, and the last two columns: not principal."""
    return float(np.linalg.svd(matrix[:2, -2:], compute_uv=False)[-1])


def _below_the_first_pair(matrix: np.ndarray) -> float:
    """The smallest eigenvalue of the first two rows and columns, less a tenth of their trace."""
    return float(np.linalg.eigvalsh(matrix[:2, :2])[0] - 0.1 * np.trace(matrix[:2, :2]))


@dataclass(frozen=True)
class _Family:
    """Matrices with their eigenvalues (ascending)."""

    words: str
    matrices: list[np.ndarray]
    eigenvalues: list[np.ndarray]

    @classmethod
    def of(cls, words: str, matrices: Iterable[np.ndarray]) -> _Family:
        """The family with eigenvalues by LAPACK."""
        kept = list(matrices)
        return cls(words, kept, [np.linalg.eigvalsh(matrix) for matrix in kept])

    def bounded(self, bound: Bound, *, sign: int = 1, proof: Proof | None = None) -> Finding:
        """The finding that lambda_min <= bound (>= where sign is -1) for all matrices."""
        margins = [
            sign * (bound(matrix) - values[0]) / values[-1]
            for matrix, values in zip(self.matrices, self.eigenvalues, strict=True)
        ]
        return Finding.inequality(
            min(margins),
            tolerance=_TOLERANCE,
            cases=len(margins),
            strict=False,
            activation=None,
            label=self.words,
            detail="bound minus lambda_min, over lambda_max",
            proof=proof,
        )


@dataclass(frozen=True, eq=False)
class _Proved:
    """A kernel on real data with proved intervals of lambda_min, lambda_max and the bound."""

    name: str
    matrix: np.ndarray
    least: Interval
    greatest: Interval
    bound: Interval

    @classmethod
    def of(cls, name: str, matrix: EnclosedMatrix) -> _Proved:
        """The intervals of an enclosed kernel."""
        found = enclosed_eigenvalues(matrix)
        return cls(name, matrix.middle, found.least, found.greatest, _enclosed_bound(matrix))

    @property
    def margin(self) -> float:
        """The least by which the bound exceeds lambda_min, over lambda_max."""
        return (self.bound[0] - self.least[1]) / self.greatest[1]

    def row(self) -> list[object]:
        """DAG, N, the digits of lambda_min and of the bound that are proved, and their ratio."""
        digits = [certified_digits(interval) for interval in (self.least, self.bound)]
        return [self.name, len(self.matrix), *digits, sum(self.bound) / sum(self.least)]


def _enclosed_bound(matrix: EnclosedMatrix) -> Interval:
    """The smallest eigenvalue of any 2x2 principal submatrix: of the middle in balls, and its distance."""
    with precision(64):
        m = [[arb(value) for value in row] for row in matrix.middle.tolist()]
        ends = []
        for i in range(len(m)):
            for j in range(i):
                half = (m[i][i] - m[j][j]) / 2
                ends.append((m[i][i] + m[j][j]) / 2 - (half * half + m[i][j] * m[i][j]).sqrt())
        low = min(float(end.lower()) for end in ends) - matrix.radius
        high = min(float(end.upper()) for end in ends) + matrix.radius
    return float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))


def _real(data: np.ndarray, sizes: list[int]) -> list[_Proved]:
    """The kernels of the three DAGs on the first N rows, enclosed: a part of an enclosure is one of the part."""
    setting, found = Setting.make("independent"), []
    for name, (code, *_) in EQUATIONS.items():
        whole = enclosed_kernels(Dag.from_code(code), data, setting, normalize=True)["nngp"]
        found += [_Proved.of(name, EnclosedMatrix(whole.middle[:n, :n].copy(), whole.radius)) for n in sizes]
    return found


def _by_intervals(real: list[_Proved]) -> Finding:
    return Finding.inequality(
        min(kernel.margin for kernel in real),
        tolerance=0.0,
        cases=len(real),
        strict=False,
        activation=None,
        label="kernels on real data",
        detail="bound minus lambda_min, over lambda_max, by proved intervals",
        proof=_PROOF,
    )


def _small_integers() -> list[np.ndarray]:
    """All positive definite 3 x 3 matrices of integers with a diagonal of 1 to 3 and others of -2 to 2.

    Positive definite by exact integers: all leading minors are positive (Sylvester).
    """
    found = []
    for a, d, f in itertools.product(range(1, 4), repeat=3):
        for b, c, e in itertools.product(range(-2, 3), repeat=3):
            if a * d > b * b and a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d) > 0:
                found.append(np.array([[a, b, c], [b, d, e], [c, e, f]], dtype=float))
    return found


def _random(rng: np.random.Generator, count: int) -> Iterable[np.ndarray]:
    """Random matrices of all shapes (4 to 64 rows) and conditions."""
    for _ in range(count):
        n = int(rng.integers(4, 65))
        factor = rng.standard_normal((n, int(rng.integers(n, 3 * n + 1)))) * rng.lognormal(sigma=1.0, size=(n, 1))
        yield factor @ factor.T


def _controls(random: _Family) -> list[Control]:
    return [
        Control.rejects(
            "lambda_min(K) is at least the smallest eigenvalue of every 2x2 principal submatrix.",
            random.bounded(_of_pairs, sign=-1),
        ),
        Control.rejects(
            "lambda_min(K) is at most the smallest singular value of a 2x2 submatrix that is not principal (rows 1 and"
            " 2, the last two columns).",
            random.bounded(_off_the_diagonal),
        ),
        Control.rejects(
            "lambda_min(K) is at most the smallest eigenvalue of the first two rows and columns less a tenth of their"
            " trace.",
            random.bounded(_below_the_first_pair),
        ),
    ]


@claim(
    "lemma-3.3",
    title="The smallest eigenvalue is at most that of any 2x2 principal submatrix",
    paper=CONNECTIVITY,
    source="Lemma 3.3, Eq. 5",
    statement="For a positive definite K, lambda_min(K) is at most the smallest eigenvalue of each of its 2x2"
    " principal submatrices.",
    latex=r"\lambda_{\min}(K) \le \min_{i \ne j} \lambda_{\min} \begin{pmatrix} K_{ii} & K_{ij} \\ K_{ji} & K_{jj}"
    r" \end{pmatrix}",
    expected="certified",
    settings={
        "matrices": "all small integer ones of order 3; random ones; kernels of the three DAGs on real data, N from 4"
        " to 128 (512 in the full profile)"
    },
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """Cauchy's interlacing is the proof; a complete family, random matrices and real kernels are the check."""
    integers = _Family.of("all positive definite 3 x 3 integer matrices, entries to 3", _small_integers())
    random = _Family.of("random matrices", _random(context.rng(), context.pick(quick=200, full=2000)))
    sizes = [4, 8, 16, 32, 64, 128, *context.pick(quick=(), full=(256, 512))]
    data = context.rows(sizes[-1])
    real = _real(data, sizes)
    rows, series = [kernel.row() for kernel in real], []
    for name in EQUATIONS:
        ratios = [cast(float, row[4]) for row in rows if row[0] == name]
        series.append(Series(f"{name}: bound over lambda_min", sizes, ratios))
    families = (integers, random)
    tried = [*((len(f.matrices), f.words) for f in families), (len(real), "kernels on real data")]
    tight = {row[1]: row[4] for row in rows if row[0] == "dag-1"}
    return Evidence(
        [*(family.bounded(_of_pairs, proof=_PROOF) for family in families), _by_intervals(real)],
        summary=f"Never violated by {', '.join(f'{n} {words}' for n, words in tried)}, and proved (Cauchy's"
        f" interlacing). Its tightness: for DAG#1 on {context.data} the bound is {tight[sizes[0]]:.2f} times lambda_min"
        f" at N = {sizes[0]}, {tight[sizes[-1]]:.2f} times at N = {sizes[-1]}.",
        condition="none needed: Cauchy's interlacing",
        inside={"matrices": "all"},
        outside={"matrices": "none known"},
        counterexample={"margin": 0.0, "confirmed": "not: the library or the test is wrong"},
        controls=[*_controls(random), _library_bound(real)],
        tables=[Table(f"On {context.data}", ["DAG", "N", "lambda_min", "pairwise bound", "ratio"], rows)],
        plots=[_lines(context, series)],
        key_values={f"bound / lambda_min, {row[0]}, N = {row[1]}": KeyValue(cast(float, row[4]), 1e-6) for row in rows},
        notes=[
            "The bracketed digit of a number is its last, and every value of its proved interval is within one unit of"
            " it. The other readings take the eigenvalues of every 2x2 block from LAPACK."
        ],
    )


def _library_bound(real: list[_Proved]) -> Control:
    """The bound as the library computes it in floats (`nngp_dag.spectrum.pair_bound`)."""
    computed = [pair_bound(kernel.matrix)[0] or 0.0 for kernel in real]
    off = [
        max(kernel.bound[0] - value, value - kernel.bound[1]) / kernel.greatest[0]
        for kernel, value in zip(real, computed, strict=True)
    ]
    finding = Finding.agreement(max(off), tolerance=_TOLERANCE, cases=len(off), activation=None)
    return Control.keeps("The library's pairwise bound, in floats, lies in the proved interval.", finding)


def _lines(context: Context, series: list[Series]) -> Lines:
    return Lines(
        f"Pairwise bound on {context.data}", series, x="rows N", y="bound / lambda_min", xscale="log", yscale="log"
    )
