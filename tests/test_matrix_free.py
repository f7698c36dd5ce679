"""Products without a matrix, and the spectra and predictions made of them, against the stored matrix."""

import json
import signal
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import wasserstein_distance

from nngp_dag import Dag, InputError, kernel_fn
from nngp_dag.cli import main
from nngp_dag.datasets import load
from nngp_dag.matrix_free import KernelOperator, Nystrom, gradient_flow, kernel_ridge, lanczos_spectrum
from nngp_dag.matrix_free.density import spectral_measure
from nngp_dag.matrix_free.lanczos import lanczos
from nngp_dag.matrix_free.spectrum import most_products, unreached
from nngp_dag.spectrum import effective_rank
from nngp_dag.wiring import Wiring

DAG = Dag.from_code("2_21_112")
SHORT = {"steps": 40, "probes": 6}


@pytest.fixture(scope="module")
def x():
    return load("digits:600").x


@pytest.fixture(scope="module", params=[pytest.param("nngp", marks=pytest.mark.full), "ntk"])
def both(request, x):
    """The operator of a kernel, the matrix, and what Lanczos says."""
    operator = KernelOperator(DAG, x, request.param)
    return operator, np.asarray(kernel_fn(DAG)(x, get=request.param)), lanczos_spectrum(operator, **SHORT)


# ---- products --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("2", {"method": "independent"}),
        ("1_01_222", {"method": "path-sum"}),
        ("2_12_212", {"embedding": "stem"}),
        ("_".join("0" * t + "2" for t in range(11)), {"order": "activation-first"}),
    ],
)
@pytest.mark.parametrize("kernel", ["nngp", "ntk"])
def test_products_are_those_of_the_matrix(code, options, kernel, x):
    rows = x[:70] * np.linspace(0.5, 2, 70)[:, None]
    operator = KernelOperator(Dag.from_code(code), rows, kernel, **options)
    matrix = np.asarray(kernel_fn(Dag.from_code(code), **options)(rows, get=kernel))
    v = np.random.default_rng(0).standard_normal((70, 3))
    np.testing.assert_allclose(operator @ v, matrix @ v, rtol=0, atol=1e-13 * np.abs(matrix @ v).max())
    np.testing.assert_allclose(operator @ v[:, 0], matrix @ v[:, 0], rtol=0, atol=1e-13 * np.abs(matrix @ v).max())
    np.testing.assert_allclose(operator.T @ v, operator @ v, rtol=0)
    np.testing.assert_allclose(operator.diagonal(), np.diagonal(matrix), rtol=1e-14)  # by another program
    np.testing.assert_allclose(operator.columns(np.array([3, 60])), matrix[:, [3, 60]], rtol=1e-13, atol=1e-14)
    assert operator.trace() == pytest.approx(np.trace(matrix), rel=1e-14)


def test_a_wiring_has_products_too(x):
    wiring = Wiring.make(DAG, weight_scale=1.2, bias_scale=0.3)
    matrix = np.asarray(kernel_fn(wiring)(x[:30], get="ntk"))
    np.testing.assert_allclose(KernelOperator(wiring, x[:30], "ntk") @ np.eye(30), matrix, rtol=1e-12)
    alike = Wiring.make("2_12", weight_scale=0.8, bias_scale=0.5, activation="erf")
    matrix = np.asarray(kernel_fn(alike, "path-sum")(x[:30], get="nngp"))
    product = KernelOperator(alike, x[:30], method="path-sum") @ np.eye(30)
    np.testing.assert_allclose(product, matrix, rtol=1e-12)  # by the activation of its edges, not the setting's


def test_several_tiles_give_one_product(both):
    """600 rows are more than a tile, and no multiple of it."""
    operator, matrix, _ = both
    v = np.random.default_rng(1).standard_normal((600, 2))
    np.testing.assert_allclose(operator @ v, matrix @ v, rtol=0, atol=1e-13 * np.abs(matrix @ v).max())


def test_other_rows_meet_those_of_the_operator(both, x):
    operator, _, _ = both
    others = x[:5] + x[5:10]  # parallel to none of x: fdot has a kink at a correlation of one, which is rounded
    v = np.random.default_rng(2).standard_normal((600, 2))
    expected = np.asarray(kernel_fn(DAG)(others, x, get=operator.kernel)) @ v
    np.testing.assert_allclose(operator.against(others, v), expected, rtol=1e-12)


def test_the_product_is_a_function_of_jax(x):
    operator = KernelOperator(DAG, x[:40])
    matrix = kernel_fn(DAG)(x[:40], get="nngp")
    v = jnp.asarray(np.random.default_rng(3).standard_normal(40))
    slope = jax.jit(jax.grad(lambda v: v @ operator.product(v)))(v)
    np.testing.assert_allclose(slope, 2 * matrix @ v, rtol=1e-12)


def test_what_is_no_kernel_is_refused(x):
    for arguments, message in (
        ((Dag.from_code("0"), x), "no path"),
        ((DAG, x, "ntkk"), "nngp and ntk"),
        ((DAG, x * np.nan), "NaN"),
        ((DAG, x, "nngp", "neural-tangents"), "needs data"),
    ):
        with pytest.raises(InputError, match=message):
            KernelOperator(*arguments)


# ---- spectra ---------------------------------------------------------------------------------------------------------


def test_the_ends_of_the_spectrum(both):
    """The largest to rounding, the smallest to a thousandth, and both in their intervals."""
    _, matrix, found = both
    exact = np.linalg.eigvalsh(matrix)
    assert found.lambda_max == pytest.approx(exact[-1], rel=1e-12)
    assert found.lambda_max <= exact[-1] * (1 + 1e-12) <= found.lambda_max_high * (1 + 1e-11)
    assert found.lambda_min == pytest.approx(exact[0], rel=1e-3)
    assert 0 < found.lambda_min_low < exact[0] <= found.lambda_min * (1 + 1e-9)
    assert np.abs(exact - found.lambda_min).min() <= found.lambda_min_residual + 1e-12 * exact[-1]
    low, high = found.condition
    assert low <= exact[-1] / exact[0] * (1 + 1e-9) <= high


def test_the_density_is_within_its_bounds_and_the_sums_within_their_errors(both):
    _, matrix, found = both
    exact = np.linalg.eigvalsh(matrix)
    nodes, weights = found.measure.points
    distance = wasserstein_distance(nodes, exact, weights)
    assert distance < found.measure.bound() < found.measure.theorem_bound()
    assert found.measure.bound() < 2e-3 * exact[-1]
    difference = abs(found.effective_rank - float(effective_rank(exact)))
    assert difference < 4 * found.effective_rank_error < 0.1 * found.effective_rank
    difference = abs(found.log_determinant - np.log(exact).sum())
    assert difference < 4 * found.log_determinant_error < 40
    assert found.trace == pytest.approx(exact.sum(), rel=1e-12)
    assert found.measure.cumulative(np.array([0.0, exact[-1] * 1.01])).tolist() == pytest.approx([0, 1])


def test_atoms_are_eigenvalues_and_of_multiple_ones_none():
    """Of a double eigenvalue each start finds another vector, and its weight is not one N-th."""
    eigenvalues = np.concatenate([np.linspace(0, 1, 57), [20.0, 30.0, 30.0, 40.0]])

    def measure(values):
        start = np.random.default_rng(0).standard_normal((len(values), 4))
        return spectral_measure(lanczos(lambda v: values[:, None] * v, start, 30), 0.0, 41.0)

    np.testing.assert_allclose(measure(eigenvalues).atoms, [40.0], rtol=1e-12)
    distinct = eigenvalues.copy()
    distinct[-2] = 35
    np.testing.assert_allclose(measure(distinct).atoms[:4], [40, 35, 30, 20], rtol=1e-12)


def test_the_preconditioner_encloses_the_smallest_eigenvalue(both):
    """The inequality of its module, with the eigenvalue of the whitened matrix by LAPACK."""
    operator, matrix, _ = both
    for rank in (20, 150):
        p = Nystrom.of(operator, rank)
        whitened = p.whiten(p.whiten(matrix).T)
        mu, exact = np.linalg.eigvalsh(whitened)[0], np.linalg.eigvalsh(matrix)[0]
        assert mu * p.shift <= exact * (1 + 1e-9) and exact <= mu * p.shift / (1 - mu) * (1 + 1e-9)
        dense = p.vectors @ np.diag(p.values) @ p.vectors.T + p.shift * np.eye(600)
        np.testing.assert_allclose(dense @ p.solve(matrix), matrix, atol=1e-8 * np.abs(matrix).max())
        assert p.log_determinant() == pytest.approx(np.linalg.slogdet(dense)[1], rel=1e-9)


def test_the_bound_for_unreached_eigenvalues_holds_as_often_as_it_says():
    """A spectrum without a gap at its end, 300 starts: the bound at failure 0.1 fails in at most a tenth."""
    values = 1 - np.linspace(0, 1, 400) ** 2
    start = np.random.default_rng(0).standard_normal((400, 300))
    found = lanczos(lambda v: values[:, None] * v, start, 12)
    errors = np.array([1 - found.ritz(s)[0][-1] for s in range(300)])
    assert np.mean(errors > unreached(400, 12, 1, 0.1)) <= 0.1
    assert np.mean(errors > unreached(400, 12, 1, 0.1) / 40) > 0.5  # and it is no empty statement
    assert unreached(400, 400, 1, 0.1) == 0


def test_lanczos_agrees_with_matfree(x):
    """An implementation that shares no code."""
    decomp = pytest.importorskip("matfree.decomp")
    operator = KernelOperator(DAG, x[:100])
    start = np.random.default_rng(0).standard_normal((100, 2))
    ours = lanczos(operator.matmat, start, 12)
    theirs = decomp.tridiag_sym(12, materialize=False, custom_vjp=False)
    for s in range(2):
        _, (diagonal, off), *_ = theirs(operator.product, jnp.asarray(start[:, s]))
        np.testing.assert_allclose(ours.alpha[:, s], diagonal, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(ours.beta[:-1, s], off, rtol=1e-9, atol=1e-9)


# ---- predictions -----------------------------------------------------------------------------------------------------


def test_ridge_and_gradient_flow_are_those_of_the_matrix(both, x):
    operator, matrix, _ = both
    y = np.random.default_rng(0).standard_normal((600, 3))
    tests = load("digits:640").x[600:]
    cross = np.asarray(kernel_fn(DAG)(tests, x, get=operator.kernel))
    ridge = cross @ np.linalg.solve(matrix + 0.1 * np.eye(600), y)
    found = kernel_ridge(operator, y, 0.1, tests, tolerance=1e-10)
    np.testing.assert_allclose(found, ridge, rtol=0, atol=1e-6 * np.abs(ridge).max())
    time = 20 / np.linalg.eigvalsh(matrix)[-1]
    flow = cross @ np.linalg.solve(matrix, y - expm(-time * matrix) @ y)
    np.testing.assert_allclose(gradient_flow(operator, y, time, tests), flow, rtol=0, atol=1e-6 * np.abs(flow).max())
    with pytest.raises(InputError, match=r"targets must be \[600, C\]"):
        kernel_ridge(operator, y[:5], 0.1, tests)
    with pytest.raises(InputError, match="no solution to"):
        kernel_ridge(operator, y, 0.1, tests, rank=2, max_products=2)


# ---- killed runs -----------------------------------------------------------------------------------------------------

PROGRAM = """
import sys, time
from pathlib import Path
import numpy as np
from nngp_dag.matrix_free.lanczos import lanczos
values = np.linspace(0, 1, 50)[:, None] ** 2
def multiply(v):
    print("step", flush=True)
    time.sleep(float(sys.argv[2]))
    return values * v
found = lanczos(multiply, np.random.default_rng(0).standard_normal((50, 2)), 12, keep=Path(sys.argv[1]), identity="a")
np.save(sys.argv[3], np.concatenate([found.alpha, found.beta]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the platform has no kill -9")
def test_a_killed_run_loses_one_step_at_most(tmp_path):
    def arguments(folder, seconds, out):
        return [sys.executable, "-c", PROGRAM, str(tmp_path / folder), str(seconds), str(tmp_path / out)]

    process = subprocess.Popen(arguments("kept", 0.4, "killed.npy"), stdout=subprocess.PIPE, text=True)
    for _ in range(4):
        process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    again = subprocess.run(arguments("kept", 0, "resumed.npy"), capture_output=True, text=True, check=True)
    assert again.stdout.count("step") == 12 - 3
    whole = subprocess.run(arguments("other", 0, "whole.npy"), capture_output=True, text=True, check=True)
    assert whole.stdout.count("step") == 12
    assert np.array_equal(np.load(tmp_path / "resumed.npy"), np.load(tmp_path / "whole.npy"))


def test_steps_of_something_else_are_refused(tmp_path):
    def run(identity):
        return lanczos(lambda v: 2 * v, np.ones((3, 1)), 2, keep=tmp_path / "kept", identity=identity)

    run("a")
    with pytest.raises(InputError, match="another computation"):
        run("b")
    (tmp_path / "kept" / "step-00000.npz").write_bytes(b"PK torn")
    with pytest.raises(InputError, match="damaged"):
        run("a")


# ---- the command line ------------------------------------------------------------------------------------------------


def test_the_command_gives_the_same_and_goes_on_from_its_steps(tmp_path, capsys):
    def run(*more):
        with pytest.raises(SystemExit) as stop:
            main(["kernel", "2_21_112", "--data", "digits:60", "--get", "ntk", "--json", *more])
        shown = capsys.readouterr()
        return stop.value.code, shown.out, shown.err

    status, out, err = run("--spectrum", "lanczos", "--steps", "60", "--checkpoint", str(tmp_path / "kept"),
                           "--density", str(tmp_path / "d.png"))  # fmt: skip
    found = json.loads(out)
    exact = np.linalg.eigvalsh(np.asarray(kernel_fn(DAG)(load("digits:60").x, get="ntk")))
    assert status == 0 and found["spectrum"] == "lanczos" and "a product takes" in err
    assert found["ntk"]["lambda_min"] == pytest.approx(exact[0], rel=1e-3)
    low, high = found["ntk"]["lambda_min_interval"]
    assert low <= exact[0] * (1 + 1e-9) and exact[0] <= high * (1 + 1e-9)
    assert found["ntk"]["lambda_max"] == pytest.approx(exact[-1], rel=1e-10)
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("step-*")}
    assert len(before) == 60 and found["ntk"]["products"] <= most_products(60)
    again = run("--spectrum", "lanczos", "--steps", "60", "--checkpoint", str(tmp_path / "kept"))
    assert json.loads(again[1])["ntk"]["lambda_max"] == found["ntk"]["lambda_max"]
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("step-*")}
    for arguments, words in (
        (("--spectrum", "lanczos", "--certify"), "--certify needs whole matrices"),
        (("--steps", "5"), "go with --spectrum lanczos"),
        (("--spectrum", "lanczos", "--density", str(tmp_path / "d.txt")), "a picture is one of"),
        (("--spectrum", "lanczos", "--steps", "50", "--checkpoint", str(tmp_path / "kept")), "another computation"),
    ):
        status, out, err = run(*arguments)
        assert status == 2 and words in err and not out


def test_too_much_memory_is_refused_before_anything_is_computed(x, monkeypatch):
    monkeypatch.setattr("nngp_dag.support.memory.available_memory", lambda: 2**28)
    with pytest.raises(InputError, match="steps on 40 rows would need about"):
        lanczos_spectrum(KernelOperator(DAG, x[:40]), steps=5)
