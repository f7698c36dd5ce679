"""Output scales that make DAGs comparable: the same variance of the outputs at initialisation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.kernel.network import Network, dag_of
from nngp_dag.reading import Reading, Setting

__all__ = ["matching_scale"]

_BLOCK = 64


def matching_scale(dag: Network, x: ArrayLike, reading: Reading | None = None) -> float:
    """1 / sqrt(mean diagonal of the exact NNGP) on rows x [N, d]: outputs times this have mean variance one.

    Raises:
        InputError: a zero kernel, or no exact kernel for this setting.
    """
    rows = np.asarray(x, np.float64)
    fn = kernel_of(dag, Setting("exact", reading or Reading()))
    blocks = [np.diagonal(np.asarray(fn(rows[i : i + _BLOCK], get="nngp"))) for i in range(0, len(rows), _BLOCK)]
    mean = float(np.concatenate(blocks).mean())
    if mean <= 0:
        raise InputError(f"DAG {dag_of(dag).to_code()} has a zero kernel: its outputs cannot be scaled to variance one")
    return mean**-0.5
