"""Convolutional kernels written out from their definitions (DESIGN 2.2), pixel by pixel and node by node, in NumPy.

Nothing here is shared with `nngp_dag.conv`. Every pair of nodes has a covariance of its own, K_st(x, x', p, p'), as in
the node-to-node recursion of the exact kernel; no map is ever squared or split into axes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Image = tuple[int, int]


def relu_maps(kxx: np.ndarray, kyy: np.ndarray, kxy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The maps f and fdot of ReLU with c = 2, of positive variances (arrays of one shape)."""
    q = np.sqrt(kxx * kyy)
    rho = np.clip(kxy / q, -1, 1)
    theta = np.arccos(rho)
    return q * (np.sin(theta) + (np.pi - theta) * rho) / np.pi, (np.pi - theta) / np.pi


def relu_mean(k: np.ndarray) -> np.ndarray:
    """The mean beta of ReLU."""
    return np.sqrt(k / np.pi)


def _shape(image: Image, size: int, stride: int) -> Image:
    if size % 2 == 0:
        return image[0] // stride, image[1] // stride
    return -(-image[0] // stride), -(-image[1] // stride)


def pool_matrix(image: Image, size: int, stride: int) -> np.ndarray:
    """Average pooling as a matrix [outputs, pixels], each row the mean over the pixels of a window inside the image."""
    out = _shape(image, size, stride)
    matrix = np.zeros((out[0] * out[1], image[0] * image[1]))
    reach = size // 2 if size % 2 else 0  # windows of even size lie side by side
    for a, b in itertools.product(range(out[0]), range(out[1])):
        rows = [r for r in range(a * stride - reach, a * stride - reach + size) if 0 <= r < image[0]]
        columns = [c for c in range(b * stride - reach, b * stride - reach + size) if 0 <= c < image[1]]
        for r, c in itertools.product(rows, columns):
            matrix[a * out[1] + b, r * image[1] + c] = 1 / (len(rows) * len(columns))
    return matrix


def convolved(k: np.ndarray, image: Image, size: int, stride: int, dilation: int, offset: int = 0) -> np.ndarray:
    """k^-2 sum_o K(s p + o, s p' + o), zero outside, of K [pixels, pixels]: each o by the matrix that reads s p + o.

    With an offset the centres are s p + (offset, offset) in place of s p.
    """
    out = _shape(image, size, stride)
    result = np.zeros((out[0] * out[1],) * 2)
    reach = range(-(size // 2), size // 2 + 1)
    for u, v in itertools.product(reach, reach):
        reads = np.zeros((out[0] * out[1], len(k)))
        for a, b in np.ndindex(*out):
            r, c = offset + a * stride + u * dilation, offset + b * stride + v * dilation
            if 0 <= r < image[0] and 0 <= c < image[1]:
                reads[a * out[1] + b, r * image[1] + c] = 1
        result += reads @ k @ reads.T
    return result / size**2


@dataclass
class Node:
    """A node: its image size; S per image [3 pairs' two images]; all kernels are kept by the network."""

    image: Image
    mean: tuple[np.ndarray, np.ndarray]


Kernels = dict[str, np.ndarray]
"""Of two images: "xx", "xy", "yy", each [pixels, pixels]."""

_SIDES = {"xx": (0, 0), "xy": (0, 1), "yy": (1, 1)}


def standardised(k: Kernels, theta: Kernels) -> tuple[Kernels, Kernels]:
    """Both divided by the standard deviations of both pixels, sqrt(K(x, x, p, p) K(x', x', p', p'))."""
    deviation = [np.sqrt(np.diag(k[name])) for name in ("xx", "yy")]
    divisor = {name: np.outer(deviation[a], deviation[b]) for name, (a, b) in _SIDES.items()}
    return {name: k[name] / divisor[name] for name in k}, {name: theta[name] / divisor[name] for name in theta}


class Network:
    """All nodes of a network on two images, with covariances K_st and tangent kernels Theta_st of every two nodes.

    Args:
        x, y: images [h, w, C].
        order: activation-first or activation-last.
        maps: (f, fdot) of variances and covariances, arrays of one shape.
        mean: beta of variances.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        order: str,
        maps: Callable[..., tuple[np.ndarray, np.ndarray]] = relu_maps,
        mean: Callable[[np.ndarray], np.ndarray] = relu_mean,
    ) -> None:
        self.order, self.maps, self.mean = order, maps, mean
        flat = [image.reshape(-1, image.shape[-1]) for image in (x, y)]
        k = {name: flat[a] @ flat[b].T / x.shape[-1] for name, (a, b) in _SIDES.items()}
        zero = {name: np.zeros_like(value) for name, value in k.items()}
        nothing = np.zeros(len(flat[0]))
        self.nodes = [Node((x.shape[0], x.shape[1]), (nothing, nothing))]
        self.k: dict[tuple[int, int], Kernels] = {(0, 0): k}
        self.theta: dict[tuple[int, int], Kernels] = {(0, 0): zero}

    def _activated(self, k: Kernels) -> tuple[Kernels, Kernels]:
        f, slope = ({name: np.zeros_like(value) for name, value in k.items()} for _ in range(2))
        for name, (a, b) in _SIDES.items():
            first, second = np.diag(k[("xx", "yy")[a]]), np.diag(k[("xx", "yy")[b]])
            shape = k[name].shape
            variances = np.broadcast_to(first[:, None], shape), np.broadcast_to(second, shape)
            f[name], slope[name] = map(np.asarray, self.maps(*variances, k[name]))
        return f, slope

    def add(self, edges: Sequence[tuple[int, str, dict[str, Any]]]) -> int:
        """A node that sums what its edges bring: (source, "skip" | "pool" | "conv", arguments); its number."""
        t = len(self.nodes)
        skips: list[tuple[int, np.ndarray]] = []
        randoms: list[tuple[Kernels, Kernels, tuple[np.ndarray, np.ndarray]]] = []
        image = None
        for s, kind, given in edges:
            arguments = dict(given)
            size, stride = arguments.get("size", 1 if kind == "skip" else 3), arguments.get("stride", 1)
            here = self.nodes[s].image
            image = _shape(here, size, stride)
            if kind in ("skip", "pool"):
                matrix = np.eye(here[0] * here[1]) if kind == "skip" else pool_matrix(here, size, stride)
                skips.append((s, arguments.get("gain", 1.0) * matrix))
            else:
                randoms.append(self._random(s, size, stride, arguments))
        assert image is not None
        pixels = image[0] * image[1]
        mean = tuple(
            sum((a @ self.nodes[s].mean[side] for s, a in skips), np.zeros(pixels))
            + sum((b[side] for _, _, b in randoms), np.zeros(pixels))
            for side in (0, 1)
        )
        for r in range(t):
            for table, has_mean in ((self.k, True), (self.theta, False)):
                table[t, r], table[r, t] = {}, {}
                for name, (a, b) in _SIDES.items():
                    others = self.nodes[r].mean
                    down, up = np.zeros((pixels, len(others[0]))), np.zeros((len(others[0]), pixels))
                    for s, m in skips:  # K_tr(x, x') = sum_A A K_sr(x, x') + sum_L b_l(x) S_r(x')
                        down += m @ table[s, r][name]
                        up += table[r, s][name] @ m.T
                    for _, _, bias in randoms if has_mean else ():
                        down += np.outer(bias[a], others[b])
                        up += np.outer(others[a], bias[b])
                    table[t, r][name], table[r, t][name] = down, up
        self.k[t, t], self.theta[t, t] = {}, {}
        for name, (a, b) in _SIDES.items():
            k = np.zeros((pixels, pixels))
            theta = np.zeros((pixels, pixels))
            for (s, m), (r, n) in itertools.product(skips, skips):
                k += m @ self.k[s, r][name] @ n.T
                theta += m @ self.theta[s, r][name] @ n.T
            for (s, m), (_, _, bias) in itertools.product(skips, randoms):
                k += np.outer(m @ self.nodes[s].mean[a], bias[b]) + np.outer(bias[a], m @ self.nodes[s].mean[b])
            for i, (f, w, bias) in enumerate(randoms):
                k += f[name]
                theta += w[name]
                for j, (_, _, other) in enumerate(randoms):
                    if i != j:
                        k += np.outer(bias[a], other[b])
            self.k[t, t][name], self.theta[t, t][name] = k, theta
        self.nodes.append(Node(image, mean))  # type: ignore[arg-type]
        return t

    def _random(
        self, s: int, size: int, stride: int, arguments: dict[str, Any]
    ) -> tuple[Kernels, Kernels, tuple[np.ndarray, np.ndarray]]:
        """Covariance, tangent kernel and mean of what a convolution brings."""
        image, k, theta = self.nodes[s].image, self.k[s, s], self.theta[s, s]
        matrices = arguments.get("matrices", 1)
        g, w, v = (arguments.get(name, default) for name, default in (("gain", 1.0), ("weight", 1.0), ("bias", 0.0)))

        def c(kernels: Kernels) -> Kernels:
            dilation = arguments.get("dilation", 1)
            offset = arguments.get("offset", 0)
            return {
                name: w**2 * convolved(value, image, size, stride, dilation, offset) for name, value in kernels.items()
            }

        def scaled(kernels: Kernels, factor: float, more: float) -> Kernels:
            return {name: factor * (value + more) for name, value in kernels.items()}

        def at_filter(k: Kernels, theta: Kernels) -> tuple[Kernels, Kernels]:
            """Both behind the filter and its bias, and behind layer norm where there is one."""
            filtered = scaled(c(k), 1.0, v**2), scaled(c(theta), 1.0, v**2)
            return standardised(*filtered) if arguments.get("normalized") else filtered

        pixels = _shape(image, size, stride)[0] * _shape(image, size, stride)[1]
        none = np.zeros(pixels), np.zeros(pixels)
        activated = arguments.get("activated", True)
        if not activated:
            w_l = {name: theta[name] + matrices * k[name] for name in k}
            both = at_filter(k, w_l)
            return scaled(both[0], g**2, 0.0), scaled(both[1], g**2, 0.0), none
        if self.order == "activation-first":
            f, slope = self._activated(k)
            w_l = {name: slope[name] * theta[name] + matrices * f[name] for name in f}
            both = at_filter(f, w_l)
            return scaled(both[0], g**2, 0.0), scaled(both[1], g**2, 0.0), none
        q, before = at_filter(k, {name: theta[name] + matrices * k[name] for name in k})
        f, slope = self._activated(q)
        mean = tuple(g * np.asarray(self.mean(np.diag(q[name]))) for name in ("xx", "yy"))
        tangent = {name: g**2 * slope[name] * before[name] for name in f}
        return scaled(f, g**2, 0.0), tangent, mean  # type: ignore[return-value]

    def standardise(self) -> None:
        """Layer norm over channels on the last node, which nothing may be added behind but the read-out."""
        t = len(self.nodes) - 1
        means = self.nodes[t].mean
        centred = {name: self.k[t, t][name] - np.outer(means[a], means[b]) for name, (a, b) in _SIDES.items()}
        self.k[t, t], self.theta[t, t] = standardised(centred, self.theta[t, t])

    def readout(
        self, kind: str = "average", nodes: Sequence[tuple[int, float]] | None = None, activated: bool | None = None
    ) -> tuple[dict[str, float], dict[str, float]]:
        """NNGP and NTK of the three pairs from the last node, or from nodes side by side with shares of the channels.

        Whether an activation comes before the weights is as the order says, or as is said here.
        """
        activated = self.order == "activation-first" if activated is None else activated
        nngp, ntk = (dict.fromkeys(_SIDES, 0.0) for _ in range(2))
        for node, share in nodes or [(len(self.nodes) - 1, 1.0)]:
            k, theta = self.k[node, node], self.theta[node, node]
            f, slope = self._activated(k) if activated else (k, dict.fromkeys(k, 1.0))
            for name in _SIDES:
                values = f[name], slope[name] * theta[name] + f[name]
                for total, value in zip((nngp, ntk), values, strict=True):
                    total[name] += share * float((value if kind == "average" else np.diag(value)).mean())
        return nngp, ntk
