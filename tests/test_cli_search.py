"""`nngp-dag score` and `nngp-dag search` end to end on small networks: rows, resumption, correlations, bad input.

In this process the commands get the tests' tiny networks of NAS-Bench-201, so that all tests share a few compilations;
what runs as a process of its own has networks of the real kind, at their smallest.
"""

import csv
import importlib
import json
import os
import re
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from command_line import run_command
from nas_cases import tiny_networks

from nngp_dag.errors import InputError
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.run import SEARCHES
from nngp_dag.spaces import get

pytestmark = pytest.mark.usefixtures("quick_compilation")

SPACE = get("nasbench201")
SMALL = ("--batch-size", 6)
ALIVE = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|"
NONE = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
SKIP = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    registry = importlib.import_module("nngp_dag.nas.networks.registry")
    whole = registry.space_networks
    monkeypatch.setattr(
        registry, "space_networks", lambda name: tiny_networks() if name == "nasbench201" else whole(name)
    )


@pytest.fixture
def run(capfd):
    """Runs the command line in this process: (status, stdout, stderr)."""
    return partial(run_command, capfd)


@pytest.fixture
def document(run):
    def refuse(constant):
        raise AssertionError(f"{constant} is not strict JSON")

    def document(*arguments):
        status, out, err = run(*arguments, "--json")
        assert status == 0, err
        return json.loads(out, parse_constant=refuse)

    return document


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=60)
    x = rng.integers(0, 200, size=(60, 4, 4, 3)) + 50 * np.eye(3, dtype=int)[y][:, None, None]
    path = tmp_path_factory.mktemp("images") / "images.npz"
    np.savez(path, x_train=x.astype(np.uint8), y_train=y)
    return path


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    """Accuracies that grow with the number of convolutions, for all cells."""
    cells = SPACE.enumerate()
    path = tmp_path_factory.mktemp("benchmark") / "accuracy.csv"
    with path.open("w") as file:
        file.write("architecture,cifar10,cifar100\n")
        for row, count in zip(cells, SPACE.num_parameterised(cells), strict=True):
            file.write(f"{SPACE.write(row[None])},{50 + 5 * count},{20 + 3 * count}\n")
    return path


def read(path):
    with path.open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


# ---- score ---------------------------------------------------------------------------------------------------------


def test_scores_of_a_list_with_a_benchmark(document, data, benchmark, tmp_path):
    archs = tmp_path / "archs.txt"
    sample = [SPACE.write(rows) for rows in SPACE.sample(12, np.random.default_rng(0))]
    archs.write_text("\n".join([ALIVE, "", NONE, ALIVE, *sample]) + "\n")
    result = document("score", "wot", "--archs", archs, "--data", data, "--benchmark", benchmark, *SMALL)
    rows = result["rows"]
    assert [row["architecture"] for row in rows] == [ALIVE, NONE, *sample]
    assert (result["num_duplicates"], result["num_bad"]) == (1, 0)
    assert rows[1]["wot"] is None and isinstance(rows[0]["wot"], float)
    assert rows[0]["num-parameterised"] == 3
    assert set(result["correlations"]) == {"cifar10", "cifar100"}
    correlations = result["correlations"]["cifar10"]
    assert set(correlations) == set(result["scores"]) > {"wot", "effective-depth", "parameters", "multiply-adds"}
    assert correlations["num-parameterised"]["spearman"]["value"] == pytest.approx(1)
    for estimate in (correlations["wot"][key] for key in ("spearman", "kendall", "top_recall")):
        assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_rows_come_as_they_are_finished_and_tables_follow(run, data, benchmark):
    status, out, _ = run("score", "wot", "--sample", 4, "--data", data, "--benchmark", benchmark, *SMALL)
    assert status == 0
    lines = out.splitlines()
    assert lines[0].startswith("architecture,wot,effective-depth")
    assert all(line.startswith("|") for line in lines[1:5])
    assert "Rank correlation with accuracy on cifar10" in out and "multiply-adds" in out


def test_baselines_need_no_data_and_serve_the_whole_space(document):
    result = document("score", "num-parameterised", "--data", "missing.npz")
    assert len(result["rows"]) == 15625
    assert result["data"] is None


@pytest.mark.full
def test_a_killed_run_goes_on_where_it_was(data, tmp_path):
    """A process is killed among its rows, the last of which is torn; another computes the others, and none twice."""
    out = tmp_path / "rows.csv"
    command = [sys.executable, "-m", "nngp_dag", "score", "linear-regions", "--sample", "100", "--data", str(data)]
    process = subprocess.Popen([*command, "--out", str(out)])
    try:
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline and (not out.exists() or out.read_bytes().count(b"\n") < 10):
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()
    before = out.read_bytes()
    before = before[: before.rfind(b"\n") + 1]
    assert 10 <= before.count(b"\n") < 100, "the run ended before it could be killed"
    with out.open("ab") as file:
        file.write(b"|nor_conv_3x3~0|+|none")
    resumed = json.loads(subprocess.check_output([*command, "--out", str(out), "--json"], timeout=200))
    assert resumed["num_resumed"] == before.count(b"\n") - 1
    assert out.read_bytes().startswith(before)
    rows = read(out)
    assert [row["architecture"] for row in rows] == [row["architecture"] for row in resumed["rows"]]
    assert len({row["architecture"] for row in rows}) == len(rows) > 90


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_run_goes_on_from_what_is_there(run, document, data, tmp_path, suffix):
    archs, out = tmp_path / "archs.txt", tmp_path / f"rows{suffix}"
    lines = [SPACE.write(rows) for rows in SPACE.sample(14, np.random.default_rng(0))]
    arguments = ["score", "wot", "--archs", archs, "--data", data, *SMALL]
    archs.write_text("\n".join(lines[:6]) + "\n")
    assert run(*arguments, "--out", out)[0] == 0
    before = out.read_bytes()
    with out.open("ab") as file:
        file.write(b'{"architecture": "|nor' if suffix == ".jsonl" else b"|nor_conv_3x3~0|+|none")
    archs.write_text("\n".join(lines) + "\n")
    result = document(*arguments, "--out", out)
    assert (result["num_resumed"], len(result["rows"])) == (6, 14)
    assert out.read_bytes().startswith(before)
    alone = document(*arguments)["rows"]
    for row in (*alone, *result["rows"]):
        del row["seconds"]
    assert result["rows"] == alone
    assert document(*arguments, "--out", out)["num_resumed"] == 14


def test_rows_of_other_settings_are_refused(run, data, tmp_path):
    out = tmp_path / "rows.csv"
    arguments = ["score", "wot", "--sample", 2, "--data", data, *SMALL, "--out", out]
    assert run(*arguments)[0] == 0
    for change in (["--seed", 1], ["--wot-weights", "released"], ["--channels", 1]):
        status, _, err = run(*arguments, *change)
        assert status == 2 and "rows of another run" in err and err.count("\n") == 1
    status, _, err = run("score", "linear-regions", "--sample", 2, "--data", data, "--out", out)
    assert status == 2 and "other columns" in err


def test_skip_bad_counts_what_cannot_be_used(run, document, data, tmp_path):
    archs, table = tmp_path / "archs.txt", tmp_path / "few.csv"
    archs.write_text(f"{ALIVE}\nnonsense\n{SKIP}\n{NONE}\n|nor_conv_3x3~0|\n")
    table.write_text(f"architecture,cifar10\n{ALIVE},90\n{SKIP},80\n{NONE},10\n")
    result = document("score", "parameters", "--archs", archs, "--skip-bad", "--benchmark", table)
    assert result["num_bad"] == 2 and len(result["rows"]) == 3
    status, out, err = run("score", "parameters", "--archs", archs)
    assert status == 2 and "line 2" in err and err.count("\n") == 1
    assert ALIVE in out  # what came before the bad line was written
    table.write_text(f"architecture,cifar10\n{SKIP},80\n{NONE},10\n")
    status, _, err = run("score", "parameters", "--archs", archs, "--benchmark", table)
    assert status == 2 and ALIVE in err and "is not in" in err


def test_genotypes_of_darts(run, document, tmp_path):
    """Two cells an architecture; what can be written but has no network is a bad line."""
    space = get("darts")
    lines = [space.write(rows) for rows in space.sample(3, np.random.default_rng(0))]
    twice = re.sub(r"\('(\w+)', \d\), \('(\w+)', \d\)", r"('\1', 1), ('\2', 1)", lines[1], count=1)
    archs = tmp_path / "archs.txt"
    archs.write_text("\n".join([lines[0], twice, lines[2]]) + "\n")
    arguments = ["score", "parameters", "--space", "darts", "--archs", archs]
    status, out, err = run(*arguments)
    assert status == 2 and "line 2: no network" in err and "two edges from node 1" in err and err.count("\n") == 1
    assert lines[0] in out
    result = document(*arguments, "--skip-bad")
    assert [row["architecture"] for row in result["rows"]] == [lines[0], lines[2]]
    assert result["num_bad"] == 1
    for row in result["rows"]:
        assert row["num-parameterised"] == space.num_parameterised(space.parse(row["architecture"])).sum()
    status, _, err = run("score", "parameters", "--space", "darts")
    assert status == 2 and "--sample" in err


# ---- search --------------------------------------------------------------------------------------------------------


def test_search_wot_with_and_without_the_filter(document, data, benchmark):
    results = {
        name: document(
            "search",
            "wot",
            "--filter",
            name,
            "--num",
            15,
            "--runs",
            2,
            "--data",
            data,
            "--benchmark",
            benchmark,
            *SMALL,
        )
        for name in ("none", "half-radius", "released", "1,2,1,3")
    }
    for name, result in results.items():
        assert [r["seed"] for r in result["runs"]] == [0, 1]
        for r in result["runs"]:
            (row,) = SPACE.parse(r["architecture"])
            assert r["accuracy"]["cifar10"] == 50 + 5 * int(SPACE.num_parameterised(row[None])[0])
            assert r["candidates"] == 15
            assert r["filtered_share"] == pytest.approx(1 - r["evaluations"] / 15)
        accuracies = [r["accuracy"]["cifar10"] for r in result["runs"]]
        assert result["mean"]["accuracy"]["cifar10"] == pytest.approx(np.mean(accuracies))
        assert result["deviation"]["accuracy"]["cifar10"] == pytest.approx(np.std(accuracies, ddof=1))
        assert (result["ranges"] is None) == (name == "none")
    assert results["none"]["mean"]["evaluations"] == 15
    assert results["half-radius"]["mean"]["evaluations"] < 15


def test_search_by_an_exact_kernel_finds_the_best_of_its_draws(document, data, benchmark, monkeypatch):
    judged = {}
    make = importlib.import_module("nngp_dag.nas.search.run").make_score

    def watched(*arguments):
        score = make(*arguments)

        def of(architecture, *rest):
            judged[SPACE.write(architecture)] = value = score(architecture, *rest)
            return value

        return of

    monkeypatch.setattr("nngp_dag.nas.search.run.make_score", watched)
    options = ("--filter", "none", "--num", 3, "--runs", 1, *SMALL, "--data", data, "--benchmark", benchmark)
    found = document("search", "exact-ntk", *options)["runs"][0]["architecture"]
    assert len(set(judged.values())) > 1
    assert found == max(judged, key=judged.get)


def test_search_te_nas_and_fp_nas(document, run, data, benchmark):
    result = document(
        "search", "te-nas", "--runs", 1, "--batch-size", 4, "--patches", 20, "--repeats", 1, "--data", data,
        "--benchmark", benchmark, "--filter", "released",
    )  # fmt: skip
    (only,) = result["runs"]
    assert (only["candidates"], only["evaluations"]) == (54, 36)
    assert result["ranges"] is None and result["deviation"]["seconds"] is None
    status, out, _ = run(
        "search",
        "fp-nas",
        "--runs",
        1,
        "--steps",
        3,
        "--warmup",
        1,
        "--batch-size",
        16,
        "--data",
        data,
        "--filter",
        "half-radius",
    )
    assert status == 0
    assert "fp-nas on nasbench201, filter half-radius" in out and "seed 0: |" in out


# ---- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "accuracy"], "unknown score 'accuracy'"),
        (["score", ","], "no score given"),
        (["score", "wot", "--data", "{data}", "--batch-size", "61"], "a batch of 61 images was asked for"),
        (["score", "wot", "--data", "nothing.npz"], "no such file"),
        (["score", "wot", "--data", "digits"], "unknown images"),
        (["score", "wot", "--space", "amoeba"], "no networks for the space"),
        (["score", "wot", "--archs", "-", "--sample", "3"], "not both"),
        (["score", "wot", "--data", "{data}", "--sample", "2", "--out", "rows.txt"], ".csv or .jsonl"),
        (["score", "wot", "--data", "{data}", "--sample", "2", "--out", "no/rows.csv"], "does not exist"),
        (["score", "wot", "--data", "{data}", "--sample", "1", "--benchmark", "no.csv"], "no such benchmark"),
        (["search", "darts", "--data", "{data}"], "unknown search"),
        (["search", "wot", "--data", "{data}", "--filter", "big"], "unknown filter"),
        (["search", "wot", "--data", "{data}", "--filter", "3,3,3,3", "--batch-size", "6"], "passes the filter"),
        (["search", "wot", "--data", "{data}"], "a batch of 128 images was asked for"),
        (["search", "fp-nas", "--data", "{data}"], "two disjoint batches of 64 images"),
    ],
)
def test_bad_input_is_one_line(run, data, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(*(a.replace("{data}", str(data)) for a in arguments))
    assert status == 2
    assert err.count("\n") == 1 and err.startswith("nngp-dag: error: ") and message in err
    assert os.listdir(tmp_path) == []


def test_a_found_architecture_that_the_benchmark_lacks(run, data, tmp_path):
    table = tmp_path / "few.csv"
    table.write_text(f"architecture,cifar10\n{NONE},10\n")
    status, out, err = run("search", "wot", "--num", 4, "--runs", 1, "--data", data, "--benchmark", table, *SMALL)
    assert status == 2 and "which the search found, is not in" in err and err.count("\n") == 1
    assert "seed 0: |" in out  # what the search was for is not lost


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_files_that_are_none_of_ours_stay_as_they_are(run, tmp_path, suffix):
    notes = tmp_path / f"notes{suffix}"
    mine = '{"architecture": "x", "accuracy": 93.1, "note": "mine"}'
    for text in ("no line ends here", "one,line\n", mine):
        notes.write_text(text)
        status, _, err = run("score", "effective-depth", "--sample", 2, "--out", notes)
        assert status == 2 and err.count("\n") == 1 and notes.read_text() == text


def test_a_beginning_that_was_torn_is_written_anew(run, tmp_path):
    for name, torn in (("a.csv", "architecture,effec"), ("b.jsonl", '{"archi'), ("c.jsonl", '{"architecture": "|nor')):
        (tmp_path / name).write_text(torn)
        status, _, err = run("score", "effective-depth", "--sample", 2, "--out", tmp_path / name)
        assert status == 0, err
        lines = (tmp_path / name).read_text().splitlines()
        if name == "a.csv":
            assert lines[0].startswith("architecture,effective-depth,") and len(lines) == 3
        else:
            assert len([json.loads(line)["effective-depth"] for line in lines]) == 2


def test_too_few_to_be_ranked_are_written_all_the_same(run, benchmark, tmp_path):
    archs = tmp_path / "archs"
    archs.write_text(f"{ALIVE}\n")
    status, out, err = run("score", "effective-depth", "--archs", archs, "--benchmark", benchmark)
    assert status == 0 and ALIVE in out and "no rank correlations: 1 architectures, 3 are needed" in err


def test_real_images_and_accuracies(document, shared_data, tmp_path):
    """Tiny networks on CIFAR-10 images, averaged over 8x8 pixels: their scores go with real accuracy."""
    with np.load(shared_data / "cifar10_subset.npz") as arrays:
        pixels = arrays["x_train"][:500].reshape(-1, 4, 8, 4, 8, 3).mean((2, 4))
    np.savez(tmp_path / "small.npz", x=pixels.astype(np.uint8))
    result = document(
        "score", "wot", "--sample", 80, "--data", tmp_path / "small.npz", *SMALL,
        "--benchmark", shared_data / "nas_bench_201_test_accuracy.csv",
    )  # fmt: skip
    correlations = result["correlations"]["cifar10"]
    assert correlations["wot"]["spearman"]["low"] > 0.3
    assert correlations["effective-depth"]["spearman"]["value"] > 0


def test_a_result_outside_the_box_is_said_to_be(run, document, data, monkeypatch):
    """TE-NAS's rule looks at one removal at a time: what is left may be anything, such as skips alone."""
    found = SearchResult(SPACE.parse(SKIP), candidates=5, evaluations=3, seconds=0.1, compile_seconds=0.0)
    monkeypatch.setitem(SEARCHES, "te-nas", lambda *_: found)
    arguments = ("search", "te-nas", "--runs", 1, "--data", data)
    assert document(*arguments)["runs"][0]["passes_filter"] is False
    assert document(*arguments, "--filter", "released")["runs"][0]["passes_filter"] is None
    status, out, _ = run(*arguments)
    assert status == 0 and f"seed 0: {SKIP}\n  Outside the filter's box" in out


def test_a_failed_run_leaves_the_others(run, data, tmp_path, monkeypatch):
    """What the other runs found is printed and kept; the failed one is named, and made up for by a second start."""
    out, search = tmp_path / "runs.jsonl", SEARCHES["wot"]

    def failing(run):
        if run.seed == 1:
            raise InputError("nothing passes")
        return search(run)

    monkeypatch.setitem(SEARCHES, "wot", failing)
    arguments = ("search", "wot", "--num", 4, "--filter", "none", "--data", data, *SMALL)
    status, printed, err = run(*arguments, "--out", out)
    assert status == 2 and "1 of 3 runs failed: wot, filter none, seed 1: nothing passes" in err
    assert "seed 0: |" in printed and "seed 2: |" in printed and "seed 1: |" not in printed
    assert [json.loads(line)["seed"] for line in out.read_text().splitlines()] == [0, 2]
    monkeypatch.setitem(SEARCHES, "wot", search)
    status, printed, err = run(*arguments, "--out", out, "--json")
    document = json.loads(printed)
    assert status == 0 and "2 of 3 runs were done" in err and document["num_resumed"] == 2
    assert [record["seed"] for record in document["runs"]] == [0, 1, 2] and document["failed"] == []
    status, _, err = run(*arguments, "--out", tmp_path / "runs.csv")
    assert status == 2 and "has to end in .jsonl" in err
