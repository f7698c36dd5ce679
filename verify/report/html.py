"""report.html: one self-contained page (styles, formulas and plots inside), made from report.json."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files

from verify.framework.record import Document
from verify.report.formula import formula_svg
from verify.report.papers import by_paper, heading
from verify.report.plots import draw_svg
from verify.report.words import OUTCOMES, expected, number, printable, sentence, verdict_remarks

__all__ = ["html_report"]


def html_report(document: Document) -> str:
    """The run as a page that needs no network and no other file."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(expected=expected, number=number, sentence=sentence)
    environment.globals.update(verdict_remarks=verdict_remarks, heading=heading)
    template = environment.from_string((files("verify.report") / "report.html.j2").read_text(encoding="utf-8"))
    drawn = {claim["id"]: [_drawn(plot) for plot in claim["evidence"]["plots"]] for claim in document["claims"]}
    formulas = {claim["id"]: formula_svg(claim["latex"]) for claim in document["claims"]}
    groups = by_paper(document["claims"], document["papers"])
    return printable(template.render(run=document, groups=groups, plots=drawn, formulas=formulas, outcomes=OUTCOMES))


def _drawn(plot: Mapping[str, object]) -> tuple[str, str]:
    """The title of a plot and its drawing; the reason in its place where a claim's words cannot be set."""
    title = str(plot["title"])
    try:
        return title, draw_svg(plot)
    except Exception as error:  # the boundary that keeps one claim's plot from the page
        return title, f"<p>{escape(f'not drawn: {type(error).__name__}: {error}')}</p>"
