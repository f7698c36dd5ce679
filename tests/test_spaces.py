"""Every space of the registry, against path enumeration, exhaustive listing and published sizes."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from nngp_dag import Dag, InputError, spaces
from nngp_dag.spaces import Box, PathTotals, ShapeTable, exact
from nngp_dag.spaces.base import Space
from nngp_dag.spaces.listed import ListedSpace

NAMES = spaces.names()


def enumerated_shape(dag: Dag) -> tuple[Fraction, Fraction]:
    """Definition 4.1 written out over the list of all paths."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(dag.num_nodes))
    graph.add_edges_from((s, t, {"linear": int(op) == 2}) for s, t, op in dag.edges())
    paths = list(nx.all_simple_edge_paths(graph, 0, dag.num_nodes - 1))
    depths = [sum(graph.edges[edge]["linear"] for edge in path) for path in paths]
    if not sum(depths):
        return Fraction(0), Fraction(0)
    d = Fraction(sum(depths), len(depths))
    return d, sum(depth > 0 for depth in depths) / d


@pytest.fixture(params=NAMES)
def space(request: pytest.FixtureRequest) -> Space:
    return spaces.get(request.param)


def test_notation_round_trips(space: Space) -> None:
    for architecture in space.sample(60, np.random.default_rng(1)):
        again = space.parse(space.write(architecture))
        assert again.shape == (len(space.cells), space.genes)
        np.testing.assert_array_equal(again, architecture)


def test_shapes_agree_with_path_enumeration(space: Space) -> None:
    rows = space.sample(40, np.random.default_rng(2)).reshape(-1, space.genes)
    totals = space.totals(rows)
    for i, row in enumerate(rows):
        dag = space.cell_dag(row)
        expected = enumerated_shape(dag)
        assert totals.fractions(i) == expected
        assert (float(totals.depth[i]), float(totals.width[i])) == (float(expected[0]), float(expected[1]))
        assert space.cell_totals(row) == (totals.paths[i], totals.length[i], totals.active[i])
        assert space.num_parameterised(row[None])[0] == dag.num_linear


def test_totals_are_those_of_the_path_counts(space: Space) -> None:
    rows = space.sample(20_000, np.random.default_rng(5)).reshape(-1, space.genes)
    totals, expected = space.totals(rows), PathTotals.from_counts(space.path_counts(rows))
    for name in ("paths", "length", "active"):
        np.testing.assert_array_equal(getattr(totals, name), getattr(expected, name))
    assert len(space.totals(rows[:0])) == 0


def test_cells_are_numbered_once_each(space: Space) -> None:
    index = np.unique(np.random.default_rng(3).integers(space.num_cells, size=2000, dtype=np.int64))
    rows = space.cells_at(index)
    assert rows.shape == (len(index), space.genes)
    if space.name != "nds":  # the union counts cells that two of its spaces share twice
        assert len(np.unique(rows, axis=0)) == len(index)
    np.testing.assert_array_equal(space.cells_at(index[::-1]), rows[::-1])


def test_distribution_counts_every_cell(space: Space) -> None:
    if space.name == "complete-6":
        pytest.skip("14 million cells")
    table = space.distribution()
    assert table.num_cells == space.num_cells
    if space.num_cells <= 500_000:
        rows = space.enumerate()
        listed = ShapeTable.count(space.totals(rows), space.num_parameterised(rows))
        for mine, theirs in ((table, listed), (listed, table)):
            assert as_counts(mine) == as_counts(theirs)


def test_distribution_agrees_with_a_random_sample(space: Space) -> None:
    if space.name in ("complete-6", "nds"):
        pytest.skip("14 million cells, or sampled by space and not by cell")
    table = space.distribution()
    rows = space.sample(40_000, np.random.default_rng(4))[:, 0]
    totals = space.totals(rows)
    assert (totals.within(space.range) == totals.nondegenerate).all()
    weight = np.array([int(n) / table.num_cells for n in table.multiplicity])
    for exactly, drawn in (
        (table.totals.depth, totals.depth),
        (table.totals.width, totals.width),
        (table.parameterised, space.num_parameterised(rows)),
    ):
        mean = weight @ exactly
        error = np.sqrt(weight @ (exactly - mean) ** 2 / len(rows))
        assert 0 < error < 0.05 * mean
        assert abs(drawn.mean() - mean) < 4.5 * error


def as_counts(table: ShapeTable) -> dict[tuple[int, ...], int]:
    columns = (table.totals.paths, table.totals.length, table.totals.active, table.parameterised)
    return {tuple(map(int, row)): int(n) for *row, n in zip(*columns, table.multiplicity, strict=True)}


def test_parse_refuses_nonsense(space: Space) -> None:
    for text in ("", "nonsense", "{}", "|", "Genotype()", "[1, 2]", "__import__('os').getcwd()", "{" * 500, "1" * 5000):
        with pytest.raises(InputError) as caught:
            space.parse(text)
        assert "\n" not in str(caught.value)


def test_published_sizes() -> None:
    sizes = {name: spaces.get(name).num_cells for name in NAMES}
    assert sizes["nasbench201"] == 15_625
    assert sizes["nasbench101"] == 423_624  # Ying et al., 2019
    assert sizes["complete-4"] == 729
    assert spaces.get("complete-4").num_architectures == 729
    # Radosavovic et al., 2019, Table 1, in billions.
    billions = {"nasnet": 71_465_842, "amoeba": 556_628, "pnas": 556_628, "enas": 5_062.5, "nds-darts": 242}
    assert {name: sizes[name] / 1e9 for name in billions} == pytest.approx(billions, rel=2e-3)
    # Liu et al., 2019: "about 10^9" cells by hand, 10^18 pairs of them.
    assert sizes["darts"] == 180 * 7**8
    assert spaces.get("darts").num_architectures == (180 * 7**8) ** 2


def test_unknown_space_lists_the_names() -> None:
    with pytest.raises(InputError, match="nasbench201"):
        spaces.get("nasbench2021")


def test_exact_numbers() -> None:
    assert exact(0.1) == exact("0.1") == Fraction(1, 10)
    assert exact(np.float64(0.25)) == Fraction(1, 4)
    for bad in ("x", float("nan"), float("inf"), None, "1/0"):
        with pytest.raises(InputError):
            exact(bad)


def test_box_bounds_are_included_exactly() -> None:
    # d = 1/3 and m = 3 (three paths, one of them with one operation): not representable in binary.
    totals = PathTotals(np.array([3]), np.array([1]), np.array([1]))
    third = Fraction(1, 3)
    assert totals.within(Box.make(third, third, 3, 3)).all()
    assert not totals.within(Box.make(third + Fraction(1, 10**15), 1, 3, 3)).any()
    assert not totals.within(Box.make(0, third, 3 + Fraction(1, 10**15), 4)).any()
    with pytest.raises(InputError):
        Box.make(2, 1, 0, 1)
    with pytest.raises(InputError):
        Box.make(0, 1, 0, 1).shrink(-1)


def test_huge_counts_stay_exact() -> None:
    # 2^61 paths of length 60 overflow int64 in their sum; Python integers take over.
    totals = PathTotals.from_counts(np.array([[1, 2**61 + 1, 2**61]], dtype=np.int64))
    assert totals.length[0] == 2**61 + 1 + 2 * 2**61
    d, m = totals.fractions(0)
    assert d * m == 2**62 + 1
    assert totals.within(Box(d, d, m, m)).all()
    assert not totals.within(Box(d, d, m + Fraction(1, 10**40), m + 1)).any()


def test_listed_space_takes_graphs_of_any_kind() -> None:
    graph = nx.DiGraph()
    graph.add_edge("x", "h", op="linear")
    graph.add_edge("h", "y", op="skip")
    graph.add_edge("x", "y", op="linear")
    listed = ListedSpace([graph, "2_02_002", Dag.from_code("1"), {(0, 1): "linear"}, "2_02_002"])
    assert listed.num_cells == 4
    totals = listed.totals(listed.enumerate())
    assert [totals.fractions(i) for i in range(4)] == [
        (1, 2),
        (3, Fraction(1, 3)),
        (0, 0),
        (1, 1),
    ]
    assert listed.range.bounds == (1, 3, Fraction(1, 3), 2)


def test_listed_space_counts_beyond_machine_integers() -> None:
    n = 120
    ladder = {(s, t): "linear" if t == n - 1 else "skip" for t in range(1, n) for s in range(t)}
    listed = ListedSpace([ladder])
    totals = listed.totals(listed.enumerate())
    assert totals.paths[0] == 2 ** (n - 2)
    assert totals.fractions(0) == (1, 2 ** (n - 2))


def test_codes_file(tmp_path) -> None:
    file = tmp_path / "cells.txt"
    file.write_text("2_02_002\n\n1_01_222\n")
    assert spaces.get(f"codes:{file}").num_cells == 2
    bad = tmp_path / "bad.txt"
    bad.write_text("2_02_002\n2_03\n")
    with pytest.raises(InputError, match="line 2"):
        spaces.get(f"codes:{bad}")
    with pytest.raises(InputError):
        spaces.get(f"codes:{tmp_path / 'none.txt'}")
