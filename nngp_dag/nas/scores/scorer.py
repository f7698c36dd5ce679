"""Many architectures through several scores: a row per architecture, which depends on that and the seed alone."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import jax
import jax.numpy as jnp
import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.registry import SCORES, baselines, make_score, score
from nngp_dag.nas.scores.score import ScoreFunction
from nngp_dag.spaces.base import Architecture
from nngp_dag.support.cores import SharedClock, available_cores, in_order
from nngp_dag.support.row_format import Row
from nngp_dag.support.x64 import enable_x64

__all__ = ["Scorer", "architecture_key", "batch_generator", "mean_and_error", "scoring_threads"]

_MOST_AT_ONCE = 8
"""Networks at a time: each needs its own memory, and the cores share the convolutions of one anyway."""


def architecture_key(seed: int, text: str, draw: int = 0) -> jax.Array:
    """The key of an architecture's initial weights: a function of seed, notation and draw, not of its place.

    Args:
        seed: of all weights.
        text: the architecture in its space's notation.
        draw: 0 for the first draw of its weights, which is the only one unless there are repeats.
    """
    key = jax.random.fold_in(jax.random.key(seed), np.uint32(zlib.crc32(text.encode())))
    return jax.random.fold_in(key, draw) if draw else key


def batch_generator(seed: int, name: str, draw: int = 0) -> np.random.Generator:
    """The generator of a score's batch: every score, and every draw of it, has one of its own."""
    entropy = [seed, zlib.crc32(name.encode())]
    return np.random.default_rng([*entropy, draw] if draw else entropy)


@dataclass
class Scorer:
    """Several scores on the same images.

    Attributes:
        networks: the space and its networks.
        names: the scores asked for, then the trivial baselines.
        functions: by score.
        batches: by score, what it is computed on, one batch for each draw; scores without data have none.
        seed: of weights and batches.
        options: by score, what it was made with where that is not its default.
        repeats: number of draws R, each of weights and batches of its own.
    """

    networks: SpaceNetworks
    names: tuple[str, ...]
    functions: Mapping[str, ScoreFunction]
    batches: Mapping[str, Sequence[Batch]]
    seed: int
    options: Mapping[str, Mapping[str, str]]
    repeats: int = 1
    _compiled: bool = field(default=False, init=False)
    _compiling: Lock = field(default_factory=Lock, init=False, repr=False)
    _clock: SharedClock = field(default_factory=SharedClock, init=False, repr=False)

    @classmethod
    def make(
        cls,
        names: Sequence[str],
        networks: SpaceNetworks,
        images: Images | None,
        *,
        seed: int = 0,
        batch_size: int | Mapping[str, int] | None = None,
        options: Mapping[str, Mapping[str, str]] | None = None,
        repeats: int = 1,
    ) -> Scorer:
        """Scores with their batches drawn from the images.

        Args:
            names: scores; the baselines are added.
            networks: the space's networks.
            images: needed by scores that have a batch.
            seed: of weights and batches. Every score draws its batch from a generator of its own.
            batch_size: images of a batch, for all scores or by score; by default each score's own.
            options: of each score.
            repeats: number of draws R. The first is the only one of R = 1, and more of them keep those before.

        Raises:
            InputError: an unknown score, no images or fewer than a batch needs, a batch size of a score that is not
                asked for or has none, or R below 1.
        """
        if repeats < 1:
            raise InputError(f"the number of repeats must be at least 1, got {repeats}")
        chosen = tuple(dict.fromkeys([*names, *baselines()]))
        given = {name: dict(values) for name, values in (options or {}).items() if name in chosen}
        functions = {name: make_score(name, networks, given.get(name)) for name in chosen}
        sizes = _batch_sizes(chosen, batch_size)
        batches = {}
        for name in chosen:
            recipe = score(name).batch
            if recipe is not None:
                if images is None:
                    raise InputError(f"the score {name} needs images")
                generators = [batch_generator(seed, name, r) for r in range(repeats)]
                batches[name] = [recipe.draw(images, rng, sizes.get(name)) for rng in generators]
        return cls(networks, chosen, functions, batches, seed, given, repeats)

    @property
    def drawn(self) -> tuple[str, ...]:
        """The scores that differ from draw to draw: all but the baselines."""
        return tuple(name for name in self.names if not SCORES[name].baseline)

    @property
    def worst(self) -> dict[str, float]:
        """By column, the value of an architecture that cannot be worse; a standard error is infinite there."""
        found = {}
        for name in self.names:
            least = float("-inf" if SCORES[name].higher_is_better else "inf")
            found[name] = least
            if name in self.drawn and self.repeats > 1:
                found[f"{name}_se"] = float("inf")
                found |= dict.fromkeys(self.draw_columns(name), least)
        return found

    def draw_columns(self, name: str) -> tuple[str, ...]:
        """The columns of a score's single draws, NAME_1, NAME_2, ...; with one draw, or for a baseline, NAME itself."""
        if self.repeats == 1 or name not in self.drawn:
            return (name,)
        return tuple(f"{name}_{r + 1}" for r in range(self.repeats))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a row: with repeats NAME is a mean, NAME_se its standard error, and single draws follow."""
        if self.repeats == 1:
            return ("architecture", *self.names, "seconds")
        both = [column for name in self.names for column in ([name, f"{name}_se"] if name in self.drawn else [name])]
        single = [column for name in self.drawn for column in self.draw_columns(name)]
        return ("architecture", *both, *single, "seconds")

    def settings(self) -> str:
        """A short digest of everything that a row depends on but for its architecture."""
        digest = hashlib.sha256()
        networks = self.networks
        sizes = {name: repr(dataclasses.asdict(getattr(networks, name))) for name in ("wot", "ntk", "regions")}
        content = [networks.space.name, self.names, sizes, self.seed, self.options, self.repeats]
        digest.update(json.dumps(content, sort_keys=True).encode())
        for name, batches in self.batches.items():
            digest.update(name.encode())
            for batch in batches:
                for part in batch if isinstance(batch, tuple) else (batch,):
                    digest.update(str(np.shape(part)).encode() + np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:16]

    def row(self, architecture: Architecture) -> Row:
        """All scores of one architecture, and the seconds they took; compilation is none of them.

        Rows that are computed at the same time share its seconds (`SharedClock`), so that those of all rows add up to
        the time that they took together.
        """
        rows = self.networks.read(architecture)
        text = self.networks.space.write(rows)
        self._compile(rows)
        row: Row = {"architecture": text}
        with self._clock.task() as seconds:
            for name in self.names:
                values = [self._value(name, rows, text, r) for r in range(len(self.draw_columns(name)))]
                if len(values) == 1:
                    row[name] = values[0]
                else:
                    row[name], row[f"{name}_se"] = mean_and_error(values)
                    row |= dict(zip(self.draw_columns(name), values, strict=True))
        row["seconds"] = seconds()
        return {column: row[column] for column in self.columns}

    def _value(self, name: str, rows: np.ndarray, text: str, draw: int) -> float:
        """One draw of a score."""
        batch = self.batches[name][draw] if name in self.batches else None
        key = architecture_key(self.seed, text, draw) if name in self.drawn else None
        return self.functions[name](rows, batch, key)

    def _compile(self, rows: np.ndarray) -> None:
        """Compute every score once, where that was not done yet; of another architecture, if this one is constant.

        Rows that begin at the same time wait for it, off the clock.
        """
        with self._compiling:
            if self._compiled or not self.drawn:
                return
            space = self.networks.space
            others = space.sample(64, np.random.default_rng(0))
            some = next((genes for genes in (rows, *others) if not self.networks.is_constant(genes)), rows)
            for name in self.drawn:
                self._value(name, some, space.write(some), 0)
            self._compiled = True

    @property
    def threads(self) -> int:
        """Architectures that are scored at a time (`scoring_threads`); 1 where a score takes all cores by itself."""
        return 1 if any(SCORES[name].on_all_cores for name in self.names) else scoring_threads()

    def rows(self, architectures: Iterable[Architecture], threads: int | None = None) -> Iterator[Row]:
        """A row per architecture, in their order, as soon as it and those before it are finished.

        Args:
            architectures: at most two for each thread are taken before their row is wanted.
            threads: by default `threads`; with one, a row is there before the next architecture is taken.
        """
        wide = jnp.result_type(float) == jnp.float64  # what a context has switched on holds in its own thread only

        def row(architecture: Architecture) -> Row:
            with enable_x64(wide):
                return self.row(architecture)

        return in_order(row, architectures, self.threads if threads is None else threads)


def scoring_threads() -> int:
    """Networks that are worth computing at a time: one for each core, within bounds of memory; one on accelerators."""
    return min(available_cores(), _MOST_AT_ONCE) if jax.default_backend() == "cpu" else 1


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean of at least two draws and its standard error; both infinite where a draw is."""
    if not np.isfinite(values).all():
        return float(np.sum([value for value in values if not np.isfinite(value)])), float("inf")
    return float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5)


def _batch_sizes(names: Sequence[str], given: int | Mapping[str, int] | None) -> dict[str, int]:
    """Images of a batch by score, where a number is given for it."""
    counted = [name for name in names if (recipe := score(name).batch) is not None and recipe.size is not None]
    if given is None:
        return {}
    if isinstance(given, int):
        return dict.fromkeys(counted, given)
    for name in given:
        score(name)  # an unknown one is refused as such
        if name not in names:
            raise InputError(f"a batch size for {name}, which is not among the scores {', '.join(names)}")
        if name not in counted:
            raise InputError(f"{name} has no batch size: it is for {', '.join(counted) or 'none of these scores'}")
    return dict(given)
