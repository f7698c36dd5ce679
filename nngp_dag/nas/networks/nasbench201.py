"""The networks of NAS-Bench-201."""

from __future__ import annotations

import numpy as np

from nngp_dag.dag import Op
from nngp_dag.nas.networks.cell201 import NUM_EDGES, NUM_NODES
from nngp_dag.nas.networks.choices import Choices
from nngp_dag.nas.networks.network201 import MacroSpec, Network201
from nngp_dag.nas.networks.parameter_count import Parameters, SizeCounter
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.networks.supernet import Layout, one_operation
from nngp_dag.spaces import Space
from nngp_dag.spaces.nasbench201 import OPERATIONS

__all__ = ["make", "size"]


def make(space: Space) -> SpaceNetworks:
    """The networks of the space `nasbench201`."""
    return SpaceNetworks(
        space=space,
        network=Network201,
        wot=MacroSpec(),
        ntk=MacroSpec(channels=3, cells=1, init="kaiming-fan-out"),
        regions=MacroSpec(channels=1, cells=1, stages=1, inputs=1, stem=False, init="kaiming-fan-in"),
        train=MacroSpec(),
        genes=lambda rows: np.asarray(rows[0], np.int32),
        layout=Layout(
            operations=OPERATIONS,
            classes=tuple(Op.ZERO if n == "none" else Op.LINEAR if "conv" in n else Op.SKIP for n in OPERATIONS),
            edges=tuple((s, t) for t in range(1, NUM_NODES) for s in range(t)),
            inputs=(0,),
            outputs=(NUM_NODES - 1,),
            cells=1,
            prune=1,
            keep=None,
            to_architecture=lambda alive: one_operation(alive).astype(np.int8),
        ),
        supernet=lambda weights: weights[0],
        choices=Choices(
            (len(OPERATIONS),) * NUM_EDGES,
            decode=lambda options: options[None].astype(np.int8),
            active=lambda options: np.ones(len(options), dtype=bool),
        ),
        size=size,
        is_cut=lambda spec, genes: not space.totals(genes[None]).paths.all(),
    )


def size(spec: MacroSpec, genes: np.ndarray, image: int) -> Parameters:
    """Parameters and multiply-adds of the network that has only the chosen operations (as the publishers count)."""
    kernels = {"nor_conv_1x1": 1, "nor_conv_3x3": 9}
    areas = [kernels[OPERATIONS[gene]] for gene in genes if OPERATIONS[gene] in kernels]
    count = SizeCounter()

    def conv_norm(inputs: int, outputs: int, area: int, side: int, times: int = 1) -> None:
        for _ in range(times):
            count.conv(inputs, outputs, side, area)
            count.norm(outputs)

    side, width = image, spec.channels
    if spec.stem:
        conv_norm(spec.inputs, width, 9, side)
    for stage in range(spec.stages):
        if stage:
            side = (side + 1) // 2
            conv_norm(width, 2 * width, 9, side)
            conv_norm(2 * width, 2 * width, 9, side)
            count.conv(width, 2 * width, side)
            width *= 2
        for area in areas:
            conv_norm(width, width, area, side, times=spec.cells)
    count.norm(width)
    return count.classifier(width, spec.classes)
