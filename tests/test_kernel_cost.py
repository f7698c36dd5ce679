"""Kernels that cannot be computed are refused with an estimate, before anything is computed."""

from __future__ import annotations

import numpy as np
import pytest

from nngp_dag import Dag, kernel_fn
from nngp_dag.errors import InputError
from nngp_dag.kernel import cost
from nngp_dag.kernel.cost import estimated_seconds, require_cost
from nngp_dag.reading import Setting


def full(nodes):
    """Every edge linear."""
    return Dag(nodes, bytes([2] * (nodes * (nodes - 1) // 2)))


def test_a_kernel_beyond_memory():
    rows = np.zeros((3 * 10**6, 1), np.float32)  # a kernel of 65 TiB for both
    with pytest.raises(InputError, match=r"the kernel of 3,000,000 by 3,000,000 rows would need about 65.5 TiB"):
        kernel_fn(Dag.from_code("2"))(rows)


def test_a_dag_of_which_neural_tangents_would_build_every_edge():
    with pytest.raises(InputError, match="1,770 branches one by one, in about 35 s"):
        kernel_fn(full(60), "neural-tangents")(np.eye(2))


def test_a_dag_and_rows_that_would_take_days(monkeypatch):
    monkeypatch.setattr(cost.jax, "default_backend", lambda: "cpu")
    with pytest.raises(InputError, match=r"500 nodes on 30,000 by 30,000 rows would take about 20 hours"):
        require_cost(full(500), Setting.make("exact"), (30_000, 30_000), 4, 1)
    require_cost(full(500), Setting.make("path-sum"), (30_000, 30_000), 4, 1)
    monkeypatch.setattr(cost.jax, "default_backend", lambda: "gpu")
    require_cost(full(500), Setting.make("exact"), (30_000, 30_000), 4, 1)


def test_cells_cost_nothing_worth_a_word():
    assert estimated_seconds(full(8), Setting.make("exact"), 10**12) == 0


def test_a_large_dag_on_few_rows_is_computed():
    kernel = kernel_fn(full(60))(np.eye(3), get="nngp")
    assert np.isfinite(kernel).all() and (np.linalg.eigvalsh(kernel / kernel[0, 0]) > -1e-9).all()
