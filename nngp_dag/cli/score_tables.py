"""Tables of how scores rank architectures, on stdout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nngp_dag.cli.common import print_table

__all__ = ["print_comparisons", "print_rankings", "print_stabilities"]


def print_stabilities(stabilities: Mapping[str, float], repeats: int) -> None:
    """Print by score how alike two draws rank; nothing where there is none."""
    if stabilities:
        print_table(
            f"Rank stability over {repeats} draws of weights and batches (mean Spearman between two draws)",
            ["score", "Spearman"],
            [[name, "undefined" if np.isnan(value) else f"{value:.2f}"] for name, value in stabilities.items()],
        )


def print_rankings(rankings: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Print a table per data set, the scores asked for and the trivial baselines in one."""
    for data, scores in rankings.items():
        first = next(iter(scores.values()))
        print_table(
            f"Rank correlation with accuracy on {data}, {first['size']} architectures (95 % bootstrap intervals)",
            ["score", "Spearman", "Kendall", f"precision at the top {first['top']}", "best rank among them"],
            [
                [
                    name,
                    *(_estimate(values[key]) for key in ("spearman", "kendall", "top_recall")),
                    f"{values['best_rank']:.3g}",
                ]
                for name, values in scores.items()
            ],
        )


def print_comparisons(comparisons: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Print a table per data set of the scores' differences to the best baseline; nothing where there is none."""
    for data, scores in comparisons.items():
        if scores:
            print_table(
                f"Rank correlation with accuracy on {data} less that of the best trivial baseline (paired 95 %"
                " bootstrap intervals)",
                ["score", "Spearman", "Kendall"],
                [
                    [name, *(_difference(values[key]) for key in ("spearman", "kendall"))]
                    for name, values in scores.items()
                ],
            )


def _difference(value: dict[str, Any]) -> str:
    if np.isnan(value["value"]):
        return "undefined"
    return f"{value['verdict']} {value['baseline']}: {value['value']:+.2f} [{value['low']:+.2f}, {value['high']:+.2f}]"


def _estimate(value: dict[str, float]) -> str:
    if np.isnan(value["value"]):
        return "undefined"
    return f"{value['value']:.2f} [{value['low']:.2f}, {value['high']:.2f}]"
