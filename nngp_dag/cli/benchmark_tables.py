"""The tables that `nngp-dag space --benchmark` and `reproduce figure-5` print: what fits a terminal.

A column per data set where that is possible; everything else goes to the CSV files of `--out`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import click

from nngp_dag.accuracy.table import short_name
from nngp_dag.cli.common import print_table
from nngp_dag.reproduce.figure5.report import BenchmarkReport
from nngp_dag.support.statistics import Estimate

__all__ = ["print_benchmark"]

_MOST_GROUPS = 40
_FEATURES = {"parameterised": "k operations", "d, m, parameterised": "d, m, k"}
_OVER = {
    "architectures": "cells",
    "architectures_nondegenerate": "cells, d>0",
    "groups": "groups",
    "groups_nondegenerate": "groups, d>0",
    "all_architectures": "all cells",
    "all_architectures_nondegenerate": "all cells, d>0",
}
_COUNTING = "at least k operations, share of "


def print_benchmark(report: BenchmarkReport, out: Path | None) -> None:
    """Print a benchmark report; `out` is the folder that its files went to, if any."""
    fixed = "" if report.fixed is None else f" with {report.fixed} parameterised operations"
    click.echo(f"{len(report.benchmark):,} architectures; groups and correlations over {len(report.shown):,}{fixed}.")
    if report.benchmark.num_bad:
        click.echo(f"{report.benchmark.num_bad} bad rows skipped.")
    names = list(report.datasets)
    heads = [short_name(name) for name in names]
    _print_groups(report, names, heads)
    for kind, title in (("multiple", "Multiple correlation R"), ("spearman", "Spearman's rank correlation")):
        rows = list(_correlation_rows(report, names, kind))
        print_table(f"{title} of accuracy with features", ["over, with", *heads], rows)
    _print_sides(report, names, heads)
    for name in names:
        _print_filters(report, name)
    for name in names:
        _print_draws(report, name)
    for sentence in report.summary():
        click.echo(sentence)
    click.echo(
        "Brackets and ±: 95 % intervals. k is the number of parameterised operations; 'count' keeps the cells with most"
        " of them at the same share as the filter above it. Filters are judged on the whole benchmark. '100 passing':"
        " drawn until 100 passed; '100 drawn': those of 100 that do not pass are dropped."
    )
    if out is None:
        click.echo("Give --out DIR for the figure, and all values as CSV.")


def _print_groups(report: BenchmarkReport, names: list[str], heads: list[str]) -> None:
    groups = report.groups
    order = sorted(range(len(groups.counts)), key=lambda i: -int(groups.counts[i]))[:_MOST_GROUPS]
    rows = [
        [
            *map(str, groups.shapes[i]),
            int(groups.counts[i]),
            *(f"{groups.mean[name][i]:.2f} ({groups.deviation[name][i]:.2f})" for name in names),
        ]
        for i in sorted(order)
    ]
    print_table("Figure 5: mean accuracy (deviation) of equal (d, m)", ["d", "m", "cells", *heads], rows)
    if len(groups.counts) > len(order):
        click.echo(f"The {len(order)} largest of {len(groups.counts)} groups; all are in groups.csv of --out.")


def _correlation_rows(report: BenchmarkReport, names: list[str], kind: str) -> Iterator[list[str]]:
    first = report.datasets[names[0]].correlations
    for over in (over for over in _OVER if over in first):
        yield [_OVER[over], *[""] * len(names)]
        for features in first[over]:
            values = [getattr(report.datasets[name].correlations[over][features], kind) for name in names]
            if not all(math.isnan(value.value) for value in values):  # what does not vary has no correlation
                yield ["  " + _FEATURES.get(features, features), *map(_interval, values)]


def _print_sides(report: BenchmarkReport, names: list[str], heads: list[str]) -> None:
    sides = {name: report.datasets[name].sides for name in names}
    rows = [
        [
            side,
            values["count"],
            *(f"{sides[name][side]['mean']:.2f} ({sides[name][side]['std']:.2f})" for name in names),
        ]
        for side, values in sides[names[0]].items()
        if values["count"]
    ]
    title = "Mean accuracy (deviation) in the half-radius box and beyond its sides"
    print_table(title, ["where", "cells", *heads], rows)


def _print_filters(report: BenchmarkReport, name: str) -> None:
    rows = [
        [
            _filter_name(title),
            f"{100 * kept.share:.1f}",
            _error(kept.mean),
            f"{100 * kept.recall_top100:.0f}",
            f"{100 * kept.bottom_tenth:.1f}",
            f"{100 * kept.optimum:.0f}",
            _error(kept.over_count, "+"),
        ]
        for title, kept in report.datasets[name].filters.items()
    ]
    title = f"{name}: % kept of all, of the top 100, of the worst tenth, of the best"
    print_table(title, ["filter", "all", "mean", "top", "worst", "best", "over count"], rows)


def _print_draws(report: BenchmarkReport, name: str) -> None:
    found = report.datasets[name]
    kinds = [title for title in found.passing if not title.endswith("d > 0")]
    rows = []
    for title in kinds:
        passing = found.passing[title]
        quantiles = [f"{passing.quantiles[q]:.1f}" for q in ("0.05", "0.25", "0.5", "0.75", "0.95")]
        rows.append(
            [_filter_name(title), f"{passing.count:.0f}", f"{passing.mean:.2f} ({passing.deviation:.2f})", *quantiles]
        )
    columns = ["filter", "cells", "mean (dev.)", "5 %", "25 %", "50 %", "75 %", "95 %"]
    print_table(f"Table 3, {name}: the accuracy of what passes", columns, rows)
    rows = []
    for title in kinds:
        passed, drawn = (found.draws[way][title] for way in ("equal cost", "equal draws"))
        rows.append(
            [
                _filter_name(title),
                *(text for best in (passed, drawn) for text in (_error(best.mean), _error(best.gain, "+"))),
                f"{drawn.evaluated:.0f}",
            ]
        )
    columns = ["filter", "100 passing", "over none", "100 drawn", "over none", "pass"]
    print_table(f"Table 3, {name}: the best of 100 random draws, 500 times", columns, rows)


def _filter_name(title: str) -> str:
    """A short name; counting at a box's share stands under the box."""
    if title.startswith(_COUNTING):
        return "  count" + (", d>0" if title.endswith("d > 0") else "")
    if title.startswith("at least"):
        return f"k >= {title.split()[2]}"
    return title.replace(" of the radius", " radius").replace("released code", "released")


def _interval(value: Estimate) -> str:
    """A correlation with its interval, without leading zeros there."""
    if math.isnan(value.value):
        return ""
    low, high = (f"{end:.2f}".replace("0.", ".", 1) for end in (value.low, value.high))
    return f"{value.value:.2f} [{low},{high}]"


def _error(value: Estimate, sign: str = "") -> str:
    """An estimate, and the larger half of its interval."""
    if math.isnan(value.value):
        return ""
    return f"{value.value:{sign}.2f} ±{max(value.high - value.value, value.value - value.low):.2f}"
