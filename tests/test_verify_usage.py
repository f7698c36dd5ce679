"""The README's claim and command lines, and the pytest plugin, as a user runs them."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from nngp_dag.pytest_plugin import pytest_collection_modifyitems

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MISBEHAVING = ROOT / "tests" / "claims_that_misbehave"


def _claim_of_the_readme():
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", README, flags=re.S) if "@claim" in b)
    return block


def _pytest(folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nngp-dag-claims", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)


def test_the_readme_shows_a_claim_of_about_fifteen_lines():
    assert len(_claim_of_the_readme().strip().splitlines()) <= 17


def test_the_readme_s_claim_is_a_test_item_and_holds(tmp_path):
    folder = tmp_path / "claims"
    folder.mkdir()
    (folder / "chain.py").write_text(_claim_of_the_readme())
    (tmp_path / "test_of_the_user.py").write_text("def test_not_asked_for(): raise SystemError")
    done = _pytest(
        tmp_path, "-v", "--nngp-dag-claims-dir", "claims", "--nngp-dag-select", "chain-forgets,definition-4.1"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "claims::chain-forgets PASSED (holds)" in done.stdout
    assert "claims::definition-4.1 PASSED (certified)" in done.stdout
    assert "2 passed" in done.stdout and "test_not_asked_for" not in done.stdout


def test_items_that_fail_say_what_differs_and_stand_beside_tests(tmp_path):
    (tmp_path / "test_of_the_user.py").write_text(
        "import jax\n\ndef test_asked_for(): assert not jax.config.jax_enable_x64\n"
    )
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "passes.py").write_text("import sys\nsys.exit(0)\n")
    done = _pytest(
        tmp_path, "test_of_the_user.py", "--nngp-dag-claims-dir", str(MISBEHAVING), "--nngp-dag-claims-dir", "claims",
        "--nngp-dag-select", "good,surprising,raises,dies,known-false", "--junitxml", "junit.xml", "-k", "not good",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "4 failed, 2 passed, 1 deselected" in done.stdout
    assert "passes.py cannot be imported: SystemExit: 0" in done.stdout  # as if all were well
    assert "verdict refuted, expected holds" in done.stdout
    assert "ZeroDivisionError: of course" in done.stdout
    assert "the process died (exit status 7)" in done.stdout
    assert "pytest_plugin.py" not in done.stdout  # not the plugin's own frames
    cases = ElementTree.parse(tmp_path / "junit.xml").getroot().iter("testcase")
    verdicts = {case.get("name"): [p.get("value") for p in case.iter("property")] for case in cases}
    assert verdicts["known-false"] == ["refuted"] and verdicts["surprising"] == ["refuted"]


def test_bad_options_of_the_plugin_are_errors_of_usage(request, monkeypatch):
    """They reach pytest as its own error, which it says in one line."""
    monkeypatch.setattr(request.config.option, "nngp_dag_claims", True)
    monkeypatch.setattr(request.config.option, "nngp_dag_select", "nope")
    with pytest.raises(pytest.UsageError, match="unknown claim nope"):
        pytest_collection_modifyitems(request.session, request.config, [])


@pytest.mark.full
def test_bad_options_of_the_plugin_are_one_line(tmp_path):
    done = _pytest(tmp_path, "--nngp-dag-select", "nope")
    assert done.returncode == 4
    assert "unknown claim nope" in done.stderr and "Traceback" not in done.stderr


def test_the_workflow_of_the_readme():
    yaml = pytest.importorskip("yaml")
    (block,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.S)
    workflow = yaml.safe_load(block)
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert any("nngp-dag verify" in command and "--baseline" in command for command in commands)
    assert any("GITHUB_STEP_SUMMARY" in command for command in commands)


@pytest.mark.parametrize("file", ["README.md", "docs/how-to/ci.md", "docs/how-to/claim.md"])
def test_options_that_are_named_exist(file):
    from nngp_dag.cli.verify import command
    from verify.mutation.__main__ import main

    known = {option for c in (command, main) for parameter in c.params for option in parameter.opts}
    plugin = (ROOT / "nngp_dag" / "pytest_plugin.py").read_text()
    text = (ROOT / file).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "verify" in line or "--nngp-dag" in line]
    for option in re.findall(r"(?<![\w-])--[a-z-]+", " ".join(lines)):
        assert option in known or f'"{option}"' in plugin, option
