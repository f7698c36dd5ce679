"""Remark 3.3: do the means of the features matter?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel import kernel_fn
from nngp_dag.reading import Setting
from verify import Context, Evidence, Finding, KeyValue, Points, Series, Table, Undecided, claim
from verify.tools.data import space_spectra
from verify.tools.pair_recursion import exact_pair
from verify.tools.settings import key
from verify.tools.spaces import ConnectedDags, complete_space, two_point_kernels

_TOLERANCE = 1e-11
_WITHOUT = Setting.make("exact", "activation-first", "gaussian")
_LAST = Setting.make("exact", "activation-last", "gaussian")
_SETTINGS = (_WITHOUT, _LAST, Setting.make("exact", "activation-last", "stem"))


def _without_means(space: ConnectedDags, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """K_ii [A] and K_ij [A, R] with every mean set to zero: activation-first differs from activation-last in nothing
    else.
    """
    if setting.embedding != "stem":
        kernels = two_point_kernels(space, _WITHOUT)
        return kernels.variance, kernels.covariance
    rho = two_point_kernels(space, setting).rho
    pairs = np.concatenate([[1.0], rho])  # the first is the pair of an input with itself
    found = [
        exact_pair(Dag.from_code(name), 1.0, pairs, 1.0, setting.order, setting.embedding, means=False)[0]
        for name in space.names
    ]
    return np.array(found)[:, 0], np.array(found)[:, 1:]


@dataclass(frozen=True)
class _Changes:
    """The changes that the means make to the kernel and to K_ii - K_ij, relative to K_ii without them, [A] each."""

    space: ConnectedDags
    setting: Setting
    kernel: np.ndarray
    gap: np.ndarray

    @property
    def counts(self) -> tuple[int, int]:
        """The numbers of DAGs whose kernel, and K_ii - K_ij, they change."""
        return int((self.kernel > _TOLERANCE).sum()), int((self.gap > _TOLERANCE).sum())

    @property
    def row(self) -> list[object]:
        """The changes as a row of the table."""
        return [str(self.setting), *self.counts, float(self.kernel.max()), float(self.gap.max())]

    def findings(self) -> list[Finding]:
        """The findings that they change neither of any DAG."""
        return [
            self._finding(self.kernel, "kernel", "the kernel"),
            self._finding(self.gap, "K_ii - K_ij", "K_ii - K_ij"),
        ]

    def _finding(self, changed: np.ndarray, label: str, words: str) -> Finding:
        count, code = int((changed > _TOLERANCE).sum()), self.space.smallest(changed > _TOLERANCE)
        return Finding(
            count == 0,
            setting=self.setting,
            label=label,
            cases=len(changed),
            tolerance=_TOLERANCE,
            worst=float(changed.max()),
            detail=f"the means change {words} of {count} of {len(changed)} DAGs",
            counterexample={"code": code, "margin": float(changed.max())} if code else None,
        )


def _changes(space: ConnectedDags, setting: Setting) -> _Changes:
    """The changes in one setting.

    Raises:
        Undecided: the structural conditions do not tell which DAGs are changed.
    """
    ours = two_point_kernels(space, setting)
    variance, covariance = _without_means(space, setting)
    kernel = np.maximum(np.abs(ours.covariance - covariance).max(axis=1), np.abs(ours.variance - variance)) / variance
    gap = np.abs(ours.gap - (variance[:, None] - covariance)).max(axis=1) / variance
    for changed, flag in ((kernel, "mean_meeting"), (gap, "mean_meeting_before_linear")):
        expected = np.zeros(len(space.names), bool)
        if setting.order == "activation-last":
            expected = space.flags(flag, setting.embedding == "stem")
        if ((changed > _TOLERANCE) != expected).any():
            raise Undecided(f"{setting}: {flag} does not tell which DAGs the means change")
    return _Changes(space, setting, kernel, gap)


@claim(
    "remark-3.3",
    title="The mean b is constant and does not affect the analysis",
    source="Remark 3.3",
    statement="Leaving out the means of the features changes neither the kernel, nor K_ii - K_ij, nor the smallest"
    " eigenvalue, of any DAG.",
    latex=r"b^{(l)}_i = \text{const} \;\Rightarrow\; K^{(H)} \text{ and } \lambda_{\min}(K^{(H)}) \text{ unchanged}",
    expected="holds-conditionally",
    settings={
        "DAGs": "all of four nodes with a path",
        "rows": "two unit rows; rows of real data",
        "activation": "relu",
    },
    duration=4,
)
def check(context: Context) -> Evidence:
    """Exact kernels with and without means; which DAGs change, and in what."""
    space = complete_space(4)
    changes = [_changes(space, setting) for setting in _SETTINGS]
    spectra = _spectra(context, space)
    findings = [finding for change in changes for finding in change.findings()]
    (_, last, stem) = (change.counts for change in changes)
    return Evidence(
        [*findings, spectra.finding],
        summary="Activation-first: features have mean zero and nothing changes. Activation-last: the means change the"
        f" kernel of {last[0]} of {len(space.names)} DAGs ({stem[0]} with a stem), K_ii - K_ij of {last[1]}"
        f" ({stem[1]}). {spectra.words}",
        condition="Means change the kernel exactly where skip paths bring the features of two different linear edges"
        " (a stem is one) to one node, in"
        " activation-last. On unit rows they then add the same constant to every entry, which leaves K_ii - K_ij"
        " alone, unless a"
        " linear edge leaves such a node: only then the bound of Lemma 3.3 changes. On rows of different norms b is"
        " not constant.",
        inside={"reading": findings[0].name(), "DAGs": len(space.names)},
        outside={
            "code": space.smallest(changes[1].gap > _TOLERANCE),
            "reading": str(_LAST),
            "what": "K_ii - K_ij",
        },
        counterexample={"margin": float(changes[1].kernel.max()), "confirmed": "by two routes (claim exact-recursion)"},
        tables=[
            Table(
                f"DAGs of {len(space.names)} that the means change",
                [
                    "reading",
                    "kernel",
                    "K_ii - K_ij",
                    "largest change of the kernel",
                    "largest change of K_ii - K_ij",
                ],
                [change.row for change in changes],
            ),
            spectra.table,
            _norms(),
        ],
        plots=[spectra.plot],
        key_values=_key_values(changes) | spectra.key_values,
    )


def _key_values(changes: list[_Changes]) -> dict[str, KeyValue]:
    values = {}
    for change in changes:
        values[f"kernel changed, {key(change.setting)}"] = KeyValue(change.counts[0], 0)
        values[f"K_ii - K_ij changed, {key(change.setting)}"] = KeyValue(change.counts[1], 0)
    return values


@dataclass(frozen=True)
class _Spectra:
    """The smallest and largest eigenvalues with means over those without, on real data.

    Attributes:
        ratios: by class of DAGs, their number, lambda_min least and most, lambda_max most, each minus one.
        worst: the largest change of lambda_min.
        data: the rows in words.
    """

    ratios: dict[str, tuple[int, float, float, float]]
    worst: float
    num_dags: int
    data: str
    plot: Points

    @property
    def finding(self) -> Finding:
        """The finding that the means do not change the smallest eigenvalue."""
        return Finding.agreement(
            self.worst,
            tolerance=1e-7,
            cases=self.num_dags,
            setting=_LAST,
            label="smallest eigenvalue on data",
            detail=f"relative change over {self.data}",
        )

    @property
    def words(self) -> str:
        """A sentence for the summary."""
        _, (_, low, high, most), (_, low_inner, high_inner, most_inner) = self.ratios.values()
        return (
            f"On {self.data} the smallest eigenvalue changes by {low:+.1%} to {high:+.1%} where no linear edge follows,"
            f" by {low_inner:+.1%} to {high_inner:+.1%} where one does; the largest grows by up to {most:.0%} and"
            f" {most_inner:.0%}."
        )

    @property
    def table(self) -> Table:
        """The ratios."""
        return Table(
            f"Eigenvalues with means over those without, minus one, {self.data}",
            ["DAGs in which", "count", "lambda_min, least", "lambda_min, most", "lambda_max, most"],
            [[words, *values] for words, values in self.ratios.items()],
        )

    @property
    def key_values(self) -> dict[str, KeyValue]:
        """The largest changes of lambda_min."""
        return {
            f"lambda_min, most, {words}": KeyValue(most, 1e-6, 1e-9) for words, (_, _, most, _) in self.ratios.items()
        }


def _spectra(context: Context, space: ConnectedDags) -> _Spectra:
    """The eigenvalues of every DAG with and without means (activation-last, gaussian)."""
    data = context.rows(40)
    with_means = space_spectra(space, data, _LAST)["nngp"]
    without = space_spectra(space, data, _WITHOUT)["nngp"]
    small, large = with_means.smallest / without.smallest - 1, with_means.largest / without.largest - 1
    meeting, inner = space.flags("mean_meeting"), space.flags("mean_meeting_before_linear")
    full = space.flags("has_linear_path") | (data.shape[1] >= len(data))
    classes = {
        "no means meet": ~meeting,
        "they meet, and no linear edge follows": meeting & ~inner,
        "a linear edge follows": inner,
    }
    ratios = {
        words: (
            int(flag.sum()),
            float(small[flag & full].min()),
            float(small[flag & full].max()),
            float(large[flag].max()),
        )
        for words, flag in classes.items()
    }
    dots = [
        Series(words, with_means.largest[flag].tolist(), (1 + small)[flag].tolist()) for words, flag in classes.items()
    ]
    plot = Points("lambda_min with means over without", dots, x="lambda_max", y="ratio of lambda_min")
    worst = float(np.abs(small[full]).max())
    return _Spectra(ratios, worst, len(space.names), f"{len(data)} rows of {context.data}", plot)


def _norms() -> Table:
    """DAG#2 on two rows of different norms: what the means add is no constant."""
    rows = np.array([[1.0, 0.0], [0.6, 0.8], [1.2, 1.6]])
    dag = Dag.from_code("1_01_222")
    last, first = (
        np.asarray(kernel_fn(dag, order=order)(rows, get="nngp")) for order in ("activation-last", "activation-first")
    )
    added = last - first
    return Table(
        "What means add to DAG#2 (1_01_222) on rows of norms 1, 1, 2: 6/pi = 1.90986 times the product of norms",
        ["row", "1", "2", "3"],
        [[i + 1, *map(float, line)] for i, line in enumerate(added)],
    )
