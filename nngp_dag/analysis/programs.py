"""Exact kernels of DAGs of equal node count, one after the other through one compiled program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.gram import gram, tile_size
from nngp_dag.kernel.inputs import checked_rows, input_precision
from nngp_dag.kernel.method import cast_program, pair_method
from nngp_dag.kernel.products import squared_norms
from nngp_dag.kernel.reach import prepared_for
from nngp_dag.kernel.result import Kernel
from nngp_dag.reading import Reading, Setting

__all__ = ["exact_kernels"]


def exact_kernels(dags: Iterable[Dag], x: ArrayLike, reading: Reading, *, ntk: bool = True) -> list[Kernel]:
    """Both exact kernels of each DAG, NumPy float64 [N, N].

    The same as `kernel_fn(dag)(x)`, which prunes each DAG and compiles for each size that remains; here nothing is
    pruned (edges on no path count for nothing), so that DAGs of equal node count share one compilation.

    Args:
        dags: of any node counts; those of equal count share a compilation.
        x: rows [N, d], float64.
        reading: one that has an exact kernel.
        ntk: compute the NTK too; else it is an empty array [0, 0].

    Raises:
        InputError: a kernel that overflows.
    """
    method = pair_method(Setting("exact", reading), with_tangent=ntk)
    kernels = []
    with input_precision(x):
        rows = checked_rows("x", x)
        for dag in dags:
            served, _ = prepared_for(method, dag, lambda: [squared_norms(rows)])
            program = cast_program(served.program(dag), rows.dtype)
            tile = tile_size(rows.itemsize * served.numbers_per_pair(dag, program))
            nngp, *tangent = map(np.asarray, gram(served, program, rows, None, tile=tile))
            arrays: list[Any] = [nngp, nngp + tangent[0] if ntk else np.zeros((0, 0))]
            if not all(np.isfinite(array).all() for array in arrays):
                raise InputError(f"the kernel of {dag!r} overflows {rows.dtype}: use a DAG with fewer skip paths")
            kernels.append(Kernel(*arrays))
    return kernels
