"""Number of parameters and multiply-adds of a network, added up layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Parameters", "SizeCounter"]


@dataclass(frozen=True)
class Parameters:
    """Size of one architecture's network.

    Attributes:
        parameters: number of trained numbers (weights, biases, scales).
        multiply_adds: multiply-adds of convolutions and of the classifier for one image.
    """

    parameters: int
    multiply_adds: int


class SizeCounter:
    """Adds up a network's size layer by layer."""

    def __init__(self) -> None:
        self.parameters = self.multiply_adds = 0

    def conv(self, inputs: int, outputs: int, side: int, area: int = 1, groups: int = 1) -> None:
        """A convolution without biases to an image of side x side pixels, its kernel of `area` entries."""
        weights = inputs * outputs * area // groups
        self.parameters += weights
        self.multiply_adds += weights * side * side

    def norm(self, channels: int) -> None:
        """A batch normalisation."""
        self.parameters += 2 * channels

    def classifier(self, inputs: int, classes: int) -> Parameters:
        """The linear layer at the end, and the whole."""
        parameters = self.parameters + inputs * classes + classes
        return Parameters(parameters, self.multiply_adds + inputs * classes)
