"""Architectures with their accuracies, however they were published; and the builder that readers feed row by row."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, SupportsFloat, TypeVar

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.spaces import PathTotals, Space

__all__ = ["Benchmark", "Builder", "Track", "short_name"]

_T = TypeVar("_T")


_SHORT = {"cifar10": "C-10", "cifar100": "C-100", "imagenet16_120": "IN-16", "imagenet16-120": "IN-16"}


def short_name(dataset: str) -> str:
    """A data set's name, fit for a narrow column."""
    return _SHORT.get(dataset.lower(), dataset)


class Track(Protocol):
    """Shows progress over rows as they are iterated over."""

    def __call__(self, items: Iterable[_T], total: int | None, /) -> Iterable[_T]:
        """The items, unchanged; `total` is how many they are, None where unknown."""


@dataclass(frozen=True)
class Benchmark:
    """Accuracies of A architectures on some data sets.

    Attributes:
        space: the space whose cells they are.
        architectures: genes, [A, cells, genes].
        accuracy: accuracy in percent by data set, float64 [A] each.
        num_bad: rows that were skipped because they could not be read.
        sources: the files.
        cell_name: the cell that is looked at where an architecture has several; by default the first (normal) one.
    """

    space: Space
    architectures: np.ndarray
    accuracy: Mapping[str, np.ndarray]
    num_bad: int = 0
    sources: tuple[str, ...] = ()
    cell_name: str = ""

    def __post_init__(self) -> None:
        if self.cell_name and self.cell_name not in self.space.cells:
            raise InputError(f"unknown cell {self.cell_name!r}: {self.space.title} has {', '.join(self.space.cells)}")

    def __len__(self) -> int:
        return len(self.architectures)

    def cell(self) -> np.ndarray:
        """Genes [A, genes] of the cell that is looked at."""
        return self.architectures[:, self.space.cells.index(self.cell_name) if self.cell_name else 0]

    @cached_property
    def totals(self) -> PathTotals:
        """Path totals of that cell of each architecture."""
        return self.space.totals(self.cell())

    @cached_property
    def parameterised(self) -> np.ndarray:
        """Number of parameterised operations of that cell of each architecture, int64 [A]."""
        return self.space.num_parameterised(self.cell())

    def select(self, mask: np.ndarray) -> Benchmark:
        """The architectures of a mask or index."""
        accuracy = {name: values[mask] for name, values in self.accuracy.items()}
        return replace(self, architectures=self.architectures[mask], accuracy=accuracy)

    def fixed(self, parameterised: int) -> Benchmark:
        """The architectures with so many parameterised operations in that cell; InputError where there is
        none.
        """
        mask = self.parameterised == parameterised
        if not mask.any():
            raise InputError(
                f"no architecture has {parameterised} parameterised operations: the benchmark has"
                f" {self.parameterised.min()} to {self.parameterised.max()}"
            )
        return self.select(mask)


@dataclass
class Builder:
    """Collects the rows of one or more files; says which row is bad, or counts it and goes on.

    Attributes:
        space: the space whose notation the rows use.
        skip_bad: count rows that cannot be used instead of refusing them.
    """

    space: Space
    skip_bad: bool = False
    num_bad: int = 0
    rows: list[np.ndarray] = field(default_factory=list)
    accuracies: list[dict[str, float]] = field(default_factory=list)
    seen: dict[Hashable, str] = field(default_factory=dict)

    def add(self, where: str, architecture: Any, accuracy: Mapping[str, object], variant: Hashable = None) -> None:
        """Add one architecture.

        Args:
            where: the place of the row in its file, for messages.
            architecture: its notation, or what else the space parses.
            accuracy: accuracy in percent by data set.
            variant: what tells apart networks of equal cells (NDS also varies width and depth).

        Raises:
            InputError: an architecture that cannot be read, an accuracy that is no number from 0 to 100, or a
                duplicate.
        """
        try:
            genes = self.space.parse(architecture)
            values = {name: _percent(name, value) for name, value in accuracy.items()}
            key = (genes.tobytes(), variant)
            if key in self.seen:
                raise InputError(f"duplicate of {self.seen[key]}")
            if self.accuracies and self.accuracies[0].keys() != values.keys():
                raise InputError(f"accuracies for {', '.join(values)}, but for {', '.join(self.accuracies[0])} before")
        except InputError as error:
            self.reject(where, error)
            return
        self.seen[key] = where
        self.rows.append(genes)
        self.accuracies.append(values)

    def reject(self, where: str, error: InputError) -> None:
        """Count a bad row, or refuse it with its place."""
        if not self.skip_bad:
            raise InputError(f"{where}: {error}") from None
        self.num_bad += 1

    def build(self, sources: Sequence[str]) -> Benchmark:
        """The benchmark; InputError where no row could be used."""
        if not self.rows:
            raise InputError(f"no usable architecture in {', '.join(sources)} ({self.num_bad} bad rows skipped)")
        accuracy = {name: np.array([row[name] for row in self.accuracies]) for name in self.accuracies[0]}
        return Benchmark(self.space, np.stack(self.rows), accuracy, self.num_bad, tuple(sources))


def _percent(name: str, value: object) -> float:
    try:
        if not isinstance(value, (str, SupportsFloat)):
            raise TypeError
        if isinstance(value, str) and not (value.isascii() and "_" not in value):  # as Python's own numbers may be
            raise ValueError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"the accuracy on {name} is no number: {str(value)[:40]!r}") from None
    if not math.isfinite(number):
        raise InputError(f"the accuracy on {name} is {value}")
    if not 0 <= number <= 100:
        raise InputError(f"the accuracy on {name} is {number:g}, not a percentage from 0 to 100")
    return number
