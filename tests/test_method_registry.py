"""A new method is one module and one entry in `METHODS`: everything that takes a method then takes it."""

import csv
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import toy_method
from helpers import assert_close

from nngp_dag import Dag, InputError, enumerate_codes, kernel_fn
from nngp_dag.kernel import pair_kernel
from nngp_dag.kernel.angle_curves import angle_curves
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.kernel.method import PairMethod
from nngp_dag.kernel.propagate import Exact
from nngp_dag.reading import METHODS, Method, Setting

pytestmark = pytest.mark.usefixtures("quick_compilation")

DAG2 = Dag.from_code("1_01_222")
X = np.random.default_rng(0).normal(size=(6, 4))
X /= np.linalg.norm(X, axis=1, keepdims=True)


@dataclass(frozen=True)
class Plain(Exact):
    """Exact by the default of `PairMethod.many`: one DAG after the other."""

    many = PairMethod.many


@pytest.fixture
def method(monkeypatch):
    monkeypatch.setitem(METHODS, toy_method.NAME, toy_method.ENTRY)
    return toy_method.NAME


def test_kernel_functions_take_it(method):
    """Three features meet at the output of DAG#2: without their means 6 products of 1 / pi are missing."""
    found, exact = kernel_fn(DAG2, method)(X), kernel_fn(DAG2)(X)
    assert_close(exact.nngp - found.nngp, np.full((6, 6), 6 / np.pi))
    k = X @ X.T
    pairs = pair_kernel(DAG2, 1.0, k, 1.0, method=method)
    off_diagonal = ~np.eye(6, dtype=bool)
    assert_close(np.asarray(pairs.nngp)[off_diagonal], np.asarray(found.nngp)[off_diagonal])
    curves = angle_curves(DAG2, ("exact", method))
    assert_close(curves.nngp["exact"] - curves.nngp[method], np.full(181, 6 / np.pi))
    with pytest.raises(InputError, match=f"stem embedding is not available for {method}"):
        kernel_fn(DAG2, method, "activation-first", "stem")


def test_sweeps_take_it(method):
    codes = enumerate_codes(4)[[5, 700, 311, 728]]
    swept = sweep_kernels(codes, X, setting=Setting.make(method))
    for code, ntk in zip(codes, swept.ntk, strict=True):
        assert_close(ntk, kernel_fn(Dag.from_array(code), method)(X).ntk, tolerance=1e-12)


def test_a_method_that_shares_no_work_is_swept_too(monkeypatch):
    monkeypatch.setitem(METHODS, "plain", Method("test_method_registry:Plain"))
    codes = enumerate_codes(4)[[0, 5, 700, 311]]
    for names in (("nngp", "ntk"), ("nngp",)):
        plain, exact = (sweep_kernels(codes, X, names, Setting.make(name)) for name in ("plain", "exact"))
        for a, b in zip(plain, exact, strict=True):
            assert_close(a, b, tolerance=1e-12)
            assert (np.asarray(a) == np.asarray(a).transpose(0, 2, 1)).all()


def test_the_command_line_and_the_plots_take_it(tmp_path):
    program = (
        "import sys, toy_method\n"
        "toy_method.register()\n"
        "from nngp_dag.cli import main\n"
        "from nngp_dag.plots.style import METHOD_LINES\n"
        "assert toy_method.NAME in METHOD_LINES\n"
        "sys.exit(main())\n"
    )

    def run(*arguments):
        command = [sys.executable, "-c", program, *arguments, "--method", toy_method.NAME, "--json"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=200, cwd=Path(__file__).parent, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    np.save(tmp_path / "x.npy", X)
    data = ["--data", str(tmp_path / "x.npy")]
    document = run("kernel", "1_01_222", *data)
    expected = kernel_fn(DAG2)(X).nngp - 6 / np.pi
    assert document["method"] == toy_method.NAME
    assert document["nngp"]["lambda_min"] == pytest.approx(np.linalg.eigvalsh(expected)[0], rel=1e-9)
    out = tmp_path / "sweep.csv"
    run("sweep", "--nodes", "2", *data, "--out", str(out))
    with out.open() as file:
        assert [row["code"] for row in csv.DictReader(file)] == ["0", "1", "2"]
