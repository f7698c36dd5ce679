"""Subnetworks against enumeration of paths, literal covariances, kernels, and the published function of a ResNet."""

import itertools

import jax
import numpy as np
import pytest
from helpers import assert_close

from nngp_dag import Dag, InputError, Wiring
from nngp_dag.activations import LeakyRelu
from nngp_dag.kernel import pair_kernel
from nngp_dag.signal import Subnetworks, leaky_relu_map, subnet_max_func

MAPS = {
    "value": (0.0, lambda c: leaky_relu_map(c, 0.3)),
    "slope": (1.0, lambda y: 1.3 * y),
    "curvature": (0.0, lambda y: y + 0.1),
}


def residual_network(blocks, shortcut):
    """The modified ResNet-V2 with bottlenecks of the two papers."""
    edges, gains, x = {}, {}, 0
    for count in blocks:
        for block in range(count):
            edges |= {(x, x + 1): 2, (x + 1, x + 2): 2, (x + 2, x + 3): 2, (x, x + 3): 2 if block == 0 else 1}
            gains |= {(x + 2, x + 3): (1 - shortcut**2) ** 0.5, (x, x + 3): shortcut}
            x += 3
    return with_gains(Dag.from_edges({**edges, (x, x + 1): 2}), gains)


def with_gains(dag, gains):
    """The wiring of a DAG with some gains {(s, t): g}, of linear and skip edges alike."""
    linear = {edge: gain for edge, gain in gains.items() if dag.op(*edge) == 2}
    skip = {edge: gain for edge, gain in gains.items() if dag.op(*edge) == 1}
    return Wiring.make(dag, gain=linear, skip_gain=skip)


def published(x, r, blocks, shortcut):
    """What the users of google-deepmind/dks write by hand for that network: a loop over its blocks."""
    branch = r(r(r(x)))
    for count in blocks:
        for block in range(count):
            through = r(x) if block == 0 else x
            x = shortcut**2 * through + (1 - shortcut**2) * r(r(r(x)))
    return max(r(x), branch)


def random_dag(rng, nodes):
    while True:
        dag = Dag.from_array(rng.choice(3, size=nodes * (nodes - 1) // 2, p=[0.3, 0.35, 0.35])).pruned()
        if any(dag.ops):
            return dag


# ---- a literal transcription: all paths listed, all covariances carried ----------------------------------------------


def all_paths(dag, first, last):
    """Paths as tuples of points: node, edge, node, ..."""
    if first == last:
        return [(first,)]
    edges = [(s, t) for s, t, _ in dag.edges() if s == first]
    return [(first, edge, *rest) for edge in edges for rest in all_paths(dag, edge[1], last)]


def passes(paths, a, b):
    """Whether every path that goes through b has been through a before."""
    return all(a in path[: path.index(b) + 1] for path in paths if b in path)


def literal_value(dag, gains, normalised, start, end, x, r):
    """The value at a point, from the covariances of all pairs of nodes between."""
    n = dag.num_nodes
    variance = literal_variances(dag, gains, normalised)[0]
    scales = literal_variances(dag, gains, normalised)[1]
    covariance = np.zeros((n, n))
    covariance[start, start] = variance[start] * x

    def power(node):
        return 1.0 if normalised else variance[node]

    for t in range(start + 1, n):
        into = [(s, op, gains.get((s, t), 1.0) * scales[t]) for s, u, op in dag.edges() if u == t and s >= start]
        for u in range(start, t):
            covariance[t, u] = covariance[u, t] = sum(g * covariance[s, u] for s, op, g in into if op == 1)
        covariance[t, t] = sum(
            g * h * covariance[s, u] for (s, a, g), (u, b, h) in itertools.product(into, into) if a == b == 1
        )
        covariance[t, t] += sum(
            g**2 * power(s) * float(r(np.array([covariance[s, s] / variance[s]]))[0]) for s, op, g in into if op == 2
        )
    node = end if isinstance(end, int) else end[0]
    value = covariance[node, node] / variance[node]
    return value if isinstance(end, int) or dag.op(*end) == 1 else float(r(np.array([value]))[0])


def literal_variances(dag, gains, normalised):
    """K_t, and what each node's sum is multiplied by."""
    n = dag.num_nodes
    covariance, scales = np.zeros((n, n)), np.ones(n)
    covariance[0, 0] = 1
    for t in range(1, n):
        into = [(s, op, gains.get((s, t), 1.0)) for s, u, op in dag.edges() if u == t]
        for u in range(t):
            covariance[t, u] = covariance[u, t] = sum(g * covariance[s, u] for s, op, g in into if op == 1)
        covariance[t, t] = sum(
            g * h * covariance[s, u] for (s, a, g), (u, b, h) in itertools.product(into, into) if a == b == 1
        ) + sum(g**2 * covariance[s, s] for s, op, g in into if op == 2)
        if normalised:
            scales[t] = covariance[t, t] ** -0.5
            covariance[t] *= scales[t]
            covariance[:, t] *= scales[t]
    return np.diag(covariance), scales


@pytest.mark.parametrize("sums", ["normalised", "plain"])
def test_the_maximum_is_that_of_enumerated_subnetworks(sums):
    rng = np.random.default_rng(0)
    normalised = sums == "normalised"
    for _ in range(12):
        dag = random_dag(rng, 5)
        gains = {(s, t): float(g) for (s, t, _), g in zip(dag.edges(), rng.uniform(0.4, 1.6, 10), strict=False)}
        paths = all_paths(dag, 0, dag.num_nodes - 1)
        points = sorted({point for path in paths for point in path}, key=str)
        backwards = [path[::-1] for path in paths]
        for open_ends, (x, r) in itertools.product((False, True), MAPS.values()):
            values = [
                literal_value(dag, gains, normalised, a if isinstance(a, int) else a[0], b, x, r)
                for a, b in itertools.product(points, points)
                if not (a == b and isinstance(a, int))
                and passes(paths, a, b)
                and (open_ends or passes(backwards, b, a))
            ]
            found = Subnetworks.of(with_gains(dag, gains), sums=sums, open_ends=open_ends).largest(x, r)
            assert_close(found.value, max(values))


def test_a_residual_branch_and_the_blocks_before_it_are_subnetworks_but_not_together():
    network = residual_network((1, 2), 0.6)
    found = Subnetworks.of(network)
    ends = {found.ends[row]: set(np.flatnonzero(starts)) for row, starts in enumerate(found.starts)}
    assert ends[5, 6] == {3, 4, 5}  # the last edge of the branch of the second block: begun at, or inside, the branch
    assert ends[6] == {0, 3}  # the sum there: begun where a block begins
    leaving = Subnetworks.of(network, open_ends=True)
    assert set(np.flatnonzero(leaving.starts[leaving.ends.index((5, 6))])) == {0, 3, 4, 5}


@pytest.mark.parametrize("name", MAPS)
def test_the_published_function_of_a_residual_network(name):
    x, r = MAPS[name]
    blocks, shortcut = (3, 4, 23, 3), 0.6
    function = subnet_max_func(residual_network(blocks, shortcut))
    assert_close(function(x, r), float(published(x, r, blocks, shortcut)))


def test_with_open_ends_the_published_function_is_no_maximum():
    """The last residual branch behind all blocks exceeds it: psi^3 against psi (.36 + .64 psi^3) for small psi - 1."""
    network = residual_network((3, 4, 23, 3), 0.6)
    r = MAPS["curvature"][1]
    found = Subnetworks.of(network, open_ends=True).largest(0.0, r)
    assert (found.start, found.end) == (0, (98, 99))
    assert found.value > 1.001 * published(0.0, r, (3, 4, 23, 3), 0.6)


def test_plain_sums_are_those_of_kernels():
    """The correlation of orthogonal inputs, and the slope at 1, by the exact kernel of activation-first."""
    rng = np.random.default_rng(1)
    reading = {"order": "activation-first", "activation": LeakyRelu(0.3)}
    for code in ("2_21_112", "1_01_222", "1_11_122", *(random_dag(rng, 4).to_code() for _ in range(3))):
        dag = Dag.from_code(code)
        found = Subnetworks.of(dag, sums="plain")

        def kernel(k, dag=dag):
            return pair_kernel(dag, 1.0, k, 1.0, **reading).nngp

        variance = float(kernel(1.0))
        assert_close(found.whole(0.0, MAPS["value"][1]), float(kernel(0.0)) / variance)
        _, slope = jax.jvp(kernel, (1.0,), (1.0,))
        why = "fdot of a kink rises like the root of 1 - rho, which is held to 1e-16"
        assert_close(found.whole(1.0, lambda y: y), float(slope) / variance, tolerance=1e-8, reason=why)


def test_what_cannot_be_is_refused():
    dag = Dag.from_code("2_02")
    with pytest.raises(InputError, match="no path"):
        Subnetworks.of(Dag.from_code("0"))
    with pytest.raises(InputError, match="no biases"):
        Subnetworks.of(Wiring.make(dag, bias_scale=0.1))
    with pytest.raises(InputError, match="not of a batch"):
        Subnetworks.of(Wiring.stack([Wiring.make(dag)] * 2))
    with pytest.raises(InputError, match="leave nothing"):
        Subnetworks.of(Wiring.make(dag, weight_scale={(0, 1): 0.0}))
    with pytest.raises(InputError, match="accepted are normalised, plain"):
        Subnetworks.of(dag, sums="other")


def test_layer_norm_normalises_a_sum_among_plain_ones():
    wiring = Wiring.make(Dag.from_code("2_12"), weight_scale=2.0)  # K_1 = 4, K_2 = 1 + 4 K_1
    assert_close(Subnetworks.of(wiring, sums="plain").variances, np.array([1.0, 4.0, 17.0]))
    normed = Wiring.make(Dag.from_code("2_12"), weight_scale=2.0, layer_norm=[1])
    assert_close(Subnetworks.of(normed, sums="plain").variances, np.array([1.0, 1.0, 5.0]))
    assert_close(Subnetworks.of(normed).variances, np.ones(3))
