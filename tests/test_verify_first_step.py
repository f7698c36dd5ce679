"""The first step of gradient descent on DAGs of ReLUs: the recursion, its closed forms, and networks by hand."""

from fractions import Fraction
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nngp_dag import Dag
from verify.tools import step_networks
from verify.tools.first_step import (
    RULES,
    by_source,
    by_target,
    chain,
    complete,
    depth_cubes,
    fan_in,
    first_step,
    pre_activations,
)
from verify.tools.path_listing import path_depths
from verify.tools.topologies import all_topologies


def test_topologies_are_all_dags_whose_vertices_lie_on_paths():
    for hidden in (1, 2, 3):
        last = hidden + 1
        pairs = [(s, t) for t in range(1, last + 1) for s in range(t)]
        count = 0
        for chosen in product((0, 1), repeat=len(pairs)):
            edges = {pair for pair, there in zip(pairs, chosen, strict=True) if there}
            into, out = {t for _, t in edges}, {s for s, _ in edges}
            count += into == set(range(1, last + 1)) and out == set(range(last))
        codes = {dag.to_code() for dag in all_topologies(hidden)}
        assert len(codes) == len(list(all_topologies(hidden))) == count
        assert all(Dag.from_code(code).pruned().to_code() == code for code in codes)


def test_cubed_depths_are_those_of_the_listed_paths():
    for dag in all_topologies(3):
        edges = path_depths(dag)
        assert depth_cubes(dag, "relu") == sum(d**3 for d in edges)
        assert depth_cubes(dag, "hidden") == sum((d - 1) ** 3 for d in edges)


def test_closed_forms_of_the_written_proof():
    """Chains, complete DAGs by either in-degree, and branches that meet."""
    for n in range(1, 12):
        step = first_step(chain(n), by_target(chain(n)))
        assert step.hidden == tuple(Fraction(t * (2 * t * t + 1), 12) for t in range(1, n + 1))
        assert step.output == Fraction(n * n, 4)
        dag = complete(n)
        assert set(pre_activations(dag, by_target(dag))) == {1}
        assert pre_activations(dag, by_source(dag))[1:] == list(range(1, n + 1))
        harmonic = [sum(Fraction(1, k) for k in range(1, t + 1)) for t in range(1, n + 1)]
        means = [t - h / 2 for t, h in zip(range(1, n + 1), harmonic, strict=True)]
        assert first_step(dag, by_target(dag)).output == (sum(means) / (n + 1)) ** 2
        assert first_step(dag, by_target(dag)).hidden[0] == Fraction(1, 8)
        assert max(first_step(dag, by_target(dag)).hidden) <= 3 * n
        dag = fan_in(n)
        step = first_step(dag, by_target(dag))
        assert step.largest == step.hidden[-1] == Fraction((n + 1) ** 2, 4) + Fraction(1, 2 * n)
        assert step.output == Fraction((n + 1) ** 2, 4) and depth_cubes(dag, "hidden") == 8 * n


@pytest.mark.parametrize("rule", RULES.values(), ids=["target", "plain", "source"])
def test_the_networks_changes_are_those_of_automatic_differentiation(rule, monkeypatch):
    """Eq. 5 by hand against a gradient and a directional derivative, on a DAG with several edges into its vertices."""
    dag, n, draws = complete(3), 5, 2
    monkeypatch.setattr(step_networks, "_DRAWS", draws)
    scales = rule(dag)
    sample = step_networks.sample_steps(dag, scales, n, 1, np.random.default_rng(3))

    rng, last = np.random.default_rng(3), dag.num_nodes - 1

    def drawn(shape, variance):
        return jnp.asarray(rng.standard_normal(shape, np.float32) * np.float32(float(variance) ** 0.5))

    hidden = {edge: drawn((n, n), scale / n) for edge, scale in scales.items() if edge[1] < last}
    read_out = {s: drawn((n, draws), scale / n**2) for (s, t), scale in scales.items() if t == last}
    x = drawn((n, draws), 1)

    def forward(weights, column):
        z = [x[:, column]]
        for t in range(1, last):
            z.append(sum(weights[s, t] @ jax.nn.relu(z[s]) for s in range(t) if (s, t) in weights))
        return jnp.stack(z[1:]), sum(read_out[s][:, column] @ jax.nn.relu(z[s]) for s in read_out)

    moments = []
    for column in range(draws):
        gradient = jax.grad(lambda w, c=column: forward(w, c)[1])(hidden)
        (_, out), (change, change_out) = jax.jvp(lambda w, c=column: forward(w, c), (hidden,), (gradient,))
        moments.append([*((1 + out**2) * (change**2).mean(axis=1)), (1 + out**2) * change_out**2])
    expected = np.mean(np.array(moments, float), axis=0)
    found = np.append(sample.hidden[0], sample.output[0])
    np.testing.assert_allclose(found, expected, rtol=2e-4)
