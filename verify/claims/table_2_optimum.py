"""Table 2, its last row: the best accuracy that NAS-Bench-201 has to offer, and whether the filter keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

from nngp_dag.dag import Dag, enumerate_codes
from nngp_dag.spaces import Box, get
from verify import Context, Control, Evidence, Finding, KeyValue, Table, claim
from verify.claims._table_2_maxima import DATASETS, GroupBest, load_maxima
from verify.papers import CONNECTIVITY
from verify.tools.path_listing import definition_4_1, path_depths

_TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16_120": "ImageNet16-120"}
_PRINTED = {"cifar10": 94.37, "cifar100": 73.51, "imagenet16_120": 47.31}
_HALF_UNIT = 0.005 + 1e-9
_SHARES = ("1", "3/4", "1/2", "1/4")


def _group_sizes() -> Counter[tuple[Fraction, Fraction]]:
    """The number of NAS-Bench-201's cells with each (d, m), from the paths of its 729 wirings listed one by one.

    Skip and pooling are both skips, and both convolutions linear: an edge that is there stands for two operations.
    """
    sizes: Counter[tuple[Fraction, Fraction]] = Counter()
    for code in enumerate_codes(4):
        _, depth, width = definition_4_1(path_depths(Dag.from_array(code)))
        sizes[depth, width] += 2 ** sum(int(op) > 0 for op in code)
    return sizes


def _attained(best: float, printed: float, words: str, cases: int) -> Finding:
    """The finding that the best accuracy is the printed one, to its two decimals."""
    error = abs(best - printed)
    return Finding(
        error <= _HALF_UNIT,
        activation=None,
        label=words,
        cases=cases,
        tolerance=_HALF_UNIT,
        worst=error,
        detail=f"best {best:.4f}, printed {printed:.2f}",
    )


def _best(maxima: Sequence[GroupBest], dataset: str, where: Callable[[GroupBest], bool] = lambda _: True) -> GroupBest:
    """The best architecture on a data set among some groups."""
    return max((g for g in maxima if g.dataset == dataset and where(g)), key=lambda g: g.best)


def _within(box: Box) -> Callable[[GroupBest], bool]:
    """True for a group that has a place in the plane, within a box."""
    return lambda g: g.depth > 0 and box.contains(g.depth, g.width)


def _one_architecture(winners: Sequence[GroupBest], cases: int) -> Finding:
    """The finding that one architecture is the best on every data set: the least shortfall of a winner, at its worst
    data set.
    """
    top = {g.dataset: g.best for g in winners}
    short = min(max(top[name] - g.accuracy[name] for name in DATASETS) for g in winners)
    return Finding(
        short <= _HALF_UNIT,
        activation=None,
        cases=cases,
        tolerance=_HALF_UNIT,
        worst=short,
        detail=f"the best on one data set misses that of another by {short:.2f} points at least",
    )


def _controls(maxima: Sequence[GroupBest], winners: Sequence[GroupBest], box: Box, total: int) -> list[Control]:
    outside = [_best(maxima, name, lambda g: not _within(box)(g)) for name in DATASETS]
    gap, worst = min((_PRINTED[g.dataset] - g.best, g) for g in outside)
    first = winners[0]
    other = _PRINTED["cifar100"]
    return [
        Control.rejects(
            "One architecture has the best accuracy on all three data sets.", _one_architecture(winners, total)
        ),
        Control.rejects("The best on CIFAR-10 is 94.36.", _attained(first.best, 94.36, "one unit less", total)),
        Control.rejects("CIFAR-10 has the optimum of CIFAR-100.", _attained(first.best, other, "exchanged", total)),
        Control.rejects(
            "What lies outside half the radius attains the optimum too.",
            _attained(worst.best, _PRINTED[worst.dataset], "outside", total),
            f"{_TITLES[worst.dataset]}: {worst.best:.4f} at the nearest, {gap:.2f} short",
        ),
    ]


@claim(
    "table-2-optimum",
    title="The optimum of NAS-Bench-201, which the filter keeps",
    paper=CONNECTIVITY,
    source="Table 2, row 'Optimal'",
    statement="The best test accuracies in NAS-Bench-201 are 94.37 (CIFAR-10), 73.51 (CIFAR-100) and 47.31"
    " (ImageNet16-120), and the filter keeps cells that have them, whatever share of the radius of Table 3 it has.",
    latex=r"\max_{A:\,|\bar d - \bar d^*| \le s\, r_{\bar d},\, |\bar m - \bar m^*| \le s\, r_{\bar m}}"
    r" \mathrm{acc}(A) = \max_A \mathrm{acc}(A)",
    expected="holds",
    settings={
        "architectures": "NAS-Bench-201, all 15,625, by group of equal (d, m); test accuracy after 200 epochs",
        "share of the radius": ", ".join(_SHARES),
    },
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """The best of every group of equal (d, m), whose sizes are counted again from paths listed one by one."""
    maxima = load_maxima()
    counted = _group_sizes()
    recorded = {(g.depth, g.width): g.count for g in maxima}
    missing = sum(abs(counted[shape] - recorded.get(shape, 0)) for shape in counted | recorded)
    total = sum(counted.values())
    complete = Finding(
        missing == 0,
        activation=None,
        label="no architecture is missing",
        cases=total,
        tolerance=0.0,
        worst=missing,
        detail=f"{len(recorded)} groups with {sum(recorded.values())} architectures, {total} counted",
    )
    winners = [_best(maxima, name) for name in DATASETS]
    findings = [complete]
    findings += [_attained(g.best, _PRINTED[g.dataset], f"{_TITLES[g.dataset]}, the space", total) for g in winners]
    space = get("nasbench201").range
    for share in _SHARES:
        box = space.shrink(share)
        for name in DATASETS:
            words = f"{_TITLES[name]}, {share} of the radius"
            findings.append(_attained(_best(maxima, name, _within(box)).best, _PRINTED[name], words, total))
    rows = [
        [_TITLES[g.dataset], g.best, _PRINTED[g.dataset], g.ties, g.cell, str(g.depth), str(g.width)] for g in winners
    ]
    others = ", ".join(f"{g.cell} ({' / '.join(f'{g.accuracy[name]:.2f}' for name in DATASETS)})" for g in winners)
    return Evidence(
        findings,
        summary=f"Over all {total} architectures the best are as printed, and a quarter of the radius still keeps them."
        f" They are three architectures, not one: {others}.",
        condition="none: all architectures, all four ranges",
        controls=_controls(maxima, winners, space.shrink("1/2"), total),
        tables=[
            Table(
                "The best architectures",
                ["data", "best", "printed", "equally good", "operations by edge", "d", "m"],
                rows,
            )
        ],
        key_values={f"best, {g.dataset}": KeyValue(g.best, 0, 1e-9) for g in winners},
        notes=[
            "Table 2 has the row among architectures, but no architecture has these three numbers: each is the best of"
            " its own column.",
            "All three share d and m, as do many cells that are worse: keeping the optimum is no merit of its own.",
        ],
    )
