"""Tables 1 to 3 on tiny networks: rows, the paper's values beside them, what is printed, what is refused."""

import importlib
import json

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import assert_close
from nas_cases import random_images, tiny_networks

from nngp_dag.cli import cli
from nngp_dag.errors import InputError
from nngp_dag.nas.search.fp_nas import FpNasSettings
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.run import SearchSettings
from nngp_dag.reproduce.tables import table_1, table_2, table_3
from nngp_dag.reproduce.tables.measured import accuracy_of
from nngp_dag.reproduce.tables.paper import TABLE_1, TABLE_2, TABLE_3
from nngp_dag.reproduce.tables.runs import largest_of_draws
from nngp_dag.spaces import get

SPACE = get("nasbench201")
CENTRAL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|"
TINY = SearchSettings(
    num=12, batch_size=6, ntk_images=4, patches=20, repeats=1, fp_nas=FpNasSettings(steps=3, warmup=1, batch_size=16)
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Every table on tiny networks of NAS-Bench-201 (a search does not ask which space it is in), and small images."""
    for module in (table_1, table_2, table_3):
        monkeypatch.setattr(module, "space_networks", lambda name: tiny_networks())
    monkeypatch.setattr(table_1, "settings_of", lambda profile: (TINY, 2))
    monkeypatch.setattr(table_2, "settings_of", lambda profile: (TINY, 1, None, None))
    monkeypatch.setattr(table_3, "SearchSettings", lambda num: TINY)
    images = importlib.import_module("nngp_dag.nas.images")
    monkeypatch.setattr(images, "load_images", lambda *_, **__: random_images())


@pytest.fixture(scope="module")
def accuracies(tmp_path_factory):
    """A file of accuracies that grow with the number of convolutions."""
    cells = SPACE.enumerate()
    path = tmp_path_factory.mktemp("benchmark") / "accuracy.csv"
    lines = [
        f"{SPACE.write(row[None])},{50 + 5 * k},{20 + 3 * k},{10 + k}"
        for row, k in zip(cells, SPACE.num_parameterised(cells), strict=True)
    ]
    path.write_text("\n".join(["architecture,cifar10,cifar100,imagenet16_120", *lines]) + "\n")
    return path


def reproduce(*arguments):
    """The JSON document, and what is printed without `--json`."""
    document = CliRunner().invoke(cli, ["reproduce", *map(str, arguments), "--json"], catch_exceptions=False)
    printed = CliRunner().invoke(
        cli, ["reproduce", *map(str, arguments)], catch_exceptions=False, env={"COLUMNS": "160"}
    )
    assert document.exit_code == printed.exit_code == 0
    return json.loads(document.stdout), printed.stdout


def by_row(document):
    return {(row["search"], row["filter"]): row for row in document["rows"]}


def check_savings(rows, name):
    """Evaluations saved are those that were not made."""
    whole = rows[name, "none"]["measured"]
    for chosen in ("half-radius", "released"):
        measured = rows[name, chosen]["measured"]
        assert measured["candidates"] == whole["candidates"]
        assert_close(measured["saving"]["evaluations"], 100 * (1 - measured["evaluations"] / whole["evaluations"]))
        assert measured["evaluations"] < whole["evaluations"]
    assert whole["saving"] is None


def test_table_1():
    document, printed = reproduce("table-1", "--data", "any")
    rows = by_row(document)
    assert list(rows) == [(s, f) for s in ("wot", "te-nas") for f in ("none", "half-radius", "released")]
    for name in ("wot", "te-nas"):
        check_savings(rows, name)
        for chosen in ("none", "released"):
            row = rows[name, chosen]
            assert row["paper"] == TABLE_1[name, "none" if chosen == "none" else "filter"]
            assert row["measured"]["runs"] == len(row["parameters"]) == len(row["measured"]["architectures"]) == 2
            for text, depth in zip(row["measured"]["architectures"], row["effective_depth"], strict=True):
                assert SPACE.totals(SPACE.parse(text)).depth.tolist() == depth
                assert text in printed
    assert "Training on ImageNet is out of scope" in printed and "0.0036" in printed and "41" in printed


def test_table_2(accuracies):
    document, printed = reproduce("table-2", "--benchmark", accuracies)
    rows = by_row(document)
    for name in ("wot", "te-nas", "fp-nas"):
        for chosen in ("none", "half-radius", "released"):
            row = rows[name, chosen]
            paper = TABLE_2[name, "none" if chosen == "none" else "filter"]
            assert [tuple(v) for v in row["paper"]["accuracy"].values()] == list(paper.accuracy)
            (text,) = row["measured"]["architectures"]
            convolutions = int(SPACE.num_parameterised(SPACE.parse(text))[0])
            assert row["measured"]["accuracy"]["cifar10"] == [50 + 5 * convolutions, None]
    for name in ("wot", "te-nas"):
        check_savings(rows, name)
    # The trivial baseline costs nothing; the optimum is the file's.
    assert rows["largest of 100 draws", "none"]["measured"]["evaluations"] == 0
    assert document["optimal"] == {"cifar10": 80, "cifar100": 38, "imagenet16_120": 16}
    assert "92.81 (0.99)" in printed and "One run: no deviations." in printed


def test_table_3(accuracies):
    document, printed = reproduce("table-3", "--benchmark", accuracies, "--runs", 2)
    rows = {row["filter"]: row for row in document["rows"]}
    for share, paper in TABLE_3.items():
        assert tuple(rows[f"radius:{share}"]["paper_cifar100"]) == paper
    evaluated = [rows[f"radius:{share}"]["measured"]["evaluations"] for share in ("1", "3/4", "1/2", "1/4")]
    assert 12 >= evaluated[0] >= evaluated[1] >= evaluated[2] >= evaluated[3] > 0
    assert rows["none"]["measured"]["evaluations"] == 12 and rows["none"]["measured"]["saving_seconds"] == 0
    assert "69.97 (1.19)" in printed and "1/4 radius" in printed


def test_the_largest_of_the_draws_is_the_largest():
    networks = tiny_networks()
    (found,) = largest_of_draws(networks, num=30, runs=1, seed=4)
    draws = SPACE.sample(30, np.random.default_rng(4))
    sizes = [networks.size(networks.wot, networks.genes(draw), 32).parameters for draw in draws]
    assert networks.size(networks.wot, networks.genes(found.architecture), 32).parameters == max(sizes)
    assert (found.evaluations, found.candidates) == (0, 30)


def test_what_a_table_needs_is_said(tmp_path):
    for table in ("table-2", "table-3"):
        with pytest.raises(InputError, match="give --benchmark"):
            CliRunner().invoke(cli, ["reproduce", table, "--data-dir", str(tmp_path)], catch_exceptions=False)


def test_an_architecture_without_accuracy_is_named(accuracies):
    from nngp_dag.accuracy import read

    table = read("nasbench201", accuracies)
    few = table.select(np.arange(5))
    assert accuracy_of(table, table.architectures[7]) == {
        name: float(values[7]) for name, values in table.accuracy.items()
    }
    with pytest.raises(InputError, match="which the search found, is not in"):
        accuracy_of(few, table.architectures[7])


def test_a_table_keeps_its_runs_and_names_the_one_that_failed(accuracies, tmp_path, monkeypatch):
    from nngp_dag.reproduce.tables import runs

    folder, search = tmp_path / "table", runs.random_search
    arguments = ["reproduce", "table-3", "--benchmark", str(accuracies), "--runs", "2", "--out", str(folder), "--json"]

    def once(space, score, *, keep, **options):
        if keep is not None and keep.box.bounds == broken:
            raise InputError("none passes")
        return search(space, score, keep=keep, **options)

    broken = table_3.make_filter("radius:3/4", SPACE).predicate.box.bounds
    monkeypatch.setattr(runs, "random_search", once)
    failed = CliRunner().invoke(cli, arguments)
    assert isinstance(failed.exception, InputError)
    assert "2 runs failed: wot, filter radius:3/4, seed 0: none passes; wot, " in str(failed.exception)
    document = json.loads(failed.stdout)
    assert [row["filter"] for row in document["rows"][:3]] == ["none", "radius:1", "radius:1/2"]
    assert len((folder / "runs.jsonl").read_text().splitlines()) == 10
    monkeypatch.setattr(runs, "random_search", search)
    whole = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert whole.exit_code == 0 and "nngp-dag: 10 of 12 runs were done" in whole.stderr
    again = json.loads(whole.stdout)
    assert again == json.loads((folder / "table-3.json").read_text()) and not again["failed"]
    kept = {row["filter"]: row["measured"] for row in again["rows"]}
    assert all(kept[row["filter"]] == row["measured"] for row in document["rows"])
    fresh, _ = reproduce("table-3", "--benchmark", accuracies, "--runs", 2)
    assert [r["measured"]["architectures"] for r in fresh["rows"]] == [
        r["measured"]["architectures"] for r in again["rows"]
    ]
    monkeypatch.setattr(table_3, "SearchSettings", lambda num: SearchSettings(num=num, batch_size=6))
    with pytest.raises(InputError, match="rows of other searches"):
        CliRunner().invoke(cli, [*arguments, "--num", "5"], catch_exceptions=False)


def test_cells_found_by_all_ranges_are_said(accuracies, monkeypatch):
    """With a score that prefers one cell inside every box, no range differs; with another, each cell is named."""
    document, printed = reproduce("table-3", "--benchmark", accuracies, "--runs", 2)
    ranges = [row["filter"] for row in document["rows"][:-1]]
    for found in document["found"]:
        assert sorted(name for names in found["cells"].values() for name in names) == sorted(ranges)
        for cell, names in found["cells"].items():
            rows = [r for r in document["rows"] if r["filter"] in names]
            assert all(r["measured"]["architectures"][found["seed"]] == cell for r in rows)
            assert f": {cell}" in printed
    assert document["one_cell_each"] == all(len(found["cells"]) == 1 for found in document["found"])
    paths = {row["filter"]: row["measured"]["architectures"] for row in document["rows"]}
    for name in ranges:
        alike = [group for group in document["alike"] if name in group]
        same = [other for other in ranges if paths[other] == paths[name]]
        assert alike == ([same] if len(same) > 1 else [])
        assert len(same) in (1, len(ranges)) or "do not tell them apart" in printed
    best = SPACE.parse(CENTRAL)
    from nngp_dag.reproduce.tables import runs

    monkeypatch.setattr(runs, "random_search", lambda *_, **__: SearchResult(best, 12, 3, 0.1, 0.0))
    same, printed = reproduce("table-3", "--benchmark", accuracies, "--runs", 2)
    assert same["alike"] == [ranges] and "do not tell them apart" not in printed
    assert same["one_cell_each"] and [list(found["cells"]) for found in same["found"]] == [[CENTRAL]] * 2
    assert "these accuracies tell no range from another" in printed and f"seed 1, all ranges: {CENTRAL}" in printed
