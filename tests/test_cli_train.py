"""`nngp-dag train`: the document and the plot, a run that is killed and resumed, and bad input."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from command_line import run_command

from nngp_dag.prediction import predict_curve

pytestmark = pytest.mark.usefixtures("quick_compilation")

CODES = ("2_02_002", "1_01_222")


def run(capsys, *arguments):
    return run_command(capsys, "train", *arguments)


@pytest.fixture
def rows(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "rows.npz", x=rng.normal(size=(12, 4)), y=np.arange(12) % 3)
    return tmp_path / "rows.npz"


def test_the_prediction_is_beside_the_measured_curves(tmp_path, rows, capsys):
    out = tmp_path / "run"
    recipe = ("--optimizer", "gd", "--steps", 8, "--eval-every", 4, "--lr", 0.2, "--width", 32, "--seeds", 3)
    code, stdout, _ = run(capsys, *CODES, "--data", rows, *recipe, "--out", out, "--json")
    assert code == 0
    document = json.loads(stdout, parse_constant=lambda text: pytest.fail(text))
    assert (document["codes"], document["points"], document["seeds"]) == (list(CODES), [0, 4, 8], [0, 1, 2])
    assert json.loads((out / "curves.json").read_text()) == document
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    for curve, prediction in zip(document["curves"], document["prediction"]["curves"], strict=True):
        for measure in ("loss", "accuracy", "class_accuracy"):
            assert len(curve[measure]["mean"]) == len(curve[measure]["std"]) == 3
            assert len(curve[f"running_{measure}"]["mean"]) == 2
        assert prediction["steps"] == [0, 4, 8] and prediction["loss"][2] < prediction["loss"][0]
    with np.load(rows) as data:
        from nngp_dag import Dag

        x, y = data["x"] / np.linalg.norm(data["x"], axis=1, keepdims=True), np.eye(3)[data["y"]]
        expected = predict_curve(Dag.from_code(CODES[1]), x, y, 0.2, [0, 4, 8])
    np.testing.assert_allclose(document["prediction"]["curves"][1]["loss"], expected.loss, rtol=1e-9)
    code, _, err = run(capsys, *CODES, "--data", rows, *recipe, "--out", out)
    assert (code, err.count("\n")) == (2, 1) and "already holds a run" in err
    code, _, err = run(capsys, *CODES, "--data", rows, *recipe, "--out", out, "--resume", "--lr", 0.1)
    assert (code, err.count("\n")) == (2, 1) and "another run: its learning_rate is 0.2, not 0.1" in err


@pytest.mark.full
def test_a_killed_run_resumes_to_the_same_bytes(tmp_path, rows, capsys):
    arguments = ["train", CODES[1], "--data", str(rows), "--loss", "cross-entropy", "--batch", "5", "--steps", "3000"]
    arguments += ["--width", "8", "--seeds", "2", "--eval-every", "50", "--checkpoint-seconds", "0"]
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    process = subprocess.Popen(
        [sys.executable, "-m", "nngp_dag", *arguments, "--out", str(cut)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    deadline = time.monotonic() + 200
    while len(list(cut.glob("checkpoints/*.json"))) < 2 and time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = [int(path.stem.removeprefix("nngp_dag_step_")) for path in cut.glob("checkpoints/*.json")]
    assert 0 < max(kept) < 3000 and not (cut / "curves.json").exists()
    # Fewer checkpoints from here on: when they are written is no part of a run.
    arguments[-1] = "60"
    assert run(capsys, *arguments[1:], "--out", cut, "--resume")[0] == 0
    assert run(capsys, *arguments[1:], "--out", whole)[0] == 0
    assert (cut / "curves.json").read_bytes() == (whole / "curves.json").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resume",), "--resume needs --out"),
        (("--lr", "nan"), "positive number, got nan"),
        (("--steps", "1", "--epochs", "1"), "either steps or epochs"),
        (("--optimizer", "gd", "--batch", "2"), "gd uses all 12 rows"),
        (("--batch-norm",), "standard parameterization only"),
        (("--checkpoint-seconds", "nan"), "must not be negative, got nan"),
        (("--out", "/proc/nowhere/run"), "cannot create the folder"),
        (("--width", "10000000"), "of memory"),
    ],
)
def test_bad_input_is_one_line(rows, capsys, options, message):
    code, out, err = run(capsys, "2", "--data", rows, *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_bad_recipe_creates_no_folder(tmp_path, rows, capsys):
    assert run(capsys, "2", "--data", rows, "--lr", 0, "--out", tmp_path / "run")[0] == 2
    assert not (tmp_path / "run").exists()
