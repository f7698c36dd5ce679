"""Shared by the subcommands: strict JSON on stdout, tables and progress bars, float64.

With `--json` stdout carries one strict JSON document and nothing else; progress and log go to stderr.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeVar

import click
import numpy as np

from nngp_dag.support.progress import starting
from nngp_dag.support.strict_json import strict_json_text

__all__ = ["announce", "counts", "emit_json", "json_option", "open_option", "print_table", "seed_option", "use_float64"]

_T = TypeVar("_T")

_CODE = re.compile(r"[0-2](_[0-2]+)+")
_LONG = 600.0
"""Seconds from which on a search is announced."""

_LONGEST_CODE = 40
"""Characters of a code that keeps its line, whatever the width of the terminal."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else.")


open_option = click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")


def counts(least: int) -> click.IntRange:
    """The type of an option that counts: no more than the counters of 32 bits behind them hold."""
    return click.IntRange(least, 2**31 - 1)


seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of anything random."
)


def announce(seconds: float, words: str) -> None:
    """Say on stderr, before it begins, what a search of more than ten minutes takes."""
    if seconds > _LONG:
        click.echo(words, err=True)


def emit_json(value: object) -> None:
    """Print one strict JSON document on stdout."""
    click.echo(strict_json_text(value))


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a title and a rich table on stdout; floats have six significant digits."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    cells = [[_shown(cell) for cell in row] for row in rows]
    for place, column in enumerate(columns):
        codes = [len(row[place]) for row in cells if _CODE.fullmatch(row[place])]
        # A code that goes on in the next line cannot be copied: other columns are folded instead.
        kept = codes and max(codes) <= _LONGEST_CODE
        table.add_column(column, overflow="fold", no_wrap=bool(kept), min_width=max(codes) if kept else None)
    for row in cells:
        table.add_row(*row)
    console = Console()
    console.print(title, style="bold", markup=False, highlight=False)  # a title of the table would wrap at its width
    console.print(table)


def _shown(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, (float, np.floating, Fraction)):
        return f"{float(cell):.6g}"
    return str(cell)


def use_float64(function: Callable[..., _T]) -> Callable[..., _T]:
    """Decorator for commands that compute: float64 throughout the process (a program's choice, never the library's)."""
    import functools

    @functools.wraps(function)
    def wrapper(*args: object, **kwargs: object) -> _T:
        with starting():
            import jax

        jax.config.update("jax_enable_x64", True)
        return function(*args, **kwargs)

    return wrapper
