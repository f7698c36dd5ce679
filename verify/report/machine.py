"""JUnit XML and CTRF JSON (ctrf.io), for the test dashboards of a CI: one test a claim, passed where its verdict is the
expected one.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from datetime import datetime

import nngp_dag
from verify.framework.record import ClaimRecord, Document
from verify.report.words import printable

__all__ = ["ctrf_report", "junit_report"]


def _differences(document: Document) -> dict[str, list[str]]:
    baseline = document["baseline"]
    return {} if baseline is None else dict(baseline["by_claim"])


def _failure(claim: ClaimRecord, differences: Mapping[str, list[str]]) -> str:
    reasons = [] if claim["as_expected"] else [f"verdict {claim['verdict']}, expected {claim['expected']}"]
    return "; ".join([*reasons, *differences.get(claim["id"], [])])


def _suite(claim: ClaimRecord) -> list[str]:
    """The suite of a claim, and in it that of its paper."""
    return ["verify"] if claim["paper"] is None else ["verify", claim["paper"]]


def junit_report(document: Document) -> str:
    """The run as JUnit XML: a crashed claim is an error, another verdict than expected (or than the baseline's) a
    failure.
    """
    differences = _differences(document)
    suite = ElementTree.Element(
        "testsuite", name="nngp-dag verify", timestamp=document["started"], time=str(document["seconds"])
    )
    failures = errors = 0
    for claim in document["claims"]:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=".".join(_suite(claim)),
            name=printable(claim["id"]),
            time=str(claim["seconds"]),
        )
        reason = _failure(claim, differences)
        if claim["error"] is not None:
            errors += 1
            element = ElementTree.SubElement(case, "error", message=printable(claim["error"]["reason"]))
            element.text = printable(claim["error"]["traceback"])
        elif reason:
            failures += 1
            ElementTree.SubElement(case, "failure", message=printable(reason))
        ElementTree.SubElement(case, "system-out").text = printable(
            f"{claim['verdict']}: {claim['evidence']['summary']}"
        )
    absent = [(name, lines) for name, lines in differences.items() if name not in {c["id"] for c in document["claims"]}]
    for name, lines in absent:
        failures += 1
        case = ElementTree.SubElement(suite, "testcase", classname="verify", name=printable(name), time="0")
        ElementTree.SubElement(case, "failure", message=printable("; ".join(lines)))
    suite.set("tests", str(len(document["claims"]) + len(absent)))
    suite.set("failures", str(failures))
    suite.set("errors", str(errors))
    suite.set("skipped", "0")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def ctrf_report(document: Document) -> dict[str, object]:
    """The run in the Common Test Report Format."""
    differences = _differences(document)
    start = int(datetime.fromisoformat(document["started"]).timestamp() * 1000)
    tests = []
    for claim in document["claims"]:
        reason = claim["error"]["reason"] if claim["error"] else _failure(claim, differences)
        test = {
            "name": printable(claim["id"]),
            "status": "failed" if reason else "passed",
            "duration": round(claim["seconds"] * 1000),
            "suite": _suite(claim),
            "message": printable(reason or claim["evidence"]["summary"]),
            "tags": [claim["verdict"]],
            "extra": {"verdict": claim["verdict"], "expected": claim["expected"], "source": printable(claim["source"])},
        }
        if claim["error"]:
            test["trace"] = printable(claim["error"]["traceback"])
        tests.append(test)
    for name in differences.keys() - {claim["id"] for claim in document["claims"]}:
        tests.append(
            {
                "name": name,
                "status": "failed",
                "duration": 0,
                "suite": ["verify"],
                "message": "; ".join(differences[name]),
            }
        )
    failed = sum(test["status"] == "failed" for test in tests)
    return {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "results": {
            "tool": {"name": "nngp-dag verify", "version": nngp_dag.__version__},
            "summary": {
                "tests": len(tests),
                "passed": len(tests) - failed,
                "failed": failed,
                "pending": 0,
                "skipped": 0,
                "other": 0,
                "start": start,
                "stop": start + round(document["seconds"] * 1000),
            },
            "tests": tests,
            "environment": {"appName": "nngp-dag", "extra": {**document["versions"], **document["hardware"]}},
        },
    }
