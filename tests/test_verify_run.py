"""Runs of the suite: claims that raise, die or hang do not take others down; a killed run resumes; every report."""

import json
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest
from verify_runs import finished, status

from verify.framework.options import Options
from verify.framework.runner import run
from verify.framework.store import NAME
from verify.session import Request, run_session

FOLDER = Path(__file__).parent / "claims_that_misbehave"
NAMES = ("good", "known-false", "surprising", "raises", "without-evidence", "misdrawn", "hangs", "dies")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """The document of a run of all cases in one process, and its folder."""
    out = tmp_path_factory.mktemp("report")
    document = run_session(Request(Options((str(FOLDER),), jobs=1), ",".join(NAMES), out))
    return document, out


def test_what_becomes_of_each_claim(outcome):
    document, _ = outcome
    found = {claim["id"]: (claim["verdict"], claim["as_expected"]) for claim in document["claims"]}
    assert found == {
        "good": ("holds", True),
        "known-false": ("refuted", True),
        "surprising": ("refuted", False),
        "raises": ("crashed", False),
        "without-evidence": ("crashed", False),
        "misdrawn": ("crashed", False),
        "hangs": ("crashed", False),
        "dies": ("crashed", False),
    }
    assert list(found) == list(NAMES)
    assert not document["passed"]
    assert document["summary"] == {"holds": 1, "refuted": 2, "crashed": 5}


def test_a_crash_says_why(outcome):
    reasons = {claim["id"]: claim["error"]["reason"] for claim in outcome[0]["claims"] if claim["error"]}
    assert reasons["raises"].startswith("ZeroDivisionError: of course")
    assert "lacks the number of cases" in reasons["without-evidence"]
    assert reasons["misdrawn"] == "EvidenceError: series 'a': unequal lengths (x 2, y 1)"
    assert reasons["hangs"] == "no verdict after 1 s: stopped"
    assert reasons["dies"] == "the process died (exit status 7)"
    traceback = next(c["error"]["traceback"] for c in outcome[0]["claims"] if c["id"] == "raises")
    assert "cases.py" in traceback


def test_a_malformed_plot_is_the_crash_of_its_claim_alone(outcome):
    """Noticed where the claim makes it: the others go on, and every report is written."""
    document, out = outcome
    verdicts = {claim["id"]: claim["verdict"] for claim in document["claims"]}
    assert (verdicts["misdrawn"], verdicts["good"]) == ("crashed", "holds")
    for name in ("report.json", "report.md", "report.html", "junit.xml", "ctrf.json"):
        assert "unequal lengths" in (out / name).read_text()


def test_report_json_is_strict_and_complete(outcome):
    document, out = outcome

    def refuse(name):
        raise AssertionError(name)

    written = json.loads((out / "report.json").read_text(), parse_constant=refuse)
    assert written == document
    assert written["schema"] == 1
    needed = {"id", "title", "source", "verdict", "expected", "evidence", "seconds", "seed"}
    assert all(needed <= claim.keys() for claim in written["claims"])
    assert written["versions"]["jax"] and written["hardware"]["cores"] >= 1
    assert not (out / NAME).exists()


def test_the_documented_keys_are_those_written(outcome):
    text = (Path(__file__).parents[1] / "docs" / "report-schema.md").read_text()
    documented = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", text, flags=re.M))))
    document, _ = outcome
    claim = document["claims"][0]
    assert document.keys() | claim.keys() | claim["evidence"].keys() == documented


def test_junit(outcome):
    root = ElementTree.fromstring((outcome[1] / "junit.xml").read_text())
    suite = root.find("testsuite")
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "8",
        "failures": "1",
        "errors": "5",
    }
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases["good"] == ["system-out"]
    assert "failure" in cases["surprising"] and "error" in cases["raises"]


# The required fields of CTRF 0.0's schema (ctrf.io), the fields of a test that it knows, and the types of those used.
_TEST_FIELDS = {"name": str, "status": str, "duration": int, "suite": list, "message": str, "trace": str, "tags": list,
                "extra": dict}  # fmt: skip


def test_ctrf(outcome):
    report = json.loads((outcome[1] / "ctrf.json").read_text())
    assert report["reportFormat"] == "CTRF"
    assert re.fullmatch(r"\d+\.\d+\.\d+", report["specVersion"])
    results = report["results"]
    assert results.keys() >= {"tool", "summary", "tests"} and results["tool"]["name"]
    summary = results["summary"]
    assert summary.keys() >= {"tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"}
    assert all(isinstance(value, int) for value in summary.values())
    assert (summary["tests"], summary["passed"], summary["failed"]) == (8, 2, 6)
    assert summary["stop"] >= summary["start"] > 1e12  # milliseconds
    for test in results["tests"]:
        assert {"name", "status", "duration"} <= test.keys() <= _TEST_FIELDS.keys()
        assert all(isinstance(value, _TEST_FIELDS[key]) for key, value in test.items())
        assert test["status"] in {"passed", "failed"}
    assert {test["name"] for test in results["tests"] if test["status"] == "passed"} == {"good", "known-false"}


def test_markdown(outcome):
    text = (outcome[1] / "report.md").read_text()
    assert len(text.encode()) < 1024 * 1024  # what a GitHub step summary takes
    assert "NOT as expected" in text and "- `surprising`: refuted, expected holds" in text
    tables = [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.M)]
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table}) == 1, table[0]


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.external, self.text = [], [], ""

    def handle_starttag(self, tag, attributes):
        if tag not in {"meta", "br", "path", "use", "rect", "img", "link", "line", "circle", "input", "hr"}:
            self.open.append(tag)
        self.external += [v for k, v in attributes if k in {"src", "href"} and not v.startswith("#")]

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data):
        self.text += data


def test_html_needs_no_other_file_and_escapes(outcome):
    page = _Page()
    page.feed((outcome[1] / "report.html").read_text())
    assert not page.open
    assert not page.external
    assert "of course <&>" in page.text and "Not as expected." in page.text


def test_a_killed_run_resumes(tmp_path, monkeypatch, capsys):
    """Kill it when one claim is done and another under way; the first is not run again."""
    gate, out = tmp_path / "gate", tmp_path / "report"
    arguments = ["--claims-dir", str(FOLDER), "--claims", "good,slow", "--jobs", "1", "--out", str(out)]
    monkeypatch.setenv("GATE", str(gate))
    process = subprocess.Popen(
        [sys.executable, "-m", "verify", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while not finished(out, "good") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)  # the worker, which holds the pipes, goes with it
    assert not (out / "report.json").exists()
    gate.touch()
    assert status(["verify", *arguments]) == 0
    said = capsys.readouterr().err
    assert "Resuming: 1 of 2 claims were done." in said
    assert "good:" not in said and "slow: holds" in said
    document = json.loads((out / "report.json").read_text())
    assert document["resumed"] == ["good"]
    assert [claim["verdict"] for claim in document["claims"]] == ["holds", "holds"]
    assert not (out / NAME).exists()


def test_baseline_recorded_then_a_verdict_and_a_value_change(tmp_path, monkeypatch, capsys):
    file = tmp_path / "baseline.json"
    arguments = ["verify", "--claims-dir", str(FOLDER), "--claims", "good,known-false", "--jobs", "1",
                 "--out", str(tmp_path / "out"), "--baseline", str(file)]  # fmt: skip
    assert status([*arguments, "--update-baseline"]) == 0
    recorded = json.loads(file.read_text())
    assert recorded["claims"]["good"]["key_values"]["value"] == {"value": 1.0, "tolerance": 1e-6, "absolute": 0.0}

    monkeypatch.setenv("VALUE", "1.1")
    recorded["claims"]["known-false"]["verdict"] = "holds"
    for claim in recorded["claims"].values():
        claim["figures"] = claim.pop("key_values")  # as earlier baselines call them
    file.write_text(json.dumps(recorded))
    capsys.readouterr()
    assert status(arguments) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "baseline: good: key value 'value' is 1.1, was 1 (moved by 0.1, allowed 1e-06)" in shown
    assert "baseline: known-false: verdict refuted, was holds" in shown
    junit = ElementTree.fromstring((tmp_path / "out" / "junit.xml").read_text())
    assert junit.find("testsuite").get("failures") == "2"


def test_an_idle_process_serves_the_next_call():
    """The properties that the pytest plugin relies on."""
    from verify.framework.catalogue import catalogue
    from verify.framework.claim import select

    options = Options((str(FOLDER),))
    claims = catalogue(options).claims
    workers = []
    try:
        first = run(select(claims, "good"), options, workers=workers)
        pid = workers[0].process.pid
        second = run(select(claims, "known-false"), options, workers=workers)
        assert [first[0]["verdict"], second[0]["verdict"]] == ["holds", "refuted"]
        assert [worker.process.pid for worker in workers] == [pid]
    finally:
        for worker in workers:
            worker.stop()
    assert not workers[0].process.is_alive()
