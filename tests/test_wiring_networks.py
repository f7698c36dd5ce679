"""Kernels of wirings against networks of their definition, by tests that reject the mistakes that are easily made.

Twelve wirings at random an order: every scale, gain and activation is an edge's own, layer norm stands where copies of
other nodes pass it by, and gains are divided by in-degrees of both kinds. Networks of two widths are extrapolated, so
that a bias of order 1 / m is no excuse.
"""

from typing import NamedTuple

import numpy as np
import pytest
from helpers import assert_close, assert_mean, mean_and_sem
from scipy import stats
from wiring_networks import MISTAKES, SIGMAS, empirical, limit

from nngp_dag import Wiring, kernel_fn

pytestmark = pytest.mark.usefixtures("quick_compilation")

CASES = (
    ("2_12_121", (), (2,)),
    ("1_21_112", (1,), ()),
    ("2_11_211", (2,), (1,)),
    ("1_12_212", (0, 2), (1, 2)),
    ("2_22_112", (1, 2), (0,)),
    ("2_11_122", (3,), (0, 2)),
)
"""Codes, each with nodes of layer norm for two wirings."""

X = np.random.default_rng(11).normal(size=(3, 4)) * np.array([[0.35], [0.5], [0.65]])
ROWS, COLUMNS = np.triu_indices(len(X))
LEVEL = 1e-3 / 48
"""Over all wirings and kernels of both orders the chance of a false alarm is a thousandth."""

OF_MEANS = ("means dropped", "layer norm leaves the mean", "layer norm divides by the mean square")


class Runs(NamedTuple):
    """Networks of all wirings: of two widths, so many of each, in which an error of `power` has to show."""

    order: str
    widths: tuple[int, int]
    networks: int
    power: float
    compiled: tuple[int, ...]  # those whose kernels the library is asked for


ORDERS = ("activation-last", "activation-first")
FEW = [Runs("activation-last", (32, 64), 300, 0.4, (1, 10)), Runs("activation-first", (32, 64), 300, 0.4, (9,))]
ALL = [Runs(order, (48, 96), 1000, 0.2, tuple(range(12))) for order in ORDERS]


def _wirings():
    """Of every code one as it is, and one with other numbers and gains divided by an in-degree."""
    rng, found = np.random.default_rng(5), []
    for place, (code, *norms) in enumerate(CASES):
        for norm, divided in zip(norms, (None, ("target", "source")[place % 2]), strict=True):
            plain = Wiring.make(code)
            linear, skip = len(plain.linear_edges), len(plain.skip_edges)
            names = rng.choice(list(SIGMAS), linear, p=[0.7, 0.15, 0.15])
            wiring = Wiring.make(
                code,
                weight_scale=rng.choice([0.6, 1.5], linear),
                bias_scale=rng.uniform(0.5, 1.2, linear),
                gain=rng.choice([0.6, 1.5, -0.7], linear, p=[0.4, 0.4, 0.2]),
                skip_gain=rng.choice([0.6, 1.3, -0.7], skip, p=[0.4, 0.4, 0.2]),
                activation=dict(zip(plain.linear_edges, map(str, names), strict=True)),
                layer_norm=norm,
                readout_weight_scale=rng.uniform(0.8, 1.2),
                readout_bias_scale=rng.uniform(0.9, 1.4),
            )
            found.append(wiring if divided is None else wiring.divided_by_in_degree(divided))
    return found


WIRINGS = _wirings()


class Sample(NamedTuple):
    """Extrapolated kernels of networks, [networks, wirings, 2, N, N], and what they are of."""

    runs: Runs
    wirings: list[Wiring]
    kernels: np.ndarray

    @property
    def trained(self):
        """Whether the embedding is trained: in one of the orders."""
        return self.runs.order == "activation-first"

    def limit(self, i, mistake=""):
        """Both kernels of a wiring by weights of copies."""
        return limit(self.wirings[i], X, self.runs.order, self.trained, mistake)


@pytest.fixture(scope="module", params=[*FEW, *(pytest.param(runs, marks=pytest.mark.full) for runs in ALL)])
def sample(request):
    """Networks of two widths m and 2 m: what is of order 1 / m cancels in 2 k(2 m) - k(m)."""
    runs = request.param
    trained, wirings = runs.order == "activation-first", WIRINGS
    rng = np.random.default_rng(len(runs.order))
    narrow, wide = (
        np.stack([empirical(wiring, X, runs.order, trained, m, runs.networks, rng) for wiring in wirings], 1)
        for m in runs.widths
    )
    return Sample(runs, wirings, 2 * wide - narrow)


def _entries(kernels):
    return np.asarray(kernels)[..., ROWS, COLUMNS]


def test_networks_have_the_kernels_of_their_wirings(sample):
    runs, embedding = sample.runs, "gaussian-trained" if sample.trained else "gaussian"
    for i, wiring in enumerate(sample.wirings):
        kernels = sample.limit(i)
        if i in runs.compiled:
            kernels = kernel_fn(wiring, order=runs.order, embedding=embedding)(X)
            for found, expected in zip(kernels, sample.limit(i), strict=True):
                assert_close(found, expected, tolerance=2e-8, reason="arccos of a rounded correlation in the formulas")
        for k, kernel in enumerate(kernels):
            assert_mean(_entries(sample.kernels[:, i, k]), _entries(kernel), power=runs.power, level=LEVEL)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_networks_reject_what_is_easily_wrong(sample, mistake):
    """The same test rejects a mistake in every kernel that it changes by twice what the test accepts."""
    tried = 0
    for i in range(len(sample.wirings)):
        for k, (right, wrong) in enumerate(zip(sample.limit(i), sample.limit(i, mistake), strict=True)):
            kernels = _entries(sample.kernels[:, i, k])
            accepted = stats.t.isf(LEVEL / (2 * len(ROWS)), len(kernels) - 1) * mean_and_sem(kernels)[1]
            if (np.abs(_entries(wrong - right)) > 2 * accepted).any():
                tried += 1
                with pytest.raises(AssertionError, match="standard errors"):
                    assert_mean(kernels, _entries(wrong), power=np.inf, level=LEVEL)
    without = sample.runs.order == "activation-first" and mistake in OF_MEANS  # an order in which nothing has a mean
    assert (tried == 0) if without else tried >= 1, tried


def test_gains_are_divided_by_the_number_of_edges_that_enter_an_end():
    """2_12_121 has 1, 2 and 3 edges into nodes 1, 2 and 3; the input, which has none, counts as 1."""
    wiring = Wiring.make("2_12_121", gain=2.0, skip_gain=3.0)
    assert wiring.linear_edges == ((0, 1), (1, 2), (1, 3)) and wiring.skip_edges == ((0, 2), (0, 3), (2, 3))
    target, source = (wiring.divided_by_in_degree(end) for end in ("target", "source"))
    assert_close(target.gain, 2 / np.sqrt([1, 2, 3]))
    assert_close(target.skip_gain, 3 / np.sqrt([2, 3, 3]))
    assert_close(source.gain, 2 / np.sqrt([1, 1, 1]))
    assert_close(source.skip_gain, 3 / np.sqrt([1, 1, 2]))
