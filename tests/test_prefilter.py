"""The filter of Section 5.3 in Python."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

import nngp_dag
from nngp_dag import Dag, InputError, spaces
from nngp_dag.spaces.prefilter import Prefilter


@pytest.mark.parametrize("name", ["nasbench201", "darts", "nasnet", "nasbench101", "complete-4"])
def test_predicate_generator_and_mask_agree(name: str) -> None:
    keep = nngp_dag.prefilter(name)
    candidates = keep.space.sample(300, np.random.default_rng(0))
    mask = keep.mask(candidates)
    assert 0 < mask.sum() < len(mask)
    assert [keep(architecture) for architecture in candidates] == mask.tolist()
    lines = [keep.space.write(architecture) for architecture in candidates]
    assert list(keep.iter(lines)) == [line for line, passes in zip(lines, mask, strict=True) if passes]


def test_half_radius_of_nasbench201_written_out() -> None:
    keep = nngp_dag.prefilter("nasbench201")
    assert keep.box.bounds == (Fraction(15, 16), Fraction(37, 16), Fraction(5, 4), Fraction(37, 12))
    space = spaces.get("nasbench201")
    rows = space.enumerate()
    totals = space.totals(rows)
    expected = [
        d > 0 and abs(d - Fraction(13, 8)) <= Fraction(11, 16) and abs(m - Fraction(13, 6)) <= Fraction(11, 12)
        for d, m in (totals.fractions(i) for i in range(len(rows)))
    ]
    assert keep.mask(rows[:, None]).tolist() == expected
    assert sum(expected) == 6256


def test_the_whole_radius_keeps_all_but_degenerate_cells() -> None:
    space = spaces.get("nasbench201")
    rows = space.enumerate()
    kept = nngp_dag.prefilter("nasbench201", keep_radius=1).mask(rows[:, None])
    np.testing.assert_array_equal(kept, space.totals(rows).nondegenerate)


def test_bounds_are_included() -> None:
    # Cells on the edge of the half-radius box exist for these shares: exactness decides.
    space = spaces.get("nasbench201")
    rows = space.enumerate()[:, None]
    on_edge = space.totals(rows[:, 0]).within(spaces.Box.make(1, 1, 1, 4))
    assert on_edge.any()
    assert nngp_dag.prefilter(space, ranges=(1, 1, "0.3", 4)).mask(rows)[on_edge].all()
    share = Fraction(5, 11)  # d* - share r_d = 13/8 - 5/8 = 1
    low = nngp_dag.prefilter(space, keep_radius=share)
    assert low.box.depth_min == 1
    third = spaces.get("complete-4").parse("2_00_111")
    assert nngp_dag.prefilter("complete-4", ranges=("1/2", "1/2", 2, 2))(third) is (
        spaces.get("complete-4").totals(third).fractions(0) == (Fraction(1, 2), 2)
    )


def test_dags_networkx_and_notation_are_accepted() -> None:
    keep = nngp_dag.prefilter("complete-4", ranges=(1, 1, 3, 3))
    graph = nx.DiGraph([(0, 1, {"op": "skip"}), (1, 2, {"op": "skip"})])
    graph.add_edges_from((s, 3, {"op": "linear"}) for s in range(3))
    assert keep("1_01_222") and keep(Dag.from_code("1_01_222")) and keep(graph)
    assert not keep(Dag.from_code("2_02_002"))
    assert not keep(Dag.from_code("0_00_000")) and not keep(Dag.from_code("1_00_111"))


def test_graphs_are_a_space() -> None:
    keep = nngp_dag.prefilter(["2", "2_02", "2_02_002"], keep_radius=0)
    # Depths 1 to 3, widths 1/3 to 1: the centre is (2, 2/3), which none attains.
    assert not any(keep(code) for code in ("2", "2_02", "2_02_002"))
    assert nngp_dag.prefilter(["2", "2_02", "2_02_002"], keep_radius="1/2")("2_02")


def test_every_cell_has_to_pass_unless_named() -> None:
    space = spaces.get("darts")
    rows = space.sample(2000, np.random.default_rng(1))
    both, normal = nngp_dag.prefilter("darts"), nngp_dag.prefilter("darts", cells=["normal"])
    assert (both.mask(rows) <= normal.mask(rows)).all()
    assert both.mask(rows).sum() < normal.mask(rows).sum()
    assert [normal(row) for row in rows[:100]] == normal.mask(rows)[:100].tolist()


def test_the_cell_that_is_named_is_the_one_that_is_looked_at() -> None:
    space = spaces.get("darts")
    rows = space.sample(200, np.random.default_rng(2))
    for index, name in enumerate(("normal", "reduce")):
        keep = nngp_dag.prefilter("darts", cells=[name])
        expected = [keep.box.contains(*space.totals(rows[:, index]).fractions(i)) for i in range(len(rows))]
        assert 0 < sum(expected) < len(rows)
        assert keep.mask(rows).tolist() == expected and [keep(row) for row in rows] == expected


@pytest.mark.parametrize(
    "arguments",
    [
        {"keep_radius": 0.5, "ranges": (0, 1, 0, 1)},
        {"ranges": (0, 1, 0)},
        {"ranges": (1, 0, 0, 1)},
        {"ranges": (0, "x", 0, 1)},
        {"ranges": (0, "1e999999999", 0, 1)},
        {"keep_radius": "1e-999999999"},
        {"ranges": (0, float("nan"), 0, 1)},
        {"keep_radius": -1},
        {"keep_radius": "half"},
        {"cells": ["middle"]},
    ],
)
def test_bad_arguments(arguments: dict) -> None:
    with pytest.raises(InputError):
        nngp_dag.prefilter("nasbench201", **arguments)


def test_bad_architectures() -> None:
    keep: Prefilter = nngp_dag.prefilter("nasbench201")
    for bad in ("x", np.zeros((1, 5), dtype=np.int8), np.zeros(6, dtype=np.int8), 3):
        with pytest.raises(InputError):
            keep(bad)
