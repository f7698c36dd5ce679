"""`nngp-dag filter`: the architectures of a stream whose effective depth and width lie in a box."""

from __future__ import annotations

import sys
from typing import BinaryIO

import click

from nngp_dag.cli.common import emit_json, json_option
from nngp_dag.cli.data import LinesFile
from nngp_dag.cli.streams import reader_left
from nngp_dag.errors import InputError
from nngp_dag.spaces.prefilter import Prefilter, prefilter
from nngp_dag.support.reading_files import bounded_lines, line_text

__all__ = ["command"]


@click.command("filter")
@click.argument("space", metavar="SPACE")
@click.argument("file", type=LinesFile(), default="-", required=False)
@click.option("--keep-radius", metavar="SHARE", help="Share of the radius around the centre that is kept (0.5).")
@click.option("--ranges", metavar="DMIN,DMAX,MMIN,MMAX", help="Bounds of depth and width instead, included.")
@click.option("--cell", "cells", multiple=True, help="Cell that has to pass: normal, reduce; repeatable (all).")
@click.option("--skip-bad", is_flag=True, help="Count lines that cannot be read and go on.")
@json_option
def command(
    space: str,
    file: BinaryIO,
    keep_radius: str | None,
    ranges: str | None,
    cells: tuple[str, ...],
    skip_bad: bool,
    as_json: bool,
) -> None:
    """Write the architectures of FILE (or standard input), one per line, that pass the filter of Section 5.3.

    Lines come out unchanged, as fast as they come in; blank lines are skipped. Bounds are included and compared
    exactly.
    """
    if keep_radius is not None and ranges is not None:
        raise click.UsageError("give either --keep-radius or --ranges, not both")
    bounds = None if ranges is None else [part.strip() for part in ranges.split(",")]
    keep = prefilter(space, keep_radius, bounds, cells or None)
    kept: list[str] = []
    total = bad = 0
    for number, raw in enumerate(bounded_lines(file), start=1):
        if not raw.strip():
            continue
        total += 1
        try:
            line = line_text(raw)
            passes = keep(line)
        except InputError as error:
            if not skip_bad:
                raise InputError(f"line {number}: {error}") from None
            bad += 1
            continue
        if passes and as_json:
            kept.append(line)
        elif passes and not _written(raw if raw.endswith(b"\n") else raw + b"\n"):
            break
    if as_json:
        emit_json(_summary(keep, kept, total, bad))
    if bad:
        click.echo(f"nngp-dag: skipped {bad} of {total} lines that could not be read", err=True)


def _written(line: bytes) -> bool:
    """Write a line to stdout at once; False where its reader has closed it, as `head` does."""
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    return not reader_left()


def _summary(keep: Prefilter, kept: list[str], total: int, bad: int) -> dict[str, object]:
    return {
        "space": keep.space.name,
        "cells": keep.cells,
        "ranges": keep.box.bounds,
        "num_lines": total,
        "num_bad": bad,
        "num_kept": len(kept),
        "kept": kept,
    }
