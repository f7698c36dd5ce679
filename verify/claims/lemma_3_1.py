"""Lemma 3.1: full rank for analytic activations that are no polynomials, where no two data points are parallel."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import jax.numpy as jnp
import numpy as np

from nngp_dag.activations import Activation, from_function
from nngp_dag.dag import Dag
from nngp_dag.kernel import kernel_fn
from nngp_dag.reading import Setting
from verify import Context, Evidence, Finding, KeyValue, Table, Undecided, claim
from verify.tools.data import space_spectra
from verify.tools.settings import NNGP_SETTINGS, key, with_activation
from verify.tools.spaces import ConnectedDags, complete_space

_PLANE = ((Fraction(1), Fraction(0)), (Fraction(3, 5), Fraction(4, 5)), (Fraction(5, 13), Fraction(12, 13)))
"""Three unit rows in the plane, no two of them parallel."""


def _determinant_of_input_kernel() -> Fraction:
    """The determinant of the 3 x 3 Gram matrix of `_PLANE`, exactly."""
    k = [[sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0)) for y in _PLANE] for x in _PLANE]
    return (
        k[0][0] * (k[1][1] * k[2][2] - k[1][2] * k[2][1])
        - k[0][1] * (k[1][0] * k[2][2] - k[1][2] * k[2][0])
        + k[0][2] * (k[1][0] * k[2][1] - k[1][1] * k[2][0])
    )


def _square() -> Activation:
    return from_function(lambda x: x * x, "square")


def _shifted_sine() -> Activation:
    return from_function(lambda x: jnp.sin(x + 1), "sin(x + 1)")


def _relative_rank(dag: str, rows: np.ndarray, activation: str | Activation) -> tuple[float, int]:
    """lambda_min / lambda_max of the exact NNGP, and how many eigenvalues are above N eps lambda_max."""
    k = np.asarray(kernel_fn(Dag.from_code(dag), activation=activation)(rows, get="nngp"))
    eigenvalues = np.linalg.eigvalsh(k)
    return float(eigenvalues[0] / eigenvalues[-1]), int(
        (eigenvalues > len(k) * np.finfo(float).eps * eigenvalues[-1]).sum()
    )


def _controls(context: Context) -> list[list[object]]:
    """Where the hypotheses fail: parallel rows, polynomials, ReLU."""
    rng = context.rng()
    few = rng.standard_normal((24, 3))
    few /= np.linalg.norm(few, axis=1, keepdims=True)
    antipodal = np.concatenate([few[:6], -few[:6]])
    duplicated = np.concatenate([few[:12], few[:2]])
    cases: list[tuple[str, str, np.ndarray, str | Activation, bool]] = [
        ("erf, no two rows parallel", "2", few[:12], "erf", True),
        ("erf, two rows repeated", "2", duplicated, "erf", False),
        ("erf, rows with their opposites", "2", antipodal, "erf", False),
        ("gelu, rows with their opposites", "2", antipodal, "gelu", False),
        ("sin(x + 1), rows with their opposites", "2", antipodal, _shifted_sine(), True),
        ("identity (a polynomial), 24 rows of dimension 3", "2", few, "identity", False),
        ("x^2 (a polynomial), 24 rows of dimension 3", "2", few, _square(), False),
        ("relu, no two rows parallel", "2", few[:12], "relu", True),
        ("relu, 6 rows of dimension 3 with their opposites", "2", antipodal, "relu", False),
    ]
    table = []
    for words, code, rows, activation, expected in cases:
        smallest, rank = _relative_rank(code, rows, activation)
        full = rank == len(rows)
        if full != expected:
            raise Undecided(f"negative control {words!r}: rank {rank} of {len(rows)}")
        table.append([words, len(rows), rank, smallest, "full" if full else "deficient"])
    return table


@dataclass(frozen=True)
class _Ranks:
    """The singular DAGs of a space in a setting, bool [A], and lambda_min / lambda_max of each DAG, [A]."""

    space: ConnectedDags
    setting: Setting
    singular: np.ndarray
    relative: np.ndarray
    rows: np.ndarray

    @property
    def key(self) -> str:
        """The name of the key value."""
        return f"singular, {key(self.setting)}, {self.setting.activation.name}"

    @property
    def finding(self) -> Finding:
        """The finding that none is singular."""
        count = int(self.singular.sum())
        return Finding(
            count == 0,
            setting=self.setting,
            cases=len(self.space.names),
            tolerance=_resolution(self.rows),
            worst=float(self.relative.min()),
            detail=f"{count} of {len(self.space.names)} DAGs singular on {len(self.rows)} rows of dimension"
            f" {self.rows.shape[1]}",
            counterexample={"code": self.space.smallest(self.singular)} if count else None,
        )


def _resolution(rows: np.ndarray) -> float:
    """The smallest lambda_min / lambda_max that is not rounding."""
    return len(rows) * float(np.finfo(float).eps)


def _ranks(space: ConnectedDags, rows: np.ndarray, base: Setting, activation: str) -> _Ranks:
    """The ranks of all DAGs in one setting.

    Raises:
        Undecided: another set of DAGs is singular than those whose paths have no linear edge.
    """
    setting = with_activation(base, activation)
    spectra = space_spectra(space, rows, setting)["nngp"]
    relative = spectra.smallest / spectra.largest
    singular = relative <= _resolution(rows)
    expected = space.flags("has_linear_path") if base.embedding != "stem" else np.ones(len(space.names), bool)
    if (singular == expected).any():
        raise Undecided(f"{base}, {activation}: another set of DAGs is singular than those of skips only")
    return _Ranks(space, setting, singular, relative, rows)


@claim(
    "lemma-3.1",
    title="The kernel has full rank where no two rows are parallel",
    source="Lemma 3.1",
    statement="If sigma is analytic and no polynomial and no two data points are parallel, lambda_min(K^(H)) > 0, for"
    " every DAG with a path.",
    latex=r"\lambda_{\min}(K^{(H)}) > 0",
    expected="holds-conditionally",
    settings={
        "DAGs": "all of four nodes with a path",
        "data": "more rows than features",
        "activations": "erf, gelu; sin, tanh in full",
    },
    duration=8,
)
def check(context: Context) -> Evidence:
    """All DAGs on more rows than the data have dimensions, and negative controls."""
    space = complete_space(4)
    rng = context.rng()
    rows = rng.standard_normal((12, 4))  # more rows than dimensions: skips alone leave the kernel singular
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ranks = [
        _ranks(space, rows, base, activation)
        for activation in context.pick(quick=("erf", "gelu"), full=("erf", "gelu", "sin", "tanh"))
        for base in (NNGP_SETTINGS if activation == "erf" else NNGP_SETTINGS[2:3])
    ]
    smallest_full = min(float(found.relative[~found.singular].min()) for found in ranks)
    linear = space.flags("has_linear_path")
    return Evidence(
        [found.finding for found in ranks],
        summary=f"{int(linear.sum())} of {len(space.names)} DAGs have a path with a linear edge, and for all of them"
        f" the kernel has full rank"
        f" (lambda_min / lambda_max at least {smallest_full:.1e}); the other {int((~linear).sum())} are singular, but"
        f" not after a stem.",
        condition="Some path from input to output has a linear edge (a stem counts as one). A DAG of skips only has K"
        " = P^2 K_0 (P K_0 in"
        " independent), whose rank is at most the dimension of the data.",
        inside={"reading": "activation-last, stem, exact, erf", "DAGs": len(space.names)},
        outside={
            "code": "1",
            "rows": "(1, 0), (3/5, 4/5), (5/13, 12/13)",
            "det K": str(_determinant_of_input_kernel()),
            "confirmed": "exact rational arithmetic",
        },
        counterexample={"code": "1", "margin": 0.0, "confirmed": "exact rational arithmetic: det K = 0"},
        tables=[
            Table(
                "Hypotheses dropped one at a time (one linear edge)",
                ["case", "rows", "rank", "lambda_min / lambda_max", "rank is"],
                _controls(context),
            )
        ],
        key_values={found.key: KeyValue(int(found.singular.sum()), 0) for found in ranks},
        notes=[
            "ReLU is not analytic. Its f has positive Taylor coefficients of every even order, so no two parallel rows"
            " suffice there too; but of odd orders it has the first alone, so rows with their opposites become"
            " dependent beyond the dimension of the data.",
            "'No parallel data points' must exclude opposite ones: erf, sin and tanh are odd, and"
            " gelu(x) - gelu(-x) = x, so that rows with their opposites leave the kernel singular; sin(x + 1) has no"
            " such symmetry, and full rank.",
        ],
    )
