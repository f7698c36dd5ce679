"""The DAG filter of Section 5.3 as searches use it, in the forms that a command line names.

`none`; `half-radius`: the paper's rule; four numbers: a box of one's own; `released`: what the authors' released code
does, which is a box for NAS-WOT (and here for FP-NAS), and a rule without a box for TE-NAS.
"""

from __future__ import annotations

from dataclasses import dataclass

from nngp_dag.accuracy.filters import AUTHORS_BOX
from nngp_dag.errors import InputError, unknown
from nngp_dag.spaces import Box, Space
from nngp_dag.spaces.prefilter import Prefilter, prefilter

__all__ = ["FORMS", "RELEASED", "SearchFilter", "make_filter"]

FORMS = ("half-radius", "released", "none")
"""Names of filters; four numbers DMIN,DMAX,MMIN,MMAX and `radius:SHARE` are accepted too."""

RELEASED: dict[str, tuple[Box, tuple[str, ...] | None]] = {
    "nasbench201": (AUTHORS_BOX["nasbench201"], None),
    "darts": (Box.make("0.5", "1.6", "4", "12"), ("normal",)),
}
"""The released code's boxes, and the cells that it looks at."""


@dataclass(frozen=True, eq=False)
class SearchFilter:
    """A filter by name.

    Attributes:
        name: as it was asked for.
        predicate: whether an architecture passes; None for no filter.
    """

    name: str
    predicate: Prefilter | None

    @property
    def released(self) -> bool:
        """True for the released code's form."""
        return self.name == "released"


def make_filter(text: str, space: Space) -> SearchFilter:
    """The filter that `text` names, for a space.

    Args:
        text: `none`, `half-radius`, `radius:SHARE`, `released`, or `dmin,dmax,mmin,mmax`.
        space: the space; its exact range gives centre and radius.

    Raises:
        InputError: another text, or numbers that are no range.
    """
    if text == "none":
        return SearchFilter(text, None)
    if text == "half-radius":
        return SearchFilter(text, prefilter(space))
    if text.startswith("radius:"):
        return SearchFilter(text, prefilter(space, text.removeprefix("radius:")))
    if text == "released":
        if space.name not in RELEASED:
            raise InputError(f"the released code has no box for {space.title}")
        box, cells = RELEASED[space.name]
        return SearchFilter(text, Prefilter(space, box, cells))
    if "," in text:
        return SearchFilter(text, prefilter(space, ranges=[part.strip() for part in text.split(",")]))
    raise unknown("filter", text, f"{', '.join(FORMS)}, radius:SHARE, or DMIN,DMAX,MMIN,MMAX")
