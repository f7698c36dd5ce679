"""The command line as a whole: help, version, exit codes, strict JSON, and `paths`."""

import json
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from command_line import run_command

import nngp_dag
from nngp_dag.cli import COMMANDS, cli
from nngp_dag.cli.reproduce import TARGETS
from nngp_dag.support.strict_json import strict_json


def test_version_and_help(capsys):
    assert run_command(capsys, "--version") == (0, f"nngp-dag, version {nngp_dag.__version__}\n", "")
    code, out, _ = run_command(capsys, "--help")
    assert code == 0
    assert all(f"  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_has_help(name, capsys):
    command = cli.get_command(None, name)
    assert command.name == name
    code, out, _ = run_command(capsys, name, "--help")
    assert code == 0
    assert "Usage" in out


HELP_OF_ALL = """
import sys
import click
from nngp_dag.cli import cli, main

def with_children(command, words):
    yield words
    if isinstance(command, click.Group):
        for name in command.list_commands(None):
            yield from with_children(command.get_command(None, name), [*words, name])

heavy = "jax jaxlib flax optax orbax neural_tangents tensorflow matplotlib sklearn scipy networkx".split()
for words in with_children(cli, []):
    try:
        main([*words, "--help"])
    except SystemExit as stop:
        assert stop.code == 0, words
    found = [name for name in heavy if name in sys.modules]
    assert not found, f"nngp-dag {' '.join(words)} --help imports {', '.join(found)}"
"""


def test_the_help_of_every_command_loads_no_heavy_library():
    done = subprocess.run([sys.executable, "-c", HELP_OF_ALL], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: nngp-dag") == 1 + len(COMMANDS) + len(TARGETS)


def test_paths_as_json_is_always_a_list(capsys):
    code, out, err = run_command(capsys, "paths", "2_21_112", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == [
        {
            "code": "2_21_112",
            "num_paths": 4,
            "paths": {"0": 1, "1": 1, "2": 2},
            "effective_depth": 1.25,
            "effective_width": 2.4,
        }
    ]


def test_counts_are_exact_integers(capsys):
    code = nngp_dag.Dag(120, bytes([2]) * (120 * 119 // 2)).to_code()
    _, out, _ = run_command(capsys, "paths", code, "--json")
    assert json.loads(out)[0]["num_paths"] == 2**118


def test_paths_as_a_table(capsys):
    code, out, _ = run_command(capsys, "paths", "2", "0")
    assert code == 0
    assert "none" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["paths"], "Missing argument"),
        (["paths", "2_0"], "malformed code"),
        (["paths", "--what"], "No such option"),
        (["nothing"], "No such command"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments, message, capsys):
    code, out, err = run_command(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_strict_json_has_no_nan():
    value = {"a": np.float64("nan"), "b": [np.inf, np.int64(3)], "c": (Fraction(1, 4), np.bool_(True)), "d": 2**99}
    assert strict_json(value) == {"a": None, "b": [None, 3], "c": [0.25, True], "d": 2**99}
    assert strict_json(np.array([[1.5, np.nan]])) == [[1.5, None]]
