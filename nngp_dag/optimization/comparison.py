r"""Proof that the winner is better than the runner-up: on the data, and on two unit rows of any correlation.

On two unit rows K_xx = K_x'x', and with c(rho) = |NTK_xx'| / NTK_xx the scale-free smallest eigenvalue is 1 - c and the
condition number (1 + c) / (1 - c): by both criteria the better graph has the smaller c. For 0 <= rho <= 1 the entries
of a DAG's kernels are non-negative and increase in rho: f and fdot are power series in rho with non-negative
coefficients, f - b b' without the constant one, and all else is sums, products and compositions. So on [low, high] the
winner is better where its c at `high`, a ball, is below the runner-up's at `low`; boxes are halved until that is so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.optimization.criteria import Criterion
from nngp_dag.optimization.enclosures import MAX_ROWS, enclosed_value
from nngp_dag.optimization.normal_form import are_proportional
from nngp_dag.optimization.problem import Problem

if TYPE_CHECKING:
    from flint import arb

    from nngp_dag.proofs.enclosed_eigenvalues import Interval

__all__ = ["TWO_POINTS", "ProvedOrder", "compare_graphs", "compare_on_two_points"]

TWO_POINTS = ("lambda-min", "condition")
"""Criteria that on two rows are functions of one correlation."""

_POINTS = tuple(Fraction(999 * k, 128_000) for k in range(129))
"""Correlations that are tried before anything is proved between them."""
_MAX_BOXES = 4096

_Function = Callable[[Fraction], "arb"]


@dataclass(frozen=True)
class ProvedOrder:
    """The proved values of two graphs.

    Attributes:
        better, other: codes.
        intervals: proved intervals of both values on the data; None where none could be had.
        on_data: the first is proved better on the data.
        two_points: "all" where it is proved better at all correlations in [0, 0.999], "some" where it is at all of
            some interval that ends at 0.999, "none" where it is at none such and the other at some correlation; ""
            where nothing is proved, or there is nothing to prove.
        words: all that in a sentence or two.
    """

    better: str
    other: str
    intervals: tuple[Interval, Interval] | None
    on_data: bool
    two_points: str
    words: str


def compare_graphs(criterion: Criterion, better: Dag, other: Dag, problem: Problem) -> ProvedOrder:
    """Try to prove that one graph is better than another by a criterion.

    What cannot be proved is said in `words`, and nothing is raised for it.
    """
    names = better.to_code(), other.to_code()
    if criterion.name != "loss" and are_proportional(better, other, problem.setting):
        words = "they are not told apart: the kernels of one are a multiple of the other's, and the values equal"
        return ProvedOrder(*names, None, False, "", words)
    intervals, reason = _on_data(criterion, better, other, problem)
    on_data = False
    if intervals is not None:
        (low, high), (other_low, other_high) = intervals
        on_data = low > other_high if criterion.larger_is_better else high < other_low
        shown = " and ".join(_shown(interval) for interval in intervals)
        data = (
            f"on these rows {names[0]} is proved better: the values lie in {shown}"
            if on_data
            else f"on these rows they are not told apart: the values lie in {shown}"
        )
    else:
        data = f"on these rows nothing is proved: {reason}"
    two_points, said = "", ""
    if criterion.name in TWO_POINTS:
        two_points, said = compare_on_two_points(better, other, problem)
        said = "; " + said
    return ProvedOrder(*names, intervals, on_data, two_points, data + said)


def compare_on_two_points(better: Dag, other: Dag, problem: Problem) -> tuple[str, str]:
    """`ProvedOrder.two_points` and its words."""
    from nngp_dag.proofs.prove import precision

    try:
        with precision(128):
            first, second = (_correlation(dag, problem) for dag in (better, other))
            ahead = [first(rho) < second(rho) for rho in _POINTS]
            behind = [float(rho) for rho in _POINTS if second(rho) < first(rho)]
            start = next((k + 1 for k in range(len(ahead) - 1, -1, -1) if not ahead[k]), 0)
            proved = start < len(ahead) and _is_below(first, second, _POINTS[start], _POINTS[-1])
    except InputError as error:
        return "", f"on two rows nothing is proved: {error}"
    if not proved:
        if behind:
            return "none", f"on two unit rows the other is proved better at correlation {behind[-1]:.3g}"
        return "", "on two unit rows they are not told apart"
    if start == 0:
        return "all", "on two unit rows it is proved better at all correlations in [0, 0.999]"
    said = f"on two unit rows it is proved better at all correlations in [{float(_POINTS[start]):.3g}, 0.999]"
    return "some", said + (f", and the other at {behind[-1]:.3g}" if behind else "")


def _on_data(
    criterion: Criterion, better: Dag, other: Dag, problem: Problem
) -> tuple[tuple[Interval, Interval] | None, str]:
    if criterion.name in ("loo", "loss") and len(problem.x) > MAX_ROWS:
        return None, f"matrices of balls of more than {MAX_ROWS} rows take too long"
    try:
        return (enclosed_value(criterion.name, better, problem), enclosed_value(criterion.name, other, problem)), ""
    except (InputError, ZeroDivisionError) as error:
        return None, str(error)


def _correlation(dag: Dag, problem: Problem) -> _Function:
    """The function rho -> NTK_xx' / NTK_xx in balls, of two unit rows."""
    from flint import arb, fmpq

    from nngp_dag.proofs.pair_balls import pair_balls

    kernels = pair_balls(dag, problem.setting)
    row = kernels.row(arb(1))

    @cache
    def correlation(rho: Fraction) -> arb:
        return kernels.pair(row, row, arb(fmpq(rho.numerator, rho.denominator)))[1] / row.ntk

    return correlation


def _is_below(first: _Function, second: _Function, low: Fraction, high: Fraction) -> bool:
    """True where the first is proved below the second on [low, high], both of them increasing."""
    todo, boxes = [(low, high)], 0
    while todo:
        low, high = todo.pop()
        if first(high) < second(low):
            continue
        boxes += 1
        if boxes > _MAX_BOXES or not first(low) < second(low):
            return False
        middle = (low + high) / 2
        todo += [(middle, high), (low, middle)]
    return True


def _shown(interval: Interval) -> str:
    from nngp_dag.spectrum import certified_digits

    return certified_digits(interval) if np.isfinite(interval).all() else str(interval)
