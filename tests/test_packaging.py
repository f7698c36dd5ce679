"""The installed package: metadata, exact versions, set-up on a bare machine, cost of importing."""

import importlib.metadata
import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nngp_dag

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = ("constraints.txt", "constraints-oldest.txt")


def cpu_seconds(*command):
    """Processor time of a child process and its output: unlike wall time, it does not depend on the neighbours."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def setup(tmp_path, python, path="/usr/bin:/bin"):
    """`.ci/setup` with a given Python, which must fail, and its standard error."""
    stamp = tmp_path / "venv" / ".ready"
    command = [str(ROOT / ".ci" / "setup"), str(stamp), "constraints.txt", "dev", python]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": path}, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert not stamp.parent.exists()
    return done.stderr


def fake_python(folder, version):
    """An executable that answers as a Python of that version does to `--version`, and fails at everything else."""
    folder.mkdir(exist_ok=True)
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "Python {version}" && exit 0\nexit 1\n')
    python.chmod(0o755)
    return python


def requirement_names(lines):
    return {re.match(r"[A-Za-z0-9._-]+", line)[0].lower().replace("_", "-") for line in lines}


def test_metadata():
    """The installed distribution has the version of the package, its command, its licence and its dependencies."""
    metadata = importlib.metadata.metadata("nngp-dag")
    assert metadata["Version"] == nngp_dag.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="nngp-dag")
    assert callable(command.load())
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert nngp_dag.__version__ in (ROOT / "CITATION.cff").read_text()


@pytest.mark.parametrize("file", PINS)
def test_pins_are_exact_and_without_addresses(file):
    """Every line pins one version; no address of an index, no path, no TensorFlow; every dependency is there."""
    lines = [line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ; [^/@]+)?", line), line
    pinned = requirement_names(lines)
    assert not {"tensorflow", "tf2jax"} & pinned
    needed = list(PYPROJECT["project"]["dependencies"]) + list(PYPROJECT["dependency-groups"]["test"])
    missing = requirement_names(needed) - pinned
    assert not missing, f"run make pins: {file} lacks {sorted(missing)}"


def test_oldest_pins_are_the_declared_floor():
    """The oldest JAX that is tested is the one that the metadata declares."""
    (jax_requirement,) = (line for line in PYPROJECT["project"]["dependencies"] if line.startswith("jax>"))
    floor = re.search(r">=([0-9.]+)", jax_requirement)[1]
    assert f"jax=={floor}\n" in (ROOT / "constraints-oldest.txt").read_text()


def test_data_files_of_the_packages_are_installed():
    """Files other than Python that lie in the packages, at any depth, match a pattern of package-data (see a wheel)."""
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["*"]
    listed = subprocess.run(
        ["git", "ls-files", "nngp_dag", "verify"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not listed:
        pytest.skip("not a git checkout")
    for file in map(Path, listed):
        if file.suffix == ".py":
            assert (ROOT / file.parent / "__init__.py").exists(), f"{file.parent} is no package"
        else:
            assert file.name in patterns or f"**/*{file.suffix}" in patterns, file


def test_import_costs_little_more_than_jax():
    """All public names of `nngp_dag` take at most half a second of processor time more than `import jax`."""
    jax_only, _ = cpu_seconds(sys.executable, "-c", "import jax, jax.numpy")
    package, _ = cpu_seconds(sys.executable, "-c", "from nngp_dag import Kernel, analyze, compare, kernel_fn")
    assert package < jax_only + 0.5


def test_help_answers_at_once():
    """`nngp-dag --help` takes less than two seconds, and does not wait for JAX."""
    seconds, output = cpu_seconds(sys.executable, "-m", "nngp_dag", "--help")
    assert "paths" in output
    assert seconds < 2
    program = "import sys, nngp_dag.cli; print('jax' in sys.modules)"
    assert cpu_seconds(sys.executable, "-c", program)[1].strip() == "False"


def test_public_names_come_when_asked_for():
    """Every public name is there, listed, and an unknown one is an AttributeError as in any module."""
    import nngp_dag

    for name in ("Dag", "Kernel", "analyze", "compare", "kernel_fn", "prefilter"):
        assert name in dir(nngp_dag) and callable(getattr(nngp_dag, name))
    with pytest.raises(AttributeError, match="no attribute 'unknown'"):
        nngp_dag.unknown  # noqa: B018


@pytest.mark.parametrize("named", [True, False])
def test_an_old_python_gets_one_clear_line(tmp_path, named):
    """With a Python below 3.11, given or found, set-up says so in one line and leaves nothing behind."""
    python = fake_python(tmp_path / "bin", "3.9.2")
    message = (
        setup(tmp_path, str(python)) if named else setup(tmp_path, "", path=f"{tmp_path}/bin:{bare_path(tmp_path)}")
    )
    assert len(message.splitlines()) == 1
    assert message.startswith("error: Python 3.11 or newer is needed")
    assert "PYTHON=" in message or "3.9.2" in message


def test_a_missing_python_gets_one_clear_line(tmp_path):
    """Neither a name that does not exist nor a path without any Python leads to more than one line."""
    message = setup(tmp_path, "/nowhere/python3")
    assert (
        message == "error: there is no /nowhere/python3: name a Python 3.11 or newer (make PYTHON=/path/to/python3)\n"
    )
    message = setup(tmp_path, "", path=bare_path(tmp_path))
    assert len(message.splitlines()) == 1
    assert "none is on the path" in message


def bare_path(tmp_path):
    """A folder with the few programs that the script needs before it has a Python."""
    folder = tmp_path / "bare"
    folder.mkdir(exist_ok=True)
    for program in ("dirname", "grep", "rm", "touch"):
        source = next(Path(p, program) for p in ("/usr/bin", "/bin") if Path(p, program).exists())
        if not (folder / program).exists():
            (folder / program).symlink_to(source)
    return str(folder)


def test_make_help_lists_the_targets():
    """Every target that people use is in `make help`."""
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"verify", "test", "lint", "types", "bench", "docs"} <= set(re.findall(r"^make (\S+)", listed, re.M))
