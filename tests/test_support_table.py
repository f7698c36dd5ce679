"""Tables that survive a kill at any moment, and notice rows that are not what was written."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from nngp_dag.errors import InputError
from nngp_dag.support import row_log
from nngp_dag.support.row_format import CsvRows, JsonRows, exact_text, row_format, short_text
from nngp_dag.support.table import GrowingTable, WholeTable

COLUMNS = ("name", "value", "settings")
TEXT = ("name", "settings")
ROWS = {f"n{i}": {"name": f"n{i}", "value": i / 7} for i in range(6)}


def whole(path, identity="one"):
    return WholeTable(path, CsvRows(("name", "value"), ["name"]), {"identity": identity}, "another sweep")


def growing(path, settings="s1"):
    undefined = {"value": -np.inf}
    rows = row_format(path, COLUMNS, TEXT, short=True, undefined=undefined)
    return GrowingTable(path, rows, settings, "another run", "scores")


def fill(table, keys):
    for key in keys:
        table.add([(key, ROWS[f"n{key}" if isinstance(key, int) else key])])


def damage(path, line, old, new):
    lines = path.read_bytes().split(b"\n")
    assert old in lines[line]
    lines[line] = lines[line].replace(old, new, 1)
    path.write_bytes(b"\n".join(lines))


# ---- tables that appear whole --------------------------------------------------------------------------------------


def test_a_whole_table_is_in_the_order_of_its_places(tmp_path, capsys):
    out = tmp_path / "t.csv"
    with whole(out) as table:
        fill(table, [4, 0, 2])
        assert not out.exists() and (tmp_path / "t.csv.partial").exists()
    with whole(out) as table:
        assert len(table) == 3 and 4 in table and 1 not in table and table[2] == ROWS["n2"]
        fill(table, [5, 1, 3])
        table.finish()
    assert os.listdir(tmp_path) == ["t.csv"]
    with out.open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [f"n{i}" for i in range(6)]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("spoil", "left"),
    [
        (lambda partial: damage(partial, 2, b"n1,", b"n7,"), {0, 2}),  # a name
        (lambda partial: damage(partial, 2, b"0.14", b"0.15"), {0, 2}),  # a digit
        (lambda partial: damage(partial, 2, b"0.14", b"0.\xff4"), {0, 2}),  # no text any more
        (lambda partial: damage(partial, 1, b"[0,", b"[7,"), {1, 2}),  # a place
        (lambda partial: partial.write_bytes(partial.read_bytes()[:-5]), {0, 1}),  # torn
        (lambda partial: partial.write_bytes(partial.read_bytes() + b"0123"), {0, 1, 2}),  # a torn beginning
        (
            lambda partial: partial.write_bytes(partial.read_bytes() + partial.read_bytes().split(b"\n")[1] + b"\n"),
            {1, 2},
        ),  # written twice
    ],
)
def test_a_spoilt_row_is_noticed_and_left_out(tmp_path, capsys, spoil, left):
    out = tmp_path / "t.csv"
    with whole(out) as table:
        fill(table, range(3))
    spoil(tmp_path / "t.csv.partial")
    with whole(out) as table:
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and str(out) in error and "computed again" in error
        assert {key for key in range(3) if key in table} == left and len(table) == len(left)
        fill(table, sorted(set(range(6)) - left))
        table.finish()
    with whole(tmp_path / "other.csv") as table:
        fill(table, range(6))
        table.finish()
    assert out.read_bytes() == (tmp_path / "other.csv").read_bytes()
    assert capsys.readouterr().err == ""


def test_rows_of_something_else_and_other_files_are_refused(tmp_path):
    out, partial = tmp_path / "t.csv", tmp_path / "t.csv.partial"
    with whole(out) as table:
        fill(table, [0])
    with pytest.raises(InputError, match=r"t.csv.partial holds rows of another sweep: remove it to start anew"):
        whole(out, identity="two")
    older = json.dumps({"identity": "one"}) + "\n0,n0,0.0\n"
    for content in (older, "", "notes\n", "[1]\n", row_log._sealed("[1]")):
        partial.write_text(content)
        with pytest.raises(InputError, match=r"t.csv.partial is no list of finished rows, or one of an older version"):
            whole(out)
        assert partial.read_text() == content


def test_a_killed_writer_leaves_its_finished_rows(tmp_path):
    program = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "from test_support_table import fill, growing, whole\n"
        "for make, keys, name in ((whole, [0, 1], 'a.csv'), (growing, ['n0', 'n1'], 'b.csv')):\n"
        "    table = make(Path(sys.argv[1]) / name); fill(table, keys)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", program, tmp_path, os.path.dirname(__file__)]
    assert subprocess.run(command, timeout=120, check=False).returncode == -signal.SIGKILL
    assert (tmp_path / "b.csv").read_text().count("\n") == 3
    for table in (whole(tmp_path / "a.csv"), growing(tmp_path / "b.csv")):
        with table:
            assert len(table) == 2


# ---- tables that grow in place -------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_growing_table_can_be_read_at_any_time(tmp_path, capsys, suffix):
    out = tmp_path / f"rows{suffix}"
    header = suffix == ".csv"
    with growing(out) as table:
        for number, key in enumerate(("n1", "n0"), start=1):
            fill(table, [key])
            assert out.read_text().count("\n") == header + number
    before = out.read_bytes()
    with growing(out) as table:
        assert len(table) == 2 and table["n1"] == {**ROWS["n1"], "settings": "s1"}
        fill(table, ["n2"])
        table.finish()
    assert out.read_bytes().startswith(before)
    assert os.listdir(tmp_path) == [out.name]
    with growing(out) as table:  # a finished table may be added to
        assert len(table) == 3
        fill(table, ["n3"])
    assert out.read_bytes().startswith(before) and out.read_text().count("\n") == header + 4
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("where", ["out", "partial"])
@pytest.mark.parametrize("spoil", ["digit", "byte", "torn", "twice"])
def test_a_spoilt_row_of_an_unfinished_growing_table_is_computed_again(tmp_path, capsys, suffix, where, spoil):
    out = tmp_path / f"rows{suffix}"
    with growing(out) as table:
        fill(table, ["n0", "n1", "n2"])
    path = out if where == "out" else tmp_path / f"{out.name}.partial"
    first = 0 if path == out and suffix == ".jsonl" else 1
    if spoil in ("digit", "byte"):
        damage(path, first + 1, b"0.14", b"0.15" if spoil == "digit" else b"0.\xff4")
    elif spoil == "torn":
        path.write_bytes(path.read_bytes()[:-4])
    else:
        path.write_bytes(path.read_bytes() + path.read_bytes().split(b"\n")[first] + b"\n")
    gone = {"digit": "n1", "byte": "n1", "torn": "n2", "twice": "n0"}[spoil]
    with growing(out) as table:
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and str(out) in error and "computed again" in error
        assert {name for name in ROWS if name in table} == {"n0", "n1", "n2"} - {gone}
        fill(table, [gone])
        table.finish()
    with growing(out) as table:
        assert {name: table[name]["value"] for name in ("n0", "n1", "n2")} == {
            name: ROWS[name]["value"] for name in ("n0", "n1", "n2")
        }
    assert capsys.readouterr().err == ""


def test_a_row_twice_in_a_finished_table_and_a_torn_end_are_noticed(tmp_path, capsys):
    out = tmp_path / "rows.csv"
    with growing(out) as table:
        fill(table, ["n0", "n1"])
        table.finish()
    text = out.read_text()
    out.write_text(text + text.splitlines()[1] + "\nn2,0.")
    with growing(out) as table:
        assert "n1" in table and "n0" not in table and len(table) == 1
    assert " 3 damaged, torn off or written twice" in capsys.readouterr().err


def test_a_table_that_was_removed_starts_anew(tmp_path):
    out = tmp_path / "rows.csv"
    with growing(out) as table:
        fill(table, ["n0"])
    out.unlink()
    with growing(out, settings="s2") as table:
        assert len(table) == 0


@pytest.mark.parametrize("make", [whole, growing])
def test_what_lies_in_the_place_of_unfinished_rows_is_left_alone(tmp_path, make):
    notes = tmp_path / "rows.csv.partial"
    notes.write_text("notes of my own\n")
    with pytest.raises(InputError, match=r"rows\.csv\.partial is no list of finished rows"):
        make(tmp_path / "rows.csv")
    assert notes.read_text() == "notes of my own\n"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_infinities_survive_a_file(tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    columns = ("name", "low", "high", "settings")
    row = {"name": "n", "low": -np.inf, "high": np.inf}

    def table():
        undefined = {"low": -np.inf, "high": np.inf}
        return GrowingTable(path, row_format(path, columns, TEXT, short=True, undefined=undefined), "s", "another", "x")

    with table() as first:
        first.add([("n", row)])
    with table() as again:
        assert again["n"] == {**row, "settings": "s"}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("finished", [True, False])
def test_rows_of_another_run_are_refused_and_kept(tmp_path, suffix, finished):
    out = tmp_path / f"rows{suffix}"
    with growing(out) as table:
        fill(table, ["n0"])
        if finished:
            table.finish()
    before = out.read_bytes()
    with pytest.raises(InputError, match=rf"rows\{suffix} holds rows of another run: remove it to start anew"):
        growing(out, settings="s2")
    assert out.read_bytes() == before
    # another table in the place of an unfinished one
    (tmp_path / "more").mkdir()
    other = tmp_path / "more" / f"rows{suffix}"
    with growing(other, settings="s2") as table:
        fill(table, ["n3"])
        table.finish()
    other.rename(out)
    with pytest.raises(InputError, match="holds rows of another run"):
        growing(out)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("name", ["_file", "_log"])
def test_a_full_disk_is_one_line(tmp_path, name):
    table = growing(tmp_path / "rows.csv")
    holder = table if name == "_file" else table._log
    holder._file.close()
    holder._file = open("/dev/full", "ab")  # noqa: SIM115

    def add():
        with table:
            fill(table, ["n0"])

    with pytest.raises(InputError, match=r"cannot write .*rows.csv(.partial)?: No space left"):
        add()


# ---- rows as lines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["[" * 10_000, '{"a": ' * 10_000, f'{{"a": "x", "b": {10**400}}}'])
def test_lines_that_json_or_float64_does_not_hold_are_no_rows(line):
    with pytest.raises(ValueError, match=r"nested too deeply|beyond float64"):
        JsonRows(["a", "b"], ["a"]).parse(line)
    assert not JsonRows(["a", "b"], ["a"]).may_begin(line)


def test_numbers_keep_every_bit():
    values = [0.1 + 0.2, 3.0, -np.inf, 2.0**60, 7, None]
    assert [exact_text(v) for v in values] == ["0.30000000000000004", "3.0", "-inf", "1.152921504606847e+18", "7", ""]
    assert [short_text(v) for v in values] == ["0.30000000000000004", "3", "-inf", "1.152921504606847e+18", "7", ""]
    for rows in (CsvRows(COLUMNS, TEXT), JsonRows(COLUMNS, TEXT, undefined={"value": -np.inf})):
        for value in (0.1 + 0.2, -np.inf, 3.0):
            row = {"name": 'a,"b', "value": value, "settings": "s"}
            assert rows.parse(rows.render(row)) == row
        for line in ("", "a,b", "[]", "{}", '{"name": "a", "value": "b", "settings": "s"}', "a,b,c"):
            with pytest.raises(ValueError):
                rows.parse(line)
