"""Enclosures hold what they enclose, at every point of a box; what is false, or proved in part, is not proved."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, fmpq

from nngp_dag import Dag
from nngp_dag.kernel import pair_kernel
from nngp_dag.proofs import Inequality, Term, prove, recheck, two_point
from nngp_dag.proofs.certificate import certificate_id, read_certificate, to_certificate
from nngp_dag.proofs.eigenvalue_bound import EigenvalueBound, prove_bound
from nngp_dag.proofs.matrices import falls_below
from nngp_dag.proofs.prove import precision
from nngp_dag.proofs.relu import deficit_factor, gap_factor, relu_dual
from nngp_dag.reading import Setting

CODES = ["2", "1_22", "2_21_112", "1_22_121"]
BOXES = [(Fraction(0), Fraction(1, 8)), (Fraction(1, 3), Fraction(5, 4)), (Fraction(7, 4), Fraction(2))]


def _points(low, high):
    return [low + weight * (high - low) for weight in (0, Fraction(1, 3), Fraction(9, 10), 1)]


def _ball(value):
    return arb(fmpq(*value.as_integer_ratio()))


@pytest.mark.parametrize(("low", "high"), BOXES)
def test_boxes_hold_their_points(low, high):
    """Balls of a point at three times the precision lie within the ball of a box."""
    with precision(64):
        ends = _ball(low).union(_ball(high))
        factors = [gap_factor(ends), deficit_factor(ends), relu_dual(1 - ends)]
        kernels = [two_point(Dag.from_code(code), fmpq(*low.as_integer_ratio()), _fmpq(high)) for code in CODES]
    with precision(192):
        for v in _points(low, high):
            exact = [gap_factor(_ball(v)), deficit_factor(_ball(v)), relu_dual(1 - _ball(v))]
            for enclosure, value in zip(factors, exact, strict=True):
                assert enclosure.contains(value), v
            for code, kernel in zip(CODES, kernels, strict=True):
                point = two_point(Dag.from_code(code), _fmpq(v))
                for name in ("variance", "ratio", "deficit", "gap", "covariance", "eigenvalue_ratio"):
                    assert getattr(kernel, name).contains(getattr(point, name)), (code, name, v)


def _fmpq(value):
    return fmpq(*value.as_integer_ratio())


@pytest.mark.parametrize("code", ["1", "1_11", *CODES])
def test_the_smallest_eigenvalue_of_two_points(code):
    """Of [[K, C], [C, K]], where C is negative too."""
    for v in (Fraction(1, 2), Fraction(3, 2), Fraction(15, 8)):
        kernel = pair_kernel(Dag.from_code(code), 1.0, np.array([1.0, 1 - float(v)]), 1.0).nngp
        expected = np.linalg.eigvalsh([[kernel[0], kernel[1]], [kernel[1], kernel[0]]])[0] / float(v)
        found = two_point(Dag.from_code(code), _fmpq(v)).eigenvalue_ratio
        assert float(found) == pytest.approx(expected, rel=1e-10)


def test_every_part_of_an_interval_is_settled():
    terms = (Term(Fraction(1), "2"), Term(Fraction(-1), "2"))
    proof = prove(Inequality(terms, Fraction(0), Fraction(2), Fraction(1, 8)))
    assert proof.proved and proof.boxes > 2 and (proof.cuts[0], proof.cuts[-1]) == (0, 2)


def test_boxes_that_end_early_or_go_back_or_fail_prove_nothing():
    """The gap ratio of a linear edge decreases from 1 to 1/2: above 3/4 in the first box, not in the last one."""
    partly = Inequality((Term(Fraction(1), "2"),), Fraction(0), Fraction(2), Fraction(-3, 4))
    certificate = {**to_certificate(prove(partly, max_boxes=8)), "cuts": ["0", "1/64", "2"]}
    assert not recheck(certificate)["proved"]
    assert not recheck({**certificate, "cuts": ["0", "1/64"]})["proved"]
    whole = to_certificate(prove(Inequality(partly.terms, Fraction(0), Fraction(2), Fraction(-1, 4))))
    assert recheck({**whole, "cuts": ["0", "1", "2"]})["proved"]
    assert not recheck({**whole, "cuts": ["0", "1", "1/2", "2"]})["proved"]


def _bound(side, factor):
    rows = ((3, 0, 1), (1, 2, 0), (0, -1, 5))
    kernel = EigenvalueBound("1_22", Setting(), rows, side, Fraction(0)).kernel()
    x = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    rho = x @ x.T
    reference = pair_kernel(Dag.from_code("1_22"), np.ones_like(rho), rho, np.ones_like(rho)).nngp
    np.testing.assert_allclose([[float(entry) for entry in row] for row in kernel], reference, rtol=1e-7, atol=1e-7)
    smallest = float(np.linalg.eigvalsh(reference)[0])
    return EigenvalueBound("1_22", Setting(), rows, side, Fraction(factor * smallest).limit_denominator(10**6))


@pytest.mark.parametrize(("side", "true", "false"), [("above", 0.99, 1.01), ("below", 1.01, 0.99)])
def test_bounds_on_rows_of_different_norms(side, true, false):
    bound = _bound(side, true)
    certificate = to_certificate(prove_bound(bound))
    assert certificate["proved"] and recheck(certificate)["proved"]
    assert read_certificate(certificate)[0] == bound
    assert not prove_bound(_bound(side, false)).proved
    assert certificate_id(bound) != certificate_id(_bound(side, false))


def test_a_vector_need_not_be_of_unit_norm():
    matrix = [[arb(2), arb(1)], [arb(1), arb(2)]]
    assert falls_below(matrix, arb("1.01"), [10.0, -10.0])
    assert not falls_below(matrix, arb("0.99"), [0.1, -0.1])
