"""report.html: one self-contained page (styles, formulas and figures inside), made from report.json."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import verify.report.figures as figures
from verify.report.formula import formula_svg
from verify.report.words import OUTCOMES, number, remarks, sentence

__all__ = ["html_report"]


def html_report(document: Mapping[str, Any]) -> str:
    """The run as a page that needs no network and no other file."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=number, sentence=sentence)
    environment.globals.update(remarks=remarks)
    template = environment.from_string((files("verify.report") / "report.html.j2").read_text(encoding="utf-8"))
    drawn = {
        claim["id"]: [(f["title"], figures.draw_svg(f)) for f in claim["evidence"]["figures"]]
        for claim in document["claims"]
    }
    formulas = {claim["id"]: formula_svg(claim["latex"]) for claim in document["claims"]}
    return template.render(run=document, figures=drawn, formulas=formulas, outcomes=OUTCOMES)
