"""Learning rates of Theorem 3.1: the threshold against the dynamics, a recursion against the library's method."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nngp_dag.dag import Dag
from nngp_dag.kernel import kernel_fn
from nngp_dag.reading import Setting
from verify.tools.learning_rate import LinearRates, all_skip_keeps, independent_gram, linear_rates

CODES = ("1_11_111", "2_02_002", "1_01_222", "2_21_112")
SETTINGS = (
    Setting.make("exact", "activation-last", "gaussian"),
    Setting.make("independent", "activation-last", "gaussian"),
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.1, 50.0), min_size=1, max_size=5),
    st.floats(0.01, 1.0),
    st.floats(0.01, 0.5),
)
def test_the_bound_is_kept_up_to_the_threshold_and_not_beyond(eigenvalues, share, off):
    ntk = np.sort(np.array([eigenvalues]))
    found = LinearRates(2, np.array([3.0]), share * ntk[:, 0], ntk)
    assert found.keep(found.threshold * (1 - off)).all()
    assert not found.keep(found.threshold * (1 + off)).any()
    assert found.largest_constant * found.theorem == pytest.approx(found.threshold)


def test_no_learning_rate_will_do_where_the_ntk_is_below_a_quarter_of_the_nngp():
    found = LinearRates(2, np.array([1.0]), np.array([1.0]), np.array([[0.2, 1.0]]))
    assert found.threshold[0] < 0
    assert not found.keep(np.array([1e-3])).any()


@pytest.mark.parametrize("code", CODES)
def test_the_recursion_without_correlations_is_the_independent_method(code):
    x = np.array([[1.0, 0.0], [0.6, 0.8], [-0.8, 0.6]])
    kernel = kernel_fn(Dag.from_code(code), method="independent")(x)
    nngp, ntk = independent_gram(Dag.from_code(code), x)
    # Two of the rows are orthogonal up to rounding.
    np.testing.assert_allclose(nngp, kernel.nngp, rtol=1e-5, atol=1e-15)
    np.testing.assert_allclose(ntk, kernel.ntk, rtol=1e-5, atol=1e-15)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_sets_of_rows_are_as_if_computed_alone(setting):
    x, dags = np.eye(4), [Dag.from_code(code) for code in CODES]
    together = linear_rates(dags, x, [[0, 1], [1, 2, 3]], setting)
    alone = linear_rates(dags, x[1:], [[0, 1, 2]], setting)
    np.testing.assert_allclose(together[1].ntk, alone[0].ntk)
    assert together[0].paths.tolist() == [4, 1, 3, 4]


def test_skips_alone_in_rationals_are_those_in_floating_point():
    found = linear_rates([Dag.from_code("1_11_111")], np.eye(2), [[0, 1]], SETTINGS[0])[0]
    assert found.largest_constant[0] == pytest.approx(3 / 8)
    assert all_skip_keeps(4, 2, Fraction(3, 8))
    assert not all_skip_keeps(4, 2, Fraction(3_000_001, 8_000_000))
