"""Plots hold what they claim to show: every edge with the look of its operation, every resolved eigenvalue."""

import io

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Circle, FancyArrowPatch

from nngp_dag import Dag, InputError
from nngp_dag.plots import SYMBOLS, draw_dag, plot_spectral_density, plot_spectrum
from nngp_dag.plots.style import COLOURS, LINES, METHOD_LINES
from nngp_dag.spectrum import spectrum

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    plt.close("all")  # those that tests of other files left open in this process
    yield
    plt.close("all")


def edges_drawn(ax):
    """Arrows by edge: {(s, t): (operation, colour, solid?, alpha)}."""
    arrows = {}
    for arrow in ax.patches:
        if isinstance(arrow, FancyArrowPatch):
            _, s, t, op = arrow.get_gid().split()
            solid = arrow.get_linestyle() in ("-", "solid")
            arrows[int(s), int(t)] = (op, to_hex(arrow.get_edgecolor()), solid, arrow.get_alpha())
    return arrows


def random_dag(n, seed, p=None):
    rng = np.random.default_rng(seed)
    return Dag.from_array(rng.choice(3, size=n * (n - 1) // 2, p=p).astype(np.int8))


def luminance(colour):
    """Relative luminance of the sRGB standard."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


# ---- DAGs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["2_02_002", "1_01_222", "2_21_112", "0", "2"])
def test_every_edge_of_a_small_dag_has_the_look_of_its_operation(code):
    dag = Dag.from_code(code)
    arrows = edges_drawn(draw_dag(dag))
    assert len(arrows) == len(dag.ops)
    for (s, t), (op, colour, solid, _) in arrows.items():
        assert op == dag.op(s, t).name.lower()
        assert solid == (op == "linear")
        assert (luminance(colour) > 0.25) == (op == "zero")


def test_zero_edges_lie_below_the_others():
    ax = draw_dag(Dag.from_code("2_02_002"))
    order = {patch.get_gid().split()[-1]: patch.get_zorder() for patch in ax.patches if patch.get_gid()}
    assert order["zero"] < order["linear"] < max(p.get_zorder() for p in ax.patches if isinstance(p, Circle))


def test_what_no_path_uses_is_faded():
    arrows = edges_drawn(draw_dag(Dag.from_code("1_02_200")))  # of nodes 1 and 2 nothing reaches the output
    assert arrows[0, 3][3] == 1 and arrows[0, 1][3] < 1 and arrows[1, 2][3] < 1


def test_nodes_are_labelled():
    ax = draw_dag(Dag.from_code("2_21_112"))
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2", "3"]
    assert ax.get_title() == "2_21_112"
    assert draw_dag(Dag.from_code("2"), title="one edge").get_title() == "one edge"


@pytest.mark.parametrize("n", [9, 12, 40])
def test_large_dags_show_every_edge_but_zero_ones(n):
    dag = random_dag(n, n)
    ax = draw_dag(dag)
    arrows = edges_drawn(ax)
    assert {(s, t, op) for (s, t), (op, *_) in arrows.items()} == {(s, t, op.name.lower()) for s, t, op in dag.edges()}
    assert "(zero edges not drawn)" in [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize(
    "dag", [random_dag(4, 0), random_dag(8, 1), random_dag(20, 2, (0.8, 0.1, 0.1)), random_dag(40, 3)]
)
def test_all_arrows_and_nodes_lie_within_the_axes(dag):
    ax = draw_dag(dag)
    ax.figure.canvas.draw()
    box = ax.get_window_extent()
    for patch in ax.patches:
        inside = patch.get_path().transformed(patch.get_transform()).get_extents()
        assert box.x0 - 1 <= inside.x0 and inside.x1 <= box.x1 + 1
        assert box.y0 - 1 <= inside.y0 and inside.y1 <= box.y1 + 1


def test_four_node_arcs_leave_their_ends_apart():
    ax = draw_dag(Dag.from_code("2_22_222"))
    ax.figure.canvas.draw()
    middles = []
    for patch in ax.patches:
        if isinstance(patch, FancyArrowPatch):
            points = patch.get_path().interpolated(20).vertices
            middles.append(points[len(points) // 4])
    distances = [np.linalg.norm(a - b) for i, a in enumerate(middles) for b in middles[:i]]
    assert min(distances) > 0.05


def test_more_than_forty_nodes_are_refused():
    with pytest.raises(InputError, match="up to 40 nodes, this DAG has 41"):
        draw_dag(random_dag(41, 0))
    assert plt.get_fignums() == []


def test_the_axes_given_are_used_and_settings_left_alone():
    before = dict(matplotlib.rcParams)
    _, axes = plt.subplots(1, 4)
    k = np.diag([1.0, 2.0])
    assert draw_dag(Dag.from_code("2"), axes[0]) is axes[0] and axes[0].get_legend() is None
    assert draw_dag(Dag.from_code("2"), axes[1], legend=True) is axes[1] and axes[1].get_legend() is not None
    assert plot_spectrum(k, axes[2]) is axes[2]
    assert plot_spectral_density(k, axes[3]) is axes[3]
    assert len(plt.get_fignums()) == 1 and dict(matplotlib.rcParams) == before


# ---- spectra ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def kernels():
    x = np.random.default_rng(0).normal(size=(30, 60))
    return {"full": x @ x.T, "low rank": x[:, :12] @ x[:, :12].T}


def test_eigenvalues_in_descending_order_down_to_the_resolution(kernels):
    ax = plot_spectrum(kernels)
    full, low = ax.lines[:2]
    eigenvalues = np.linalg.eigvalsh(kernels["full"])[::-1]
    np.testing.assert_array_equal(full.get_xdata(), np.arange(1, 31))
    np.testing.assert_allclose(full.get_ydata(), eigenvalues, rtol=1e-10)
    assert len(low.get_ydata()) == 12
    floor = ax.lines[2].get_ydata()[0]
    assert floor == pytest.approx(30 * np.finfo(float).eps * np.linalg.eigvalsh(kernels["low rank"])[-1])
    assert ax.get_yscale() == "log" and ax.get_ylabel() == SYMBOLS["eigenvalue"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["full", "low rank"]


def test_scale_free_spectra_do_not_depend_on_scale(kernels):
    s = spectrum(kernels["full"])
    ax = plot_spectrum({"a": s, "b": 1000 * kernels["full"]}, scale_free=True, log_rank=True)
    a, b = (line.get_ydata() for line in ax.lines)
    np.testing.assert_allclose(a, b, rtol=1e-10)
    assert a.sum() == pytest.approx(30)
    assert ax.get_xscale() == "log" and ax.get_ylabel() == SYMBOLS["scale_free"]


def test_a_single_kernel_needs_no_legend_and_zero_kernels_draw_nothing(kernels):
    assert plot_spectrum(kernels["full"]).get_legend() is None
    assert len(plot_spectrum(np.zeros((3, 3))).lines[0].get_ydata()) == 0


def test_density_curves_integrate_to_the_resolved_fraction(kernels):
    ax = plot_spectral_density(kernels)
    for line, fraction in zip(ax.lines, (1, 0.4), strict=True):
        area = np.trapezoid(line.get_ydata(), np.log10(line.get_xdata()))
        assert area == pytest.approx(fraction, abs=2e-3)
    scaled = plot_spectral_density({"a": 7 * kernels["full"]}, scale_free=True).lines[0]
    np.testing.assert_allclose(scaled.get_ydata(), ax.lines[0].get_ydata(), rtol=1e-6)


def test_styles_can_be_given_by_label(kernels):
    ax = plot_spectrum(kernels, styles={"low rank": METHOD_LINES["path-sum"] | {"marker": "*"}})
    assert ax.lines[1].get_color() == COLOURS["green"] and ax.lines[1].get_marker() == "*"
    assert ax.lines[0].get_color() == COLOURS["blue"]


def test_nothing_to_draw_is_refused():
    with pytest.raises(InputError, match="nothing to draw"):
        plot_spectrum({})
    with pytest.raises(InputError, match="symmetric"):
        plot_spectrum({"a": np.array([[1.0, 2.0], [3.0, 4.0]])})


# ---- style -----------------------------------------------------------------------------------------------------------


def test_no_two_series_differ_in_colour_alone():
    for key in ("color", "linestyle", "marker"):
        values = [str(look[key]) for look in LINES]
        assert len(set(values)) == len(values)
    assert all(1.05 / (luminance(look["color"]) + 0.05) > 2 for look in LINES)  # contrast to white paper


def test_figures_save_as_png_and_pdf(kernels):
    for figure in (draw_dag(Dag.from_code("2_21_112")).figure, plot_spectrum(kernels).figure):
        for kind, magic in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind)
            assert buffer.getvalue().startswith(magic)
