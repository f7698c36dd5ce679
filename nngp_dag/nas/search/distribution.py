"""A factorised distribution over architectures: independent categorical choices,
P(A | alpha) = prod_i P(A_i | alpha_i).
"""

from __future__ import annotations

import numpy as np

from nngp_dag.nas.networks.choices import Choices

__all__ = ["FactorisedDistribution"]


class FactorisedDistribution:
    """Softmax distributions over every choice, with gradients in closed form.

    Attributes:
        logits: alpha, float64 [C, largest size]; -inf beyond a choice's size.
    """

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        size = max(choices.sizes)
        self.logits = np.where(np.arange(size) < np.array(choices.sizes)[:, None], 0.0, -np.inf)

    @property
    def probabilities(self) -> np.ndarray:
        """P(A_i = j), [C, largest size]."""
        shifted = np.exp(self.logits - self.logits.max(1, keepdims=True))
        return np.asarray(shifted / shifted.sum(1, keepdims=True))

    @property
    def entropy(self) -> float:
        """H(P) = sum over choices of their entropies, in nats."""
        p = self.probabilities
        return float(-(p * np.log(np.where(p > 0, p, 1))).sum())

    def sample(self, num: int, rng: np.random.Generator) -> np.ndarray:
        """Options of `num` independent architectures, [num, C]."""
        cumulative = self.probabilities.cumsum(1)
        cumulative[:, -1] = 1.0
        uniform = rng.random((num, len(self.logits), 1))
        return np.asarray((uniform > cumulative).sum(-1))

    def log_probability(self, options: np.ndarray) -> np.ndarray:
        """The log-probability log P(A | alpha) of options [K, C] over the choices that matter to each, [K]."""
        p = self.probabilities
        picked = np.log(np.maximum(p[np.arange(len(p)), options], np.finfo(float).tiny))
        active = np.array([self.choices.active(row) for row in options])
        return np.asarray((picked * active).sum(1))

    def gradient(self, options: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """d/dalpha of sum_k weights_k log P(A_k | alpha): sum_k weights_k (one_hot(A_k) - P), on active choices."""
        p = self.probabilities
        one_hot = np.eye(p.shape[1])[options]
        active = np.array([self.choices.active(row) for row in options])
        return np.asarray(np.einsum("k,kc,kcj->cj", weights, active, one_hot - p))

    def mode(self) -> np.ndarray:
        """The most probable option of every choice, [C]."""
        return np.asarray(self.logits.argmax(1))
