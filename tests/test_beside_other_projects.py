"""An environment with nngp_dag is other projects' too: what they call `verify`, and their pytest, are left alone."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from nngp_dag.errors import InputError
from nngp_dag.support.suite import check_suite


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Another project: a script verify.py, and a test that says what pytest has imported before it."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "verify.py").write_text("raise SystemError('a script of the other project ran')\n")
    (folder / "test_theirs.py").write_text(
        "import sys\n\ndef test_theirs(): assert not {'verify', 'nngp_dag.dag', 'jax', 'numpy'} & set(sys.modules)\n"
    )
    return folder


def run(folder, *arguments):
    """Exit status, output and lines on stderr of `python -m ...`, which puts the folder on the path."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout, done.stderr.strip().splitlines()


def test_other_projects_tests_run_as_if_it_were_not_there(project):
    status, output, errors = run(project, "pytest", "-q", "-p", "no:cacheprovider")
    assert status == 0, output
    assert "1 passed" in output and errors == []


def test_a_foreign_verify_is_one_line_of_the_command(project):
    status, output, (error,) = run(project, "nngp_dag", "verify", "--list")
    assert (status, output) == (2, "")
    assert error.startswith(f"nngp-dag: error: {project / 'verify.py'} hides nngp-dag's package")


def test_a_foreign_verify_is_one_line_of_pytest_where_claims_are_asked_for(project):
    status, output, (error,) = run(project, "pytest", "-q", "-p", "no:cacheprovider", "--nngp-dag-claims")
    assert status == 4 and "Traceback" not in output
    assert error.startswith(f"ERROR: {project / 'verify.py'} hides nngp-dag's package")


@pytest.mark.parametrize("kind", ["module", "folder", "none"])
def test_what_hides_the_suite_is_named(kind, monkeypatch, tmp_path):
    """A module that is imported already, a folder without __init__.py on the path, and no `verify` at all."""
    check_suite()
    module = types.ModuleType("verify")
    module.__file__ = str(tmp_path / "verify.py")
    if kind == "module":
        monkeypatch.setitem(sys.modules, "verify", module)
        named = tmp_path / "verify.py"
    else:
        monkeypatch.delitem(sys.modules, "verify", raising=False)
        monkeypatch.setattr(sys, "path", [str(tmp_path)])
        monkeypatch.setattr(sys, "meta_path", [f for f in sys.meta_path if "editable" not in repr(f).lower()])
        named = Path(__file__).resolve().parents[1] / "verify" if kind == "none" else tmp_path / "verify"
        if kind == "folder":
            named.mkdir()
    with pytest.raises(InputError, match=r"(hides nngp-dag's|is not at)") as caught:
        check_suite()
    assert str(named) in str(caught.value) and "\n" not in str(caught.value)
