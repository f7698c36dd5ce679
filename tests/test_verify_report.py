"""Reports for people: plots of every kind, formulas, and verdicts on a terminal of 80 columns."""

import io
import json
import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import numpy as np
import pytest
from rich.console import Console

from nngp_dag.theme.mathml import mathml
from verify import Captioned, Dags, Evidence, EvidenceError, Lines, Matrix, Plot, Points, Series
from verify.framework.claim import discover
from verify.framework.plots import KINDS, plot_of
from verify.framework.plots.plot import blank
from verify.framework.verdict import Verdict
from verify.papers import CONNECTIVITY
from verify.report.document import paper_record
from verify.report.plots import draw_svg
from verify.report.terminal import print_document
from verify.report.words import verdict_remarks

PLOTS = {
    "lines": Lines(
        "a plot of lines",
        [
            Series("a", [1, 2, 3], [1.0, math.nan, 4.0], low=[1, None, 1], high=[2, None, 4]),
            Series("b", np.array([1, 2]), np.array([2.0, 1.0])),
        ],
        x="step",
        yscale="log",
        ylim=(0.5, 5),
    ),
    "points": Points("a plot of points", [Series("a", [1, 2, math.inf], [2, 1, 1])], y="ratio"),
    "dags": Dags("a plot of dags", [Captioned("2_21_112", "DAG#3"), Captioned("1_11", "two\nlines")]),
    "matrix": Matrix("a plot of a matrix", [[0.0, 1e-3], [math.nan, 10.0]], ["p", "q"], ["r", "s"], scale="log"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_plot_is_drawn_the_same_each_time_from_its_record(kind):
    record = json.loads(json.dumps(PLOTS[kind].as_record(), allow_nan=False))
    assert record["kind"] == kind
    assert plot_of(record) == PLOTS[kind]
    svg = draw_svg(record)
    assert svg == draw_svg(record)
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    words = {"lines": "step", "points": "ratio", "dags": "DAG#3", "matrix": "q"}[kind]
    assert f">{words}<" in svg
    ids = re.findall(r'id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in re.findall(r'href="(#[^"]+)"', svg)} <= set(ids)


def test_the_record_of_a_plot_leaves_out_what_has_its_default():
    assert PLOTS["points"].as_record() == {
        "kind": "points",
        "title": "a plot of points",
        "series": [{"label": "a", "x": [1, 2, None], "y": [2, 1, 1]}],
        "y": "ratio",
    }


def test_two_plots_share_a_page_without_sharing_ids():
    a, b = (draw_svg({**PLOTS["lines"].as_record(), "title": title}) for title in "ab")
    assert not set(re.findall(r'id="([^"]+)"', a)) & set(re.findall(r'id="([^"]+)"', b))


@dataclass(frozen=True)
class _Words(Plot):
    kind = "words"

    words: str

    def _check(self):
        if not self.words:
            raise EvidenceError("nothing to write")

    def draw(self):
        drawn = blank(2, 1)
        drawn.text(0.5, 0.5, self.words)
        return drawn


def test_a_new_kind_of_plot_is_its_class_and_an_entry(monkeypatch):
    monkeypatch.setitem(KINDS, "words", _Words)
    record = Evidence([], "s", plots=[_Words("a title", "hello")]).plots[0].as_record()
    assert record == {"kind": "words", "title": "a title", "words": "hello"}
    assert ">hello<" in draw_svg(record)
    with pytest.raises(EvidenceError, match="plot 'a title': nothing to write"):
        draw_svg({**record, "words": ""})


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"kind": "pie", "title": "t"}, "unknown kind of plot 'pie': accepted are lines"),
        ({"title": "t"}, "unknown kind of plot None"),
        ({"kind": "lines", "title": "t"}, "Lines: expected the fields title, series"),
        ({"kind": "lines", "title": "t", "series": [{"label": "a"}]}, "Series: expected the fields label, x, y"),
        ({"kind": "dags", "title": "t", "dags": 3}, "dags: expected a sequence"),
        ({"kind": "points", "title": "t", "series": [], "colour": "red"}, "Points: expected the fields"),
    ],
)
def test_records_that_are_no_plot_are_refused(record, message):
    with pytest.raises(EvidenceError, match=message):
        draw_svg(record)


def test_the_formula_of_every_claim_can_be_set():
    shown = {claim.id: mathml(claim.latex) for claim in discover().values() if claim.latex}
    assert len(shown) > 15
    for name, formula in shown.items():
        unread = [text for text in ElementTree.fromstring(formula).itertext() if "\\" in text]
        assert not unread, f"{name}: {unread}"


def _claim(**changes):
    evidence = {"summary": "word " * 200}
    return {
        "id": "order-dag-123-scale-free",
        "paper": "connectivity",
        "source": "Section 3.3, after Eq. 11, with the scale taken out of it",
        "verdict": "holds-conditionally",
        "expected": "holds-conditionally",
        "as_expected": True,
        "seconds": 123.4,
        "evidence": evidence,
        "error": None,
        **changes,
    }


def test_verdicts_fit_eighty_columns_and_evidence_three_lines():
    claims = [_claim(), _claim(id="eq-12", verdict="crashed", as_expected=False, error={"reason": "[odd] reason"})]
    document = {
        "claims": claims,
        "papers": [paper_record(CONNECTIVITY)],
        "seconds": 1.0,
        "summary": {"crashed": 1, "holds-conditionally": 1},
        "unexpected": [{"id": "eq-12", "verdict": "crashed", "expected": "holds-conditionally"}],
        "baseline": {"file": "b.json", "differences": ["eq-12: gone [x]"], "new": ["another"]},
        "passed": False,
    }
    stream = io.StringIO()
    print_document(document, Console(file=stream, width=80))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("Deep Architecture Connectivity") and lines[0].endswith("…")
    assert [line.startswith("  ") for line in lines[1:6]] == [False, True, True, True, False]
    assert lines[4].endswith("…")
    text = stream.getvalue()
    for words in ("[odd] reason", "expected holds-conditionally", "baseline: eq-12: gone [x]", "Not in the baseline"):
        assert words in text
    assert lines[-1] == "Not as expected."


def test_a_verdict_shows_what_belongs_to_it():
    """Claims give what another verdict would need, too: a claim that holds shows no counterexample."""
    keys = ("condition", "inside", "outside", "counterexample", "would_decide")
    labels = {
        verdict: [label for label, _ in verdict_remarks(verdict, dict.fromkeys(keys, "x"))] for verdict in Verdict
    }
    assert labels[Verdict.HOLDS] == labels[Verdict.CERTIFIED] == []
    assert labels[Verdict.REFUTED] == ["condition", "counterexample"]
    assert labels[Verdict.CONDITIONAL] == ["condition", "case inside", "case outside"]
    assert labels[Verdict.INCONCLUSIVE] == ["what would decide it"]
    assert verdict_remarks("refuted", dict.fromkeys(keys)) == []
