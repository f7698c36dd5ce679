"""The macro network of NAS-Bench-201, with the architecture as an input: one compilation serves all 15,625 cells."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax
from jax.typing import DTypeLike

from nngp_dag.errors import InputError
from nngp_dag.nas.networks.cell201 import Cell201
from nngp_dag.nas.networks.layers import BatchNorm, Conv, Linear, ReluConvBN, halve
from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.probe import Probe, Report, no_probe
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.support.flax_compat import ModuleList

__all__ = ["MacroSpec", "Network201", "ResidualBlock"]


@dataclass(frozen=True)
class MacroSpec(NetworkSizes):
    """Sizes of a macro network. The defaults are those of NAS-Bench-201.

    Attributes:
        channels: C, doubled from stage to stage.
        cells: N, cells of a stage.
        classes: number of outputs.
        stages: number of stages, joined by residual blocks of stride 2.
        inputs: channels of an image.
        stem: whether a 3x3 convolution with batch normalisation comes first; without it `inputs` must equal `channels`.
        init: initial weights, one of `nngp_dag.nas.networks.sizes.INITIALIZATIONS`.
        dtype: name of the floating-point type.
    """

    channels: int = 16
    cells: int = 5
    classes: int = 10
    stages: int = 3
    inputs: int = 3
    stem: bool = True
    init: str = "pytorch"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.stem and self.inputs != self.channels:
            raise InputError(f"without a stem the images need {self.channels} channels, got {self.inputs}")

    @property
    def unit(self) -> int:
        """Every residual block halves the image, and both its branches to the same size."""
        return int(2 ** (self.stages - 1))


class ResidualBlock(nnx.Module):
    """Two ReLU-conv-BN blocks, the first of stride 2, plus the mean over 2x2 windows and a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int, *, dtype: DTypeLike) -> None:
        self.first = ReluConvBN(inputs, outputs, 3, stride=2, dtype=dtype)
        self.second = ReluConvBN(outputs, outputs, 3, dtype=dtype)
        self.shortcut = Conv(inputs, outputs, 1, dtype=dtype)

    def __call__(self, x: Array, probe: Probe) -> tuple[Array, list[Report]]:
        """Images x [N, h, w, inputs] -> [N, h/2, w/2, outputs], and the probe's reports."""
        inner = self.first(x)
        reports = [probe(x, 1, block=True), probe(inner, 1, block=True)]
        return self.shortcut(halve(x)) + self.second(inner), reports


class Network201(Network):
    """Stem, stages of equal cells joined by residual blocks, batch norm, ReLU, global mean, linear classifier.

    The cells of a stage are one module with stacked weights, and `lax.scan` runs over them, so that the compiler sees
    one cell per stage. The constructor makes a description without random weights: see
    `nngp_dag.nas.networks.initialize`.
    """

    def __init__(self, spec: MacroSpec) -> None:
        self.spec = spec
        dtype = jnp.dtype(spec.dtype)
        if spec.stem:
            self.stem = ModuleList(
                [Conv(spec.inputs, spec.channels, 3, dtype=dtype), BatchNorm(spec.channels, dtype=dtype)]
            )
        widths = [spec.channels * 2**stage for stage in range(spec.stages)]
        self.stages = ModuleList([Cell201(width, dtype=dtype, stack=(spec.cells,)) for width in widths])
        self.blocks = ModuleList([ResidualBlock(width, 2 * width, dtype=dtype) for width in widths[:-1]])
        self.norm = BatchNorm(widths[-1], dtype=dtype)
        self.classifier = Linear(widths[-1], spec.classes, dtype=dtype)

    def __call__(self, x: Array, genes: Array, probe: Probe = no_probe) -> tuple[Array, list[Report]]:
        """Logits [N, classes], and the probe's reports: a list, those of a stage's cells stacked along a first axis.

        Args:
            x: images [N, height, width, inputs].
            genes: the cell: operation indices [6], or weights of all operations [6, 5] (a supernet); traced.
            probe: what to report about the ReLUs' inputs (`nngp_dag.nas.networks.probe`).
        """
        reports: list[Report] = []
        if self.spec.stem:
            for layer in self.stem:
                x = layer(x)
        for stage, cells in enumerate(self.stages):
            if stage:
                x, report = self.blocks[stage - 1](x, probe)
                reports.extend(jax.tree.map(lambda leaf: leaf[None], report))
            graph, weights = nnx.split(cells)

            def run(x: Array, weights: nnx.State, graph: nnx.GraphDef[Cell201] = graph) -> tuple[Array, list[Report]]:
                return nnx.merge(graph, weights)(x, genes, probe)

            x, report = lax.scan(run, x, weights)
            reports.extend(report)
        x = self.norm(x)
        reports.append(jax.tree.map(lambda leaf: leaf[None], probe(x, 1, block=False)))
        return self.classifier(nnx.relu(x).mean((1, 2))), reports
