"""report.html: one self-contained page (styles, formulas and figures inside), made from report.json."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import verify.report.figures as figures
from verify.report.formula import formula_svg

__all__ = ["html_report"]


def html_report(document: Mapping[str, Any]) -> str:
    """The run as a page that needs no network and no other file."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=_number, sentence=_sentence)
    template = environment.from_string((files("verify.report") / "report.html.j2").read_text(encoding="utf-8"))
    drawn = {
        claim["id"]: [(f["title"], figures.draw_svg(f)) for f in claim["evidence"]["figures"]]
        for claim in document["claims"]
    }
    formulas = {claim["id"]: formula_svg(claim["latex"]) for claim in document["claims"]}
    return template.render(run=document, figures=drawn, formulas=formulas, outcomes=_OUTCOMES)


_OUTCOMES = {True: "true", False: "false", None: "undecided"}


def _number(value: Any) -> str:
    """A table cell: floats with up to five significant digits, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _sentence(value: Any) -> str:
    """A mapping in words: `code 1_11, margin 2`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_number(item)}" for key, item in value.items())
    return str(value)
