"""Theorem 3.1: residuals against literal descent, the bound's bookkeeping, thresholds and what they scale with."""

import jax
import numpy as np
import pytest
from flax import nnx

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.finite.convergence import (
    BoundMeasurement,
    GradientDescent,
    KernelScales,
    LearningRateThreshold,
    WidthFailures,
    fit_scaling,
    kernel_scales,
    learning_rate_thresholds,
    measure_bound,
    width_failures,
)
from nngp_dag.finite.network import DagNetwork
from nngp_dag.kernel import kernel_fn
from nngp_dag.reading import Reading

pytestmark = pytest.mark.usefixtures("quick_compilation")

DAGS = [Dag.from_code(code) for code in ("2_02_002", "2_21_112")]
READING = Reading(embedding="gaussian-trained")


def rows(n: int = 6, d: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True), rng.choice([-1.0, 1.0], n)


@pytest.fixture(scope="module")
def measured():
    return measure_bound(DAGS, *rows(), width=512, seeds=(0, 1, 2), steps=40, reading=READING)


def test_residuals_are_those_of_a_literal_descent():
    x, y = rows()
    runs = GradientDescent(DAGS, x, y, 7, (2, 5), reading=READING)
    found = runs.residuals([[0.02, 0.05], [0.01, 0.03]], 6)
    assert found.shape == (2, 2, 7)
    for i, rates in enumerate(((0.02, 0.05), (0.01, 0.03))):
        for j, (seed, rate) in enumerate(zip((2, 5), rates, strict=True)):
            network = DagNetwork(runs.ensemble.spec, DAGS[i], rngs=nnx.Rngs(params=jax.random.key(seed)))
            graphdef, params, rest = nnx.split(network, nnx.Param, ...)

            def loss(p, g=graphdef, r=rest):
                return 0.5 * ((y - nnx.merge(g, p, r)(x)[:, 0]) ** 2).sum()

            for step in range(7):
                assert found[i, j, step] == pytest.approx(2 * float(loss(params)), rel=1e-9)
                params = jax.tree.map(lambda p, g, rate=rate: p - rate * g, params, jax.grad(loss)(params))


def test_a_diverging_run_is_infinite():
    # Without ReLUs, which would die at such a learning rate and leave the network at zero.
    found = GradientDescent(
        DAGS[:1], *rows(), 8, (0,), Reading.make(embedding="gaussian-trained", activation="identity")
    ).residuals(1e6, 30)
    assert np.isfinite(found[0, 0, 0]) and np.isposinf(found[0, 0, -1])


def test_the_bound_and_its_cause(measured):
    x, _ = rows()
    for dag, m in zip(DAGS, measured, strict=True):
        nngp, ntk = (np.linalg.eigvalsh(np.asarray(k)) for k in kernel_fn(dag, embedding=READING.embedding)(x))
        assert (m.scales.nngp_min, m.scales.ntk_min, m.scales.ntk_max) == pytest.approx((nngp[0], ntk[0], ntk[-1]))
        assert m.learning_rate == pytest.approx(1 / ntk[-1])
        np.testing.assert_allclose(m.bound, (1 - m.learning_rate * nngp[0] / 2) ** np.arange(41))
        assert m.holds and m.failures == [None] * 3 and m.slack.shape == (3, 41)
        # A wide network falls as fast as the infinite one says, and many times faster than the bound.
        rates = m.rates()
        assert rates["measured"] == pytest.approx(rates["predicted"], rel=0.1)
        assert 5 * rates["bound"] < rates["ntk"] and 5 * rates["bound"] < rates["measured"]
    assert [m.scales.num_paths for m in measured] == [1, 4]
    assert measured[1].scales.theorem_rate == pytest.approx(measured[1].scales.nngp_min / (6 * 4) ** 2)


def synthetic(residuals, rate: float = 0.1, smallest: float = 2.0) -> BoundMeasurement:
    residuals = np.asarray(residuals, float)
    steps = residuals.shape[1]
    return BoundMeasurement(
        "2", 1, rate, KernelScales(smallest, 3.0, 4.0, 1, 2), residuals, 0.9 ** np.arange(steps), residuals[0]
    )


def test_a_failure_is_noticed_at_its_first_step():
    m = synthetic([[1, 0.9, 0.81, 0.7], [2, 1.7, 1.7, 1.7], [3, 2.8, 0.1, 0.1]])
    assert m.failures == [None, 2, 1] and not m.holds
    np.testing.assert_allclose(m.slack[1], np.log([1, 0.9 / 0.85, 0.81 / 0.85, 0.729 / 0.85]))
    rates = m.rates()
    assert rates["bound"] == pytest.approx(-np.log(0.9)) and rates["ntk"] == pytest.approx(-2 * np.log(0.7))
    assert rates["measured"] == pytest.approx(np.log([1 / 0.7, 2 / 1.7, 30]).mean() / 3)


def test_thresholds_are_where_the_bound_begins_to_fail():
    """At the threshold found the bound holds; an interval's width above it, it does not."""
    x, y = rows()
    found = learning_rate_thresholds(DAGS, x, y, width=16, seeds=(0, 1), steps=30, rounds=8, reading=READING)
    runs = GradientDescent(DAGS, x, y, 16, (0, 1), reading=READING)
    thresholds = np.stack([t.thresholds for t in found])
    smallest = np.array([[t.scales.nngp_min] for t in found])
    for factor, expected in ((1.0, True), (1 + found[0].resolution + 1e-9, False)):
        rates = thresholds * factor
        residuals = runs.residuals(rates, 30)
        bound = np.maximum(1 - rates * smallest / 2, 0)[..., None] ** np.arange(31) * residuals[..., :1]
        assert np.all(np.all(residuals <= bound * (1 + 1e-9), axis=-1) == expected)
    assert found[0].resolution == pytest.approx(2 ** (8 / 2**8) - 1)
    # Linear dynamics turn unstable at 2 / lambda_max: where networks do is of that order, far above the theorem's rate.
    assert all(0.5 < t.stability < 4 and t.over_theorem > 30 for t in found)


def test_scaling_recovers_a_known_law():
    def threshold(nngp_min: float, n: int, paths: int, law) -> LearningRateThreshold:
        scales = KernelScales(nngp_min, 1.0, 7.0, paths, n)
        return LearningRateThreshold("2", 8, 10, scales, np.array([law(nngp_min, n, paths)] * 2), 0.01)

    rng = np.random.default_rng(0)
    points = [(rng.uniform(0.1, 1), n, p) for n in (4, 8, 16) for p in (1, 3, 4)]
    fit = fit_scaling([threshold(*point, lambda k, n, p: 0.3 * k / (n * p) ** 2) for point in points])
    assert fit.exponents == pytest.approx(fit.theorem)
    assert fit.points == 18
    fit = fit_scaling([threshold(*point, lambda k, n, p: 0.5) for point in points])
    assert list(fit.exponents.values()) == pytest.approx([0, 0, 0], abs=1e-9)
    assert fit.stability[0] == pytest.approx(np.log(0.5 * 7 / 2)) and fit.stability[1] == pytest.approx(0, abs=1e-9)
    noisy = [threshold(*point, lambda k, n, p: k * np.exp(0.1 * rng.normal())) for point in points]
    low, high = fit_scaling(noisy).intervals["lambda_min"]
    assert low < 1 < high and high - low < 0.5
    with pytest.raises(InputError, match="different path counts"):
        fit_scaling([threshold(0.1, 4, 1, lambda k, n, p: 0.5)] * 6)


def test_narrow_networks_fail_and_wide_ones_do_not():
    x, y = rows(8)
    found = width_failures(DAGS[:1], x, y, widths=(64, 1), seeds=range(8), steps=40, reading=READING)[0]
    assert found.widths == (1, 64) and found.seeds == 8
    assert found.failures[0] > 0 and found.failures[1] == 0 and found.smallest_sufficient == 64
    scales = kernel_scales(DAGS[0], x, READING)
    assert found.theorem_width == pytest.approx((8 / scales.nngp_min) ** 4)
    never = WidthFailures("2", 0.1, 5, scales, (1, 2, 4), (3, 0, 1), 8)
    assert never.smallest_sufficient is None
    assert WidthFailures("2", 0.1, 5, scales, (1, 2, 4), (3, 0, 0), 8).smallest_sufficient == 2


def test_bad_input():
    x, y = rows()
    for arguments, message in (
        ((x, y[:-1]), r"targets \[N\]"),
        ((x, np.where(y > 0, np.nan, y)), "finite"),
        ((x[0], y), r"rows \[N, d\]"),
    ):
        with pytest.raises(InputError, match=message):
            measure_bound(DAGS, *arguments)
    for measure in (measure_bound, learning_rate_thresholds, width_failures):
        with pytest.raises(InputError, match="a path from input to output, and 0 has none"):
            measure([Dag.from_code("0")], x, y)
        with pytest.raises(InputError, match="at least one DAG"):
            measure([], x, y)
    with pytest.raises(InputError, match="at least one width"):
        width_failures(DAGS, x, y, widths=())
    with pytest.raises(InputError, match="at least one step"):
        measure_bound(DAGS, x, y, steps=0)
    # One output neuron in each layer: the bound fails at every learning rate.
    with pytest.raises(InputError, match="too small"):
        learning_rate_thresholds(DAGS[:1], x, y, width=1, seeds=range(4), steps=20, rounds=1, reading=READING)
