"""`nngp-dag explore`: the page on which DAGs are drawn and their kernels seen at once."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nngp_dag.cli.common import emit_json, json_option, open_option
from nngp_dag.support.files import check_writable

__all__ = ["command"]


@click.command("explore")
@click.argument("code", required=False, default="2_21_112", metavar="[CODE]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Where the page goes.  [default: nngp-dag-explorer.html, which is opened]",
)
@open_option
@json_option
def command(code: str, out: Path | None, open_page: bool, as_json: bool) -> None:
    """Draw a DAG and see its kernels at once, on a page that needs neither server nor network.

    It opens with CODE (by default DAG#3 of the paper): clicking an edge changes it. The address holds what is shown,
    to be kept or sent.
    """
    from nngp_dag.explorer import explore

    explorer = explore(code)
    path = out or Path("nngp-dag-explorer.html")
    check_writable(path, "an .html file")
    explorer.save(path)
    if as_json:
        emit_json({"code": explorer.code, "page": str(path)})
    else:
        click.echo(f"page written to {path}", err=True)
    if open_page or (out is None and sys.stdout.isatty()):
        click.launch(str(path))
