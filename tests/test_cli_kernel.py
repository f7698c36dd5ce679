"""`nngp-dag kernel` end to end: its JSON, table and .npz file, and one clear line for everything that is wrong."""

import json
import os
import re
import stat
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from command_line import run_command

from nngp_dag import Dag, Wiring, kernel_fn
from nngp_dag.cli.kernel import estimated_bytes
from nngp_dag.datasets import load

pytestmark = pytest.mark.usefixtures("quick_compilation")

DATA = "digits:40"
STATISTICS = ["lambda_min", "lambda_max", "trace", "condition", "pair_bound", "pair"]


@pytest.fixture
def run(capsys):
    """Runs the command line in this process: (status, stdout, stderr)."""
    return partial(run_command, capsys, "kernel")


@pytest.fixture
def wiring_file(tmp_path):
    """A wiring in a file: its path."""
    wiring = Wiring.make("2_12", weight_scale=1.5, bias_scale=0.1, gain=[1, 0.5], layer_norm=[1])
    wiring.save(tmp_path / "w.json")
    return tmp_path / "w.json"


@pytest.fixture
def document(run):
    """Runs it with --json, and expects one strict JSON document on stdout."""

    def document(*arguments):
        def refuse(constant):
            raise AssertionError(f"{constant} is not strict JSON")

        status, out, err = run(*arguments, "--json")
        assert status == 0, err
        return json.loads(out, parse_constant=refuse)

    return document


@pytest.fixture
def refused(run):
    """Runs it, and expects status 2, nothing on stdout, and one line on stderr that holds all given texts."""

    def refused(*arguments, says):
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("nngp-dag: error: ") and err.count("\n") == 1 and err.endswith("\n")
        for text in (says,) if isinstance(says, str) else says:
            assert text in err

    return refused


# ---- what it gives ---------------------------------------------------------------------------------------------------
def test_json_has_the_fixed_keys_and_the_figures_of_the_kernels(document):
    result = document("2_21_112", "--data", DATA)
    assert list(result) == ["code", "n", "method", "order", "embedding", "activation", "nngp", "ntk"]
    assert list(result.values())[:6] == ["2_21_112", 40, "exact", "activation-last", "gaussian", "relu"]
    kernels = kernel_fn(Dag.from_code("2_21_112"))(load(DATA).x)
    for name in ("nngp", "ntk"):
        statistics, k = result[name], np.asarray(getattr(kernels, name))
        assert list(statistics) == STATISTICS
        eigenvalues = np.linalg.eigvalsh(k)
        tolerance = 100 * np.finfo(float).eps * eigenvalues[-1]
        np.testing.assert_allclose(statistics["lambda_min"], eigenvalues[0], atol=tolerance)
        np.testing.assert_allclose(statistics["lambda_max"], eigenvalues[-1], rtol=1e-13)
        np.testing.assert_allclose(statistics["trace"], np.trace(k), rtol=1e-13)
        np.testing.assert_allclose(statistics["condition"], eigenvalues[-1] / eigenvalues[0], rtol=1e-9)
        i, j = statistics["pair"]
        np.testing.assert_allclose(
            statistics["pair_bound"], np.linalg.eigvalsh(k[np.ix_([i, j], [i, j])])[0], rtol=1e-10
        )


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("exact", "nngp"),
        ("exact", "ntk"),
        ("independent", "nngp"),
        ("path-sum", "ntk,nngp"),
        ("neural-tangents", "ntk"),
    ],
)
def test_out_holds_the_kernels_that_were_asked_for(document, tmp_path, method, names):
    out = tmp_path / "k.npz"
    result = document("2_02_002", "--data", DATA, "--method", method, "--get", names, "--out", out)
    asked = sorted(names.split(","))
    assert [key for key in result if key in ("nngp", "ntk")] == asked
    order = "activation-first" if method == "neural-tangents" else "activation-last"
    assert (result["method"], result["order"]) == (method, order)
    expected = kernel_fn(Dag.from_code("2_02_002"), method)(load(DATA).x)
    with np.load(out, allow_pickle=False) as archive:
        assert sorted(archive.files) == asked
        for name in asked:
            assert archive[name].dtype == np.float64
            np.testing.assert_allclose(archive[name], getattr(expected, name), rtol=1e-14)
    assert os.listdir(tmp_path) == ["k.npz"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(out.stat().st_mode) == 0o666 & ~mask


def test_every_option_reaches_the_kernel(document, tmp_path):
    x = np.random.default_rng(0).normal(size=(6, 3)) + 2
    np.savez(tmp_path / "x.npz", x=x, y=["labels", "that", "no", "kernel", "looks", "at"])
    arguments = ["1_21_112", "--data", tmp_path / "x.npz", "--raw", "--out", tmp_path / "k.npz"]
    settings = {"method": "independent", "order": "activation-first", "embedding": "stem", "activation": "relu"}
    result = document(*arguments, *(part for key, value in settings.items() for part in (f"--{key}", value)))
    assert {key: result[key] for key in settings} == settings
    expected = kernel_fn(Dag.from_code("1_21_112"), **settings)(x)
    with np.load(tmp_path / "k.npz") as archive:
        np.testing.assert_allclose(archive["ntk"], expected.ntk, rtol=1e-14)
    assert result["nngp"]["trace"] == pytest.approx(float(np.trace(expected.nngp)), rel=1e-13)


def test_undefined_numbers_are_null(document, tmp_path):
    np.save(tmp_path / "one.npy", [[3.0, 4.0]])
    statistics = document("2", "--data", tmp_path / "one.npy")["nngp"]
    assert statistics["pair_bound"] is None and statistics["pair"] is None
    assert [statistics[name] for name in STATISTICS[:4]] == pytest.approx([1, 1, 1, 1], rel=1e-15)
    np.save(tmp_path / "twice.npy", [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    statistics = document("2", "--data", tmp_path / "twice.npy")["nngp"]
    assert statistics["condition"] is None and statistics["pair"] == [0, 1] and statistics["pair_bound"] == 0
    statistics = document("0_20_000", "--data", DATA)["ntk"]
    assert statistics == dict(zip(STATISTICS, [0.0, 0.0, 0.0, None, 0.0, [0, 1]], strict=True))


def test_a_table_for_people_also_gives_scale_free_figures(run):
    status, out, err = run("1_01_222", "--data", DATA)
    assert status == 0 and err == ""
    for text in ("NNGP", "NTK", "lambda_min", "effective rank", "lambda_min / mean diagonal", "40 rows", "1_01_222"):
        assert text in out
    status, out, err = run("1_01_222", "--data", DATA, "--get", "ntk")
    assert "NNGP" not in out and "NTK" in out


def test_real_mnist(document, shared_data):
    result = document("2_21_112", "--data", "mnist-test:60", "--data-dir", shared_data)
    assert result["n"] == 60 and 0 < result["nngp"]["lambda_min"] <= result["nngp"]["pair_bound"]
    assert result["ntk"]["lambda_min"] >= result["nngp"]["lambda_min"]


# ---- what is wrong ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["2_0", "--data", DATA], "malformed code '2_0'"),
        (["2_03", "--data", DATA], "digits are"),
        (["", "--data", DATA], "malformed code"),
        (["--data", DATA], "CODE"),
        (["2", "2", "--data", DATA], "unexpected extra argument"),
        (["2", "--data", "digit"], ("unknown data 'digit'", "accepted are digits, mnist")),
        (["2", "--data", "digits:0"], "at least 1"),
        (["2", "--data", "no.npy"], "no such file: no.npy"),
        (["2", "--data", "mnist", "--data-dir", "no"], "no such data folder: no"),
        (["2", "--data", DATA, "--method", "eact"], ("'eact'", "'exact'", "'neural-tangents'")),
        (["2", "--data", DATA, "--order", "last"], ("'last'", "'activation-last'")),
        (["2", "--data", DATA, "--embedding", "none"], ("'none'", "'gaussian-trained'")),
        (["2", "--data", DATA, "--activation", "swish"], ("unknown activation 'swish'", "relu")),
        (["2", "--data", DATA, "--get", "theta"], ("'theta'", "nngp,ntk")),
        (["2", "--data", DATA, "--get", ""], "is not one of nngp"),
        (["2", "--data", DATA, "--get", "ntk,ntk"], "is not one of nngp"),
        (["2", "--data", DATA, "--embedding", "stem", "--order", "activation-first"], "use gaussian-trained"),
        (["1_12", "--data", DATA, "--method", "neural-tangents", "--order", "activation-last"], "node 2"),
        (["1_11", "--data", DATA, "--method", "neural-tangents"], "correlated"),
        (["2", "--data", DATA, "--out", "no/k.npz"], "folder no does not exist"),
        (["2", "--data", DATA, "--out", "."], "is a directory"),
        (["2", "--data", DATA, "--width", "3"], "--width"),
    ],
)
def test_bad_input_is_one_line(refused, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    refused(*arguments, says=says)
    refused(*arguments, "--json", says=says)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([[1.0, np.nan]], "NaN or infinite"),
        ([[1.0, np.inf]], "NaN or infinite"),
        ([[0.0, 0.0]], "row 0 of"),
        (np.ones((0, 2)), "is empty"),
        ([1.0, 2.0], "two dimensions"),
        ([["a"]], "real numbers are needed"),
    ],
)
def test_unusable_data_leaves_an_older_result_alone(refused, tmp_path, content, says):
    np.save(tmp_path / "x.npy", content)
    (tmp_path / "k.npz").write_text("older")
    refused("2", "--data", tmp_path / "x.npy", "--out", tmp_path / "k.npz", says=says)
    assert (tmp_path / "k.npz").read_text() == "older"


def test_a_kernel_that_overflows_is_refused(refused, tmp_path):
    np.save(tmp_path / "x.npy", [[1e200, 1.0]])
    refused("2", "--data", tmp_path / "x.npy", "--raw", says="overflow")


def test_what_does_not_fit_in_memory_is_refused_before_it_is_computed(refused, tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("was computed")

    np.save(tmp_path / "x.npy", np.ones((300_000, 1), np.float32))
    monkeypatch.setattr("nngp_dag.kernel.functions.kernel_of", lambda *_: never)
    refused(
        "2", "--data", tmp_path / "x.npy", says=("nngp and ntk of 300,000 rows would need about 2.0 TiB", "available")
    )


def test_a_result_that_cannot_be_written_leaves_nothing(refused, tmp_path, monkeypatch):
    def full(file, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nngp_dag.cli.kernel.np.savez", full)
    refused("2", "--data", DATA, "--out", tmp_path / "k.npz", says="No space left on device")
    assert os.listdir(tmp_path) == []


def test_the_estimate_grows_with_what_is_computed():
    dag = Dag.from_code("2_21_112")
    both, one = (estimated_bytes(8000, 32, dag, "exact", names) for names in (("nngp", "ntk"), ("nngp",)))
    assert 8 * 2 * 8000**2 <= one < both < 4 * 2**30
    assert estimated_bytes(8000, 32, dag, "neural-tangents", ("nngp",)) > both


# ---- as a process ----------------------------------------------------------------------------------------------------
def test_as_a_process(tmp_path):
    command = [sys.executable, "-m", "nngp_dag", "kernel", "2_02_002", "--data", "digits:30"]
    done = subprocess.run([*command, "--json", "--out", "k.npz"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["n"] == 30
    assert np.load(tmp_path / "k.npz")["nngp"].dtype == np.float64  # although JAX starts in float32
    failed = subprocess.run([*command, "--method", "x"], cwd=tmp_path, capture_output=True, text=True)
    assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (2, "", 1)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_eight_thousand_rows_stay_within_four_gib(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(8000, 32)))
    command = [sys.executable, "-m", "nngp_dag", "kernel", "2_21_112", "--data", "x.npy", "--out", "k.npz", "--json"]
    done = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE)
    out = done.stdout.read()
    _, status, usage = os.wait4(done.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert json.loads(out)["n"] == 8000
    unit = 1 if sys.platform == "darwin" else 1024
    assert usage.ru_maxrss * unit < 4 * 2**30


def test_the_accuracy_of_a_quadrature_is_said_on_stderr(run):
    """Dual maps that are not closed forms come with the error that they reach; others without a word."""
    status, _, err = run("2", "--data", "digits:5", "--activation", "tanh")
    assert status == 0
    assert re.search(r"^tanh: dual maps by quadrature, relative errors \de-1\d \(f\)", err, re.MULTILINE)
    assert "quadrature" not in run("2", "--data", "digits:5")[2]


def test_wirings_come_from_scales_or_from_a_file(run, document, refused, wiring_file, tmp_path):
    x = load(DATA, labels=False).x
    found = document("2_12", "--data", DATA, "--weight-scale", 1.5, "--bias-scale", 0.1)
    expected = np.asarray(kernel_fn(Wiring.make("2_12", weight_scale=1.5, bias_scale=0.1))(x).ntk)
    assert found["ntk"]["trace"] == pytest.approx(np.trace(expected), rel=1e-12)
    assert found["wiring"]["linear"][0] == {"edge": [0, 1], "weight_scale": 1.5, "bias_scale": 0.1, "gain": 1.0}
    found = document("--wiring", wiring_file, "--data", DATA, "--out", tmp_path / "k.npz", "--certify")
    for name in ("nngp", "ntk"):
        low, high = found[name]["certified"]["lambda_min"]
        assert low * (1 - 1e-9) <= found[name]["lambda_min"] <= high * (1 + 1e-9)
    steps = ("--spectrum", "lanczos", "--get", "ntk", "--steps", 40, "--checkpoint", tmp_path / "steps")
    by_products = document("--wiring", wiring_file, "--data", DATA, *steps)
    assert by_products["wiring"] == found["wiring"]
    for name in ("lambda_max", "lambda_min"):
        assert by_products["ntk"][name] == pytest.approx(found["ntk"][name], rel=1e-8)
    status, _, err = run("2_12", "--data", DATA, *steps)
    assert status == 2 and "holds the steps of another computation" in err
    wiring = Wiring.load(wiring_file)
    assert found["code"] == "2_12" and found["wiring"] == json.loads(wiring.to_json())
    np.testing.assert_allclose(np.load(tmp_path / "k.npz")["nngp"], kernel_fn(wiring)(x).nngp, rtol=1e-12)
    refused("--data", DATA, says="a network is needed")
    refused("2", "--wiring", wiring_file, "--data", DATA, says="is a wiring of 2_12: leave CODE out")
    refused("--wiring", wiring_file, "--data", DATA, "--bias-scale", 1, says="leave out --weight-scale")
    refused("2", "--data", DATA, "--bias-scale", "nan", says="finite")
    refused("--wiring", tmp_path / "none.json", "--data", DATA, says="No such file")
    proof = tmp_path / "proof.json"
    refused(
        "--wiring", wiring_file, "--data", DATA, "--certificate", proof, says="a certificate names a network by its"
    )
    assert not proof.exists()
    refused("--wiring", wiring_file, "--data", DATA, "--out", wiring_file, says="it is read as input")
