"""`nngp-dag sweep`: the table, its resumption after a kill, and bad input."""

import csv
import json
import os
import subprocess
import sys
import time

import jax.numpy as jnp
import numpy as np
import pytest
from command_line import run_command
from helpers import assert_close
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nngp_dag import Dag, kernel_fn
from nngp_dag.dag import enumerate_codes
from nngp_dag.datasets import load
from nngp_dag.errors import InputError
from nngp_dag.reading import Setting
from nngp_dag.reproduce.exact_nasbench201.measures import alignment
from nngp_dag.spectrum import spectrum
from nngp_dag.spectrum.dag_table import sweep_rows
from nngp_dag.spectrum.statistics_table import statistics_rows
from nngp_dag.spectrum.sweep_file import sweep_to_file
from nngp_dag.support.row_format import CsvRows
from nngp_dag.support.table import WholeTable

pytestmark = pytest.mark.usefixtures("quick_compilation")


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_per_dag_in_the_order_of_codes(tmp_path, capsys):
    out = tmp_path / "all.csv"
    code, stdout, _ = run_command(capsys, "sweep", "--nodes", 3, "--data", "digits:20", "--out", out, "--json")
    assert code == 0
    assert json.loads(stdout)["num_dags"] == 27
    rows = read(out)
    assert [row["code"] for row in rows] == sorted(row["code"] for row in rows)
    assert len(rows) == 27
    assert not out.with_name("all.csv.partial").exists()
    row = next(row for row in rows if row["code"] == "2_12")
    kernels = kernel_fn(Dag.from_code("2_12"))(load("digits:20").x)
    for name in ("nngp", "ntk"):
        statistics = spectrum(np.asarray(getattr(kernels, name)))
        assert_close(float(row[f"{name}_lambda_min"]), statistics.lambda_min)
        assert_close(float(row[f"{name}_condition"]), statistics.condition, tolerance=1e-9, reason="a small lambda_min")
        assert_close(float(row[f"{name}_pair_bound"]), statistics.pair_bound)
        assert (int(row[f"{name}_pair_i"]), int(row[f"{name}_pair_j"])) == statistics.pair
        assert_close(float(row[f"{name}_lambda_min_scale_free"]), statistics.scale_free.lambda_min)


def test_a_list_of_codes_of_mixed_sizes_keeps_its_order(tmp_path, capsys):
    codes = ["2_21_112", "2", "", "1_01_222", "2_12", "2"]
    (tmp_path / "codes.txt").write_text("\n".join(codes))
    out = tmp_path / "list.csv"
    assert run_command(capsys, "sweep", "--codes", tmp_path / "codes.txt", "--data", "digits:10", "--out", out)[0] == 0
    rows = read(out)
    assert [row["code"] for row in rows] == [code for code in codes if code]
    assert rows[1] == rows[4]


def test_an_interrupted_sweep_goes_on_and_gives_the_same_table(tmp_path, capsys, monkeypatch):
    arguments = ["sweep", "--nodes", 3, "--data", "digits:10", "--out"]

    def pieces(codes, x, setting, wanted, devices):
        found = sweep_rows(codes, x, setting, chunk_bytes=9 * 2 * 8 * 100, wanted=wanted, devices=devices)
        for number, piece in enumerate(found):
            if number == limit:
                raise KeyboardInterrupt
            yield piece

    monkeypatch.setattr("nngp_dag.spectrum.dag_table.sweep_rows", pieces)
    cut, partial, limit = tmp_path / "cut.csv", tmp_path / "cut.csv.partial", 2
    assert run_command(capsys, *arguments, cut)[0] == 130
    assert not cut.exists()
    assert partial.read_text().count("\n") == 1 + 18
    with partial.open("a") as file:
        file.write("25,2_2")  # what a kill in the middle of a write leaves
    limit = None
    code, stdout, _ = run_command(capsys, *arguments, cut, "--json")
    assert code == 0
    assert json.loads(stdout)["resumed"] == 18
    whole = tmp_path / "whole.csv"
    assert run_command(capsys, *arguments, whole)[0] == 0
    assert cut.read_bytes() == whole.read_bytes()
    assert not partial.exists()


@pytest.mark.full
def test_a_killed_sweep_goes_on_and_gives_the_same_table(tmp_path, capsys):
    arguments = ["sweep", "--nodes", "4", "--data", "digits:100", "--out"]
    killed = tmp_path / "killed.csv"
    partial = tmp_path / "killed.csv.partial"
    # The pieces of this size take a while each, so that the kill comes in the middle.
    process = subprocess.Popen([sys.executable, "-m", "nngp_dag", *arguments, killed], cwd=tmp_path)
    deadline = time.monotonic() + 120
    while not (partial.exists() and partial.read_text().count("\n") > 1) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    if killed.exists():
        pytest.fail("the sweep ended before it could be killed")
    before = partial.read_text().count("\n") - 1
    assert 0 < before < 729
    with partial.open("a") as file:
        file.write("700,2_2")  # what a kill in the middle of a write leaves
    code, stdout, _ = run_command(capsys, *arguments, killed, "--json")
    assert code == 0
    assert json.loads(stdout)["resumed"] == before
    whole = tmp_path / "whole.csv"
    assert run_command(capsys, *arguments, whole)[0] == 0
    assert killed.read_bytes() == whole.read_bytes()


def test_rows_of_something_else_are_refused(tmp_path, capsys):
    out = tmp_path / "table.csv"
    with WholeTable(out, CsvRows(["a"]), {"method": "other"}, "another sweep") as table:
        table.add([(0, {"a": 1})])
    code, _, err = run_command(capsys, "sweep", "--nodes", 2, "--data", "digits:5", "--out", out)
    assert code == 2
    assert "another sweep" in err
    assert err.count("\n") == 1


def test_neural_tangents_leaves_out_what_it_cannot_express(tmp_path, capsys):
    (tmp_path / "codes.txt").write_text("2_02\n1_11\n")
    out = tmp_path / "nt.csv"
    command = ["sweep", "--codes", tmp_path / "codes.txt", "--data", "digits:8", "--method", "neural-tangents"]
    assert run_command(capsys, *command, "--out", out)[0] == 0
    chain, shared_skips = read(out)
    assert float(chain["nngp_lambda_min"]) > 0
    assert shared_skips["nngp_lambda_min"] == ""


def test_without_eigenvalues_the_table_has_the_statistics_of_the_kernels(tmp_path, capsys):
    out = tmp_path / "all.csv"
    arguments = ["sweep", "--nodes", 3, "--data", "digits:20", "--no-eigenvalues", "--out"]
    code, stdout, _ = run_command(capsys, *arguments, out, "--json")
    assert code == 0
    assert json.loads(stdout)["num_dags"] == 27
    rows, data = read(out), load("digits:20")
    assert [row["code"] for row in rows] == sorted(row["code"] for row in rows)
    row = next(row for row in rows if row["code"] == "2_12")
    assert (int(row["n_paths"]), int(row["num_linear"])) == (2, 2)
    found = kernel_fn(Dag.from_code("2_12"))(data.x)
    for name in ("nngp", "ntk"):
        kernel = np.asarray(getattr(found, name))
        eigenvalues = np.linalg.eigvalsh(kernel)
        assert_close(float(row[f"{name}_trace"]), eigenvalues.sum())
        assert_close(float(row[f"{name}_frobenius_norm"]), np.sqrt((eigenvalues**2).sum()))
        assert_close(float(row[f"{name}_participation_ratio"]), eigenvalues.sum() ** 2 / (eigenvalues**2).sum())
        statistics = spectrum(kernel)
        assert_close(float(row[f"{name}_pair_bound"]), statistics.pair_bound)
        assert (int(row[f"{name}_pair_i"]), int(row[f"{name}_pair_j"])) == statistics.pair
        assert_close(float(row[f"{name}_pair_bound_scale_free"]), statistics.scale_free.pair_bound)
        assert_close(float(row[f"{name}_centred_alignment"]), alignment(kernel, data.y))
    assert not any("lambda" in column or "condition" in column for column in row)


def test_a_sweep_without_eigenvalues_resumes(tmp_path, capsys, monkeypatch):
    (tmp_path / "codes.txt").write_text("2_21_112\n2\n1_01_222\n2_12\n2\n")
    arguments = ["sweep", "--codes", tmp_path / "codes.txt", "--data", "digits:10", "--no-eigenvalues", "--out"]
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    assert run_command(capsys, *arguments, whole)[0] == 0

    def interrupted(*given, **options):
        yield next(statistics_rows(*given, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr("nngp_dag.spectrum.sweep_file.statistics_rows", interrupted)
    assert run_command(capsys, *arguments, cut)[0] == 130
    monkeypatch.setattr("nngp_dag.spectrum.sweep_file.statistics_rows", statistics_rows)
    code, stdout, _ = run_command(capsys, *arguments, cut, "--json")
    assert code == 0
    assert json.loads(stdout)["resumed"] == 2
    assert cut.read_bytes() == whole.read_bytes()
    with_eigenvalues = [a for a in arguments if a != "--no-eigenvalues"]
    cut.unlink()
    monkeypatch.setattr("nngp_dag.spectrum.sweep_file.statistics_rows", interrupted)
    assert run_command(capsys, *arguments, cut)[0] == 130
    assert "another sweep" in run_command(capsys, *with_eigenvalues, cut)[2]


def test_without_eigenvalues_and_labels_there_is_no_alignment(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.eye(4)[:3])
    out = tmp_path / "all.csv"
    command = ["sweep", "--nodes", 2, "--data", tmp_path / "x.npy", "--no-eigenvalues", "--out", out]
    assert run_command(capsys, *command)[0] == 0
    assert not any("alignment" in column for column in read(out)[0])


def test_neural_tangents_without_eigenvalues_leaves_out_what_it_cannot_express(tmp_path, capsys):
    (tmp_path / "codes.txt").write_text("2_02\n1_11\n")
    out = tmp_path / "nt.csv"
    command = ["sweep", "--codes", tmp_path / "codes.txt", "--data", "digits:8", "--method", "neural-tangents"]
    assert run_command(capsys, *command, "--no-eigenvalues", "--out", out)[0] == 0
    chain, shared_skips = read(out)
    exact = tmp_path / "exact.csv"
    first = ["--order", "activation-first", "--no-eigenvalues", "--out", exact]
    assert run_command(capsys, *command[:-2], *first)[0] == 0
    assert_close(
        float(chain["ntk_frobenius_norm"]),
        float(read(exact)[0]["ntk_frobenius_norm"]),
        tolerance=1e-8,
        reason="neural-tangents clips",
    )
    assert shared_skips["ntk_frobenius_norm"] == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nodes", "2", "--no-eigenvalues", "--devices", "1", "--out", "x.csv"], "leave --devices out"),
        (["--data", "digits:5", "--out", "x.csv"], "either --nodes or --codes"),
        (["--nodes", "3", "--codes", "c", "--data", "digits:5", "--out", "x.csv"], "either --nodes or --codes"),
        (["--nodes", "9", "--data", "digits:5", "--out", "x.csv"], "2<=x<=6"),
        (["--nodes", "3", "--data", "nothing", "--out", "x.csv"], "unknown data"),
        (["--nodes", "3", "--data", "digits:5", "--out", "missing/x.csv"], "does not exist"),
        (["--nodes", "3", "--data", "digits:5", "--out", "."], "directory"),
        (["--codes", "missing.txt", "--data", "digits:5", "--out", "x.csv"], "cannot read"),
        (["--codes", "bad.txt", "--data", "digits:5", "--out", "x.csv"], "line 2: malformed code"),
        (["--codes", "empty.txt", "--data", "digits:5", "--out", "x.csv"], "no codes"),
        (["--nodes", "3", "--data", "digits:5", "--order", "last", "--out", "x.csv"], "'last' is not one of"),
        (
            [
                "--nodes",
                "3",
                "--data",
                "digits:5",
                "--order",
                "activation-first",
                "--embedding",
                "stem",
                "--out",
                "x.csv",
            ],
            "stem embedding is not available",
        ),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.txt").write_text("2\n2_3\n")
    (tmp_path / "empty.txt").write_text("\n")
    code, out, err = run_command(capsys, "sweep", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not [name for name in os.listdir(tmp_path) if name.startswith("x.csv")]


def test_a_sweep_from_python_goes_on_and_gives_the_same_table(tmp_path, monkeypatch, capsys):
    x = load("digits:10").x
    dags = [Dag.from_code(code) for code in ("2_21_112", "2", "1_01_222", "2_12", "2")]
    whole = sweep_to_file(dags, x, tmp_path / "whole.csv", Setting.make("independent"))
    assert (whole.num_dags, whole.num_resumed) == (5, 0)

    def interrupted(codes, x, *arguments, **setting):
        if codes.shape[1] == 6:
            raise KeyboardInterrupt
        yield from sweep_rows(codes, x, *arguments, **setting)

    with monkeypatch.context() as patch:
        patch.setattr("nngp_dag.spectrum.dag_table.sweep_rows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sweep_to_file(dags, x, tmp_path / "cut.csv", Setting.make("independent"))
    partial = tmp_path / "cut.csv.partial"
    lines = partial.read_bytes().splitlines(keepends=True)
    partial.write_bytes(b"".join([lines[0], lines[1].replace(b"1", b"2", 1), *lines[2:]]))  # a damaged row
    for change in ({"setting": Setting.make()}, {"x": x[:9]}, {"codes": dags[:4]}):
        arguments = {"codes": dags, "x": x, "setting": Setting.make("independent"), **change}
        with pytest.raises(InputError, match="holds rows of another sweep"):
            sweep_to_file(out=tmp_path / "cut.csv", **arguments)
    cut = sweep_to_file(dags, x, tmp_path / "cut.csv", Setting.make("independent"))
    assert (cut.num_dags, cut.num_resumed) == (5, 2)
    assert "1 damaged" in capsys.readouterr().err
    assert (tmp_path / "cut.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["cut.csv", "whole.csv"]


@given(removed=st.sets(st.integers(0, 26), min_size=1))
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_that_lost_any_rows_is_resumed_to_the_same_bytes(tmp_path, monkeypatch, removed):
    x, codes, out = load("digits:10").x, enumerate_codes(3), tmp_path / "t.csv"
    with monkeypatch.context() as patch:
        patch.setattr("nngp_dag.support.row_log.RowLog.remove", lambda log: None)
        sweep_to_file(codes, x, out)
    whole, partial = out.read_bytes(), tmp_path / "t.csv.partial"
    first, *lines = partial.read_bytes().splitlines(keepends=True)
    partial.write_bytes(first + b"".join(line for place, line in enumerate(lines) if place not in removed))
    out.unlink()
    assert sweep_to_file(codes, x, out).num_resumed == 27 - len(removed)
    assert out.read_bytes() == whole


def test_activations_that_share_a_name_are_told_apart(tmp_path, monkeypatch):
    x = load("digits:6").x
    monkeypatch.setattr("nngp_dag.support.table.WholeTable.finish", lambda table: None)
    sweep_to_file(enumerate_codes(2), x, tmp_path / "t.csv", Setting.make(activation=lambda z: jnp.maximum(z, 0.1)))
    with pytest.raises(InputError, match="holds rows of another sweep"):
        sweep_to_file(enumerate_codes(2), x, tmp_path / "t.csv", Setting.make(activation=lambda z: jnp.abs(z)))
