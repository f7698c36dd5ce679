"""The operations on the edges of a convolutional cell, as data.

A convolution is random: it mixes channels with i.i.d. N(0, 1) filters of its own. Skips and average pooling are
deterministic linear maps of images, the same for every channel. Max pooling and batch normalisation have no kernel
here: the largest of several Gaussian pixels has no closed-form dual map, and batch normalisation divides every channel
by its own random statistics, which do not become deterministic as the width grows. Layer norm over the channels of a
pixel has a kernel: its statistics are means over the width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from nngp_dag.errors import InputError

__all__ = ["Convolution", "Operation", "Pool", "Skip", "output_length"]


@dataclass(frozen=True)
class Skip:
    """A copy of the image, times a gain."""

    gain: float = 1.0

    size, stride = 1, 1


@dataclass(frozen=True)
class Pool:
    """Average pooling; the divisor counts the pixels of the window that lie inside the image.

    Attributes:
        size: height and width of the window.
        stride: between windows.
        gain: a factor.
    """

    size: int = 3
    stride: int = 1
    gain: float = 1.0

    dilation = 1

    def __post_init__(self) -> None:
        _check_window(self.size, self.stride, 1)


@dataclass(frozen=True)
class Convolution:
    """A k x k convolution with zero padding, k odd, with or without an activation.

    With activation-first it is h -> g (w sqrt(c / (k^2 m)) W * sigma(h) + v b), with activation-last
    h -> g sqrt(c) sigma(w W * h / sqrt(k^2 m) + v b); without an activation h -> g (w W * h / sqrt(k^2 m) + v b).

    With layer norm the filter's outputs z(p), all channels of a pixel, become (z - mean) / sd, over channels, before
    anything else is done to them (the gain, an activation behind them). Their mean vanishes with the width, and

        D(x, x', p, p') = g^2 Q(x, x', p, p') / sqrt(Q(x, x, p, p) Q(x', x', p', p')),   Q = w^2 C_k[V] + v^2,

    E likewise with the same divisor: what the derivative of layer norm projects out vanishes with the width. A pixel
    without variance stays zero.

    Attributes:
        size: k, height and width of the filter.
        stride: between positions of the filter.
        dilation: between pixels that the filter reads.
        activated: whether it has an activation.
        normalized: whether layer norm over channels follows the filter.
        matrices: trained matrices in a row that act as one filter: 2 for a separable convolution, whose depthwise and
            pointwise weights are trained both.
        gain, weight_scale, bias_scale: g, w and v.
        offset: row and column of the pixel on which the first filter is centred; less than the stride.
    """

    size: int = 3
    stride: int = 1
    dilation: int = 1
    activated: bool = True
    normalized: bool = False
    matrices: int = 1
    gain: float = 1.0
    weight_scale: float = 1.0
    bias_scale: float = 0.0
    offset: int = 0

    def __post_init__(self) -> None:
        _check_window(self.size, self.stride, self.dilation)
        if self.size % 2 == 0:
            raise InputError(f"a convolution of size {self.size}: sizes are odd, 1, 3, 5, ...")
        if not 0 <= self.offset < self.stride:
            raise InputError(
                f"offset {self.offset} of a convolution: it is from 0 to {self.stride - 1}, the stride - 1"
            )


Operation: TypeAlias = Skip | Pool | Convolution


def output_length(operation: Operation, length: int) -> int:
    """Height or width of an operation's output for an input of that height or width.

    Windows of odd size are centred on every `stride`-th pixel, those of even size lie side by side within the image.

    Raises:
        InputError: a window of even size does not fit a whole number of times, or windows with an offset are fewer than
            those without.
    """
    if isinstance(operation, Convolution) and operation.offset and length % operation.stride:
        raise InputError(
            f"an image of {length} pixels has fewer windows from pixel {operation.offset} on than from pixel 0: its"
            f" height and width must be multiples of {operation.stride} there"
        )
    if operation.size % 2:
        return -(-length // operation.stride)
    if operation.size != operation.stride or length % operation.stride:
        raise InputError(
            f"an image of {length} pixels cannot be divided into windows of {operation.size}: its height and width must"
            f" be multiples of {operation.size} there"
        )
    return length // operation.stride


def _check_window(size: int, stride: int, dilation: int) -> None:
    if min(size, stride, dilation) < 1:
        raise InputError(f"size, stride and dilation must be at least 1, got {size}, {stride} and {dilation}")
