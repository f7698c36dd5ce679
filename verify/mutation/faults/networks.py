"""Faults in networks of finite width, which the kernels are compared with."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "readout-scale",
        "outputs divided by m for sqrt m",
        "nngp_dag.finite.network.module",
        "DagNetwork.__init__",
        "1.0 if standard else 1 / math.sqrt(m)",
        "1.0 if standard else 1 / m",
        test="tests/test_network.py::test_forward_is_the_definition",
    ),
    Fault(
        "stem-gain",
        "the stem without its normalisation",
        "nngp_dag.finite.network.module",
        "DagNetwork.__init__",
        "gain=1.0 if standard else math.sqrt(c),\n            normalize=spec.batch_norm and stem",
        "gain=1.0,\n            normalize=spec.batch_norm and stem",
        test="tests/test_network.py::test_forward_is_the_definition",
    ),
    Fault(
        "bias-tangent",
        "biases of a wiring that are not trained",
        "nngp_dag.finite.network.empirical",
        "_share",
        "gram + scales.bias**2",
        "gram",
        test="tests/test_network_wirings.py::test_empirical_kernels_are_the_jacobian_gram",
    ),
    Fault(
        "norm-mean",
        "layer norm of finite networks without subtracting the mean",
        "nngp_dag.finite.network.module",
        "LayerNorm.__call__",
        "h - h.mean(axis=1, keepdims=True)",
        "h",
        test="tests/test_network_wirings.py::test_forward_is_the_definition",
    ),
    Fault(
        "skip-weight",
        "features of one node less in what a node receives",
        "nngp_dag.finite.network.module",
        "DagNetwork._mix",
        "in support[1:]",
        "in support[2:]",
        test="tests/test_network.py::test_wiring_matrix_runs_any_dag",
    ),
    Fault(
        "frozen-embedding-trained",
        "the embedding of every reading frozen",
        "nngp_dag.finite.network.module",
        "DagNetwork.__init__",
        'spec.reading.embedding != "gaussian"',
        "False",
        test="tests/test_network.py::test_only_the_gaussian_embedding_is_frozen",
    ),
)
