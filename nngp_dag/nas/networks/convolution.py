"""A convolution whose gradient stays fast inside `lax.switch` and `lax.scan` on CPU.

XLA's CPU backend brings the convolution that gives the kernel's gradient into its fast form (batch, rows, columns,
features) only outside of conditionals; within, it falls back to loops that are ten times slower. Here that form is
written out, so that there is nothing left to bring about.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

__all__ = ["convolve", "plain_convolve"]


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(x: Array, kernel: Array, stride: int = 1) -> Array:
    """The convolution [N, h / stride, w / stride, outputs] (rounded up) with zeros outside the image.

    Padding is symmetric, as in PyTorch, so that a strided convolution reads the same pixels as in networks published
    for it. Differentiable once, in reverse mode.

    Args:
        x: images [N, h, w, inputs].
        kernel: [size, size, inputs, outputs], size odd.
        stride: between positions of the kernel.
    """
    return plain_convolve(x, kernel, stride)


def plain_convolve(x: Array, kernel: Array, stride: int = 1) -> Array:
    """`convolve` as XLA differentiates it: in forward mode too, and as often as wanted."""
    padding = (kernel.shape[0] - 1) // 2
    return lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        ((padding, padding), (padding, padding)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _forward(x: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return convolve(x, kernel, stride), (x, kernel)


def _backward(stride: int, saved: tuple[Array, Array], cotangent: Array) -> tuple[Array, Array]:
    x, kernel = saved

    (for_x,) = jax.linear_transpose(lambda x: plain_convolve(x, kernel, stride), x)(cotangent)
    # dK[a, b, i, o] = sum_{n, p, q} x[n, stride p + a - padding, ..., i] cotangent[n, p, q, o].
    size, padding = kernel.shape[0], (kernel.shape[0] - 1) // 2
    reach = [stride * (length - 1) + size for length in cotangent.shape[1:3]]
    highs = [need - length - padding for need, length in zip(reach, x.shape[1:3], strict=True)]
    product = lax.conv_general_dilated(
        jnp.transpose(x, (3, 1, 2, 0)),
        jnp.transpose(cotangent, (1, 2, 0, 3)),
        (1, 1),
        [(padding, high) for high in highs],
        rhs_dilation=(stride, stride),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return for_x, jnp.transpose(product, (1, 2, 0, 3))


convolve.defvjp(_forward, _backward)
