"""Products of the planes of one tile of pairs with each other and with forms, and the moments that tiles add up to."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.kernel.method import Numbers
from nngp_dag.spectrum.plane_moments import PlaneMoments, Vectors

__all__ = ["Products", "mean_of_tile", "moments_of", "products_of_tile"]


class Products(NamedTuple):
    """Sums over some pairs i < j, each counted twice, float64.

    Attributes:
        gram: of V_a V_b [S, S].
        linear: of V_a F [S, 1 + R^2 + 1] for the forms F = 1, the r_k r_l' made symmetric, and Y; the last one only
            with targets.
        centred_gram, centred_linear: the same of planes shifted by a constant, without the form 1, for the vectors'
            centred versions; empty without targets.
        row_sums: of the shifted planes over j, once each [S, N].
    """

    gram: np.ndarray
    linear: np.ndarray
    centred_gram: np.ndarray
    centred_linear: np.ndarray
    row_sums: np.ndarray

    def plus(self, other: Products) -> Products:
        """With other pairs."""
        return Products(*(a + b for a, b in zip(self, other, strict=True)))


def products_of_tile(planes: Array, corner: tuple[int, int], vectors: Vectors, shift: Numbers) -> Products:
    """Of the planes [S, J, I] of a tile whose first rows are `corner` = (i, j), shifted by [S] where they are centred.

    To be called with 64-bit types on.
    """
    num_rows = vectors.means.shape[1]
    at = np.array(corner)
    found = [np.asarray(a) for a in _products(planes, at, vectors, shift, vectors.has_targets)]
    gram, linear, centred_gram, centred_linear, along_i, along_j = found
    row_sums = np.zeros((len(along_i), num_rows + max(planes.shape[1:])))
    for start, sums in zip(corner, (along_i, along_j), strict=True):
        row_sums[:, start : start + sums.shape[1]] += sums
    return Products(gram, linear, centred_gram, centred_linear, row_sums[:, :num_rows])


def mean_of_tile(planes: Array, corner: tuple[int, int], num_rows: int) -> np.ndarray:
    """The mean of each plane over the pairs of a tile [S]; 0 where there are none."""
    weights = np.asarray(_pairs(np.array(corner), planes.shape[1:], num_rows))
    total = np.asarray(planes, np.float64) * weights
    return np.asarray(total.sum(axis=(1, 2)) / max(1.0, float(weights.sum())))


def moments_of(products: Products, diagonals: np.ndarray, vectors: Vectors, shift: np.ndarray) -> PlaneMoments:
    """The moments of planes from their products over all pairs, and their diagonals [S, N]."""
    size, n = diagonals.shape
    num_means = len(vectors.means)
    gram, linear, centred_gram, centred_linear, row_sums = products
    zeros = np.zeros(size)

    def with_means(sums: np.ndarray, on_diagonal: np.ndarray, r: np.ndarray) -> np.ndarray:
        return sums.reshape(size, num_means, num_means) + np.einsum("sn,kn,ln->skl", on_diagonal, r, r, optimize=True)

    raw = {
        "trace": diagonals.sum(axis=1),
        "off_diagonal": linear[:, 0],
        "gram": gram + diagonals @ diagonals.T,
        "means": with_means(linear[:, 1 : 1 + num_means**2], diagonals, vectors.means),
    }
    if not vectors.has_targets:
        empty = np.zeros((0, 0))
        return PlaneMoments(**raw, centred_gram=empty, centred_means=empty, targets=zeros, centred_targets=zeros)
    shifted = diagonals - shift[:, None]
    rows = row_sums + shifted
    total = rows.sum(axis=1)
    centred = centred_gram + shifted @ shifted.T - 2 / n * (rows @ rows.T) + np.outer(total, total) / n**2
    return PlaneMoments(
        **raw,
        centred_gram=centred,
        centred_means=with_means(centred_linear[:, : num_means**2], shifted, vectors.centred_means),
        targets=linear[:, -1] + diagonals @ (vectors.targets**2).sum(axis=0),
        centred_targets=centred_linear[:, -1] + shifted @ (vectors.centred_targets**2).sum(axis=0),
    )


@partial(jax.jit, static_argnames="centred")
def _products(planes: Array, corner: Array, vectors: Vectors, shift: Array, centred: bool) -> tuple[Array, ...]:
    """The parts of `Products`, but row sums as those of the rows i and of the rows j of the tile."""
    shape, doubles = planes.shape[1:], planes.astype(jnp.float64)
    weights = _pairs(corner, shape, vectors.means.shape[1])
    ones = jnp.ones((1, *shape))
    raw = _products_with(doubles, weights, _forms(vectors.means, vectors.targets, corner, shape, ones))
    if not centred:
        empty = jnp.zeros((0, 0))
        return (*raw, empty, empty, empty, empty)
    shifted = doubles - shift[:, None, None]
    forms = _forms(vectors.centred_means, vectors.centred_targets, corner, shape, ones[:0])
    once = 0.5 * weights
    along_i, along_j = jnp.einsum("sji,ji->si", shifted, once), jnp.einsum("sji,ji->sj", shifted, once)
    return (*raw, *_products_with(shifted, weights, forms), along_i, along_j)


def _products_with(planes: Array, weights: Array, forms: Array) -> tuple[Array, Array]:
    flat, weighed = (a.reshape(len(planes), -1) for a in (planes, planes * weights))
    return weighed @ flat.T, weighed @ forms.reshape(len(forms), -1).T


def _forms(means: Numbers, targets: Numbers, corner: Array, shape: tuple[int, ...], first: Array) -> Array:
    """The given forms, those of the means, and that of the targets if there are any, on a tile: [F, J, I]."""
    i, j = (start + jnp.arange(length) for start, length in zip(corner, reversed(shape), strict=True))
    at_i, at_j = (jnp.take(jnp.asarray(means), at, axis=1, mode="clip") for at in (i, j))
    crossed = at_j[:, None, :, None] * at_i[None, :, None, :]
    symmetric = 0.5 * (crossed + crossed.swapaxes(0, 1))
    forms = [first, symmetric.reshape(-1, *shape)]
    if len(targets):
        of_i, of_j = (jnp.take(jnp.asarray(targets), at, axis=1, mode="clip") for at in (i, j))
        forms.append((of_j.T @ of_i)[None])
    return jnp.concatenate(forms)


def _pairs(corner: Array | np.ndarray, shape: tuple[int, ...], num_rows: int) -> Array:
    """2 for the pairs i < j of a tile, 0 elsewhere [J, I]."""
    i, j = (start + jnp.arange(length) for start, length in zip(corner, reversed(shape), strict=True))
    return jnp.where((i[None, :] < j[:, None]) & (j[:, None] < num_rows), 2.0, 0.0)
