"""Faults in DAGs of more than eight nodes, which are folded in blocks of nodes."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "block-within",
        "edges within a block of a large DAG lost",
        "nngp_dag.kernel.blocks",
        "arranged",
        "within = flat[_place(t, own)]",
        "within = 0 * flat[_place(t, own)]",
        test="tests/test_kernel_blocks.py::test_a_large_dag_is_the_recursion_over_pairs_of_nodes",
    ),
    Fault(
        "block-skips",
        "skip edges out of earlier blocks lost",
        "nngp_dag.kernel.flow",
        "Flow.arrive",
        "copied + self.before[1][t]",
        "copied",
        test="tests/test_kernel_blocks.py::test_a_large_dag_is_the_recursion_over_pairs_of_nodes",
    ),
    Fault(
        "block-fresh",
        "linear edges out of earlier blocks lost",
        "nngp_dag.kernel.flow",
        "Flow.arrive",
        "fresh + self.before[0][t], ",
        "fresh, ",
        test="tests/test_kernel_blocks.py::test_a_large_dag_is_the_recursion_over_pairs_of_nodes",
    ),
    Fault(
        "block-means",
        "means weighed by squares between blocks",
        "nngp_dag.kernel.recursion",
        "Recursion.block_row",
        "before.mean, q",
        "before.power, q",
        test="tests/test_kernel_blocks.py::test_a_large_dag_is_the_recursion_over_pairs_of_nodes",
    ),
    Fault(
        "block-freed",
        "the room of a block reused before its last use",
        "nngp_dag.kernel.blocks",
        "_places",
        "if last_use[j] == k]",
        "if last_use[j] == k or j + 1 == k]",
        test="tests/test_kernel_blocks.py::test_blocks_hold_every_weight_once_and_overwrite_nothing_that_is_read_later",
    ),
    Fault(
        "block-last",
        "the weights of the output over the last node",
        "nngp_dag.kernel.blocks",
        "plan_of",
        "last[row_of[read]] = read",
        "last[row_of[read]] = read[::-1]",
        test="tests/test_kernel_blocks.py::test_a_large_dag_is_the_recursion_over_pairs_of_nodes",
    ),
)
