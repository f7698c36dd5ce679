"""The kernel functions of a DAG: on data (`kernel_fn`) and on inner products (`pair_kernel`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Literal, Protocol, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag, as_dag
from nngp_dag.errors import InputError, accepted_text
from nngp_dag.kernel.cost import require_cost
from nngp_dag.kernel.gram import gram_kernels
from nngp_dag.kernel.inputs import checked_names, checked_pair, float_dtype, input_precision
from nngp_dag.kernel.method import AnyMethod, Program, cast_program, pair_method
from nngp_dag.kernel.network import Network, dag_of, network_of
from nngp_dag.kernel.nodes import NodeKernels
from nngp_dag.kernel.reach import prepared_for
from nngp_dag.kernel.result import Kernel, kernels_asked_for
from nngp_dag.kernel.sharded import sharded_gram
from nngp_dag.reading import METHODS, PAIR_METHODS, ActivationLike, Setting
from nngp_dag.support.known import is_known
from nngp_dag.support.sharding import device_mesh
from nngp_dag.support.x64 import enable_x64
from nngp_dag.wiring import NetworkLike, Wiring

__all__ = ["KernelFn", "kernel_fn", "kernel_of", "pair_kernel", "pair_kernel_of", "refuse_overflow"]

_Compute = Callable[[Array, Array | None, tuple[str, ...], bool], dict[str, Array]]


class KernelFn(Protocol):
    """A kernel function as in neural-tangents.

    Kernels of rows x1 [N, d] against x2 [M, d] (None: against themselves), arrays [N, M] of the dtype of x1. `get` is
    "nngp" or "ntk" (an array), a tuple of them (a namedtuple), None (`Kernel(nngp, ntk)`), or "nodes" (`NodeKernels`,
    both kernels at every node).
    """

    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike | None = None, get: None = None) -> Kernel: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, x1: ArrayLike, x2: ArrayLike | None = None, *, get: Literal["nodes"]
    ) -> NodeKernels: ...
    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike | None = None, *, get: str) -> Array: ...
    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike | None, get: str) -> Array: ...
    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike | None = None, *, get: tuple[str, ...]) -> tuple[Array, ...]: ...
    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike | None, get: tuple[str, ...]) -> tuple[Array, ...]: ...


def kernel_fn(
    dag: NetworkLike,
    method: str = "exact",
    order: str | None = None,
    embedding: str = "gaussian",
    activation: ActivationLike = "relu",
    *,
    devices: Sequence[jax.Device] | None = None,
) -> KernelFn:
    """The infinite-width NNGP and NTK of a DAG.

    Args:
        dag: a DAG, or anything that describes one, or a `Wiring`; it is pruned to the paths from input to output
            first. No path: zero kernels.
        method: "exact" (what a wide network converges to), "independent" (Eq. 6-11), "path-sum" (Eq. 12) or
            "neural-tangents" (the same network out of neural-tangents' layers, for the DAGs that it can express).
        order: "activation-last" (Eq. 1-2) or "activation-first" (ReLU-Conv); by default activation-last, and
            activation-first for neural-tangents.
        embedding: "gaussian", "gaussian-trained" or "stem".
        activation: a name, an `Activation`, or any JAX function of one number.
        devices: devices, of one process or of several, each of which computes and keeps its share of the rows of a
            kernel (their number divides that of the rows); by default all of it is where JAX computes.

    Returns:
        fn(x1, x2=None, get=None), see `KernelFn`: rows are not normalised, the dtype is that of x1, float64 or float32
        (lists and NumPy's integers count as float64, whatever JAX's x64 mode; under jit, grad and vmap the dtype that
        JAX has given to x1 counts, which is float32 with that mode off), a symmetric result is symmetric to the last
        bit. It can be jitted, and differentiated with respect to x1 and x2. It raises InputError for arrays that are
        not [N, d] of finite numbers, for other floating types, for an unknown `get`, and where the kernel overflows.

    Raises:
        InputError: an unknown name, a combination that has no meaning (`Setting`), or a DAG that neural-tangents cannot
            express.
    """
    return kernel_of(dag, Setting.make(method, order, embedding, activation), devices)


def kernel_of(dag: NetworkLike, setting: Setting, devices: Sequence[jax.Device] | None = None) -> KernelFn:
    """`kernel_fn` of a setting, for code that has one."""
    given, pruned = dag.dag if isinstance(dag, Wiring) else as_dag(dag), network_of(dag, setting.reading)
    mesh = None if devices is None else device_mesh(devices)
    compute = _compute_of(pruned, setting, mesh)

    def fn(x1: ArrayLike, x2: ArrayLike | None = None, get: str | tuple[str, ...] | None = None) -> Any:
        names = ("nngp", "ntk") if get == "nodes" else checked_names(get)
        with input_precision(x1, x2):
            a, b = checked_pair(x1, x2)
            num_kernels = len(names) * (dag_of(pruned).num_nodes if get == "nodes" else 1)
            rows_here = len(a) if mesh is None else len(a) * len(mesh.local_devices) // mesh.size
            require_cost(pruned, setting, (rows_here, len(a if b is None else b)), a.dtype.itemsize, num_kernels)
            kernels = compute(a, b, names, get == "nodes")
            for name in names:
                refuse_overflow(kernels[name], dag_of(pruned))
        if get == "nodes":
            return NodeKernels(np.flatnonzero(given.reachable()), kernels["nngp"], kernels["ntk"])
        return kernels_asked_for(kernels, get)

    return fn


def pair_kernel(
    dag: NetworkLike,
    kxx: ArrayLike,
    kxy: ArrayLike,
    kyy: ArrayLike,
    method: str = "exact",
    order: str | None = None,
    embedding: str = "gaussian",
    activation: ActivationLike = "relu",
) -> Kernel:
    """The kernels of pairs of inputs, given their inner products: `Kernel(nngp, ntk)` of the broadcast shape.

    Args:
        dag: a DAG or a wiring, as in `kernel_fn`.
        kxx: K_in(x, x); this and the next two broadcast against each other. Unit rows of correlation rho: 1, rho, 1.
        kxy: K_in(x, x').
        kyy: K_in(x', x').
        method: as in `kernel_fn`, but neural-tangents needs data.
        order: as in `kernel_fn`.
        embedding: as in `kernel_fn`.
        activation: as in `kernel_fn`.

    Raises:
        InputError: as `kernel_fn`, or method neural-tangents.
    """
    return pair_kernel_of(dag, kxx, kxy, kyy, Setting.make(method, order, embedding, activation))


def pair_kernel_of(dag: NetworkLike, kxx: ArrayLike, kxy: ArrayLike, kyy: ArrayLike, setting: Setting) -> Kernel:
    """`pair_kernel` of a setting, for code that has one."""
    method = pair_method(setting)
    pruned = network_of(dag, setting.reading)
    dtype = float_dtype(kxx=kxx, kxy=kxy, kyy=kyy)
    with enable_x64(True) if dtype == np.float64 else nullcontext():
        arrays = jnp.broadcast_arrays(*(jnp.asarray(a, dtype) for a in (kxx, kxy, kyy)))
        if isinstance(pruned, Dag) and not any(pruned.ops):
            return Kernel(jnp.zeros_like(arrays[0]), jnp.zeros_like(arrays[0]))
        method, pruned = prepared_for(method.adapted(pruned), pruned, lambda: [arrays[0], arrays[2]])
        program = cast_program(method.program(pruned), dtype)
        return Kernel(*_pairwise(method, program, *arrays))


@partial(jax.jit, static_argnames="method")
def _pairwise(method: AnyMethod, program: Program, kxx: Array, kxy: Array, kyy: Array) -> tuple[Array, Array]:
    def one(kxx: Array, kxy: Array, kyy: Array) -> tuple[Array, Array]:
        x, y = (method.rows(program, k[None]) for k in (kxx, kyy))
        nngp, tangent = method.pairs(program, x, y, kxy[None, None])
        return nngp[0, 0], nngp[0, 0] + tangent[0, 0]

    nngp, ntk = jax.vmap(one)(kxx.ravel(), kxy.ravel(), kyy.ravel())
    return nngp.reshape(kxx.shape), ntk.reshape(kxx.shape)


def _compute_of(pruned: Network, setting: Setting, mesh: Mesh | None) -> _Compute:
    if not METHODS[setting.method].is_pairwise:
        from nngp_dag.kernel.neural_tangents import make_kernel_fn

        function = make_kernel_fn(pruned, setting)

        if mesh is not None:
            raise InputError(accepted_text("neural-tangents computes on one device", PAIR_METHODS))

        def of_network(x1: Array, x2: Array | None, names: tuple[str, ...], at_nodes: bool) -> dict[str, Array]:
            if at_nodes:
                raise InputError(accepted_text('get="nodes" is not known to neural-tangents', PAIR_METHODS))
            return function(x1, x2, names)

        return of_network
    if isinstance(pruned, Wiring):  # what the method has no formula for is refused at once
        pair_method(setting).adapted(pruned).program(pruned)

    share = None if mesh is None else partial(sharded_gram, mesh=mesh)

    def compute(x1: Array, x2: Array | None, names: tuple[str, ...], at_nodes: bool) -> dict[str, Array]:
        if at_nodes and mesh is not None:
            raise InputError('get="nodes" computes on one device: leave devices out, or ask for nngp and ntk')
        method = pair_method(setting, with_tangent="ntk" in names)
        return gram_kernels(method, pruned, x1, x2, names, at_nodes, share)

    return compute


def refuse_overflow(kernel: Array, dag: Dag) -> None:
    """InputError where the kernel of a pruned DAG is known and not finite."""
    if is_known(kernel) and not bool(jnp.isfinite(kernel).all()):
        raise InputError(
            f"the kernel of this DAG ({dag.num_nodes} nodes) overflows {kernel.dtype}: use a DAG with fewer skip paths"
            + (", or float64" if kernel.dtype != np.float64 else ", or smaller inputs")
        )
