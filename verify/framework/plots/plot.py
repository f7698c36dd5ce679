"""Base of the plots of a report: data that a claim gives, checked there, and drawn where a report is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from verify.framework.checks import text
from verify.framework.errors import EvidenceError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from matplotlib.figure import Figure

__all__ = ["PLOT_WIDTH", "Plot", "blank"]

_T = TypeVar("_T")

PLOT_WIDTH = 4.8
"""Width of a plot in inches: on a phone its words are still read."""


@dataclass(frozen=True)
class Plot:
    """A plot of a kind.

    A subclass has its data as fields, checks them in `_check`, and draws them in `draw`. Attributes:
        kind: the name of the subclass in report.json.
        parts: the fields that are sequences of dataclasses, with their type.
        title: what it shows.

    Raises:
        EvidenceError: data that cannot be drawn.
    """

    kind: ClassVar[str]
    parts: ClassVar[Mapping[str, type]] = {}

    title: str

    def __post_init__(self) -> None:
        text(self.title, "title of a plot")
        try:
            self._check()
        except EvidenceError as error:
            raise EvidenceError(f"plot {self.title!r}: {error}") from error

    def _check(self) -> None:
        """Check the data and make them plain; EvidenceError where they cannot be drawn."""
        raise NotImplementedError

    def draw(self) -> Figure:
        """The drawing."""
        raise NotImplementedError

    def as_record(self) -> dict[str, object]:
        """The plot as plain data: its kind and its fields, without those that have their default."""
        return {"kind": self.kind, **_fields_of(self)}

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """The plot of `as_record`'s data.

        Raises:
            EvidenceError: data that are no plot of this kind.
        """
        fields = {name: value for name, value in record.items() if name != "kind"}
        for name in cls.parts.keys() & fields.keys():
            part, entries = cls.parts[name], fields[name]
            if not isinstance(entries, Sequence):
                raise EvidenceError(f"{name}: expected a sequence, got {type(entries).__name__}")
            fields[name] = tuple(_made(part, entry) for entry in entries)
        return _made(cls, fields)


def _fields_of(value: DataclassInstance) -> dict[str, object]:
    """The fields of a plot or of a part of it, in plain types, without those that have their default."""
    shown = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    default = {field.name: field.default for field in dataclasses.fields(value)}
    return {name: _plain(item) for name, item in shown.items() if item != default[name]}


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields_of(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _made(kind: type[_T], fields: object) -> _T:
    """An instance of a dataclass from its fields by name."""
    names = {field.name: field.default for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    needed = {name for name, default in names.items() if default is dataclasses.MISSING}
    if not isinstance(fields, Mapping) or not needed <= fields.keys() <= names.keys():
        raise EvidenceError(f"{kind.__name__}: expected the fields {', '.join(names)}")
    return kind(**fields)


def blank(width: float, height: float) -> Figure:
    """An empty drawing of that size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
