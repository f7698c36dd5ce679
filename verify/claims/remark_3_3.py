"""Remark 3.3: do the means of the features matter?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.finite.montecarlo import KernelEstimate, agreement
from nngp_dag.kernel import kernel_fn
from nngp_dag.reading import Setting
from verify import Context, Control, Evidence, Finding, KeyValue, Table, Undecided, claim
from verify.claims._remark_3_3_spectra import LAST, WITHOUT, effect_on_spectra
from verify.papers import CONNECTIVITY
from verify.tools.literal_networks import empirical_kernels
from verify.tools.pair_recursion import exact_gram, exact_pair
from verify.tools.settings import key
from verify.tools.spaces import ConnectedDags, complete_space, two_point_kernels

_TOLERANCE = 1e-11
_SETTINGS = (WITHOUT, LAST, Setting.make("exact", "activation-last", "stem"))
_LEVEL = 0.9999
_DAG_2 = "1_01_222"


def _without_means(space: ConnectedDags, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """K_ii [A] and K_ij [A, R] with every mean set to zero, by the recursion over pairs of nodes.

    It shares no code with the library, whose kernels have the means: a fault of either shows as a change.
    """
    pairs = np.concatenate([[1.0], two_point_kernels(space, setting).rho])  # the first: an input with itself
    found = np.array(
        [
            exact_pair(Dag.from_code(name), 1.0, pairs, 1.0, setting.order, setting.embedding, means=False)[0]
            for name in space.names
        ]
    )
    return found[:, 0], found[:, 1:]


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


def _difference(space: ConnectedDags, ours: Setting, setting: Setting) -> _Changes:
    """The library's kernels of one setting against those without means of another."""
    kernels = two_point_kernels(space, ours)
    variance, covariance = _without_means(space, setting)
    entries = np.abs(kernels.covariance - covariance).max(axis=1)
    kernel = np.maximum(entries, np.abs(kernels.variance - variance)) / variance
    gap = np.abs(kernels.gap - (variance[:, None] - covariance)).max(axis=1) / variance
    return _Changes(space, ours, kernel, gap)


def _changes(space: ConnectedDags, setting: Setting) -> _Changes:
    """The changes in one setting.

    Raises:
        Undecided: the structural conditions do not tell which DAGs are changed.
    """
    found = _difference(space, setting, setting)
    for changed, flag in ((found.kernel, "mean_meeting"), (found.gap, "mean_meeting_before_linear")):
        expected = np.zeros(len(space.names), bool)
        if setting.order == "activation-last":
            expected = space.flags(flag, setting.embedding == "stem")
        if ((changed > _TOLERANCE) != expected).any():
            raise Undecided(f"{setting}: {flag} does not tell which DAGs the means change")
    return found


def _networks(context: Context) -> list[Finding]:
    """The findings that networks of DAG#2 have, in both orders, the NNGP without means: rows of unequal norm."""
    rows = np.array([[0.7, 0.0, 0.0], [0.6, 0.8, 0.0], [0.3, 0.4, 1.2]])
    rng, width, networks = context.rng(), context.pick(quick=256, full=512), context.pick(quick=24, full=48)
    dag, findings = Dag.from_code(_DAG_2), []
    for setting in (WITHOUT, LAST):
        names = setting.order, setting.embedding, "relu"
        drawn = empirical_kernels(dag, rows, *names, width=width, networks=networks, rng=rng).nngp
        error = drawn.std(axis=0, ddof=1) / np.sqrt(networks)
        without, _ = exact_gram(dag, rows, rows, *names, means=False)
        p = agreement(KernelEstimate(drawn.mean(axis=0), error, error), without, networks).p
        findings.append(
            Finding(
                p >= (1 - _LEVEL) / 2,
                setting=setting,
                label="networks of DAG#2",
                cases=6,
                confidence=_LEVEL,
                tolerance=(1 - _LEVEL) / 2,
                worst=p,
                detail=f"p of the NNGP without means, from {networks} networks of width {width} (Bonferroni)",
                counterexample={"code": _DAG_2, "p": p} if p < (1 - _LEVEL) / 2 else None,
            )
        )
    return findings


def _controls(space: ConnectedDags, last: _Changes) -> list[Control]:
    """The condition under which the statement is true, and another omission, which matters without means too."""
    apart = ~space.flags("mean_meeting")
    codes = [name for name, kept in zip(space.names, apart, strict=True) if kept]
    within = replace(last, space=replace(space, names=tuple(codes)), kernel=last.kernel[apart], gap=last.gap[apart])
    # Its NNGP does not depend on the order.
    independent = _difference(space, Setting.make("independent", "activation-last", "gaussian"), WITHOUT)
    return [
        Control.keeps(
            "In activation-last the means change no kernel in which no two of them meet.", within.findings()[0]
        ),
        Control.rejects(
            "In activation-first leaving out the covariances of branches (the paper's recursion) changes no kernel.",
            independent.findings()[0],
            f"it changes the kernel of {independent.counts[0]} of {len(space.names)} DAGs",
        ),
    ]


@claim(
    "remark-3.3",
    title="The mean b is constant and does not affect the analysis",
    paper=CONNECTIVITY,
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
    """Exact kernels with means (the library) and without (the reference): the DAGs that change, and in what."""
    space = complete_space(4)
    changes = [_changes(space, setting) for setting in _SETTINGS]
    spectra = effect_on_spectra(context, space)
    findings = [finding for change in changes for finding in change.findings()]
    (_, last, stem) = (change.counts for change in changes)
    return Evidence(
        [*findings, *_networks(context), spectra.finding],
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
            "reading": str(LAST),
            "what": "K_ii - K_ij",
        },
        counterexample={
            "margin": float(changes[1].kernel.max()),
            "confirmed": "two routes (claim exact-recursion) and networks",
        },
        controls=_controls(space, changes[1]),
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
