"""The kernel of a DAG on rows as a linear operator, which multiplies without ever holding an N x N array."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from nngp_dag.errors import InputError
from nngp_dag.kernel.gram import gram, tile_size
from nngp_dag.kernel.inputs import checked_rows, input_precision
from nngp_dag.kernel.method import AnyMethod, cast_program, pair_method
from nngp_dag.kernel.network import dag_of, network_of
from nngp_dag.kernel.products import squared_norms
from nngp_dag.kernel.reach import prepared_for
from nngp_dag.matrix_free.product import cross_product, symmetric_product
from nngp_dag.reading import ActivationLike, Setting
from nngp_dag.support.sharding import device_mesh, on_all_devices
from nngp_dag.wiring import NetworkLike

__all__ = ["KernelOperator"]


class KernelOperator(LinearOperator):
    """The NNGP or NTK K [N, N] of a DAG on rows: `operator @ v` for v [N] or [N, s], and whatever SciPy does with it.

    A product computes the tiles of the upper triangle, each once, and forgets them; a block of vectors costs little
    more than one. Memory: the rows, a few numbers a row and node, and some tiles.

        >>> import numpy as np
        >>> from nngp_dag import Dag
        >>> x = np.random.default_rng(0).normal(size=(300, 8))
        >>> K = KernelOperator(Dag.from_code("2_02"), x)
        >>> (K @ np.ones(300)).shape
        (300,)

    Args:
        dag: any DAG with a path from input to output, or a `Wiring`.
        x: rows [N, d]; the dtype of the operator follows (float64, or float32).
        kernel: "nngp" or "ntk".
        method: exact, independent or path-sum (functions of one pair of rows).
        order: as of `kernel_fn`.
        embedding: as of `kernel_fn`.
        activation: as of `kernel_fn`.
        devices: devices that share the tiles of a product, of one process or of several; by default the one on which
            JAX computes. Sums are taken in another order then: values agree to rounding.

    Raises:
        InputError: as `kernel_fn`; a DAG without a path; an overflowing diagonal.
    """

    def __init__(
        self,
        dag: NetworkLike,
        x: ArrayLike,
        kernel: str = "nngp",
        method: str = "exact",
        order: str | None = None,
        embedding: str = "gaussian",
        activation: ActivationLike = "relu",
        devices: Sequence[jax.Device] | None = None,
    ) -> None:
        if kernel not in ("nngp", "ntk"):
            raise InputError(f"kernels are nngp and ntk, got {kernel}")
        self.setting, self.kernel = Setting.make(method, order, embedding, activation), kernel
        network = network_of(dag, self.setting.reading)
        self.dag = dag_of(network)
        self._method: AnyMethod = pair_method(self.setting, kernel == "ntk")
        if not any(self.dag.ops):
            raise InputError("this DAG has a zero kernel: no path from input to output")
        self._mesh = None if devices is None else device_mesh(devices)
        with input_precision(x):
            rows = checked_rows("x", x)
            adapted = self._method.adapted(network)
            self._method, network = prepared_for(adapted, network, lambda: [squared_norms(rows)])
            self._program = cast_program(self._method.program(network), rows.dtype)
            numbers = rows.dtype.itemsize * self._method.numbers_per_pair(network, self._program)
            self._tile = min(tile_size(numbers), max(8, len(rows)))
            # Copies of the last row: kernels of theirs are finite, and are multiplied by zero.
            self.x = rows
            self._padded = _padded(rows, self._tile)
            self._placed = self._program, self._padded
            if self._mesh is not None:  # once, and not with every product
                self._placed = on_all_devices(self._placed, self._mesh)
            self._diagonal = np.asarray(_diagonal(self._method, self._program, rows))
        super().__init__(np.dtype(rows.dtype), (len(rows), len(rows)))
        if not np.isfinite(self._diagonal).all():
            raise InputError(
                f"the kernel of {self.dag.to_code()} overflows {rows.dtype}: use a DAG with fewer skip paths"
            )

    def product(self, v: Array) -> Array:
        """K v for v [N] or [N, s], as a function of JAX: it can be jitted, mapped and differentiated."""
        block = v.reshape(len(v), -1)
        missing = len(self._padded) - len(v)
        filled = jnp.concatenate([block, jnp.zeros((missing, block.shape[1]), v.dtype)]) if missing else block
        found = symmetric_product(self._method, *self._placed, filled, self._tile, self._mesh)
        return found[: len(v)].reshape(v.shape)

    @property
    def num_tiles(self) -> int:
        """Tiles that a product computes, to whose number its time is proportional."""
        side = len(self._padded) // self._tile
        return side * (side + 1) // 2

    def diagonal(self) -> np.ndarray:
        """K_ii, [N]."""
        return self._diagonal

    def trace(self) -> float:
        """The trace, from the diagonal."""
        return float(self._diagonal.sum())

    def columns(self, index: np.ndarray) -> np.ndarray:
        """Columns of K for integers [r]: [N, r]."""
        with input_precision(np.empty(0, self.dtype)):
            both = gram(self._method, self._program, self.x, self.x[np.asarray(index)], tile=self._tile)
            found = np.array(both[0] + both[1] if self._method.with_tangent else both[0])
        found[index, np.arange(len(index))] = self._diagonal[index]
        return found

    def against(self, x: ArrayLike, v: ArrayLike) -> np.ndarray:
        """K_* v [M, s] for other rows x [M, d] against the rows of the operator, and v [N, s]."""
        with input_precision(np.empty(0, self.dtype)):
            others = checked_rows("x", x)
            if others.dtype != self.dtype or others.shape[1] != self.x.shape[1]:
                raise InputError(
                    f"x must have rows of {self.x.shape[1]} {self.dtype}, got {others.shape} {others.dtype}"
                )
            filled = _padded(jnp.asarray(v, self.dtype), self._tile, zeros=True)
            found = cross_product(
                self._method, self._program, _padded(others, self._tile), self._padded, filled, self._tile
            )
            return np.asarray(found[: len(others)])

    def _matvec(self, v: np.ndarray) -> np.ndarray:
        return self._matmat(np.asarray(v).reshape(-1, 1))

    def _matmat(self, v: np.ndarray) -> np.ndarray:
        with input_precision(np.empty(0, self.dtype)):
            return np.asarray(self.product(jnp.asarray(v, self.dtype)))

    def _adjoint(self) -> KernelOperator:
        return self


def _padded(a: Array, tile: int, zeros: bool = False) -> Array:
    """With its last row repeated (or rows of zeros) up to a multiple of the tile."""
    missing = -len(a) % tile
    if not missing:
        return a
    more = jnp.zeros((missing, *a.shape[1:]), a.dtype) if zeros else jnp.repeat(a[-1:], missing, axis=0)
    return jnp.concatenate([a, more])


def _diagonal(method: AnyMethod, program: object, x: Array) -> Array:
    nngp, tangent = method.diagonal(program, method.rows(program, squared_norms(x)))
    return nngp + tangent if method.with_tangent else nngp
