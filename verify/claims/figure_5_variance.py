"""Figure 5: extreme effective depth or width goes with large variance of accuracy ("large circle size")."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy import stats

from nngp_dag.spaces import Box, get
from nngp_dag.support.statistics import Estimate
from verify import Context, Control, Evidence, Finding, KeyValue, Points, Series, Table, claim, examples
from verify.claims._figure_5_groups import COMPLETE, DATASETS, Group, load_groups, merged
from verify.papers import CONNECTIVITY

_CONFIDENCE = 0.99
_TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16_120": "ImageNet16-120"}
_EXTREMES: dict[str, Callable[[Group, Box], bool]] = {
    "d or m extreme": lambda g, box: not box.contains(g.depth, g.width),
    "d small": lambda g, box: g.depth < box.depth_min,
    "d large": lambda g, box: g.depth > box.depth_max,
    "m small": lambda g, box: g.width < box.width_min,
    "m large": lambda g, box: g.width > box.width_max,
}
_PERMUTATIONS = 400


def _spread(g: Group) -> Group:
    """A group whose values are the distances of its accuracies from their median."""
    return replace(g, mean=g.spread, variance=g.spread_variance)


def _architectures(inside: Sequence[Group], extreme: Sequence[Group], label: str, data: str) -> tuple[Finding, float]:
    """Distances from the group's median, extreme against inside (Brown and Forsythe's test in Welch's form)."""
    k, far, variance = merged(map(_spread, extreme), data)
    n, near, other = merged(map(_spread, inside), data)
    difference = Estimate.difference((far, near), (variance, other), (k, n), _CONFIDENCE)
    finding = Finding.above(
        difference,
        0,
        activation=None,
        label=label,
        cases=n + k,
        confidence=_CONFIDENCE,
        detail=f"mean distance from the group's median {far:.2f} ({k}) against {near:.2f} inside ({n}): difference"
        f" {difference:.2f}",
    )
    return finding, difference.value


def _splits(groups: int, chosen: int) -> np.ndarray:
    """Every choice of so many dots, bool [C, G]."""
    choices = np.array(list(itertools.combinations(range(groups), chosen)))
    member = np.zeros((len(choices), groups), dtype=bool)
    member[np.arange(len(choices))[:, None], choices] = True
    return member


def _permuted(radius: np.ndarray, extreme: np.ndarray, splits: np.ndarray) -> tuple[float, float, float]:
    """The difference of the mean log radius of extreme and other dots, and its exact p-values, above and below."""
    values = np.log(radius)
    k, total = int(extreme.sum()), values.sum()

    def difference(sums: np.ndarray) -> np.ndarray:
        return np.asarray(sums / k - (total - sums) / (len(values) - k))

    mine, all_of_them = float(difference(values[extreme].sum())), difference(splits @ values)
    return mine, float((all_of_them >= mine - 1e-12).mean()), float((all_of_them <= mine + 1e-12).mean())


def _outcome(above: float, below: float) -> bool | None:
    """Each side at half the error."""
    error = (1 - _CONFIDENCE) / 2
    return True if above <= error else False if below <= error else None


def _dots(groups: Sequence[Group], extreme: np.ndarray, splits: np.ndarray, data: str) -> Finding:
    """Radii of the dots, each of equal weight, by an exact permutation test."""
    radius = np.sqrt([g.variance[data] for g in groups])
    value, above, below = _permuted(radius, extreme, splits)
    return Finding(
        _outcome(above, below),
        activation=None,
        label=f"{_TITLES[data]}, dots, d or m extreme",
        cases=len(splits),
        worst=value,
        confidence=_CONFIDENCE,
        detail=f"radii of {int(extreme.sum())} extreme dots are {np.exp(value):.2f} times those of"
        f" {int((~extreme).sum())} others (geometric means); p = {above:.3g} of {len(splits)} permutations",
    )


def _dealt(groups: Sequence[Group], extreme: np.ndarray, splits: np.ndarray, rng: np.random.Generator) -> Control:
    """With depths and widths dealt at random to the dots the test may find something only as often as its error."""
    radius = np.sqrt([g.variance["cifar10"] for g in groups])
    found = sum(
        _outcome(*_permuted(radius, rng.permutation(extreme), splits)[1:]) is not None for _ in range(_PERMUTATIONS)
    )
    allowed = int(stats.binom.ppf(0.9999, _PERMUTATIONS, 1 - _CONFIDENCE))
    return Control(
        "Dots whose (d, m) were permuted differ in radius.",
        truth=False,
        passed=found <= allowed,
        detail=f"{found} of {_PERMUTATIONS} permutations are called different; by chance up to {allowed}",
        cases=_PERMUTATIONS,
    )


@claim(
    "figure-5-variance",
    title="Extreme effective depth or width goes with large variance of accuracy",
    paper=CONNECTIVITY,
    source="Figure 5 (caption), Section 5.2",
    statement="On NAS-Bench-201, at three convolutions as in Figure 5, accuracy varies more among architectures of"
    " equal (d, m) where d or m is extreme than where both are within half a radius of the centre.",
    latex=r"\mathrm{Var}[\mathrm{acc} \mid \bar d, \bar m \text{ extreme}]"
    r" > \mathrm{Var}[\mathrm{acc} \mid \text{not}]",
    expected="holds-conditionally",
    settings={
        "architectures": "NAS-Bench-201, test accuracy after 200 epochs; three convolutions, a path with one",
        "extreme": "d or m outside the half-radius box of Section 5.3, or beyond one of its sides",
        "tests": "Brown and Forsythe's, in Welch's form, over architectures; exact permutations over the dots; 99 %",
    },
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """Distances from the median of groups, extreme against inside the box; and the radii of the dots themselves."""
    groups = [g for g in load_groups() if g.cells == COMPLETE and g.depth > 0 and g.parameterised == 3]
    box = get("nasbench201").range.shrink(Fraction(1, 2))
    inside = [g for g in groups if box.contains(g.depth, g.width)]
    extreme = np.array([not box.contains(g.depth, g.width) for g in groups])
    splits = _splits(len(groups), int(extreme.sum()))
    findings: list[Finding] = []
    key_values: dict[str, KeyValue] = {}
    for data in DATASETS:
        for words, chosen in _EXTREMES.items():
            label = f"{_TITLES[data]}, architectures, {words}"
            finding, value = _architectures(inside, [g for g in groups if chosen(g, box)], label, data)
            findings.append(finding)
            key_values[label] = KeyValue(value, 1e-4, 1e-3)
        findings.append(_dots(groups, extreme, splits, data))
    true, false = examples(findings)
    outside = [g for g in groups if not box.contains(g.depth, g.width)]
    return Evidence(
        findings,
        summary=_summary(findings),
        condition="Beyond the box as a whole, and beyond its side of small width, accuracy varies more; beyond its side"
        " of large width it varies less. The dots themselves, 16 a panel, of equal weight, do not differ decidedly.",
        inside=None if true is None else {"reading": true.label, "what": true.detail},
        outside=None if false is None else {"reading": false.label, "what": false.detail},
        would_decide="architectures of more nodes, hence more dots",
        controls=[
            _dealt(groups, extreme, splits, context.rng()),
            Control.rejects(
                "Accuracy on ImageNet16-120 varies more inside the box than outside.",
                _architectures(outside, inside, "exchanged", "imagenet16_120")[0],
                "extreme and inside exchanged, by the same test",
            ),
        ],
        tables=[
            Table(
                "Accuracy in each group of equal (d, m), three convolutions: deviation in points",
                ["d", "m", "inside", "n", *_TITLES.values()],
                [
                    [str(g.depth), str(g.width), box.contains(g.depth, g.width), g.count]
                    + [float(np.sqrt(g.variance[data])) for data in DATASETS]
                    for g in groups
                ],
            )
        ],
        plots=[_plot(groups, box)],
        key_values=key_values,
    )


def _summary(findings: Sequence[Finding]) -> str:
    counts = {o: sum(f.holds is o for f in findings) for o in (True, False, None)}
    whole = [f for f in findings if f.label.endswith("architectures, d or m extreme")]
    return (
        f"Of {len(findings)} readings {counts[True]} are true, {counts[False]} false, {counts[None]} undecided. Mean"
        " distance from the group's median, outside the box less inside: "
        + ", ".join(f"{f.worst:.2f} ({f.label.split(',')[0]})" for f in whole)
        + "."
    )


def _plot(groups: Sequence[Group], box: Box) -> Points:
    series = []
    for label, inside in (("inside the box", True), ("extreme", False)):
        part = [g for g in groups if box.contains(g.depth, g.width) == inside]
        radii = [float(np.sqrt(g.variance["imagenet16_120"])) for g in part]
        series.append(Series(label, [float(g.depth) for g in part], radii))
    return Points(
        "ImageNet16-120, three convolutions: deviation of accuracy in each group of equal (d, m)",
        series,
        x="effective depth",
        y="deviation of accuracy (points)",
    )
