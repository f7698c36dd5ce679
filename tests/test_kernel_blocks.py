"""Large DAGs, whose nodes are folded block by block, against the recursion over pairs of nodes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nngp_dag import Dag, kernel_fn
from nngp_dag.kernel.blocks import BLOCK, blocks_of
from nngp_dag.kernel.cost import estimated_seconds
from nngp_dag.kernel.mixing import Mixing, mixing
from nngp_dag.reading import Setting
from verify.tools.pair_recursion import exact_gram

SIZES = st.sampled_from([9, 10, BLOCK + 2, BLOCK + 3, 2 * BLOCK + 2, 41])


def random_dag(num_nodes: int, density: float, skips: float, seed: int) -> Dag:
    """Edges at random, beside a chain of linear edges so that nothing is pruned."""
    generator = np.random.default_rng(seed)
    ops = [
        2 if s == t - 1 else int(generator.random() < density) * (1 if generator.random() < skips else 2)
        for t in range(1, num_nodes)
        for s in range(t)
    ]
    return Dag(num_nodes, bytes(ops))


def chain(num_nodes: int) -> Dag:
    return Dag.from_edges({(t - 1, t): "linear" for t in range(1, num_nodes)})


def program(dag: Dag) -> list[Mixing]:
    return [Mixing(*(a[0] for a in into)) for into in mixing(dag.to_array()[None])]


@settings(max_examples=3, deadline=None)  # each compiles a program of its own
@given(
    st.sampled_from([9, 2 * BLOCK + 3]),
    st.floats(0.2, 0.6),  # the deeper a DAG, the closer correlations come to 1, where the slope of f loses digits
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["first", "last"]),
)
def test_a_large_dag_is_the_recursion_over_pairs_of_nodes(num_nodes, density, skips, seed, order):
    dag = random_dag(num_nodes, density, skips, seed)
    # Not of a row with itself: there the recursion over pairs of nodes rounds a correlation of 1 and loses 1e-8.
    x, y = np.random.default_rng(seed).standard_normal((2, 3, 4))
    found = kernel_fn(dag, order=f"activation-{order}", embedding="gaussian-trained")(x, y)
    for kernel, expected in zip(found, exact_gram(dag, x, y, f"activation-{order}", "gaussian-trained"), strict=True):
        np.testing.assert_allclose(kernel, expected, rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(SIZES, st.floats(0, 0.6), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_blocks_hold_every_weight_once_and_overwrite_nothing_that_is_read_later(num_nodes, density, skips, seed):
    nodes = program(random_dag(num_nodes, density, skips, seed))
    blocks = blocks_of(nodes)
    for kind in Mixing._fields:
        rows = getattr(blocks.last, kind).shape[-1]
        before, within, place, last = (getattr(part, kind) for part in blocks)
        held = np.full(rows, -1)  # the node in each row
        held[0] = 0
        found = np.zeros((num_nodes, num_nodes))
        for k in range(len(place)):
            for j in range(BLOCK):
                t = 1 + k * BLOCK + j
                if t >= num_nodes - 1:
                    assert not before[k, j].any() and not within[k, j].any()
                    continue
                for row in np.flatnonzero(before[k, j]):
                    found[t, held[row]] = before[k, j, row]
                for i in np.flatnonzero(within[k, j]):
                    found[t, 1 + k * BLOCK + i] = within[k, j, i]
            held[place[k] : place[k] + BLOCK] = 1 + k * BLOCK + np.arange(BLOCK)
        for row in np.flatnonzero(last):
            found[num_nodes - 1, held[row]] = last[row]
        for t, into in enumerate(nodes, start=1):
            np.testing.assert_array_equal(found[t, :t], getattr(into, kind))


@pytest.mark.parametrize("num_nodes", [100, 400])
def test_a_chain_needs_room_for_two_blocks_whatever_its_length(num_nodes):
    assert max(a.shape[-1] for a in blocks_of(program(chain(num_nodes))).last) <= 2 * BLOCK


def test_a_chain_is_estimated_in_proportion_to_its_length():
    short, long = (estimated_seconds(chain(n), Setting.make("exact"), 10**6) for n in (100, 400))
    assert 3.5 < long / short < 4.5
