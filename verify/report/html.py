"""report.html: one self-contained page (styles, formulas and plots inside), made from report.json."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from html import escape
from importlib.resources import files

from nngp_dag.theme.css import stylesheet
from nngp_dag.theme.mathml import mathml
from nngp_dag.theme.notation import typeset
from nngp_dag.theme.palette import VERDICTS
from verify.framework.plots import Captioned, Dags
from verify.framework.record import Document
from verify.report.counts import counted, settings_of
from verify.report.findings import lines, smallest_counterexample, sum_up
from verify.report.order import in_order, short_source
from verify.report.papers import by_paper, heading
from verify.report.plots import draw_svg
from verify.report.words import OUTCOMES, claims_text, expected, number, printable, sentence, verdict_remarks

__all__ = ["html_report"]


def html_report(document: Document) -> str:
    """The run as a page that needs no network and no other file."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        expected=expected, number=number, sentence=sentence, math=typeset, counted=counted, settings=settings_of
    )
    environment.filters.update(short_source=short_source, claims=claims_text)
    environment.globals.update(verdict_remarks=verdict_remarks, verdicts=VERDICTS, outcomes=OUTCOMES, heading=heading)
    groups = by_paper(in_order(document["claims"]), document["papers"])
    papers = [paper for paper, _ in groups if paper is not None]
    found = smallest_counterexample(document["claims"])
    page = environment.from_string(_read("report.html.j2")).render(
        run=document,
        title=papers[0]["title"] if len(papers) == 1 else claims_text(len(document["claims"])),
        papers=papers,
        groups=groups,
        sum_up=sum_up(document),
        lines=lines(document),
        counterexample=found,
        drawn_counterexample=None if found is None else _drawn_dag(found.code),
        plots={claim["id"]: [_drawn(plot) for plot in claim["evidence"]["plots"]] for claim in document["claims"]},
        formulas={claim["id"]: _formula(claim["latex"]) for claim in document["claims"]},
        styles=stylesheet() + _read("report.css") + _chips(),
        script=_read("report.js"),
    )
    return printable(page)


def _chips() -> str:
    """Rules by which a chip that is chosen leaves only the claims of its verdict."""
    rule = partial("body:has(#only-{0}:checked) :is(.claim, nav li):not(.c-{0}) {{ display: none; }}\n".format)
    return "".join(map(rule, VERDICTS))


def _formula(latex: str) -> str | None:
    """A formula drawn; None where it cannot be, or where there is none (the page then shows its source)."""
    try:
        return mathml(latex) if latex else None
    except ValueError:
        return None


def _drawn(plot: Mapping[str, object]) -> tuple[str, str]:
    """The title of a plot and its drawing; the reason in its place where a claim's words cannot be set."""
    title = str(plot["title"])
    try:
        return title, draw_svg(plot)
    except Exception as error:  # the boundary that keeps one claim's plot from the page
        return title, f"<p>{escape(f'not drawn: {type(error).__name__}: {error}')}</p>"


def _drawn_dag(code: str) -> str:
    return draw_svg(Dags(f"DAG {code}", [Captioned(code, "")]).as_record())


def _read(name: str) -> str:
    return (files("verify.report") / name).read_text(encoding="utf-8")
