"""Infinite-width predictions: against iterated gradient descent, neural-tangents, and plain linear algebra."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner

from nngp_dag.cli.predict import command
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel import kernel_fn
from nngp_dag.prediction import LinearDynamics, posterior, predict_curve, scores
from nngp_dag.prediction.posterior import LARGEST_CONDITION, choose_jitter
from nngp_dag.support.neural_tangents_compat import neural_tangents

pytestmark = pytest.mark.usefixtures("quick_compilation")

DAG = Dag.from_code("2_21_112")


def unit_rows(n: int, d: int = 5, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def problem():
    x, rng = unit_rows(14), np.random.default_rng(1)
    train, test = x[:10], x[10:]
    fn = kernel_fn(DAG)
    return {
        "train": train,
        "test": test,
        "y": rng.normal(size=(10, 3)),
        "inner": fn(train),
        "cross": fn(test, train),
        "outer": fn(test),
        "initial": rng.normal(size=(10, 3)),
        "initial_test": rng.normal(size=(4, 3)),
    }


def test_closed_form_is_iterated_gradient_descent(problem):
    ntk, cross, y = np.asarray(problem["inner"].ntk), np.asarray(problem["cross"].ntk), problem["y"]
    dynamics = LinearDynamics(ntk, 0.1)
    u, v = problem["initial"], problem["initial_test"]
    for step in range(31):
        if step in (0, 1, 7, 30):
            np.testing.assert_allclose(dynamics.outputs(step, y, problem["initial"]), u, rtol=1e-10, atol=1e-12)
            found = dynamics.test_outputs(step, cross, y, problem["initial"], problem["initial_test"])
            np.testing.assert_allclose(found, v, rtol=1e-9, atol=1e-10)
        u, v = u - 0.1 / 10 * ntk @ (u - y), v - 0.1 / 10 * cross @ (u - y)
    np.testing.assert_allclose(dynamics.test_outputs(np.inf, cross, y), cross @ np.linalg.solve(ntk, y), rtol=1e-8)


def test_small_steps_are_the_gradient_flow_of_neural_tangents(problem):
    """(1 - eta lambda / N)^k tends to exp(-t lambda / N), t = eta k: the error falls in proportion to eta."""
    ntk, cross, y = problem["inner"].ntk, problem["cross"].ntk, problem["y"]
    predict = neural_tangents.predict.gradient_descent_mse(ntk, jnp.asarray(y), learning_rate=y.shape[1])
    # neural-tangents averages the loss over rows and outputs: a learning rate of C makes it a mean over rows.
    train, test = predict(2.0, problem["initial"], problem["initial_test"], cross)
    errors = []
    for eta in (0.02, 0.01, 0.005):
        dynamics = LinearDynamics(ntk, eta)
        ours = dynamics.outputs(2.0 / eta, y, problem["initial"])
        ours_test = dynamics.test_outputs(2.0 / eta, cross, y, problem["initial"], problem["initial_test"])
        errors.append(max(np.abs(ours - train).max(), np.abs(ours_test - test).max()))
    assert errors[-1] < 5e-3
    slopes = np.diff(np.log(errors)) / np.log(0.5)
    np.testing.assert_allclose(slopes, 1, atol=0.15)


def test_posterior_is_that_of_a_gaussian_process(problem):
    found = posterior(DAG, problem["train"], problem["y"], problem["test"], jitter=1e-3)
    k = np.asarray(problem["inner"].nngp) + 1e-3 * np.eye(10)
    cross, outer = np.asarray(problem["cross"].nngp), np.asarray(problem["outer"].nngp)
    np.testing.assert_allclose(found.nngp_mean, cross @ np.linalg.solve(k, problem["y"]), rtol=1e-9, atol=1e-11)
    variance = np.diagonal(outer - cross @ np.linalg.solve(k, cross.T))
    np.testing.assert_allclose(found.nngp_variance, variance, rtol=1e-9, atol=1e-11)
    ntk = np.asarray(problem["inner"].ntk) + 1e-3 * np.eye(10)
    expected = np.asarray(problem["cross"].ntk) @ np.linalg.solve(ntk, problem["y"])
    np.testing.assert_allclose(found.ntk_mean, expected, rtol=1e-9, atol=1e-11)


def test_a_finite_number_of_steps_tends_to_the_end(problem):
    arguments = (DAG, problem["train"], problem["y"], problem["test"])
    end = posterior(*arguments)
    distance = [np.abs(posterior(*arguments, steps=k).ntk_mean - end.ntk_mean).max() for k in (0, 100, 10_000)]
    assert distance[0] == pytest.approx(np.abs(end.ntk_mean).max())
    assert distance[0] > distance[1] > 100 * distance[2]


def test_jitter_is_chosen_and_reported_where_rows_coincide(problem):
    rows = np.concatenate([problem["train"], problem["train"][:1]])
    targets = np.concatenate([problem["y"], problem["y"][:1]])
    found = posterior(DAG, rows, targets, problem["test"])
    assert found.nngp_jitter > 0 and np.isfinite(found.nngp_mean).all()
    kernel = np.asarray(kernel_fn(DAG)(rows).nngp)
    eigenvalues = np.linalg.eigvalsh(kernel + choose_jitter(kernel) * np.eye(11))
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(LARGEST_CONDITION, rel=1e-3)
    assert choose_jitter(np.eye(3)) == 0


def test_predictions_do_not_need_the_global_float64_setting(problem):
    with jax.enable_x64(False):
        found = posterior(DAG, problem["train"], problem["y"], problem["test"])
    assert found.nngp_mean.dtype == np.float64
    expected = posterior(DAG, problem["train"], problem["y"], problem["test"])
    np.testing.assert_allclose(found.nngp_mean, expected.nngp_mean, rtol=1e-10)


def test_curve_is_the_average_over_draws_of_the_process(problem):
    """The expected loss is exact: the mean over many initial functions, each followed in closed form, agrees."""
    x, y = problem["train"], np.eye(3)[np.arange(10) % 3]
    curve = predict_curve(DAG, x, y, 0.2, [0, 5, 50], output_scale=0.5, draws=8)
    nngp, ntk = (0.25 * np.asarray(kernel) for kernel in problem["inner"])
    dynamics = LinearDynamics(ntk, 0.2)
    root = np.linalg.cholesky(nngp)
    draws = root @ np.random.default_rng(3).normal(size=(4000, 10, 3))
    for step, expected in zip(curve.steps, curve.loss, strict=True):
        losses = 0.5 * ((dynamics.outputs(step, y, draws) - y) ** 2).sum(axis=2).mean(axis=1)
        error = losses.std(ddof=1) / np.sqrt(len(losses))
        assert abs(losses.mean() - expected) < 4 * error
        assert error < 0.02 * expected
    assert np.all((curve.accuracy >= 0) & (curve.accuracy <= 1)) and curve.accuracy[-1] > curve.accuracy[0]


def test_scores():
    found = scores(np.array([[0.9, 0.0], [0.6, 0.4]]), np.eye(2))
    assert found.accuracy == 0.5
    assert found.mse == pytest.approx((0.1**2 + 0.6**2 + 0.6**2) / 4)


def test_bad_input(problem):
    arguments = (problem["train"], problem["y"], problem["test"])
    with pytest.raises(InputError, match="zero kernel"):
        posterior(Dag.from_code("0"), *arguments)
    for options, message in (
        ({"jitter": -1.0}, "jitter must be a number that is not negative"),
        ({"jitter": np.inf}, "jitter must be a number that is not negative, got inf"),
        ({"steps": 10**400}, "no floating-point number"),
        ({"steps": -1}, "steps must not be negative"),
        ({"learning_rate": 0.1}, "finite number of steps only"),
        ({"learning_rate": 0.0, "steps": 3}, "must be a positive number, got 0"),
        ({"learning_rate": 100.0, "steps": 3}, "diverges at learning rate 100: it must be below"),
    ):
        with pytest.raises(InputError, match=message):
            posterior(DAG, *arguments, **options)
    with pytest.raises(InputError, match="diverges"):
        LinearDynamics(problem["inner"].ntk, 1e6).outputs(np.inf, problem["y"])
    with pytest.raises(InputError, match="square"):
        LinearDynamics(np.ones((2, 3)), 1.0)


def test_command(tmp_path):
    done = CliRunner().invoke(command, ["2_21_112", "--data", "digits:200", "--json"], catch_exceptions=False)
    document = json.loads(done.stdout)
    assert (document["train_rows"], document["test_rows"]) == (160, 40)
    assert document["nngp"]["accuracy"] > 0.8 and document["ntk"]["accuracy"] > 0.8
    assert document["ntk"]["steps"] is None and document["nngp"]["jitter"] >= 0
    path = tmp_path / "rows.npz"
    np.savez(path, x=unit_rows(6), y=np.arange(6) % 2)
    arguments = ["2", "--data", str(path), "--test", str(path), "--steps", "3", "--json"]
    document = json.loads(CliRunner().invoke(command, arguments, catch_exceptions=False).stdout)
    assert document["ntk"]["steps"] == 3 and document["ntk"]["learning_rate"] > 0
    with pytest.raises(InputError, match="columns"):
        CliRunner().invoke(command, ["2", "--data", str(path), "--test", "digits:5"], catch_exceptions=False)


def test_rows_that_coincide_stay_together():
    """A singular NTK: rounding makes its zero eigenvalues negative, which is no divergence."""
    a, target = unit_rows(60, d=20), np.random.default_rng(2).normal(size=(60, 2))
    y = np.concatenate([target, target, target])
    # With rows of three lengths on each ray, f is computed from angles near zero: an error of the root of epsilon.
    for x in (np.concatenate([a, a, a]), np.concatenate([a, 0.3 * a, 1.1 * a])):
        ntk = np.asarray(kernel_fn(DAG)(x, get="ntk"))
        assert np.linalg.eigvalsh(ntk)[0] < 0
        rate = LinearDynamics(ntk, 1.0).largest_learning_rate
        for share in (0.1, 0.5, 0.9):
            dynamics = LinearDynamics(ntk, share * rate)
            distance = [np.linalg.norm(dynamics.outputs(step, y) - y) for step in (*10.0 ** np.arange(12), np.inf)]
            assert np.all(np.diff(distance) <= 1e-9)
        with pytest.raises(InputError, match="diverges"):
            LinearDynamics(ntk, 1.1 * rate).outputs(np.inf, y)
    with pytest.raises(InputError, match="no negative eigenvalues"):
        LinearDynamics(-np.eye(3), 0.1)


def test_a_diverging_curve_is_infinite_and_of_no_class():
    x, y = unit_rows(6), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    curve = predict_curve(DAG, x, y, 1e3, [0, 500, 2000], draws=4)
    assert np.isfinite(curve.loss[0]) and np.isinf(curve.loss[2])
    assert np.isfinite(curve.accuracy[0]) and np.isnan(curve.accuracy[2])
