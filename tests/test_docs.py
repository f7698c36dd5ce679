"""The documentation: what it names exists, docstrings survive conversion, one page per claim; it builds (full)."""

import ast
import contextlib
import importlib
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from docs.claims import _OF_A_RUN, _linked, record, write_claims
from docs.docstrings import convert
from docs.reference import PAGES, SHOWN, write_reference
from nngp_dag.cli import COMMANDS, cli
from nngp_dag.errors import InputError
from nngp_dag.nas.scores.registry import SCORES
from nngp_dag.reading import METHODS
from nngp_dag.spaces import SPACES
from nngp_dag.theme.mathml import mathml
from verify.framework.claim import registry as CLAIMS
from verify.framework.proof import PAGES as PROOFS
from verify.framework.proof import Proof

ROOT = Path(__file__).resolve().parents[1]
PAGES_OF_TEXT = sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)
TEXTS = [ROOT / "README.md", *PAGES_OF_TEXT]
IDS = [str(path.relative_to(ROOT)) for path in TEXTS]


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def commands(path):
    """The command lines of nngp-dag in a page, without comments, redirections and prefixes."""
    for block in blocks(path, "sh"):
        for line in block.replace("\\\n", " ").splitlines():  # a backslash goes on in the next line
            words = shlex.split(line, comments=True)
            if "nngp-dag" in words:
                words = words[words.index("nngp-dag") + 1 :]
                yield line, [word for word in words if word not in ("<", "&") and not word.endswith(".txt")]


# ---- what is written is so -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEXTS, ids=IDS)
def test_commands_and_their_options_exist(path):
    for line, words in commands(path):
        assert words[0] in COMMANDS, line
        command = cli.get_command(click.Context(cli), words[0])
        if isinstance(command, click.Group) and len(words) > 1 and not words[1].startswith("-"):
            command = command.get_command(click.Context(command), words[1])
            assert command is not None, line
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options | {"--help"}, line


@pytest.mark.parametrize("path", TEXTS, ids=IDS)
def test_python_examples_import_what_exists(path):
    for block in blocks(path, "python"):
        compile(block, str(path), "exec")
        for module, names in re.findall(r"^from ([\w.]+) import ([\w, ]+)", block, flags=re.M):
            found = importlib.import_module(module)
            for name in names.split(","):
                assert hasattr(found, name.strip()), f"{module} has no {name}"


@pytest.fixture
def registries():
    """The registries, as they were before: an example may add to them."""
    before = [(registry, dict(registry)) for registry in (CLAIMS, METHODS, SCORES, SPACES)]
    yield
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


DEFINITIONS = {"install", "method", "order", "paper"}
"""Pages whose Python only defines what the library, or Jupyter, is to take up."""
WITH_PYTHON = [path for path in PAGES_OF_TEXT if blocks(path, "python")]


@pytest.mark.usefixtures("registries", "quick_compilation")
@pytest.mark.parametrize("path", WITH_PYTHON, ids=lambda path: path.stem)
def test_python_examples_run(path):
    names = {"__name__": "example"}
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        for block in blocks(path, "python"):
            exec(compile(block, str(path), "exec"), names)
    assert len(names) > 2  # with __builtins__
    assert path.stem in DEFINITIONS or shown.getvalue().strip() not in ("", "[]", "None"), "it shows nothing"


@pytest.mark.parametrize("path", TEXTS, ids=IDS)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        file = path.parent / target
        generated = target == "explorer.html" or (
            {"index.md"} & {file.name} and file.parent.name in ("claims", "reference")
        )
        generated = (
            generated or target == "gallery.md" or (file.parent.name == "proofs" and (PROOFS / file.name).is_file())
        )
        notebook = ROOT / "notebooks" / file.name
        assert file.is_file() or generated or (file.suffix == ".ipynb" and notebook.is_file()), target


@pytest.mark.parametrize("path", TEXTS, ids=IDS)
def test_modules_and_files_that_are_named_exist(path):
    text = path.read_text(encoding="utf-8")
    for file in re.findall(r"`((?:nngp_dag|verify|tests|docs)/[\w/.]+)`", text):
        assert (ROOT / file).exists() or "NAME" in file, file
    for name in re.findall(r"`(nngp_dag(?:\.\w+)+)`", text):
        module, _, attribute = name.rpartition(".")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(module), attribute), name


def test_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    named = {name for path in TEXTS for name in re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(), flags=re.M)}
    assert named <= targets
    assert {"verify", "test", "docs", "notebooks"} <= named


def test_readme_is_what_was_asked_of_it():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = blocks(ROOT / "README.md", "python")[0]
    assert len([row for row in example.splitlines() if row.strip()]) <= 10
    assert "docs/images/overview.png" in text
    assert (ROOT / "docs" / "images" / "overview.png").stat().st_size < 300_000
    for words in (
        "make verify",
        "make test",
        "pip install .",
        "pip install '.[gpu]'",
        "@inproceedings",
        "CITATION.cff",
    ):
        assert words in text


@pytest.mark.full
def test_the_readme_example_runs(tmp_path):
    example = blocks(ROOT / "README.md", "python")[0]
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "(200, 200)" in done.stdout
    assert "independent and path-sum are off by" in done.stdout


# ---- generated pages -------------------------------------------------------------------------------------------------


def test_a_page_a_claim_with_its_evidence():
    from verify.framework.claim import discover

    evidence = json.loads((ROOT / "docs" / "evidence.json").read_text(encoding="utf-8"))
    pages = write_claims(ROOT / "docs" / "evidence.json")
    claims = discover()
    index = str(pages[Path("claims/index.md")])
    for name, claim in claims.items():
        page = str(pages[Path(f"claims/{name}.md")])
        assert f"[{name}]({name}.md)" in index
        assert claim.latex in page
        if name in evidence["claims"]:
            assert evidence["claims"][name]["verdict"] == claim.expected, (
                f"record {name} again: python -m docs --record"
            )
            assert "## Readings" in page
            assert evidence["claims"][name]["evidence"]["controls"], f"{name} has no control"
        for figure in re.findall(r"^```\{figure\} (\S+)", page, flags=re.M):
            assert bytes(pages[Path("claims") / figure]).startswith(b"<svg")
    assert set(evidence["claims"]) <= set(claims) and len(evidence["claims"]) >= 30


def test_a_claim_without_evidence_has_a_page_too(tmp_path):
    pages = write_claims(tmp_path / "missing.json")
    assert "expected" not in str(pages[Path("claims/eq-12.md")])
    assert '<span class="verdict refuted">' in str(pages[Path("claims/eq-12.md")])


def test_written_proofs_are_listed_and_those_that_claims_name_exist():
    theory = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
    pages = {path.stem for path in PROOFS.glob("*.md")}
    assert (
        pages
        == set(re.findall(r"\]\(proofs/([\w.-]+)\.md\)", theory))
        == set(re.findall(r"^proofs/(.+)$", theory, re.M))
    )
    named = set()
    for path in (ROOT / "verify" / "claims").glob("*.py"):
        named |= set(re.findall(r'Proof\.written\(\s*"([^"]+)"', path.read_text(encoding="utf-8")))
    assert {"path-counts", "ntk-dominates-nngp"} <= named <= pages


def test_a_reading_links_to_its_written_proof():
    words = f"true ({Proof.written('path-counts').words})"
    assert _linked(words, "path-counts") == "true (written proof: [path-counts](../proofs/path-counts.md))"
    assert _linked(words, "no-such-page") == words


def test_the_reference_shows_every_module_once():
    import pkgutil

    import nngp_dag

    shown = [name for page in write_reference().values() for name in re.findall(r"automodule:: (\S+)", page)]
    assert len(shown) == len(set(shown))
    found = list(pkgutil.walk_packages(nngp_dag.__path__, "nngp_dag."))
    every = {info.name for info in found if not info.ispkg}
    internal = {name for name in every if ".cli" in name or name.rpartition(".")[2].startswith("_")}
    internal |= {name for name in every if name.startswith("nngp_dag.support")} | {
        "nngp_dag.__main__",
        "nngp_dag.pytest_plugin",
    }
    assert every - internal <= set(shown)
    assert all(title for title, _ in PAGES.values())


def test_pages_of_the_api_open_with_shapes_and_an_example():
    pages = {name.stem: text for name, text in write_reference().items()}
    assert "`fn(x1, x2=None, get=None)`" in pages["kernel"] and "kernels = kernel_fn(dag)(x)" in pages["kernel"]
    for page, names in SHOWN.items():
        opening = pages[page][: pages[page].index("automodule")]
        assert opening.count("```python") == len(names) and all(f"`{name}(" in opening for name in names), page


# ---- docstrings ------------------------------------------------------------------------------------------------------


def opens_with_a_question(text):
    return re.match(r"\W*(What|How|Which|Whether)\b", text) is not None


def docstrings(source):
    """Line and text of the docstrings of a module, its classes and functions, and of strings below attributes."""
    for item in ast.walk(ast.parse(source)):
        if isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and isinstance(item.value.value, str):
            yield item.lineno, item.value.value


def test_docstrings_say_what_a_thing_is_not_a_question():
    files = [file for folder in ("nngp_dag", "verify", "benchmarks", "docs") for file in (ROOT / folder).rglob("*.py")]
    found = [(file, line, text) for file in files for line, text in docstrings(file.read_text(encoding="utf-8"))]
    assert len(found) > 1000
    assert not [
        f"{file.relative_to(ROOT)}:{line}: {text[:60]}" for file, line, text in found if opens_with_a_question(text)
    ]


def test_questions_are_found_wherever_docstrings_stand():
    lines = [
        '"""What a module is."""',
        "X = 1",
        '"""Which one."""',
        "class C:",
        '    """How."""',
        "    y: int",
        '    """Whether."""',
        "def f():",
        '    """Whatever is left."""',
        '    return "What"',
    ]
    assert [line for line, text in docstrings("\n".join(lines)) if opens_with_a_question(text)] == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("|y - u|^2 of **x and *args", r"\|y - u\|^2 of \*\*x and \*args"),
        ("code `a * b` stays, K_ does not", r"code ``a * b`` stays, K\_ does not"),
        ("* an item * of a list", r"* an item \* of a list"),
    ],
)
def test_marks_are_escaped_outside_of_code(source, expected):
    assert convert([source]) == [expected]


def test_indented_formulas_become_literal_blocks():
    assert convert(["As in", "", "    f = a * b", "", "and on."]) == [
        *["As in", "", "::", "", "    f = a * b", "", "and on."]
    ]
    assert convert(["With a:", "    f = a * b,", "and on."]) == [
        *["With a:", "", "::", "", "    f = a * b,", "", "and on."]
    ]


def test_sections_and_lists_are_left_to_napoleon():
    lines = ["Do.", "", "Args:", "    a, b: two.", "        More of it.", "", "- one", "  and more"]
    assert convert(lines) == ["Do.", "", "Args:", "    a,b: two.", "        More of it.", "", "- one", "  and more"]


@pytest.mark.full
def test_the_site_builds_without_warnings(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "docs", "--out", str(tmp_path / "html")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "html" / "theory.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "mathjax" not in page.lower()


FORMULAS = (
    r"f'(x')",
    r"{x^{2}}'",
    r"{(f^2)}'",
    r"K_{12}' = -1",
    r"\rho \in [-1, 1), x \ge -x'",
    r"e^{-1} - a_{i} - b",
)


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_well_formed(formula):
    root = ElementTree.fromstring(mathml(formula, "inline"))
    assert root.tag.endswith("math")


def test_signs_and_primes_of_formulas():
    drawn = mathml(r"y = -x', f(-1), a - b, (c) - d", "inline")
    assert drawn.count('<mo form="prefix">&#x02212;') == 2  # of -x and -1, and none of the differences
    assert drawn.count('class="prime"') == 1 and "<msup>" not in drawn
    assert "<msup>" in mathml("x^2", "inline")


_NO_CLAIM = json.dumps(dict.fromkeys(_OF_A_RUN) | {"claims": [3]})


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 100_000, '{"schema": 1, "claims": 3}', _NO_CLAIM])
def test_a_file_that_is_no_report_is_not_taken_over(content, tmp_path):
    report, target = tmp_path / "report.json", tmp_path / "evidence.json"
    report.write_text(content)
    target.write_text("as it was")
    with pytest.raises(InputError):
        record(report, target)
    assert target.read_text() == "as it was"


@pytest.mark.parametrize(
    "arguments", [["docs", "--record", "none"], ["docs", "--out", __file__], ["notebooks", "none"]]
)
def test_what_cannot_be_used_is_one_line_and_status_2(arguments, monkeypatch, capsys):
    module, *rest = arguments
    main = importlib.import_module(f"{module}.__main__").main
    monkeypatch.setattr(sys, "argv", [module, *rest])
    monkeypatch.chdir(Path(__file__).parent)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"python -m {module}: error: ")


# ---- pictures --------------------------------------------------------------------------------------------------------


def test_pictures_of_notebooks_have_words_and_a_gallery():
    from docs.notebook_pictures import gallery, with_alternatives

    notebooks = {p.stem: json.loads(p.read_text("utf-8")) for p in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    files = gallery(notebooks)
    page = files.pop(Path("gallery.md"))
    assert len(files) >= 20 and all(bytes(content).startswith(b"\x89PNG") for content in files.values())
    words = re.findall(r'<img src="(gallery/[^"]+)" alt="([^"]*)"', page)
    assert [Path(name) for name, _ in words] == list(files)
    assert all(len(text) > 10 for _, text in words) and len({text for _, text in words}) > 0.8 * len(words)
    for notebook in notebooks.values():
        for cell in with_alternatives(notebook)["cells"]:
            drawn = any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
            assert bool(cell["metadata"].get("mystnb", {}).get("image", {}).get("alt")) == drawn


@pytest.mark.parametrize("path", TEXTS, ids=IDS)
def test_lines_of_code_fit(path):
    """A line of code is as wide as the page of the documents, and no wider."""
    lines = [
        line
        for language in ("python", "sh", "bash", "yaml")
        for block in blocks(path, language)
        for line in block.splitlines()
    ]
    assert max(map(len, lines), default=0) <= 120
