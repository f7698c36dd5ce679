"""FP-NAS: a distribution over architectures and the weights of a supernet, trained in turn (arXiv:2011.10949).

There is no public implementation. The reading implemented here, after that paper and PARSEC (arXiv:1902.05116), on
which it builds:

1. The distribution over architectures is factorised into independent choices, softmax with parameters alpha, uniform at
   first. Warm-up steps train the weights alone, on architectures drawn from it.
2. Adaptive sampling: a step draws K = ceil(lambda H) architectures, H the distribution's entropy (at least two).
3. Each is judged by the log-likelihood L_k of a batch of validation images under the shared weights; importance
   weights omega_k = softmax_k(L_k) estimate the posterior. Alpha ascends sum_k omega_k grad log P(A_k | alpha), Adam.
4. The weights ascend sum_k omega_k grad L_k of a batch of training images, momentum SGD. Architectures whose omega_k
   is below a thousandth are left out of this sum: they would change it by less than that.
5. The result is the most probable architecture.

With the filter, drawn architectures outside the box are neither judged nor trained, and the result is the most
probable one inside it. Batch normalisation uses batch statistics throughout, and there is no cost term.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from nngp_dag.errors import InputError
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.image_batch import check_image_sides
from nngp_dag.nas.networks.initialize import draw, rebuild
from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.search.distribution import FactorisedDistribution
from nngp_dag.nas.search.result import SearchResult

__all__ = ["FpNasSettings", "fp_nas", "log_likelihood"]

_NEGLIGIBLE = 1e-3
_ATTEMPTS = 1000
_ENUMERABLE = 100_000


@dataclass(frozen=True)
class FpNasSettings:
    """Sizes of an FP-NAS search.

    Attributes:
        steps: number of steps that train both weights and distribution.
        warmup: steps before, that train the weights alone.
        batch_size: images of a training and of a validation batch.
        samples_per_nat: lambda; a step draws ceil(lambda H) architectures.
        learning_rate: of the weights (momentum 0.9, cosine decay to zero).
        alpha_rate: of the distribution (Adam).
    """

    steps: int = 200
    warmup: int = 50
    batch_size: int = 64
    samples_per_nat: float = 1.0
    learning_rate: float = 0.05
    alpha_rate: float = 0.1


@partial(jax.jit, static_argnums=(0, 1))
def log_likelihood(
    network: type[Network], spec: NetworkSizes, state: nnx.State, genes: Array, x: Array, y: Array
) -> Array:
    """The log-likelihood log p(y | x, A, w) of a whole batch, a scalar: the sum over its images.

    Args:
        network: the network's class.
        spec: its sizes.
        state: its weights.
        genes: the architecture, traced.
        x: images [N, h, w, channels].
        y: labels [N].
    """
    logits, _ = rebuild(network, spec, state)(x, genes)
    return -optax.softmax_cross_entropy_with_integer_labels(logits, y).sum()


@partial(jax.jit, static_argnums=(0, 1))
def _mean_gradient(
    network: type[Network], spec: NetworkSizes, state: nnx.State, genes: Array, x: Array, y: Array
) -> nnx.State:
    """Gradient of minus the mean log-likelihood with respect to the weights."""
    return jax.grad(lambda s: -log_likelihood(network, spec, s, genes, x, y) / x.shape[0])(state)


def fp_nas(
    networks: SpaceNetworks,
    images: Images,
    *,
    seed: int = 0,
    settings: FpNasSettings | None = None,
    keep: Callable[[np.ndarray], bool] | None = None,
    on_step: Callable[[int], None] | None = None,
) -> SearchResult:
    """Search by training: see the module.

    Args:
        networks: the space's networks; `networks.train` are the supernet's sizes.
        images: with labels; half of them, drawn at random, train the weights, the others the distribution.
        seed: of everything random.
        settings: sizes of the search.
        keep: the filter, a predicate on architectures [cells, genes].
        on_step: called with the number of steps done.

    Returns:
        Candidates are the architectures drawn, evaluations those that were judged or trained.

    Raises:
        InputError: images without labels, too few of them, or a filter that nothing passes.
    """
    settings = settings or FpNasSettings()
    rng = np.random.default_rng(seed)
    search = _Search(networks, images, settings, rng, keep, jax.random.key(seed))
    start = time.perf_counter()
    search.compile()
    compile_seconds = time.perf_counter() - start
    start = time.perf_counter()
    for step in range(settings.warmup + settings.steps):
        search.step(train_distribution=step >= settings.warmup)
        if on_step is not None:
            on_step(step + 1)
    architecture = search.most_probable()
    seconds = time.perf_counter() - start
    details = {"entropy": search.distribution.entropy, "steps": settings.steps, "warmup": settings.warmup}
    return SearchResult(architecture, search.drawn, search.evaluated, seconds, compile_seconds, details)


class _Search:
    """State of one search."""

    def __init__(
        self,
        networks: SpaceNetworks,
        images: Images,
        settings: FpNasSettings,
        rng: np.random.Generator,
        keep: Callable[[np.ndarray], bool] | None,
        key: Array,
    ) -> None:
        if images.y is None:
            raise InputError(f"FP-NAS trains on labels, and {images.source} has none")
        classes = int(images.y.max()) + 1
        if len(images) < 2 * settings.batch_size:
            raise InputError(
                f"two disjoint batches of {settings.batch_size} images were asked for, but {images.source} has only"
                f" {len(images)}"
            )
        check_image_sides(images.x, networks.train)
        self.networks, self.spec = networks, networks.train.replace(classes=max(classes, 2))
        self.images, self.settings, self.rng, self.keep = images, settings, rng, keep
        halves = rng.permutation(len(images))
        self.halves = halves[: len(images) // 2], halves[len(images) // 2 :]
        self.distribution = FactorisedDistribution(networks.choices)
        self.state = draw(networks.network, self.spec, key)
        total = settings.steps + settings.warmup
        self.optimiser = _sgd(settings.learning_rate, total)
        self.memory = self.optimiser.init(self.state)
        self.alpha_optimiser = _Adam(settings.alpha_rate, self.distribution.logits.shape)
        self.drawn = self.evaluated = 0

    def compile(self) -> None:
        """Run every compiled function once."""
        genes = self.networks.genes(self.networks.choices.decode(self.distribution.mode()))
        batch = self._batch(0)
        log_likelihood(self.networks.network, self.spec, self.state, genes, *batch).block_until_ready()
        jax.block_until_ready(_mean_gradient(self.networks.network, self.spec, self.state, genes, *batch))

    def step(self, train_distribution: bool) -> None:
        """One step on weights, and on the distribution unless this is warm-up."""
        wanted = math.ceil(self.settings.samples_per_nat * self.distribution.entropy)
        options = self._draw(max(2, wanted) if train_distribution else 1)
        architectures = [self.networks.genes(self.networks.choices.decode(row)) for row in options]
        self.evaluated += len(options)
        omega = np.ones(1)
        if train_distribution:
            batch = self._batch(1)
            values = [
                log_likelihood(self.networks.network, self.spec, self.state, genes, *batch) for genes in architectures
            ]
            likelihood = np.asarray(values, dtype=np.float64)
            omega = np.exp(likelihood - likelihood.max())
            omega /= omega.sum()
            ascent = self.alpha_optimiser.ascent(self.distribution.gradient(options, omega))
            self.distribution.logits += ascent
        batch = self._batch(0)
        chosen = [i for i, weight in enumerate(omega) if weight >= _NEGLIGIBLE]
        total: nnx.State | None = None
        for i in chosen:
            gradient = _mean_gradient(self.networks.network, self.spec, self.state, architectures[i], *batch)
            weight = np.asarray(omega[i], self.spec.dtype)
            total = _scaled(gradient, weight) if total is None else _add_scaled(total, gradient, weight)
        self.state, self.memory = _apply(self.optimiser, self.state, self.memory, total)

    def most_probable(self) -> np.ndarray:
        """The most probable architecture (that passes the filter)."""
        choices = self.networks.choices
        if self.keep is None or self.keep(choices.decode(self.distribution.mode())):
            return choices.decode(self.distribution.mode())
        options = self._passing(self.distribution.sample(_ATTEMPTS, self.rng))
        if math.prod(choices.sizes) <= _ENUMERABLE:
            options = self._passing(np.indices(choices.sizes).reshape(len(choices.sizes), -1).T)
        if not len(options):
            raise InputError("no architecture that was drawn passes the filter: widen its ranges")
        return choices.decode(options[self.distribution.log_probability(options).argmax()])

    def _draw(self, num: int) -> np.ndarray:
        """Options [K, C] of `num` architectures drawn, those that pass the filter; at least one."""
        for _ in range(_ATTEMPTS):
            options = self.distribution.sample(num, self.rng)
            self.drawn += num
            passing = self._passing(options)
            if len(passing):
                return passing
        raise InputError(f"none of {num * _ATTEMPTS} architectures drawn passes the filter: widen its ranges")

    def _passing(self, options: np.ndarray) -> np.ndarray:
        if self.keep is None:
            return options
        return options[[self.keep(self.networks.choices.decode(row)) for row in options]]

    def _batch(self, half: int) -> tuple[Array, Array]:
        index = self.rng.choice(self.halves[half], self.settings.batch_size, replace=False)
        assert self.images.y is not None
        return jnp.asarray(self.images.x[index], self.spec.dtype), jnp.asarray(self.images.y[index])


@lru_cache
def _sgd(rate: float, steps: int) -> optax.GradientTransformation:
    return optax.sgd(optax.cosine_decay_schedule(rate, steps), momentum=0.9)


@partial(jax.jit, static_argnums=0)
def _apply(
    optimiser: optax.GradientTransformation, state: nnx.State, memory: optax.OptState, gradient: nnx.State
) -> tuple[nnx.State, optax.OptState]:
    updates, memory = optimiser.update(gradient, memory, state)
    return optax.apply_updates(state, updates), memory


@jax.jit
def _scaled(tree: nnx.State, weight: np.ndarray) -> nnx.State:
    return jax.tree.map(lambda leaf: weight * leaf, tree)


@jax.jit
def _add_scaled(total: nnx.State, tree: nnx.State, weight: np.ndarray) -> nnx.State:
    return jax.tree.map(lambda a, b: a + weight * b, total, tree)


class _Adam:
    """Adam on a NumPy array (a few dozen numbers: no need to compile)."""

    def __init__(self, rate: float, shape: tuple[int, ...]) -> None:
        self.rate, self.first, self.second, self.count = rate, np.zeros(shape), np.zeros(shape), 0

    def ascent(self, gradient: np.ndarray) -> np.ndarray:
        """The step that ascends the gradient."""
        self.count += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        mean = self.first / (1 - 0.9**self.count)
        return np.asarray(self.rate * mean / (np.sqrt(self.second / (1 - 0.999**self.count)) + 1e-8))
