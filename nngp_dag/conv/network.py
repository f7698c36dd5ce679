"""Convolutional networks as data: a stem, cells one after the other, and a read-out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from nngp_dag.conv.cell import ConvCell
from nngp_dag.conv.layout import DIAGONAL, PAIRS, PixelLayout
from nngp_dag.conv.operations import Convolution
from nngp_dag.conv.plan import Plan, plan_cell, plan_readout
from nngp_dag.errors import InputError, unknown
from nngp_dag.reading import Order

__all__ = ["ConvNetwork"]


@dataclass(frozen=True)
class ConvNetwork:
    """A network every weight of which is trained, without normalisation or with layer norm over channels.

    A trained convolution without activation makes features of an image, cells follow one another, and at the end
    outputs are u = sum_p a_p . h(p) of the last cell's features, after an activation with activation-first. Under
    `average` all pixels share the weights a, divided by their number; under `flatten` each pixel has weights of its
    own, divided by the root of that number.

    A read-out of several nodes side by side is written into the last cell instead, with `weights` False: its last node
    sums 1x1 convolutions from these nodes, the gain of each the root of its share of the channels
    (`nngp_dag.conv.channels`), and outputs are the mean of that node over pixels.

    Attributes:
        stem: the first convolution (its activation and number of matrices are not looked at).
        cells: pruned or not; a cell without a path from its input to its output makes all kernels zero.
        readout: `average` or `flatten`.
        weights: whether the read-out has an activation (activation-first) and weights of its own.
        order: the only order in which the network is what it is meant to be; None for either.
        normalized_end: whether layer norm over channels acts on the last cell's features, before the read-out.

    Raises:
        InputError: another read-out, or layer norm at the end of a network whose last node is its output.
    """

    stem: Convolution
    cells: tuple[ConvCell, ...]
    readout: Literal["average", "flatten"] = "average"
    weights: bool = True
    order: Order | None = None
    normalized_end: bool = False

    def __post_init__(self) -> None:
        if self.readout not in ("average", "flatten"):
            raise unknown("read-out", self.readout, ("average", "flatten"))
        if self.normalized_end and not self.weights:
            raise InputError("layer norm at the end acts before read-out weights: here the last node is the output")

    @property
    def layout(self) -> PixelLayout:
        """The pairs of pixels that are needed."""
        return DIAGONAL if self.readout == "flatten" and not any(cell.pools for cell in self._pruned()) else PAIRS

    @property
    def is_zero(self) -> bool:
        """True where no path leads from the image to the output."""
        return any(not cell.edges for cell in self._pruned())

    def plans(self, order: Order) -> tuple[Plan, ...]:
        """The plans of the recursion: cells and read-out. Layer norm of the stem acts at the first node of all.

        Raises:
            InputError: an order for which the network is not meant.
        """
        if self.order not in (None, order):
            raise InputError(f"this network is defined for the order {self.order} alone, not for {order}")
        readout = plan_readout(order, self.readout == "flatten", self.weights, self.normalized_end)
        (start, *nodes), *others = *(plan_cell(cell, order) for cell in self._pruned()), readout
        if self.stem.normalized and start.norm is None:
            start = replace(start, norm=abs(self.stem.gain))
        return ((start, *nodes), *others)

    def shapes(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        """Height and width after the stem and after every cell, for images of that height and width.

        Raises:
            InputError: a size that a cell cannot take.
        """
        found = [ConvCell(((0, 1, self.stem),)).output_shape(shape)]
        for cell in self.cells:
            found.append(cell.output_shape(found[-1]))
        return found

    def _pruned(self) -> tuple[ConvCell, ...]:
        return tuple(cell.pruned() for cell in self.cells)
