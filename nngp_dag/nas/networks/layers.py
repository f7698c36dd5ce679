"""Layers of cell-based image networks, images [N, height, width, channels], batch normalisation in train mode."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TypeVar

import jax.numpy as jnp
from flax import nnx
from jax import Array, lax
from jax.typing import DTypeLike

from nngp_dag.nas.networks.convolution import convolve, plain_convolve
from nngp_dag.nas.networks.depthwise import depthwise, plain_depthwise

__all__ = [
    "BatchNorm",
    "Conv",
    "Depthwise",
    "Gated",
    "Linear",
    "ReluConvBN",
    "Stack",
    "avg_pool_3x3",
    "gated_layers",
    "halve",
    "hold_statistics",
    "in_forward_mode",
    "max_pool_3x3",
    "without_normalisation",
]

Stack = tuple[int, ...]
"""Leading axes of a module's weights: `(n,)` for n equal modules that `lax.scan` runs over, else `()`."""


class Gated(nnx.Module):
    """A layer with a kernel [..., inputs, outputs]; its output channels can be multiplied by gates, none by default."""

    kernel: nnx.Param[Array]
    gate: nnx.Param[Array]

    def gate_shape(self, n: int) -> tuple[int, ...]:
        """Shape of a gate per image and channel, [N, outputs] after the axes of a `Stack`."""
        shape = self.kernel[...].shape
        return (*shape[:-4], n, shape[-1])

    def set_gate(self, gate: Array) -> None:
        """Multiply outputs by a gate of that shape from now on."""
        self.gate = nnx.Param(gate)

    def _gated(self, z: Array) -> Array:
        if not hasattr(self, "gate"):
            return z
        gate = self.gate[...]
        return z * gate.reshape(gate.shape[0], *[1] * (z.ndim - 2), gate.shape[1])


class Conv(Gated):
    """A convolution without bias whose output has the input's height and width divided by `stride` (rounded up).

    Args:
        inputs, outputs: numbers of channels.
        size: height and width of the kernel, odd.
        stride: between positions of the kernel.
        dtype: of the weights.
        stack: see `Stack`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        *,
        stride: int = 1,
        dtype: DTypeLike,
        stack: Stack = (),
    ) -> None:
        self.kernel = nnx.Param(jnp.zeros((*stack, size, size, inputs, outputs), dtype))
        self.stride = stride
        self.convolve: Callable[[Array, Array, int], Array] = convolve

    def __call__(self, x: Array) -> Array:
        """Images x [N, h, w, inputs] -> [N, h / stride, w / stride, outputs]."""
        return self._gated(self.convolve(x, self.kernel[...], self.stride))


class Depthwise(Gated):
    """A convolution of every channel by itself; see `Conv`.

    The kernel [size, size, 1, channels] has PyTorch's axes for as many groups as channels, so that its fan is counted
    alike.
    """

    def __init__(
        self, channels: int, size: int, *, stride: int = 1, dilation: int = 1, dtype: DTypeLike, stack: Stack = ()
    ) -> None:
        self.kernel = nnx.Param(jnp.zeros((*stack, size, size, 1, channels), dtype))
        self.stride, self.dilation = stride, dilation
        self.convolve: Callable[[Array, Array, int, int], Array] = depthwise

    def __call__(self, x: Array) -> Array:
        """Images x [N, h, w, channels] -> [N, h / stride, w / stride, channels]."""
        return self._gated(self.convolve(x, self.kernel[...][:, :, 0], self.stride, self.dilation))


class Linear(Gated):
    """z = x W + b."""

    def __init__(self, inputs: int, outputs: int, *, dtype: DTypeLike) -> None:
        self.kernel = nnx.Param(jnp.zeros((inputs, outputs), dtype))
        self.bias = nnx.Param(jnp.zeros(outputs, dtype))

    def __call__(self, x: Array) -> Array:
        """Rows x [N, inputs] -> [N, outputs]."""
        return self._gated(x @ self.kernel[...] + self.bias[...])


class BatchNorm(nnx.Module):
    """y = scale (z - mean) / sqrt(var + 1e-5) + bias, mean and (biased) variance over the batch and all positions.

    There are no running averages: scores and searches use the statistics of their batch (train mode). See
    `without_normalisation` and `hold_statistics`.
    """

    def __init__(self, channels: int, *, dtype: DTypeLike, stack: Stack = ()) -> None:
        self.scale = nnx.Param(jnp.ones((*stack, channels), dtype))
        self.bias = nnx.Param(jnp.zeros((*stack, channels), dtype))
        self.active, self.held = True, False

    def __call__(self, z: Array) -> Array:
        """Normalise z [..., channels]."""
        if not self.active:
            return z
        axes = tuple(range(z.ndim - 1))
        mean = z.mean(axes)
        if self.held:
            mean = lax.stop_gradient(mean)
        centered = z - mean
        variance = (centered * centered).mean(axes)
        if self.held:
            variance = lax.stop_gradient(variance)
        return centered * (self.scale[...] * lax.rsqrt(variance + 1e-5)) + self.bias[...]


class ReluConvBN(nnx.Module):
    """ReLU, convolution, batch normalisation."""

    def __init__(
        self, inputs: int, outputs: int, size: int, *, stride: int = 1, dtype: DTypeLike, stack: Stack = ()
    ) -> None:
        self.conv = Conv(inputs, outputs, size, stride=stride, dtype=dtype, stack=stack)
        self.norm = BatchNorm(outputs, dtype=dtype, stack=stack)

    def __call__(self, x: Array) -> Array:
        """Images x [N, h, w, inputs] -> [N, h / stride, w / stride, outputs]."""
        return self.norm(self.conv(nnx.relu(x)))


def gated_layers(network: nnx.Module) -> list[Gated]:
    """The layers of a network that have a kernel: convolutions and the classifier; stacked ones are one."""
    return [module for _, module in nnx.iter_modules(network) if isinstance(module, Gated)]


Network = TypeVar("Network", bound=nnx.Module)


def in_forward_mode(network: Network) -> Network:
    """The same network, changed so that it can be differentiated in forward mode, repeatedly (in reverse mode it has
    become slow).
    """
    for _, module in nnx.iter_modules(network):
        if isinstance(module, Conv):
            module.convolve = plain_convolve
        elif isinstance(module, Depthwise):
            module.convolve = plain_depthwise
    return network


def hold_statistics(network: Network) -> Network:
    """The same network, changed so that means and variances of batch normalisations are constants when it is
    differentiated.
    """
    for _, module in nnx.iter_modules(network):
        if isinstance(module, BatchNorm):
            module.held = True
    return network


def without_normalisation(network: Network) -> Network:
    """The same network, changed so that every batch normalisation gives what it takes."""
    for _, module in nnx.iter_modules(network):
        if isinstance(module, BatchNorm):
            module.active = False
    return network


def _sum_of_windows(x: Array, stride: int) -> Array:
    """Sums over 3x3 windows, with zeros outside of the image: a sum of shifted images, in the order of
    `lax.reduce_window`, which takes five times as long on a processor.
    """
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    last = [(length - 1) // stride * stride + 1 for length in x.shape[1:3]]
    parts = [
        lax.slice(padded, (0, i, j, 0), (len(x), i + last[0], j + last[1], x.shape[3]), (1, stride, stride, 1))
        for i in range(3)
        for j in range(3)
    ]
    return reduce(jnp.add, parts)


def avg_pool_3x3(x: Array, stride: int = 1) -> Array:
    """Mean over 3x3 windows; positions outside the image are not counted."""
    inside = jnp.ones((1, *x.shape[1:3], 1), x.dtype)
    return _sum_of_windows(x, stride) / _sum_of_windows(inside, stride)


def max_pool_3x3(x: Array, stride: int = 1) -> Array:
    """Largest value of 3x3 windows."""
    padding = ((0, 0), (1, 1), (1, 1), (0, 0))
    return lax.reduce_window(x, x.dtype.type(-jnp.inf), lax.max, (1, 3, 3, 1), (1, stride, stride, 1), padding)


def halve(x: Array) -> Array:
    """Mean over disjoint 2x2 windows; an odd last row or column is dropped."""
    total = lax.reduce_window(x, x.dtype.type(0), lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return total / 4
