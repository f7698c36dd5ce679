"""The script that proves certificates again needs python-flint alone, and comes to what the library comes to."""

import ast
import copy
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from nngp_dag import Dag
from nngp_dag.paths import path_counts
from nngp_dag.proofs import EigenvalueBound, Inequality, Term, prove, prove_bound, recheck, to_certificate, two_point
from nngp_dag.proofs.prove import QUANTITIES
from nngp_dag.reading import Setting
from verify import check_certificate as script

SCRIPT = Path(script.__file__)
READINGS = [
    ("exact", "activation-last", "gaussian"),
    ("exact", "activation-first", "gaussian"),
    ("exact", "activation-last", "stem"),
    ("independent", "activation-last", "gaussian"),
    ("independent", "activation-last", "stem"),
    ("path-sum", "activation-first", "gaussian"),
    ("path-sum", "activation-last", "stem"),
]
ROWS = ((2, -3), (-3, -2), (2, 1), (-1, 2))


@pytest.mark.parametrize("name", ["check_certificate.py", "check_spectrum.py"])
def test_it_is_short_and_imports_the_standard_library_and_python_flint(name):
    text = SCRIPT.with_name(name).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        n for node in imports for n in ([node.module] if hasattr(node, "module") else [a.name for a in node.names])
    }
    assert names - {"flint"} <= set(sys.stdlib_module_names)


@st.composite
def cases(draw):
    nodes = draw(st.integers(2, 5))
    code = "_".join(draw(st.text("012", min_size=t, max_size=t)) for t in range(1, nodes))
    low, high = sorted(draw(st.fractions(0, 2, max_denominator=64)) for _ in range(2))
    return code, draw(st.sampled_from(READINGS)), low, high


@given(cases())
def test_its_enclosures_are_those_of_the_library(case):
    code, reading, low, high = case
    a, b = (fmpq(v.numerator, v.denominator) for v in (low, high))
    if not path_counts(Dag.from_code(code)):
        with pytest.raises(AssertionError, match="no path"):
            script.output(code, *reading, arb(a), arb(b))
        return
    ours = two_point(Dag.from_code(code), a, b, Setting.make(*reading))
    k, limit, _, deficit = script.output(code, *reading, arb(a), arb(b))
    expected = [ours.ratio, ours.eigenvalue_ratio, ours.deficit, ours.limit, ours.variance, ours.covariance]
    assert k.overlaps(ours.variance) and limit.overlaps(ours.limit) and deficit.overlaps(ours.deficit)
    names = ("gap-ratio", "eigenvalue-ratio", "deficit", "limit", "variance", "covariance")
    assert set(names) == set(QUANTITIES)
    for name, value in zip(names, expected, strict=True):
        term = {"coefficient": "1", "scale": "none", "quantity": name, "code": code}
        term |= dict(zip(("method", "order", "embedding"), reading, strict=True))
        found = script.quantity(term, arb(a), arb(b))
        for end in ("lower", "upper"):
            assert abs(float(getattr(found, end)()) - float(getattr(value, end)())) < 1e-7, name  # radii have 30 bits


def _inequality():
    independent, stem = Setting.make("independent"), Setting.make("exact", "activation-last", "stem")
    orders = [
        Inequality((Term(Fraction(1), a, s, q), Term(Fraction(-1), b, s, q)), Fraction(0), Fraction(2))
        for s in (independent, stem)
        for a, b in (("1_01_222", "2_02_002"), ("2_21_112", "1_01_222"))
        for q in ("gap-ratio", "eigenvalue-ratio")
    ]
    scaled = Term(Fraction(1), "2_21_112", independent, "gap-ratio", "variance")
    return [*orders, Inequality((scaled,), Fraction(1, 3), Fraction(2), Fraction(-1, 10))]


@pytest.fixture(scope="module")
def certificates():
    exact = Setting.make("exact", "activation-last")
    bounds = [
        EigenvalueBound("1_01_222", exact, ROWS, "above", Fraction(10358, 10000)),
        EigenvalueBound("2_21_112", exact, ROWS, "below", Fraction(10358, 10000)),
    ]
    found = [to_certificate(prove(inequality)) for inequality in _inequality()]
    return json.loads(json.dumps([*found, *(to_certificate(prove_bound(bound)) for bound in bounds)]))


def _check(certificate):
    return {"strict-inequality": script.inequality, "eigenvalue-bound": script.bound}[certificate["kind"]](certificate)


def test_it_proves_what_is_proved(certificates, tmp_path):
    assert all(certificate["proved"] and recheck(certificate)["proved"] for certificate in certificates)
    assert all(_check(certificate) for certificate in certificates)
    file = tmp_path / "report.json"
    others = [{"schema": 2, "kind": "spectrum"}]  # which check_spectrum.py reads
    file.write_text(json.dumps({"claims": [{"evidence": {"certificates": [*certificates, *others]}}]}))
    run = subprocess.run([sys.executable, "-I", SCRIPT, file], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and run.stdout.count("proved: ") == len(certificates), run.stderr


@pytest.mark.parametrize(
    "change",
    [
        lambda c: (
            c["terms"].reverse() or c["terms"][0].update(coefficient="1") or c["terms"][1].update(coefficient="-1")
        ),
        lambda c: c.update(constant="-1"),
        lambda c: c.update(cuts=[*c["cuts"][:-1], "3/2"]),
        lambda c: c.update(cuts=[]),
        lambda c: c["terms"][1].update(coefficient="-4"),
    ],
)
def test_a_tampered_inequality_is_not_proved(change, certificates):
    tampered = copy.deepcopy(certificates[0])
    change(tampered)
    assert not _check(tampered) and not recheck({**tampered, "id": _id(tampered)})["proved"]


def _id(certificate):
    from nngp_dag.proofs.certificate import certificate_id, read_certificate

    return certificate_id(read_certificate(certificate)[0])


@pytest.mark.parametrize(("which", "bound"), [(-2, "107/100"), (-1, "1")])
def test_a_bound_that_is_false_is_not_proved(which, bound, certificates):
    tampered = {**certificates[which], "bound": bound}
    assert not _check(tampered) and not recheck({**tampered, "id": _id(tampered)})["proved"]


def test_rows_that_are_no_integers_are_no_statement(certificates):
    """Products of floats would be rounded before they become balls: these two rows are 1e-17 apart, and not 0."""
    false = {**certificates[-1], "code": "2", "bound": "1/1000000000000000000000"}
    for rows in ([[1.0, 1e-9], [1.0, 2e-9]], [], [["1"], ["2"]], [[True, False], [False, True]]):
        with pytest.raises(AssertionError, match="no statement"):
            script.bound({**false, "rows": rows, "vector": ["1", "-1"]})
