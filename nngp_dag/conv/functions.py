"""The kernel functions of convolutional networks, on images."""

from __future__ import annotations

from typing import Any, Literal, Protocol, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.conv.architecture import architecture_network
from nngp_dag.conv.cost import require_cost
from nngp_dag.conv.darts import Genotype, MaxPool
from nngp_dag.conv.gram import conv_gram
from nngp_dag.conv.network import ConvNetwork
from nngp_dag.conv.program import ConvProgram
from nngp_dag.errors import InputError
from nngp_dag.kernel.inputs import checked_names, float_dtype, input_precision
from nngp_dag.kernel.result import Kernel, kernels_asked_for
from nngp_dag.reading import ActivationLike, Reading

__all__ = ["ConvKernelFn", "checked_images", "conv_kernel_fn", "conv_kernel_of", "is_normalized"]


_NO_BATCH_NORM = (
    "batch normalisation has no deterministic limit: it divides every channel by its own random statistics, however"
    " wide the network is; the option normalization is layer or none"
)
_NO_NORM = "normalization {!r} is not computed for convolutional networks: the option is none or layer"
_OWN_NORM = "a ConvNetwork says itself which of its convolutions have layer norm: normalization is for architectures"


class ConvKernelFn(Protocol):
    """A kernel function of images x1 [N, h, w, C] against x2 [M, h, w, C] (None: against themselves).

    `get` is "nngp" or "ntk" (an array [N, M]), a tuple of them (a namedtuple), or None (`Kernel(nngp, ntk)`).
    """

    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike | None = None, get: None = None) -> Kernel: ...
    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike | None = None, *, get: str) -> Array: ...
    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike | None = None, *, get: tuple[str, ...]) -> tuple[Array, ...]: ...


def conv_kernel_fn(
    arch: Genotype | ConvNetwork,
    cells: int | None = None,
    stages: int | None = None,
    order: str = "activation-first",
    activation: ActivationLike = "relu",
    *,
    readout: Literal["average", "flatten"] = "average",
    weight_scale: float = 1.0,
    bias_scale: float = 0.0,
    normalization: str = "none",
    max_pool: MaxPool = "refuse",
) -> ConvKernelFn:
    """The infinite-width NNGP and NTK of a convolutional network, all weights trained.

    K_in(x, x', p, p') is the mean over channels of x(p) x'(p'); images are taken as they are.

    Args:
        arch: a cell of NAS-Bench-201 (its string, or integers [1, 6]), a genotype of DARTS (its text, the mapping of
            its JSON, or integers [2, 20]), or any `ConvNetwork`, to which cells, stages, read-out, scales and max_pool
            do not apply.
        cells: cells of a stage of NAS-Bench-201 (1), or all cells of DARTS (8), of which two are reductions.
        stages: of NAS-Bench-201 (3), with a reduction between them; heights and widths are halved stages - 1 times.
        order: "activation-first" (ReLU-Conv, as published; NAS-Bench-201 has a last activation before the read-out,
            DARTS has none), or for NAS-Bench-201 also "activation-last".
        activation: a name, an `Activation`, or any JAX function of one number.
        readout: "average" over pixels with common weights, or "flatten" with weights of every pixel's own.
        weight_scale: w of every convolution of a cell.
        bias_scale: v of every convolution of a cell, for NAS-Bench-201.
        normalization: "none", or for NAS-Bench-201 "layer": layer norm over the channels of every pixel wherever the
            published networks have batch normalisation, which is refused with the reason.
        max_pool: for DARTS, "refuse" max pooling, which has no closed form, or compute "average" pooling in its place.

    Returns:
        fn(images, x2=None, get=None), see `ConvKernelFn`. The dtype follows the images: float64 or float32. Symmetric
        results are symmetric to the last bit. It is a computation in compiled steps, not a traceable function. Memory
        beyond the result is bounded (`nngp_dag.conv.cost`); it raises InputError for images that are not [N, h, w, C]
        of finite numbers or cannot be halved, and for what would not fit into memory or not end in a day's work.

    Raises:
        InputError: an unknown operation, order, activation or read-out, a normalisation, or max pooling.
    """
    normalized = is_normalized(normalization)
    if isinstance(arch, ConvNetwork):
        if normalized:
            raise InputError(_OWN_NORM)
        network = arch
    else:
        network = architecture_network(
            arch,
            cells,
            stages,
            readout=readout,
            weight_scale=weight_scale,
            bias_scale=bias_scale,
            normalized=normalized,
            max_pool=max_pool,
        )
    return conv_kernel_of(network, Reading.make(order, "gaussian-trained", activation))


def is_normalized(normalization: str) -> bool:
    """True for "layer", False for "none"; InputError with the reason for anything else."""
    if normalization not in ("none", "layer"):
        raise InputError(_NO_BATCH_NORM if "batch" in normalization else _NO_NORM.format(normalization))
    return normalization == "layer"


def conv_kernel_of(network: ConvNetwork, reading: Reading) -> ConvKernelFn:
    """The kernel function of a network under a reading, of which order and activation count."""
    plans = network.plans(reading.order)

    def fn(x1: ArrayLike, x2: ArrayLike | None = None, get: str | tuple[str, ...] | None = None) -> Any:
        names = checked_names(get)
        with input_precision(x1, x2):
            x, y = checked_images("images", x1), None if x2 is None else checked_images("x2", x2)
            if y is not None and (y.shape[1:] != x.shape[1:] or y.dtype != x.dtype):
                raise InputError(
                    f"images and x2 must be of one size and dtype, got {x.shape} {x.dtype} and {y.shape} {y.dtype}"
                )
            network.shapes((x.shape[1], x.shape[2]))
            program = ConvProgram(network.stem, plans, network.layout, reading.activation, "ntk" in names)
            if network.is_zero:
                found: tuple[Array, ...] = (jnp.zeros((len(x), len(x if y is None else y)), x.dtype),) * 2
            else:
                require_cost(program, x.shape, len(x if y is None else y), x.dtype.itemsize)
                found = tuple(jnp.asarray(kernel) for kernel in conv_gram(program, x, y))
            kernels = dict(zip(("nngp", "ntk"), found, strict=False))
            for name in names:
                if not bool(jnp.isfinite(kernels[name]).all()):
                    raise InputError(f"the {name.upper()} of this network overflows {x.dtype}: use smaller images")
        return kernels_asked_for(kernels, get)

    return fn


def checked_images(name: str, x: ArrayLike) -> Array:
    """Images [N, h, w, C] as a JAX array of float64 or float32; InputError for anything else, with `name`."""
    dtype = float_dtype(**{name: x})
    values = x if isinstance(x, jax.Array) else np.asarray(x, dtype)
    if values.ndim != 4 or 0 in values.shape:
        raise InputError(f"{name} must be [N, h, w, channels] with at least one of each, got shape {values.shape}")
    images = jnp.asarray(values, dtype)
    if not bool(jnp.isfinite(images).all()):
        raise InputError(f"{name} holds NaN or infinite values")
    return images
