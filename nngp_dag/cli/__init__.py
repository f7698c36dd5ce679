"""Command `nngp-dag`: one module per subcommand, loaded only when it runs.

Adding a subcommand means one module in this folder with a click command `command`, and its line in `COMMANDS`.
Exit status: 0 done, 1 the check that was asked for failed, 2 bad usage, bad input, or results that could not be written
(one line on stderr, no traceback).
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

import nngp_dag
from nngp_dag.cli.examples import with_example
from nngp_dag.cli.streams import prepare_streams
from nngp_dag.cli.suggestions import SuggestingGroup
from nngp_dag.errors import InputError

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "analyze": "Everything about one DAG, or several side by side; writes a page.",
    "explore": "A page on which a DAG is drawn and its kernels are seen at once.",
    "paths": "Path counts, effective depth and width of DAGs.",
    "sweep": "Kernels of many DAGs on the same data, a row per DAG.",
    "kernel": "Infinite-width kernels of one DAG on data, and their spectra.",
    "conv-kernel": "Exact kernels of a convolutional network of NAS-Bench-201 on images, and their spectra.",
    "montecarlo": "Kernels of real finite networks, and which method they accept or reject.",
    "train": "Training curves of finite networks, and their infinite-width prediction.",
    "predict": "What infinitely wide networks predict: NNGP posterior and NTK.",
    "signal": "Maps of variance and correlation, the order-to-chaos plane, activations shaped for a DAG.",
    "space": "An architecture space: size, centre and radius of (d, m), and Figure 5 on a benchmark.",
    "filter": "Architectures of a stream whose effective depth and width are near the space's centre.",
    "score": "Scores of untrained networks (NAS-WOT, TE-NAS, SynFlow, ...), a row per architecture.",
    "search": "Architecture searches (NAS-WOT, TE-NAS, FP-NAS), with and without the filter.",
    "optimize": "The best connectivity: a search over all small DAGs, with a proof that the winner wins.",
    "reproduce": "Figures and tables of the paper, recomputed.",
    "verify": "Check the claims of the paper and report verdicts with their evidence.",
}
"""Subcommands with their one-line help, in the order in which they are shown."""

RESUMABLE = {"exact-nasbench201", "verify"}
"""Commands that go on where they were when they are started again."""

RESUMABLE_WITH_OUT = {"optimize", "sweep", "score", "search", "table-1", "table-2", "table-3"}
"""Commands that do so with --out."""


class _LazyGroup(SuggestingGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"nngp_dag.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return with_example(command, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(nngp_dag.__version__, prog_name="nngp-dag")
def cli() -> None:
    """Infinite-width kernels of networks with DAG-shaped connectivity, and tests of the theory about them."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; what is wrong with the input is one line on stderr and status 2."""
    prepare_streams()
    status = _run(arguments)
    try:
        sys.stdout.flush()
    except InputError as error:
        status = _failed(str(error))
    sys.exit(status)


def _run(arguments: Sequence[str] | None) -> int:
    """The exit status of the command line."""
    if any("\0" in argument for argument in arguments or ()):  # no shell can give one, but a program can
        return _failed("an argument holds a NUL character")
    try:
        for argument in arguments or ():
            os.fsencode(argument)
    except UnicodeEncodeError:
        return _failed("an argument holds half a surrogate pair")
    try:
        status = cli.main(args=arguments, prog_name="nngp-dag", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as stop:
        stop.show()
        return 2
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return _failed(error.format_message())
    except InputError as error:
        return _failed(str(error))
    except (click.Abort, KeyboardInterrupt) as stop:
        return _interrupted(stop, arguments)
    except MemoryError as error:
        return _failed(f"not enough memory: {error}".rstrip(": "))
    except OSError as error:  # the system's refusal, wherever it came: the words name the file
        return _failed(str(error))
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):  # how XLA says it
            return _failed(f"not enough memory: {str(error).splitlines()[0][:200]}")
        raise
    return status if isinstance(status, int) else 0


def _interrupted(stop: BaseException, arguments: Sequence[str] | None) -> int:
    """A line that says whether starting again goes on; what was done so far is told by whoever knows it."""
    interrupt = stop if isinstance(stop, KeyboardInterrupt) else stop.__cause__
    told = str(interrupt or "")  # click's Abort has the interrupt as its cause
    words = set(sys.argv[1:] if arguments is None else arguments)
    resumes = words & RESUMABLE or (words & RESUMABLE_WITH_OUT and any(word.startswith("--out") for word in words))
    click.echo(f"nngp-dag: interrupted{told and ': ' + told}{'; start again to resume' if resumes else ''}", err=True)
    return 130


def _failed(message: str) -> int:
    line = " ".join(message.split())
    click.echo("nngp-dag: error: " + "".join(c if c.isprintable() else repr(c)[1:-1] for c in line), err=True)
    return 2
