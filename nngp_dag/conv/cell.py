"""A convolutional cell: a DAG with an operation on every edge."""

from __future__ import annotations

from dataclasses import dataclass

from nngp_dag.conv.operations import Convolution, Operation, Pool, output_length
from nngp_dag.errors import InputError

__all__ = ["ConvCell", "Edge"]

Edge = tuple[int, int, Operation]
"""Source, target and operation; two nodes may be joined by several edges."""


@dataclass(frozen=True)
class ConvCell:
    """Nodes 0 (input) to H (output); what arrives at a node is summed.

    Attributes:
        edges: (s, t, operation) with s < t. H is the largest t.

    Raises:
        InputError: an edge that does not go forward.
    """

    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        for s, t, operation in self.edges:
            if not 0 <= s < t:
                raise InputError(f"an edge of a convolutional cell goes from {s} to {t}: sources come before targets")
            if not isinstance(operation, Operation):
                raise InputError(f"edge ({s}, {t}) has {operation!r}: operations are Skip, Pool and Convolution")

    @property
    def output(self) -> int:
        """H, the number of the last node; 0 without edges."""
        return max((t for _, t, _ in self.edges), default=0)

    def pruned(self, output: int | None = None) -> ConvCell:
        """The edges on paths from 0 to `output` (by default the last node), and nothing else."""
        end = self.output if output is None else output
        ahead, behind = {0}, {end}
        for s, t, _ in sorted(self.edges, key=lambda edge: edge[:2]):
            if s in ahead:
                ahead.add(t)
        for s, t, _ in sorted(self.edges, key=lambda edge: -edge[1]):
            if t in behind:
                behind.add(s)
        return ConvCell(tuple(edge for edge in self.edges if edge[0] in ahead and edge[1] in behind))

    @property
    def pools(self) -> bool:
        """True where an edge pools."""
        return any(isinstance(operation, Pool) for _, _, operation in self.edges)

    @property
    def num_convolutions(self) -> int:
        """Number of convolutions."""
        return sum(isinstance(operation, Convolution) for _, _, operation in self.edges)

    def output_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Height and width at the output for an input of that height and width.

        Raises:
            InputError: an operation that does not fit, or branches of different sizes that meet.
        """
        shapes = {0: shape}
        for s, t, operation in sorted(self.edges, key=lambda edge: edge[1]):
            found = (output_length(operation, shapes[s][0]), output_length(operation, shapes[s][1]))
            if shapes.setdefault(t, found) != found:
                raise InputError(
                    f"node {t} of a convolutional cell adds images of {shapes[t][0]}x{shapes[t][1]} and"
                    f" {found[0]}x{found[1]} pixels: use sizes that every stage can halve"
                )
        return shapes[self.output]
