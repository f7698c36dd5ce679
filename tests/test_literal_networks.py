"""The literal networks that claims train: against their own Gram matrices, and the bound that is laid on them."""

import numpy as np
import pytest

from nngp_dag.dag import Dag
from verify.tools.descent import LiteralNetworks
from verify.tools.residual_bound import BoundedRuns, spectra, spread_rows

DAGS = [Dag.from_code(code) for code in ("2_21_112", "1_01_001")]
X = spread_rows(np.random.default_rng(3), 3, 6)


@pytest.fixture(scope="module")
def networks() -> LiteralNetworks:
    return LiteralNetworks(DAGS, X, 16, (1, 2), "relu", 2.0)


def test_training_the_read_out_alone_follows_the_gram_matrix(networks: LiteralNetworks) -> None:
    start, eta = np.array([[1.0, -2.0, 0.5], [0.3, 1.0, 1.0]]), np.array([0.02, 0.05])
    runs = networks.descend(start, list(eta), 50, "the read-out")
    for d, s in np.ndindex(2, 2):
        values, vectors = np.linalg.eigh(runs.before[d, s])
        powers = (1 - eta[d] * values) ** np.arange(50)[:, None]
        expected = ((powers * (vectors.T @ start[d])) ** 2).sum(axis=1)
        np.testing.assert_allclose(runs.residuals[d, s], expected, rtol=1e-3, atol=1e-7)
    np.testing.assert_array_equal(runs.before, runs.after)


def test_with_a_frozen_read_out_copies_of_the_input_do_not_move(networks: LiteralNetworks) -> None:
    runs = networks.descend(np.ones((2, 3)), [0.02, 0.02], 50, "all but the read-out")
    np.testing.assert_allclose(runs.residuals[1], 3.0, rtol=1e-5)
    assert (runs.residuals[0, :, -1] < 2.9).all()


def test_gram_matrices_are_those_of_eq_1(networks: LiteralNetworks) -> None:
    rng = np.random.default_rng(1)
    g, w = rng.standard_normal((6, 16), np.float32), rng.standard_normal((6, 16, 16), np.float32)

    def edge(h: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        return np.sqrt(2.0) * np.maximum(h @ matrix / 4, 0)

    h0 = X @ g
    h1 = edge(h0, w[0])
    h2 = edge(h0, w[1]) + h1
    h3 = h0 + h1 + edge(h2, w[5])
    np.testing.assert_allclose(networks.grams()[0, 0], h3 @ h3.T / 16, rtol=1e-4)


def test_the_bound_is_exceeded_exactly_where_the_decay_is_slower() -> None:
    found = spectra(DAGS[:1], X)
    rates = found.stable
    steps = np.arange(400)
    factor = found.largest_factor(rates)
    decay = (1 - rates * found.kernel_min) ** (2 * steps)
    runs = BoundedRuns(found, rates, decay[None, None])
    assert runs.decayed and not runs.exceeding().any() and not runs.exceeding(0.99 * factor).any()
    assert runs.exceeding(1.01 * factor).all()


def test_dags_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one number of nodes"):
        LiteralNetworks([Dag.from_code("2"), DAGS[0]], X, 4, (0,), "relu", 2.0)
