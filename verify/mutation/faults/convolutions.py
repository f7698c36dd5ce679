"""Faults in the exact kernels of convolutional cells: windows, pooling, copies, tangents, blocks of images, DARTS."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

_KERNEL = "tests/test_conv_kernel.py::"
_CELLS = _KERNEL + "test_cells_of_any_operations_are_those_of_the_definition"
_DARTS = "tests/test_conv_darts.py::test_kernels_are_those_of_the_definition"
_BLOCKS = _KERNEL + "test_blocks_of_images_give_what_pairs_of_images_one_by_one_give"

FAULTS = (
    Fault(
        "pool-divisor",
        "average pooling that divides by all pixels of its window, inside the image or not",
        "nngp_dag.conv.maps",
        "averages",
        "inside / inside.sum(1, keepdims=True)",
        "inside / size",
        test=_CELLS,
    ),
    Fault(
        "pool-shifted",
        "windows of pooling along an axis that begin where the one before began",
        "nngp_dag.conv.maps",
        "_matrix_along",
        "first + o, first + o + (count - 1) * step + 1",
        "first, first + (count - 1) * step + 1",
        test=_CELLS,
    ),
    Fault(
        "paths-once",
        "copies that arrive along two paths counted once",
        "nngp_dag.conv.maps",
        "Paths.sum",
        "total.get(poolings, 0.0) + factor",
        "factor",
        test=_KERNEL + "test_images_of_one_pixel_are_rows_of_a_fully_connected_dag",
    ),
    Fault(
        "window-undivided",
        "a convolution that divides by its height for height times width",
        "nngp_dag.conv.maps",
        "_filtered",
        "conv.size**2",
        "conv.size",
        test=_CELLS,
    ),
    Fault(
        "dilation-left-out",
        "a dilated convolution that reads neighbours",
        "nngp_dag.conv.maps",
        "_joined",
        "step * conv.dilation",
        "step",
        test=_CELLS,
    ),
    Fault(
        "diagonal-gain",
        "gains of copies for their squares where each pixel is held with itself alone",
        "nngp_dag.conv.maps",
        "Paths.kernel",
        "factor**2",
        "factor",
        test=_CELLS,
    ),
    Fault(
        "one-matrix",
        "one trained matrix for the two of a separable convolution",
        "nngp_dag.conv.propagate",
        "_port",
        "behind=port.matrices",
        "behind=min(port.matrices, 1)",
        test=_CELLS,
    ),
    Fault(
        "image-means",
        "the means of features of images not copied by skip edges",
        "nngp_dag.conv.propagate",
        "_Images.nodes",
        "self.entries.plus(copied, self.fresh)",
        "self.fresh",
        test=_CELLS,
    ),
    Fault(
        "average-for-flatten",
        "the mean over all pairs of pixels for that over each pixel with itself",
        "nngp_dag.conv.maps",
        "_mean",
        "if flatten and layout == PAIRS:",
        "if False:",
        test=_CELLS,
    ),
    Fault(
        "norm-of-tangent",
        "layer norm that leaves the tangent kernel as it is",
        "nngp_dag.conv.propagate",
        "_first",
        "tuple(None if part is None else normed(layout, part, x, y) for part in received)",
        "(normed(layout, start.covariance, x, y), start.tangent)",
        test=_KERNEL + "test_layer_norm_stands_where_the_published_networks_have_batch_normalisation",
    ),
    Fault(
        "norm-of-one-image",
        "layer norm that divides twice by the deviation of the first image",
        "nngp_dag.conv.maps",
        "normed",
        "layout.outer(x, y)",
        "layout.outer(x, x)",
        test=_KERNEL + "test_layer_norm_stands_where_the_published_networks_have_batch_normalisation",
    ),
    Fault(
        "norm-gain",
        "layer norm behind the gain of a convolution, which takes it away again",
        "nngp_dag.conv.maps",
        "norm",
        "abs(gain) * ",
        "",
        test=_CELLS,
    ),
    Fault(
        "block-skipped",
        "a block of columns too many taken as known by symmetry",
        "nngp_dag.conv.blocks",
        "fill_by_blocks",
        "skipped // width",
        "-(-skipped // width)",
        test=_BLOCKS,
    ),
    Fault(
        "halves-alike",
        "both halves of a factorised reduction from the same pixels",
        "nngp_dag.conv.darts",
        "_Dag._reduce",
        "offset=offset",
        "offset=0",
        test=_DARTS,
    ),
    Fault(
        "shares-for-gains",
        "shares of the channels for their roots as gains of nodes side by side",
        "nngp_dag.conv.channels",
        "convolved",
        "share**0.5",
        "share",
        test=_DARTS,
    ),
    Fault(
        "half-copied-twice",
        "the first half of the channels copied to both halves of a node",
        "nngp_dag.conv.darts",
        "_Dag._sum",
        "zip(sources, nodes, strict=True)",
        "zip(sources[:1] * 2, nodes)",
        test=_DARTS,
    ),
)
