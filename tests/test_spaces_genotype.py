"""Genotype spaces: notation, exact counting against exhaustive listing, and readings of the printed DARTS centre."""

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest

from nngp_dag import InputError, spaces
from nngp_dag.dag import Op
from nngp_dag.paths import path_statistics
from nngp_dag.spaces.genotype import OPERATIONS, operation_class
from nngp_dag.spaces.genotype_count import GenotypeRules, count_shapes
from nngp_dag.spaces.genotype_text import format_genotype, parse_genotype
from nngp_dag.spaces.printed_ranges import PRINTED, darts_range_readings, sampled_range_reading

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),"
    " ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5],"
    " reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0),"
    " ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


def test_a_published_cell_by_hand() -> None:
    # Node 2: two paths of depth 1; node 3: two of depth 1; node 4: depth 1 and depth 0; node 5: depth 0 and two of
    # depth 2.
    dag = spaces.get("darts").dags(DARTS_V2)["normal"]
    assert path_statistics(dag).counts == (2, 5, 2)
    # Every path of the reduction cell runs through skips and pooling alone.
    reduce = path_statistics(spaces.get("darts").dags(DARTS_V2)["reduce"])
    assert reduce.effective_depth == 0 and reduce.num_paths == 11


def test_all_forms_of_notation_agree() -> None:
    cells = parse_genotype(DARTS_V2)
    fields = {
        name: value
        for cell, name in zip(cells, ("normal", "reduce"), strict=True)
        for name, value in ((name, [list(edge) for edge in cell[0]]), (f"{name}_concat", list(cell[1])))
    }
    forms = [
        DARTS_V2.replace("[2, 3, 4, 5]", "range(2, 6)"),
        DARTS_V2.replace(", normal_concat=[2, 3, 4, 5]", "").replace(", reduce_concat=[2, 3, 4, 5]", ""),
        DARTS_V2.replace("'", '"').replace(" ", ""),
        "Genotype(reduce="
        + DARTS_V2.split(", reduce=")[1][:-1]
        + ", "
        + DARTS_V2.split("(", 1)[1].split(", reduce=")[0]
        + ")",
        json.dumps(fields),
        repr(fields),
    ]
    for form in [*forms, fields]:
        assert parse_genotype(form) == cells
    assert format_genotype(cells) == DARTS_V2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("'dil_conv_3x3', 2", "'dil_conv_7x7', 2", "unknown operation 'dil_conv_7x7' in the normal cell"),
        ("'dil_conv_3x3', 2", "'dil_conv_3x3', 5", "from 0 to 4"),
        (", ('dil_conv_3x3', 2)", "", "7 edges"),
        (", ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5]", "]", "6 edges"),
        ("normal_concat=[2, 3, 4, 5]", "normal_concat=[2, 6]", "normal_concat"),
        ("reduce=", "reduction=", "needs the cell 'reduce'"),
        ("normal=[", "normal=[open('x'), ", "malformed"),
        ("('dil_conv_3x3', 2)", "('dil_conv_3x3', True)", "from 0 to 4"),
    ],
)
def test_messages_name_what_is_wrong(old: str, new: str, words: str) -> None:
    assert old in DARTS_V2
    with pytest.raises(InputError, match=words):
        spaces.get("darts").parse(DARTS_V2.replace(old, new))


def test_notation_is_read_not_run(tmp_path) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(InputError):
        parse_genotype(f"Genotype(normal=[open({str(marker)!r}, 'w')], reduce=[])")
    assert not marker.exists()


def test_pooling_and_convolutions_by_class() -> None:
    classes = {op: operation_class(op) for op in OPERATIONS}
    assert {op for op, c in classes.items() if c == Op.ZERO} == {"none"}
    assert {op for op, c in classes.items() if c == Op.SKIP} == {
        op for op in OPERATIONS if "pool" in op or "skip" in op
    }


def test_a_double_edge_is_two_paths() -> None:
    text = DARTS_V2.replace(
        "('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep", "('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep", 1
    )
    space = spaces.get("darts")
    assert path_statistics(space.dag(text)).counts == (2, 5, 2)
    assert spaces.get("darts").totals(space.parse(text)).paths[0] == 9


def five_nodes(text: str) -> str:
    """The same cells with a fifth node that only skips."""
    extra = ", ('skip_connect', 0), ('skip_connect', 1)]"
    return text.replace("], normal_concat", f"{extra}, normal_concat").replace(
        "], reduce_concat", f"{extra}, reduce_concat"
    )


def test_none_is_a_broken_edge() -> None:
    text = DARTS_V2.replace("'dil_conv_3x3', 2", "'none', 2")
    assert path_statistics(spaces.get("darts").dag(text)).counts == (2, 5)
    with pytest.raises(InputError, match="unknown operation 'none'"):
        spaces.get("nasnet").parse(five_nodes(text))


def all_cells(rules: GenotypeRules) -> dict[tuple[int, int, int, int], int]:
    """Every cell by class of operation, its paths counted one by one."""
    counted: dict[tuple[int, int, int, int], int] = {}
    choices = []
    for i in range(rules.nodes):
        pairs = itertools.combinations(range(i + 2), 2) if rules.distinct else itertools.product(range(i + 2), repeat=2)
        kinds = [op for op in range(3) for _ in range(rules.operations[op])]
        choices.append([(p, ops) for p in pairs for ops in itertools.product(kinds, repeat=2)])
    for cell in itertools.product(*choices):
        edges = {}
        used = {v for predecessors, _ in cell for v in predecessors}
        for i, (predecessors, ops) in enumerate(cell):
            for e, (v, op) in enumerate(zip(predecessors, ops, strict=True)):
                edges[v, i + 2, 0 if rules.overwrite else e] = op
        output = rules.nodes + 1 if rules.last_is_output else rules.nodes + 2
        for v in range(2, output):
            if not (rules.loose_ends and v in used):
                edges.setdefault((v, output, 0), 1)
        stack = [(v, 0) for v in (0, 1)]
        depths = []
        while stack:
            v, depth = stack.pop()
            if v == output:
                depths.append(depth)
            stack += [(t, depth + (op == 2)) for (s, t, _), op in edges.items() if s == v and op]
        linear = sum(op == 2 for _, ops in cell for op in ops)
        key = (len(depths), sum(depths), sum(d > 0 for d in depths), linear)
        counted[key] = counted.get(key, 0) + 1
    return counted


@pytest.mark.parametrize(
    "rules",
    [
        GenotypeRules(2, (1, 2, 1), distinct=True),
        GenotypeRules(2, (1, 1, 2)),
        GenotypeRules(2, (0, 2, 1), loose_ends=True),
        GenotypeRules(3, (0, 1, 1), distinct=True, loose_ends=True),
        GenotypeRules(2, (1, 1, 1), overwrite=True),
        GenotypeRules(3, (0, 1, 1), overwrite=True, last_is_output=True),
        GenotypeRules(2, (1, 1, 1), overwrite=True, last_is_output=True),
    ],
    ids=str,
)
def test_counting_by_classes_is_exhaustive_listing(rules: GenotypeRules) -> None:
    table = count_shapes(rules)
    counted = {
        tuple(map(int, row)): int(n)
        for *row, n in zip(
            table.totals.paths,
            table.totals.length,
            table.totals.active,
            table.parameterised,
            table.multiplicity,
            strict=True,
        )
    }
    assert counted == all_cells(rules)


def test_rules_are_checked() -> None:
    with pytest.raises(InputError):
        GenotypeRules(0, (1, 1, 1))
    with pytest.raises(InputError):
        GenotypeRules(2, (0, 0, 0))


def test_exact_range_of_darts() -> None:
    box = spaces.get("darts").range
    assert box.bounds == (Fraction(1, 16), Fraction(22, 9), Fraction(88, 15), Fraction(18))
    assert not PRINTED["darts"].matches(box)


def test_the_printed_darts_centre_follows_from_the_matrix_of_the_union_with_five_convolutions() -> None:
    readings = darts_range_readings()
    assert [r.reading for r in readings if r.matches and r.probability is None] == [
        "the same, cells with five convolutions as in Figure 5"
    ]
    found = next(r for r in readings if r.matches)
    assert found.center == pytest.approx((1.4556, 10.5), abs=1e-4)
    assert found.half_radius == pytest.approx((0.6722, 4.75), abs=1e-4)
    sampled = sampled_range_reading()
    assert sampled is readings[-1]
    assert 0.02 < sampled.probability < 0.3


def test_union_reads_cells_of_four_and_five_nodes() -> None:
    union = spaces.get("nds")
    np.testing.assert_array_equal(
        union.totals(union.parse(DARTS_V2)).paths, spaces.get("darts").totals(spaces.get("darts").parse(DARTS_V2)).paths
    )
    for text in (DARTS_V2, five_nodes(DARTS_V2)):
        assert union.write(union.parse(text)) == text
    with pytest.raises(InputError, match="edges"):
        union.parse(DARTS_V2.replace(", ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5]", "]"))
    index = np.cumsum([member.num_cells for member in union.members])
    last = union.cells_at(index - 1)
    assert [int((row[20:] > 0).sum() > 0) for row in last] == [1] * 5
    np.testing.assert_array_equal(last[-1][:16], union.members[-1].cells_at([union.members[-1].num_cells - 1])[0][:16])
