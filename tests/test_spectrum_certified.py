"""Certified spectra: dual maps and kernels in balls, proved eigenvalues, certificates, and what must not be proved."""

import base64
import dataclasses
import itertools
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import flint
import jax
import numpy as np
import pytest
from command_line import run_command
from flint import acb_mat, arb, arb_mat, fmpq, fmpq_mat
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nngp_dag import Dag, kernel_fn
from nngp_dag.activations import LeakyRelu, Relu, get
from nngp_dag.activations.definition import maps_by_definition
from nngp_dag.datasets.checksum import rows_finder
from nngp_dag.errors import InputError
from nngp_dag.paths import path_counts
from nngp_dag.proofs import kernel_balls, recheck
from nngp_dag.proofs.dual_balls import dual_balls
from nngp_dag.proofs.enclosed_eigenvalues import EnclosedMatrix, enclosed_eigenvalues
from nngp_dag.proofs.kernel_balls import enclosed_kernels
from nngp_dag.proofs.pair_balls import pair_balls
from nngp_dag.proofs.prove import precision
from nngp_dag.proofs.spectrum_bounds import Rows
from nngp_dag.proofs.two_point import two_point
from nngp_dag.reading import Setting
from nngp_dag.spectrum import certified, certified_digits
from verify import check_spectrum as script

pytestmark = pytest.mark.usefixtures("quick_compilation")

ACTIVATIONS = ("relu", "leaky_relu", "erf", "sin", "gelu", "identity")
X = np.random.default_rng(0).normal(size=(7, 4))


@st.composite
def dags(draw):
    nodes = draw(st.integers(2, 6))
    return "_".join(draw(st.text("012", min_size=t, max_size=t)) for t in range(1, nodes))


@st.composite
def all_settings(draw):
    method = draw(st.sampled_from(["exact", "independent", "path-sum"]))
    order = draw(st.sampled_from(["activation-last", "activation-first"]))
    embeddings = ["gaussian", "gaussian-trained", "stem"]
    if method == "exact" and order == "activation-first":
        embeddings.pop()
    return Setting.make(method, order, draw(st.sampled_from(embeddings)), draw(st.sampled_from(ACTIVATIONS)))


# ---- entries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize(("kxx", "kyy", "rho"), [(1, 1, 0.3), (0.5, 3, -0.99), (4, 0.25, 0.999), (2, 2, -1)])
def test_dual_maps_are_those_of_their_definition(name, kxx, kyy, rho):
    k = rho * (kxx * kyy) ** 0.5
    wanted = maps_by_definition(get(name), kxx, kyy, k)
    with precision(128):
        maps = dual_balls(get(name))
        x, y = maps.row(arb(kxx)), maps.row(arb(kyy))
        found = [float(v) for v in (*maps.pair(x, y, arb(k)), x.mean, *maps.diagonal(arb(kxx)))]
    same = maps_by_definition(get(name), kxx, kxx, kxx)
    np.testing.assert_allclose(found, [*wanted[:3], *same[:2]], rtol=1e-11, atol=1e-13)


@given(dags(), all_settings())
@settings(max_examples=4)  # each compiles a kernel of its own
def test_kernels_in_balls_are_those_in_floats(code, setting):
    dag = Dag.from_code(code)
    if not path_counts(dag):
        with pytest.raises(InputError, match="no path"):
            enclosed_kernels(dag, X, setting)
        return
    found = enclosed_kernels(dag, X, setting)
    with jax.enable_x64():
        names = setting.names()
        method = names.pop("method")
        wanted = kernel_fn(dag, method, **names)(X)
    for name in ("nngp", "ntk"):
        kernel = np.asarray(getattr(wanted, name))
        scale = np.abs(kernel).max()
        np.testing.assert_allclose(found[name].middle, kernel, rtol=0, atol=1e-12 * scale)
        assert found[name].radius <= 1e-15 * len(X) * scale


def test_equal_and_opposite_rows_are_enclosed_too():
    kernels = enclosed_kernels(Dag.from_code("2_02"), np.array([X[0], X[0], -X[0], 3 * X[0]]), Setting.make())
    nngp = kernels["nngp"].middle
    np.testing.assert_allclose(nngp[0, [1, 3]], nngp[0, 0] * np.array([1, 3]), rtol=1e-15)


def _covers(code, x, setting):
    """Every entry, at four times the precision, is as near to its float as the radius allows."""
    found = enclosed_kernels(Dag.from_code(code), x, setting)
    with precision(512):
        kernels = pair_balls(Dag.from_code(code), setting)
        dots = [
            [sum((arb(a) * arb(b) for a, b in zip(u, v, strict=True)), arb(0)) for v in x.tolist()] for u in x.tolist()
        ]
        rows = [kernels.row(dots[i][i]) for i in range(len(x))]
        for k, name in enumerate(("nngp", "ntk")):
            for i in range(len(x)):
                off = [
                    abs(
                        (rows[i][3 + k] if i == j else kernels.pair(rows[i], rows[j], dots[i][j])[k])
                        - float(found[name].middle[i, j])
                    )
                    for j in range(len(x))
                ]
                if not sum(off, arb(0)) <= arb(found[name].radius):
                    return False
    return True


@given(dags().filter(lambda code: path_counts(Dag.from_code(code))), all_settings())
@settings(max_examples=10)
def test_radii_cover_every_entry(code, setting):
    assert _covers(code, X[:4], setting)


@pytest.mark.parametrize("part", [0.0, 0.3])
def test_radii_that_are_too_small_are_noticed(monkeypatch, part):
    distance = kernel_balls._distance
    monkeypatch.setattr(kernel_balls, "_distance", lambda entry, value: part * distance(entry, value))
    assert not _covers("2_21_112", X, Setting.make())


@pytest.mark.parametrize("scale", [1e-150, 1e-20, 1e20, 1e60])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_radii_cover_every_entry_of_rows_of_extreme_norms(name, scale):
    x = X[:4] * np.array([1, 1, scale, scale**0.5])[:, None]
    assert _covers("2_12", x, Setting.make(activation=name))


def test_a_correlation_next_to_one_is_enclosed():
    """Balls that end closer to 1 than the precision resolves, at which 1 - rho^2 holds negative numbers."""
    with precision(128):
        maps = dual_balls(get("relu"))
        one = maps.row(arb(1))
        for power in range(120, 134):
            f, slope = maps.pair(one, one, arb(1 - arb(2) ** -power, arb(2) ** -(power + 1)))
            assert f.overlaps(arb(1, 2.0**-100))
            assert slope.overlaps(arb(1, 2.0**-50))


def _shadow(name):
    function = lambda x: x**3  # noqa: E731
    function.__name__ = name
    return function


@dataclasses.dataclass(frozen=True)
class _OtherRelu(Relu):
    def __call__(self, x):
        return x**3


@pytest.mark.parametrize(
    "activation", [_shadow("relu"), _shadow("identity"), _OtherRelu()], ids=["relu", "identity", "subclass"]
)
def test_what_is_only_called_like_an_activation_is_not_taken_for_it(activation):
    with pytest.raises(InputError, match="not the library's own"):
        certified(Dag.from_code("2"), X, activation=activation)


def test_no_inequality_is_proved_of_what_is_only_called_relu():
    with pytest.raises(InputError, match="not the library's own"):
        two_point(Dag.from_code("2"), fmpq(1), None, Setting.make(activation=_shadow("relu")))


def test_a_slope_that_its_name_does_not_tell_has_bounds_and_no_certificate():
    steep = certified(Dag.from_code("2"), X, "nngp", activation=LeakyRelu(0.3))
    with jax.enable_x64():
        kernel = np.asarray(kernel_fn(Dag.from_code("2"), activation=LeakyRelu(0.3))(X).nngp)
    assert steep.lambda_min[0] - 1e-12 <= np.linalg.eigvalsh(kernel)[0] <= steep.lambda_min[1] + 1e-12
    with pytest.raises(InputError, match="names another one"):
        steep.certificate()
    assert certified(Dag.from_code("2"), X, "nngp", activation=LeakyRelu(0.01)).certificate()


# ---- eigenvalues -----------------------------------------------------------------------------------------------------


def _eigenvalues(matrix):
    """Of a symmetric float matrix, in balls (python-flint), ascending."""
    with precision(200):
        n = len(matrix)
        a = acb_mat(n, n, [flint.acb(v) for v in matrix.ravel().tolist()])
        return sorted((v.real for v in a.eig(multiple=True)), key=float)


def _inside(bounds, eigenvalues):
    return all(
        arb(low) <= value <= arb(high)
        for low, high, value in zip(bounds.low.tolist(), bounds.high.tolist(), eigenvalues, strict=True)
    )


@pytest.mark.parametrize("n", [2, 9, 60])
def test_enclosures_hold_the_eigenvalues_in_balls(n):
    x = np.random.default_rng(n).normal(size=(n, 8))
    matrix = enclosed_kernels(Dag.from_code("2_21_112"), x, Setting.make(), normalize=True)["ntk"]
    bounds = enclosed_eigenvalues(matrix)
    values = _eigenvalues(matrix.middle)
    assert _inside(bounds, values)
    assert bounds.least[1] - bounds.least[0] < 1e-11
    low, high = bounds.condition
    assert low <= float(values[-1] / values[0]) <= high


@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(1e-12, 1.0))
@settings(max_examples=30)
def test_enclosures_hold_after_a_perturbation_of_the_permitted_norm(n, seed, radius):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n))
    middle = a + a.T
    bounds = enclosed_eigenvalues(EnclosedMatrix(middle, radius))
    direction = rng.normal(size=n)
    direction /= np.linalg.norm(direction)
    for sign in (-1, 1):
        moved = middle + sign * 0.999999 * radius * np.outer(direction, direction)
        moved = (moved + moved.T) / 2
        assert np.all(np.linalg.eigvalsh(moved) >= bounds.low - 1e-13 * n)
        assert np.all(np.linalg.eigvalsh(moved) <= bounds.high + 1e-13 * n)
    reach = 0.999999 * n * radius  # of the trace of middle +- radius I
    assert bounds.trace[0] <= np.trace(middle) - reach + 1e-13 * n
    assert bounds.trace[1] >= np.trace(middle) + reach - 1e-13 * n
    shifted = np.linalg.eigvalsh(middle) - 0.999999 * radius  # of middle - radius I
    assert np.all(shifted >= bounds.low - 1e-13 * n)


def test_a_radius_that_is_too_small_loses_the_eigenvalue():
    middle = np.diag([1.0, 2.0, 3.0])
    moved = middle - 1e-6 * np.eye(3)
    assert _inside(enclosed_eigenvalues(EnclosedMatrix(middle, 1e-6)), _eigenvalues(moved))
    assert not _inside(enclosed_eigenvalues(EnclosedMatrix(middle, 0.9e-6)), _eigenvalues(moved))


@pytest.mark.parametrize("n", [1, 2, 50])
def test_known_spectra(n):
    bounds = enclosed_eigenvalues(EnclosedMatrix(np.ones((n, n)) + 0.5 * np.eye(n), 0.0))
    values = [arb(0.5)] * (n - 1) + [arb(n) + 0.5]
    assert _inside(bounds, values)
    assert bounds.trace[0] <= 1.5 * n <= bounds.trace[1] <= 1.5 * n * (1 + 1e-14)
    chain = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    values = [2 - 2 * (arb.pi() * k / (n + 1)).cos() for k in range(1, n + 1)]
    bounds = enclosed_eigenvalues(EnclosedMatrix(chain, 0.0))
    assert _inside(bounds, values)
    assert max(bounds.high - bounds.low) < 1e-11


@pytest.mark.parametrize("rank", [1, 3])
def test_singular_matrices_are_not_proved_to_be_regular(rank):
    a = np.random.default_rng(0).integers(-3, 4, size=(8, rank)).astype(float)
    bounds = enclosed_eigenvalues(EnclosedMatrix(a @ a.T, 0.0))
    assert bounds.least[0] <= 0 <= bounds.least[1]
    assert bounds.condition is None


def test_a_wrong_factor_proves_nothing(monkeypatch):
    """The bound from below rests on a residual: a factor of another matrix only loosens it."""
    import scipy.linalg

    matrix = EnclosedMatrix(np.diag([1.0, 2.0, 3.0]), 0.0)
    honest = scipy.linalg.cholesky
    monkeypatch.setattr(scipy.linalg, "cholesky", lambda a, **options: 1.3 * honest(a, **options))
    assert enclosed_eigenvalues(matrix).least[0] <= 1
    monkeypatch.setattr(np.linalg, "eigh", lambda a: (np.array([5.0, 6.0, 7.0]), np.eye(3)))
    bounds = enclosed_eigenvalues(matrix)
    assert np.all(bounds.low <= [1, 2, 3])
    assert np.all(bounds.high >= [1, 2, 3])
    monkeypatch.setattr(scipy.linalg, "cholesky", lambda a, **options: np.eye(3))  # also where there is no factor
    assert enclosed_eigenvalues(matrix).least[0] <= 1
    assert enclosed_eigenvalues(matrix).greatest[1] >= 3


@pytest.mark.parametrize(
    ("middle", "radius", "words"),
    [
        (np.eye(2, 3), 0.0, "float64"),
        (np.array([[1.0, 2.0], [2.1, 1.0]]), 0.0, "symmetric"),
        (np.array([[np.nan]]), 0.0, "finite"),
        (np.eye(2), -1.0, "radius"),
        (np.eye(2), np.inf, "radius"),
        (np.ma.masked_less(np.array([[1.0, -9.0], [-9.0, 1.0]]), 0), 0.0, "plain array"),
    ],
)
def test_no_enclosed_matrix(middle, radius, words):
    with pytest.raises(InputError, match=words):
        EnclosedMatrix(middle, radius)


def _counts(matrix, t):
    """How many eigenvalues are below and above t, exactly: a polynomial of real roots has as many positive ones as its
    coefficients have changes of sign (Descartes).
    """
    if np.isinf(t):
        return (0, len(matrix)) if t < 0 else (len(matrix), 0)
    exact = fmpq_mat(len(matrix), len(matrix), [_rational(v) for v in matrix.ravel().tolist()])
    unit = fmpq_mat(len(matrix), len(matrix), [int(v) for v in np.eye(len(matrix)).ravel()])
    found = (exact - unit * _rational(float(t))).charpoly().coeffs()
    signs = [v > 0 for v in found if v]
    above = sum(a != b for a, b in itertools.pairwise(signs))
    return len(matrix) - above - next(i for i, v in enumerate(found) if v), above


def _rational(value):
    return fmpq(*value.as_integer_ratio())


@given(st.integers(1, 5), st.integers(0, 2**32 - 1), st.sampled_from([0, 8, 150]))
@settings(max_examples=60)
def test_enclosures_of_graded_matrices_hold_their_exact_eigenvalues(n, seed, decades):
    rng = np.random.default_rng(seed)
    m = np.where(rng.random((n, n)) < 0.3, 0.0, rng.normal(size=(n, n)) * 10 ** rng.uniform(-decades, decades, (n, n)))
    m = np.tril(m) + np.tril(m, -1).T
    bounds = enclosed_eigenvalues(EnclosedMatrix(m, 0.0))
    for i, (low, high) in enumerate(zip(bounds.low, bounds.high, strict=True)):
        assert _counts(m, low)[0] <= i
        assert _counts(m, high)[1] <= n - 1 - i


@pytest.mark.parametrize("exponent", [-1000, -500, 500, 1000])
def test_powers_of_two_only_scale_the_bounds(exponent):
    m = X @ X.T + np.eye(7)
    plain = enclosed_eigenvalues(EnclosedMatrix(m, 1e-9))
    scaled = enclosed_eigenvalues(EnclosedMatrix(np.ldexp(m, exponent), float(np.ldexp(1e-9, exponent))))
    for name in ("least", "greatest", "trace"):
        a, b = getattr(plain, name), getattr(scaled, name)
        np.testing.assert_allclose(np.ldexp(b, -exponent), a, rtol=1e-14)


def test_where_lapack_fails_the_bounds_are_loose_and_true(monkeypatch):
    def fails(a):
        raise np.linalg.LinAlgError("Eigenvalues did not converge")

    matrix = EnclosedMatrix(np.array([[1.0, 0.5], [0.5, 3.0]]), 0.0)
    monkeypatch.setattr(np.linalg, "eigh", fails)
    assert _inside(enclosed_eigenvalues(matrix), _eigenvalues(matrix.middle))


def test_candidates_out_of_order_bound_the_eigenvalues_in_order(monkeypatch):
    m = np.diag([3.0, 1.0, 2.0])
    monkeypatch.setattr(np.linalg, "eigh", lambda a: (np.diagonal(a).copy(), np.eye(3)))
    assert _inside(enclosed_eigenvalues(EnclosedMatrix(m, 0.0)), _eigenvalues(m))


# ---- certified, certificates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x", [np.vstack([X, X[:1]]), np.vstack([X, np.zeros((1, 4))]), np.eye(3) * 1e-200], ids=["equal", "zero", "tiny"]
)
def test_singular_kernels_are_not_proved(x):
    for spectrum in certified(Dag.from_code("2_02"), x).values():
        assert not spectrum.proved
        assert spectrum.summary() == {"proved": False, "reason": spectrum.reason}
        assert "not told from zero" in spectrum.reason
        assert spectrum.lambda_min[0] <= 0 <= spectrum.lambda_min[1]
        with pytest.raises(InputError, match="no certificate"):
            spectrum.certificate()


def test_one_row_and_many():
    one = certified(Dag.from_code("2"), X[:1], "ntk", normalize=True)
    assert one.lambda_min[0] <= 2 <= one.lambda_min[1]
    both = certified(Dag.from_code("2"), X)
    assert set(both) == {"nngp", "ntk"}
    assert set(certified(Dag.from_code("2"), X, ("nngp", "nngp"))) == {"nngp"}
    low, high = both["nngp"].eigenvalues
    with jax.enable_x64():
        values = np.linalg.eigvalsh(np.asarray(kernel_fn(Dag.from_code("2"))(X).nngp))
    assert np.all(low - 1e-12 <= values)
    assert np.all(values <= high + 1e-12)


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        (X, {"activation": "tanh"}, "accepted are relu"),
        (X, {"method": "neural-tangents"}, "accepted are exact"),
        (X.astype(np.float32), {}, "float64"),
        (X[0], {}, "rows"),
        (np.full((2, 2), np.nan), {}, "finite"),
        (np.zeros((2, 2)), {"normalize": True}, "row 0 is zero"),
        (X, {"get": "kernel"}, "nngp and ntk"),
    ],
)
def test_what_is_refused(x, options, words):
    with pytest.raises(InputError, match=words):
        certified(Dag.from_code("2"), x, **options)


@pytest.mark.parametrize(
    ("interval", "shown"),
    [
        ((0.218434999, 0.2184351), "0.218435[0]"),
        ((123456.0, 123457.0), "12345[6]"),
        ((-0.25, -0.25), "-0.2500000000000000[0]"),
        ((1e-30, 1.1e-30), "1.[0]e-30"),
        ((-1.0, 1.0), "[-1, 1]"),
        ((0.0, 0.0), "[0, 0]"),
        ((-1e-20, 3e-20), "[-1e-20, 3e-20]"),
        ((0.99995, 1.00005), "1.000[0]"),
        ((9.7, 10.2), "1[0]"),
        ((-0.2184351, -0.218434999), "-0.218435[0]"),
        ((-1.1e-30, -1e-30), "-1.[0]e-30"),
        ((8.0, 8.0), "8.000000000000000[0]"),
        ((2.0, float("inf")), "[2, inf]"),
    ],
)
def test_digits(interval, shown):
    assert certified_digits(interval) == shown


@given(st.floats(-1e6, 1e6), st.floats(0, 1e3))
def test_digits_are_within_a_unit_of_the_bracketed_one(value, width):
    from fractions import Fraction

    shown = certified_digits((value, value + width))
    if shown.startswith("[") and "," in shown:
        return
    number, _, exponent = shown.replace("[", "").replace("]", "").partition("e")
    exponent = exponent or "0"
    places = len(number.partition(".")[2]) - int(exponent)
    unit = Fraction(10) ** -places
    middle = Fraction(number) * Fraction(10) ** int(exponent)
    assert abs(Fraction(value) - middle) <= unit
    assert abs(Fraction(value + width) - middle) <= unit


@pytest.fixture(scope="module")
def certificate():
    return certified(Dag.from_code("2_21_112"), X, "ntk", embedding="stem", normalize=True).certificate()


def _rows(x):
    return lambda rows: x if rows.are(x) else None


def test_a_certificate_is_proved_again(certificate):
    plain = json.loads(json.dumps(certificate, allow_nan=False))
    checked = recheck(plain, _rows(X))
    assert checked["proved"], checked["reason"]
    assert checked["statement"] == certificate["statement"]
    assert "stem" in checked["statement"]
    assert script.proved(plain, X.tobytes())


def test_without_its_rows_it_is_not(certificate):
    assert "not at hand" in recheck(certificate)["reason"]
    other = X.copy()
    other[0, 0] = np.nextafter(other[0, 0], 2)
    assert "not at hand" in recheck(certificate, _rows(other))["reason"]
    with pytest.raises(AssertionError, match="other rows"):
        script.proved(certificate, other.tobytes())


def _altered(certificate):
    """Certificates with one false statement each."""
    (a, b), (c, d) = certificate["lambda_min"], certificate["lambda_max"]
    middle, top, trace = (a + b) / 2, (c + d) / 2, sum(certificate["trace"]) / 2 * (1 + 1e-12)
    for change in (
        {"lambda_min": [middle + (b - a) / 4, b]},
        {"lambda_min": [a, middle - (b - a) / 4]},
        {"lambda_min": [middle, middle]},
        {"lambda_max": [top + (d - c) / 4, d]},
        {"lambda_max": [c, top - (d - c) / 4]},
        {"trace": [trace, trace]},
        {"trace": certificate["lambda_max"]},
        {"lambda_min": certificate["lambda_max"], "lambda_max": certificate["lambda_min"]},
        {"lambda_min": [0.0, 0.0]},
        {"code": "2_21_111"},
        {"kernel": "nngp"},
        {"method": "independent"},
        {"embedding": "gaussian"},
        {"activation": "leaky_relu"},
        {"order": "activation-first", "embedding": "gaussian"},
        {"rows": {**certificate["rows"], "normalized": False}},
        {"vectors": base64.b64encode(np.ones((2, 7), "<f4").tobytes()).decode()},
    ):
        yield {**{key: value for key, value in certificate.items() if key != "id"}, **change}


def test_altered_statements_are_not_proved(certificate):
    for false in _altered(certificate):
        assert not recheck(false, _rows(X))["proved"], false
        assert not script.proved(false, X.tobytes()), false


def test_an_altered_statement_does_not_keep_its_id(certificate):
    wider = [certificate["lambda_min"][0] / 2, certificate["lambda_min"][1]]
    false = {**certificate, "lambda_min": wider}
    assert "another statement" in recheck(false, _rows(X))["reason"]
    del false["id"]
    assert recheck(false, _rows(X))["proved"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code", [1]),
        ("code", "3"),
        ("kernel", "k"),
        ("method", "nothing"),
        ("method", "neural-tangents"),
        ("lambda_min", [1]),
        ("lambda_min", [2, 1]),
        ("lambda_min", [float("nan"), 1]),
        ("lambda_max", ["1", 2]),
        ("trace", None),
        ("trace", [0, float("inf")]),
        ("lambda_max", [10**400, 10**401]),
        ("lambda_max", [2**53 + 1, 2**60]),
        ("order", ""),
        ("vectors", "!"),
        ("vectors", "AAAA"),
        ("precision", 10**9),
        ("precision", True),
        ("rows", None),
        ("rows", {"sha256": 1, "shape": [7, 4], "normalized": True}),
        ("rows", {"sha256": "a", "shape": [7], "normalized": True}),
        ("rows", {"sha256": "a", "shape": [0, 4], "normalized": True}),
        ("activation", "nothing"),
        ("kind", "strict-inequality"),
    ],
)
def test_malformed_certificates_are_one_line(certificate, key, value):
    with pytest.raises(InputError) as error:
        recheck({**certificate, key: value}, _rows(X))
    assert "\n" not in str(error.value)


def test_a_code_is_never_cut_short(certificate):
    """Blanks before a code once moved its end out of what was read: 139 nodes of a larger DAG."""
    short = "_".join("2" + "0" * t for t in range(139))
    longer = " " * (10_000 - len(short)) + short + "_" + "1" * 140
    content = {**{key: value for key, value in certificate.items() if key != "id"}, "code": longer}
    assert Dag.from_code(longer).to_code() in recheck(content)["statement"]


def test_a_sharp_certificate_is_proved_by_its_vectors():
    """Where the error of all eigenvalues is below that of the quotients, those still have to prove what is stated."""
    code = "_".join("1" * t for t in range(1, 101))
    content = certified(Dag.from_code(code), X[:3], "nngp", normalize=True).certificate()
    assert recheck(content, _rows(X[:3]))["reason"] == ""
    assert script.proved(content, X.tobytes())


@pytest.mark.parametrize("source", ["digits:rows.npy", "digits:rows", "rows.npy"])
def test_no_file_is_read_because_a_certificate_names_it(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("digits:rows.npy", X)
    assert rows_finder()(Rows.of(X, normalized=True, source=source)) is None


def test_what_no_ball_encloses_is_not_proved(certificate):
    content = {**{key: value for key, value in certificate.items() if key != "id"}, "code": "0"}
    assert "no path" in recheck(content, _rows(X))["reason"]


@pytest.mark.parametrize("change", [{"rows": "false"}, {"lambda_min": ["0", "1"]}])
def test_the_script_takes_no_words_for_numbers_or_truth(certificate, change):
    if "rows" in change:
        change = {"rows": {**certificate["rows"], "normalized": change["rows"]}}
    with pytest.raises(AssertionError):
        script.proved({**certificate, **change}, X.tobytes())


@given(dags().filter(lambda code: path_counts(Dag.from_code(code))), all_settings(), st.booleans())
@example("2", Setting.make(), False)  # means of rows of different norms
@settings(max_examples=15)
def test_the_kernel_of_the_script_is_that_of_the_library(code, setting, normalized):
    found = enclosed_kernels(Dag.from_code(code), X[:3], setting, normalize=normalized)
    for name, matrix in found.items():
        names = {**setting.names(), "code": code, "kernel": name, "rows": {"normalized": normalized}}
        with precision(128):
            kernel = script.kernel(names, arb_mat(3, 4, X[:3].ravel().tolist()))
        off = [abs(kernel[i, j] - matrix.middle[i, j].item()) for i in range(3) for j in range(3)]
        assert all(distance <= arb(matrix.radius) + arb(2.0**-60) for distance in off)


def test_the_script_reads_a_report_and_takes_the_first_rows_of_a_file(certificate, tmp_path):
    few = certified(Dag.from_code("2"), X[:3], "nngp").certificate()
    report = {"claims": [{"evidence": {"certificates": [certificate, {"schema": 1}, few]}}]}
    (tmp_path / "report.json").write_text(json.dumps(report))
    X.tofile(tmp_path / "rows")
    run = [sys.executable, "-I", script.__file__, str(tmp_path / "report.json"), str(tmp_path / "rows")]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("proved: ") == 2


@pytest.mark.parametrize("name", ["check_spectrum", "check_certificate"])
def test_the_scripts_do_not_run_without_assertions(name):
    file = str(Path(script.__file__).with_name(f"{name}.py"))
    done = subprocess.run([sys.executable, "-O", file, "x.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nothing is checked" in done.stderr


@pytest.mark.parametrize("name", ["erf", "sin", "gelu"])
def test_the_script_proves_spectra_of_large_norms_too(name):
    x = X[:3] * 1e40
    content = certified(Dag.from_code("2"), x, "nngp", activation=name).certificate()
    assert script.proved(content, x.tobytes())


def test_the_script_imports_the_standard_library_and_python_flint(certificate, tmp_path):
    X.tofile(tmp_path / "rows")
    for name, content, code in (("true", certificate, 0), ("false", next(_altered(certificate)), 1)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        blocked = "import sys; sys.modules.update(dict.fromkeys(['nngp_dag', 'numpy', 'jax', 'scipy']));"
        run = f"sys.argv = ['x', {str(tmp_path / name)!r} + '.json', {str(tmp_path / 'rows')!r}];"
        source = f"import runpy; runpy.run_path({script.__file__!r}, run_name='__main__')"
        done = subprocess.run(
            [sys.executable, "-c", blocked + run + source], capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr


def test_positive_definite_by_blocks():
    def matrix(a):
        return arb_mat(len(a), len(a), a.ravel().tolist())

    rng = np.random.default_rng(0)
    for n in (1, 2, 5, 12):
        a = rng.normal(size=(n, n + 2))
        kernel = a @ a.T
        least = float(np.linalg.eigvalsh(kernel)[0])
        assert script.definite(matrix(kernel - 0.999 * least * np.eye(n)))
        assert not script.definite(matrix(kernel - 1.001 * least * np.eye(n)))


def test_a_statement_of_another_reading_has_another_id(certificate):
    from nngp_dag.proofs.spectrum_bounds import read_spectrum

    statement, _, _ = read_spectrum(certificate)
    assert statement.id == certificate["id"]
    assert dataclasses.replace(statement, kernel="nngp").id != statement.id
    assert dataclasses.replace(statement, rows=dataclasses.replace(statement.rows, source="x")).id == statement.id


# ---- the command line ------------------------------------------------------------------------------------------------


@pytest.fixture
def run(capsys):
    """Runs the command line in this process: (status, stdout, stderr)."""
    return partial(run_command, capsys)


def test_kernel_certify_and_recheck(run, tmp_path):
    proof = tmp_path / "proof.json"
    status, out, err = run("kernel", "2_02", "--data", "digits:6", "--certificate", proof, "--json")
    assert status == 0, err
    document = json.loads(out)
    for name in ("nngp", "ntk"):
        low, high = document[name]["certified"]["lambda_min"]
        assert low <= document[name]["lambda_min"] <= high < low * (1 + 1e-9)
    assert run("verify", "--recheck", proof)[0] == 0
    content = json.loads(proof.read_text())
    content[0]["lambda_max"][1] = content[0]["lambda_max"][0]
    content[0].pop("id")
    proof.write_text(json.dumps(content))
    status, out, _ = run("verify", "--recheck", proof)
    assert status == 1
    assert "NOT PROVED (lambda_max <= " in out


def test_kernel_certify_of_equal_rows_and_of_rows_from_a_file(run, tmp_path):
    file, proof = tmp_path / "rows.npy", tmp_path / "proof.json"
    np.save(file, np.vstack([X, X[:1]]))
    status, out, err = run("kernel", "2", "--data", file, "--certify", "--json")
    assert status == 0, err
    assert json.loads(out)["nngp"]["certified"]["proved"] is False
    status, _, err = run("kernel", "2", "--data", file, "--certificate", proof)
    assert status == 2
    assert "no certificate" in err
    assert not proof.exists()
    np.save(file, X)
    assert run("kernel", "2", "--data", file, "--raw", "--certificate", proof)[0] == 0
    status, out, _ = run("verify", "--recheck", proof)
    assert status == 1
    assert "not at hand" in out
    assert run("verify", "--recheck", proof, "--data", file)[0] == 0
