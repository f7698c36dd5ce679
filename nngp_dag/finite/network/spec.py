"""Specification of a finite network, apart from its DAG and its weights: sizes, reading, parameterisation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError, unknown
from nngp_dag.finite.network.slots import Slots, slots_of, union_slots, widened
from nngp_dag.finite.network.wiring import Support, num_slots, union_support, wiring_matrix
from nngp_dag.kernel.network import Network, dag_of, network_of
from nngp_dag.reading import Reading
from nngp_dag.wiring import Wiring, as_wiring

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

    Networks of a `Wiring` (`nngp_dag.finite.network.slots`) are of the `ntk` parameterisation, and have biases of
    N(0, 1) entries, trained, where their scale is not 0.

    Attributes:
        inputs: d, the number of input coordinates.
        width: m, the number of neurons of every node.
        outputs: number of outputs.
        support: the wiring entries that may be non-zero (`nngp_dag.finite.network.wiring`); its length less one is the
            number of linear edges (of slots, with a wiring).
        reading: order, embedding and activation; a stem is allowed with both orders.
        parameterization: ntk or standard.
        batch_norm: normalise each linear edge (and a stem) over the batch before its activation; `standard` only.
        dtype: float32 or float64 (the latter needs JAX's x64 mode).
        wired: what the slots of networks of wirings do; None: all networks are those of plain DAGs.
    """

    inputs: int
    width: int
    outputs: int
    support: Support
    reading: Reading = dataclasses.field(default_factory=Reading)
    parameterization: Parameterization = "ntk"
    batch_norm: bool = False
    dtype: str = "float32"
    wired: Slots | None = None

    @classmethod
    def make(
        cls,
        dags: Network | Iterable[Network],
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

        Among the DAGs may be wirings, with the same activations and layer norms slot by slot.

        Raises:
            InputError: an unknown name, a size below one, batch normalisation with the ntk parameterisation, a support
                that does not fit a DAG, a wiring with the standard parameterisation, or wirings that share no program.
        """
        networks = [dags] if isinstance(dags, (Dag, Wiring)) else list(dags)
        if not networks:
            raise InputError("at least one DAG is needed")
        reading = reading or Reading()
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
        wired = None
        if any(isinstance(network_of(network, reading), Wiring) for network in networks):
            if parameterization != "ntk":
                raise InputError("networks of wirings are available with the ntk parameterization only")
            wired, support = _wired(networks, reading, support)
        elif support is None:
            support = _smallest_support([dag_of(network) for network in networks])
        spec = cls(
            inputs,
            width,
            outputs,
            support,
            reading,
            cast(Parameterization, parameterization),
            batch_norm,
            dtype,
            wired,
        )
        for network in networks:
            spec.wiring(network)
        return spec

    @property
    def slots(self) -> int:
        """Number of linear edges that the program has room for; with a wiring, of those and of layer norms."""
        return len(self.support) - 1

    @property
    def weights(self) -> int:
        """Number of entries of all matrices."""
        matrices = self.slots
        if self.wired is not None:
            matrices = sum(kind.activation is not None for kind in self.wired.kinds)
        return matrices * self.width**2 + self.width * (self.inputs + self.outputs)

    @property
    def wiring_shape(self) -> tuple[int, int]:
        """The shape of `wiring`."""
        return self.slots + 1, self.slots + (1 if self.wired is None else 3)

    def wiring(self, dag: Network) -> np.ndarray:
        """The wiring matrix of a DAG with this number of slots, or the matrix of a wiring, float64 [`wiring_shape`].

        Raises:
            InputError: the support, or what the slots do, does not fit the DAG.
        """
        matrix = self._plain_matrix(dag) if self.wired is None else self._wired_matrix(dag, self.wired)
        if matrix is not None:
            rows = zip(matrix[:, : self.slots + 1], self.support, strict=True)
            if all(set(np.flatnonzero(row).tolist()) <= set(columns) for row, columns in rows):
                return matrix
        code = dag_of(dag).to_code()
        raise InputError(f"the network was built for other DAGs: its support does not fit {code}")

    def _plain_matrix(self, dag: Network) -> np.ndarray | None:
        network = dag if isinstance(dag, Dag) else network_of(dag, self.reading)
        return None if isinstance(network, Wiring) else wiring_matrix(network, self.slots)

    def _wired_matrix(self, dag: Network, wired: Slots) -> np.ndarray | None:
        slots, matrix = slots_of(_wiring_of(dag, self.reading))
        fits = len(slots.kinds) <= self.slots and union_slots([wired, slots]) == wired
        return widened(matrix, self.slots) if fits else None


def _smallest_support(dags: Sequence[Dag]) -> Support:
    slots = max(num_slots(dag) for dag in dags)
    return union_support([wiring_matrix(dag, slots) for dag in dags])


def _wired(networks: Iterable[Network], reading: Reading, support: Support | None) -> tuple[Slots, Support]:
    """The slots that serve all networks, and the support that is given, or their smallest."""
    found = [slots_of(_wiring_of(network, reading)) for network in networks]
    wired = union_slots([slots for slots, _ in found])
    size = len(wired.kinds)
    if support is None:
        return wired, union_support([widened(matrix, size)[:, : size + 1] for _, matrix in found])
    if len(support) != size + 1:
        raise InputError(f"these wirings need a support of {size + 1} rows, got {len(support)}")
    return wired, support


def _wiring_of(network: Network, reading: Reading) -> Wiring:
    """The pruned wiring of a network, every activation given."""
    wiring = as_wiring(network).checked().pruned()
    return dataclasses.replace(wiring, activations=tuple(sigma or reading.activation for sigma in wiring.activations))
