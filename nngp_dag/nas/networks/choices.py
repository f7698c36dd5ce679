"""The independent choices that make up an architecture of a space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Choices"]


@dataclass(frozen=True)
class Choices:
    """The choices that make up an architecture.

    Attributes:
        sizes: number of options of each choice.
        decode: from options [C] to an architecture [cells, genes].
        active: from options [C] to which of the choices the architecture depends on, bool [C].
    """

    sizes: tuple[int, ...]
    decode: Callable[[np.ndarray], np.ndarray]
    active: Callable[[np.ndarray], np.ndarray]
