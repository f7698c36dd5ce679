"""The operations of DARTS (Liu et al., arXiv:1806.09055), all on one edge, as data: see `DartsEdge`."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax
from jax.typing import DTypeLike

from nngp_dag.nas.networks.layers import BatchNorm, Conv, Depthwise, Stack, avg_pool_3x3, max_pool_3x3
from nngp_dag.nas.networks.probe import Probe, Report
from nngp_dag.support.flax_compat import ModuleList

__all__ = ["OPERATIONS", "SEPARABLE", "DartsEdge", "FactorizedReduce", "has_first_relu"]

OPERATIONS = (
    "none",
    "skip_connect",
    "avg_pool_3x3",
    "max_pool_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""The operations in the order of indices and weights."""

SEPARABLE = ("sep_conv_3x3", "sep_conv_5x5")
"""Those with a second ReLU within."""


def has_first_relu(operation: str, stride: int) -> bool:
    """True for an operation that starts with a ReLU: the convolutions, and a skip that halves the image."""
    return "conv" in operation or (operation == "skip_connect" and stride > 1)


class DepthwiseSeparable(nnx.Module):
    """ReLU, depthwise convolution, 1x1 convolution, batch normalisation."""

    def __init__(
        self, channels: int, size: int, *, stride: int = 1, dilation: int = 1, dtype: DTypeLike, stack: Stack = ()
    ) -> None:
        self.depthwise = Depthwise(channels, size, stride=stride, dilation=dilation, dtype=dtype, stack=stack)
        self.pointwise = Conv(channels, channels, 1, dtype=dtype, stack=stack)
        self.norm = BatchNorm(channels, dtype=dtype, stack=stack)

    def __call__(self, x: Array) -> Array:
        """Images x [N, h, w, C] -> [N, h / stride, w / stride, C]."""
        return self.norm(self.pointwise(self.depthwise(nnx.relu(x))))


class Separable(nnx.Module):
    """DARTS's separable convolution: twice `DepthwiseSeparable`, the first with the stride."""

    def __init__(self, channels: int, size: int, *, stride: int, dtype: DTypeLike, stack: Stack = ()) -> None:
        self.first = DepthwiseSeparable(channels, size, stride=stride, dtype=dtype, stack=stack)
        self.second = DepthwiseSeparable(channels, size, dtype=dtype, stack=stack)

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """The output, and the input of the ReLU within; both [N, h / stride, w / stride, C]."""
        inner = self.first(x)
        return self.second(inner), inner


class FactorizedReduce(nnx.Module):
    """ReLU, two 1x1 convolutions of stride 2, the second shifted by a pixel, side by side, batch normalisation."""

    def __init__(self, inputs: int, outputs: int, *, dtype: DTypeLike, stack: Stack = ()) -> None:
        widths = [width for width in (outputs // 2, outputs - outputs // 2) if width]
        self.offset = 2 - len(widths)  # a single channel belongs to the second one
        self.convs = ModuleList([Conv(inputs, width, 1, stride=2, dtype=dtype, stack=stack) for width in widths])
        self.norm = BatchNorm(outputs, dtype=dtype, stack=stack)

    def __call__(self, x: Array) -> Array:
        """Images x [N, h, w, inputs] -> [N, h / 2, w / 2, outputs]."""
        x = nnx.relu(x)
        shifted = jnp.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))[:, 1:, 1:]
        parts = [conv(view) for conv, view in zip(self.convs, (x, shifted)[self.offset :], strict=True)]
        return self.norm(jnp.concatenate(parts, axis=-1))


class DartsEdge(nnx.Module):
    """All operations of an edge, each with its own weights; a traced index or weights say which run.

    Pooling has no batch normalisation, as in a network of one architecture and in TE-NAS's supernet.
    """

    def __init__(self, channels: int, *, stride: int, dtype: DTypeLike, stack: Stack = ()) -> None:
        self.stride = stride
        self.separable = ModuleList(
            [Separable(channels, size, stride=stride, dtype=dtype, stack=stack) for size in (3, 5)]
        )
        self.dilated = ModuleList(
            [DepthwiseSeparable(channels, size, stride=stride, dilation=2, dtype=dtype, stack=stack) for size in (3, 5)]
        )
        if stride > 1:
            self.reduce = FactorizedReduce(channels, channels, dtype=dtype, stack=stack)

    def _plain(self) -> dict[str, Callable[[Array], Array]]:
        """The operations without a ReLU within."""
        stride = self.stride
        return {
            "none": lambda x: jnp.zeros_like(x[:, ::stride, ::stride]),
            "skip_connect": self.reduce if stride > 1 else lambda x: x,
            "avg_pool_3x3": lambda x: avg_pool_3x3(x, stride),
            "max_pool_3x3": lambda x: max_pool_3x3(x, stride),
            "dil_conv_3x3": self.dilated[0],
            "dil_conv_5x5": self.dilated[1],
        }

    def __call__(self, x: Array, gene: Array, probe: Probe) -> tuple[Array, list[Report]]:
        """The output on this edge, and the probe's reports on the ReLUs within `SEPARABLE`.

        Args:
            x: features of the source node [N, h, w, C].
            gene: the operation's index, an integer scalar; or the weight of every operation [8].
            probe: see `nngp_dag.nas.networks.probe`.
        """
        silent = self._silent(x, probe)
        plain = self._plain()

        def run(name: str) -> Callable[[Array], tuple[Array, list[Report]]]:
            if name not in SEPARABLE:
                return lambda x: (plain[name](x), silent)
            place = SEPARABLE.index(name)

            def separable(x: Array) -> tuple[Array, list[Report]]:
                y, inner = self.separable[place](x)
                reports = list(silent)
                reports[place] = probe(inner, 1, block=False)
                return y, reports

            return separable

        if gene.ndim == 0:
            return lax.switch(gene, [run(name) for name in OPERATIONS], x)
        total, reports = plain["none"](x), list(silent)
        for weight, name in zip(gene[1:], OPERATIONS[1:], strict=True):

            def add(x: Array, total: Array, name: str = name, weight: Array = weight) -> tuple[Array, list[Report]]:
                y, reports = run(name)(x)
                return total + weight * y, reports

            total, found = lax.cond(weight > 0, add, lambda x, total: (total, silent), x, total)
            if name in SEPARABLE:
                reports[SEPARABLE.index(name)] = found[SEPARABLE.index(name)]
        return total, reports

    def _silent(self, x: Array, probe: Probe) -> list[Report]:
        """The probe's report on ReLUs that no image reaches: zeros."""
        inner = jax.ShapeDtypeStruct(x[:, :: self.stride, :: self.stride].shape, x.dtype)
        shape = jax.eval_shape(lambda z: probe(z, 1, block=False), inner)
        return [jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)] * len(SEPARABLE)
