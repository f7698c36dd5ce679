"""The command line for people: examples, help of every option, suggestions, completion, codes, interrupts, a start."""

import os
import re
import shlex
import subprocess
import sys

import click
import pytest
from command_line import run_command
from rich.console import Console

from nngp_dag.cli import COMMANDS, cli
from nngp_dag.cli.common import print_table
from nngp_dag.cli.data import ROWS
from nngp_dag.cli.examples import EXAMPLES
from nngp_dag.cli.explore import command as explore_command
from nngp_dag.cli.reproduce import TARGETS
from nngp_dag.errors import unknown, unknown_names
from nngp_dag.support.progress import starting
from verify.baseline import load_baseline
from verify.framework.claim import Claim
from verify.framework.verdict import Verdict
from verify.work import Work


def leaves():
    """Every command that runs, by its name."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((child, command.get_command(context, child)) for child in command.list_commands(context))
        else:
            yield name, command


LEAVES = dict(leaves())


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_says_what_it_means_and_every_help_ends_with_an_example(name, capsys):
    silent = [option.opts[0] for option in LEAVES[name].params if isinstance(option, click.Option) and not option.help]
    assert not silent
    words = shlex.split(EXAMPLES[name])
    assert words[0] == "nngp-dag" and words[1] in COMMANDS
    known = {option for parameter in LEAVES[name].params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
    _, out, _ = run_command(capsys, *(["reproduce", name] if name in TARGETS else [name]), "--help")
    assert out.rstrip().endswith(EXAMPLES[name])


def test_data_is_named_alike_everywhere():
    """Rows that are recorded (verify, Figure 4) are all of digits; images are in colour; all DAGs take few rows."""
    options = {name: next((p for p in c.params if "--data" in p.opts), None) for name, c in LEAVES.items()}
    options = {name: option for name, option in options.items() if option is not None}
    assert len(options) >= 12 and {option.metavar for option in options.values()} == {"SPEC"}
    defaults = {name: option.default for name, option in options.items()}
    other = {name for name, default in defaults.items() if default != ROWS}
    assert {defaults[name] for name in other} == {"digits", "digits:64", "cifar10"}
    assert {name for name in other if defaults[name] == "digits"} == {"verify", "figure-4"}
    assert {name for name in other if defaults[name] == "digits:64"} == {"optimize"}


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["verfy"], "Did you mean verify?"),
        (["reproduce", "figur-4"], "Did you mean figure-4?"),
        (["paths", "2", "--jsn"], "--json"),
    ],
)
def test_what_was_nearly_right_is_suggested(arguments, meant, capsys):
    code, _, err = run_command(capsys, *arguments)
    assert code == 2 and meant in err and err.count("\n") == 1


def test_names_that_were_nearly_right_are_suggested_and_others_are_not():
    assert str(unknown("activation", "rleu", ["relu", "erf"])).endswith("accepted are relu, erf; did you mean relu?")
    assert str(unknown("activation", "zzz", ["relu", "erf"])).endswith("accepted are relu, erf")
    assert str(unknown_names("claim", ["eq-13", "dag-4"], ["eq-12", "dag-3"])).endswith("did you mean eq-12, dag-3?")


def completed(*words):
    environment = {"COMP_WORDS": shlex.join(words), "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "nngp_dag"],
        env={**os.environ, **environment, "_NNGP_DAG_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_shells_complete_commands_methods_activations_and_claims():
    assert completed("nngp-dag", "ver") == ["verify"]
    assert completed("nngp-dag", "kernel", "2", "--method", "pa") == ["path-sum"]
    assert completed("nngp-dag", "kernel", "2", "--activation", "leak") == ["leaky_relu"]
    assert completed("nngp-dag", "verify", "--claims", "dag-3,eq-12") == ["dag-3,eq-12", "dag-3,eq-12-identity"]


def test_codes_keep_their_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    code = "2_21_112_2222_11111"
    print_table("t", ["DAG", "words", "more"], [[code, "word " * 30, "x" * 50]])
    assert code in capsys.readouterr().out
    assert Console().width == 60


def test_an_interrupt_is_a_line_that_says_what_goes_on(capsys, monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt("3 of 40 claims are done")

    for name, arguments, end in (
        ("paths", ["2"], ""),
        ("sweep", ["--nodes", "2", "--out", "x.csv"], "; start again to resume"),
        ("exact-nasbench201", ["--benchmark", "x.csv"], "; start again to resume"),
    ):
        monkeypatch.setattr(LEAVES[name], "callback", interrupted)
        group = ["reproduce"] if name == "exact-nasbench201" else []
        code, _, err = run_command(capsys, *group, name, *arguments)
        assert code == 130
        assert err.strip().splitlines()[-1] == f"nngp-dag: interrupted: 3 of 40 claims are done{end}"


def test_a_terminal_is_told_at_once_and_others_are_not(capsys, monkeypatch):
    with starting():
        assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with starting("reading"):
        assert capsys.readouterr().err == "nngp-dag: reading ..."
    assert capsys.readouterr().err == "\r\x1b[K"


def test_something_is_printed_before_jax_is_there():
    """On a terminal the first words come before the first import that takes long."""
    program = (
        "import sys, nngp_dag.support.progress as p\nbefore = p.starting\n"
        "def seen(*words):\n    print('jax' in sys.modules)\n    return before(*words)\n"
        "import nngp_dag.cli.reading as c; c.starting = seen\n"
        "from nngp_dag.cli import main; main(['kernel', '2', '--data', 'none'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout.splitlines()[0] == "False"


def test_a_slow_claim_moves_the_bar_while_it_runs(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("verify.work.time.monotonic", lambda: now[0])
    words = {"title": "t", "source": "s", "statement": "x", "expected": Verdict.HOLDS, "check": lambda context: None}
    claims = [Claim(id=name, duration=seconds, **words) for name, seconds in (("slow", 60.0), ("a", 20.0), ("b", 20.0))]
    work = Work(claims, done=["b"])
    shares = [work.share()]
    work.start("slow")
    for now[0] in (30.0, 57.0, 500.0):  # longer than expected: it waits below its end
        shares.append(work.share())
    work.end("slow")
    shares.append(work.share())
    assert shares == pytest.approx([0.2, 0.5, 0.77, 0.77, 0.8])


def test_the_recorded_run_is_at_hand_outside_a_clone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    from pathlib import Path

    assert "eq-12" in load_baseline(Path("builtin:quick"))["claims"]
    code, _, err = run_command(capsys, "verify", "--baseline", "builtin:quik", "--claims", "eq-12")
    assert code == 2 and "unknown baseline 'quik' of nngp-dag: accepted are quick; did you mean quick?" in err
    code, _, err = run_command(capsys, "verify", "--baseline", "builtin:quick", "--update-baseline", "--list")
    assert code == 2 and "comes with nngp-dag" in err


def test_explore_writes_the_page_and_opens_it_where_asked(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(click, "launch", opened.append)
    out = tmp_path / "page.html"
    code, words, _ = run_command(capsys, "explore", "1_11", "--out", str(out), "--json")
    assert (code, opened) == (0, []) and re.search('"code": "1_11"', words)
    assert 'data-dag="1_11"' in out.read_text(encoding="utf-8")
    assert run_command(capsys, "explore", "--out", str(out), "--open")[0] == 0 and opened == [str(out)]
    assert run_command(capsys, "explore", "3_11", "--out", str(out))[0] == 2
    assert explore_command.params
