"""Faults in skip-path counts and path statistics."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "transposed-nodes",
        "the sources of a node's edges in reverse",
        "nngp_dag.kernel.mixing",
        "mixing",
        "ops[:, s, None]",
        "ops[:, t - 1 - s, None]",
    ),
    Fault(
        "unreached-sources",
        "features of nodes that nothing reaches",
        "nngp_dag.kernel.mixing",
        "mixing",
        "(ops == 2) & reached[:, :t]",
        "ops == 2",
    ),
    Fault(
        "path-twice",
        "a path over a skip edge counted twice",
        "nngp_dag.paths",
        "path_counts_array",
        "* (op == 1)",
        "* 2 * (op == 1)",
    ),
    Fault(
        "depth-width",
        "effective depth and width exchanged",
        "nngp_dag.paths",
        "effective_depth_width",
        "depth.astype(np.float64), width.astype(np.float64)",
        "width.astype(np.float64), depth.astype(np.float64)",
    ),
    Fault(
        "skip-for-linear",
        "skip edges counted as linear in path counts",
        "nngp_dag.paths",
        "path_counts",
        "skip + (linear << bits)",
        "(skip << bits) + linear",
    ),
    Fault(
        "width-of-all",
        "paths without a linear edge counted in the width",
        "nngp_dag.paths",
        "path_statistics",
        "Fraction(total - counts[0])",
        "Fraction(total)",
    ),
    Fault(
        "own-features",
        "what a node receives is lost on its skip edges",
        "nngp_dag.kernel.mixing",
        "mixing",
        "[skip_paths, np.ones((num_codes, 1))]",
        "[skip_paths, np.zeros((num_codes, 1))]",
    ),
    Fault(
        "reached-linear",
        "only linear edges reach a node",
        "nngp_dag.kernel.mixing",
        "mixing",
        "((ops > 0) & reached[:, :t])",
        "((ops == 2) & reached[:, :t])",
    ),
)
