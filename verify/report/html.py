"""report.html: one self-contained page (styles, formulas and plots inside), made from report.json."""

from __future__ import annotations

from importlib.resources import files

from verify.framework.record import Document
from verify.report.formula import formula_svg
from verify.report.plots import draw_svg
from verify.report.words import OUTCOMES, number, sentence, verdict_remarks

__all__ = ["html_report"]


def html_report(document: Document) -> str:
    """The run as a page that needs no network and no other file."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=number, sentence=sentence)
    environment.globals.update(verdict_remarks=verdict_remarks)
    template = environment.from_string((files("verify.report") / "report.html.j2").read_text(encoding="utf-8"))
    drawn = {
        claim["id"]: [(plot["title"], draw_svg(plot)) for plot in claim["evidence"]["plots"]]
        for claim in document["claims"]
    }
    formulas = {claim["id"]: formula_svg(claim["latex"]) for claim in document["claims"]}
    return template.render(run=document, plots=drawn, formulas=formulas, outcomes=OUTCOMES)
