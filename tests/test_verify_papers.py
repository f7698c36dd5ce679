"""Claims of several papers: named by `@claim(paper=...)`, chosen by `--paper`, and grouped by it in every report."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from verify_runs import claim_text, status

from nngp_dag.errors import InputError
from verify import Paper, claim
from verify.framework.claim import discover, papers_of, registry, select
from verify.papers import CONNECTIVITY

ANOTHER = """
from verify import Paper

PAPER = Paper("another", "Another Paper & <Its Title>", "Nobody, nowhere 2026", "https://example.org/another")
"""


def _claim(name: str, paper: str = "") -> str:
    """A claims file with one claim, of a paper that is an expression in its text."""
    text = claim_text(name, before=ANOTHER)
    return text.replace(f"@claim({name!r}, ", f"@claim({name!r}, paper={paper}, ") if paper else text


@pytest.fixture
def folder(tmp_path):
    """Claims of another paper, and one of none."""
    place = tmp_path / "claims"
    place.mkdir()
    (place / "of_another.py").write_text(_claim("another-1", "PAPER"))
    (place / "of_none.py").write_text(_claim("lonely"))
    return place


def test_every_claim_of_this_project_names_its_paper():
    claims = discover()
    own = [item for item in claims.values() if item.module.startswith("verify.claims.")]
    assert all(item.paper is not None for item in own), [item.id for item in own if item.paper is None]
    assert papers_of(own)[0] == CONNECTIVITY


def test_a_paper_chooses_its_claims_among_those_that_are_named():
    claims = discover()
    chosen = select(claims, None, "connectivity")
    assert chosen == [item for item in claims.values() if item.paper == CONNECTIVITY]
    assert [item.id for item in select(claims, "eq-12,dag-1", "connectivity")] == ["eq-12", "dag-1"]
    with pytest.raises(InputError, match="unknown paper 'nope': accepted are connectivity"):
        select(claims, None, "nope")
    others = {**claims, "x": claims["dag-1"].__class__(**{**vars(claims["dag-1"]), "paper": Paper("p", "t", "r")})}
    with pytest.raises(InputError, match="none of the claims x is of paper connectivity"):
        select(others, "x", "connectivity")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "Not Good"}, "name of a paper 'Not Good'"),
        ({"name": 3}, "name of a paper 3"),
        ({"title": None}, "paper p: title must be text"),
        ({"url": "javascript:alert(1)"}, "paper p: its url starts with https://"),
        ({"open": ["a statement"]}, "paper p: what is open must be pairs of texts"),
        ({"open": [("a", 3)]}, "paper p: what is open must be pairs of texts"),
    ],
)
def test_malformed_papers_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        Paper(**{"name": "p", "title": "t", "reference": "r", **fields})


def test_claims_with_no_paper_for_a_paper_or_one_of_a_name_that_is_taken_are_refused():
    words = {"title": "t", "source": "s", "statement": "s", "expected": "holds"}
    discover()
    for paper, message in (("connectivity", "paper must be a Paper"), (Paper("connectivity", "x", "y"), "is named")):
        with pytest.raises(InputError, match=message):
            claim("of-a-test", paper=paper, **words)(lambda context: None)
    assert "of-a-test" not in registry


def test_reports_group_claims_by_paper(folder, tmp_path, capsys):
    out = tmp_path / "out"
    run = ["verify", "--claims-dir", str(folder), "--out", str(out), "--jobs", "1"]
    assert status([*run, "--claims", "lonely,another-1"]) == 0
    printed = capsys.readouterr().out
    report = json.loads((out / "report.json").read_text())
    assert [(item["id"], item["paper"]) for item in report["claims"]] == [("lonely", None), ("another-1", "another")]
    assert [paper["name"] for paper in report["papers"]] == ["another"]
    title = "Another Paper & <Its Title> (Nobody, nowhere 2026)"
    escaped = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    places = [printed.index(words) for words in (title, "another-1", "Claims of no paper", "lonely")]
    assert places == sorted(places)
    for name in ("report.md", "report.html"):
        text = (out / name).read_text()
        text = text[text.index("<main") :] if "<main" in text else text
        places = [text.index(words) for words in (escaped, "another-1", "Claims of no paper", "lonely")]
        assert places == sorted(places), name
    assert 'href="https://example.org/another"' in (out / "report.html").read_text()
    cases = ElementTree.fromstring((out / "junit.xml").read_text()).iter("testcase")
    assert {case.get("name"): case.get("classname") for case in cases} == {
        "another-1": "verify.another",
        "lonely": "verify",
    }
    tests = json.loads((out / "ctrf.json").read_text())["results"]["tests"]
    assert {test["name"]: test["suite"] for test in tests} == {"another-1": ["verify", "another"], "lonely": ["verify"]}

    assert status([*run, "--paper", "another"]) == 0
    report = json.loads((out / "report.json").read_text())
    assert report["selection"] == ["another-1"] and [item["id"] for item in report["claims"]] == ["another-1"]


def test_the_list_of_claims_names_their_papers(folder, capsys):
    assert status(["verify", "--list", "--claims-dir", str(folder)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Paper connectivity: Deep Architecture" in printed and "Paper another: Another Paper & <Its" in printed
    assert status(["verify", "--list", "--json", "--paper", "another", "--claims-dir", str(folder)]) == 0
    assert [(item["id"], item["paper"]) for item in json.loads(capsys.readouterr().out)] == [("another-1", "another")]


def test_a_file_whose_paper_has_the_name_of_another_is_broken_alone(folder, capsys):
    (folder / "wrong.py").write_text(_claim("wrong", 'Paper("connectivity", "Another title", "r")'))
    assert status(["verify", "--list", "--claims-dir", str(folder)]) == 1
    shown = capsys.readouterr()
    assert "another paper is named connectivity" in shown.err and "another-1" in shown.out


def test_the_evidence_of_some_claims_takes_the_place_of_their_own(tmp_path):
    from docs.claims import record

    evidence = json.loads((Path(__file__).parents[1] / "docs" / "evidence.json").read_text())
    target = tmp_path / "evidence.json"
    target.write_text(json.dumps(evidence))
    assert status(["verify", "--claims", "definition-4.1", "--out", str(tmp_path / "out"), "--jobs", "1"]) == 0
    path = tmp_path / "out" / "report.json"
    document = json.loads(path.read_text())
    document["versions"] = evidence["versions"]
    document["claims"][0]["evidence"]["summary"] = "another summary"
    path.write_text(json.dumps(document))
    record(path, target)
    merged = json.loads(target.read_text())
    assert merged["claims"].keys() == evidence["claims"].keys()
    changed = [name for name, item in merged["claims"].items() if item != evidence["claims"][name]]
    assert changed == ["definition-4.1"] and merged["started"] == evidence["started"]
    path.write_text(json.dumps({**document, "seed": 1}))
    with pytest.raises(InputError, match="is of other seed"):
        record(path, target)
