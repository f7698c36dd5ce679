"""The networks of a search space: the class, its sizes for each use, and how an architecture becomes its input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.networks.choices import Choices
from nngp_dag.nas.networks.parameter_count import Parameters
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.nas.networks.supernet import Layout
from nngp_dag.spaces import Space
from nngp_dag.spaces.base import Architecture

if TYPE_CHECKING:
    from nngp_dag.nas.networks.network import Network

__all__ = ["SpaceNetworks"]


@dataclass(frozen=True)
class SpaceNetworks:
    """The networks of a search space.

    Attributes:
        space: the space of architectures, with its notation.
        network: a Flax module class: `network(spec)` called with (images, genes, probe), see `Network201`.
        wot: sizes of the network that NAS-WOT scores.
        ntk: sizes of the network whose tangent kernel TE-NAS computes.
        regions: sizes of the network whose linear regions TE-NAS counts, for single-channel patches.
        train: sizes of the supernet that FP-NAS trains.
        genes: from an architecture, integers [cells, genes], to what the network takes; InputError where it has none.
        layout: the edges and operations of a supernet.
        supernet: from operations' weights [cells, edges, operations] to what the network takes.
        choices: the independent choices that make up an architecture.
        size: number of parameters and multiply-adds of an architecture: (spec, genes, image size) -> Parameters.
        is_cut: True where no path leads from the images to the end of a network: (spec, genes) -> bool.
    """

    space: Space
    network: type[Network]
    wot: NetworkSizes
    ntk: NetworkSizes
    regions: NetworkSizes
    train: NetworkSizes
    genes: Callable[[np.ndarray], np.ndarray]
    layout: Layout
    supernet: Callable[[np.ndarray], np.ndarray]
    choices: Choices
    size: Callable[[Any, np.ndarray, int], Parameters]
    is_cut: Callable[[Any, np.ndarray], bool]

    def resized(self, channels: int | None = None, cells: int | None = None) -> SpaceNetworks:
        """These networks with other sizes of the networks that NAS-WOT scores and FP-NAS trains."""
        changes = {name: value for name, value in (("channels", channels), ("cells", cells)) if value is not None}
        if not changes:
            return self
        return replace(self, wot=self.wot.replace(**changes), train=self.train.replace(**changes))

    def initialised(self, init: str | None) -> SpaceNetworks:
        """These networks with other initial weights of all networks that are scored; as they are for None."""
        if init is None:
            return self
        changed = {name: getattr(self, name).replace(init=init) for name in ("wot", "ntk", "regions")}
        return replace(self, **changed)

    def is_constant(self, rows: np.ndarray) -> bool:
        """True where no path leads through the network that NAS-WOT scores: its output depends on no image.

        Args:
            rows: an architecture, integers [cells, genes].
        """
        return self.is_cut(self.wot, self.genes(rows))

    def read(self, architecture: Architecture) -> np.ndarray:
        """Integers [cells, genes] of an architecture given in the space's notation or as such an array.

        Raises:
            InputError: an architecture that the space does not have.
        """
        if isinstance(architecture, str):
            return self.space.parse(architecture)
        rows = np.asarray(architecture)
        if rows.shape != (len(self.space.cells), self.space.genes) or rows.dtype.kind not in "iu":
            raise InputError(
                f"an architecture of {self.space.title} is integers [{len(self.space.cells)}, {self.space.genes}],"
                f" got {rows.dtype} of shape {list(rows.shape)}"
            )
        if not _has(self.space, rows.tobytes(), rows.dtype.str):
            raise InputError(f"{self.space.title} has no architecture {rows.tolist()}")
        return rows


@lru_cache(maxsize=256)
def _has(space: Space, data: bytes, dtype: str) -> bool:
    """True where integers [cells, genes], given as bytes, are an architecture: written and read, they are the same.

    Remembered, since every score of an architecture asks.
    """
    rows = np.frombuffer(data, dtype).reshape(len(space.cells), space.genes)
    try:
        return bool((space.parse(space.write(rows)) == rows).all())
    except (IndexError, InputError):
        return False
