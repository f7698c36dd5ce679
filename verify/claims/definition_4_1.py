"""Definition 4.1: effective depth and width, against paths listed one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from nngp_dag.dag import Dag, enumerate_codes
from nngp_dag.paths import effective_depth_width, path_counts_array, path_statistics
from verify import Context, Control, Evidence, Finding, KeyValue, Proof, claim
from verify.papers import CONNECTIVITY
from verify.tools.path_listing import ListedValues, definition_4_1, path_depths

_KNOWN = {
    "2_02_002": (1, Fraction(3), Fraction(1, 3)),
    "1_01_222": (3, Fraction(1), Fraction(3)),
    "2_21_112": (4, Fraction(5, 4), Fraction(12, 5)),
}
"""The paper's three DAGs by hand: paths, effective depth, effective width."""


def _width_of_all_paths(depths: list[int]) -> ListedValues:
    """Another definition: all paths count in the width, those without a linear edge too."""
    paths, depth, _ = definition_4_1(depths)
    return paths, depth, Fraction(paths) / depth if depth else Fraction(0)


def _mean_of_distinct_depths(depths: list[int]) -> ListedValues:
    """Another definition: the depth is the mean over the depths that occur, each once."""
    _, depth, _ = definition_4_1(sorted(set(depths)))
    width = Fraction(sum(d > 0 for d in depths)) / depth if depth else Fraction(0)
    return len(depths), depth, width


@dataclass(frozen=True)
class _Computed:
    """A DAG: its code, its paths' depths by listing, and its values by the library's two passes over the nodes."""

    code: str
    depths: list[int]
    exact: ListedValues
    floats: tuple[float, float]

    def agrees(self, expected: ListedValues) -> bool:
        """Both passes give these values, the one in integers exactly."""
        close = all(abs(mine - float(right)) < 1e-12 for mine, right in zip(self.floats, expected[1:], strict=True))
        return self.exact == expected and close


def _computed(codes: np.ndarray) -> Iterable[_Computed]:
    depths, widths = effective_depth_width(path_counts_array(codes))
    for code, depth, width in zip(codes, depths, widths, strict=True):
        dag = Dag.from_array(code)
        statistics = path_statistics(dag)
        exact = (statistics.num_paths, statistics.effective_depth, statistics.effective_width)
        yield _Computed(dag.to_code(), path_depths(dag), exact, (float(depth), float(width)))


def _finding(computed: list[_Computed], definition: Callable[[list[int]], ListedValues]) -> Finding:
    """The finding that the values of all DAGs are those of a definition, applied to paths listed one by one."""
    wrong = [found.code for found in computed if not found.agrees(definition(found.depths))]
    return Finding(
        not wrong,
        activation=None,
        label="exact integers and rationals",
        cases=len(computed),
        tolerance=0.0,
        worst=float(len(wrong)),
        proof=None if wrong else Proof.written("path-counts"),
        counterexample={"code": wrong[0]} if wrong else None,
        detail=f"{len(wrong)} of {len(computed)} DAGs differ",
    )


def _by_hand() -> Finding:
    """The finding that the paper's three DAGs have the values that one reads off their drawings."""
    wrong = 0
    for code, expected in _KNOWN.items():
        (found,) = _computed(np.array([list(Dag.from_code(code).ops)], dtype=np.int8))
        wrong += not found.agrees(expected)
    return Finding(
        wrong == 0,
        activation=None,
        label="DAG#1 to DAG#3 by hand",
        cases=len(_KNOWN),
        tolerance=0.0,
        worst=float(wrong),
        proof=None if wrong else Proof.written("path-counts"),
        detail=f"{wrong} of {len(_KNOWN)} DAGs differ",
    )


@claim(
    "definition-4.1",
    title="Effective depth and width are computed as Definition 4.1 says",
    paper=CONNECTIVITY,
    source="Definition 4.1, Eq. 13",
    statement="One pass over the nodes, which lists no path, gives the effective depth (the mean number of linear edges"
    " of a path) and the effective width (the number of paths with a linear edge, over that depth) of every DAG.",
    latex=r"\bar d = \frac{\sum_p d_p}{P}, \qquad \bar m = \frac{\sum_p 1(d_p > 0)}{\bar d}",
    expected="certified",
    settings={"DAGs": "all 729 of four nodes; a sample of five (all 59,049 in the full profile)"},
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """Exact rationals from listing every path, against the library's pass over the nodes."""
    five = enumerate_codes(5)
    chosen = context.rng().choice(len(five), 500, replace=False) if context.profile == "quick" else np.arange(len(five))
    computed = [found for codes in (enumerate_codes(4), five[chosen]) for found in _computed(codes)]
    found, by_hand = _finding(computed, definition_4_1), _by_hand()
    agree = len(computed) + len(_KNOWN) - int(found.worst or 0) - int(by_hand.worst or 0)
    return Evidence(
        [found, by_hand],
        summary=f"{len(computed) + len(_KNOWN)} DAGs, every path listed: {agree} agree exactly.",
        condition="none known: the library is wrong",
        counterexample={"margin": found.worst, "confirmed": "exact arithmetic"},
        controls=[
            Control.rejects(
                "The effective width counts all paths, those without a linear edge too.",
                _finding(computed, _width_of_all_paths),
            ),
            Control.rejects(
                "The effective depth is the mean over the different depths that occur, each counted once.",
                _finding(computed, _mean_of_distinct_depths),
            ),
        ],
        key_values={"DAGs that agree": KeyValue(agree, 0)},
    )
