"""`nngp-dag analyze`: everything about one DAG, in the terminal, as JSON, or as a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nngp_dag.cli.common import counts, emit_json, json_option, open_option, seed_option, use_float64
from nngp_dag.cli.data import RowSource, row_options
from nngp_dag.cli.network import networks_options
from nngp_dag.cli.reading import reading_options
from nngp_dag.errors import InputError
from nngp_dag.reading import Reading
from nngp_dag.support.files import check_writable, write_text

if TYPE_CHECKING:
    from nngp_dag.kernel.network import Network

__all__ = ["command"]


@click.command("analyze")
@networks_options
@row_options()
@reading_options
@click.option("--width", type=counts(1), default=256, show_default=True, help="Neurons of finite networks.")
@click.option("--seeds", type=counts(4), default=32, show_default=True, help="Number of finite networks.")
@click.option("--no-networks", is_flag=True, help="Draw no finite networks.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE.html", help="Write a page that needs nothing else."
)
@open_option
@seed_option
@json_option
@use_float64
def command(
    networks: Sequence[Network],
    data: RowSource,
    reading: Reading,
    width: int,
    seeds: int,
    no_networks: bool,
    out: Path | None,
    open_page: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Everything about the DAG CODE: drawing, paths, kernels by four methods, spectra, finite networks, neighbours.

    Several CODEs are compared with each other. --wiring shows a wiring. --out writes a page for any browser.
    """
    from nngp_dag.analysis.analysis import analysis_of
    from nngp_dag.analysis.comparison import comparison_of

    if out is not None:
        check_writable(out, "an .html file", [data.file])
    elif open_page:
        raise InputError("--open needs --out FILE.html, the page to open")
    rows = data.load(labels=False)
    if len(networks) == 1:
        analysis = analysis_of(networks[0], rows, reading, width=width, seeds=seeds, seed=seed)
        if (out is not None or as_json) and not no_networks:
            analysis.require_networks()
        html = (lambda: analysis.to_html(page=True, finite=not no_networks)) if out is not None else None
        document = (lambda: analysis.to_dict(finite=not no_networks)) if as_json else None
        text = str(analysis) if not as_json else ""
    else:
        comparison = comparison_of(networks, rows, reading)
        html = (lambda: comparison.to_html(page=True)) if out is not None else None
        document = comparison.to_dict if as_json else None
        text = str(comparison) if not as_json else ""
    if out is not None and html is not None:
        write_text(out, html())
        click.echo(f"page written to {out}", err=True)
        if open_page:
            click.launch(str(out))
    if document is not None:
        emit_json(document())
    else:
        click.echo(text)
