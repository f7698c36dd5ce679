"""Kernels of DARTS genotypes against a literal reference and closed forms; what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conv_reference import relu_maps
from conv_reference_darts import DartsReference
from helpers import assert_close

import nngp_dag
from nngp_dag import InputError
from nngp_dag.conv import Convolution, darts_network
from nngp_dag.conv.darts import darts_cells
from nngp_dag.conv.functions import conv_kernel_of
from nngp_dag.conv.layout import DIAGONAL
from nngp_dag.reading import Reading
from nngp_dag.spaces import get
from nngp_dag.spaces.genotype_text import format_genotype, parse_genotype

pytestmark = pytest.mark.usefixtures("quick_compilation")

ALL = (2, 3, 4, 5)

EVERY = {
    "normal": (
        *(("skip_connect", 1), ("sep_conv_3x3", 0)),
        *(("skip_connect", 0), ("dil_conv_5x5", 1)),
        *(("sep_conv_5x5", 2), ("skip_connect", 0)),
        *(("avg_pool_3x3", 0), ("dil_conv_3x3", 3)),
    ),
    "reduce": (
        *(("skip_connect", 0), ("skip_connect", 1)),
        *(("skip_connect", 2), ("dil_conv_3x3", 1)),
        *(("sep_conv_3x3", 0), ("avg_pool_3x3", 1)),
        *(("skip_connect", 2), ("skip_connect", 3)),
    ),
}
"""Every operation; in the reduction, halves reach node 5 along four paths, and meet convolutions on the way."""

COPIES = {
    "normal": tuple((op, s) for s in (0, 1, 2, 3) for op in ("skip_connect", "avg_pool_3x3")),
    "reduce": (
        *(("skip_connect", 0), ("avg_pool_3x3", 1)),
        *(("avg_pool_3x3", 2), ("skip_connect", 1)),
        *(("skip_connect", 2), ("skip_connect", 3)),
        *(("avg_pool_3x3", 4), ("skip_connect", 0)),
    ),
}
"""Skips and average poolings alone."""

V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),"
    " ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=range(2, 6),"
    " reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0),"
    " ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=range(2, 6))"
)


def text_of(genotype, concat=ALL):
    return format_genotype([(genotype["normal"], concat), (genotype["reduce"], concat)])


def images(n, size, seed=0):
    return np.random.default_rng(seed).normal(size=(n, size, size, 3))


def two_dots():
    """Two images of 4 x 4 pixels, bright at an odd pixel and at an even one: halves of channels see them unlike."""
    dots = np.full((2, 4, 4, 1), 0.05)
    dots[0, 1, 1] = dots[1, 2, 2] = 1.05
    x = images(2, 4) * dots
    return x / np.sqrt((x**2).mean((1, 2, 3), keepdims=True))


def kernels_of(network, x, **options):
    return conv_kernel_of(network, Reading.make("activation-first"))(x, **options)


def matrices(reference):
    return [np.array([[values["xx"], values["xy"]], [values["xy"], values["yy"]]]) for values in reference]


def assert_agrees(kernels, reference):
    for kernel, desired in zip(kernels, matrices(reference), strict=True):
        assert_close(np.asarray(kernel), desired)


# ---- the definition --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("genotype", "cells", "concat", "activated"),
    [(EVERY, 4, ALL, False), (EVERY, ("reduce", "normal"), (3, 5), True), (COPIES, 3, ALL, False)],
)
def test_kernels_are_those_of_the_definition(genotype, cells, concat, activated):
    x = images(2, 4)
    network = darts_network(text_of(genotype, concat), cells, last_activation=activated)
    reference = DartsReference(x[0], x[1], genotype, darts_cells(cells), concat)
    assert_agrees(kernels_of(network, x), reference.readout(activated))


@pytest.mark.parametrize("seed", range(4))
def test_kernels_of_random_genotypes_are_those_of_the_definition(seed):
    rows = get("darts").sample(1, np.random.default_rng(seed))[0]
    x = images(2, 4, seed)
    kernels = nngp_dag.conv_kernel_fn(rows, cells=3, max_pool="average")(x)
    (normal, _), (reduce, _) = parse_genotype(get("darts").write(rows).replace("max_pool", "avg_pool"))
    reference = DartsReference(x[0], x[1], {"normal": normal, "reduce": reduce}, darts_cells(3))
    assert_agrees(kernels, reference.readout())


def test_a_flattened_readout_without_pooling_needs_each_pixel_with_itself_alone():
    genotype = {
        kind: tuple((op.replace("avg_pool", "sep_conv"), s) for op, s in edges) for kind, edges in EVERY.items()
    }
    x = images(2, 4)
    network = replace(darts_network(text_of(genotype), 3), readout="flatten")
    assert network.layout == DIAGONAL
    reference = DartsReference(x[0], x[1], genotype, darts_cells(3))
    assert_agrees(kernels_of(network, x), reference.readout(kind="flatten"))


@pytest.mark.parametrize(
    ("cells", "reductions"), [(1, {0}), (2, {0, 1}), (3, {1, 2}), (8, {2, 5}), (14, {4, 9}), (20, {6, 13})]
)
def test_reductions_are_at_a_third_and_two_thirds(cells, reductions):
    kinds = darts_cells(cells)
    assert len(kinds) == cells
    assert {i for i, kind in enumerate(kinds) if kind == "reduce"} == reductions


def test_text_json_mappings_and_integers_are_the_same_network():
    text, space = text_of(EVERY), get("darts")
    mapping = {kind: [list(edge) for edge in edges] for kind, edges in EVERY.items()}
    mapping |= {f"{kind}_concat": list(ALL) for kind in EVERY}
    given = (text, json.dumps(mapping), mapping, space.parse(text), space.parse(text).tolist())
    assert len({darts_network(genotype, 3) for genotype in given}) == 1


def test_max_pooling_is_replaced_only_where_that_is_asked_for():
    average = darts_network(V2.replace("max_pool", "avg_pool"), 3)
    assert darts_network(V2, 3, max_pool="average") == average
    with pytest.raises(InputError, match=r"edge \(0, 2\) of the reduce cell is max_pool_3x3"):
        darts_network(V2, 3)


# ---- closed forms ----------------------------------------------------------------------------------------------------


def of_one_pixel(k, genotype, kinds):
    """NNGP and NTK [2, 2] of features that are the same at every pixel, from K = Theta [2, 2] behind the stem.

    A node is {source: number of paths}, for sources with kernels D and E of their own. A depthwise k x k filter meets
    one pixel out of k^2 (images of one pixel), and both halves of a reduction are alike.
    """
    sources = [(k, k)]

    def arrived(node):
        squares = [(number**2, *sources[s]) for s, number in node.items()]
        return sum(n * d for n, d, _ in squares), sum(n * e for n, _, e in squares)

    def convolved(features, side=1, trained=1):
        total = []
        for k, theta in map(arrived, features):
            v = np.diag(k)
            f, slope = relu_maps(v[:, None] + 0 * k, v + 0 * k, k)
            total.append((f / side**2, (slope * theta + trained * f) / side**2))
        sources.append(tuple(np.mean(parts, axis=0) for parts in zip(*total, strict=True)))
        return {len(sources) - 1: 1}

    def operation(op, node, stride):
        if op == "skip_connect":
            return node if stride == 1 else convolved([node])
        if op == "avg_pool_3x3":
            return node
        side = int(op[-1])
        inner = convolved([node], side, 2) if op.startswith("sep") else node
        return convolved([inner], side, 2)

    before = last = [{0: 1}]
    for kind in kinds:
        nodes = [convolved(before), convolved(last)]
        for i in range(4):
            pair = genotype[kind][2 * i : 2 * i + 2]
            found = [operation(op, nodes[s], 2 if kind == "reduce" and s < 2 else 1) for op, s in pair]
            nodes.append({s: sum(part.get(s, 0) for part in found) for s in {*found[0], *found[1]}})
        before, last = last, nodes[2:]
    k, theta = (np.mean(parts, axis=0) for parts in zip(*map(arrived, last), strict=True))
    return k, theta + k


def test_images_of_one_pixel_are_rows():
    x = images(2, 1)
    start = np.einsum("nhwc,mhwc->nm", x, x) / 3 / 9  # of the stem, one pixel out of nine
    kernels = kernels_of(darts_network(text_of(EVERY), ("normal",) * 3), x)
    for kernel, desired in zip(kernels, of_one_pixel(start, EVERY, ("normal",) * 3), strict=True):
        assert_close(np.asarray(kernel), desired)


def test_halves_of_constant_images_coincide():
    """Behind a 1x1 stem every pixel is the same: halves have equal kernels, and one group of channels would do."""
    rows = images(2, 1)
    x = np.tile(rows, (1, 4, 4, 1))
    kinds = ("normal", "reduce", "normal", "reduce")
    network = replace(darts_network(text_of(COPIES), kinds), stem=Convolution(1))
    start = np.einsum("nhwc,mhwc->nm", rows, rows) / 3
    found, desired = kernels_of(network, x), of_one_pixel(start, COPIES, kinds)
    assert_close(np.asarray(found.nngp), desired[0])
    reason = "pixels are parallel up to rounding, where fdot has a root: it keeps half of the digits"
    assert_close(np.asarray(found.ntk), desired[1], tolerance=1e-7, reason=reason)


def test_a_node_that_receives_nothing_keeps_its_share_of_the_channels():
    edges = (*EVERY["normal"][:6], ("none", 0), ("none", 1))
    x = images(3, 4)
    dead, without = (
        kernels_of(darts_network(text_of(EVERY | {"normal": edges}, concat), ("normal",)), x)
        for concat in (ALL, (2, 3, 4))
    )
    for kernel, other in zip(dead, without, strict=True):
        assert_close(np.asarray(kernel), 3 / 4 * np.asarray(other))


def test_a_network_without_a_path_is_zero():
    nothing = tuple(("none", s) for _, s in EVERY["normal"])
    kernels = nngp_dag.conv_kernel_fn(text_of(EVERY | {"normal": nothing}), cells=6)(images(2, 4))
    assert not np.asarray(kernels.ntk).any()
    # One dead cell alone leaves the path through the older input.
    kernels = nngp_dag.conv_kernel_fn(text_of(EVERY | {"reduce": nothing}), cells=5)(images(2, 4))
    assert np.asarray(kernels.ntk).all()


def test_the_weight_scale_of_a_chain_is_a_power():
    """In a cell of separable convolutions a path passes w once in a preparation and once in either half."""
    edges = tuple(("sep_conv_3x3", s) for s in (0, 1, 0, 1, 0, 1, 0, 1))
    x = images(2, 4)
    one, scaled = (
        kernels_of(darts_network(text_of({"normal": edges, "reduce": edges}), ("normal",), weight_scale=w), x)
        for w in (1.0, 1.1)
    )
    assert_close(np.asarray(scaled.nngp), 1.1**6 * np.asarray(one.nngp))
    assert_close(np.asarray(scaled.ntk), 1.1**6 * np.asarray(one.ntk))


# ---- halves of the channels ------------------------------------------------------------------------------------------


def of_one_group(x, genotype, kinds):
    """NNGP and NTK, wrong: every channel behind a factorised reduction has the mean of the two kernels."""
    return matrices(DartsReference(x[0], x[1], genotype, kinds, one_group=True).readout())


@pytest.mark.parametrize(("dots", "off"), [(True, (0.18, 0.14)), (False, (0.006, 0.003))])
def test_one_group_for_both_halves_would_be_wrong_by_what_is_said(dots, off):
    """As the docstring of `nngp_dag.conv.darts` says, rounded as there."""
    kinds = ("reduce", "normal")
    x = two_dots() if dots else images(2, 4)
    kernels = kernels_of(darts_network(text_of(EVERY), kinds), x)
    for wrong, right, relative in zip(of_one_group(x, EVERY, kinds), kernels, off, strict=True):
        np.testing.assert_allclose(np.abs(wrong / right - 1).max(), relative, rtol=0.1)


# ---- the matrix, and what is refused ---------------------------------------------------------------------------------


def test_the_gram_matrix_is_symmetric_positive_and_the_same_against_a_copy():
    x = images(6, 4)
    fn = nngp_dag.conv_kernel_fn(V2, cells=4, max_pool="average")
    whole, block = fn(x), fn(x[:2], x)
    for kernel, rectangle in zip(whole, block, strict=True):
        kernel = np.asarray(kernel)
        np.testing.assert_array_equal(kernel, kernel.T)
        reason = "an image and itself are parallel up to rounding, where fdot has a root: it keeps half of the digits"
        assert_close(np.asarray(rectangle), kernel[:2], tolerance=1e-7, reason=reason)
        values = np.linalg.eigvalsh(kernel)
        assert values[0] > -1e-12 * values[-1]
    single = fn(x.astype(np.float32), get="ntk")
    assert single.dtype == np.float32
    assert_close(np.asarray(single), np.asarray(whole.ntk))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nngp_dag.conv_kernel_fn(V2), r"max_pool=average"),
        (lambda: darts_network(V2, max_pool="max"), "accepted are refuse, average"),
        (lambda: darts_network(text_of(EVERY), 0), "at least one cell"),
        (lambda: darts_network(text_of(EVERY), ["normal", "upward"]), "unknown kind of cell 'upward'"),
        (lambda: darts_network(text_of(EVERY).replace("dil_conv_3x3", "conv_7x7")), "unknown operation 'conv_7x7'"),
        (lambda: darts_network("Genotype(normal=[])"), "malformed|needs"),
        (lambda: darts_network(np.zeros((2, 6), int)), r"integers \[2, 20\]"),
        (lambda: darts_network(np.full((2, 20), 99)), r"integers \[2, 20\]"),
        (lambda: darts_network(text_of(EVERY, ())), "concatenates no node"),
        (lambda: nngp_dag.conv_kernel_fn(text_of(EVERY), stages=3), "three stages"),
        (lambda: nngp_dag.conv_kernel_fn(text_of(EVERY), bias_scale=0.1), "no biases"),
        (lambda: nngp_dag.conv_kernel_fn(text_of(EVERY), order="activation-last"), "activation-first alone"),
        (lambda: nngp_dag.conv_kernel_fn(text_of(EVERY), readout="max"), "average, flatten"),
        (lambda: nngp_dag.conv_kernel_fn("|none~0|+", max_pool="average"), "option of DARTS"),
        (lambda: nngp_dag.conv_kernel_fn(text_of(EVERY), cells=3)(images(2, 5)), "multiples of 2"),
        (lambda: nngp_dag.conv_kernel_fn(text_of(EVERY), cells=6)(images(2, 6)), "multiples of 2"),
        (lambda: Convolution(1, stride=2, offset=2), "offset"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(InputError, match=words) as error:
        call()
    assert "\n" not in str(error.value)
