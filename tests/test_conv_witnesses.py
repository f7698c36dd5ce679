"""Exact kernels of convolutional networks against two witnesses: Flax networks of finite width, and neural-tangents."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conv_finite import convolve, estimates, normal, pool, prior_and_tangent
from helpers import assert_close

import nngp_dag
from nngp_dag.conv import ConvCell, ConvNetwork, Convolution, Pool, Skip
from nngp_dag.conv.functions import conv_kernel_of
from nngp_dag.finite.montecarlo import agreement
from nngp_dag.nas.networks.initialize import draw, leaf_names, rebuild
from nngp_dag.nas.networks.layers import without_normalisation
from nngp_dag.nas.networks.network201 import MacroSpec, Network201
from nngp_dag.reading import ORDERS, Reading
from nngp_dag.spaces import get

pytestmark = pytest.mark.usefixtures("quick_compilation")

CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|"
"""Node 3 receives the input along several paths without weights, and node 1 directly pooled and through node 2."""

SPEC = MacroSpec(channels=32, cells=1, classes=16, stages=2, init="kaiming-fan-in", dtype="float32")


def images(n, size):
    return np.random.default_rng(0).normal(size=(n, size, size, 3)).astype(np.float32)


# ---- networks of finite width ----------------------------------------------------------------------------------------


def flax_network(spec, genes, x, key):
    """Prior and tangent kernel of a Flax network with respect to the N(0, 1) variables of its weights.

    The initialisation gives every kernel the variance 2 / fan-in, as c asks for behind a ReLU; the stem and the
    shortcuts have no activation, and get half of it.
    """
    state = draw(Network201, spec, key)
    leaves, tree = jax.tree.flatten(state)
    names = leaf_names(state)
    plain = [not {"stem", "shortcut"}.isdisjoint(path) for path in names]
    chosen = [i for i, path in enumerate(names) if path[-1] == "kernel"]
    leaves = [leaf * 2**-0.5 if plain[i] and i in chosen else leaf for i, leaf in enumerate(leaves)]
    fans = [np.prod(leaves[i].shape[-4:-1]) if leaves[i].ndim >= 4 else leaves[i].shape[0] for i in chosen]
    scales = [float((1 if plain[i] else 2) / fan) ** 0.5 for i, fan in zip(chosen, fans, strict=True)]

    def outputs(variables):
        filled = list(leaves)
        for i, variable, scale in zip(chosen, variables, scales, strict=True):
            filled[i] = variable * scale
        network = without_normalisation(rebuild(Network201, spec, jax.tree.unflatten(tree, filled)))
        return network(x, genes)[0]

    variables = [leaves[i] / scale for i, scale in zip(chosen, scales, strict=True)]
    return prior_and_tangent(outputs, variables, len(x))


@pytest.mark.full
def test_flax_networks_of_finite_width_accept_the_kernels_and_reject_their_neighbours():
    x, seeds = images(3, 4), 32
    genes = jnp.asarray(get("nasbench201").parse(CELL)[0], jnp.int32)
    priors, tangents = estimates(lambda key: flax_network(SPEC, genes, x, key), seeds)
    exact = nngp_dag.conv_kernel_fn(CELL, stages=2)(x.astype(np.float64))
    assert agreement(priors, exact.nngp, seeds).accepted
    assert agreement(tangents, exact.ntk, seeds).accepted
    # One gene else, or the tangent kernel without the read-out's own part: the same networks reject them.
    other = nngp_dag.conv_kernel_fn(CELL.replace("skip_connect~1", "none~1"), stages=2)(x.astype(np.float64))
    assert not agreement(priors, other.nngp, seeds).accepted
    assert not agreement(tangents, other.ntk, seeds).accepted
    assert not agreement(tangents, exact.ntk - exact.nngp, seeds).accepted


SEPARABLE = ((0, 1, 1), (1, 2, 2))
"""A separable convolution, and behind it a dilated one: source, target and dilation; a skip goes past both."""


def separable_network(matrices):
    convolutions = tuple((s, t, Convolution(3, dilation=d, matrices=matrices)) for s, t, d in SEPARABLE)
    return ConvNetwork(Convolution(3), (ConvCell((*convolutions, (0, 2, Skip()))),))


def separable(x, width, key):
    """As `flax_network`, of networks with one filter a channel (depthwise) and 1x1 convolutions (pointwise)."""

    def outputs(weights):
        stem, *pairs, readout = weights
        nodes = [convolve(x, stem) / (9 * x.shape[-1]) ** 0.5]
        for (source, _, dilation), depthwise, pointwise in zip(SEPARABLE, pairs[::2], pairs[1::2], strict=True):
            filtered = convolve(jax.nn.relu(nodes[source]), depthwise, dilation=dilation, groups=width) / 3
            nodes.append(convolve(filtered, pointwise) * (2 / width) ** 0.5)
        return jax.nn.relu(nodes[0] + nodes[2]).mean((1, 2)) @ readout * (2 / width) ** 0.5

    shapes = [(3, 3, x.shape[-1], width), *[(3, 3, 1, width), (1, 1, width, width)] * len(SEPARABLE), (width, 16)]
    return prior_and_tangent(outputs, normal(key, shapes, x.dtype), len(x))


@pytest.mark.full
def test_depthwise_and_pointwise_weights_are_two_trained_matrices_behind_one_filter():
    x, seeds = images(3, 4), 32
    priors, tangents = estimates(lambda key: separable(x, 192, key), seeds)
    two, one = (
        conv_kernel_of(separable_network(n), Reading.make("activation-first"))(x.astype(np.float64)) for n in (2, 1)
    )
    assert agreement(priors, two.nngp, seeds).accepted
    assert agreement(tangents, two.ntk, seeds).accepted
    assert not agreement(tangents, one.ntk, seeds).accepted


NORMALIZED = ConvNetwork(
    Convolution(3, normalized=True),
    (
        ConvCell(
            (
                (0, 1, Convolution(3, normalized=True)),
                (0, 2, Pool(3)),
                (1, 2, Convolution(1, normalized=True, gain=0.7)),
                (1, 3, Skip()),
                (2, 3, Convolution(3, stride=1)),
            )
        ),
    ),
    normalized_end=True,
)
"""Layer norm behind the stem, two of three convolutions and the cell; node 1 goes past node 2 as it is."""


def layer_norm(h):
    """Over the channels of every pixel."""
    centred = h - h.mean(-1, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True))


def normalized(order, x, width, key):
    """As `flax_network`, of the networks `NORMALIZED` with layer norm over so many channels."""

    def conv(h, w):
        return convolve(h, w) / (w.shape[0] * w.shape[1] * w.shape[2]) ** 0.5

    def relu(h):
        return 2**0.5 * jax.nn.relu(h)

    def activated(h, w, norm=layer_norm):
        return norm(conv(relu(h), w)) if order == "activation-first" else relu(norm(conv(h, w)))

    def outputs(weights):
        stem, first, small, last, readout = weights
        start = layer_norm(conv(x, stem))
        one = activated(start, first)
        two = pool(start) + 0.7 * activated(one, small)
        end = layer_norm(one + activated(two, last, lambda h: h))
        end = relu(end) if order == "activation-first" else end
        return end.mean((1, 2)) @ readout / width**0.5

    sides = [(3, x.shape[-1]), (3, width), (1, width), (3, width)]
    shapes = [*((side, side, channels, width) for side, channels in sides), (width, 16)]
    return prior_and_tangent(outputs, normal(key, shapes, x.dtype), len(x))


@pytest.mark.full
@pytest.mark.parametrize("order", ORDERS)
def test_layer_norm_over_channels_divides_both_kernels_by_the_deviations_of_pixels(order):
    x, seeds = images(3, 4), 48
    priors, tangents = estimates(lambda key: normalized(order, x, 256, key), seeds)
    exact, plain, open_end = (
        conv_kernel_of(network, Reading.make(order))(x.astype(np.float64))
        for network in (NORMALIZED, without_layer_norm(NORMALIZED), replace(NORMALIZED, normalized_end=False))
    )
    assert agreement(priors, exact.nngp, seeds).accepted
    assert agreement(tangents, exact.ntk, seeds).accepted
    for other in (plain, open_end):
        assert not agreement(priors, other.nngp, seeds).accepted
        assert not agreement(tangents, other.ntk, seeds).accepted
    # The tangent kernel of the network without layer norm, beside the NNGP of the one with it.
    assert not agreement(tangents, exact.nngp + plain.ntk - plain.nngp, seeds).accepted


def without_layer_norm(network):
    """The same network with layer norm nowhere."""

    def plain(op):
        return replace(op, normalized=False) if isinstance(op, Convolution) else op

    cells = tuple(ConvCell(tuple((s, t, plain(op)) for s, t, op in cell.edges)) for cell in network.cells)
    return ConvNetwork(plain(network.stem), cells)


# ---- neural-tangents -------------------------------------------------------------------------------------------------


def stax_network(stax, flatten):
    """The cell above after a stem, its mean pooled by two, and the read-out; K_in is the mean over channels."""
    conv = {size: stax.serial(stax.Relu(), stax.Conv(1, (size, size), padding="SAME", W_std=2**0.5)) for size in (1, 3)}
    pool = stax.AvgPool((3, 3), (1, 1), "SAME", normalize_edges=True)
    one = conv[3]
    two = stax.serial(stax.FanOut(2), stax.parallel(pool, stax.serial(one, conv[1])), stax.FanInSum())
    three = stax.serial(
        stax.FanOut(3),
        stax.parallel(stax.Identity(), stax.serial(one, pool), stax.serial(two, conv[3])),
        stax.FanInSum(),
    )
    last = stax.Flatten() if flatten else stax.GlobalAvgPool()
    stem = stax.Conv(1, (3, 3), padding="SAME")
    halves = stax.AvgPool((2, 2), (2, 2), "VALID")
    return stax.serial(stem, three, halves, stax.Relu(), last, stax.Dense(1, W_std=2**0.5))[2]


@pytest.mark.filterwarnings("ignore:Got potentially mismatching")  # -1 and 3 are one axis
@pytest.mark.filterwarnings("ignore:`FanIn` layers assume independent inputs")  # which these are
@pytest.mark.parametrize("readout", ["average", "flatten"])
def test_neural_tangents_computes_the_same_where_it_can(readout):
    from nngp_dag.support.neural_tangents_compat import neural_tangents

    x = images(3, 4).astype(np.float64)
    edges = {(0, 1): Convolution(3), (0, 2): Pool(3), (1, 2): Convolution(1), (0, 3): Skip(), (1, 3): Pool(3)}
    cell = ConvCell(tuple((s, t, op) for (s, t), op in {**edges, (2, 3): Convolution(3)}.items()))
    network = ConvNetwork(Convolution(3), (cell, ConvCell(((0, 1, Pool(2, stride=2)),))), readout)
    kernels = conv_kernel_of(network, Reading.make("activation-first"))(x)
    theirs = stax_network(neural_tangents.stax, readout == "flatten")(x, None, ("nngp", "ntk"))
    assert_close(np.asarray(kernels.nngp), np.asarray(theirs.nngp))
    assert_close(np.asarray(kernels.ntk), np.asarray(theirs.ntk))
