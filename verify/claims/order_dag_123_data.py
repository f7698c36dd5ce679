"""The order of the three DAGs for whole kernels on real data: NNGP and NTK, raw, scale-free, and by condition
number, by proved eigenvalues.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.reading import Setting
from verify import Context, Control, Evidence, Finding, KeyValue, Lines, Proof, Series, Table, claim
from verify.framework.needs import Statement, Together, setting_of
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY
from verify.tools.certified import QUANTITIES, CertifiedKernel, certified_kernels, in_order, kernel_among, middle
from verify.tools.literal import EQUATIONS
from verify.tools.settings import DATA_SETTINGS, key

_CODES = tuple(code for code, *_ in EQUATIONS.values())


@dataclass(frozen=True)
class _Comparison:
    """The proved spectra of one kernel of the three DAGs in one setting."""

    setting: Setting
    kernel: str
    kernels: tuple[CertifiedKernel, ...]

    def values(self, words: str) -> list[float]:
        """One of the quantities of each DAG."""
        return [middle(QUANTITIES[words](found.statement)) for found in self.kernels]

    def findings(self) -> list[Finding]:
        """The findings that each quantity is ordered as claimed."""
        return [self.finding(words) for words in QUANTITIES]

    def finding(self, words: str) -> Finding:
        """The finding that one quantity is ordered as claimed: whether its enclosures are."""
        first, second, third = self.values(words)
        shown = ", ".join(f"{value:.4g}" for value in (first, second, third))
        holds = in_order([QUANTITIES[words](found.statement) for found in self.kernels])
        return Finding(
            holds,
            setting=self.setting,
            label=f"{self.kernel.upper()}, {words}",
            proof=None if holds is None else Proof.by_certificates(*(found.certificate for found in self.kernels)),
            cases=2,
            worst=min(second / first - 1, third / second - 1),
            detail=f"{_ranking([first, second, third])}: {shown}",
        )

    def rows(self) -> list[list[object]]:
        """One row of the table per quantity."""
        return [
            [str(self.setting), self.kernel.upper(), words, *self.values(words), _ranking(self.values(words))]
            for words in QUANTITIES
        ]

    def key_values(self) -> dict[str, KeyValue]:
        """The smallest eigenvalues."""
        return {
            f"{self.kernel} lambda_min, {name}, {key(self.setting)}": KeyValue(value, 1e-6)
            for name, value in zip(EQUATIONS, self.values("lambda_min"), strict=True)
        }

    def plot(self, data: str) -> Lines:
        """The three spectra."""
        series = [
            Series(f"DAG#{i}", list(range(1, len(k.eigenvalues) + 1)), k.eigenvalues[::-1].tolist())
            for i, k in enumerate(self.kernels, start=1)
        ]
        title = f"Spectra: {self.kernel.upper()}, {self.setting.order}, {data}"
        return Lines(title, series, x="index", y="eigenvalue", yscale="log")


def _width(comparisons: Sequence[_Comparison]) -> float:
    """The largest width of an interval of lambda_min over its lower end."""
    intervals = [found.statement.least for comparison in comparisons for found in comparison.kernels]
    return max(high / low - 1 for low, high in intervals)


def _ranking(values: list[float]) -> str:
    return " < ".join(f"#{i + 1}" for i in np.argsort(values))


def _comparisons(context: Context, rows: np.ndarray, setting: Setting) -> list[_Comparison]:
    """NNGP and NTK of the three DAGs on rows [N, d]."""
    found = [certified_kernels(context, rows, code, setting) for code in _CODES]
    return [_Comparison(setting, name, tuple(kernels[name] for kernels in found)) for name in ("nngp", "ntk")]


def _needs(reading: FindingRecord) -> list[Together]:
    """The kernel of each DAG on the same rows, whose intervals have the order that the reading says, or have it not."""
    kernel, _, words = reading["label"].partition(", ")
    setting, kernel = setting_of(reading), kernel.lower()

    def follows(statements: Sequence[Statement]) -> bool:
        first, second, third = (kernel_among(statements, code, setting, kernel) for code in _CODES)
        return any(
            in_order([QUANTITIES[words](of[rows]) for of in (first, second, third)]) is reading["holds"]
            for rows in first
            if rows in second and rows in third
        )

    return [Together(f"the {reading['label']} of the three DAGs on the same rows, ordered as it says", follows)]


_AGAINST = np.array([(2, -3), (-3, -2), (2, 1), (-1, 2)]) / np.sqrt([[13], [13], [5], [5]])
"""Unit rows on which order-n-rows proves that lambda_min(DAG#2) > lambda_min(DAG#3) in independent."""


def _controls(context: Context, comparisons: Sequence[_Comparison]) -> list[Control]:
    """The order on rows that are proved to be against it, and the order turned round on the data."""
    words = "lambda_min"
    against = _comparisons(context, _AGAINST, DATA_SETTINGS[0])[0]
    turned = [
        dataclasses.replace(found, kernels=found.kernels[::-1]) for found in comparisons if found.kernel == "nngp"
    ]
    outcomes = [found.finding(words) for found in turned]
    return [
        Control.rejects(
            "lambda_min is ordered on the rows (2,-3) (-3,-2) (2,1) (-1,2) in independent.", against.finding(words)
        ),
        Control.rejects(
            "On the data lambda_min of the NNGP is ordered DAG#3 < DAG#2 < DAG#1 in some reading.",
            max(outcomes, key=lambda finding: finding.worst or 0.0),
        ),
    ]


@claim(
    "order-dag-123-data",
    title="lambda_min of whole kernels is ordered DAG#1 < DAG#2 < DAG#3 on real data",
    paper=CONNECTIVITY,
    source="Section 3.3, conclusion",
    statement="On real data the smallest eigenvalues of the N x N kernels (NNGP and NTK) are ordered DAG#1 < DAG#2 <"
    " DAG#3; likewise divided by"
    " the mean diagonal, and the inverse condition numbers.",
    latex=r"\lambda_{\min}(K_{\text{DAG\#1}}) < \lambda_{\min}(K_{\text{DAG\#2}}) < \lambda_{\min}(K_{\text{DAG\#3}})",
    expected="holds-conditionally",
    settings={"data": "real data, N = 64 (256 in the full profile)", "kernels": "NNGP and NTK"},
    duration=4,
    needs=_needs,
)
def check(context: Context) -> Evidence:
    """Six readings, both kernels, three scalings."""
    rows = context.rows(context.pick(quick=64, full=256))
    comparisons = [found for setting in DATA_SETTINGS for found in _comparisons(context, rows, setting)]
    findings = [finding for comparison in comparisons for finding in comparison.findings()]
    raw = [r for r in findings if r.label.endswith("lambda_min")]
    scaled = [r for r in findings if not r.label.endswith("lambda_min")]
    yes, no = next(r for r in findings if r.holds), next((r for r in findings if r.holds is False), None)
    return Evidence(
        findings,
        summary=f"On {len(rows)} rows of {context.data} the order is true in {sum(r.holds is True for r in raw)} of"
        f" {len(raw)} readings for"
        f" lambda_min as it is, and in {sum(r.holds is True for r in scaled)} of {len(scaled)} with the scale taken"
        f" out; every one proved by intervals, the widest {_width(comparisons):.0e} of its eigenvalue.",
        condition="No scale is a condition for it. Proved on the raw scale is the order of two rows' eigenvalues"
        " (order-dag-123), and so of the pairwise bounds of Lemma 3.3 on any rows; that of lambda_min of N rows is not"
        " one of all rows (order-n-rows has rows against it, in the paper's own recursion). Which readings have it on"
        " these rows is proved, reading by reading, as the table says.",
        inside={"reading": yes.name(), "margin": yes.worst},
        outside=None if no is None else {"reading": no.name(), "order": no.detail},
        certificates=[found.certificate for comparison in comparisons for found in comparison.kernels],
        controls=_controls(context, comparisons),
        tables=[
            Table(
                f"{len(rows)} rows of {context.data}",
                ["reading", "kernel", "quantity", "DAG#1", "DAG#2", "DAG#3", "order"],
                [row for comparison in comparisons for row in comparison.rows()],
            )
        ],
        plots=[
            comparison.plot(f"{len(rows)} rows of {context.data}")
            for comparison in comparisons
            if (comparison.setting.method, comparison.kernel) == ("exact", "nngp")
            and comparison.setting.embedding == "gaussian"
        ],
        key_values={name: value for comparison in comparisons for name, value in comparison.key_values().items()},
    )
