"""Section 5.2: "all four plots show positive correlations", of accuracy with effective depth and width."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from nngp_dag.accuracy.correlation import multiple_correlations
from verify import Context, Control, Evidence, Finding, KeyValue, Table, claim, examples
from verify.claims._figure_5_groups import COMPLETE, DATASETS, Group, load_groups
from verify.papers import CONNECTIVITY

_CONFIDENCE = 0.99
_TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16_120": "ImageNet16-120"}
_Value = Callable[[Group], float]


def _moments(groups: Sequence[Group], values: Sequence[_Value], data: str) -> tuple[int, np.ndarray]:
    """The number of architectures, and the correlations of their accuracy and some values of their groups, [V+1, V+1].

    Values are constant in a group, so that its count, mean and variance of accuracy give the correlations exactly.
    """
    counts = np.array([g.count for g in groups], dtype=np.float64)
    columns = np.array([[g.mean[data] for g in groups], *([value(g) for g in groups] for value in values)])
    centred = columns - (columns @ counts / counts.sum())[:, None]
    covariance = (counts * centred) @ centred.T / counts.sum()
    covariance[0, 0] += counts @ np.array([g.variance[data] for g in groups]) / counts.sum()
    scale = np.sqrt(np.diag(covariance))
    return int(counts.sum()), covariance / np.outer(scale, scale)


def _signed(groups: Sequence[Group], words: str, value: _Value, data: str) -> Finding:
    """The finding that accuracy correlates positively with one value (Fisher's z, architectures taken as a sample)."""
    n, r = _moments(groups, [value], data)
    z, half = math.atanh(r[0, 1]), float(stats.norm.ppf((1 + _CONFIDENCE) / 2)) / math.sqrt(n - 3)
    low, high = math.tanh(z - half), math.tanh(z + half)
    return Finding(
        True if low > 0 else False if high < 0 else None,
        activation=None,
        label=f"correlation with {words}, {_TITLES[data]}",
        cases=n,
        worst=float(r[0, 1]),
        confidence=_CONFIDENCE,
        detail=f"r = {r[0, 1]:.3f} [{low:.3f}, {high:.3f}], {n} architectures",
    )


def _multiple(groups: Sequence[Group], values: Sequence[_Value], data: str) -> float:
    """The multiple correlation R of accuracy with some values: a root, never negative, whatever the data."""
    _, r = _moments(groups, values, data)
    last = np.roll(r, -1, axis=(0, 1))  # `multiple_correlations` has the target last
    return float(multiple_correlations(last[None])[0])


def _depth(g: Group) -> float:
    return float(g.depth)


def _width(g: Group) -> float:
    return float(g.width)


def _closeness(g: Group) -> float:
    """Closeness to the printed centre (1.6, 2.2): minus the distance, in units of the printed radii 1.4 and 1.8."""
    return -max(abs(float(g.depth) - 1.6) / 1.4, abs(float(g.width) - 2.2) / 1.8)


def _anything(groups: Sequence[Group], rng: np.random.Generator, data: str) -> float:
    """R of accuracy with two values that are drawn at random for each group."""
    drawn = {id(g): rng.standard_normal(2) for g in groups}
    values: list[_Value] = [lambda g: float(drawn[id(g)][0]), lambda g: float(drawn[id(g)][1])]
    return _multiple(groups, values, data)


@claim(
    "figure-5-correlation",
    title="Accuracy correlates positively with effective depth and width",
    paper=CONNECTIVITY,
    source="Section 5.2, Figure 5 (legends)",
    statement="On NAS-Bench-201, at three convolutions as in Figure 5, accuracy correlates positively with effective"
    " depth, with effective width, and with closeness to the middle of the plane.",
    latex=r"r(\mathrm{acc}, \bar d) > 0, \quad r(\mathrm{acc}, \bar m) > 0",
    expected="holds-conditionally",
    settings={
        "architectures": "NAS-Bench-201, test accuracy after 200 epochs; three convolutions, a path with one",
        "intervals": "Fisher's z, 99 %, architectures taken as a sample",
    },
    duration=1,
)
def check(context: Context) -> Evidence:
    """Signed correlations with each value on each data set; the multiple R of the legends can only be positive."""
    groups = [g for g in load_groups() if g.cells == COMPLETE and g.depth > 0 and g.parameterised == 3]
    values = {"depth": _depth, "width": _width, "closeness to the middle": _closeness}
    findings = [_signed(groups, words, value, data) for words, value in values.items() for data in DATASETS]
    rng = context.rng()
    least = math.inf
    rows: list[list[object]] = []
    key_values: dict[str, KeyValue] = {}
    for data in DATASETS:
        r = _multiple(groups, [_depth, _width], data)
        drawn = [_anything(groups, rng, data) for _ in range(200)]
        least = min(least, *drawn)
        rows.append([_TITLES[data], r, float(np.median(drawn)), min(drawn), sum(d >= r for d in drawn)])
        key_values[f"R, {data}"] = KeyValue(r, 1e-6)
    true, false = examples(findings)
    return Evidence(
        findings,
        summary="The R of the legends is a multiple correlation, which no data make negative: that it is positive says"
        " nothing. " + "; ".join(f"{f.label}: {f.worst:.2f}" for f in findings) + ".",
        condition="See the readings: the sign belongs to the value and the data set.",
        inside=None if true is None else {"reading": true.label, "r": true.worst},
        outside=None if false is None else {"reading": false.label, "r": false.worst},
        controls=[
            Control.rejects(
                "Accuracy correlates positively with the distance from the middle.",
                _signed(groups, "distance", lambda g: -_closeness(g), "cifar10"),
            ),
            Control(
                "Two values drawn at random for each group have a multiple R above 0 as well: R > 0 is no evidence.",
                truth=True,
                passed=least > 0,
                detail=f"smallest of 600 draws {least:.2g}",
                cases=600,
            ),
        ],
        tables=[
            Table(
                "Multiple R with depth and width, and with two random values for each group (200 draws)",
                ["data", "R", "median of random", "least of random", "random at least R"],
                rows,
            )
        ],
        key_values=key_values,
    )
