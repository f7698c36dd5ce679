"""Eq. 5-7 of `scaling`: at a rate that does not depend on the width, the change of pre-activations has a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import stats

from nngp_dag.dag import Dag
from verify import Context, Control, Evidence, Finding, Table, claim
from verify.papers import SCALING
from verify.tools.first_step import FirstStep, Scales, by_source, by_target, chain, complete, fan_in, first_step
from verify.tools.step_networks import sample_steps

_WIDTHS = (48, 96)
_LEVEL = 0.001
"""Probability with which a true reading is rejected, over all its vertices."""

_CASES: Sequence[tuple[str, Dag, Callable[[Dag], Scales]]] = (
    ("chain, L = 3", chain(3), by_target),
    ("complete, L = 3, target's in-degree", complete(3), by_target),
    ("complete, L = 3, source's in-degree", complete(3), by_source),
    ("three branches that meet", fan_in(3), by_target),
)


@dataclass(frozen=True)
class _Measured:
    """E(Delta z)^2 / eta^2 of vertices 1..L + 1, extrapolated in 1 / n: the mean, and its standard error."""

    name: str
    mean: np.ndarray
    error: np.ndarray
    networks: int

    def against(self, predicted: FirstStep, label: str = "") -> Finding:
        """A t-test of all vertices at once; decided only where an error of a quarter would show."""
        values = np.array([float(value) for value in (*predicted.hidden, predicted.output)])
        critical = float(stats.t.isf(_LEVEL / (2 * len(values)), self.networks - 1))
        scores = np.abs(self.mean - values) / self.error
        sharp = bool((critical * self.error < 0.3 * self.mean).all())
        holds = bool(scores.max() < critical)
        shown = ", ".join(f"{found:.3g} for {value:.3g}" for found, value in zip(self.mean, values, strict=True))
        return Finding(
            (holds if sharp else None) if holds else False,
            label=label or self.name,
            cases=2 * self.networks,
            tolerance=critical,
            worst=float(scores.max()),
            confidence=1 - _LEVEL,
            detail=f"vertices 1 to L + 1, networks for limit: {shown}",
            counterexample=None if holds else {"DAG": self.name, "vertex": int(scores.argmax()) + 1},
        )


def _measure(name: str, dag: Dag, scales: Scales, networks: int, rng: np.random.Generator) -> _Measured:
    """Networks of two widths: what is of order 1 / n cancels in 2 m(2 n) - m(n)."""
    narrow, wide = (sample_steps(dag, scales, width, networks, rng) for width in _WIDTHS)
    parts = [np.column_stack([sample.hidden, sample.output]) for sample in (narrow, wide)]
    means, errors = ([getattr(part, kind)(axis=0) for part in parts] for kind in ("mean", "var"))
    error = np.sqrt((errors[0] + 4 * errors[1]) / (networks - 1))
    return _Measured(name, 2 * means[1] - means[0], error, networks)


def _chain_without_transposes(length: int) -> FirstStep:
    """A chain's moments as if W and its transpose in the gradient were independent: A_t = q_s / 2 alone."""
    return FirstStep(tuple(Fraction(1, 4) + Fraction(t, 2) for t in range(length)), Fraction(1, 4))


def _chain_of_own_gradients(length: int) -> FirstStep:
    """A chain's moments without what other neurons' gradients add: R_t = 0."""
    return FirstStep(tuple(Fraction((t + 1) ** 2, 4) for t in range(length)), Fraction(length**2, 4))


@claim(
    "scaling-recursion",
    title="The first step changes pre-activations by a limit that does not depend on the width",
    paper=SCALING,
    source="Section 3.3: Eq. 5-7, and that the rate is independent of n",
    statement="At a learning rate of the hidden weights that does not depend on the width n, E (Delta z)^2 of the first"
    " step tends to a limit at every vertex, that of a recursion over the vertices.",
    latex=r"E (\Delta z^{(t)}_i)^2 \to \eta^2 (A_t^2 \Gamma_t + R_t), \quad"
    r" A_t = \sum_s \frac{q_s}{2} + \frac{C_{st} A_s}{2}",
    expected="holds",
    settings={
        "DAGs": "a chain, complete DAGs, branches that meet",
        "networks": "48 and 96 neurons, written out in NumPy with derivatives by hand",
        "loss": "(z_out - y)^2 / 2, one row, E y = 0, Var y = 1; hidden weights are trained",
    },
    duration=3,
)
def check(context: Context) -> Evidence:
    """Eq. 5 evaluated on networks of two widths, extrapolated, against the recursion in rational arithmetic."""
    networks, rng = context.pick(quick=300, full=4000), context.rng()
    measured = [_measure(name, dag, rule(dag), networks, rng) for name, dag, rule in _CASES]
    limits = [first_step(dag, rule(dag)) for _, dag, rule in _CASES]
    findings = [found.against(limit) for found, limit in zip(measured, limits, strict=True)]
    length = chain(3).num_nodes - 2
    others = FirstStep(limits[0].hidden, limits[0].hidden[-1])
    controls = [
        Control.rejects("On the complete DAG the limit is that of the chain.", measured[1].against(limits[0])),
        Control.rejects("By the source's in-degree the limit is that of the target's.", measured[2].against(limits[1])),
        Control.rejects(
            "A matrix and its transpose in the gradient are as good as independent.",
            measured[0].against(_chain_without_transposes(length)),
        ),
        Control.rejects(
            "A neuron changes by its own gradient alone.", measured[0].against(_chain_of_own_gradients(length))
        ),
        Control.rejects("The output of a chain changes as its last hidden vertex.", measured[0].against(others)),
    ]
    worst = max(finding.worst or 0.0 for finding in findings)
    rows = [
        [found.name, "output" if t == len(limit.hidden) else t + 1, float(mean), float(error), float(value)]
        for found, limit in zip(measured, limits, strict=True)
        for t, (mean, error, value) in enumerate(
            zip(found.mean, found.error, (*limit.hidden, limit.output), strict=True)
        )
    ]
    return Evidence(
        findings,
        summary=f"Networks of {networks} draws a width have the recursion's second moments at every vertex of"
        f" {len(_CASES)} DAGs, within {worst:.1f} standard errors, and reject {len(controls)} others.",
        condition="none known: the recursion is wrong",
        counterexample={"margin": worst},
        controls=controls,
        tables=[
            Table(
                "E (Delta z)^2 / eta^2",
                ["DAG", "vertex", "networks, extrapolated", "standard error", "limit"],
                rows,
            )
        ],
    )
