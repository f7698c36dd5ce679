"""Sizes of image networks, as far as all of them have the same: checked when they are made, copied with changes."""

from __future__ import annotations

import abc
import dataclasses
from dataclasses import dataclass
from typing import Any, Self

from nngp_dag.errors import InputError, unknown
from nngp_dag.support.memory import require_memory

__all__ = ["INITIALIZATIONS", "NetworkSizes"]

INITIALIZATIONS = ("pytorch", "kaiming-fan-in", "kaiming-fan-out")
"""Initial weights of convolutions and of the classifier. `pytorch` is the default of PyTorch's layers,
uniform(+-1/sqrt(fan_in)), the classifier's bias included; the others are N(0, 2 / fan) with biases zero (He et al.,
arXiv:1502.01852). Scales of batch normalisations are 1 and their biases 0."""

_NUMBERS = ("channels", "cells", "classes", "stages", "inputs")


@dataclass(frozen=True)
class NetworkSizes(abc.ABC):
    """Base of frozen dataclasses with at least these fields.

    Raises:
        InputError: a number of these below 1, or an unknown initialisation.
    """

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            if getattr(self, name) < 1:
                raise InputError(f"{name} of a network must be at least 1, got {getattr(self, name)}")
        # Of one 1x1 convolution per cell, channels doubling from stage to stage: a network has more.
        weights = self.cells * self.channels**2 * 4 ** min(self.stages - 1, 30)
        require_memory(4 * weights, f"a network of {self.channels:,} channels and {self.cells:,} cells per stage")
        if self.init not in INITIALIZATIONS:
            raise unknown("initialisation", self.init, INITIALIZATIONS)

    @property
    @abc.abstractmethod
    def channels(self) -> int:
        """Channels of the first stage, C."""

    @property
    @abc.abstractmethod
    def cells(self) -> int:
        """Cells per stage."""

    @property
    @abc.abstractmethod
    def classes(self) -> int:
        """Number of outputs."""

    @property
    @abc.abstractmethod
    def stages(self) -> int:
        """Number of stages."""

    @property
    @abc.abstractmethod
    def inputs(self) -> int:
        """Channels of an image."""

    @property
    @abc.abstractmethod
    def init(self) -> str:
        """Initial weights, one of `INITIALIZATIONS`."""

    @property
    @abc.abstractmethod
    def dtype(self) -> str:
        """Name of the floating-point type."""

    @property
    def unit(self) -> int:
        """Height and width of an image must be multiples of this."""
        return 1

    @property
    def ends_rectified(self) -> bool:
        """True where the features before the global mean have passed a ReLU."""
        return True

    def replace(self, **changes: Any) -> Self:
        """A copy with other values."""
        return dataclasses.replace(self, **changes)
