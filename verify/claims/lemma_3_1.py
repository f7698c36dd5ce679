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
from nngp_dag.spectrum.certification import certify_kernels
from verify import Context, Control, Evidence, Finding, KeyValue, Proof, Table, Undecided, claim
from verify.papers import CONNECTIVITY
from verify.tools.settings import NNGP_SETTINGS, key, with_activation
from verify.tools.spaces import ConnectedDags, complete_space, swept

_PLANE = ((Fraction(1), Fraction(0)), (Fraction(3, 5), Fraction(4, 5)), (Fraction(5, 13), Fraction(12, 13)))
"""Three unit rows in the plane, no two of them parallel."""

_N = 12
_CLEAR = 100.0
_MORE = (
    *((base, "erf") for base in (*NNGP_SETTINGS[:2], NNGP_SETTINGS[3])),
    *((base, name) for base in NNGP_SETTINGS[2:] for name in ("sin", "tanh")),
)
"""Settings and activations of the full profile."""

_PROOF = Proof.written("lemma-3.1")
_NEAR = "nearly parallel pairs"


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
    """lambda_min / lambda_max of the exact NNGP, and how many eigenvalues are above the resolution."""
    k = np.asarray(kernel_fn(Dag.from_code(dag), activation=activation)(rows, get="nngp"))
    eigenvalues = np.linalg.eigvalsh(k)
    return float(eigenvalues[0] / eigenvalues[-1]), int((eigenvalues > _resolution(len(k)) * eigenvalues[-1]).sum())


def _hypotheses(context: Context) -> list[list[object]]:
    """Rows and activations that miss a hypothesis, one at a time: parallel rows, polynomials, ReLU."""
    rng = context.rng()
    few = rng.standard_normal((_N, 3))
    few /= np.linalg.norm(few, axis=1, keepdims=True)
    antipodal = np.concatenate([few[: _N // 2], -few[: _N // 2]])
    duplicated = np.concatenate([few[: _N - 2], few[:2]])
    cases: list[tuple[str, np.ndarray, str | Activation, bool]] = [
        ("erf, no two rows parallel", few, "erf", True),
        ("erf, two rows repeated", duplicated, "erf", False),
        ("erf, rows with their opposites", antipodal, "erf", False),
        ("gelu, rows with their opposites", antipodal, "gelu", False),
        ("sin(x + 1), rows with their opposites", antipodal, _shifted_sine(), True),
        ("identity (a polynomial), rows of dimension 3", few, "identity", False),
        ("x^2 (a polynomial), rows of dimension 3", few, _square(), False),
        ("relu, no two rows parallel", few, "relu", True),
        ("relu, rows of dimension 3 with their opposites", antipodal, "relu", False),
    ]
    table: list[list[object]] = []
    for words, rows, activation, expected in cases:
        smallest, rank = _relative_rank("2", rows, activation)
        if (rank == _N) != expected:
            raise Undecided(f"{words!r}: rank {rank} of {_N}")
        table.append([words, _N, rank, smallest, "full" if expected else "deficient"])
    return table


def _data_sets(context: Context) -> dict[str, np.ndarray]:
    """Rows [N, d] of which no two are parallel, all of the same shape (zeros at the end), that programs serve them all.

    Where the data have fewer dimensions than rows, skips alone leave the kernel singular.
    """
    real = context.rows(_N)
    rng = context.rng()
    random = rng.standard_normal((_N, 4))
    near = rng.standard_normal((_N // 2, 4))
    near = np.concatenate([near, near + 0.01 * rng.standard_normal(near.shape)])
    angles = np.pi * np.arange(_N) / (_N + 1)
    plane = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    found = {"random": random, _NEAR: near, "directions in the plane": plane}
    sets = {words: np.pad(rows, ((0, 0), (0, real.shape[1] - rows.shape[1]))) for words, rows in found.items()}
    sets = {words: rows / np.linalg.norm(rows, axis=1, keepdims=True) for words, rows in sets.items()}
    return {**sets, context.data: real}


def _resolution(n: int) -> float:
    """The largest lambda_min / lambda_max that may be rounding."""
    return n * float(np.finfo(float).eps)


def _full_rank(
    relative: np.ndarray, setting: Setting, label: str = "", codes: tuple[str, ...] = (), proof: Proof | None = None
) -> Finding:
    """The finding that no lambda_min / lambda_max [data sets, DAGs] is zero: rounding, or below `_CLEAR` times that.

    Undecided where one is in between.
    """
    smallest, resolution = float(relative.min()), _resolution(_N)
    singular = (relative <= resolution).any(axis=0)
    holds = True if smallest > _CLEAR * resolution else False if singular.any() else None
    return Finding(
        holds,
        setting=setting,
        label=label,
        proof=proof if holds else None,
        cases=relative.size,
        tolerance=_CLEAR * resolution,
        worst=smallest,
        detail=f"{int(singular.sum())} of {relative.shape[1]} DAGs singular on some of {len(relative)} data sets; zero"
        f" is at most {resolution:.1e} of lambda_max",
        counterexample={"code": codes[int(np.flatnonzero(singular)[0])]} if codes and singular.any() else None,
    )


@dataclass(frozen=True)
class _Ranks:
    """lambda_min / lambda_max of each DAG of a space in a setting, on each data set [S, A]."""

    space: ConnectedDags
    setting: Setting
    relative: np.ndarray

    @property
    def key(self) -> str:
        """The name of the key value."""
        return f"singular, {key(self.setting)}, {self.setting.activation.name}"

    @property
    def singular(self) -> int:
        """The number of DAGs that are singular on some data set."""
        return int((self.relative <= _resolution(_N)).any(axis=0).sum())

    def finding(self) -> Finding:
        """The finding that every DAG has full rank; of an analytic activation after a stem it is proved."""
        return _full_rank(self.relative, self.setting, codes=self.space.names, proof=_PROOF)

    def of(self, dags: np.ndarray, label: str) -> Finding:
        """The finding for chosen DAGs, bool [A]."""
        return _full_rank(self.relative[:, dags], self.setting, label)


def _kernels(space: ConnectedDags, rows: np.ndarray, setting: Setting) -> np.ndarray:
    """The NNGP of every DAG, [A, N, N]."""
    found = np.empty((len(space.names), len(rows), len(rows)))
    for index, kernels in swept(space, rows, setting, ("nngp",)):
        found[index] = kernels.nngp
    return found


def _relative(kernels: np.ndarray) -> np.ndarray:
    """lambda_min / lambda_max of matrices [A, N, N]."""
    eigenvalues = np.linalg.eigvalsh(kernels)
    return np.asarray(eigenvalues[:, 0] / eigenvalues[:, -1])


def _ranks(space: ConnectedDags, sets: dict[str, np.ndarray], setting: Setting) -> _Ranks:
    """The ranks of all DAGs in one setting.

    Raises:
        Undecided: another set of DAGs is singular than those of skips only, on data that are singular themselves.
    """
    relative = np.array([_relative(_kernels(space, rows, setting)) for rows in sets.values()])
    skips = ~space.flags("has_linear_path") & (setting.embedding != "stem")
    for (words, rows), found in zip(sets.items(), relative, strict=True):
        expected = skips & (np.linalg.matrix_rank(rows) < len(rows))
        if ((found <= _resolution(_N)) != expected).any():
            raise Undecided(f"{setting}, {words}: another set of DAGs is singular than those of skips only")
    return _Ranks(space, setting, relative)


def _by_intervals(space: ConnectedDags, sets: dict[str, np.ndarray], setting: Setting) -> Finding:
    """The finding that lambda_min > 0 is proved of every DAG with a linear edge on a path (any DAG after a stem)."""
    chosen = space.flags("has_linear_path") | (setting.embedding == "stem")
    dags = {Dag.from_code(space.names[i]).pruned() for i in np.flatnonzero(chosen)}
    ratios = []
    for dag in sorted(dags, key=Dag.to_code):
        for rows in sets.values():
            found = certify_kernels(dag, rows, setting, ("nngp",), normalize=True)["nngp"]
            ratios.append(found.lambda_min[0] / found.lambda_max[1])
    proved = min(ratios) > 0
    return Finding(
        True if proved else None,
        setting=setting,
        label="a linear edge on a path, proved eigenvalues",
        proof=_PROOF if proved else None,
        cases=len(ratios),
        tolerance=0.0,
        worst=min(ratios),
        detail=f"the least proved lambda_min over lambda_max, of {len(dags)} distinct DAGs on {', '.join(sets)}",
    )


def _controls(space: ConnectedDags, ranks: list[_Ranks], rows: np.ndarray) -> list[Control]:
    """Kernels that are singular and must come out so, by the same criterion; and where the lemma is true.

    Args:
        space: all DAGs.
        ranks: of each setting.
        rows: of which no two are parallel.
    """
    linear, setting = space.flags("has_linear_path"), ranks[0].setting
    base = _kernels(space, rows, setting)[linear]
    values, vectors = np.linalg.eigh(base)
    repeated = np.concatenate([rows[:-1], rows[:1]])
    kept = min((found.of(linear, "a linear edge on a path") for found in ranks), key=lambda f: f.worst or 0.0)

    def with_smallest(value: float) -> Finding:
        """The kernels with their smallest eigenvalue replaced by `value` times the largest."""
        changed = np.concatenate([value * values[:, -1:], values[:, 1:]], axis=1)
        matrices = (vectors * changed[:, None, :]) @ np.swapaxes(vectors, 1, 2)
        return _full_rank(_relative((matrices + np.swapaxes(matrices, 1, 2)) / 2)[None], setting)

    one_edge = kernel_fn(Dag.from_code("2"), activation="identity")(rows, get="nngp")
    return [
        Control.keeps("DAGs that have a path with a linear edge have full rank, in all settings.", kept),
        Control.rejects(
            "One row may be the same as another.",
            _full_rank(_relative(_kernels(space, repeated, setting)[linear])[None], setting),
        ),
        Control.rejects(
            "The activation may be linear (one linear edge).",
            _full_rank(_relative(np.asarray(one_edge)[None])[None], with_activation(setting, "identity")),
        ),
        Control.rejects("These kernels with their smallest eigenvalue set to 0 have full rank.", with_smallest(0.0)),
        Control.keeps(
            "These kernels with their smallest eigenvalue set to 1e-12 of the largest have full rank.",
            with_smallest(1e-12),
        ),
    ]


@claim(
    "lemma-3.1",
    title="The kernel has full rank where no two rows are parallel",
    paper=CONNECTIVITY,
    source="Lemma 3.1",
    statement="If sigma is analytic and no polynomial and no two data points are parallel, lambda_min(K^(H)) > 0, for"
    " every DAG with a path.",
    latex=r"\lambda_{\min}(K^{(H)}) > 0",
    expected="holds-conditionally",
    settings={
        "DAGs": "all of four nodes with a path",
        "data": "12 rows: random of dimension 4, nearly parallel, in the plane, real",
        "activations": "erf, gelu; sin, tanh in full",
    },
    duration=9,
)
def check(context: Context) -> Evidence:
    """All DAGs on more rows than the data have dimensions, and negative controls."""
    space, sets = complete_space(4), _data_sets(context)
    ranks = [
        _ranks(space, sets, with_activation(base, activation))
        for base, activation in (
            (NNGP_SETTINGS[2], "erf"),
            (NNGP_SETTINGS[3], "gelu"),
            *context.pick(quick=(), full=_MORE),
        )
    ]
    linear = space.flags("has_linear_path")
    controls = _controls(space, ranks, sets["random"])
    hardest = {words: sets[words] for words in (_NEAR, context.data)}
    proved = [_by_intervals(space, hardest, found.setting) for found in ranks[:2]]
    return Evidence(
        [*(found.finding() for found in ranks), *proved],
        summary=f"{int(linear.sum())} of {len(space.names)} DAGs have a path with a linear edge, and for all of them"
        f" the kernel has full rank on {len(sets)} data sets"
        f" (lambda_min / lambda_max at least {controls[0].worst:.1e}; proved on {len(hardest)} of them: at least"
        f" {min(finding.worst or 0.0 for finding in proved):.1e}); the other {int((~linear).sum())} are singular,"
        f" but not after a stem.",
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
        controls=controls,
        tables=[
            Table(
                "Hypotheses dropped one at a time (one linear edge)",
                ["case", "rows", "rank", "lambda_min / lambda_max", "rank is"],
                _hypotheses(context),
            )
        ],
        key_values={found.key: KeyValue(found.singular, 0) for found in ranks},
        notes=[
            "ReLU is not analytic. Its f has positive Taylor coefficients of every even order, so no two parallel rows"
            " suffice there too; but of odd orders it has the first alone, so rows with their opposites become"
            " dependent beyond the dimension of the data.",
            "'No parallel data points' must exclude opposite ones: erf, sin and tanh are odd, and"
            " gelu(x) - gelu(-x) = x, so that rows with their opposites leave the kernel singular; sin(x + 1) has no"
            " such symmetry, and full rank.",
        ],
    )
