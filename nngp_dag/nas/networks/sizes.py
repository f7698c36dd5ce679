"""What the sizes of all image networks have in common: checked when they are made, copied with changes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

from nngp_dag.errors import InputError, unknown
from nngp_dag.nas.networks.initialize import INITIALIZATIONS

__all__ = ["NetworkSizes"]


@dataclass(frozen=True)
class NetworkSizes:
    """Base of frozen dataclasses with, among others, the fields channels, cells, classes, stages, inputs and init.

    Raises:
        InputError: a number of these below 1, or an unknown initialisation.
    """

    def __post_init__(self) -> None:
        for name in ("channels", "cells", "classes", "stages", "inputs"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of a network must be at least 1, got {getattr(self, name)}")
        init = getattr(self, "init")  # noqa: B009 - a field of the subclasses
        if init not in INITIALIZATIONS:
            raise unknown("initialisation", init, INITIALIZATIONS)

    @property
    def unit(self) -> int:
        """Height and width of an image must be multiples of this."""
        return 1

    def replace(self, **changes: Any) -> Self:
        """A copy with other values."""
        return dataclasses.replace(self, **changes)
