"""`nngp-dag sweep`: statistics of many DAGs, a row per DAG in a CSV file; resumes where it was killed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nngp_dag.cli.common import announce, emit_json, json_option, use_float64
from nngp_dag.cli.data import RowSource, row_options
from nngp_dag.cli.devices import chosen_devices, devices_option
from nngp_dag.cli.reading import setting_options
from nngp_dag.dag import Dag, enumerate_codes
from nngp_dag.errors import InputError
from nngp_dag.reading import Setting
from nngp_dag.support.files import check_writable
from nngp_dag.support.progress import progress_bar
from nngp_dag.support.reading_files import read_text

if TYPE_CHECKING:
    import numpy as np

    from nngp_dag.spectrum.sweep_cost import SweepCost

__all__ = ["command"]


@click.command("sweep")
@click.option("--nodes", type=click.IntRange(2, 6), help="Sweep all DAGs with this many nodes.")
@click.option(
    "--codes",
    "codes_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Sweep the codes in FILE, one per line.",
)
@row_options()
@setting_options
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE.csv", help="Where the table goes.")
@click.option(
    "--no-eigenvalues",
    "eigenvalues",
    flag_value=False,
    default=True,
    help="Leave out what needs eigenvalues: no kernel is formed, DAGs of equal kernels are looked at once.",
)
@devices_option("Share the DAGs by them.")
@json_option
@use_float64
def command(
    nodes: int | None,
    codes_file: Path | None,
    data: RowSource,
    setting: Setting,
    out: Path,
    eigenvalues: bool,
    devices: int | None,
    as_json: bool,
) -> None:
    """Kernels of many DAGs on the same data: paths and the spectra of NNGP and NTK, a row per DAG.

    With --no-eigenvalues norms, means, participation ratios, pair bounds and the alignment with labels, if the data has
    any: many times faster, and with no kernel in memory.

    A sweep that was killed goes on where it stopped when it is started again with the same arguments.
    """
    from nngp_dag.spectrum.sweep_cost import sweep_cost
    from nngp_dag.spectrum.sweep_file import sweep_to_file

    if (nodes is None) == (codes_file is None):
        raise click.UsageError("Give either --nodes or --codes.")
    if devices is not None and not eigenvalues:
        raise click.UsageError("--no-eigenvalues uses all cores of one device: leave --devices out.")
    check_writable(out, "a CSV file", [codes_file, data.file])
    listed = [] if codes_file is None else _read_codes(codes_file)
    x, y = _rows_and_classes(data, classes=not eigenvalues)
    largest = nodes or max(dag.num_nodes for dag in listed)
    _announce(sweep_cost(len(listed) or 3 ** (largest * (largest - 1) // 2), largest, len(x), eigenvalues), out)
    chosen = chosen_devices(devices)
    codes = listed or enumerate_codes(largest)
    done = sweep_to_file(codes, x, out, setting, y=y, eigenvalues=eigenvalues, progress=progress_bar, devices=chosen)
    if as_json:
        counts = {"num_dags": done.num_dags, "n": len(x), "resumed": done.num_resumed}
        emit_json({"out": str(out), **counts, **setting.names()})
    else:
        resumed = f" ({done.num_resumed:,} resumed)" if done.num_resumed else ""
        click.echo(f"{done.num_dags:,} DAGs on {len(x):,} rows written to {out}{resumed}")


def _rows_and_classes(data: RowSource, classes: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """The rows, and their classes where these are wanted and there are any; a line says why there are none."""
    if classes:
        try:
            loaded = data.load()
            return loaded.x, loaded.y
        except InputError as error:
            without = data.load(labels=False)  # raises again where it is the rows that are wrong
            click.echo(f"no alignments: {error}", err=True)
            return without.x, None
    return data.load(labels=False).x, None


def _announce(cost: SweepCost, out: Path) -> None:
    """Say what a long sweep takes, and that it resumes; refuse one for which there is no disk."""
    cost.require_disk(out)
    announce(cost.seconds, f"{cost.words}; it resumes where it is interrupted")


def _read_codes(path: Path) -> list[Dag]:
    """The DAGs of a file with a code per line; blank lines are skipped."""
    lines = read_text(path).splitlines()
    dags = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            dags.append(Dag.from_code(line.strip()))
        except InputError as error:
            raise InputError(f"{path}, line {number}: {error}") from None
    if not dags:
        raise InputError(f"{path} has no codes: expected one per line, like 2_02_002")
    return dags
