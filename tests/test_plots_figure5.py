"""Figure 5 as drawn: a circle a group, grey for accuracy, radius for deviation, the impossible shaded."""

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from nngp_dag import spaces
from nngp_dag.accuracy import Benchmark
from nngp_dag.accuracy.groups import group
from nngp_dag.reproduce.figure5.plot import plot_figure5, plot_shape_groups
from nngp_dag.reproduce.figure5.report import analyse


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    space = spaces.get("complete-4")
    rows = space.enumerate()
    accuracy = np.random.default_rng(0).uniform(50, 90, size=len(rows))
    return Benchmark(space, rows[:, None], {"cifar10": accuracy, "other": 100 - accuracy})


def circles(ax) -> mpl.collections.PathCollection:
    """The scatter with the data; legend handles are empty scatters."""
    return max(
        (c for c in ax.collections if isinstance(c, mpl.collections.PathCollection)), key=lambda c: len(c.get_offsets())
    )


def test_a_circle_a_group(benchmark: Benchmark) -> None:
    groups = group(benchmark)
    ax = plot_shape_groups(groups, "cifar10", possible=benchmark.totals, box=benchmark.space.range.shrink("1/2"))
    drawn = circles(ax)
    offsets, sizes, values = np.asarray(drawn.get_offsets()), drawn.get_sizes(), np.asarray(drawn.get_array())
    assert sorted(map(tuple, offsets.tolist())) == sorted(zip(groups.depth, groups.width, strict=True))
    for (d, m), size, value in zip(offsets, sizes, values, strict=True):
        i = int(np.flatnonzero((groups.depth == d) & (groups.width == m))[0])
        assert value == groups.mean["cifar10"][i]
        proper = groups.deviation["cifar10"][groups.depth > 0]
        share = min(groups.deviation["cifar10"][i] / proper.max(), 1)
        radii = np.sqrt(sizes) / 2
        low, high = radii.min(), radii.max()
        assert np.sqrt(size) / 2 == pytest.approx(3 + (high - 3) * share, abs=1e-9)
        assert low >= 3
    colours = drawn.to_rgba(values)[:, 0]
    assert colours[values.argmax()] > colours[values.argmin()]  # black is worst


def test_the_shaded_region_holds_no_cell(benchmark: Benchmark) -> None:
    ax = plot_shape_groups(group(benchmark), "cifar10", possible=benchmark.totals)
    (shade,) = (c for c in ax.collections if isinstance(c, mpl.collections.PolyCollection))
    inside = shade.get_paths()
    totals = benchmark.totals.take(benchmark.totals.nondegenerate)
    points = np.column_stack([totals.depth, totals.width])
    for path in inside:
        assert not path.contains_points(points - 1e-6).any()
        # Right above and right of the deepest cells, and above the widest, nothing exists.
        assert path.contains_points([[3.05, 0.5], [1.1, 4.05], [1.8, 2.5]]).all()


def test_a_panel_a_data_set(benchmark: Benchmark) -> None:
    figure = plot_figure5(analyse(benchmark, fixed=3, resamples=5))
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert [title.split("\n")[0] for title in titles] == ["CIFAR-10", "other"]
    assert all("over architectures" in title and "over groups" in title for title in titles)
    figure.canvas.draw()


def test_one_group_and_no_deviation_are_drawn() -> None:
    space = spaces.get("complete-3")
    rows = space.parse("2_02")[None]
    alone = Benchmark(space, rows, {"a": np.array([50.0])})
    ax = plot_shape_groups(group(alone), "a")
    ax.figure.canvas.draw()
    degenerate = Benchmark(space, space.parse("0_00")[None], {"a": np.array([10.0])})
    plot_shape_groups(group(degenerate), "a").figure.canvas.draw()


def test_labels_of_the_legend_stay_clear_of_its_circles(benchmark: Benchmark) -> None:
    ax = plot_shape_groups(group(benchmark.fixed(3)), "cifar10", box=benchmark.space.range)
    ax.figure.canvas.draw()
    legend = ax.get_legend()
    labels = [text.get_window_extent() for text in legend.get_texts()]
    drawn = [h for h in legend.legend_handles if isinstance(h, mpl.collections.PathCollection)]
    assert len(drawn) == 2 and len(labels) == 3
    for handle in drawn:
        ((x, _),) = handle.get_offset_transform().transform(handle.get_offsets())
        radius = np.sqrt(handle.get_sizes()[0]) / 2 * ax.figure.dpi / 72
        clear = radius + 2 * ax.figure.dpi / 72
        assert all(label.x1 < x - clear or label.x0 > x + clear for label in labels)
