"""Many architectures through several scores: a row per architecture, which depends on that and the seed alone."""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.registry import SCORES, baselines, make_score, score
from nngp_dag.nas.scores.score import ScoreFunction
from nngp_dag.spaces.base import Architecture
from nngp_dag.support.row_format import Row

__all__ = ["Scorer", "architecture_key"]


def architecture_key(seed: int, text: str) -> jax.Array:
    """The key of an architecture's initial weights: a function of the seed and its notation, not of its place."""
    return jax.random.fold_in(jax.random.key(seed), np.uint32(zlib.crc32(text.encode())))


@dataclass
class Scorer:
    """Several scores on the same images.

    Attributes:
        networks: the space and its networks.
        names: the scores asked for, then the trivial baselines.
        functions: by score.
        batches: by score, what it is computed on; scores without data have none.
        seed: of weights and batches.
        options: by score, what it was made with where that is not its default.
    """

    networks: SpaceNetworks
    names: tuple[str, ...]
    functions: Mapping[str, ScoreFunction]
    batches: Mapping[str, Batch]
    seed: int
    options: Mapping[str, Mapping[str, str]]

    @classmethod
    def make(
        cls,
        names: Sequence[str],
        networks: SpaceNetworks,
        images: Images | None,
        *,
        seed: int = 0,
        batch_size: int | None = None,
        options: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Scorer:
        """Scores with their batches drawn from the images.

        Args:
            names: scores; the baselines are added.
            networks: the space's networks.
            images: needed by scores that have a batch.
            seed: of weights and batches. Every score draws its batch from a generator of its own.
            batch_size: images of a batch, by default each score's own.
            options: of each score.

        Raises:
            InputError: an unknown score, or no images, or fewer than a batch needs.
        """
        chosen = tuple(dict.fromkeys([*names, *baselines()]))
        given = {name: dict(values) for name, values in (options or {}).items() if name in chosen}
        functions = {name: make_score(name, networks, given.get(name)) for name in chosen}
        batches = {}
        for name in chosen:
            recipe = score(name).batch
            if recipe is not None:
                if images is None:
                    raise InputError(f"the score {name} needs images")
                rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
                batches[name] = recipe.draw(images, rng, batch_size)
        return cls(networks, chosen, functions, batches, seed, given)

    @property
    def worst(self) -> dict[str, float]:
        """By score, the value of an architecture that cannot be worse."""
        return {name: float("-inf" if SCORES[name].higher_is_better else "inf") for name in self.names}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a row."""
        return ("architecture", *self.names, "seconds")

    def settings(self) -> str:
        """A short digest of everything that a row depends on but for its architecture."""
        digest = hashlib.sha256()
        networks = self.networks
        sizes = {name: repr(getattr(networks, name)) for name in ("wot", "ntk", "regions")}
        content = [networks.space.name, self.names, sizes, self.seed, self.options]
        digest.update(json.dumps(content, sort_keys=True).encode())
        for name, batch in self.batches.items():
            digest.update(name.encode())
            for part in batch if isinstance(batch, tuple) else (batch,):
                digest.update(str(np.shape(part)).encode() + np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:16]

    def row(self, architecture: Architecture) -> Row:
        """All scores of one architecture, and the seconds they took (compilation of a first one included)."""
        rows = self.networks.read(architecture)
        text = self.networks.space.write(rows)
        weighted = not all(SCORES[name].baseline for name in self.names)
        key = architecture_key(self.seed, text) if weighted else None
        start = time.perf_counter()
        values = {name: self.functions[name](rows, self.batches.get(name), key) for name in self.names}
        return {"architecture": text, **values, "seconds": time.perf_counter() - start}

    def rows(self, architectures: Sequence[Architecture]) -> Iterator[Row]:
        """A row per architecture, as it is finished."""
        return (self.row(architecture) for architecture in architectures)
