"""Statistics of sweeps without eigenvalues: against the same statistics of kernels, entry by entry."""

import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from nngp_dag import Dag, enumerate_codes
from nngp_dag.errors import InputError
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.kernel.method import pair_method
from nngp_dag.kernel.propagate import Exact
from nngp_dag.optimization.quotient import quotient
from nngp_dag.reading import EMBEDDINGS, METHODS, ORDERS, PAIR_METHODS, Method, Setting
from nngp_dag.reproduce.exact_nasbench201.measures import alignment
from nngp_dag.spectrum import plane_tiles
from nngp_dag.spectrum.kernel_statistics import kernel_statistics, target_factor
from nngp_dag.spectrum.pairs import lowest_of_pairs
from nngp_dag.spectrum.sweep_statistics import sweep_statistics, sweep_statistics_chunks
from nngp_dag.support.distinct import distinct_rows, row_hashes

pytestmark = pytest.mark.usefixtures("quick_compilation")

RNG = np.random.default_rng(5)
X = RNG.normal(size=(13, 3))
LABELS = np.array([0, 2, 1, 0, 0, 1, 2, 2, 1, 0, 1, 1, 0])
TARGETS = RNG.normal(size=(13, 2))

ROUNDING = 1e-13
"""Of statistics relative to what they are sums of: a few hundred roundings, as the bound of `plane_moments` allows."""


def settings_of(*activations):
    """Every method, order and embedding that goes together, with each activation."""
    for method in PAIR_METHODS:
        for order in ORDERS:
            for embedding in EMBEDDINGS:
                if METHODS[method].needs_gaussian_features and order == "activation-first" and embedding == "stem":
                    continue
                rare = method != "exact" and (embedding != "stem" or order == "activation-first")
                for activation in activations:
                    yield pytest.param(
                        Setting.make(method, order=order, embedding=embedding, activation=activation),
                        id=f"{method}-{order}-{embedding}-{Setting.make(activation=activation).activation.name}",
                        marks=[pytest.mark.full] if rare else [],
                    )


def lowest_pair(k):
    """The pair bound by an eigenvalue routine, block by block."""
    i, j = np.triu_indices(len(k), 1)
    return np.linalg.eigvalsh(np.stack([k[i, i], k[i, j], k[i, j], k[j, j]], axis=1).reshape(-1, 2, 2)).min()


def check(found, kernels, y=None, rounding=ROUNDING, pairs=True):
    """Compare statistics with those of kernels [A, N, N], each from its definition."""
    kernels = np.asarray(kernels, np.float64)
    n = kernels.shape[1]
    target = None if y is None else target_factor(y, n).T @ target_factor(y, n)
    h = np.eye(n) - 1 / n
    for a, k in enumerate(kernels):
        norm, scale = np.linalg.norm(k), max(np.trace(k) / n, np.finfo(float).tiny)
        assert abs(found.mean_diagonal[a] - np.trace(k) / n) <= rounding * scale
        assert abs(found.frobenius_norm[a] - norm) <= rounding * norm
        if n > 1:
            assert abs(found.mean_off_diagonal[a] - k[~np.eye(n, dtype=bool)].mean()) <= rounding * scale
        else:
            assert np.isnan(found.mean_off_diagonal[a])
        ratio = np.trace(k) ** 2 / norm**2 if norm else 0.0
        assert abs(found.participation_ratio[a] - ratio) <= 4 * rounding * ratio
        if pairs and n > 1:
            i, j = found.pair[a]
            assert 0 <= i < j < n
            assert abs(found.pair_bound[a] - lowest_pair(k)) <= rounding * k.max()
            block = np.linalg.eigvalsh(k[np.ix_([i, j], [i, j])])[0]
            assert abs(found.pair_bound[a] - block) <= rounding * k.max()
        elif pairs:
            assert np.isnan(found.pair_bound[a])
            assert (found.pair[a] == -1).all()
        if target is None:
            assert found.alignment is None
            assert found.centred_alignment is None
            continue
        for value, b, t in (
            (found.alignment[a], k, target),
            (found.centred_alignment[a], h @ k @ h, h @ target @ h),
        ):
            if np.linalg.norm(b) <= 1e-13 * norm or np.linalg.norm(t) <= 1e-13 * np.linalg.norm(target):
                assert np.isnan(value)
            else:
                assert abs(
                    value - (b * t).sum() / (np.linalg.norm(b) * np.linalg.norm(t))
                ) <= rounding * norm / np.linalg.norm(b)


@cache
def kernels_of_four_nodes(setting):
    return sweep_kernels(enumerate_codes(4), X, setting=setting)


def compare(codes, x, setting, y=None, **options):
    found = sweep_statistics(codes, x, y, setting)
    for statistics, kernels in zip(found, sweep_kernels(codes, x, setting=setting), strict=True):
        check(statistics, kernels, y, **options)
    return found


@pytest.mark.parametrize("setting", list(settings_of("relu")))
@settings(max_examples=10)
@given(data=st.data())
def test_statistics_of_any_dags_are_those_of_their_kernels(setting, data):
    places = np.array(data.draw(st.lists(st.integers(0, 728), min_size=1, max_size=12)))
    found = sweep_statistics(enumerate_codes(4)[places], X, LABELS, setting)
    for statistics, kernels in zip(found, kernels_of_four_nodes(setting), strict=True):
        check(statistics, kernels[places], LABELS)


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param(
            Setting.make("exact", order=order, embedding=embedding, activation=activation),
            id=f"{activation if isinstance(activation, str) else activation.__name__}-{order}-{embedding}",
            marks=marks,
        )
        for activation, order, embedding, marks in (
            ("leaky_relu", "activation-last", "stem", pytest.mark.full),
            ("erf", "activation-last", "stem", pytest.mark.full),
            ("gelu", "activation-last", "gaussian", ()),
            ("tanh", "activation-first", "gaussian-trained", pytest.mark.full),
            ("identity", "activation-last", "gaussian", ()),
            (jnp.cos, "activation-last", "stem", ()),
        )
    ],
)
def test_all_dags_of_four_nodes_under_every_kind_of_activation(setting):
    compare(enumerate_codes(4), X, setting, TARGETS)


@pytest.mark.parametrize("num_rows", [1, 3, 131, *(pytest.param(n, marks=pytest.mark.full) for n in (2, 7))])
def test_any_number_of_rows_in_tiles_of_any_size(num_rows, monkeypatch):
    x = RNG.normal(size=(num_rows, 4)) * RNG.uniform(0.1, 5, size=(num_rows, 1))
    codes = enumerate_codes(3)
    whole = compare(codes, x, Setting(), np.arange(num_rows) % 3)
    monkeypatch.setattr(plane_tiles, "_SMALLEST", 3)
    monkeypatch.setattr(plane_tiles, "_LARGEST", 3 if num_rows < 10 else 20)
    tiled = compare(codes, x, Setting(), np.arange(num_rows) % 3)
    assert_close(tiled.ntk.frobenius_norm, whole.ntk.frobenius_norm, tolerance=ROUNDING)


def test_rows_that_are_equal_parallel_or_opposite():
    x = np.array([[1.0, 2.0], [1.0, 2.0], [0.5, 1.0], [-1.0, -2.0], [3.0, -1.0]])
    compare(enumerate_codes(3), x, Setting(), [0, 0, 1, 1, 1])


def test_rows_that_are_all_equal_have_no_centred_alignment():
    found = compare(enumerate_codes(3), np.tile([[0.6, 0.8]], (6, 1)), Setting(), [0, 0, 1, 1, 1, 0])
    assert np.isnan(found.nngp.centred_alignment).all()


def test_classes_that_are_all_equal_have_no_centred_alignment():
    assert np.isnan(compare(enumerate_codes(2), X, Setting(), np.zeros(13, int)).ntk.centred_alignment).all()


def test_dags_without_a_path_have_the_zero_matrix():
    found = sweep_statistics(np.array([[0, 0, 0], [2, 0, 0], [0, 0, 2], [2, 0, 1]]), X, LABELS).nngp
    for name in ("mean_diagonal", "mean_off_diagonal", "frobenius_norm", "participation_ratio", "pair_bound"):
        values = getattr(found, name)
        assert (values[:3] == 0).all()
        assert values[3] != 0
    assert found.pair[:3].tolist() == [[0, 1]] * 3
    assert np.isnan(found.alignment).tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    "method", ["exact", *(pytest.param(m, marks=pytest.mark.full) for m in PAIR_METHODS if m != "exact")]
)
def test_float32_rows_are_summed_in_float64(method):
    codes, x = enumerate_codes(4), X.astype(np.float32)
    setting = Setting.make(method, embedding="stem")
    found = sweep_statistics(codes, x, LABELS, setting).ntk
    assert found.frobenius_norm.dtype == np.float64
    # Entries are off by a few float32 roundings, whichever way they are summed.
    check(found, sweep_kernels(codes, x, setting=setting).ntk, LABELS, rounding=2e-5)
    double = sweep_statistics(codes, x.astype(np.float64), LABELS, setting).ntk
    assert_close(found.frobenius_norm, double.frobenius_norm, tolerance=2e-6, reason="entries are float32")


def test_float32_rows_of_very_different_norms_lose_no_more_than_their_kernels_do():
    x = (RNG.normal(size=(300, 5)) * 10.0 ** RNG.uniform(-2, 1, size=(300, 1))).astype(np.float32)
    codes, setting = enumerate_codes(4)[::60], Setting.make(activation="gelu")
    found = sweep_statistics(codes, x, setting=setting, get=("nngp",), pairs=False).nngp
    kernels = np.asarray(sweep_kernels(codes, x, ("nngp",), setting).nngp, np.float64)
    dense = (kernels.sum(axis=(1, 2)) - np.einsum("aii->a", kernels)) / (300 * 299)
    np.testing.assert_allclose(found.mean_off_diagonal, dense, rtol=1e-6)


def test_pair_bounds_of_rows_of_very_different_norms_are_exact():
    x = np.array([[1.0, 0.0], [0.6e8, 0.8e8], [1e8, 0.0]])
    code = Dag.from_code("1_11").to_array()[None]  # K is a multiple of the inner products
    found = sweep_statistics(code, x, setting=Setting.make(embedding="gaussian"), get=("nngp",)).nngp
    k = np.asarray(sweep_kernels(code, x, ("nngp",), Setting.make(embedding="gaussian")).nngp)[0]
    exact = min(
        (Fraction(k[i, i]) * Fraction(k[j, j]) - Fraction(k[i, j]) ** 2) / (Fraction(k[i, i]) + Fraction(k[j, j]))
        for i, j in ((0, 1), (0, 2), (1, 2))
    )
    assert found.pair.tolist() == [[0, 2]]
    assert abs(found.pair_bound[0] - float(exact)) < 1e-8 * k[0, 0]
    np.testing.assert_allclose(lowest_of_pairs(*np.array([[1.0], [1e16], [0.6e8]])), 0.64, rtol=1e-14)


def test_pieces_of_many_planes_are_cut(monkeypatch):
    whole = sweep_statistics(enumerate_codes(4), X, LABELS)
    monkeypatch.setattr(sys.modules[sweep_statistics.__module__], "_PLANES", 5)
    cut = list(sweep_statistics_chunks(enumerate_codes(4), X, LABELS))
    assert len(cut) > 1 and sorted(np.concatenate([index for index, _ in cut])) == list(range(729))
    for index, found in cut:
        np.testing.assert_allclose(found.ntk.alignment, whole.ntk.alignment[index], rtol=ROUNDING)


def test_x64_mode_off_changes_nothing():
    codes = enumerate_codes(3)
    expected = sweep_statistics(codes, X, LABELS)
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    try:
        found = sweep_statistics(codes, X, LABELS)
    finally:
        jax.config.update("jax_enable_x64", before)
    for name in ("frobenius_norm", "pair_bound", "centred_alignment"):
        assert np.array_equal(getattr(found.ntk, name), getattr(expected.ntk, name), equal_nan=True)


def test_nearly_constant_kernels_keep_their_centred_digits():
    # All rows within 1e-4 of each other: of K, near a constant, one part in 1e8 is left by centring.
    x = np.array([1.0, 0.5, 0.2, -0.3]) + 1e-4 * RNG.normal(size=(40, 4))
    y = RNG.normal(size=40)
    codes, setting = enumerate_codes(3), Setting.make(activation="erf")
    found = sweep_statistics(codes, x, y, setting).nngp
    kernels = np.asarray(sweep_kernels(codes, x, setting=setting).nngp, np.longdouble)
    h = np.eye(40, dtype=np.longdouble) - np.longdouble(1) / 40
    target = h @ np.outer(y, y) @ h
    expected = [
        float((c * target).sum() / np.sqrt((c * c).sum() * (target * target).sum()))
        for c in (h @ k @ h for k in kernels if k.any())
    ]
    defined = found.mean_diagonal > 0
    assert_close(
        found.centred_alignment[defined], np.array(expected), tolerance=3e-7, reason="rounding of K, over 1e-8"
    )


def test_the_order_of_codes_and_their_repetition_do_not_matter():
    codes = enumerate_codes(4)
    order = RNG.permutation(np.repeat(np.arange(len(codes)), 2))
    expected, found = sweep_statistics(codes, X, LABELS).ntk, sweep_statistics(codes[order], X, LABELS).ntk
    for name in ("mean_off_diagonal", "pair_bound", "alignment"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)[order], equal_nan=True)


def test_pieces_cover_all_codes_and_give_the_same():
    codes = enumerate_codes(4)
    whole = sweep_statistics(codes, X).nngp
    pieces = list(sweep_statistics_chunks(codes, X, chunk=200))
    assert [len(index) for index, _ in pieces] == [200, 200, 200, 129]
    assert sorted(np.concatenate([index for index, _ in pieces])) == list(range(729))
    for index, found in pieces:
        assert_close(found.nngp.frobenius_norm, whole.frobenius_norm[index], tolerance=ROUNDING)
        assert_close(found.nngp.pair_bound, whole.pair_bound[index], tolerance=ROUNDING)
    wanted = np.zeros(729, bool)
    wanted[250] = True
    assert [index[0] for index, _ in sweep_statistics_chunks(codes, X, chunk=200, wanted=wanted)] == [200]


def test_what_was_not_asked_for_is_absent():
    found = sweep_statistics(enumerate_codes(3), X, get=("nngp",), pairs=False)
    assert found.ntk is None
    check(found.nngp, sweep_kernels(enumerate_codes(3), X).nngp, pairs=False)
    assert found.nngp.pair_bound is None
    assert found.nngp.pair is None
    assert found.nngp.alignment is None


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("method", "num_nodes"), [("exact", 4), ("exact", 5), ("independent", 4), ("path-sum", 5)])
def test_distinct_kernels_and_values_are_those_of_normal_forms(method, num_nodes, order):
    # GELU is not homogeneous, so that values are not reduced along rays.
    setting = Setting.make(method, order=order, activation="gelu")
    classes, codes = quotient(num_nodes, setting), enumerate_codes(num_nodes)
    sums = pair_method(setting).plane_sums(codes)
    assert len(sums.planes) == len(classes) + 1  # that of DAGs without a path
    sizes = np.bincount(sums.which)
    zero = sums.which[0]
    assert sizes[zero] == classes.without_path
    assert sorted(np.delete(sizes, zero)) == sorted(classes.size)
    if method != "path-sum":
        assert sums.program.number == len(classes.values) + 1


def test_a_wrong_weight_is_noticed():
    codes, setting = enumerate_codes(4), Setting()
    kernels = sweep_kernels(codes, X).nngp
    method = pair_method(setting)
    sums = method.plane_sums(codes)
    wrong = sums._replace(power=np.where((sums.power == 4) & (sums.planes == 1), 2, sums.power))
    assert not np.array_equal(wrong.power, sums.power)
    for given_sums, is_right in ((sums, True), (wrong, False)):
        found = plane_tiles.kernels_of_planes(method, given_sums, jnp.asarray(X), np.zeros((0, 13)), ("nngp",), True)
        norms = np.sqrt(found["nngp"].moments["square"])[sums.which]
        assert np.allclose(norms, np.linalg.norm(kernels, axis=(1, 2)), rtol=ROUNDING) is is_right


@dataclass(frozen=True)
class ExactAlone(Exact):
    """Exact, but sharing nothing among DAGs."""

    def plane_sums(self, codes):
        del codes


def test_a_method_that_shares_nothing_goes_through_its_kernels(monkeypatch):
    monkeypatch.setitem(METHODS, "alone", Method("test_sweep_statistics:ExactAlone"))
    codes = RNG.permutation(enumerate_codes(3))
    found, expected = (sweep_statistics(codes, X, LABELS, Setting(method)) for method in ("alone", "exact"))
    for name in ("mean_diagonal", "mean_off_diagonal", "frobenius_norm", "participation_ratio", "pair_bound"):
        assert_close(getattr(found.ntk, name), getattr(expected.ntk, name), tolerance=ROUNDING)
    assert np.array_equal(found.ntk.pair, expected.ntk.pair)
    check(found.nngp, sweep_kernels(codes, X).nngp, LABELS)


def test_statistics_of_kernels_in_memory():
    kernels = np.asarray(sweep_kernels(enumerate_codes(3), X).ntk)
    check(kernel_statistics(kernels, LABELS), kernels, LABELS)
    found = kernel_statistics(kernels[-1:], LABELS).centred_alignment[0]
    assert abs(found - alignment(kernels[-1], LABELS)) < ROUNDING


def test_classes_may_be_of_any_kind():
    as_text = np.array(["a", "c", "b"])[LABELS]
    assert np.array_equal(target_factor(as_text, 13).T @ target_factor(as_text, 13), LABELS[:, None] == LABELS)
    assert np.array_equal(
        target_factor(LABELS == 1, 13).T @ target_factor(LABELS == 1, 13), np.equal.outer(*[LABELS == 1] * 2)
    )
    assert np.array_equal(target_factor(TARGETS, 13), TARGETS.T)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": LABELS[:4]}, "13 rows, got shape"),
        ({"y": np.zeros((13, 2), int)}, "classes are"),
        ({"y": np.full(13, np.nan)}, "finite"),
        ({"y": np.zeros((13, 0))}, "got shape"),
        ({"setting": Setting.make("neural-tangents")}, "neural-tangents"),
        ({"get": ("ntk", "other")}, "not known"),
        ({"codes": np.array([[3]])}, "operations are"),
        ({"codes": np.ones((1, 15), int), "x": 2e153 * np.eye(13)}, "kernel of 1_11_111_1111_11111 overflows"),
        ({"x": 1e90 * X}, "squares of the entries of the kernel of [12] overflow"),
        ({"x": X * np.inf}, "infinite"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        sweep_statistics(**{"codes": enumerate_codes(2), "x": X, **arguments})


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=2), min_size=1, max_size=20))
def test_distinct_rows(rows):
    rows = np.array(rows)
    first, which = distinct_rows(rows)
    assert (np.diff(first) > 0).all()
    assert np.array_equal(rows[first][which], rows)
    assert len({tuple(row) for row in rows.tolist()}) == len(first)


def test_rows_that_share_a_hash_stay_distinct(monkeypatch):
    rows = np.array([[1, 2], [2, 1], [1, 2], [3, 3]])
    assert len(np.unique(row_hashes(rows))) == 3
    monkeypatch.setattr("nngp_dag.support.distinct.row_hashes", lambda rows: np.zeros(len(rows), np.uint64))
    first, which = distinct_rows(rows)
    assert first.tolist() == [0, 1, 3]
    assert which.tolist() == [0, 1, 0, 2]
