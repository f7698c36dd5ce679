"""Kernel matrices of a DAG or a wiring on rows, enclosed: float middles and a proved bound of what they are off by.

Rows are floats, that is exact dyadic numbers, taken as they are or divided by their norms in balls. Inner products are
exact up to the precision of the balls, and every entry is the kernel of its pair in balls (`pair_balls`,
`wiring_balls`); the diagonal is that of one input with itself. An entry's distance to its rounded middle is bounded in
balls, and the 2-norm of all of them by the largest sum over a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.network import network_of
from nngp_dag.proofs.enclosed_eigenvalues import EnclosedMatrix
from nngp_dag.proofs.pair_balls import EnclosedRow, PairBalls, pair_balls
from nngp_dag.proofs.prove import precision
from nngp_dag.proofs.wiring_balls import wiring_balls
from nngp_dag.reading import Setting
from nngp_dag.wiring import Wiring

__all__ = ["BITS", "enclosed_kernels"]

BITS = 128
_BLOCK = 64
"""Rows whose inner products are held in balls at a time."""

_Floats = NDArray[np.float64]


def enclosed_kernels(
    dag: Dag | Wiring,
    x: _Floats,
    setting: Setting,
    *,
    normalize: bool = False,
    bits: int = BITS,
    progress: Callable[[int], None] = lambda pairs: None,
) -> dict[str, EnclosedMatrix]:
    """The NNGP and the NTK of a DAG, or of a wiring, on rows.

    Args:
        dag: any DAG with a path, or a wiring of one.
        x: float64 [N, d], finite; N >= 1.
        setting: a method that is a function of pairs, any order and embedding, activations with a closed form.
        normalize: divide rows by their norms, in balls.
        bits: precision of the balls.
        progress: called with the number of pairs of rows, of N (N + 1) / 2, that are done.

    Returns:
        {"nngp": .., "ntk": ..}.

    Raises:
        InputError: rows of another form, a row of zeros to be normalised, entries that no ball of this precision
            encloses, or what `pair_balls` and `wiring_balls` refuse.
    """
    if x.ndim != 2 or not x.size or x.dtype != np.float64 or not np.isfinite(x).all():
        raise InputError("certified kernels are of finite float64 rows [N, d]")
    n = len(x)
    middles = np.empty((2, n, n))
    radii = np.zeros((2, n))
    # Sums beyond the floats are infinite, and refused below.
    with precision(bits), np.errstate(over="ignore", invalid="ignore"):
        kernels = _kernels(dag, setting)
        rows: list[EnclosedRow] = []
        for i, products in enumerate(_inner_products(x, normalize)):
            _fill_row(kernels, rows, products, middles, radii)
            progress((i + 1) * (i + 2) // 2)
    # Sums of at most n rounded numbers, raised by what their rounding may have lost.
    largest = np.max(radii, axis=1) * (1 + 4 * n * np.finfo(np.float64).eps)
    if not (np.isfinite(largest).all() and np.isfinite(middles).all()):
        raise InputError(f"an entry of the kernel is not enclosed at {bits} bits: extreme norms, or a very deep DAG?")
    return {name: EnclosedMatrix(middles[k], float(largest[k])) for k, name in enumerate(("nngp", "ntk"))}


def _kernels(dag: Dag | Wiring, setting: Setting) -> PairBalls[Any]:
    network = network_of(dag, setting.reading) if isinstance(dag, Wiring) else dag
    return wiring_balls(network, setting) if isinstance(network, Wiring) else pair_balls(network, setting)


def _fill_row(
    kernels: PairBalls[Any], rows: list[EnclosedRow], products: list[arb], middles: _Floats, radii: _Floats
) -> None:
    """Add the row that comes after `rows`, given its inner products with these and, last, with itself."""
    i = len(rows)
    own = kernels.row(products[i])
    pairs = [kernels.pair(own, other, product) for other, product in zip(rows, products, strict=False)]
    for k, entries in enumerate(zip(*pairs, (own.nngp, own.ntk), strict=True)):
        values = np.array([float(entry) for entry in entries])
        off = np.array([_distance(entry, value) for entry, value in zip(entries, values.tolist(), strict=True)])
        middles[k, i, : i + 1] = middles[k, : i + 1, i] = values
        radii[k, :i] += off[:i]
        radii[k, i] += off.sum()
    rows.append(own)


def _distance(entry: arb, value: float) -> float:
    """A float that no point of the ball is farther than from `value`."""
    return float((entry - value).abs_upper()) * (1 + 2**-50) + 2**-1000


def _inner_products(x: _Floats, normalize: bool) -> Iterator[list[arb]]:
    """For i = 0, 1, ..: K_in(x_i, x_j), j = 0 .. i."""
    n, d = x.shape
    columns = arb_mat(d, n, [arb(value) for value in x.T.ravel().tolist()])
    norms: list[arb] = []
    for start in range(0, n, _BLOCK):
        block = x[start : start + _BLOCK]
        products = arb_mat(len(block), d, [arb(value) for value in block.ravel().tolist()]) * columns
        for k, i in enumerate(range(start, start + len(block))):
            row = [products[k, j] for j in range(i + 1)]
            if normalize:
                if not row[i] > 0:
                    raise InputError(f"row {i} is zero (or nearly): it cannot be divided by its norm")
                norms.append(row[i].sqrt())
                row = [product / (norms[i] * norm) for product, norm in zip(row, norms, strict=True)]
                row[i] = arb(1)
            yield row
