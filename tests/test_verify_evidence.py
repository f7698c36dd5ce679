"""Evidence is checked where a claim makes it: plots, tables, findings, key values that cannot be shown are errors."""

import json
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest

from verify import Captioned, Dags, Evidence, EvidenceError, Finding, KeyValue, Lines, Matrix, Points, Series, Table
from verify.framework.errors import reason_of
from verify.framework.record import evidence_record

ONE = Series("a", [1, 2], [1, 2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Series("a", [1, 2], [1]), r"series 'a': unequal lengths \(x 2, y 1\)"),
        (lambda: Series("a", [1], [1], low=[1, 2], high=[1, 2]), "unequal lengths"),
        (lambda: Series("a", [1], [1], low=[1]), "a band has both"),
        (lambda: Series("a", [[1, 2]], [1]), "series 'a', x: expected a number, got list"),
        (lambda: Series("a", np.ones((2, 2)), [1, 2]), "expected a number, got list"),
        (lambda: Series("a", [1], ["1"]), "series 'a', y: expected a number, got str"),
        (lambda: Series("a", [True], [1]), "expected a number, got bool"),
        (lambda: Series("a", 3, [1]), "expected a sequence of numbers, got int"),
        (lambda: Series("a", "12", [1, 2]), "expected a sequence of numbers, got str"),
        (lambda: Series(3, [1], [1]), "label of a series: expected text, got int"),
        (lambda: Lines("t", [{"label": "a", "x": [1], "y": [1]}]), "plot 't': series: expected Series, got dict"),
        (lambda: Lines("t", ONE), "series: expected a sequence of Series"),
        (lambda: Lines("t", [ONE], yscale="logarithmic"), "unknown yscale 'logarithmic': accepted are linear"),
        (lambda: Lines("t", [Series("a", [1, math.nan], [1, 2])]), "series 'a': an undefined x"),
        (lambda: Lines("t", [ONE], ylim=[1]), "ylim: expected two numbers"),
        (lambda: Lines("t", [ONE], ylim=[0, math.inf]), "ylim: expected two numbers"),
        (lambda: Lines("t", [ONE], x=3), "label of x: expected text"),
        (lambda: Lines(None, [ONE]), "title of a plot: expected text"),
        (lambda: Points("t", [Series("a", [1], [1], low=[1], high=[1])]), "points have no band"),
        (lambda: Dags("t", [("2", "words")]), "dags: expected Captioned, got tuple"),
        (lambda: Dags("t", [Captioned("2_9", "words")]), "plot 't': .*2_9"),
        (lambda: Dags("t", [Captioned("2", None)]), "caption of '2': expected text"),
        (lambda: Matrix("t", [[1, 2]], ["a"], ["b"]), r"values are not \[1\]\[1\]"),
        (lambda: Matrix("t", [[1], [2]], ["a"], ["b"]), r"values are not \[1\]\[1\]"),
        (lambda: Matrix("t", [[math.nan]], ["a"], ["b"]), "no value is defined"),
        (lambda: Matrix("t", [[-1.0]], ["a"], ["b"], scale="log"), "no value is positive"),
        (lambda: Matrix("t", [[1.0]], ["a"], ["b"], scale="symlog"), "unknown scale 'symlog'"),
        (lambda: Table("t", ["a", "b"], [[1, 2], [3]]), r"table 't': row 2 has not one cell per column \(2\)"),
        (lambda: Table("t", ["a"], [[{1, 2}]]), "table 't': .*set"),
        (lambda: Table("t", "ab", [[1, 2]]), "columns are a sequence of text"),
        (lambda: Finding("yes"), "holds: expected True, False or None, got str"),
        (lambda: Finding(1), "holds: expected True, False or None, got int"),
        (lambda: Finding(True, cases=1.5), "cases: expected a whole number"),
        (lambda: Finding(True, worst="small"), "worst: expected a number, got str"),
        (lambda: Finding(True, method=("exact",)), "method: expected text, got tuple"),
        (lambda: Finding(False, counterexample="2_02"), "counterexample: expected a mapping, got str"),
        (lambda: KeyValue("1"), "a key value: expected a number, got str"),
        (lambda: KeyValue(1.0, tolerance=-1e-3), "tolerance of a key value: expected a number of at least 0"),
        (lambda: KeyValue(1.0, absolute=math.nan), "absolute of a key value: expected a number of at least 0"),
        (lambda: Evidence([True], "s"), "findings: expected Finding, got bool"),
        (lambda: Evidence([], None), "summary: expected text"),
        (lambda: Evidence([], "s", plots=[{"kind": "lines"}]), "plots: expected Plot, got dict"),
        (lambda: Evidence([], "s", tables=[{"title": "t"}]), "tables: expected Table, got dict"),
        (lambda: Evidence([], "s", key_values={"a": 1.0}), "key_values: expected KeyValue, got float"),
        (lambda: Evidence([], "s", key_values=[KeyValue(1)]), "key_values: expected a mapping"),
        (lambda: Evidence([], "s", notes="one"), "notes: expected a sequence of str"),
        (lambda: Evidence([], "s", inside={"a": object()}), "inside: .*object"),
        (lambda: Evidence([], "s", certificates=[{"boxes": object()}]), "certificates: .*object"),
    ],
)  # fmt: skip
def test_evidence_that_cannot_be_shown_is_refused_where_it_is_made(make, message):
    with pytest.raises(EvidenceError, match=message):
        make()


def test_numbers_of_numpy_are_made_plain_and_undefined_ones_null():
    series = Series("a", np.arange(3), np.array([1.0, np.nan, np.inf]), low=[1, 2, 3], high=(2, 3, Fraction(7, 2)))
    assert (series.x, series.y, series.high) == ((0, 1, 2), (1.0, None, None), (2, 3, 3.5))
    assert Table("t", ["a", "b"], [[np.float64(2.0), math.nan]]).rows == ((2.0, None),)
    finding = Finding(np.bool_(True), cases=np.int64(3), worst=np.float32(0.5), tolerance=math.inf)
    assert (finding.holds, finding.cases, finding.worst, finding.tolerance) == (True, 3, 0.5, None)


def test_a_plot_may_be_empty():
    """A claim that comes out otherwise than expected may have nothing to draw: its verdict counts, not its plot."""
    for plot in (Lines("t", []), Points("t", []), Dags("t", [])):
        assert plot.draw().axes is not None


def test_evidence_becomes_strict_json_of_its_parts():
    evidence = Evidence(
        [Finding.agreement(0.0, tolerance=1e-9, cases=2, method="exact", label="a")],
        "s",
        inside={"rho": np.float64(0.5)},
        tables=[Table("t", ["a"], [[math.nan]])],
        plots=[Lines("p", [ONE], x="rho")],
        key_values={"k": KeyValue(np.int64(2), 0)},
        notes=["n"],
    )
    record = evidence_record(evidence)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    (reading,) = record["readings"]
    assert (reading["name"], reading["holds"], reading["cases"]) == ("exact, relu (a)", True, 2)
    assert record["tables"] == [{"title": "t", "columns": ["a"], "rows": [[None]]}]
    series = [{"label": "a", "x": [1, 2], "y": [1, 2]}]
    assert record["plots"] == [{"kind": "lines", "title": "p", "series": series, "x": "rho"}]
    assert record["key_values"] == {"k": {"value": 2, "tolerance": 0, "absolute": 0.0}}
    assert record["inside"] == {"rho": 0.5}


class _Text(str):
    """A string that means something in one process alone."""

    def __reduce__(self):
        raise TypeError("not to be sent")


def test_what_json_or_another_process_cannot_hold_is_the_mistake_of_its_claim():
    with pytest.raises(EvidenceError, match="more than 4,300 digits"):
        Evidence([], "s", inside={"a": 10**5000})
    evidence = Evidence([], "s", inside={"a": _Text("words")}, notes=[_Text("note")])
    assert pickle.loads(pickle.dumps(evidence_record(evidence)))["inside"] == {"a": "words"}


def test_an_exception_without_a_message_to_be_had_has_its_type():
    class Silent(Exception):
        def __str__(self):
            raise RuntimeError("none")

    assert (reason_of(Silent()), reason_of(ValueError("why"))) == ("Silent", "ValueError: why")
