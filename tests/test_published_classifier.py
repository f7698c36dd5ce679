"""The published accuracy of an NNGP classifier: Lee et al. 2018, Deep Neural Networks as Gaussian Processes, MNIST.

ReLU, 20 hidden layers, weight variance 1.45, bias variance 0.28, and 1,000 training rows: 92.8 % of the 10,000 rows of
the test set, which is here the only source of rows: half of 2,000 of them are trained on, half are classified.
"""

import math

import numpy as np
import pytest

from nngp_dag import kernel_fn
from nngp_dag.datasets import load
from nngp_dag.wiring import Wiring

PUBLISHED, THEIR_ROWS = 0.928, 10_000
WEIGHT, BIAS, NOISE = 1.45, 0.28, 1e-10


def network(depth: int, pixels: int) -> Wiring:
    """Affine maps of x, then of ReLUs of nodes: K_1 = 0.28 + 1.45 x x' / d, K_(l+1) = 0.28 + 1.45 E[relu relu]."""
    edges = [(t, t + 1) for t in range(depth + 1)]
    return Wiring.make(
        dict.fromkeys(edges, "linear"),
        weight_scale=[math.sqrt(WEIGHT / pixels)] + [math.sqrt(WEIGHT / 2)] * depth,  # c = 2 is ReLU's
        bias_scale=math.sqrt(BIAS),
        activation={edge: "relu" if edge[0] else "identity" for edge in edges},
    )


def accuracy(kernel: np.ndarray, labels: np.ndarray, order: np.ndarray, noise: float) -> float:
    """Of the second half of the rows in this order, by regression on the first: targets 0.9 and -0.1."""
    train, test = np.split(order, 2)
    targets = np.eye(10)[labels[train]] - 0.1
    weights = np.linalg.solve(kernel[np.ix_(train, train)] + noise * np.eye(len(train)), targets)
    return float(np.mean(np.argmax(kernel[np.ix_(test, train)] @ weights, axis=1) == labels[test]))


@pytest.mark.full
def test_the_published_accuracy_on_mnist(shared_data):
    rng = np.random.default_rng(0)
    data = load("mnist-test", data_dir=shared_data, raw=True)
    rows = rng.choice(len(data.x), 2000, replace=False)
    x, labels = np.asarray(data.x, np.float64)[rows], np.asarray(data.y)[rows]
    x /= x.max()  # pixels in [0, 1]
    deep = np.asarray(kernel_fn(network(20, x.shape[1]), order="activation-first")(x, get="nngp"))
    linear = BIAS + WEIGHT / x.shape[1] * x @ x.T
    orders = [rng.permutation(len(x)) for _ in range(6)]
    found = [accuracy(deep, labels, order, NOISE) for order in orders]
    # Their rows and ours are samples, and so are the training rows (the spread of halves holds both of ours).
    chance = PUBLISHED * (1 - PUBLISHED) * (1 / THEIR_ROWS + 1 / len(x))
    error = math.sqrt(chance + np.var(found, ddof=1))
    assert error < 0.015
    assert abs(np.mean(found) - PUBLISHED) < 2.6 * error, (found, error)
    wrong = np.mean([accuracy(linear, labels, order, 0.1) for order in orders])
    assert abs(wrong - PUBLISHED) > 2.6 * error, wrong  # no layer of ReLUs, regularised: 84 %
