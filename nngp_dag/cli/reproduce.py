"""`nngp-dag reproduce`: figures and tables of the paper, each a command of its own, loaded only when it runs.

Adding one is a line in `TARGETS`: the module of this package that holds it, and the name of its click command there.
"""

from __future__ import annotations

import importlib

import click

from nngp_dag.cli.examples import with_example
from nngp_dag.cli.suggestions import SuggestingGroup

__all__ = ["TARGETS", "command"]

TARGETS = {
    "figure-4": ("nngp_dag.cli.reproduce_figure4:command", "Training accuracy of DAG#1-3, and their order."),
    "figure-5": ("nngp_dag.cli.reproduce_figure5:command", "Accuracy over effective depth and width (NAS-Bench-201)."),
    "table-1": ("nngp_dag.cli.reproduce_tables:table_1", "Searches in the DARTS space: cost, and genotypes found."),
    "table-2": ("nngp_dag.cli.reproduce_tables:table_2", "Searches on NAS-Bench-201 with and without the filter."),
    "table-3": (
        "nngp_dag.cli.reproduce_tables:table_3",
        "NAS-WOT on NAS-Bench-201 under several ranges of the filter.",
    ),
    "exact-nasbench201": (
        "nngp_dag.cli.reproduce_exact_nasbench201:command",
        "Exact kernels of NAS-Bench-201's cells against accuracies.",
    ),
}
"""Target -> where its click command is, and its line of help."""


class _Targets(SuggestingGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(TARGETS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in TARGETS:
            return None
        module, name = TARGETS[cmd_name][0].split(":")
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found, click.Command)
        return with_example(found, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the targets without importing them."""
        with formatter.section("Targets"):
            formatter.write_dl([(target, words) for target, (_, words) in TARGETS.items()])


@click.command("reproduce", cls=_Targets)
def command() -> None:
    """Recompute a figure or table of the paper."""
