"""Power series of the three DAGs against their two-point kernels in balls, and what order-n-rows needs."""

from fractions import Fraction

import pytest
from flint import arb

from nngp_dag.proofs import precision
from verify.claims.order_n_rows import _REFUTATIONS, CODES, _needs
from verify.tools.order_series import kernel_coefficients, positive_coefficients
from verify.tools.proofs import two_point_at
from verify.tools.settings import NNGP_SETTINGS

TERMS = 200


@pytest.mark.parametrize("setting", NNGP_SETTINGS[2:], ids=str)
@pytest.mark.parametrize("i", range(3))
def test_the_series_sum_to_the_kernel(setting, i):
    """At rho = 1/4 what 200 terms leave out is below 4^-200 K_ii; DAG#2 and DAG#3 have means without a stem."""
    stem = setting.embedding == "stem"
    if not stem:
        setting = NNGP_SETTINGS[1]
    with precision(600):
        total = sum((c * arb(1) / arb(4) ** k for k, c in enumerate(kernel_coefficients(TERMS, stem)[i])), arb(0))
        kernel = two_point_at(CODES[i], setting, Fraction(3, 4))
        assert abs(float(total - kernel.covariance)) < 1e-70


def test_the_first_coefficient_that_is_not_positive():
    assert [positive_coefficients(low, high, TERMS, stem=False) for low, high in ((1, 2), (2, 3))] == [3, 2]
    assert [positive_coefficients(low, high, TERMS) for low, high in ((2, 1), (3, 2))] == [0, 0]


def test_bounds_at_other_rows_or_of_the_other_side_are_not_what_is_needed():
    setting = NNGP_SETTINGS[0]
    reading = {
        "name": "r",
        "label": "DAG#1 < DAG#2",
        "method": setting.method,
        "order": setting.order,
        "embedding": setting.embedding,
        "activation": "relu",
        "certificates": [],
        "proof": "",
    }
    needs = _needs(reading)
    first, second = _REFUTATIONS[0].bounds(setting)
    assert [[need.accepts(bound) for bound in (first, second)] for need in needs] == [[True, False], [False, True]]
    for bound in (*_REFUTATIONS[1].bounds(setting), *_REFUTATIONS[0].bounds(NNGP_SETTINGS[2])):
        assert not any(need.accepts(bound) for need in needs)
