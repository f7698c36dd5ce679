"""Faults where pairs become Gram matrices, tiles and sweeps: two sets of rows, mirror images, the order of DAGs."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "float32",
        "inner products rounded to float32",
        "nngp_dag.kernel.products",
        "inner_products",
        "precision=lax.Precision.HIGHEST)",
        "precision=lax.Precision.HIGHEST).astype(jnp.float32).astype(x.dtype)",
    ),
    Fault(
        "cross-norms",
        "rows of x2 taken for unit rows",
        "nngp_dag.kernel.gram",
        "gram",
        "squared_norms(x2)",
        "jnp.ones(x2.shape[0], x2.dtype)",
        test="tests/test_kernel_properties.py::test_rectangular_is_a_block_of_the_square",
    ),
    Fault(
        "cross-tile",
        "rows of x2 from the tile of x1",
        "nngp_dag.kernel.gram",
        "_rectangular",
        "_slice(rows2, start[1], size2)",
        "_slice(rows2, start[0], size2)",
        test="tests/test_kernel_functions.py::test_tiles_do_not_show",
    ),
    Fault(
        "tile-end",
        "the last tile begins a row early",
        "nngp_dag.kernel.gram",
        "tile_starts",
        "max(n - tile, 0))",
        "max(n - tile - 1, 0))",
        test="tests/test_kernel_functions.py::test_tiles_do_not_show",
    ),
    Fault(
        "tile-mirror",
        "the mirror image of a tile not transposed",
        "nngp_dag.kernel.gram",
        "_symmetric",
        "(out, block.mT, _at(method, start[1]",
        "(out, block, _at(method, start[1]",
        test="tests/test_kernel_functions.py::test_tiles_do_not_show",
    ),
    Fault(
        "sweep-order",
        "kernels of a sweep in the order of codes",
        "nngp_dag.kernel.chunks",
        "sweep_kernels",
        "a[inverse]",
        "a",
        test="tests/test_kernel_functions.py::test_a_sweep_is_every_kernel",
    ),
    Fault(
        "tree-parent",
        "prefixes grow out of the first prefix",
        "nngp_dag.kernel.prefix_tree",
        "_plan",
        "np.resize(first, _rounded(len(prefixes)))",
        "np.resize(first[:1], _rounded(len(prefixes)))",
        test="tests/test_kernel_functions.py::test_a_sweep_is_every_kernel",
    ),
    Fault(
        "tree-child",
        "children of prefixes in reverse",
        "nngp_dag.kernel.prefix_tree",
        "_plan",
        "above * width + child",
        "above * width + child[::-1]",
        test="tests/test_kernel_functions.py::test_a_sweep_is_every_kernel",
    ),
    Fault(
        "tree-means",
        "means left out of a sweep",
        "nngp_dag.kernel.prefix_tree",
        "_finish",
        "end(planes, mean, mean, into)",
        "end(planes, 0 * mean, mean, into)",
        test="tests/test_kernel_functions.py::test_a_sweep_is_every_kernel",
    ),
    Fault(
        "tree-diagonal",
        "the NNGP for the NTK on the diagonal of a sweep",
        "nngp_dag.kernel.prefix_tree",
        "_grow",
        "end.variance + end.tangent",
        "end.variance",
        test="tests/test_kernel_functions.py::test_a_sweep_is_every_kernel",
    ),
    Fault(
        "tree-tangent",
        "the larger of both kernels for their sum",
        "nngp_dag.kernel.pair_recursion",
        "PairState.ntk",
        "jnp.add",
        "jnp.maximum",
        test="tests/test_kernel_functions.py::test_a_sweep_is_every_kernel",
    ),
)
