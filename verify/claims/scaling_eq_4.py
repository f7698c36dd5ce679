"""Eq. 4 of `scaling`: an initialisation by in-degrees keeps the scale of pre-activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.support.statistics import Estimate
from verify import Context, Control, Evidence, Finding, KeyValue, Proof, Table, claim
from verify.papers import SCALING
from verify.tools.first_step import Scales, by_source, by_target, complete, in_degrees, pre_activations
from verify.tools.step_networks import sample_steps
from verify.tools.topologies import all_topologies

_PROOF = Proof.written("scaling-initialisation")
_LENGTH = 4
"""Hidden vertices of the networks."""

_WIDTH = 48
"""Neurons of a vertex of the networks."""

_SKEWED = ((Fraction(2), Fraction(1, 3)), (Fraction(-1), Fraction(2, 3)))
"""A centred distribution that is not symmetric: values and their probabilities."""


def _deviation(dag: Dag, rule: Callable[[Dag], Scales]) -> Fraction:
    """The largest |E|z_t|^2 / n - 1| over hidden vertices."""
    return max(abs(value - 1) for value in pre_activations(dag, rule(dag)))


def _everywhere(dags: Sequence[Dag], rule: Callable[[Dag], Scales], label: str, words: str) -> Finding:
    """Eq. 3 for the input and the hidden vertices, in rational arithmetic."""
    missed = [dag for dag in dags if _deviation(dag, rule)]
    worst = float(max(_deviation(dag, rule) for dag in dags))
    first = missed[0] if missed else None
    return Finding(
        not missed,
        label=label,
        proof=_PROOF,
        cases=len(dags),
        tolerance=0.0,
        worst=worst,
        detail=f"{words}; missed by {len(missed)} of {len(dags)} DAGs",
        counterexample=None if first is None else {"code": first.to_code(), "margin": float(_deviation(first, rule))},
    )


def _output_too(dags: Sequence[Dag]) -> Finding:
    """Eq. 3 at the output as well: |z_out|^2 has one coordinate, of variance 1 / n by Eq. 2; the others n of them."""
    scales = [by_target(dag) for dag in dags]
    last = [dag.num_nodes - 1 for dag in dags]
    moments = [  # n E|z_out|^2
        sum((c[s, t] * q[s] / 2 for s in range(t) if (s, t) in c), Fraction(0))
        for t, c, q in zip(last, scales, map(pre_activations, dags, scales), strict=True)
    ]
    return Finding(
        all(moment / _WIDTH == _WIDTH for moment in moments),
        label="target's in-degree, all of V with the output",
        proof=_PROOF,
        cases=len(dags),
        tolerance=0.0,
        worst=float(min(abs(moment / _WIDTH - _WIDTH) for moment in moments)),
        detail=f"E|z_out|^2 = 1/n in every DAG (variance 1/n^2, by design), where E|x|^2 = n; at n = {_WIDTH}",
        counterexample={"code": dags[0].to_code(), "E|z_out|^2": float(moments[0] / _WIDTH), "E|x|^2": _WIDTH},
    )


def _skewed() -> Finding:
    """A centred input that is not symmetric: E relu(x)^2 is not E x^2 / 2."""
    second = sum(p * v * v for v, p in _SKEWED)
    passed = sum(p * max(v, Fraction(0)) ** 2 for v, p in _SKEWED)
    mean = sum(p * v for v, p in _SKEWED)
    ratio = 2 * passed / second
    return Finding(
        None if mean else bool(ratio == 1),
        label="target's in-degree, an input that is centred but not symmetric",
        proof=_PROOF,
        cases=1,
        worst=float(ratio - 1),
        tolerance=0.0,
        detail="x_i = 2 with probability 1/3, else -1: E|z_1|^2 = 4/3 E|x|^2",
        counterexample={"code": "2_02", "margin": float(ratio - 1)},
    )


def _networks(context: Context, rule: Callable[[Dag], Scales], label: str) -> tuple[Finding, Estimate]:
    """E|z_L|^2 / n of networks of the complete DAG, with an interval: at any width it is that of the recursion."""
    dag, count = complete(_LENGTH), context.pick(quick=100, full=2000)
    sample = sample_steps(dag, rule(dag), _WIDTH, count, context.rng()).scale[:, -1]
    estimate = Estimate.mean(sample, 0.999)
    narrow = estimate.high - estimate.low < 0.5 * estimate.value
    holds = (estimate.low < 1 < estimate.high) if narrow else None
    finding = Finding(
        holds,
        label=f"{label}: {count} networks of the complete DAG, L = {_LENGTH}",
        cases=count,
        confidence=0.999,
        worst=estimate.value - 1,
        detail=f"E|z_L|^2 / n = {estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}] at n = {_WIDTH}",
        counterexample=None if holds else {"code": dag.to_code(), "margin": estimate.low - 1},
    )
    return finding, estimate


def _controls(dags: Sequence[Dag], grown: Sequence[Fraction], sampled: Estimate) -> list[Control]:
    """Other factors, other growths and other conditions, which the same evidence has to reject."""

    def halved(dag: Dag) -> Scales:
        return {edge: scale / 2 for edge, scale in by_target(dag).items()}

    trees = [max(in_degrees(dag)[:-1]) == 1 for dag in dags]
    kept = [not _deviation(dag, by_source) for dag in dags]
    out = [all(sum(int(dag.op(s, t)) > 0 for t in range(s + 1, dag.num_nodes)) == 1 for s in range(1)) for dag in dags]
    return [
        Control.rejects("C = 1 / d_in of the target keeps the scale, too.", _everywhere(dags, halved, "halved", "")),
        Control.rejects(
            "By the source's in-degree E|z_L|^2 / n stays below L on complete DAGs.",
            Finding(all(value < t for t, value in enumerate(grown, 1)), cases=len(grown), detail="it is L"),
        ),
        Control.rejects(
            f"In networks, by the source's in-degree, E|z_L|^2 / n is {_LENGTH - 1}.",
            Finding(sampled.low < _LENGTH - 1 < sampled.high, cases=1, worst=sampled.value),
        ),
        Control.keeps(
            "Eq. 4 as printed keeps the scale exactly where no hidden vertex has two edges into it.",
            Finding(trees == kept, cases=len(dags), detail=f"{sum(kept)} of {len(dags)} DAGs"),
        ),
        Control.rejects(
            "Eq. 4 as printed keeps the scale exactly where the input has one edge out of it.",
            Finding(out == kept, cases=len(dags)),
        ),
    ]


@claim(
    "scaling-eq-4",
    title="Initialisation by in-degree keeps the scale of pre-activations",
    paper=SCALING,
    source="Eq. 3-4, and Eq. 12 of Appendix A",
    statement="With C = 2 / d_in the mean square of pre-activations is the same at all vertices of every DAG, on"
    " average over a centred input.",
    latex=r"C^{(\ell',\ell)} = \frac{2}{d_{in}} \;\Rightarrow\; E\|z^{(\ell)}\|^2 = E\|z^{(\ell')}\|^2",
    expected="holds-conditionally",
    settings={
        "DAGs": "all with three hidden vertices at most; four in the full profile",
        "d_in": "of the edge's source (Eq. 4, d_in of the input taken as 1) or of its target (Eq. 12)",
        "input": "symmetric; centred, but not symmetric",
        "arithmetic": "rational; networks of 48 neurons beside it",
    },
    fast=True,
    duration=2,
)
def check(context: Context) -> Evidence:
    """The recursion of Eq. 11 in rational arithmetic on every small DAG; networks of a complete DAG as witnesses."""
    dags = [dag for hidden in range(1, context.pick(quick=4, full=5)) for dag in all_topologies(hidden)]
    grown = [pre_activations(complete(length), by_source(complete(length)))[-1] for length in range(1, 41)]
    target, _ = _networks(context, by_target, "target's in-degree")
    source, sampled = _networks(context, by_source, "source's in-degree")
    findings = [
        _everywhere(dags, by_target, "target's in-degree (Eq. 12), hidden vertices", "in-degree of the target"),
        target,
        _everywhere(dags, by_source, "source's in-degree (Eq. 4), hidden vertices", "in-degree of the source"),
        source,
        _output_too(dags),
        _skewed(),
    ]
    linear = bool(np.all([value == t for t, value in enumerate(grown, 1)]))
    return Evidence(
        findings,
        summary=f"By the target's in-degree, as Appendix A derives it, E|z_t|^2 / n = 1 at every hidden vertex of all"
        f" {len(dags)} DAGs. By the source's, as Eq. 4 prints it, it is {'L' if linear else 'not L'} on complete DAGs:"
        f" {', '.join(str(grown[length - 1]) for length in (2, 4, 6, 8))} at L = 2, 4, 6, 8; networks have"
        f" {sampled:.2f} at L = {_LENGTH}.",
        condition="True of hidden vertices where d_in is that of the edge's target and the input is symmetric (written"
        " proof scaling-initialisation). By the source's it is true exactly where no hidden vertex has two edges into"
        " it; then both rules say the same. Eq. 4 also divides by the input's in-degree, 0, which is taken as 1.",
        inside={"reading": "target's in-degree", "code": complete(2).to_code(), "E|z_2|^2 / n": 1},
        outside={"reading": "source's in-degree", "code": complete(2).to_code(), "E|z_2|^2 / n": float(grown[1])},
        controls=_controls(dags, grown, sampled),
        tables=[
            Table(
                "E|z_L|^2 / n on complete DAGs",
                ["L", "source's in-degree", "target's in-degree"],
                [
                    [length, float(grown[length - 1]), float(pre_activations(d, by_target(d))[-1])]
                    for length, d in ((length, complete(length)) for length in (1, 2, 4, 6, 8))
                ],
            )
        ],
        key_values={
            "DAGs": KeyValue(len(dags)),
            "kept by the source's in-degree": KeyValue(sum(not _deviation(dag, by_source) for dag in dags)),
        },
    )
