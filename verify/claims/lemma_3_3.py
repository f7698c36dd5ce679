"""Lemma 3.3 (Eq. 5): the smallest eigenvalue is bounded by that of any 2x2 principal submatrix."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel import kernel_fn
from nngp_dag.spectrum import pair_bound
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
    whole = {
        name: np.asarray(kernel_fn(Dag.from_code(code), "independent")(data, get="nngp"))
        for name, (code, *_) in EQUATIONS.items()
    }
    real = _Family.of("kernels on real data", [kernel[:n, :n] for kernel in whole.values() for n in sizes])
    names = [(name, n) for name in whole for n in sizes]
    rows, series = _tightness(real, names), []
    for name in whole:
        ratios = [cast(float, row[4]) for row in rows if row[0] == name]
        series.append(Series(f"{name}: bound over lambda_min", sizes, ratios))
    families = (integers, random, real)
    tight = {row[1]: row[4] for row in rows if row[0] == "dag-1"}
    return Evidence(
        [family.bounded(_of_pairs, proof=_PROOF) for family in families],
        summary=f"Never violated by {', '.join(f'{len(f.matrices)} {f.words}' for f in families)}, and proved (Cauchy's"
        f" interlacing). Its tightness: for DAG#1 on {context.data} the bound is {tight[sizes[0]]:.2f} times lambda_min"
        f" at N = {sizes[0]}, {tight[sizes[-1]]:.2f} times at N = {sizes[-1]}.",
        condition="none needed: Cauchy's interlacing",
        inside={"matrices": "all"},
        outside={"matrices": "none known"},
        counterexample={"margin": 0.0, "confirmed": "not: the library or the test is wrong"},
        controls=_controls(random),
        tables=[Table(f"On {context.data}", ["DAG", "N", "lambda_min", "pairwise bound", "ratio"], rows)],
        plots=[_lines(context, series)],
        key_values={f"bound / lambda_min, {row[0]}, N = {row[1]}": KeyValue(cast(float, row[4]), 1e-6) for row in rows},
        notes=[
            "The bounds of the table are the library's (nngp_dag.spectrum.pair_bound), those of the readings"
            " eigenvalues of every 2x2 block by LAPACK."
        ],
    )


def _tightness(family: _Family, names: list[tuple[str, int]]) -> list[list[object]]:
    """Name, N, lambda_min, the library's bound and its ratio to lambda_min of each kernel."""
    rows: list[list[object]] = []
    for (name, n), matrix, values in zip(names, family.matrices, family.eigenvalues, strict=True):
        bound, _ = pair_bound(matrix)
        rows.append([name, n, float(values[0]), bound, (bound or 0.0) / float(values[0])])
    return rows


def _lines(context: Context, series: list[Series]) -> Lines:
    return Lines(
        f"Pairwise bound on {context.data}", series, x="rows N", y="bound / lambda_min", xscale="log", yscale="log"
    )
