"""The kernel of more rows than fit in memory, in a file: square by square, each computed by `gram`.

Squares of one symmetric matrix are those of its upper triangle, each written together with its mirror image. They are
written to their places and not through a memory map: a disk that fills up is then an error in one line, and no signal
that ends the process.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.cost import require_time
from nngp_dag.kernel.functions import refuse_overflow
from nngp_dag.kernel.gram import gram, tile_size, tile_starts
from nngp_dag.kernel.inputs import checked_pair, input_precision
from nngp_dag.kernel.method import cast_program, pair_method
from nngp_dag.kernel.network import Network, dag_of, network_of
from nngp_dag.kernel.products import squared_norms
from nngp_dag.kernel.reach import prepared_for
from nngp_dag.reading import ActivationLike, Setting
from nngp_dag.support.files import atomic_file, check_writable
from nngp_dag.support.memory import shown_bytes
from nngp_dag.wiring import NetworkLike

__all__ = ["kernel_to_file"]

_Square = Callable[[Array, "Array | None"], Array]


def kernel_to_file(
    dag: NetworkLike,
    x1: ArrayLike,
    path: str | Path,
    x2: ArrayLike | None = None,
    get: str = "nngp",
    method: str = "exact",
    order: str | None = None,
    embedding: str = "gaussian",
    activation: ActivationLike = "relu",
    side: int = 2048,
) -> np.memmap:
    """Write the kernel of a DAG on rows x1 [N, d] against x2 [M, d] (None: themselves) to an .npy file.

    Memory: the rows, some squares of `side` rows, and the tiles of `kernel_fn`. The file is there when it is whole.

        >>> import tempfile
        >>> from nngp_dag import Dag
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     kernel_to_file(Dag.from_code("2_02"), np.eye(300), f"{folder}/k.npy", side=64).shape
        (300, 300)

    Args:
        dag: a DAG or a `Wiring`, as in `kernel_fn`.
        x1: rows; the dtype of the file is theirs, float64 or float32.
        path: the file, whose name ends in .npy.
        x2: other rows.
        get: "nngp" or "ntk".
        method: exact, independent or path-sum (functions of one pair of rows).
        order: as in `kernel_fn`.
        embedding: as in `kernel_fn`.
        activation: as in `kernel_fn`.
        side: rows and columns of the squares held in memory, at least 1.

    Returns:
        the file as a read-only memory map [N, M]; a symmetric kernel is symmetric to the last bit.

    Raises:
        InputError: as `kernel_fn`; a method that needs whole matrices; a file that cannot be written, or that the disk
            has no room for. An old file of that name is then still there, and nothing else is left.
    """
    target, setting = Path(path), Setting.make(method, order, embedding, activation)
    _check(target, get, side)
    network = network_of(dag, setting.reading)
    with input_precision(x1, x2):
        a, b = checked_pair(x1, x2)
        shape = len(a), len(a if b is None else b)
        _require_room(target, a.dtype.itemsize * shape[0] * shape[1], shape)
        require_time(network, setting, shape)
        square = _square_of(network, setting, get == "ntk", a, b)
        with atomic_file(target) as file:
            header = {"descr": np.lib.format.dtype_to_descr(a.dtype), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            _fill(file, square, a, b, side, dag_of(network))
    return np.load(target, mmap_mode="r")  # type: ignore[no-any-return]


def _check(target: Path, get: str, side: int) -> None:
    if get not in ("nngp", "ntk"):
        raise InputError(f"a file holds one kernel: get is 'nngp' or 'ntk', got {get!r}")
    if side < 1:
        raise InputError(f"side is a number of rows, at least 1, got {side}")
    if target.suffix != ".npy":
        raise InputError(f"the file must end in .npy, got {target}")
    check_writable(target, "an .npy file")


def _require_room(path: Path, needed: int, shape: tuple[int, int]) -> None:
    """Refuse (InputError, with the size) what the disk has no room for; an old file stays there until the end."""
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise InputError(
            f"cannot write {path}: the kernel of {shape[0]:,} by {shape[1]:,} rows takes {shown_bytes(needed)} of disk,"
            f" but only {shown_bytes(free)} are free"
        )


def _square_of(network: Network, setting: Setting, with_tangent: bool, a: Array, b: Array | None) -> _Square:
    """The kernel of some of the rows against others, or against themselves; rules are those of all rows."""
    method = pair_method(setting, with_tangent)
    if isinstance(network, Dag) and not any(network.ops):
        return lambda x, y: np.zeros((len(x), len(x if y is None else y)), x.dtype)  # type: ignore[return-value]
    norms = [squared_norms(x) for x in (a, b) if x is not None]
    method, network = prepared_for(method.adapted(network), network, lambda: norms)
    program = cast_program(method.program(network), a.dtype)
    tile = tile_size(a.dtype.itemsize * method.numbers_per_pair(network, program))

    def square(x: Array, y: Array | None) -> Array:
        nngp, *tangent = gram(method, program, x, y, tile=tile)
        return nngp + tangent[0] if tangent else nngp

    return square


def _fill(file: BinaryIO, square: _Square, a: Array, b: Array | None, side: int, dag: Dag) -> None:
    start, columns = file.tell(), len(a if b is None else b)
    size1, size2 = min(side, len(a)), min(side, columns)
    for i, j in _places(len(a), None if b is None else len(b), side):
        rows = a[i : i + size1]
        block = square(rows, None if b is None and i == j else (a if b is None else b)[j : j + size2])
        refuse_overflow(block, dag)
        values = np.asarray(block)
        _put(file, start, columns, i, j, values)
        if b is None and i != j:
            _put(file, start, columns, j, i, np.ascontiguousarray(values.T))


def _places(n: int, m: int | None, side: int) -> Iterator[tuple[int, int]]:
    """First row and column of each square, of the upper triangle where m is None.

    The last squares overlap others; in this order the one on the diagonal comes last and settles what they share.
    """
    if m is not None:
        yield from ((int(i), int(j)) for i in tile_starts(n, min(side, n)) for j in tile_starts(m, min(side, m)))
        return
    starts = [int(s) for s in tile_starts(n, min(side, n))]
    yield from ((i, j) for k, j in enumerate(starts) for i in starts[: k + 1])


def _put(file: BinaryIO, start: int, columns: int, i: int, j: int, values: np.ndarray) -> None:
    """Write a square to rows from i and columns from j of the matrix that begins at `start`."""
    for r, row in enumerate(values):
        file.seek(start + ((i + r) * columns + j) * values.itemsize)
        file.write(row.data)
