"""Papers that state claims: a short name, by which the command line and reports group, and how each is cited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from nngp_dag.errors import InputError

__all__ = ["Paper"]


@dataclass(frozen=True)
class Paper:
    """A paper, or any other text that states claims.

    Attributes:
        name: what `--paper` takes, and `paper` of a claim in a report says.
        title: its title, the heading of its claims.
        reference: who wrote it, where and when.
        url: where it is to be read; empty where it is nowhere.
        open: what it states and no claim here tries, each with the reason, for the pages.

    Raises:
        InputError: a malformed name, or a field of another type.
    """

    name: str
    title: str
    reference: str
    url: str = ""
    open: Sequence[tuple[str, str]] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise InputError(f"name of a paper {self.name!r}: lower-case letters and digits, joined by -")
        for part in fields(self)[1:4]:
            if not isinstance(getattr(self, part.name), str):
                raise InputError(f"paper {self.name}: {part.name} must be text")
        if self.url and not re.match(r"https?://", self.url):
            raise InputError(f"paper {self.name}: its url starts with https://, got {self.url[:60]!r}")
        pairs = tuple(tuple(pair) if isinstance(pair, (list, tuple)) else () for pair in self.open)
        if not all(len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in pairs):
            raise InputError(f"paper {self.name}: what is open must be pairs of texts, a statement and a reason")
        object.__setattr__(self, "open", pairs)  # of a list, as JSON has it, pairs again
