"""Kernels of convolutional cells: against a literal reference, and what must hold whatever the network."""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conv_reference import Network
from helpers import assert_close

import nngp_dag
import nngp_dag.conv.nasbench201
from nngp_dag import InputError
from nngp_dag.activations import get
from nngp_dag.activations.relu import Relu
from nngp_dag.conv import ConvCell, ConvNetwork, Convolution, Pool, Skip
from nngp_dag.conv import blocks as blocks_module
from nngp_dag.conv import gram as gram_module
from nngp_dag.conv.channels import Channels, convolved
from nngp_dag.conv.functions import conv_kernel_of
from nngp_dag.conv.images import shrunk, unit_images
from nngp_dag.reading import ORDERS, Reading

pytestmark = pytest.mark.usefixtures("quick_compilation")

CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|avg_pool_3x3~1|skip_connect~2|"
"""Shared skips and pools: nodes 2 and 3 read node 0 and each other along several paths without weights."""

CHAIN = "|nor_conv_1x1~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"
"""A cell that is a chain at its end, without the edges of its output node that others have."""

TWO_PORTS = ConvCell(
    (
        (0, 1, Convolution(3, stride=2, weight_scale=1.3, bias_scale=0.4, gain=0.8)),
        (0, 2, Convolution(3, dilation=2)),
        (0, 2, Pool(3, gain=0.7)),
        (0, 2, Skip(gain=1.2)),
        (1, 4, Convolution(1, activated=False, weight_scale=0.9, bias_scale=0.3)),
        (1, 4, Convolution(3, matrices=2)),
        (2, 3, Pool(3, stride=2)),
        (2, 3, Convolution(1, stride=2)),
        (3, 4, Skip()),
        (3, 4, Pool(3)),
    )
)
"""Every kind of operation; node 1 leaves through two ports, and node 3 reaches node 4 along two skip paths."""

NORMALIZED = ConvCell(
    tuple((s, t, replace(op, normalized=t != 3) if isinstance(op, Convolution) else op) for s, t, op in TWO_PORTS.edges)
)
"""Layer norm behind convolutions of every kind, with gains and biases, and one convolution without."""

OPPOSITE = ConvCell(
    ((0, 1, Convolution(3)), (1, 2, Convolution(1, gain=-0.5)), (0, 2, Convolution(1, gain=0.3)), (1, 2, Skip()))
)
"""Means of features that meet with opposite signs."""

CANCELLED = ConvCell(((0, 1, Convolution(3)), (1, 2, Skip()), (1, 2, Skip(gain=-1.0)), (1, 3, Skip()), (2, 3, Skip())))
"""Node 2 is zero: its skips cancel."""

WITHOUT_POOLS = ConvCell(tuple(edge for edge in TWO_PORTS.edges if not isinstance(edge[2], Pool)))


SHIFTED = ConvCell(
    (
        (0, 1, Convolution(1, stride=2, offset=1)),
        (0, 2, Convolution(3, stride=2, offset=1, dilation=2, bias_scale=0.3)),
        (1, 3, Skip()),
        (2, 3, Convolution(1)),
        (2, 3, Pool(3)),
    )
)
"""Windows that start one pixel further down and right."""


def images(n, size, channels=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, size, size, channels))


def kernels_of(network, order, x, activation="relu", **options):
    return conv_kernel_of(network, Reading.make(order, "gaussian-trained", activation))(x, **options)


def nasbench(net, h, cell, *, maps):
    """The nodes of a cell, given by its string, added to a reference network; the number of its output."""
    places = [h]
    for group in cell.split("+"):
        edges = []
        for text in group.strip("|").split("|"):
            operation, source = text.split("~")
            if operation != "none" and places[int(source)] is not None:
                edges.append((places[int(source)], *maps[operation]))
        places.append(net.add(edges) if edges else None)
    return places[-1]


MAPS = {
    "skip_connect": ("skip", {}),
    "nor_conv_1x1": ("conv", {"size": 1}),
    "nor_conv_3x3": ("conv", {"size": 3}),
    "avg_pool_3x3": ("pool", {}),
}


def reference_of_nasbench(cell, x, y, order, cells, stages, normalized=False, **options):
    net = Network(x, y, order, **options)
    maps = {name: (kind, given | {"normalized": normalized}) for name, (kind, given) in MAPS.items()}
    h = net.add([(0, "conv", {"size": 3, "activated": False, "normalized": normalized})])
    for stage in range(stages):
        if stage:
            inner = net.add([(h, "conv", {"size": 3, "stride": 2, "normalized": normalized})])
            halved = net.add([(h, "pool", {"size": 2, "stride": 2})])
            edge = (inner, "conv", {"size": 3, "normalized": normalized})
            h = net.add([edge, (halved, "conv", {"size": 1, "activated": False})])
        for _ in range(cells):
            h = nasbench(net, h, cell, maps=maps)
    if normalized:
        net.standardise()
    return net


def reference_of_cell(cell, x, y, order, stem=3):
    """The network of one cell, written out edge by edge."""
    net = Network(x, y, order)
    place = {0: net.add([(0, "conv", {"size": stem, "activated": False})])}
    for t in sorted({t for _, t, _ in cell.edges}):
        edges = []
        for s, target, op in cell.edges:
            if target != t:
                continue
            given = {"gain": op.gain}
            if isinstance(op, Pool):
                given |= {"size": op.size, "stride": op.stride}
            elif isinstance(op, Convolution):
                names = ("size", "stride", "dilation", "activated", "normalized", "matrices", "offset")
                given |= {name: getattr(op, name) for name in names}
                given |= {"weight": op.weight_scale, "bias": op.bias_scale}
            kind = {Skip: "skip", Pool: "pool", Convolution: "conv"}[type(op)]
            edges.append((place[s], kind, given))
        place[t] = net.add(edges)
    return net


def assert_agrees(kernels, reference):
    for kernel, values in zip(kernels, reference, strict=True):
        desired = [[values["xx"], values["xy"]], [values["xy"], values["yy"]]]
        assert_close(kernel, np.array(desired))


# ---- the definition --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "order"), [(CELL, "activation-first"), (CELL, "activation-last"), (CHAIN, ORDERS[1])])
def test_networks_of_nasbench201_are_those_of_the_definition(cell, order):
    x = images(2, 4)
    kernels = nngp_dag.conv_kernel_fn(cell, cells=1, stages=2, order=order)(x)
    assert_agrees(kernels, reference_of_nasbench(cell, x[0], x[1], order, 1, 2).readout())


@pytest.mark.parametrize("order", ORDERS)
def test_layer_norm_stands_where_the_published_networks_have_batch_normalisation(order):
    x = images(2, 4)
    kernels = nngp_dag.conv_kernel_fn(CELL, stages=2, order=order, normalization="layer")(x)
    assert_agrees(kernels, reference_of_nasbench(CELL, x[0], x[1], order, 1, 2, normalized=True).readout())


@pytest.mark.parametrize("readout", ["average", "flatten"])
def test_layer_norm_takes_the_scale_of_an_image_away_and_of_pixels_without_variance_nothing_is_left(readout):
    x = images(3, 4)
    x[0] = 0
    cell = CELL.replace("avg_pool_3x3", "skip_connect")
    options = {"stages": 1, "normalization": "layer", "readout": readout}
    kernels = nngp_dag.conv_kernel_fn(cell, **options)(x)
    scaled = nngp_dag.conv_kernel_fn(cell, **options)(x * np.array([1, 5, 0.3])[:, None, None, None])
    assert_close(np.asarray(scaled.nngp), np.asarray(kernels.nngp))
    assert not np.asarray(kernels.ntk)[0].any()
    across = nngp_dag.conv_kernel_fn(cell, **options)(x[1:], x)
    assert_close(np.asarray(across.ntk), np.asarray(kernels.ntk)[1:])


@pytest.mark.parametrize(
    ("cell", "readout", "order"),
    [
        (TWO_PORTS, "average", "activation-first"),
        (TWO_PORTS, "average", "activation-last"),
        (TWO_PORTS, "flatten", "activation-first"),
        (WITHOUT_POOLS, "flatten", "activation-last"),
        (OPPOSITE, "average", "activation-last"),
        (CANCELLED, "average", "activation-first"),
        (NORMALIZED, "average", "activation-first"),
        (NORMALIZED, "flatten", "activation-last"),
    ],
)
def test_cells_of_any_operations_are_those_of_the_definition(cell, readout, order):
    x = images(2, 5)  # odd, so that strides end at a border
    network = ConvNetwork(Convolution(3), (cell,), readout)
    assert (network.layout.size(25) == 25) == (readout == "flatten" and not cell.pools)
    assert_agrees(kernels_of(network, order, x), reference_of_cell(cell, x[0], x[1], order).readout(readout))


@pytest.mark.parametrize("order", ORDERS)
def test_windows_with_an_offset_start_at_a_later_pixel(order):
    x = images(2, 4)
    kernels = kernels_of(ConvNetwork(Convolution(3), (SHIFTED,)), order, x)
    assert_agrees(kernels, reference_of_cell(SHIFTED, x[0], x[1], order).readout())


@pytest.mark.parametrize(("dtype", "scale"), [(np.float64, 1e-100), (np.float64, 1e-170), (np.float32, 1e-19)])
def test_images_too_small_for_layer_norm_to_divide_by_are_refused(dtype, scale):
    x = (scale * images(2, 2)).astype(dtype)
    with pytest.raises(InputError, match="scale the images up"):
        nngp_dag.conv_kernel_fn(CELL, stages=1, normalization="layer")(x)


@pytest.mark.parametrize("activation", ["relu", jnp.cos, jax.nn.sigmoid])
def test_features_that_are_constant_over_channels_are_nothing_behind_layer_norm(activation):
    """Zero images under activation-last: K = S S', up to rounding."""
    x = images(3, 2)
    x[1] = 0
    network = ConvNetwork(Convolution(1), (ConvCell(((0, 1, Convolution(1)),)),), normalized_end=True)
    nngp = np.asarray(kernels_of(network, "activation-last", x, activation).nngp)
    assert not nngp[1].any() and nngp[0, 0] > 0


def test_dual_maps_and_means_of_any_activation_are_applied_to_every_pair_of_pixels():
    x = images(2, 2, seed=1)
    gelu = get("gelu")

    @jax.jit
    def maps(kxx, kyy, kxy):
        return jnp.vectorize(gelu.dual)(kxx, kyy, kxy), jnp.vectorize(gelu.dual_derivative)(kxx, kyy, kxy)

    cell = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|avg_pool_3x3~1|none~2|"
    net = reference_of_nasbench(cell, x[0], x[1], ORDERS[0], 1, 1, maps=maps, mean=jnp.vectorize(gelu.mean))
    assert_agrees(nngp_dag.conv_kernel_fn(cell, stages=1, order=ORDERS[0], activation="gelu")(x), net.readout())


@dataclass(frozen=True)
class Ruled(Relu):
    """ReLU, as an activation that prepares several numbers of a variance and has rules up to some size."""

    size: float = 1.0
    has_rules = True

    def prepare_values(self, k):
        return super().prepare_values(jnp.where(k <= self.size, k, jnp.nan)), jnp.stack([k, k, k])

    def derivative_value(self, px, py, kxy):
        return super().derivative_value(px[0], py[0], kxy)

    def value_from_derivative(self, px, py, kxy, derivative):
        return super().value_from_derivative(px[0], py[0], kxy, derivative)

    def serving(self, variance):
        return self if variance <= self.size else Ruled(2 * variance)


def test_activations_with_rules_prepare_for_the_variances_that_pixels_reach():
    x = 3 * images(9, 2)
    cell = CELL.replace("1x1", "3x3")
    kernels = [nngp_dag.conv_kernel_fn(cell, stages=1, activation=sigma)(x) for sigma in (Ruled(), "relu")]
    assert_agrees_all(*kernels)


@pytest.mark.parametrize("size", [2, 4])
def test_windows_of_even_size_lie_side_by_side(size):
    x = images(3, 8)
    network = ConvNetwork(Convolution(1), (ConvCell(((0, 1, Pool(size, stride=size)),)),))
    # A stem of 1x1 filters and a pooling are both linear: images may be pooled before.
    pooled = x.reshape(3, 8 // size, size, 8 // size, size, 3).mean((2, 4))
    plain = ConvNetwork(Convolution(1), (ConvCell(((0, 1, Skip()),)),))
    assert_agrees_all(kernels_of(network, ORDERS[0], x), kernels_of(plain, ORDERS[0], pooled))


# ---- identities ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["1_11_222", "2_21_112"])
def test_images_of_one_pixel_are_rows_of_a_fully_connected_dag(code):
    x = images(4, 1, channels=5)
    rows = x[:, 0, 0] / 5**0.5
    dag = nngp_dag.Dag.from_code(code)
    operations = {nngp_dag.Op.SKIP: Skip(), nngp_dag.Op.LINEAR: Convolution(1)}
    cell = ConvCell(tuple((s, t, operations[op]) for s, t, op in dag.edges()))
    network = ConvNetwork(Convolution(1), (cell,))
    last = nngp_dag.kernel_fn(dag, order="activation-last", embedding="gaussian-trained")(rows)
    assert_agrees_all(kernels_of(network, "activation-last", x), last)
    # The read-out of activation-first is one more ReLU and matrix behind the output, the read-out weights.
    edges = {(s, t): int(op) for s, t, op in dag.edges()} | {(dag.num_nodes - 1, dag.num_nodes): 2}
    longer = nngp_dag.Dag.from_edges(edges)
    kernels = nngp_dag.kernel_fn(longer, order="activation-first", embedding="gaussian-trained")(rows)
    found = kernels_of(network, "activation-first", x)
    assert_close(found.nngp, np.asarray(kernels.nngp))
    assert_close(found.ntk, np.asarray(kernels.ntk - kernels.nngp))


def test_constant_images_under_1x1_filters_are_rows():
    """Pooling keeps what is constant, so that every pixel is the same row and the mean over pixels is that row's."""
    rows = images(3, 1, channels=4)
    cell = "|nor_conv_1x1~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|avg_pool_3x3~0|skip_connect~1|avg_pool_3x3~2|"
    cells = (ConvNetwork(Convolution(1), nngp_dag.conv.nasbench201.nasbench201_network(cell, 2, 1).cells),)
    one, many = (kernels_of(cells[0], "activation-last", np.tile(rows, (1, size, size, 1))) for size in (1, 6))
    assert_close(np.asarray(many.nngp), np.asarray(one.nngp))
    reason = "pixels are parallel up to rounding, where fdot has a root: it keeps half of the digits"
    assert_close(np.asarray(many.ntk), np.asarray(one.ntk), tolerance=1e-7, reason=reason)


@pytest.mark.parametrize("readout", ["average", "flatten"])
def test_the_gram_matrix_is_symmetric_positive_and_the_same_in_chunks_and_against_a_copy(readout, monkeypatch):
    x = images(11, 4)
    x[7] = x[2]  # of equal images entries are equal, too
    cell = CELL if readout == "average" else CELL.replace("avg_pool_3x3", "skip_connect")
    fn = nngp_dag.conv_kernel_fn(cell, stages=1, readout=readout)
    whole, block = fn(x), fn(x[:3], x)
    monkeypatch.setattr(gram_module, "_ARRAY_BYTES", 1)  # chunks of four
    parts = fn(x)
    for kernel, in_chunks, rectangle in zip(whole, parts, block, strict=True):
        kernel = np.asarray(kernel)
        np.testing.assert_array_equal(kernel, kernel.T)
        assert_close(np.asarray(in_chunks), kernel)
        assert_close(np.asarray(rectangle), kernel[:3])
        assert_close(kernel[7], kernel[2])
        values = np.linalg.eigvalsh(kernel)
        assert values[0] > -1e-12 * values[-1]
    tangent = np.asarray(whole.ntk - whole.nngp)
    assert np.linalg.eigvalsh(tangent)[0] > -1e-12 * tangent.trace()


@pytest.mark.parametrize("activation", ["relu", Ruled(size=100.0)], ids=["relu", "several-numbers"])
def test_blocks_of_images_give_what_pairs_of_images_one_by_one_give(activation, monkeypatch):
    x = images(21, 3)
    cell = CELL.replace("avg_pool_3x3", "nor_conv_3x3")
    fn = nngp_dag.conv_kernel_fn(cell, stages=1, readout="flatten", activation=activation)
    monkeypatch.setattr(blocks_module, "_PANEL", 16)  # two calls for a row, the second one filled up
    whole, part = fn(x), fn(x[:3], x)
    monkeypatch.setattr(gram_module, "fill_by_blocks", partial(gram_module._fill_by_chunks, size=8))
    for kernel, rectangle, desired in zip(whole, part, fn(x), strict=True):
        kernel, desired = np.asarray(kernel), np.asarray(desired)
        np.testing.assert_array_equal(kernel, kernel.T)
        assert_close(kernel, desired)
        assert_close(np.asarray(rectangle), desired[:3])


def assert_agrees_all(kernels, others):
    for kernel, other in zip(kernels, others, strict=True):
        assert_close(np.asarray(kernel), np.asarray(other))


def test_float32_is_computed_in_float32_and_a_cell_without_a_path_is_zero():
    x = images(5, 4)
    fn = nngp_dag.conv_kernel_fn(CELL, stages=2)
    single = fn(x.astype(np.float32), get="ntk")
    assert single.dtype == np.float32
    assert_close(np.asarray(single), np.asarray(fn(x, get="ntk")))
    none = "|none~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|skip_connect~2|"
    assert not np.asarray(nngp_dag.conv_kernel_fn(none, stages=1)(x).ntk).any()


def test_scales_of_weights_and_biases_reach_every_convolution_of_a_cell():
    x = images(2, 4)
    maps = MAPS | {
        name: ("conv", {"size": size, "weight": 1.2, "bias": 0.5})
        for name, size in (("nor_conv_1x1", 1), ("nor_conv_3x3", 3))
    }
    net = Network(x[0], x[1], "activation-first")
    nasbench(net, net.add([(0, "conv", {"size": 3, "activated": False})]), CELL, maps=maps)
    kernels = nngp_dag.conv_kernel_fn(CELL, stages=1, weight_scale=1.2, bias_scale=0.5)(x)
    assert_agrees(kernels, net.readout())


# ---- images, and what is refused -------------------------------------------------------------------------------------


def test_images_are_shrunk_to_means_of_windows_and_scaled_to_unit_mean_square():
    x = images(3, 8)
    small = shrunk(x, 4)
    assert_close(small[1, 2, 3], x[1, 4:6, 6:8].mean((0, 1)))
    assert_close((unit_images(small) ** 2).mean((1, 2, 3)), np.ones(3))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nngp_dag.conv_kernel_fn(CELL)(images(2, 6)), "multiples of 2"),
        (lambda: nngp_dag.conv_kernel_fn(CELL.replace("avg", "max")), "max_pool_3x3"),
        (lambda: nngp_dag.conv_kernel_fn(CELL)(images(2, 4)[0]), r"\[N, h, w, channels\]"),
        (lambda: nngp_dag.conv_kernel_fn(CELL)(images(2, 4) * np.nan), "NaN"),
        (
            lambda: nngp_dag.conv_kernel_fn(CELL)(np.float32(1e-11) * images(2, 4).astype(np.float32)),
            "scale the images",
        ),
        (lambda: nngp_dag.conv_kernel_fn(CELL)(np.zeros((20_000, 32, 32, 3), np.float32)), "would"),
        (lambda: nngp_dag.conv_kernel_fn(CELL, cells=0), "at least one cell"),
        (lambda: nngp_dag.conv_kernel_fn(CELL, readout="max"), "average, flatten"),
        (lambda: nngp_dag.conv_kernel_fn(CELL, order="first"), "activation-last"),
        (
            lambda: nngp_dag.conv_kernel_fn(CELL, normalization="batch"),
            "batch normalisation has no deterministic limit",
        ),
        (lambda: nngp_dag.conv_kernel_fn([[1, 2], [3]]), "unequal lengths"),
        (lambda: ConvNetwork(Convolution(3), (), weights=False, normalized_end=True), "last node is the output"),
        (lambda: convolved(Channels.alike(0, 1), 2, Convolution(3, normalized=True)), "sum of edges"),
        (lambda: nngp_dag.conv_kernel_fn(CELL, normalization="group"), "'group' is not computed"),
        (
            lambda: nngp_dag.conv_kernel_fn(ConvNetwork(Convolution(3), ()), normalization="layer"),
            "says itself which",
        ),
        (lambda: Convolution(2), "odd"),
        (lambda: ConvCell(((1, 1, Skip()),)), "sources come before targets"),
        (lambda: shrunk(images(1, 8), 3), "divide"),
        (lambda: unit_images(np.zeros((1, 2, 2, 1))), "zeros"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(InputError, match=words) as error:
        call()
    assert "\n" not in str(error.value)
