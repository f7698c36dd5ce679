"""Maps of signals against closed forms, iteration, stacked kernels, derivatives and finite networks."""

import math

import jax
import numpy as np
import pytest
from helpers import assert_close, assert_mean

from nngp_dag import InputError, Wiring
from nngp_dag.activations import get
from nngp_dag.kernel import pair_kernel
from nngp_dag.signal import SignalMaps, fixed_point
from nngp_dag.signal.fixed_points import require_stackable

pytestmark = pytest.mark.usefixtures("quick_compilation")

DAG_3 = "2_21_112"
ERF_C = math.pi / (2 * math.asin(2 / 3))


def erf_map(q, k):
    """C E[erf(g) erf(g')] (Williams, 1997), written out."""
    return ERF_C * 2 / math.pi * np.arcsin(2 * k / (1 + 2 * q))


def erf_slope(q):
    """C E[erf'(g)^2]."""
    return ERF_C * 4 / math.pi / np.sqrt(1 + 4 * q)


@pytest.mark.parametrize("order", ["activation-last", "activation-first"])
def test_one_edge_has_the_closed_forms_of_erf(order):
    w, v = 1.3, 0.4
    q, c = np.array([0.7, 1.0, 2.5]), 0.6
    maps = SignalMaps.of(Wiring.make("2", weight_scale=w, bias_scale=v), order, "erf")
    if order == "activation-last":
        before, inside = w**2 * q + v**2, w**2 * c * q + v**2
        variance, covariance, chi = erf_map(before, before), erf_map(before, inside), w**2 * erf_slope(before)
        slope = w**2 * ERF_C * 4 / math.pi / ((1 + 2 * before) * np.sqrt(1 + 4 * before))
    else:
        variance, covariance = w**2 * erf_map(q, q) + v**2, w**2 * erf_map(q, c * q) + v**2
        chi, slope = w**2 * erf_slope(q), w**2 * ERF_C * 4 / math.pi / ((1 + 2 * q) * np.sqrt(1 + 4 * q))
    assert_close(maps.variance(q), variance)
    assert_close(maps.variance_slope(q), slope)
    assert_close(maps.chi(q), chi)
    assert_close(maps.correlation(c, q), covariance / variance)
    assert_close(maps.correlation_slope(q), chi * q / variance)


def test_of_a_whole_dag_chi_is_the_derivative_of_the_kernel():
    """In activation-last, where means meet: differences of tangents against automatic differentiation."""
    wiring = Wiring.make(DAG_3, weight_scale=1.2, bias_scale=0.3, gain=0.8, skip_gain=0.6)
    maps = SignalMaps.of(wiring, activation="gelu")

    def kernel(k):
        return pair_kernel(wiring, 1.4, k, 1.4, activation="gelu").nngp

    value, slope = jax.jvp(kernel, (1.4,), (1.0,))
    assert_close(float(maps.variance(1.4)), float(value))
    assert_close(float(maps.chi(1.4)), float(slope), tolerance=1e-9, reason="dual maps of a pair at correlation 1")


def test_nodes_are_those_of_smaller_dags():
    wiring = Wiring.make(DAG_3, weight_scale=1.2, bias_scale=0.3)
    nodes = SignalMaps.of(wiring, "activation-first", "erf").nodes(0.8)
    for node, code in zip(nodes[1:], ("2", "2_21", DAG_3), strict=True):
        maps = SignalMaps.of(Wiring.make(code, weight_scale=1.2, bias_scale=0.3), "activation-first", "erf")
        assert_close(node.variance, float(maps.variance(0.8)))
        assert_close(node.chi, float(maps.chi(0.8)))
    assert [node.node for node in nodes] == [0, 1, 2, 3]
    # By hand: node 2 adds a linear edge from 0 and a copy of node 1, node 3 copies of 0 and 1 and an edge from 2.
    w2, v2 = 1.2**2, 0.3**2
    one = w2 * erf_map(0.8, 0.8) + v2
    two = one + one
    three = 0.8 + one + w2 * erf_map(two, two) + v2
    assert_close([node.variance for node in nodes], [0.8, one, two, three])


def test_nodes_off_the_paths_have_no_signal():
    nodes = SignalMaps.of("2_00_020", activation="erf").nodes()
    assert [node.node for node in nodes] == [0, 1, 3]


def test_centred_correlations_leave_the_means_out():
    """One ReLU edge: f = (sin + (pi - theta) cos) / pi, means 1 / sqrt(pi) each."""
    c = np.array([-1.0, -0.3, 0.0, 0.5, 1.0])
    theta = np.arccos(c)
    f = (np.sin(theta) + (math.pi - theta) * c) / math.pi
    maps = SignalMaps.of("2")
    assert_close(maps.correlation(c), f)
    assert_close(maps.correlation(c, centred=True), (f - 1 / math.pi) / (1 - 1 / math.pi))
    assert_close(SignalMaps.of("2", "activation-first").correlation(c, centred=True), f)


def test_finite_networks_part_their_inputs_as_the_maps_say():
    """Mean squared distance of the features of two inputs 0.3 radians apart, DAG#3 with scales, width 256."""
    wiring = Wiring.make(DAG_3, weight_scale=1.3, bias_scale=0.4)
    maps = SignalMaps.of(wiring, activation="erf")
    c, rng, width = math.cos(0.3), np.random.default_rng(0), 256
    expected = 2 * float(maps.variance(1.0)) * (1 - float(maps.correlation(c)))
    angle, found, sigma = np.array([0.0, 0.3]), [], get("erf")
    inputs = np.stack([np.cos(angle), np.sin(angle)])

    def edge(h):
        z = 1.3 * rng.normal(size=(width, width)) @ h / np.sqrt(width) + 0.4 * rng.normal(size=(width, 1))
        return ERF_C**0.5 * np.asarray(sigma(z))

    for _ in range(150):
        h = [rng.normal(size=(width, 2)) @ inputs]
        h.append(edge(h[0]))
        h.append(edge(h[0]) + h[1])
        h.append(h[0] + h[1] + edge(h[2]))
        found.append(((h[3][:, 0] - h[3][:, 1]) ** 2).mean())
    assert_mean(found, expected, power=0.1)
    unscaled = SignalMaps.of(Wiring.make(DAG_3, bias_scale=0.4), activation="erf")
    wrong = 2 * float(unscaled.variance(1.0)) * (1 - float(unscaled.correlation(c)))
    assert abs(wrong - expected) > 0.1 * expected


# ---- stacks ----------------------------------------------------------------------------------------------------------


def test_a_stack_of_cells_iterates_the_maps_of_one():
    cell = Wiring.make("2_12", weight_scale=0.7, bias_scale=0.3)
    maps, twice = (SignalMaps.of(network, "activation-first") for network in (cell, cell.then(cell)))
    middle = maps.variance(1.5)
    assert_close(float(twice.variance(1.5)), float(maps.variance(middle)))
    assert_close(float(twice.chi(1.5)), float(maps.chi(1.5) * maps.chi(middle)))
    again = maps.correlation(maps.correlation(0.2, 1.5), middle)
    assert_close(float(twice.correlation(0.2, 1.5)), float(again))


def test_stacks_whose_means_multiply_are_refused_and_only_those():
    """With activation-last: a copy of the input beside a ReLU edge, whose means add from the second cell on."""
    residual = SignalMaps.of("2_11")  # h_0 + h_1
    once, twice = residual.variance(1.0), SignalMaps.of(Wiring.make("2_11").then("2_11")).variance(1.0)
    assert float(twice) > 1.1 * float(residual.variance(once))
    with pytest.raises(InputError, match="another mean"):
        fixed_point(residual)
    normed = SignalMaps.of(Wiring.make("2_11", layer_norm=[2]))
    for stackable in (normed, SignalMaps.of("2_11", activation="erf"), SignalMaps.of("1_02")):
        cell = stackable.wiring
        twice = SignalMaps(cell.then(cell), stackable.reading).variance(1.0)
        assert_close(float(twice), float(stackable.variance(stackable.variance(1.0))))
        require_stackable(stackable)


def test_the_fixed_point_is_where_iteration_ends():
    maps = SignalMaps.of(Wiring.make("2", weight_scale=1.2, bias_scale=0.3), activation="erf")
    found = fixed_point(maps, 0.2)
    w2, v2, q, c = 1.2**2, 0.3**2, 0.2, 0.999
    for _ in range(200):
        q = float(erf_map(w2 * q + v2, w2 * q + v2))
    for _ in range(400):
        before = c
        c = float(erf_map(w2 * q + v2, w2 * c * q + v2)) / q
    assert_close(found.variance, q)
    assert_close(found.correlation, c, tolerance=1e-9, reason="the slope there is 0.85: iteration ends at 1e-12 or so")
    assert found.phase == "chaotic"
    assert before == pytest.approx(c)
    # Differences shrink by the slope from cell to cell.
    apart = [erf_map(w2 * q + v2, w2 * (c + d) * q + v2) / q - c for d in (1e-5, -1e-5)]
    assert_close(found.correlation_slope, (apart[0] - apart[1]) / 2e-5, tolerance=1e-8, reason="a difference quotient")
    assert_close(found.depth_correlation, -1 / math.log(found.correlation_slope))
    assert_close(found.depth_variance, -1 / math.log(w2 * ERF_C * 4 / math.pi * slope_factor(w2 * q + v2)))


def slope_factor(before):
    return 1 / ((1 + 2 * before) * math.sqrt(1 + 4 * before))


@pytest.mark.parametrize(
    ("scales", "variance", "phase"),
    [((0.6, 0.0), 0.0, "ordered"), ((0.6, 0.5), 0.25 / (1 - 0.36), "ordered"), ((1.0, 0.0), 1.0, "critical")],
)
def test_fixed_points_of_relu(scales, variance, phase):
    """q* = v^2 / (1 - w^2) with activation-first, chi = w^2."""
    w, v = scales
    found = fixed_point(SignalMaps.of(Wiring.make("2", weight_scale=w, bias_scale=v), "activation-first"))
    assert_close(found.variance, variance)
    assert_close(found.chi, w**2)
    assert (found.phase, found.correlation) == (phase, 1.0)


def test_a_variance_that_grows_without_bound_is_infinite():
    found = fixed_point(SignalMaps.of(Wiring.make("2_12", weight_scale=1.1), "activation-first"))
    assert found.variance == math.inf
    assert found.phase == "chaotic"
    assert found.depth_correlation == math.inf  # the correlation map of ReLU has slope 1 at 1 whatever its scale


def test_what_has_no_maps_is_refused():
    maps = SignalMaps.of("2")
    for ask, says in [
        (lambda: SignalMaps.of("0"), "no path"),
        (lambda: SignalMaps.of(Wiring.stack([Wiring.make("2")] * 2)), "not of a batch"),
        (lambda: maps.variance(0.0), "positive"),
        (lambda: maps.correlation(1.5), "between -1 and 1"),
        (lambda: maps.at_node(2), r"those of this DAG are 1\.\.1"),
        (lambda: SignalMaps.of("0_20").at_node(1), "cannot be reached"),
        (lambda: fixed_point(maps, -1.0), "positive"),
    ]:
        with pytest.raises(InputError, match=says):
            ask()
