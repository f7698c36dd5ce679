"""Faults in what wirings add: ports, gains, biases, layer norm, and the read-out."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

_PATHS = "tests/test_kernel_wirings.py::test_path_sum_is_the_papers_rule_where_depths_do_not_meet"
_NODES = "tests/test_kernel_wirings.py::test_kernels_at_every_node_are_those_of_the_recursion"
_LARGE = "tests/test_kernel_wirings.py::test_large_wirings_are_folded_like_small_ones"

FAULTS = (
    Fault(
        "wiring-port",
        "edges of one node and activation share a port, whatever their scales",
        "nngp_dag.kernel.ports",
        "wired_edges",
        "(_column(w, i), _column(v, i)) if scaled else None",
        "scaled",
        test=_LARGE,
    ),
    Fault(
        "wiring-gain",
        "g for g^2 in what covariances and tangents are multiplied by",
        "nngp_dag.kernel.ports",
        "wired_edges",
        "power=(g * factor) ** 2",
        "power=abs(g) * factor**2",
        test=_NODES,
    ),
    Fault(
        "wiring-skip-gain",
        "gains of skip edges for their squares in the paper's recursion",
        "nngp_dag.kernel.wired",
        "_copies",
        "_summed(wiring, a**2)",
        "_summed(wiring, abs(a))",
        test=_PATHS,
    ),
    Fault(
        "wiring-bias-tangent",
        "the bias left out of the tangent that passes through an edge",
        "nngp_dag.kernel.pair_recursion",
        "PairRecursion.extend_pair",
        "partial(self._sent, port), q, theta,",
        "lambda q, theta, x, y: (self._sent(port, q, theta, x, y)[0], self._sent(port, k, theta, x, y)[1]), q, theta,",
        test=_PATHS,
    ),
    Fault(
        "wiring-bias-received",
        "biases of activation-first that bring no tangent",
        "nngp_dag.kernel.pair_recursion",
        "PairRecursion._flows",
        "e if into.constant is None else e + into.constant",
        "e",
        test=_NODES,
    ),
    Fault(
        "wiring-norm-copies",
        "copies weigh as their last skip edge says: the layer norm before it is forgotten",
        "nngp_dag.kernel.layer_norm",
        "NormedCopies._arrive_row",
        'jnp.dot(a, state.copies[: a.shape[0]], precision="highest")',
        "jnp.zeros_like(state.copies[0]).at[: a.shape[0]].set(a)",
        test=_NODES,
    ),
    Fault(
        "wiring-readout-bias",
        "a read-out without its bias",
        "nngp_dag.kernel.propagate",
        "_read_out",
        "weight * k + bias",
        "weight * k",
        test=_PATHS,
    ),
    Fault(
        "batch-place",
        "groups of wirings written where the next one belongs",
        "nngp_dag.kernel.batches",
        "_kernels",
        "return (write(out, tiles, at), compute(start), start), None",
        "return (write(out, tiles, start), compute(start), start), None",
        test="tests/test_kernel_wirings.py::test_a_batch_is_every_wiring",
    ),
    Fault(
        "batch-mirror",
        "tiles below the diagonal of a batch read off its first tile",
        "nngp_dag.kernel.batches",
        "_squares",
        "np.triu(where) + np.triu(where, 1).T",
        "np.triu(where)",
        test="tests/test_kernel_wirings.py::test_a_batch_is_every_wiring",
    ),
)
