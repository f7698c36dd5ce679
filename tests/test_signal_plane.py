"""The order-to-chaos plane against its parametric form, known points, and the fixed points of single networks; its plot
and the command.
"""

import json
import math
from dataclasses import replace
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
from command_line import run_command
from helpers import assert_close
from scipy import integrate, optimize

from nngp_dag import InputError, Wiring
from nngp_dag.plots import plot_order_chaos
from nngp_dag.signal import SignalMaps, deep_kernel_shaping, fixed_point, order_chaos_plane

pytestmark = pytest.mark.usefixtures("quick_compilation")


def gaussian_mean(function):
    """E[function(z)], z ~ N(0, 1), by an adaptive rule of SciPy."""
    return integrate.quad(lambda z: function(z) * math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi), -12, 12)[0]


def critical_tanh(bias_variance):
    """sigma_w^2 on the critical line of a chain of tanh layers (Poole et al. 2016, Schoenholz et al. 2017).

    Along the line, by q*: sigma_w^2 = 1 / E[tanh'(sqrt(q) z)^2] and sigma_b^2 = q - sigma_w^2 E[tanh(sqrt(q) z)^2].
    """

    def weight(q):
        return 1 / gaussian_mean(lambda z: (1 - math.tanh(math.sqrt(q) * z) ** 2) ** 2)

    def off(q):
        return q - weight(q) * gaussian_mean(lambda z: math.tanh(math.sqrt(q) * z) ** 2) - bias_variance

    return weight(optimize.brentq(off, 1e-6, 10, xtol=1e-14))


@pytest.fixture(scope="module")
def tanh_plane():
    maps = SignalMaps.of("2", activation="tanh")
    return order_chaos_plane(maps, np.linspace(0.4, 1.6, 7), np.array([0.0, 0.05**0.5, 1.0]))


def test_the_critical_line_of_tanh(tanh_plane):
    sigma_w_squared = tanh_plane.critical**2 / gaussian_mean(lambda z: math.tanh(z) ** 2)
    why = "beside sigma_w = 1, sigma_b = 0 the slope chi - 1 is of second order: half of the digits"
    assert_close(sigma_w_squared[0], 1.0, tolerance=1e-7, reason=why)
    for found, variance in zip(sigma_w_squared[1:], (0.05, 1.0), strict=True):
        assert_close(found, critical_tanh(variance), tolerance=1e-9, reason="bisection of a range of 0.2, 32 times")
    assert round(float(sigma_w_squared[1]), 2) == 1.76  # the value used with sigma_b^2 = 0.05 in the literature


def test_the_plane_holds_fixed_points_of_its_networks(tanh_plane):
    assert tanh_plane.chi.shape == (3, 7)
    for b, a in ((1, 3), (2, 6)):
        w, v = tanh_plane.weight_scale[a], tanh_plane.bias_scale[b]
        variance, _, chi = SignalMaps.of(Wiring.make("2", weight_scale=w, bias_scale=v), activation="tanh").signals(
            tanh_plane.variance[b, a]
        )
        assert_close(float(variance), tanh_plane.variance[b, a])
        assert_close(float(chi), tanh_plane.chi[b, a])
    assert tanh_plane.variance[0, 0] == 0  # no bias, sigma_w < 1
    assert_close(tanh_plane.chi[0, 0], 0.4**2 / gaussian_mean(lambda z: math.tanh(z) ** 2))


def test_relu_is_critical_at_he_scale_whatever_the_bias():
    """sigma_w^2 = 2, that is w = 1; below, q* = v^2 / (1 - w^2), above none."""
    plane = order_chaos_plane(SignalMaps.of("2", "activation-first"), [0.5, 0.9, 1.2], [0.0, 0.5])
    assert_close(plane.critical, np.ones(2), tolerance=1e-9, reason="bisection of a range of 0.3, 32 times")
    assert_close(plane.chi, np.tile([0.25, 0.81, 1.44], (2, 1)))
    assert_close(plane.variance[:, :2], 0.25 * np.array([[0, 0], [1 / 0.75, 1 / 0.19]]))
    assert np.isinf(plane.variance[:, 2]).all()


def test_the_critical_line_of_a_dag_is_that_of_its_networks():
    """DAG#3, gains divided by the root of the in-degree, whose line is that of a chain (docs/signal.md)."""
    cell = Wiring.make("2_21_112").divided_by_in_degree()
    plane = order_chaos_plane(SignalMaps.of(cell, activation="erf"), [0.5, 1.0, 1.5], [0.4])
    w = float(plane.critical[0])
    for shift in (0.0, -0.01):
        wiring = Wiring.make("2_21_112", weight_scale=w + shift, bias_scale=0.4).divided_by_in_degree()
        found = fixed_point(SignalMaps.of(wiring, activation="erf"))
        assert abs(found.chi - 1) < 1e-8 if shift == 0 else found.phase == "ordered"
    # Of a chain, with Q = w^2 q + v^2: chi = w^2 c (4 / pi) / sqrt(1 + 4 Q) = 1 gives Q, q = f(Q), and Q again.
    c = math.pi / (2 * math.asin(2 / 3))
    before = ((w**2 * c * 4 / math.pi) ** 2 - 1) / 4
    q = c * 2 / math.pi * math.asin(2 * before / (1 + 2 * before))
    assert_close(w**2 * q + 0.4**2, before, tolerance=1e-8, reason="bisection of a range of 0.5, 32 times")


def test_the_plot_shades_where_variances_grow_without_bound():
    """Hatched, with nothing filled: the colours below stay what they are."""
    plane = order_chaos_plane(SignalMaps.of("2", "activation-first"), [0.5, 0.9, 1.2], [0.0, 0.5])
    hatched = [part for part in plot_order_chaos(plane).collections if any(getattr(part, "hatches", []) or [])]
    assert len(hatched) == 1
    assert (hatched[0].get_facecolor()[..., -1] == 0).all()
    plt.close("all")


def test_where_the_line_leaves_the_range_it_is_not_a_number():
    plane = order_chaos_plane(SignalMaps.of("2", "activation-first"), [1.5, 2.0], [0.5])
    assert np.isnan(plane.critical).all()


def test_planes_that_cannot_be_are_refused():
    maps = SignalMaps.of("2", activation="erf")
    for ask, says in [
        (lambda: order_chaos_plane(maps, [1.0], [0.0]), "at least 2"),
        (lambda: order_chaos_plane(maps, [0.0, 1.0], [0.0]), "must be positive"),
        (lambda: order_chaos_plane(maps, [1.0, 0.5], [0.0]), "must ascend"),
        (lambda: order_chaos_plane(maps, [0.5, 1.0], [-0.1]), "must ascend and not be negative"),
        (lambda: order_chaos_plane(SignalMaps.of("1"), [0.5, 1.0], [0.0]), "no linear edge"),
        (lambda: order_chaos_plane(SignalMaps.of("2_12"), [0.5, 1.0], [0.0]), "another mean"),
    ]:
        with pytest.raises(InputError, match=says):
            ask()


def test_the_plot_names_both_phases_and_draws_the_line(tanh_plane):
    ax = plot_order_chaos(tanh_plane)
    assert {text.get_text() for text in ax.texts} == {"ordered", "chaotic"}
    assert_close(ax.lines[0].get_xdata(), tanh_plane.critical)
    (upper,) = ax.child_axes
    assert "sigma_w^2" in upper.get_xlabel() and "tanh" in upper.get_xlabel()
    plt.close("all")
    with pytest.raises(InputError, match="at least two"):
        plot_order_chaos(replace(tanh_plane, bias_scale=tanh_plane.bias_scale[:1]))


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(capsys):
    """Runs the command line in this process: (status, stdout, stderr)."""
    return partial(run_command, capsys, "signal")


def test_the_command_gives_maps_plane_and_shaped_activation(run, tmp_path):
    picture = tmp_path / "plane.png"
    status, out, err = run(
        *("2_02", "--activation", "erf", "--weight-scale", 0.5, "--bias-scale", 0.3, "--correlations", "0,0.5"),
        *("--grid", 3, "--weight-scales", "0.4,1.6", "--out", picture, "--json"),
    )
    assert status == 0
    document = json.loads(out)
    maps = SignalMaps.of(Wiring.make("2_02", weight_scale=0.5, bias_scale=0.3), activation="erf")
    assert_close(document["variance"], float(maps.variance(1.0)))
    assert_close(document["chi"], float(maps.chi(1.0)))
    assert [node["node"] for node in document["nodes"]] == [0, 1, 2]
    assert [point["input"] for point in document["correlations"]] == [0, 0.5]
    assert document["stacked"]["phase"] == "ordered"
    cell = SignalMaps.of("2_02", activation="erf")  # its axes are the scales themselves
    plane = order_chaos_plane(cell, np.linspace(0.4, 1.6, 3), np.linspace(0, 1, 3))
    assert_close(np.array(document["plane"]["chi"]), plane.chi)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert err == f"plot written to {picture}\n"


def test_the_command_takes_the_wiring_of_a_file(run, tmp_path):
    scales = {(0, 1): 0.5, (1, 2): 1.3}
    wiring = Wiring.make("2_02", weight_scale=scales, bias_scale=0.3, activation={(0, 1): "erf"})
    wiring.save(tmp_path / "w.json")
    asked = ("--wiring", tmp_path / "w.json", "--activation", "identity", "--correlations", "0.5")
    status, out, _ = run(*asked, "--plane", "--grid", 2, "--weight-scales", "0.5,1", "--json")
    assert status == 0
    document, maps = json.loads(out), SignalMaps.of(wiring, activation="identity")
    assert document["wiring"] == json.loads(wiring.to_json()) and "weight_scale" not in document
    assert_close(document["variance"], float(maps.variance(1.0)))
    assert_close(document["chi"], float(maps.chi(1.0)))
    plane = order_chaos_plane(maps, [0.5, 1.0], [0.0, 1.0])  # multiplies its weight scales
    assert_close(np.array(document["plane"]["chi"]), plane.chi)
    assert "of the wiring" in run("2_02", *asked)[1]
    for refused, says in (
        (("2", *asked), "is of 2_02, not of 2"),
        ((*asked, "--bias-scale", 1), "the file has the scales"),
        ((), "CODE"),
    ):
        status, _, err = run(*refused)
        assert status == 2 and says in err


def test_the_command_prints_tables(run):
    status, out, _ = run("2", "--shape", "dks", "--activation", "erf", "--target", "1.2", "--correlations", "")
    assert status == 0
    assert "Stacked: ordered" in out or "Stacked: chaotic" in out
    assert f"{deep_kernel_shaping('2', 'erf', max_slope=1.2).input_scale:.6g}" in out
    status, out, _ = run("2_11", "--correlations", "")
    assert status == 0
    assert "Stacked: stacked cells" in out


def test_the_command_refuses_in_one_line(run, tmp_path):
    for arguments, says in [
        (("2", "--target", "2"), "--target needs --shape"),
        (("2", "--correlations", "a"), "--correlations needs"),
        (("2", "--weight-scales", "1"), "--weight-scales needs 2 numbers"),
        (("2", "--out", tmp_path / "plane.txt"), "ends in .png"),
        (("2", "--shape", "tat"), "has a kink"),
        (("0",), "no path"),
    ]:
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert err.count("\n") == 1 and says in err
