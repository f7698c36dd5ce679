"""The genotype spaces by name: DARTS, and the five spaces that NDS sampled (Radosavovic et al., arXiv:1905.13214,
Table 1).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from nngp_dag.spaces.genotype import GenotypeSpace
from nngp_dag.spaces.shape import ShapeTable
from nngp_dag.support.memory import require_memory

__all__ = ["NdsUnion", "amoeba", "darts", "enas", "nasnet", "nds_darts", "pnas"]

_POOLS = ("avg_pool_3x3", "max_pool_3x3")
_DARTS = ("skip_connect", *_POOLS, "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")


def darts() -> GenotypeSpace:
    """DARTS (Liu et al., arXiv:1806.09055): seven operations, two different predecessors per node, all four nodes
    concatenated.

    `none` is not among the operations of a derived cell; the reader accepts it, as a broken edge, and equal
    predecessors.
    """
    return GenotypeSpace("darts", "DARTS", _DARTS, nodes=4, distinct=True, also_read=("none",))


def nds_darts() -> GenotypeSpace:
    """DARTS as NDS sampled it: with `none`, the two predecessors of a node independent of each other."""
    return GenotypeSpace("nds-darts", "DARTS (NDS)", ("none", *_DARTS), nodes=4)


def nasnet() -> GenotypeSpace:
    """NASNet (Zoph et al., arXiv:1707.07012): thirteen operations, five nodes, loose ends concatenated."""
    operations = (
        *("skip_connect", "conv_3x1_1x3", "conv_7x1_1x7", "dil_conv_3x3", *_POOLS, "max_pool_5x5", "max_pool_7x7"),
        *("conv_1x1", "conv_3x3", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7"),
    )
    return GenotypeSpace("nasnet", "NASNet", operations, nodes=5, loose_ends=True)


def amoeba() -> GenotypeSpace:
    """AmoebaNet (Real et al., arXiv:1802.01548): eight operations, five nodes, loose ends concatenated."""
    operations = (
        "skip_connect",
        "sep_conv_3x3",
        "sep_conv_5x5",
        "sep_conv_7x7",
        *_POOLS,
        "dil_sep_conv_3x3",
        "conv_7x1_1x7",
    )
    return GenotypeSpace("amoeba", "Amoeba", operations, nodes=5, loose_ends=True)


def pnas() -> GenotypeSpace:
    """PNAS (Liu et al., arXiv:1712.00559): eight operations, five nodes, all concatenated."""
    operations = (
        "sep_conv_3x3",
        "sep_conv_5x5",
        "sep_conv_7x7",
        "conv_7x1_1x7",
        "skip_connect",
        *_POOLS,
        "dil_conv_3x3",
    )
    return GenotypeSpace("pnas", "PNAS", operations, nodes=5)


def enas() -> GenotypeSpace:
    """ENAS (Pham et al., arXiv:1802.03268): five operations, five nodes, loose ends concatenated."""
    return GenotypeSpace(
        "enas", "ENAS", ("skip_connect", "sep_conv_3x3", "sep_conv_5x5", *_POOLS), nodes=5, loose_ends=True
    )


_MEMBERS: tuple[Callable[[], GenotypeSpace], ...] = (nasnet, amoeba, pnas, enas, nds_darts)


class NdsUnion(GenotypeSpace):
    """The union of NASNet, Amoeba, PNAS, ENAS and DARTS, as the fourth panel of Figure 5 takes it; cells of four or
    five nodes.

    A cell that two of the spaces can write counts twice, as it does in the union of their samples.
    """

    def __init__(self) -> None:
        self.members = tuple(member() for member in _MEMBERS)
        operations = tuple(dict.fromkeys(op for member in self.members for op in member.operations))
        super().__init__("nds", "NASNet, Amoeba, PNAS, ENAS and DARTS", operations, nodes=5)

    def _check_nodes(self, num_nodes: int, name: str) -> None:
        if num_nodes != 4:
            super()._check_nodes(num_nodes, name)

    @property
    def num_cells(self) -> int:
        """The sum over the five spaces."""
        return sum(member.num_cells for member in self.members)

    @property
    def num_architectures(self) -> int:
        """The sum over the five spaces: the two cells of an architecture come from the same one."""
        return sum(member.num_architectures for member in self.members)

    def cells_at(self, index: npt.ArrayLike) -> np.ndarray:
        """See `Space.cells_at`: the cells of the five spaces one after another."""
        index = np.asarray(index, dtype=np.int64)
        rows = np.zeros((len(index), self.genes), dtype=np.int8)
        start = 0
        for member in self.members:
            mine = (index >= start) & (index < start + member.num_cells)
            rows[mine] = self._widen(member.cells_at(index[mine] - start), member.nodes)
            start += member.num_cells
        return rows

    def sample(self, num: int, rng: np.random.Generator) -> np.ndarray:
        """`num` architectures: one of the five spaces at random (NDS drew about 5,000 from each), then one of its
        architectures.
        """
        require_memory(num * (8 + len(self.cells) * self.genes), f"a sample of {num:,} architectures")
        chosen = rng.integers(len(self.members), size=num)
        rows = np.zeros((num, len(self.cells), self.genes), dtype=np.int8)
        for i, member in enumerate(self.members):
            drawn = member.sample(int((chosen == i).sum()), rng)
            rows[chosen == i] = self._widen(drawn.reshape(-1, member.genes), member.nodes).reshape(-1, 2, self.genes)
        return rows

    def _widen(self, rows: np.ndarray, nodes: int) -> np.ndarray:
        if nodes == self.nodes:
            return rows
        absent = np.tile(np.array([-1, 0], dtype=np.int8), 2 * (self.nodes - nodes))
        filler = np.broadcast_to(absent, (len(rows), len(absent)))
        flags = np.zeros((len(rows), self.nodes - nodes), dtype=np.int8)
        return np.concatenate([rows[:, : 4 * nodes], filler, rows[:, 4 * nodes :], flags], axis=1)

    def distribution(self) -> ShapeTable:
        """The sum of the distributions of the five spaces."""
        return ShapeTable.merge([member.distribution() for member in self.members])
