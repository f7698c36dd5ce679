"""The network of the DARTS space, with the architecture as an input: one compilation serves all of them."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from nngp_dag.errors import InputError
from nngp_dag.nas.networks.cell_darts import NODES, CellDarts
from nngp_dag.nas.networks.layers import BatchNorm, Conv, Linear
from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.probe import Probe, Report, no_probe
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.support.flax_compat import ModuleList

__all__ = ["DartsSpec", "NetworkDarts"]


@dataclass(frozen=True)
class DartsSpec(NetworkSizes):
    """Sizes of a network of DARTS cells. The defaults are those of the search in the DARTS paper: eight layers, C=16.

    Attributes:
        channels: C, doubled by every reduction cell.
        cells: normal cells of a stage.
        classes: number of outputs.
        stages: number of stages, each but the first begun by a reduction cell.
        bare_end: whether the last stage is its reduction cell alone.
        inputs: channels of an image.
        stem: channels of the 3x3 convolution with batch normalisation that comes first, in units of C; 0 for none.
        last_relu: whether batch normalisation and a ReLU come before the global mean.
        init: initial weights, one of `nngp_dag.nas.networks.sizes.INITIALIZATIONS`.
        dtype: name of the floating-point type.
    """

    channels: int = 16
    cells: int = 2
    classes: int = 10
    stages: int = 3
    bare_end: bool = False
    inputs: int = 3
    stem: int = 3
    last_relu: bool = False
    init: str = "pytorch"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stem < 0:
            raise InputError(f"stem of a network must be at least 0, got {self.stem}")

    @property
    def ends_rectified(self) -> bool:
        """True where the features before the global mean have passed a ReLU."""
        return self.last_relu

    def layers(self) -> list[tuple[int, bool]]:
        """(channels C, whether it is a reduction cell) of every cell."""
        found = []
        for stage in range(self.stages):
            width = self.channels * 2**stage
            if stage:
                found.append((width, True))
            if not (self.bare_end and stage == self.stages - 1):
                found += [(width, False)] * self.cells
        return found


class NetworkDarts(Network):
    """Stem, cells, global mean, linear classifier; see `nngp_dag.nas.networks.initialize` for its weights."""

    def __init__(self, spec: DartsSpec) -> None:
        self.spec = spec
        dtype = jnp.dtype(spec.dtype)
        width = spec.stem * spec.channels if spec.stem else spec.inputs
        if spec.stem:
            self.stem = ModuleList([Conv(spec.inputs, width, 3, dtype=dtype), BatchNorm(width, dtype=dtype)])
        cells, before, last, halved = [], width, width, False
        for channels, reduction in spec.layers():
            cells.append(CellDarts(before, last, channels, reduction=reduction, halved=halved, dtype=dtype))
            before, last, halved = last, NODES * channels, reduction
        self.cells = ModuleList(cells)
        if spec.last_relu:
            self.norm = BatchNorm(last, dtype=dtype)
        self.classifier = Linear(last, spec.classes, dtype=dtype)

    def __call__(self, x: Array, genes: Array, probe: Probe = no_probe) -> tuple[Array, list[Report]]:
        """Logits [N, classes], and the probe's reports: a list, each with a first axis.

        Args:
            x: images [N, height, width, inputs].
            genes: normal and reduction cell: operation indices [2, 14], or weights of all operations [2, 14, 8] (a
                supernet); traced.
            probe: what to report about the ReLUs' inputs (`nngp_dag.nas.networks.probe`).
        """
        reports: list[Report] = []
        if self.spec.stem:
            for layer in self.stem:
                x = layer(x)
        before, last = x, x
        for cell in self.cells:
            output, found = cell(before, last, genes[int(cell.reduction)], probe)
            before, last = last, output
            reports.extend(found)
        if self.spec.last_relu:
            last = self.norm(last)
            reports.append(jax.tree.map(lambda leaf: leaf[None], probe(last, 1, block=False)))
            last = nnx.relu(last)
        return self.classifier(last.mean((1, 2))), reports
