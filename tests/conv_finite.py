"""Convolutional networks of finite width as witnesses: their outputs' covariance and tangent kernel, draw by draw."""

import jax
import jax.numpy as jnp
import numpy as np

from nngp_dag.finite.montecarlo.estimate import KernelEstimate


def prior_and_tangent(outputs, variables, num_images):
    """The mean over outputs of u u', and J J' of the first output with respect to all variables; [N, N] each.

    `outputs(variables)` gives u [N, m]; variables are a tree of N(0, 1) numbers.
    """
    u = outputs(variables)
    jacobian = jax.tree.leaves(jax.jacrev(lambda v: outputs(v)[:, 0])(variables))
    flat = jnp.concatenate([leaf.reshape(num_images, -1) for leaf in jacobian], axis=1)
    return u @ u.T / u.shape[1], flat @ flat.T


def normal(key, shapes, dtype):
    """N(0, 1) weights of these shapes."""
    keys = jax.random.split(key, len(shapes))
    return [jax.random.normal(k, shape, dtype) for k, shape in zip(keys, shapes, strict=True)]


def estimates(draw, seeds):
    """Estimates of NNGP and NTK from so many networks, by `draw(key)`."""
    compute = jax.jit(draw)
    drawn = [compute(key) for key in jax.random.split(jax.random.key(0), seeds)]
    return [_estimate(np.asarray(samples, np.float64)) for samples in zip(*drawn, strict=True)]


def convolve(h, weights, stride=1, dilation=1, groups=1):
    """A convolution with as many zeros before as behind, as in PyTorch."""
    margin = dilation * (weights.shape[0] // 2)
    return jax.lax.conv_general_dilated(
        h,
        weights,
        (stride, stride),
        [(margin, margin)] * 2,
        rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def pool(h, stride=1):
    """The mean over those pixels of 3x3 windows that lie inside."""
    count = h.shape[-1]
    window = jnp.ones((3, 3, 1, count), h.dtype)
    return convolve(h, window, stride, groups=count) / convolve(jnp.ones_like(h), window, stride, groups=count)


def _estimate(samples):
    error = samples.std(0, ddof=1) / len(samples) ** 0.5
    return KernelEstimate(samples.mean(0), error, 2 * error)
