"""The architectures that are to be scored, each once: from lines of text, drawn at random, or all of a space."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np

from nngp_dag.accuracy import Benchmark
from nngp_dag.errors import InputError
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.support.reading_files import line_text

__all__ = ["ArchitectureSource"]


class ArchitectureSource:
    """Architectures in their space's notation, as they are iterated over; without duplicates.

    Args:
        networks: the space's networks; an architecture that has none is bad.
        lines: text, an architecture per line; blank lines are skipped.
        sample: number of random architectures instead.
        seed: of the sample.
        skip_bad: count lines that cannot be used, and go on.
        benchmark: an architecture that it lacks is bad.

    Without lines or sample: all architectures of the space.

    Attributes:
        total: number of architectures, None where that is not known before.
        bad: number of lines skipped so far because they could not be used.
        duplicates: number of architectures skipped so far because they came before.

    Raises:
        InputError: the space is too large to be scored as a whole; while iterating, a bad line.
    """

    def __init__(
        self,
        networks: SpaceNetworks,
        lines: Iterable[bytes] | None = None,
        sample: int | None = None,
        *,
        seed: int = 0,
        skip_bad: bool = False,
        benchmark: Benchmark | None = None,
    ) -> None:
        self._networks, self._space = networks, networks.space
        self._lines, self._sample, self._seed, self._skip_bad = lines, sample, seed, skip_bad
        self._known: Collection[bytes] | None = None
        if benchmark is not None:
            self._known = {genes.tobytes() for genes in benchmark.architectures}
            self._benchmark = ", ".join(benchmark.sources)
        self.bad = self.duplicates = 0
        self.total: int | None = None
        if lines is None:
            self.total = self._space.num_architectures if sample is None else sample
            if sample is None and len(self._space.cells) > 1:
                raise InputError(f"{self._space.title} is too large to be scored as a whole: give --archs or --sample")

    def __iter__(self) -> Iterator[str]:
        seen: set[bytes] = set()
        for where, genes in self._all():
            if self._known is not None and genes.tobytes() not in self._known:
                self._reject(InputError(f"{where}{self._space.write(genes)} is not in {self._benchmark}"))
            elif genes.tobytes() in seen:
                self.duplicates += 1
            else:
                seen.add(genes.tobytes())
                yield self._space.write(genes)

    def _all(self) -> Iterator[tuple[str, np.ndarray]]:
        """The place that each comes from, as the beginning of a message, and its genes [cells, genes]."""
        if self._lines is not None:
            yield from self._read(self._lines)
        elif self._sample is not None:
            for genes in self._space.sample(self._sample, np.random.default_rng(self._seed)):
                yield "", genes
        else:
            for chunk in self._space.cells_in_chunks():
                for cell in chunk:
                    yield "", cell[None]

    def _read(self, lines: Iterable[bytes]) -> Iterator[tuple[str, np.ndarray]]:
        for number, raw in enumerate(lines, start=1):
            if not raw.strip():
                continue
            try:
                genes = self._space.parse(line_text(raw))
                self._networks.genes(genes)  # some genotypes can be written, but have no network
            except InputError as error:
                self._reject(InputError(f"line {number}: {error}"))
                continue
            yield f"line {number}: ", genes

    def _reject(self, error: InputError) -> None:
        if not self._skip_bad:
            raise error
        self.bad += 1
