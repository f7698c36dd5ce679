"""Ensembles: one trace for all seeds and DAGs, members equal to single networks, and members split over devices."""

import os
import subprocess
import sys
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nngp_dag.dag import Dag, num_edges
from nngp_dag.errors import InputError
from nngp_dag.finite.network import DagNetwork, Ensemble, NetworkSpec, full_support

CODES = ("2_02_002", "1_01_222", "2_21_112")
DAGS = [Dag.from_code(code) for code in CODES]


def rows(n: int = 5, d: int = 4) -> np.ndarray:
    x = np.random.default_rng(1).normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_members_are_the_single_networks():
    spec = NetworkSpec.make(DAGS, 4, 16, 2, dtype="float64")
    ensemble = Ensemble(spec, DAGS, [5, 0, 7])
    outputs = ensemble.apply(ensemble.init(), rows())
    assert outputs.shape == (3, 3, 5, 2)
    for i, dag in enumerate(DAGS):
        for j, seed in enumerate([5, 0, 7]):
            alone = DagNetwork(
                NetworkSpec.make(dag, 4, 16, 2, dtype="float64"), dag, rngs=nnx.Rngs(params=jax.random.key(seed))
            )
            np.testing.assert_allclose(outputs[i, j], alone(jnp.asarray(rows())), rtol=1e-11)


def test_one_compilation_serves_all_dags_of_a_node_count_and_all_seeds(monkeypatch):
    traces, builds = [], []
    forward, build = DagNetwork.__call__, DagNetwork.__init__

    def counting_forward(self, *args, **kwargs):
        traces.append(1)
        return forward(self, *args, **kwargs)

    def counting_build(self, *args, **kwargs):
        builds.append(1)
        build(self, *args, **kwargs)

    monkeypatch.setattr(DagNetwork, "__call__", counting_forward)
    monkeypatch.setattr(DagNetwork, "__init__", counting_build)
    spec = NetworkSpec.make(DAGS, 4, 11, support=full_support(num_edges(4)))
    for codes in (CODES, ("2_22_222", "1_11_111", "0_01_001"), ("0_00_000", "2_12_012", "0_02_200")):
        for seeds in ([0, 1], [2, 3], [8, 9]):
            ensemble = Ensemble(spec, [Dag.from_code(code) for code in codes], seeds)
            ensemble.apply(ensemble.init(), rows())
    assert len(traces) == 1
    assert len(builds) == 2  # once to initialise, once for the structure of the module


def test_bad_seeds():
    spec = NetworkSpec.make(DAGS, 4, 4)
    with pytest.raises(InputError, match="2\\^32"):
        Ensemble(spec, DAGS, [-1])
    with pytest.raises(InputError, match="at least one"):
        Ensemble(spec, DAGS, [])


def test_members_split_over_four_devices():
    """On four forced host devices each holds its share of the members, and the outputs are those of one device."""
    program = """
        import jax, numpy as np
        jax.config.update("jax_enable_x64", True)
        from nngp_dag.dag import Dag
        from nngp_dag.finite.network import Ensemble, NetworkSpec
        assert len(jax.devices()) == 4
        dags = [Dag.from_code(code) for code in ("2_02_002", "1_01_222", "2_21_112")]
        spec = NetworkSpec.make(dags, 4, 16, dtype="float64")
        x = np.random.default_rng(0).normal(size=(5, 4))
        split = Ensemble(spec, dags, [0, 1, 2])
        single = Ensemble(spec, dags, [0, 1, 2], devices=jax.devices()[:1])
        state = split.init()
        for leaf in jax.tree.leaves(state):
            assert leaf.shape[0] == 12  # nine members, filled up to three per device
            assert {shard.device for shard in leaf.addressable_shards} == set(jax.devices())
            assert all(shard.data.shape[0] == 3 for shard in leaf.addressable_shards)
        outputs = split.apply(state, x)
        assert outputs.shape == (3, 3, 5, 1)
        np.testing.assert_allclose(outputs, single.apply(single.init(), x), rtol=1e-12)
    """
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
