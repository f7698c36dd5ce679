"""Binary codes in words, their agreement by counting, and the operations of a cell that have to be computed."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from nngp_dag.nas.networks.cell201 import live_genes
from nngp_dag.nas.networks.codes import agreement, packed_codes
from nngp_dag.nas.networks.probe import code_agreement, released_agreement
from nngp_dag.spaces.nasbench201 import OPERATIONS


@pytest.mark.parametrize("shape", [(5, 1), (4, 31), (3, 32), (6, 4, 4, 3), (2, 16, 16, 5), (1, 300)])
def test_the_agreement_is_counted_unit_by_unit(shape):
    z = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    z.reshape(-1)[:: max(z.size // 7, 1)] = 0.0  # a unit at zero is off
    z.reshape(-1)[1] = -0.0
    on = z.reshape(len(z), -1) > 0
    expected = (on[:, None] == on[None]).sum(-1)
    packed = packed_codes(jnp.asarray(z))
    assert packed.dtype == jnp.uint32
    assert int(np.bitwise_count(np.asarray(packed)).sum() if hasattr(np, "bitwise_count") else on.sum()) == on.sum()
    found = np.asarray(agreement(packed, on.shape[1]))
    assert found.dtype == np.int32 and (found == expected).all()
    for count in (0, 1, 3):
        assert (np.asarray(code_agreement(jnp.asarray(z), count, block=True)) == count * expected).all()
        assert (np.asarray(code_agreement(jnp.asarray(z), jnp.asarray(count), block=True)) == count * expected).all()
    assert (np.asarray(released_agreement(jnp.asarray(z), 2, block=True)) == 4 * expected).all()
    assert (np.asarray(released_agreement(jnp.asarray(z), 1, block=False)) == expected).all()


def test_operations_into_nodes_that_nothing_reads_are_left_out():
    """By hand for single cells; for all, what is left out is none of what the output or a ReLU depends on."""
    none, skip, conv = (OPERATIONS.index(name) for name in ("none", "skip_connect", "nor_conv_3x3"))
    # Edges (0,1), (0,2), (1,2), (0,3), (1,3), (2,3).
    assert live(conv, conv, skip, skip, none, none) == [none, none, none, skip, none, none]
    assert live(conv, conv, conv, skip, none, none) == [conv, none, none, skip, none, none]  # the ReLU of (1,2) is read
    assert live(conv, conv, skip, skip, none, skip) == [conv, conv, skip, skip, none, skip]
    assert live(conv, none, none, skip, skip, none) == [conv, none, none, skip, skip, none]
    for genes in itertools.product((none, skip, conv), repeat=6):
        into = {(s, t): genes[t * (t - 1) // 2 + s] for t in (1, 2, 3) for s in range(t)}
        needed = {3} | {s for (s, _), op in into.items() if op == conv}
        for _ in range(3):
            needed |= {s for (s, t), op in into.items() if op != none and t in needed}
        assert live(*genes) == [op if t in needed else none for (_, t), op in into.items()]


def live(*genes: int) -> list[int]:
    return live_genes(jnp.asarray(genes)).tolist()
