"""Claims files that exit, raise, hang or register nothing: said, reported, and never a run that passes."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from verify_runs import claim_text, status

from nngp_dag.errors import InputError
from verify.framework import catalogue as catalogues
from verify.framework.catalogue import catalogue
from verify.framework.declared import declared_claims
from verify.framework.options import Options

FILES = {
    "exits.py": "import sys\nsys.exit(0)\n",
    "ends.py": "import os\nos._exit(0)\n",
    "stops.py": "raise KeyboardInterrupt\n",
    "odd.py": "class Odd(BaseException): ...\n\nraise Odd('of course')\n",
    "torn.py": "def f(:\n",
    "asks.py": "import nothing_of_that_name\n",
    "half.py": claim_text("half") + "\n1 / 0\n",
    "takes.py": claim_text("definition-4.1"),
    "untitled.py": claim_text("Not An Identifier"),
    "waits.py": "import time\ntime.sleep(600)\n",
    "good.py": claim_text("good", before="print('noise on stdout')"),
    "nothing.py": "x = 1\n",
    "_helper.py": "raise SystemError\n",
}
REASONS = {
    "exits.py": "SystemExit: 0",
    "ends.py": "importing it ended the process (exit status 0)",
    "stops.py": "KeyboardInterrupt: ",
    "odd.py": "Odd: of course",
    "torn.py": "SyntaxError: invalid syntax",
    "asks.py": "ModuleNotFoundError: No module named 'nothing_of_that_name'",
    "half.py": "ZeroDivisionError: division by zero",
    "takes.py": "claim definition-4.1 is defined twice: in ",
    "untitled.py": "InputError: claim identifier 'Not An Identifier'",
    "waits.py": "not imported after 5 s: stopped",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with claims files of every kind."""
    path = tmp_path_factory.mktemp("claims")
    for name, text in FILES.items():
        (path / name).write_text(text)
    return path


@pytest.fixture(scope="module")
def found(folder):
    """The claims found in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogues, "IMPORT_SECONDS", 5.0)
        return catalogue(Options((str(folder),)))


def test_every_broken_file_is_named_with_its_reason(found, folder):
    reasons = {file.id: file.reason for file in found.broken}
    assert reasons.keys() == REASONS.keys()
    assert {name for name, reason in REASONS.items() if not reasons[name].startswith(reason)} == set()
    assert all(file.path == str(folder / file.id) for file in found.broken)
    assert "half.py" in next(file.traceback for file in found.broken if file.id == "half.py")


def test_claims_of_other_files_are_there_and_of_broken_ones_not(found, folder):
    assert "good" in found.claims and "half" not in found.claims
    assert found.claims["definition-4.1"].module == "verify.claims.definition_4_1"
    assert found.empty == [str(folder / "nothing.py")]


def test_selecting_beside_broken_files_fails_for_them_and_not_for_a_claim_that_may_be_theirs(found, capsys):
    assert [claim.id for claim in found.select("good, half")] == ["good"]
    assert capsys.readouterr().err.startswith("nngp-dag: no claim half: unless in ")
    assert found.select("half") == []
    with pytest.raises(InputError):
        found.select(" , ")


def test_files_of_one_name_are_told_apart(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.py").write_text("1 / 0")
    found = catalogue(Options((str(tmp_path / "one"), str(tmp_path / "two"))))
    assert [file.id for file in found.broken] == ["same.py", "two/same.py"]


def test_folders_without_claims_are_refused(tmp_path):
    def look(path):
        with pytest.raises(InputError) as error:
            catalogue(Options((str(path),)))
        return str(error.value)

    assert "holds no *.py file" in look(tmp_path)
    assert "does not exist" in look(tmp_path / "gone")
    (tmp_path / "nothing.py").write_text("")
    assert "registers no claim" in look(tmp_path)


def test_an_identifier_is_taken_once(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(claim_text("twice"))
    found = catalogue(Options((str(tmp_path),)))
    one, two = str(tmp_path / "one.py"), str(tmp_path / "two.py")
    assert found.claims["twice"].path == one
    (broken,) = found.broken
    assert broken.path == two and broken.reason.endswith(f"claim twice is defined twice: in {one} and in {two}")


@pytest.fixture
def gate(tmp_path):
    """A folder whose one file ends the process as if all were well, beside a claim that asks to."""
    folder = tmp_path / "claims"
    folder.mkdir()
    (folder / "passes.py").write_text(FILES["exits.py"])
    (folder / "asks.py").write_text(claim_text("asks", check="import sys\nsys.exit(0)"))
    (folder / "good.py").write_text(FILES["good.py"])
    return folder


def test_a_file_that_exits_with_0_does_not_end_the_run_with_0(gate, tmp_path):
    """In every report, while the other claims are checked; stdout is the document alone."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "verify", "--claims-dir", str(gate), "--claims", "good,asks", "--jobs", "1",
               "--out", str(out), "--json"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    verdicts = {claim["id"]: (claim["verdict"], claim["expected"]) for claim in document["claims"]}
    assert verdicts == {"good": ("holds", "holds"), "asks": ("crashed", "holds"), "passes.py": ("crashed", None)}
    assert not document["passed"]
    reasons = {claim["id"]: claim["error"]["reason"] for claim in document["claims"] if claim["error"]}
    assert reasons == {"asks": "SystemExit: 0", "passes.py": "SystemExit: 0"}
    cases = {case.get("name"): case.find("error") for case in ElementTree.parse(out / "junit.xml").iter("testcase")}
    assert cases["good"] is None and cases["passes.py"].get("message") == "SystemExit: 0"
    tests = json.loads((out / "ctrf.json").read_text())["results"]["tests"]
    assert {test["name"]: test["status"] for test in tests}["passes.py"] == "failed"
    assert "- `passes.py`: crashed, expected a verdict" in (out / "report.md").read_text()
    assert "passes.py" in (out / "report.html").read_text()


def test_the_list_names_it_and_fails(gate, capsys):
    assert status(["verify", "--claims-dir", str(gate), "--list", "--json"]) == 1
    shown = capsys.readouterr()
    listed = {item["id"]: item["expected"] for item in json.loads(shown.out)}
    assert listed["good"] == "holds" and listed["passes.py"] is None
    assert "passes.py cannot be imported: SystemExit: 0" in shown.err


def test_a_claim_s_words_break_no_report(tmp_path, capsys):
    """Raw HTML, fences, table cells, terminal sequences and characters that XML cannot hold."""
    nasty = "</script><script>alert(1)</script> | `` ``` ** \x1b[31m \x00 \ud800 \ufffe ]]> <!-- [x](y)"
    (tmp_path / "claims").mkdir()
    text = claim_text("nasty", check=f"raise ValueError({nasty + chr(10) + '```' + chr(10) + '# no heading'!r})",
                      title=nasty, source=nasty, statement="# " + nasty)  # fmt: skip
    (tmp_path / "claims" / "nasty.py").write_text(text)
    out = tmp_path / "out"
    arguments = ["--claims-dir", str(tmp_path / "claims"), "--claims", "nasty", "--jobs", "1", "--out", str(out)]
    assert status(["verify", *arguments]) == 1
    shown = capsys.readouterr().out
    assert "nasty" in shown and "\x1b[31m" not in shown and "\x00" not in shown
    page, markdown = (out / "report.html").read_text(), (out / "report.md").read_text()
    assert (
        page.count("<script") == 1 and "<script>alert" not in page and "&lt;script&gt;" in page and "\x00" not in page
    )
    outside = markdown.split("\n````\n")[::2]  # the traceback stands between fences longer than any in it
    assert len(outside) == 2
    assert not any(words in part for part in outside for words in ("<script>", "<!--", "\n# no", "\n```\n"))
    assert "\\# " in outside[0] and "\\| " in outside[0]
    ElementTree.parse(out / "junit.xml")
    json.loads((out / "ctrf.json").read_text()).get("results")
    (out / "ctrf.json").read_text().encode()
    assert "\\ud800" not in (out / "ctrf.json").read_text().replace("\\\\ud800", "")


# ---- words without running -------------------------------------------------------------------------------------------


def test_words_read_off_the_files_are_those_of_the_imported_claims():
    words = catalogue(Options(), words_only=True)
    imported = catalogue(Options())
    assert set(words.claims) == set(imported.claims) and not words.broken
    for name in ("title", "paper", "source", "statement", "expected", "path", "module"):
        for key, claim in words.claims.items():
            expected = getattr(imported.claims[key], name)
            if name in ("path", "module") and not expected:
                continue  # a claim that another test imported by itself
            assert getattr(claim, name) == expected


@pytest.mark.parametrize(
    "text",
    ["x = 1\n", "title = 'a'\n" + claim_text("good").replace("title='good'", "title=title"),
     "from verify import claim\ncheck = claim('good', title='t')(print)\n" + claim_text("other"),
     claim_text("good", expected="unheard-of"),
     claim_text("good").replace("title=", "paper=mine, title=")],
    ids=["no claim", "computed", "no decorator", "no verdict", "a paper from elsewhere"],
)  # fmt: skip
def test_a_file_that_words_cannot_be_read_off_has_to_be_run(text, tmp_path, monkeypatch):
    (tmp_path / "some_claims.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert declared_claims("some_claims") is None


def test_the_list_and_an_unknown_identifier_are_answered_without_jax():
    program = """
import sys
from nngp_dag.cli import main
for arguments, wanted in ((["verify", "--list", "--json"], 0), (["verify", "--claims", "eq12"], 2)):
    try:
        main(arguments)
    except SystemExit as stop:
        assert stop.code == wanted, stop.code
assert not {"jax", "scipy", "flax"} & sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert {"eq-12", "dag-1"} <= {item["id"] for item in json.loads(done.stdout)}
    assert "unknown claim eq12" in done.stderr
