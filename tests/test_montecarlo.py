"""Monte Carlo over finite networks: streaming moments, the test of a method, early stop, the rate in the width."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nngp_dag.cli.montecarlo import command
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.finite.montecarlo import (
    Agreement,
    KernelEstimate,
    Unavailable,
    agreement,
    compare_methods,
    monte_carlo,
    width_rate,
)
from nngp_dag.finite.montecarlo import estimate as estimate_module
from nngp_dag.finite.montecarlo.moments import empty_moments, half_width, standard_error, update_moments
from nngp_dag.finite.montecarlo.words import outcome, too_wide
from nngp_dag.kernel import kernel_fn
from nngp_dag.reading import Reading

pytestmark = pytest.mark.usefixtures("quick_compilation")


def unit_rows(n: int, d: int = 5, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@settings(max_examples=15)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.sampled_from([0.0, 1e8]))
def test_moments_of_chunks_are_those_of_the_whole(chunks, offset):
    values = offset + np.random.default_rng(sum(chunks)).normal(size=(sum(chunks), 3))
    moments, start = empty_moments((3,), "float64"), 0
    for size in chunks:
        padded = np.full((4, 3), 1e30)
        padded[:size] = values[start : start + size]
        moments = update_moments(moments, jnp.asarray(padded), jnp.arange(4) < size)
        start += size
    assert int(moments.n) == len(values)
    np.testing.assert_allclose(moments.mean, values.mean(0), rtol=1e-14, atol=1e-15)
    if len(values) > 1:
        # With an offset the values themselves carry a rounding error of 1e8 eps.
        tolerance = 1e-12 if offset == 0 else 1e-6
        np.testing.assert_allclose(standard_error(moments), stats.sem(values), rtol=tolerance)
        low, high = stats.t.interval(0.9, len(values) - 1, values.mean(0), stats.sem(values))
        np.testing.assert_allclose(2 * half_width(moments, 0.9), high - low, rtol=max(tolerance, 1e-6))


def test_agreement_is_a_bonferroni_t_test():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(9, 2, 2))
    draws = draws + draws.transpose(0, 2, 1)
    mean, error = draws.mean(0), stats.sem(draws)
    found = agreement(KernelEstimate(mean, error, error), np.eye(2), 9)
    p_values = [stats.ttest_1samp(draws[:, i, j], float(i == j)).pvalue for i, j in ((0, 0), (0, 1), (1, 1))]
    assert found.p == pytest.approx(min(1, 3 * min(p_values)), rel=1e-10)
    assert found.relative_error == pytest.approx(np.linalg.norm(mean - np.eye(2)) / np.sqrt(2))


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(4, 60))
def test_a_method_is_rejected_beyond_the_quantile_of_one_per_cent(n, seeds):
    entries = n * (n + 1) // 2
    threshold = stats.t.ppf(1 - 0.01 / (2 * entries), seeds - 1)
    for factor, accepted in ((1 - 1e-6, True), (1 + 1e-6, False)):
        mean = np.eye(n)
        mean[-1, -1] += 0.25 * factor * threshold
        estimate = KernelEstimate(mean, np.full((n, n), 0.25), np.zeros((n, n)))
        assert agreement(estimate, np.eye(n), seeds).accepted is accepted


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("1_01_222", "activation-last"),  # DAG#2: the means of its branches multiply
        ("1_11_002", "activation-first"),  # h_0 + h_0 has four times the variance of h_0, not twice
    ],
)
def test_exact_is_accepted_and_independent_rejected(code, order):
    x = unit_rows(4)
    result = monte_carlo(Dag.from_code(code), x, width=128, seeds=32, reading=Reading(order=order))
    table = compare_methods(result, x)
    for kernel in ("nngp", "ntk"):
        exact, independent = table[kernel]["exact"], table[kernel]["independent"]
        assert isinstance(exact, Agreement) and exact.accepted
        assert isinstance(independent, Agreement) and not independent.accepted and independent.p < 1e-6
        # The test has power: the mean is known to a few per cent.
        assert exact.relative_error < 0.08
    assert result.seeds == 32


def test_the_stem_before_activation_first_is_where_the_formulas_end():
    x = unit_rows(2)
    result = monte_carlo(Dag.from_code("2"), x, width=128, seeds=32, reading=Reading("activation-first", "stem"))
    table = compare_methods(result, x)
    assert isinstance(table["nngp"]["exact"], Unavailable) and "gaussian-trained" in table["nngp"]["exact"].reason
    assert not table["nngp"]["independent"].accepted
    assert result.nngp.mean[0, 0] == pytest.approx(2, abs=4 * result.nngp.standard_error[0, 0])


def test_no_path_is_a_zero_kernel_that_all_accept():
    result = monte_carlo(Dag.from_code("0"), unit_rows(3), width=8, seeds=4)
    found = compare_methods(result, unit_rows(3))["ntk"]["exact"]
    assert (found.z, found.relative_error, found.accepted) == (0, 0, True)


def test_chunks_and_their_number_change_nothing(monkeypatch):
    dag, x = Dag.from_code("2"), unit_rows(3)
    whole = monte_carlo(dag, x, width=16, seeds=10, seed=7)
    monkeypatch.setitem(estimate_module._PARAMETERS_PER_CALL, "cpu", 3 * (16**2 + 16 * 6))
    seen = []
    parts = monte_carlo(dag, x, width=16, seeds=10, seed=7, progress=seen.append)
    assert seen == [3, 6, 9, 10]
    np.testing.assert_allclose(parts.ntk.mean, whole.ntk.mean, rtol=1e-12)
    np.testing.assert_allclose(parts.ntk.standard_error, whole.ntk.standard_error, rtol=1e-9)
    other = monte_carlo(dag, x, width=16, seeds=10, seed=8)
    assert np.all(other.ntk.mean != whole.ntk.mean)


def test_memory_does_not_grow_and_the_stream_stops_when_tight(monkeypatch):
    monkeypatch.setitem(estimate_module._PARAMETERS_PER_CALL, "cpu", 1)
    live = []

    def measure(_: int) -> None:
        live.append(sum(array.nbytes for array in jax.live_arrays()))

    result = monte_carlo(Dag.from_code("2"), unit_rows(3), width=32, seeds=4000, tolerance=0.1, progress=measure)
    assert 4 <= result.seeds == len(live) < 1000
    assert max(result.nngp.tightness, result.ntk.tightness) <= 0.1
    assert max(live[1:]) <= live[1]


def test_error_of_one_draw_falls_as_the_root_of_the_width():
    rate = width_rate(Dag.from_code("2"), unit_rows(3), widths=(32, 96, 288), seeds=200)
    for fit in (rate.nngp, rate.ntk):
        margin = (fit.interval[1] - fit.interval[0]) / 2
        # Terms of order 1/m steepen the slope by about 0.02 at these widths; 1.5 margins are three standard errors.
        assert abs(fit.exponent + 0.5) < 1.5 * margin + 0.02
        assert margin < 0.08  # it could have told -1/2 from -1/3 or -2/3
    with pytest.raises(InputError, match="two different widths"):
        width_rate(Dag.from_code("2"), unit_rows(2), widths=(16, 16))
    with pytest.raises(InputError, match="zero kernel"):
        width_rate(Dag.from_code("0"), unit_rows(2), widths=(16, 32))


def test_bad_input():
    dag, x = Dag.from_code("2"), unit_rows(2)
    for options, message in (
        ({"seeds": 3}, "at least 4 seeds"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"confidence": 1.0}, "between 0 and 1"),
        ({"width": 10**7}, "of memory"),
        ({"seed": 2**32}, "from 0 to"),
    ):
        with pytest.raises(InputError, match=message):
            monte_carlo(dag, x, **options)
    with pytest.raises(InputError, match="finite array"):
        monte_carlo(dag, np.full((2, 2), np.nan))


def test_command_prints_one_strict_document():
    arguments = ["1_01_222", "--data", "digits:4", "--width", "128", "--seeds", "24", "--json"]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    document = json.loads(done.stdout, parse_constant=lambda text: pytest.fail(text))
    assert (document["code"], document["width"], document["seeds"]) == ("1_01_222", 128, 24)
    for kernel in ("nngp", "ntk"):
        assert set(document[kernel]) == {"exact", "independent", "path-sum", "neural-tangents"}
        assert set(document[kernel]["exact"]) == {"available", "relative_error", "z", "p", "accepted"}
        assert document[kernel]["exact"]["accepted"] and not document[kernel]["independent"]["accepted"]
        unavailable = document[kernel]["neural-tangents"]
        assert unavailable["available"] is False and "node 3" in unavailable["reason"]
    refused = CliRunner().invoke(command, ["2", "--data", "digits:4", "--seeds", "3"], catch_exceptions=False)
    assert refused.exit_code == 2 and "--seeds" in refused.output


@pytest.mark.full
def test_the_right_method_is_rejected_no_more_often_than_promised():
    """Of 200 runs of the default number of seeds, at most as many reject as a chance of 1% allows (1 in 1000 fails)."""
    dag, x = Dag.from_code("1_01_222"), unit_rows(6)
    kernel = kernel_fn(dag)(x)
    rejected = 0
    for seed in range(200):
        result = monte_carlo(dag, x, width=256, seeds=16, seed=seed)
        rejected += not agreement(result.nngp, kernel.nngp, 16).accepted
    assert rejected <= stats.binom.ppf(0.999, 200, 0.01)


def test_what_is_not_rejected_is_praised_only_where_intervals_are_narrow():
    """A relative error of 73 % at z = 4.4 that four networks cannot reject is undecided, not accepted."""
    poor = Agreement(relative_error=0.73, z=4.4, p=0.3, accepted=True)
    assert outcome(poor, half_width=1.1) == "undecided"
    assert outcome(poor, half_width=0.05) == "not rejected"
    assert outcome(Agreement(0.5, 20.0, 1e-6, False), half_width=1.1) == "rejected"
    assert too_wide({"nngp": 0.05, "ntk": 0.1}, 0.95) == ""
    warning = too_wide({"nngp": 0.05, "ntk": 0.731}, 0.95)
    assert "95% intervals are NTK ±73% of the mean diagonal" in warning and "NNGP" not in warning
    assert too_wide({"nngp": float("inf")}, 0.95) and too_wide({"nngp": float("nan")}, 0.95)


def test_few_networks_decide_nothing_and_the_command_says_so():
    arguments = ["1_01_222", "--data", "digits:4", "--width", "8", "--seeds", "4"]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert "too wide to tell" in done.stdout and "undecided" in done.stdout
    assert "accepted" not in done.stdout and "not rejected" not in done.stdout
