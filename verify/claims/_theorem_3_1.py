"""Eq. 3 against networks, with each choice of what is trained: shared by the claims of Theorem 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.reading import Reading
from verify import Control, Finding
from verify.tools.descent import LiteralNetworks
from verify.tools.literal import EQUATIONS
from verify.tools.residual_bound import DECAY, BoundedRuns, run_bounded, spectra
from verify.tools.spaces import complete_space

_FURTHER = ("2_02_112", "1_12_002", "1_11_211")
"""DAGs beside those of Figure 3: with a skip edge, one of which Eq. 12 is not true, and one whose copies of the input
outweigh what is trained."""

_ERF_C = 1 / (2 / np.pi * np.arcsin(2 / 3))
_STRICTER = 2.0
"""The controls' bound falls this many times as fast as the slowest direction of the infinitely wide network."""


__all__ = ["COLUMNS", "MeasuredReading", "TrainedCase", "at_infinite_width", "infinite", "measure"]

COLUMNS = (
    "reading",
    "activation",
    "DAG",
    "lambda_min NNGP",
    "of what is followed",
    "eta lambda_min / 2",
    "F",
    "runs above the bound",
)


@dataclass(frozen=True)
class TrainedCase:
    """One reading: activation, what is trained and which learning rate."""

    label: str
    activation: str
    trained: str
    theorem_rate: bool = False


@dataclass(frozen=True)
class MeasuredReading:
    """A reading with its runs."""

    case: TrainedCase
    runs: BoundedRuns

    def finding(self, factor: float | np.ndarray = 1.0) -> Finding:
        """The outcome for the bound with lambda_min times `factor`: of the claim itself, and of its control."""
        exceeding = self.runs.exceeding(factor)
        holds = False if exceeding.any() else True if self.runs.decayed else None
        failing = [dag.to_code() for dag, found in zip(self.runs.spectra.dags, exceeding, strict=True) if found.any()]
        return Finding(
            holds,
            setting=Reading.make("activation-last", "gaussian", self.case.activation),
            method="networks",
            label=self.case.label,
            cases=exceeding.size,
            tolerance=1e-4,
            worst=self.runs.slack,
            detail=f"{int(exceeding.sum())} of {exceeding.size} runs exceed the bound"
            + (f" ({', '.join(failing)})" if failing and len(failing) < len(exceeding) else "")
            + f"; {self.runs.residuals.shape[-1] - 1} steps, in which each DAG's bound falls by {DECAY:g} or more",
        )

    @property
    def control(self) -> Control:
        """The bound with a rate that the slowest direction is known not to have."""
        factor = _STRICTER * self.runs.spectra.largest_factor(self.runs.rates)
        return Control.rejects(
            f"{self.case.label}, {self.case.activation}: Eq. 3 with {_STRICTER:g} times the decay of the slowest"
            f" direction of the infinitely wide network, that is with {factor.min():.1f} to {factor.max():.1f} times"
            " lambda_min.",
            self.finding(factor),
        )

    def keeping(self) -> Control:
        """The bound with half of the decay of the slowest direction: true, and must not be found exceeded."""
        factor = self.runs.spectra.largest_factor(self.runs.rates) / _STRICTER
        return Control.keeps(
            f"{self.case.label}: Eq. 3 with lambda_min replaced by what the slowest direction decays by, over"
            f" {_STRICTER:g}.",
            self.finding(factor),
        )

    def rows(self) -> list[list[object]]:
        """One row of the table per DAG."""
        found, rates = self.runs.spectra, self.runs.rates
        guaranteed, factors = rates * found.nngp_min / 2, found.largest_factor(rates)
        return [
            [
                self.case.label,
                self.case.activation,
                dag.to_code(),
                found.nngp_min[i],
                found.kernel_min[i],
                guaranteed[i],
                factors[i],
                int(self.runs.exceeding()[i].sum()),
            ]
            for i, dag in enumerate(found.dags)
        ]


def measure(case: TrainedCase, x: np.ndarray, width: int, seeds: Sequence[int]) -> MeasuredReading:
    """Run one reading."""
    dags = [Dag.from_code(code) for code in (*(code for code, *_ in EQUATIONS.values()), *_FURTHER)]
    c = {"relu": 2.0, "erf": _ERF_C}[case.activation]
    found = spectra(dags, x, case.trained, case.activation)
    nets = LiteralNetworks(dags, x, width, seeds, case.activation, c)
    return MeasuredReading(
        case, run_bounded(found, nets, found.theorem if case.theorem_rate else found.stable, case.trained)
    )


def at_infinite_width(x: np.ndarray, trained: str) -> tuple[int, int, str]:
    """The DAGs of four nodes whose slowest direction breaks the bound in the limit of small eta, their total, and the
    one with the fewest edges.

    The bound is true of every residual exactly if (1 - eta mu)^2 <= 1 - eta lambda_min / 2 for each eigenvalue mu; for
    small eta that is 4 mu >= lambda_min.
    """
    space = complete_space(4)
    distinct = {Dag.from_code(name).pruned() for name in space.names}
    dags = sorted(distinct, key=lambda dag: (len(list(dag.edges())), dag.num_nodes, dag.to_code()))
    found = spectra(dags, x, trained)
    fails = 4 * found.kernel_min < found.nngp_min * (1 - 1e-9)
    return int(fails.sum()), len(dags), dags[int(np.argmax(fails))].to_code() if fails.any() else ""


def infinite(trained: str, failing: int, total: int) -> Finding:
    return Finding(
        failing == 0,
        setting=Reading.make("activation-last", "gaussian"),
        method="infinite width",
        label=f"{trained} trained, eta to 0",
        cases=total,
        tolerance=1e-9,
        detail=f"{failing} of {total} distinct DAGs of four nodes fail",
    )
