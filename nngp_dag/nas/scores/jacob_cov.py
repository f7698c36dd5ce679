"""jacob_cov: how differently a network responds to small changes of each image (Mellor et al., arXiv:2006.04647,
first version; Abdelfattah et al., arXiv:2101.08134).

With J_n the gradient of the summed logits with respect to image n and v the eigenvalues of the correlation matrix of
the J_n, the score is -sum_i (log(v_i + k) + 1 / (v_i + k)), k = 1e-5. As in the released code the logits of the whole
batch are summed, and batch normalisation is differentiated through its statistics.
That fails where the last features come out of batch normalisations, as in DARTS: their mean over the batch is constant,
so the summed logits of a cell without pooling depend on no image, and J would be rounding error (measured: 2e-16 of
what single logits have), with a score as good as any. There the statistics are held constant instead, so that J_n is
the gradient of image n's own logits.
"""

from __future__ import annotations

import numpy as np
from jax import Array
from jax.typing import ArrayLike

from nngp_dag.nas.networks.image_batch import image_batch
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.backward import LOGITS, backward
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.score import ScoreFunction, weights_key
from nngp_dag.spaces.base import Architecture

__all__ = ["correlation_score", "make"]

_K = 1e-5


def correlation_score(jacobian: ArrayLike) -> float:
    """-sum_i (log(v_i + k) + 1 / (v_i + k)) of a matrix [N, D], v the eigenvalues of its rows' correlations.

    In float64; -inf where a row is constant, whose correlations are undefined.
    """
    rows = np.asarray(jacobian, dtype=np.float64)
    centered = rows - rows.mean(1, keepdims=True)
    norms = np.sqrt((centered * centered).sum(1))
    if not (norms > 0).all():
        return float("-inf")
    unit = centered / norms[:, None]
    values = np.maximum(np.linalg.eigvalsh(unit @ unit.T), 0) + _K
    return float(-(np.log(values) + 1 / values).sum())


def make(networks: SpaceNetworks) -> ScoreFunction:
    """The score of a space's networks: (architecture, images [N, h, w, channels], key) -> float; higher is better.

    A network that no path leads through is a constant and scores -inf.
    """

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        rows = networks.read(architecture)
        genes, x = networks.genes(rows), image_batch(batch, networks.wot)
        if networks.is_constant(rows):
            return float("-inf")
        no_labels = np.zeros(len(x), np.int32)
        held = not networks.wot.ends_rectified
        gradients = backward(networks.network, networks.wot, genes, x, no_labels, weights_key(key), LOGITS, held=held)
        return correlation_score(np.asarray(gradients.images).reshape(len(x), -1))

    return score
