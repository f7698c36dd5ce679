"""Faults in the sum over paths (Eq. 12), the NTK's above all."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "path-tangent-last",
        "T of activation-last without fdot in Eq. 12",
        "nngp_dag.kernel.path_sum",
        "PathSum._after",
        "slope * (weight * tangent + q)",
        "slope * weight * tangent + q",
        test="tests/test_kernel_definitions.py::test_the_papers_rules_are_what_the_paper_says",
    ),
    Fault(
        "path-tangent-first",
        "T of activation-first with fdot in Eq. 12",
        "nngp_dag.kernel.path_sum",
        "PathSum._after",
        "slope * tangent + f",
        "slope * (tangent + f)",
        test="tests/test_kernel_definitions.py::test_the_papers_rules_are_what_the_paper_says",
    ),
    Fault(
        "path-shift",
        "paths of d linear edges weigh the kernel of d + 1",
        "nngp_dag.kernel.path_sum",
        "PathSum.chain_pair",
        "tangent, scales), carry",
        "tangent, scales), (f, tangent)",
        test="tests/test_kernel_definitions.py::test_the_papers_rules_are_what_the_paper_says",
    ),
    Fault(
        "path-sweep",
        "the NTK of Eq. 12 without the NNGP in a sweep",
        "nngp_dag.kernel.path_sum",
        "_many",
        'planes["nngp"] + tangent',
        '0 * planes["nngp"] + tangent',
        test="tests/test_kernel_functions.py::test_a_sweep_is_every_kernel",
    ),
    Fault(
        "path-diagonal",
        "the NTK of Eq. 12 without tangents on the diagonal",
        "nngp_dag.kernel.path_sum",
        "PathSum.diagonal",
        "rows.tangents",
        "0 * rows.tangents",
        test="tests/test_kernel_functions.py::test_pairs_broadcast_and_equal_the_gram_matrix",
    ),
)
