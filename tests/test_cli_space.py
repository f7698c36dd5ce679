"""Commands space, filter and reproduce figure-5, end to end."""

import csv
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from nngp_dag import prefilter, spaces
from nngp_dag.accuracy import read
from nngp_dag.cli import cli, main
from nngp_dag.reproduce.figure5.report import analyse
from nngp_dag.spaces.genotype_text import parse_genotype

GOOD = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
DEGENERATE = "|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|".replace("nor_conv_3x3", "avg_pool_3x3")


def run(capfdbinary, arguments: list[str], stdin: bytes = b"") -> tuple[int, bytes, str]:
    """Exit status, stdout and stderr of the command line, in this process."""
    reader, writer = os.pipe()
    saved = os.dup(0), sys.stdin
    os.write(writer, stdin)
    os.close(writer)
    os.dup2(reader, 0)
    sys.stdin = os.fdopen(os.dup(0), "r")
    try:
        main(arguments)
    except SystemExit as stop:
        status = stop.code
    finally:
        sys.stdin.close()
        os.dup2(saved[0], 0)
        sys.stdin = saved[1]
        os.close(saved[0])
        os.close(reader)
    captured = capfdbinary.readouterr()
    return int(status or 0), captured.out, captured.err.decode()


# ---- filter --------------------------------------------------------------------------------------------------------


def test_filter_writes_what_passes_unchanged(capfdbinary) -> None:
    space = spaces.get("nasbench201")
    lines = [space.write(a) for a in space.sample(200, np.random.default_rng(0))]
    keep = prefilter("nasbench201")
    stdin = ("\n\n".join("  " + line + " \t" for line in lines)).encode()
    status, out, err = run(capfdbinary, ["filter", "nasbench201"], stdin)
    assert (status, err) == (0, "")
    assert out.decode() == "".join(f"  {line} \t\n" for line in lines if keep(line))
    assert 20 < len(out.splitlines()) < 150


def test_filter_of_nothing_and_of_degenerate_cells(capfdbinary) -> None:
    assert run(capfdbinary, ["filter", "nasbench201"]) == (0, b"", "")
    wide = ["filter", "nasbench201", "--ranges", "0,100,0,100"]
    assert run(capfdbinary, wide, DEGENERATE.encode() + b"\n") == (0, b"", "")
    assert run(capfdbinary, wide, GOOD.encode())[1] == GOOD.encode() + b"\n"


def test_filter_stops_at_a_bad_line_after_writing_what_passed(capfdbinary) -> None:
    stdin = f"{GOOD}\n\nnonsense\n{GOOD}\n".encode()
    status, out, err = run(capfdbinary, ["filter", "nasbench201", "--keep-radius", "1"], stdin)
    assert status == 2 and out.decode() == f"{GOOD}\n"
    assert "line 3" in err and err.count("\n") == 1
    status, out, err = run(capfdbinary, ["filter", "nasbench201", "--keep-radius", "1", "--skip-bad"], stdin)
    assert status == 0 and out.decode() == f"{GOOD}\n{GOOD}\n" and "skipped 1 of 3" in err
    status, out, _ = run(capfdbinary, ["filter", "nasbench201"], b"\xff\xfe\n")
    assert status == 2 and out == b""


def test_filter_bounds_are_exact(capfdbinary) -> None:
    # Paths 0-3 (one operation), 0-1-3 and 0-2-3 (none): d = 1/3 and m = 3.
    line = b"1_10_211\n"
    for ranges, passes in (
        ("1/3,1/3,3,3", True),
        ("0.33333333333333333,1,3,3", True),
        ("0.33333333333333334,1,3,3", False),
        ("0,0.33333333333333333,3,3", False),
        ("0,1,3.00000000000000001,4", False),
        ("0,1,2,2.99999999999999999", False),
    ):
        out = run(capfdbinary, ["filter", "complete-4", "--ranges", ranges], line)[1]
        assert out == (line if passes else b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ["filter", "nasbench201", "--keep-radius", "0.5", "--ranges", "0,1,0,1"],
        ["filter", "nasbench201", "--ranges", "0,1,0"],
        ["filter", "nasbench201", "--ranges", "1,0,0,1"],
        ["filter", "nasbench201", "--ranges", "a,b,c,d"],
        ["filter", "nasbench201", "--keep-radius", "-1"],
        ["filter", "nasbench201", "--cell", "reduce"],
        ["filter", "nowhere"],
        ["filter", "nasbench201", "no-such-file"],
        ["space", "nowhere"],
        ["space", "nasbench201", "--fixed-parameterised", "3"],
        ["space", "nasbench201", "--benchmark", "no-such-file.csv"],
        ["reproduce", "figure-55"],
    ],
)
def test_bad_usage_is_one_line_and_status_2(capfdbinary, arguments: list[str]) -> None:
    status, out, err = run(capfdbinary, arguments, GOOD.encode())
    assert status == 2 and out == b""
    assert err.strip() and "Traceback" not in err and err.count("\n") == 1


def test_filter_streams() -> None:
    """A line that passes is out before the next one goes in."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nngp_dag", "filter", "nasbench201", "--keep-radius", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin and process.stdout and process.stderr
    try:
        for _ in range(3):
            process.stdin.write(GOOD.encode() + b"\n")
            process.stdin.flush()
            assert process.stdout.readline() == GOOD.encode() + b"\n"  # the time limit of the test is the alarm
        # A reader that has had enough is no error.
        process.stdout.close()
        process.stdin.write(2 * (GOOD.encode() + b"\n"))
        process.stdin.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.stderr.close()


def test_filter_json(capfdbinary, tmp_path) -> None:
    file = tmp_path / "cells.txt"
    file.write_text(f"{GOOD}\n\n{DEGENERATE}\n")
    status, out, _ = run(capfdbinary, ["filter", "nasbench201", str(file), "--keep-radius", "1", "--json"])
    document = json.loads(out)
    assert status == 0 and document["kept"] == [GOOD]
    assert (document["num_lines"], document["num_kept"], document["num_bad"]) == (2, 1, 0)
    assert document["ranges"] == [0.25, 3, 1 / 3, 4]


# ---- space ---------------------------------------------------------------------------------------------------------


def document_of(*arguments: str) -> dict:
    result = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(result.stdout, parse_constant=refuse)


def test_space_nasbench201() -> None:
    document = document_of("space", "nasbench201")
    assert document["num_architectures"] == 15625 and document["num_distinct"] == 8765
    assert document["center"] == [1.625, 13 / 6] and document["radius"] == [1.375, 11 / 6]
    assert document["paper"]["matches"] is True
    assert document["num_without_path"] + document["num_without_parameterised_path"] == 1983


def test_space_darts_says_under_which_reading_the_printed_numbers_follow() -> None:
    document = document_of("space", "darts")
    assert document["num_architectures"] == (180 * 7**8) ** 2
    assert document["cells"]["normal"] == document["cells"]["reduce"]
    assert document["paper"]["matches"] is False
    assert sum(r["matches"] for r in document["paper"]["readings"]) == 2


@pytest.fixture
def benchmark_file(tmp_path):
    space = spaces.get("complete-4")
    rows = space.enumerate()
    totals = space.totals(rows)
    accuracy = 70 - 4 * (totals.depth - 1.6) ** 2 - (totals.width - 2) ** 2
    file = tmp_path / "accuracy.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["code", "first", "second"])
        writer.writerows(
            [space.write(row[None]), f"{a:.4f}", f"{a / 2:.4f}"] for row, a in zip(rows, accuracy, strict=True)
        )
    return file


def test_space_with_a_benchmark_and_files(benchmark_file, tmp_path) -> None:
    arguments = ("space", "complete-4", "--benchmark", str(benchmark_file), "--resamples", "20")
    document = document_of(*arguments, "--fixed-parameterised", "3", "--out", str(tmp_path / "new" / "out"))
    found = document["benchmark"]
    assert found["num_rows"] == 729 and found["num_shown"] == 160
    groups = found["datasets"]["first"]["groups"]
    assert sum(g["count"] for g in groups) == 160 and len(groups) == found["num_groups"]
    assert found["datasets"]["first"]["correlations"]["architectures"]["parameterised"]["r"]["value"] is None
    files = {path.name: path.stat().st_size for path in (tmp_path / "new" / "out").iterdir()}
    assert set(files) == {
        "figure-5.png", "figure-5.pdf", "report.json", "groups.csv", "correlations.csv", "filters.csv", "draws.csv",
        "passing.csv", "sides.csv",
    }  # fmt: skip
    assert min(files.values()) > 100
    written = json.loads((tmp_path / "new" / "out" / "report.json").read_text())
    assert written == document
    with (tmp_path / "new" / "out" / "groups.csv").open() as stream:
        assert sum(int(row["count"]) for row in csv.DictReader(stream)) == 2 * 160


def test_space_prints_tables(benchmark_file) -> None:
    result = CliRunner().invoke(
        cli, ["space", "complete-4", "--benchmark", str(benchmark_file), "--resamples", "5"], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 0
    for words in ("centre", "Figure 5", "correlation", "1/2 radius", "Table 3", "over 729."):
        assert words in result.stdout
    # What the tables say is what the analysis found: the share of the half-radius box, and counting at that share.
    report = analyse(read("complete-4", benchmark_file), resamples=5)
    kept = report.datasets["first"].filters["1/2 of the radius"]
    shown = [line.replace("│", " ").split() for line in result.stdout.splitlines() if "1/2 radius" in line]
    assert shown[0][2:5] == [f"{100 * kept.share:.1f}", f"{kept.mean.value:.2f}", shown[0][4]]


def test_tables_fit_a_terminal(benchmark_file) -> None:
    """At 80 characters no cell is folded: there are as many lines as on a wide terminal."""
    arguments = ["space", "complete-4", "--benchmark", str(benchmark_file), "--resamples", "5"]
    narrow, wide = (
        CliRunner().invoke(cli, arguments, env={"COLUMNS": width}).stdout.partition("Figure 5")[2].splitlines()
        for width in ("80", "200")
    )
    assert len(narrow) == len(wide)


def test_space_skips_bad_rows_only_when_told(benchmark_file) -> None:
    with benchmark_file.open("a") as stream:
        stream.write("2_02_002,nan,3\n2_02,1,2\n")
    arguments = ["space", "complete-4", "--benchmark", str(benchmark_file), "--resamples", "5", "--json"]
    with pytest.raises(ValueError, match="line 731"):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)
    result = CliRunner().invoke(cli, [*arguments, "--skip-bad"])
    assert result.exit_code == 0 and json.loads(result.stdout)["benchmark"]["num_bad"] == 2
    assert "skipped 2 rows" in result.stderr


def test_two_cell_spaces_end_to_end(capfdbinary, tmp_path) -> None:
    space = spaces.get("nds-darts")
    rng = np.random.default_rng(0)
    genes = space.sample(150, rng)
    lines = [space.write(a) for a in genes]
    entries = []
    for line, error in zip(lines, rng.uniform(3, 10, size=150), strict=True):
        (normal, concat), (reduce, reduce_concat) = parse_genotype(line)
        genotype = {"normal": normal, "normal_concat": concat, "reduce": reduce, "reduce_concat": reduce_concat}
        entries.append({"net": {"genotype": genotype, "width": 16, "depth": 8}, "test_ep_top1": [50.0, error]})
    file = tmp_path / "DARTS.json"
    file.write_text(json.dumps(entries))
    arguments = ["space", "nds", "--benchmark", str(file), "--resamples", "5"]
    normal, reduce = document_of(*arguments), document_of(*arguments, "--cell", "reduce")
    assert (normal["benchmark"]["cell"], reduce["benchmark"]["cell"]) == ("normal", "reduce")
    for document, cell in ((normal, 0), (reduce, 1)):
        totals = space.totals(genes[:, cell])
        shapes = {totals.fractions(i) for i in range(150)}
        found = {(g["depth"], g["width"]) for g in document["benchmark"]["datasets"]["cifar10"]["groups"]}
        assert found == {(float(d), float(m)) for d, m in shapes}
    for cells in ([], ["normal"], ["normal", "reduce"]):
        keep = prefilter("darts", cells=cells or None)
        options = [part for cell in cells for part in ("--cell", cell)]
        status, out, _ = run(capfdbinary, ["filter", "darts", *options], "\n".join(lines).encode())
        assert status == 0 and out.decode().splitlines() == [line for line in lines if keep(line)]


def test_space_of_codes(tmp_path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("2_02_002\n1_01_222\n2_21_112\n")
    document = document_of("space", f"codes:{file}")
    assert document["num_architectures"] == 3
    assert document["range"]["depth"] == [1, 3]


# ---- reproduce -----------------------------------------------------------------------------------------------------


def test_reproduce_figure_5(shared_data, tmp_path) -> None:
    out = tmp_path / "figure"
    arguments = ["reproduce", "figure-5", "--data-dir", str(shared_data), "--out", str(out), "--resamples", "50"]
    document = document_of(*arguments)
    assert set(document["datasets"]) == {"cifar10", "cifar100", "imagenet16_120"}
    assert document["num_shown"] == 4320 and document["num_groups"] == 17
    assert (out / "figure-5.png").stat().st_size > 10_000


def test_reproduce_says_what_it_needs(capfdbinary, tmp_path) -> None:
    status, out, err = run(
        capfdbinary, ["reproduce", "figure-5", "--data-dir", str(tmp_path), "--out", str(tmp_path / "x")]
    )
    assert status == 2 and out == b"" and "--benchmark" in err
    assert not (tmp_path / "x").exists()


def test_vectorised_over_a_million_cells_in_seconds() -> None:
    """Ten seconds on two cores is the promise; this bound leaves room for a busy machine."""
    space = spaces.get("darts")
    rows = space.sample(100_000, np.random.default_rng(0))[:, 0]
    start = time.process_time()
    totals = space.totals(rows)
    assert totals.depth.shape == totals.width.shape == (100_000,)
    assert time.process_time() - start < 2.0
