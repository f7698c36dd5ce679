"""Plots of dual maps, angles, depth and spaces: what is drawn is what was computed, and settings are left alone."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from nngp_dag import Dag, InputError, enumerate_codes
from nngp_dag.kernel.angle_curves import angle_curves
from nngp_dag.paths import effective_depth_width, path_counts_array
from nngp_dag.plots import (
    figure_style,
    fixed_points,
    plot_angle,
    plot_depth,
    plot_discrepancy_map,
    plot_dual_map,
    plot_space,
    use_style,
)
from nngp_dag.plots.style import METHOD_LINES, shown_name
from nngp_dag.spectrum import spectrum

pytestmark = pytest.mark.usefixtures("quick_compilation")

DAG2 = Dag.from_code("1_01_222")


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def line(ax, label):
    (found,) = [entry for entry in ax.lines if entry.get_label() == label]
    return found


# ---- dual maps -------------------------------------------------------------------------------------------------------


def relu_f(rho):
    return (np.sqrt(np.maximum(1 - rho**2, 0)) + (np.pi - np.arccos(np.clip(rho, -1, 1))) * rho) / np.pi


def test_dual_map_draws_iterates_of_f(ax):
    assert plot_dual_map("relu", ax, iterates=(1, 3)) is ax
    curves = [entry for entry in ax.lines if len(entry.get_xdata()) > 100]
    rho = curves[0].get_xdata()
    np.testing.assert_allclose(curves[0].get_ydata(), relu_f(rho), atol=1e-12)
    np.testing.assert_allclose(curves[1].get_ydata(), relu_f(relu_f(relu_f(rho))), atol=1e-12)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", [(1.0, True)]),
        ("erf", [(-1.0, False), (0.0, True), (1.0, False)]),
        ("identity", []),
    ],
)
def test_fixed_points(activation, expected):
    found = fixed_points(activation)
    assert [attracts for _, attracts in found] == [attracts for _, attracts in expected]
    np.testing.assert_allclose([p for p, _ in found], [p for p, _ in expected], atol=1e-9)


def test_a_fixed_point_between_grid_points_is_found():
    # sigma(x) = x^2 - 1 + b x has f(rho) = (b^2 rho + 2 rho^2) / (b^2 + 2): slope below one at 0, above at 1.
    from nngp_dag.activations import from_function

    found = fixed_points(from_function(lambda x: x**2 - 1 + 0.7 * x, "mixed"))
    assert [round(p, 6) for p, _ in found] == [0.0, 1.0]
    assert [attracts for _, attracts in found] == [True, False]


def test_dual_map_refuses_nothing_to_draw(ax):
    for iterates in ((), (0,)):
        with pytest.raises(InputError, match="at least 1"):
            plot_dual_map("relu", ax, iterates=iterates)


# ---- angles ----------------------------------------------------------------------------------------------------------


def test_angle_draws_every_method_that_applies(ax):
    curves = angle_curves(DAG2)
    assert plot_angle(curves, ax) is ax
    assert [entry.get_label() for entry in ax.lines] == ["exact", "independent", "path-sum"]
    assert ax.get_legend().get_title().get_text() == "(neural-tangents: does not apply)"
    exact = line(ax, "exact")
    np.testing.assert_allclose(exact.get_xdata()[[0, 90, 180]], [0, 90, 180])
    np.testing.assert_allclose(exact.get_ydata() - line(ax, "independent").get_ydata(), 6 / np.pi, rtol=1e-12)
    assert exact.get_color() == METHOD_LINES["exact"]["color"]


def test_angle_gap_leaves_out_its_zero(ax):
    plot_angle(DAG2, ax, gap=True, methods=("independent",))
    (drawn,) = ax.lines
    assert drawn.get_xdata()[0] == pytest.approx(1)
    np.testing.assert_allclose(drawn.get_ydata(), 3 * (1 - relu_f(np.cos(np.radians(drawn.get_xdata())))), rtol=1e-9)
    assert ax.get_yscale() == "log"


def test_angle_refuses_unknown_names(ax):
    with pytest.raises(InputError, match="unknown kernel 'cov'"):
        plot_angle(DAG2, ax, kernel="cov")
    with pytest.raises(InputError, match="unknown method nothing"):
        plot_angle(DAG2, ax, methods=("nothing",))
    with pytest.raises(InputError, match="neural-tangents"):
        plot_angle(DAG2, ax, methods=("neural-tangents",))


# ---- depth -----------------------------------------------------------------------------------------------------------


def test_depth_draws_extremes_and_median_at_the_nodes(ax):
    kernels = {0: np.diag([1.0, 2.0, 4.0]), 3: np.diag([2.0, 6.0, 40.0])}
    assert plot_depth(kernels, ax) is ax
    lowest, middle, highest = sorted(ax.lines, key=lambda entry: entry.get_ydata()[0])
    np.testing.assert_allclose(lowest.get_ydata(), [1, 2])
    np.testing.assert_allclose(middle.get_ydata(), [2, 6])
    np.testing.assert_allclose(highest.get_ydata(), [4, 40])
    np.testing.assert_array_equal(lowest.get_xdata(), [0, 3])


def test_depth_scale_free_and_zero_eigenvalues(ax):
    singular = spectrum(np.diag([0.0, 2.0, 4.0]))
    plot_depth({0: singular, 1: spectrum(np.diag([1.0, 1.0, 4.0]))}, ax, scale_free=True)
    lowest = min(ax.lines, key=lambda entry: entry.get_ydata()[0])
    assert lowest.get_ydata()[1] == pytest.approx(0.5)
    assert 0 < lowest.get_ydata()[0] < 0.5  # at the bottom, below all that can be told from zero
    assert [text.get_text() for text in ax.texts] == ["zero"]


def test_depth_refuses_nothing_to_draw(ax):
    with pytest.raises(InputError, match="nothing to draw"):
        plot_depth({}, ax)
    with pytest.raises(InputError, match="told from zero"):
        plot_depth({0: np.zeros((2, 2))}, ax)


# ---- spaces ----------------------------------------------------------------------------------------------------------


def test_space_groups_dags_of_equal_depth_and_width(ax):
    codes = enumerate_codes(3)
    values = np.arange(len(codes), dtype=float)
    assert plot_space(codes, values, ax) is ax
    depth, width = effective_depth_width(path_counts_array(codes))
    groups = {}
    for d, m, value in zip(depth, width, values, strict=True):
        if d > 0:
            groups.setdefault((round(d, 9), round(m, 9)), []).append(value)
    points = ax.collections[0]
    drawn = {tuple(np.round(p, 9)): v for p, v in zip(points.get_offsets(), points.get_array(), strict=True)}
    assert drawn == {shape: max(members) for shape, members in groups.items()}
    sizes = dict(zip(map(tuple, np.round(points.get_offsets(), 9)), points.get_sizes(), strict=True))
    assert max(sizes, key=sizes.get) == max(groups, key=lambda shape: len(groups[shape]))


def test_space_refuses_what_does_not_fit(ax):
    with pytest.raises(InputError, match="need as many values"):
        plot_space(enumerate_codes(3), np.ones(5), ax)
    with pytest.raises(InputError, match="nothing to draw"):
        plot_space(np.array([[1, 0, 0]]), np.ones(1), ax)


def test_map_puts_inner_edges_in_rows_and_output_edges_in_columns(ax):
    codes = enumerate_codes(4)
    values = np.where((codes[:, 0] == 2) & (codes[:, 5] == 1), 0.5, 0.0)
    values[0] = np.nan
    assert plot_discrepancy_map(codes, values, ax) is ax
    image = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert image.shape == (27, 27)
    assert np.isnan(image[0, 0])
    index = int(np.flatnonzero(values == 0.5)[7])
    assert image[index // 27, index % 27] == 0.5
    assert (np.nan_to_num(image)[:18] == 0).all()
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels[:3] == ["0_00", "0_10", "0_20"]
    assert not any(entry.get_visible() for entry in ax.get_xgridlines())


def test_map_refuses_incomplete_spaces(ax):
    codes = enumerate_codes(3)
    with pytest.raises(InputError, match="complete space"):
        plot_discrepancy_map(codes[::-1], np.zeros(len(codes)), ax)
    with pytest.raises(InputError, match="as many values"):
        plot_discrepancy_map(codes, np.zeros(3), ax)


# ---- style -----------------------------------------------------------------------------------------------------------


def test_styles_leave_other_settings_alone():
    before = dict(mpl.rcParams)
    with figure_style():
        assert mpl.rcParams["mathtext.fontset"] == "cm"
    assert dict(mpl.rcParams) == before


def test_a_backend_loaded_while_drawing_stays_interactive():
    """In a notebook the first plot loads the backend; what that sets must outlive the drawing."""
    before = mpl.rcParams["interactive"]
    try:
        with figure_style():
            mpl.rcParams["interactive"] = not before
        assert mpl.rcParams["interactive"] is not before
    finally:
        mpl.rcParams["interactive"] = before


def test_use_style_holds_for_the_session():
    with mpl.rc_context():
        use_style()
        assert mpl.rcParams["axes.grid"]
        assert not mpl.rcParams["axes.spines.top"]


@pytest.mark.parametrize("name", [r"$\frac{x$", "a$b$", "cost $", "\x1b[31m"])
def test_names_of_files_are_shown_as_they_are(name, ax):
    """A formula that matplotlib cannot read would end the run in the plot of its result."""
    title = ax.set_title(f"{shown_name(name)}: $R$ = 1")
    ax.figure.canvas.draw()
    text, _ = title._preprocess_math(ax.set_xlabel(shown_name(name)).get_text())
    assert text == name.replace("\x1b", r"\x1b")


@pytest.mark.parametrize("points", [4, 5, 40])
def test_curves_that_coincide_are_all_seen(points, ax):
    """Three equal curves, measured and predicted: pixels of every colour are left without the help of markers."""
    from nngp_dag.finite.training import Curves
    from nngp_dag.plots.curves import plot_curves, prediction_line
    from nngp_dag.plots.style import LINES
    from nngp_dag.prediction import PredictedCurve

    steps, values = list(range(points)), np.linspace(1, 2, points)
    curves = Curves(("2", "1_12", "2_02"), (0,), steps)
    curves.evaluated["loss"] = [np.full((3, 1), value) for value in values]
    predicted = PredictedCurve(tuple(steps), values + 1, values, values)
    plot_curves(curves, predictions=[predicted] * 3, legend=False, ax=ax)
    measured, dashed = ax.lines[::2], ax.lines[1::2]
    assert all(line.get_marker() != "None" for line in measured)
    assert all(line.get_marker() == "None" for line in dashed)
    for line in measured:
        line.set_marker("")  # dashes alone must do
    ax.figure.canvas.draw()
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())[..., :3] / 255.0
    for i in range(3):
        for colour in (mpl.colors.to_rgb(LINES[i]["color"]), prediction_line(i)["color"]):
            assert (np.abs(pixels - colour).max(axis=-1) < 0.12).sum() > 40, (i, colour)
