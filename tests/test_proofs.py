"""Ball arithmetic: enclosures are sound, proofs prove what is true and nothing else, certificates stand alone."""

import copy
import json
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, fmpq

from nngp_dag import Dag, kernel_fn
from nngp_dag.cli import main
from nngp_dag.errors import InputError
from nngp_dag.kernel import pair_kernel
from nngp_dag.proofs import Inequality, Term, prove, recheck, two_point
from nngp_dag.proofs.certificate import to_certificate
from nngp_dag.proofs.matrices import exceeds, falls_below, pair_bound_by_paths, unit_gram, unit_row_kernel
from nngp_dag.proofs.prove import precision
from nngp_dag.proofs.relu import deficit_factor, gap_factor, relu_dual
from nngp_dag.reading import Setting

READINGS = [
    ("exact", "activation-last", "gaussian"),
    ("exact", "activation-first", "gaussian"),
    ("exact", "activation-last", "stem"),
    ("independent", "activation-last", "gaussian"),
    ("independent", "activation-last", "stem"),
    ("path-sum", "activation-last", "gaussian"),
]
FOUR_NODES = ["2_21_112", "1_12_222", "2_22_222", "1_22_121"]
CODES = ["2", "1_11", *FOUR_NODES, "2_12_211_2222"]


def _f(rho):
    return (np.sqrt(1 - rho**2) + (np.pi - np.arccos(rho)) * rho) / np.pi


def test_the_maps_of_relu_hold_their_values_over_a_box():
    rng = np.random.default_rng(0)
    for _ in range(50):
        low, high = np.sort(rng.uniform(0.01, 2, 2))
        inner = rng.uniform(low, high)
        box = arb(low).union(arb(high))
        s = (1 - _f(1 - inner)) / inner
        assert gap_factor(box).contains(arb(s)) or abs(float(gap_factor(box).mid()) - s) < 1e-12
        assert deficit_factor(box).lower() - 1e-12 < (1 - s) / np.sqrt(inner) < deficit_factor(box).upper() + 1e-12
        assert relu_dual(1 - box).lower() - 1e-12 < _f(1 - inner) < relu_dual(1 - box).upper() + 1e-12


def test_the_end_where_inputs_coincide():
    assert gap_factor(arb(0)) == 1 and abs(gap_factor(arb(2)) - arb(1) / 2) < 1e-12
    with precision(256):
        tiny = arb(10) ** -40
        expected = 1 - 2 * arb(2).sqrt() / (3 * arb.pi()) * tiny.sqrt()  # s = 1 - e(0) sqrt(v) + O(v^(3/2))
        assert abs(gap_factor(tiny) - expected) < tiny
    assert deficit_factor(arb(0)).overlaps(2 * arb(2).sqrt() / (3 * arb.pi()))


@pytest.mark.parametrize("reading", READINGS, ids=" ".join)
def test_a_point_is_the_library_s_kernel(reading):
    setting = Setting.make(*reading)
    gaps = [Fraction(0), Fraction(1, 64), Fraction(1, 2), Fraction(3, 2), Fraction(2)]
    rho = np.array([1 - float(v) for v in gaps])
    for code in FOUR_NODES:
        points = [two_point(Dag.from_code(code), fmpq(*v.as_integer_ratio()), None, setting) for v in gaps]
        kernel = pair_kernel(Dag.from_code(code), 1.0, rho, 1.0, *reading).nngp
        np.testing.assert_allclose([float(point.covariance) for point in points], kernel, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose([float(point.variance) for point in points], kernel[0], rtol=1e-12)


@pytest.mark.parametrize("reading", READINGS, ids=" ".join)
def test_a_box_holds_its_points(reading):
    setting = Setting.make(*reading)
    rng = np.random.default_rng(1)
    for code in CODES:
        low, high = (Fraction(int(n), 1000) for n in np.sort(rng.integers(0, 2000, 2)))
        box = two_point(
            Dag.from_code(code), fmpq(*low.as_integer_ratio()), fmpq(*high.as_integer_ratio()), Setting.make(*reading)
        )
        for weight in (0, Fraction(1, 3), Fraction(9, 10), 1):
            v = low + weight * (high - low)
            point = two_point(Dag.from_code(code), fmpq(*v.as_integer_ratio()), None, setting)
            for name in ("ratio", "deficit", "gap", "covariance", "eigenvalue_ratio"):
                assert getattr(box, name).overlaps(getattr(point, name)), (code, name, v)


def test_kernels_that_cannot_be_certified_are_refused():
    with pytest.raises(InputError, match="no path"):
        two_point(Dag.from_code("0"), fmpq(1))
    with pytest.raises(InputError, match="stem"):
        two_point(Dag.from_code("2"), fmpq(1), None, Setting.make("exact", "activation-first", "stem"))
    with pytest.raises(InputError, match="lies in"):
        two_point(Dag.from_code("2"), fmpq(3))
    with pytest.raises(InputError, match="unknown method"):
        two_point(Dag.from_code("2"), fmpq(1), None, Setting.make("neural-tangents"))
    with pytest.raises(InputError, match="unknown activation 'erf' of a certificate: accepted are relu"):
        two_point(Dag.from_code("2"), fmpq(1), None, Setting.make(activation="erf"))


def _order(small="2_02_002", large="1_01_222", low=0, high=2):
    terms = (Term(Fraction(1), large), Term(Fraction(-1), small))
    return Inequality(terms, Fraction(low), Fraction(high))


def test_what_is_true_is_proved_up_to_the_end():
    proof = prove(_order())
    assert proof.proved and proof.margin > 0
    assert (proof.cuts[0], proof.cuts[-1], proof.boxes) == (0, 2, len(proof.cuts) - 1)


def test_what_is_false_is_not_proved_and_what_is_open_is_said():
    proof = prove(_order("1_01_222", "2_02_002"), max_boxes=16)
    assert not proof.proved and proof.cuts == () and proof.open
    equal = prove(_order("2_02_002", "2_02_002"), max_boxes=16)
    assert not equal.proved
    hurried = prove(_order(), max_seconds=0.0)
    assert not hurried.proved and hurried.open == ((Fraction(0), Fraction(2)),)


def test_a_certificate_is_checked_again_alone(tmp_path, capsys):
    certificate = to_certificate(prove(_order()))
    assert certificate["proved"] and certificate["boxes"] >= 1
    again = recheck(json.loads(json.dumps(certificate)))
    assert again["proved"] and again["margin"] == pytest.approx(certificate["margin"])
    file = tmp_path / "certificate.json"
    file.write_text(json.dumps(certificate))
    assert _status(["verify", "--recheck", str(file)]) == 0
    assert capsys.readouterr().out.startswith("proved: [(K_ii - K_ij) / (1 - rho) of 1_01_222, exact")
    assert _status(["verify", "--recheck", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["proved"] is True


def _status(arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code


def _sign(certificate):
    for item in certificate["terms"]:
        item["coefficient"] = str(-Fraction(item["coefficient"]))


def _coefficient(certificate):
    certificate["terms"][1]["coefficient"] = "-4"


def _dag(certificate):
    certificate["terms"][1]["code"] = "2_21_112"


def _hole(certificate):
    certificate["cuts"] = [certificate["cuts"][0], *certificate["cuts"][2:]][:-1]


def _shuffled(certificate):
    certificate["cuts"][1:-1] = certificate["cuts"][1:-1][::-1] + certificate["cuts"][1:2]


def _wider(certificate):
    certificate["interval"] = ["0", "2"]
    certificate["cuts"] = ["1/2", "1", "2"]


def _coarse(certificate):
    certificate["precision"] = 32
    certificate["terms"] = [{**certificate["terms"][0], "coefficient": "1"}, certificate["terms"][0]]
    certificate["terms"][1] = {**certificate["terms"][0], "coefficient": "-1"}


@pytest.mark.parametrize("tamper", [_sign, _coefficient, _dag, _hole, _shuffled, _wider, _coarse])
def test_a_tampered_certificate_proves_nothing(tamper, tmp_path, capsys):
    certificate = to_certificate(prove(_order("1_01_222", "2_21_112")))
    certificate["cuts"] = ["0", "1/4", "1/2", "1", "2"]
    assert recheck(certificate)["proved"]
    tampered = copy.deepcopy(certificate)
    tamper(tampered)
    assert tampered != certificate
    assert not recheck(tampered)["proved"]
    file = tmp_path / "certificate.json"
    file.write_text(json.dumps([certificate, tampered]))
    assert _status(["verify", "--recheck", str(file)]) == 1
    assert "NOT PROVED" in capsys.readouterr().out


def _change(**values):
    return json.dumps({**to_certificate(prove(_order())), **values})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "no certificate"),
        ("{}", "malformed certificate"),
        (_change(schema=3), "not a certificate of schema 1"),
        (_change(schema=2), "not a spectrum certificate of schema 2"),
        (_change(precision=1), "precision 1 is not within"),
        (_change(interval=["0", "3"]), "lies in"),
        (_change(cuts=["0", "1/0"]), "malformed certificate"),
        (_change(terms=[{"code": "2", "coefficient": "1", "quantity": "wish"}]), "unknown quantity"),
    ],
)
def test_what_is_no_certificate_is_refused_in_one_line(content, message, tmp_path, capsys):
    file = tmp_path / "certificate.json"
    file.write_text(content)
    assert _status(["verify", "--recheck", str(file)]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_certificate_file_that_is_missing(capsys):
    assert _status(["verify", "--recheck", "/nowhere.json"]) == 2
    assert "cannot read /nowhere.json: No such file" in capsys.readouterr().err


# ---- whole kernels ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows():
    x = np.random.default_rng(2).standard_normal((8, 5))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("code", ["2_02_002", "2_21_112", "1_12_222", "0_12_021"])
def test_a_whole_kernel_and_the_bound_by_paths(code, rows):
    dag = Dag.from_code(code)
    balls = unit_row_kernel(dag, unit_gram(rows), Setting.make("independent"))
    expected = np.asarray(kernel_fn(dag, "independent")(rows, get="nngp"))
    np.testing.assert_allclose([[float(entry) for entry in row] for row in balls], expected, rtol=1e-12)
    paths = np.asarray(kernel_fn(dag, "path-sum")(rows, get="nngp"))
    gap = (paths.diagonal()[:, None] - paths)[~np.eye(len(rows), dtype=bool)].min()
    assert float(pair_bound_by_paths(dag, unit_gram(rows))) == pytest.approx(gap, rel=1e-10)


def test_bounds_of_the_smallest_eigenvalue(rows):
    k = unit_row_kernel(Dag.from_code("2_21_112"), unit_gram(rows), Setting.make("independent"))
    values, vectors = np.linalg.eigh([[float(entry) for entry in row] for row in k])
    below, above = arb(values[0] * (1 - 1e-9)), arb(values[0] * (1 + 1e-9))
    assert exceeds(k, below) and not exceeds(k, above)
    assert falls_below(k, above, vectors[:, 0]) and not falls_below(k, below, vectors[:, 0])
    assert not falls_below(k, above, vectors[:, -1])


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(terms="abc"),
        lambda c: c.update(terms={"a": 1}),
        lambda c: c["terms"][0].update(code=[1]),
        lambda c: c["terms"][0].update(code="3"),
        lambda c: c["terms"][0].pop("code"),
        lambda c: c["terms"][0].update(quantity=[1]),
        lambda c: c["terms"][0].update(order=3),
    ],
)
def test_terms_of_other_types_are_no_certificate(change):
    certificate = json.loads(json.dumps(to_certificate(prove(_order()))))
    change(certificate)
    with pytest.raises(InputError):
        recheck(certificate)
