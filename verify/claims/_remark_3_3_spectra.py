"""Effect of the means on the eigenvalues of kernels on real data, for the claim remark-3.3."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nngp_dag.reading import Setting
from verify import Context, Finding, KeyValue, Points, Series, Table
from verify.tools.data import space_spectra
from verify.tools.spaces import ConnectedDags

__all__ = ["LAST", "WITHOUT", "EffectOnSpectra", "effect_on_spectra"]

WITHOUT = Setting.make("exact", "activation-first", "gaussian")
"""A setting whose features have mean zero, and which else is `LAST`."""

LAST = Setting.make("exact", "activation-last", "gaussian")


@dataclass(frozen=True)
class EffectOnSpectra:
    """The smallest and largest eigenvalues with means over those without, on real data.

    Attributes:
        ratios: by class of DAGs, their number, lambda_min least and most, lambda_max most, each minus one.
        worst: the largest change of lambda_min.
        data: the rows in words.
    """

    ratios: dict[str, tuple[int, float, float, float]]
    worst: float
    num_dags: int
    data: str
    plot: Points

    @property
    def finding(self) -> Finding:
        """The finding that the means do not change the smallest eigenvalue."""
        return Finding.agreement(
            self.worst,
            tolerance=1e-7,
            cases=self.num_dags,
            setting=LAST,
            label="smallest eigenvalue on data",
            detail=f"relative change over {self.data}",
        )

    @property
    def words(self) -> str:
        """A sentence for the summary."""
        _, (_, low, high, most), (_, low_inner, high_inner, most_inner) = self.ratios.values()
        return (
            f"On {self.data} the smallest eigenvalue changes by {low:+.1%} to {high:+.1%} where no linear edge follows,"
            f" by {low_inner:+.1%} to {high_inner:+.1%} where one does; the largest grows by up to {most:.0%} and"
            f" {most_inner:.0%}."
        )

    @property
    def table(self) -> Table:
        """The ratios."""
        return Table(
            f"Eigenvalues with means over those without, minus one, {self.data}",
            ["DAGs in which", "count", "lambda_min, least", "lambda_min, most", "lambda_max, most"],
            [[words, *values] for words, values in self.ratios.items()],
        )

    @property
    def key_values(self) -> dict[str, KeyValue]:
        """The largest changes of lambda_min."""
        return {
            f"lambda_min, most, {words}": KeyValue(most, 1e-6, 1e-9) for words, (_, _, most, _) in self.ratios.items()
        }


def effect_on_spectra(context: Context, space: ConnectedDags) -> EffectOnSpectra:
    """The eigenvalues of every DAG with and without means (activation-last, gaussian)."""
    data = context.rows(40)
    with_means = space_spectra(space, data, LAST)["nngp"]
    without = space_spectra(space, data, WITHOUT)["nngp"]
    small, large = with_means.smallest / without.smallest - 1, with_means.largest / without.largest - 1
    meeting, inner = space.flags("mean_meeting"), space.flags("mean_meeting_before_linear")
    full = space.flags("has_linear_path") | (data.shape[1] >= len(data))
    classes = {
        "no means meet": ~meeting,
        "they meet, and no linear edge follows": meeting & ~inner,
        "a linear edge follows": inner,
    }
    ratios = {
        words: (
            int(flag.sum()),
            float(small[flag & full].min()),
            float(small[flag & full].max()),
            float(large[flag].max()),
        )
        for words, flag in classes.items()
    }
    dots = [
        Series(words, with_means.largest[flag].tolist(), (1 + small)[flag].tolist()) for words, flag in classes.items()
    ]
    plot = Points("lambda_min with means over without", dots, x="lambda_max", y="ratio of lambda_min")
    worst = float(np.abs(small[full]).max())
    return EffectOnSpectra(ratios, worst, len(space.names), f"{len(data)} rows of {context.data}", plot)
