"""Statistics of kernels against closed forms, literal definitions and higher precision."""

import itertools
import tracemalloc
import warnings

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nngp_dag import InputError
from nngp_dag.spectrum import (
    PrecisionWarning,
    effective_rank,
    pair_bound,
    spectra,
    spectral_density,
    spectrum,
)

EPS = np.finfo(np.float64).eps

factors = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    elements=st.floats(-10, 10, allow_subnormal=False),
)


def pair_bound_by_definition(k):
    """Smallest over i < j of the smallest eigenvalue of a 2 x 2 matrix, in extended precision, first pair on ties."""
    k = k.astype(np.longdouble)
    best = (None, None)
    for i, j in itertools.combinations(range(len(k)), 2):
        a, b, c = k[i, i], k[i, j], k[j, j]
        low = (a + c) / 2 - np.sqrt(((a - c) / 2) ** 2 + b**2)
        if best[0] is None or low < best[0]:
            best = (low, (i, j))
    return best


def random_kernel(n, d, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, d))
    return x @ x.T


# ---- closed forms ----------------------------------------------------------------------------------------------------


def test_a_matrix_of_known_spectrum():
    n, rho = 6, 0.25
    s = spectrum(np.full((n, n), rho) + (1 - rho) * np.eye(n))
    np.testing.assert_allclose(s.eigenvalues, [1 - rho] * (n - 1) + [1 + (n - 1) * rho], rtol=1e-14)
    assert s.trace == n and s.mean_diagonal == 1
    assert (s.pair_bound, s.pair) == (1 - rho, (0, 1))
    np.testing.assert_allclose(s.condition, (1 + (n - 1) * rho) / (1 - rho), rtol=1e-13)
    p = s.eigenvalues / n
    np.testing.assert_allclose(s.effective_rank, np.prod(p**-p), rtol=1e-13)


def test_statistics_are_plain_numbers_in_the_fixed_names():
    summary = spectrum(2 * np.eye(3)).summary()
    assert summary == {
        "lambda_min": 2.0, "lambda_max": 2.0, "trace": 6.0, "condition": 1.0, "pair_bound": 2.0, "pair": [0, 1]
    }  # fmt: skip
    assert all(type(summary[name]) is float for name in list(summary)[:5])
    assert all(type(i) is int for i in summary["pair"])


def test_one_row():
    s = spectrum([[4.0]])
    assert (s.lambda_min, s.lambda_max, s.trace, s.condition, s.effective_rank) == (4, 4, 4, 1, 1)
    assert s.pair_bound is None and s.pair is None and s.scale_free == (1, 1, None)


def test_the_zero_kernel():
    s = spectrum(np.zeros((3, 3)))
    assert (s.lambda_min, s.lambda_max, s.trace, s.condition, s.effective_rank) == (0, 0, 0, None, 0)
    assert (s.pair_bound, s.pair, s.scale_free) == (0, (0, 1), (None, None, None))


def test_condition_is_undefined_below_the_resolution():
    def condition(low):
        return spectrum(np.diag([low, 1.0])).condition

    assert condition(0.0) is None and condition(-1e-17) is None
    assert condition(2 * EPS) is None  # N eps lambda_max itself
    assert condition(2.1 * EPS) == pytest.approx(1 / (2.1 * EPS))


def test_a_duplicated_row_is_singular():
    x = np.random.default_rng(0).normal(size=(5, 9))
    x[3] = x[1]
    s = spectrum(x @ x.T)
    assert s.condition is None and s.pair == (1, 3) and s.pair_bound == 0


def test_effective_rank_counts_equal_eigenvalues():
    for r in (1, 2, 5):
        np.testing.assert_allclose(effective_rank([7.0] * r + [0.0] * 3), r, rtol=1e-14)
    assert effective_rank([0.0, 0.0]) == 0
    assert effective_rank([-1e-17, 1.0]) == 1
    np.testing.assert_allclose(effective_rank([[1.0, 1.0], [0.0, 3.0], [0.0, 0.0]]), [2, 1, 0], rtol=1e-14)


# ---- properties ------------------------------------------------------------------------------------------------------


@given(factors)
def test_figures_agree_with_their_definitions(x):
    k = x @ x.T
    s = spectrum(k)
    n, scale = len(k), max(1e-300, np.abs(k).max())
    np.testing.assert_allclose(s.eigenvalues, np.linalg.eigvalsh(k), atol=30 * n * EPS * scale)
    assert s.trace == pytest.approx(k.diagonal().sum(), rel=1e-14)
    expected, pair = pair_bound_by_definition(k)
    if pair is None:
        assert s.pair is None
        return
    assert abs(s.pair_bound - float(expected)) <= 4 * EPS * scale
    assert s.pair[0] < s.pair[1]
    assert s.lambda_min <= s.pair_bound + 30 * n * EPS * scale  # interlacing
    effective = s.effective_rank
    assert 0 <= effective <= n * (1 + 1e-13)


@given(factors, st.integers(-40, 40))
def test_scale_free_figures_do_not_change_with_scale(x, exponent):
    k = x @ x.T
    a, b = spectrum(k), spectrum(k * 2.0**exponent)
    if a.mean_diagonal < 1e-100:
        return
    for u, v in zip(a.scale_free, b.scale_free, strict=True):
        assert (u is None) == (v is None)
        assert u is None or abs(u - v) <= 100 * EPS * len(k)
    assert a.pair == b.pair
    np.testing.assert_allclose(a.effective_rank, b.effective_rank, rtol=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "c"),
    [
        (1.0, 1 - 1e-12, 1.0),
        (1.0, -(1 - 1e-15), 1.0),
        (1.0, 1 - 1e-10, 1 + 1e-9),
        (4.0, 2.0, 1.0),
        (1.0, 0.0, 1e-12),
        (1e300, 1e300 * (1 - 1e-9), 1e300),
        (1e-300, 0.5e-300, 1e-300),
    ],
)
def test_pair_bound_keeps_its_digits_where_the_textbook_formula_loses_them(a, b, c):
    value, _ = pair_bound(np.array([[a, b], [b, c]]))
    scale = np.longdouble(max(a, c))
    x, y, z = (np.longdouble(v) / scale for v in (a, b, c))
    middle, root = (x + z) / 2, np.sqrt(((x - z) / 2) ** 2 + y**2)
    exact = float((x * z - y * y) / (middle + root) * scale)
    assert abs(value - exact) <= 2.0**-54 * max(a, c) + 4 * EPS * abs(exact)
    if a == c:
        assert value == a - abs(b)


def test_ties_go_to_the_first_pair_across_blocks(monkeypatch):
    k = np.eye(40)
    for i, j in [(30, 33), (7, 25), (7, 9), (12, 13)]:
        k[i, j] = k[j, i] = -0.5
    for block in (1, 7, 100, 10**6):
        monkeypatch.setattr("nngp_dag.spectrum.pairs.BLOCK", block)
        assert pair_bound(k) == (0.5, (7, 9))


@pytest.mark.parametrize("block", [1, 60, 333, 5000, 10**6])
def test_blocks_do_not_change_the_result(monkeypatch, block):
    k = np.stack([random_kernel(23, 30, seed) for seed in range(5)])
    k[3] = np.eye(23)
    expected = [pair_bound_by_definition(m) for m in k]
    for module in ("pairs.BLOCK", "matrix_checks.BLOCK", "eigenvalues._PART"):
        monkeypatch.setattr(f"nngp_dag.spectrum.{module}", block)
    statistics = spectra(k)
    np.testing.assert_allclose(statistics.pair_bound, [float(v) for v, _ in expected], rtol=1e-13)
    assert statistics.pair.tolist() == [list(pair) for _, pair in expected]


# ---- many matrices ---------------------------------------------------------------------------------------------------


def test_spectra_are_the_figures_of_each_matrix():
    k = np.stack([random_kernel(9, d, d) for d in (4, 9, 20)] + [np.zeros((9, 9))])
    statistics = spectra(jnp.asarray(k))
    for a, matrix in enumerate(k):
        s = spectrum(matrix)
        for name in ("lambda_min", "lambda_max"):
            np.testing.assert_allclose(getattr(statistics, name)[a], getattr(s, name), atol=1e-13 * s.trace)
        for name in ("trace", "pair_bound", "mean_diagonal"):
            np.testing.assert_allclose(getattr(statistics, name)[a], getattr(s, name), rtol=1e-14)
        np.testing.assert_allclose(statistics.effective_rank[a], s.effective_rank, rtol=1e-12)
        assert tuple(statistics.pair[a]) == s.pair
        assert np.isnan(statistics.condition[a]) == (s.condition is None)
        if s.condition is not None:
            np.testing.assert_allclose(statistics.condition[a], s.condition, rtol=1e-9)
    assert np.isnan(statistics.condition[[0, 3]]).all() and statistics.condition[2] > 1


def test_spectra_of_single_rows():
    statistics = spectra(np.array([[[2.0]], [[3.0]]]))
    np.testing.assert_array_equal(statistics.lambda_min, [2, 3])
    np.testing.assert_array_equal(statistics.pair, -1)
    assert np.isnan(statistics.pair_bound).all()


# ---- precision, memory, bad input ------------------------------------------------------------------------------------


def test_a_warning_where_float32_cannot_resolve_lambda_min():
    x = np.random.default_rng(0).normal(size=(30, 500))
    resolved, singular = x @ x.T, x[:, :20] @ x[:, :20].T
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spectrum(resolved.astype(np.float32))
        spectrum(singular)  # float64: the condition says it
        spectrum(np.zeros((3, 3), np.float32))
    with pytest.warns(PrecisionWarning, match="float32 cannot resolve the smallest eigenvalue of the kernel"):
        s = spectrum(jnp.asarray(singular, jnp.float32))
    assert s.condition is None and s.eigenvalues.dtype == np.float64
    with pytest.warns(PrecisionWarning, match="2 of 3 kernels"):
        statistics = spectra(np.stack([singular, resolved, singular]).astype(np.float32))
    assert np.isnan(statistics.condition).tolist() == [True, False, True]


def test_the_argument_survives_unless_it_may_be_overwritten():
    k = random_kernel(50, 80)
    kept = k.copy()
    expected = spectrum(k).eigenvalues
    np.testing.assert_array_equal(k, kept)
    np.testing.assert_array_equal(spectrum(np.asfortranarray(k)).eigenvalues, expected)
    k.flags.writeable = False
    np.testing.assert_array_equal(spectrum(k, overwrite=True).eigenvalues, expected)
    np.testing.assert_array_equal(k, kept)
    np.testing.assert_array_equal(spectrum(kept, overwrite=True).eigenvalues, expected)
    assert (kept != k).any()


def test_memory_beside_the_matrix_is_bounded():
    n = 1500
    k = random_kernel(n, 100)
    spectrum(np.eye(2))  # imports
    for overwrite, copies in ((False, 1), (True, 0)):
        tracemalloc.start()
        spectrum(k, overwrite=overwrite)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < copies * k.nbytes + 60 * 2**20


@pytest.mark.parametrize(
    ("matrix", "match"),
    [
        (np.ones((2, 3)), "square"),
        (np.ones((0, 0)), "at least one row"),
        (np.ones(3), "shape"),
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), "NaN or infinite"),
        (np.array([[1.0, 0.5], [0.4, 1.0]]), "symmetric"),
        (np.eye(2, dtype=complex), "real"),
        (np.array([["a"]]), "real"),
    ],
)
def test_what_is_not_a_kernel_matrix_is_refused(matrix, match):
    with pytest.raises(InputError, match=match):
        spectrum(matrix)
    with pytest.raises(InputError, match="shape" if matrix.ndim < 2 else match):
        spectra(matrix[None])


# ---- density ---------------------------------------------------------------------------------------------------------


def test_density_integrates_to_the_fraction_above_the_floor():
    eigenvalues = np.concatenate([np.zeros(25), 10 ** np.random.default_rng(0).normal(size=75)])
    points, density = spectral_density(eigenvalues, num_points=800)
    assert points.shape == density.shape == (800,) and (density >= 0).all() and (np.diff(points) > 0).all()
    assert np.trapezoid(density, np.log10(points)) == pytest.approx(0.75, abs=1e-3)
    mean = np.trapezoid(density * np.log10(points), np.log10(points)) / 0.75
    assert mean == pytest.approx(np.log10(eigenvalues[25:]).mean(), abs=1e-3)


def test_density_of_a_single_eigenvalue_is_refused():
    with pytest.raises(InputError, match="two distinct eigenvalues"):
        spectral_density([0.0, 1.0])
