"""Specification of a finite network, apart from its DAG and its weights: sizes, reading, parameterisation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError, unknown
from nngp_dag.finite.network.wiring import Support, num_slots, union_support, wiring_matrix
from nngp_dag.reading import Reading

__all__ = ["PARAMETERIZATIONS", "NetworkSpec", "Parameterization"]

Parameterization = Literal["ntk", "standard"]
PARAMETERIZATIONS: tuple[Parameterization, ...] = get_args(Parameterization)


@dataclass(frozen=True)
class NetworkSpec:
    """The static part of a finite network: hashable, so that programs are compiled once for each.

    With m = `width`, c the normalisation of sigma, and N(0, 1) meaning i.i.d. entries:

    ============  ==========================================  ==================================================
    part          `ntk` parameterisation                      `standard` (Kaiming, as in the authors' experiments)
    ============  ==========================================  ==================================================
    embedding     G x, G ~ N(0, 1);                           G x + b, G ~ N(0, 1/d);
                  stem: sqrt(c) sigma(G x)                    stem: sigma(G x + b), G ~ N(0, c/d)
    linear edge   sqrt(c) sigma(W h / sqrt(m)) or             sigma(W h + b) or W sigma(h) + b, W ~ N(0, c/m)
                  sqrt(c/m) W sigma(h), W ~ N(0, 1)
    readout       a h_H / sqrt(m), a ~ N(0, 1)                a h_H + b, a ~ N(0, c/m)
    ============  ==========================================  ==================================================

    Biases exist only with `standard` and are zero at the start. For ReLU both have the same outputs in distribution
    when the rows of `standard` have norm sqrt(d) instead of 1 (and the readout sqrt(c) times as large).

    Attributes:
        inputs: d, the number of input coordinates.
        width: m, the number of neurons of every node.
        outputs: number of outputs.
        support: the wiring entries that may be non-zero (`nngp_dag.finite.network.wiring`); its length less one is the
            number of linear edges.
        reading: order, embedding and activation; a stem is allowed with both orders.
        parameterization: ntk or standard.
        batch_norm: normalise each linear edge (and a stem) over the batch before its activation; `standard` only.
        dtype: float32 or float64 (the latter needs JAX's x64 mode).
    """

    inputs: int
    width: int
    outputs: int
    support: Support
    reading: Reading = dataclasses.field(default_factory=Reading)
    parameterization: Parameterization = "ntk"
    batch_norm: bool = False
    dtype: str = "float32"

    @classmethod
    def make(
        cls,
        dags: Dag | Iterable[Dag],
        inputs: int,
        width: int,
        outputs: int = 1,
        *,
        reading: Reading | None = None,
        parameterization: str = "ntk",
        batch_norm: bool = False,
        dtype: str = "float32",
        support: Support | None = None,
    ) -> NetworkSpec:
        """Check names and sizes; the support is the smallest that fits all the given DAGs, unless one is given.

        Raises:
            InputError: an unknown name, a size below one, batch normalisation with the ntk parameterisation, or a
                support that does not fit a DAG.
        """
        graphs = [dags] if isinstance(dags, Dag) else list(dags)
        if not graphs:
            raise InputError("at least one DAG is needed")
        for kind, value, accepted in (
            ("parameterization", parameterization, PARAMETERIZATIONS),
            ("dtype", dtype, ("float32", "float64")),
        ):
            if value not in accepted:
                raise unknown(kind, value, accepted)
        for name, size in (("inputs", inputs), ("width", width), ("outputs", outputs)):
            if size < 1:
                raise InputError(f"{name} must be at least 1, got {size}")
        if batch_norm and parameterization == "ntk":
            raise InputError("batch normalisation is available with the standard parameterization only")
        if support is None:
            slots = max(num_slots(dag) for dag in graphs)
            support = union_support([wiring_matrix(dag, slots) for dag in graphs])
        spec = cls(
            inputs,
            width,
            outputs,
            support,
            reading or Reading(),
            cast(Parameterization, parameterization),
            batch_norm,
            dtype,
        )
        for dag in graphs:
            spec.wiring(dag)
        return spec

    @property
    def slots(self) -> int:
        """Number of linear edges that the program has room for."""
        return len(self.support) - 1

    @property
    def weights(self) -> int:
        """Number of entries of all matrices."""
        return self.slots * self.width**2 + self.width * (self.inputs + self.outputs)

    def wiring(self, dag: Dag) -> np.ndarray:
        """The wiring matrix of a DAG with this number of slots, float64.

        Raises:
            InputError: the support does not fit the DAG.
        """
        matrix = wiring_matrix(dag, self.slots)
        for row, columns in zip(matrix, self.support, strict=True):
            if set(np.flatnonzero(row).tolist()) - set(columns):
                raise InputError(f"the network was built for other DAGs: its support does not fit {dag.to_code()}")
        return matrix
