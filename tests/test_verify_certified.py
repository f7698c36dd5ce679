"""Claims by certified spectra: what their certificates have to state together, and what does not suffice."""

import copy
import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from nngp_dag.proofs import recheck
from nngp_dag.proofs.recheck import read_statement
from nngp_dag.proofs.spectrum_bounds import Rows, SpectrumBounds
from nngp_dag.reading import Setting
from verify.claims import _section_4_witnesses as witnesses
from verify.claims import order_dag_123_data as order
from verify.framework.context import Context
from verify.framework.needs import lacking
from verify.tools.certified import certified_kernels, in_order, middle

INDEPENDENT = Setting.make("independent")


@pytest.fixture(scope="module")
def context():
    return Context("order-dag-123-data")


@pytest.fixture(scope="module")
def comparison(context):
    return order._comparisons(context, context.rows(6), INDEPENDENT)[0]


def _reading(finding):
    names = ("method", "order", "embedding", "activation", "label", "holds")
    reading = {name: getattr(finding, name) for name in names}
    return {**reading, "name": "r", "proof": finding.proof.words, "certificates": list(finding.proof.certificates)}


def _lines(reading, kernels, needs=order._needs):
    return lacking([reading], [k.certificate for k in kernels], needs)


def test_intervals_are_in_order_only_where_they_are_apart():
    assert in_order([(0.0, 1.0), (1.5, 2.0), (2.5, 3.0)]) is True
    assert in_order([(0.0, 1.0), (1.0, 2.0), (2.5, 3.0)]) is None
    assert in_order([(0.0, 1.0), (1.0, 2.0), (0.5, 0.9)]) is False
    assert middle((1.0, 2.0)) == 1.5


@pytest.mark.parametrize("words", order.QUANTITIES)
def test_an_order_needs_the_kernels_of_all_three_dags_on_the_same_rows(comparison, context, words):
    finding = comparison.finding(words)
    reading = _reading(finding)
    assert finding.holds is not None
    assert _lines(reading, comparison.kernels) == []
    assert _lines({**reading, "holds": not finding.holds}, comparison.kernels) != []
    assert _lines({**reading, "certificates": reading["certificates"][:2]}, comparison.kernels) != []
    assert _lines({**reading, "label": f"NTK, {words}"}, comparison.kernels) != []
    assert _lines({**reading, "method": "path-sum"}, comparison.kernels) != []
    other = certified_kernels(context, context.rows(7), order._CODES[1], INDEPENDENT)["nngp"]
    mixed = [comparison.kernels[0], other, comparison.kernels[2]]
    names = [str(kernel.certificate["id"]) for kernel in mixed]
    assert _lines({**reading, "certificates": names}, mixed) != []


def test_what_scale_free_and_condition_are_is_exact():
    rows = Rows("a", (4, 2), normalized=True)
    stated = SpectrumBounds("2", INDEPENDENT, "nngp", rows, (1.0, 2.0), (4.0, 8.0), (12.0, 16.0))
    assert stated.scale_free == (Fraction(1, 4), Fraction(2, 3))
    assert stated.inverse_condition == (Fraction(1, 8), Fraction(1, 2))
    unknown = dataclasses.replace(stated, trace=(-1.0, 16.0), greatest=(0.0, 8.0))
    assert unknown.scale_free == unknown.inverse_condition == (-np.inf, np.inf)


def test_a_pair_against_a_ranking_is_proved_and_needed(context):
    rows, codes = context.rows(6), ("2_02_002", "1_12_221", "2_12_002", "1_11_222")
    kernels = [certified_kernels(context, rows, code, INDEPENDENT)["nngp"] for code in codes]
    value = np.array([middle(kernel.statement.least) for kernel in kernels])
    found = witnesses.Witnesses(context, rows, INDEPENDENT, codes, np.full(4, 3))
    depths = np.array([float(witnesses._shape(code, "effective depth")) for code in codes])
    proof = found.proof(witnesses.RankedReading("NNGP, by effective depth", depths, value))
    reading = {"name": "r", "method": "independent", "order": "activation-last", "embedding": "gaussian"}
    reading |= {"activation": "relu", "holds": False, "proof": proof.words, "certificates": list(proof.certificates)}
    reading["label"] = "NNGP, by effective depth"
    assert lacking([reading], found.certificates, witnesses.needs) == []
    assert lacking([{**reading, "holds": True}], found.certificates, witnesses.needs) != []
    assert lacking([{**reading, "label": "NNGP"}], found.certificates, witnesses.needs) != []


def test_eq_12_of_one_dag_above_another_is_one_inequality_and_not_its_reverse():
    from nngp_dag.proofs import prove

    for scale_free, above, below in ((False, "1_12_121", "2_11_012"), (True, "1_12_221", "2_02_002")):
        assert prove(witnesses._above(above, below, INDEPENDENT, scale_free), max_boxes=64).proved
        assert not prove(witnesses._above(below, above, INDEPENDENT, scale_free), max_boxes=64).proved


def test_a_certificate_of_a_spectrum_in_a_report_is_proved_on_its_rows(comparison, context):
    from nngp_dag.datasets.checksum import rows_finder

    certificate = dict(comparison.kernels[0].certificate)
    assert read_statement(certificate) == comparison.kernels[0].statement
    assert recheck(certificate, rows_finder(context.data))["proved"]
    assert recheck(certificate, rows_finder())["proved"]  # its source names the digits
    false = copy.deepcopy(certificate)
    false["lambda_min"][0] = false["lambda_min"][1]
    false["id"] = read_statement(false).id
    assert not recheck(false, rows_finder())["proved"]


def test_rows_of_a_file_are_found_by_their_first_ones(tmp_path):
    from nngp_dag.datasets.checksum import rows_finder

    x = np.random.default_rng(0).normal(size=(9, 3))
    np.save(tmp_path / "rows.npy", x)
    rows = Rows.of(x[:4], normalized=True)
    assert np.array_equal(rows_finder(str(tmp_path / "rows.npy"))(rows), x[:4])
    assert rows_finder(str(tmp_path / "rows.npy"))(Rows.of(x[1:5], normalized=True)) is None
