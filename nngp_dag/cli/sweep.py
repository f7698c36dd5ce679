"""`nngp-dag sweep`: the figures of many DAGs, a row each in a CSV file; resumes where it was killed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import click
import numpy as np

from nngp_dag.cli.common import emit_json, json_option, use_float64
from nngp_dag.dag import Dag, enumerate_codes
from nngp_dag.errors import InputError
from nngp_dag.reading import EMBEDDINGS, METHODS, ORDERS, Setting

__all__ = ["command"]


@click.command("sweep")
@click.option("--nodes", type=click.IntRange(2, 6), help="Sweep all DAGs with this many nodes.")
@click.option(
    "--codes",
    "codes_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Sweep the codes in FILE, a line each.",
)
@click.option(
    "--data",
    required=True,
    metavar="SPEC",
    help="digits, mnist, cifar10, mnist-test, cifar10-test (each with an optional :N rows), or an .npy or .npz file.",
)
@click.option("--method", type=click.Choice(list(METHODS)), default="exact", show_default=True)
@click.option(
    "--order", type=click.Choice(ORDERS), help="Default: activation-last; for neural-tangents activation-first."
)
@click.option("--embedding", type=click.Choice(EMBEDDINGS), default=EMBEDDINGS[0], show_default=True)
@click.option("--activation", default="relu", show_default=True, metavar="NAME")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE.csv", help="Where the table goes.")
@click.option("--raw", is_flag=True, help="Do not scale rows to unit norm.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder with the original MNIST or CIFAR-10 files.",
)
@json_option
@use_float64
def command(
    nodes: int | None,
    codes_file: Path | None,
    data: str,
    method: str,
    order: str | None,
    embedding: str,
    activation: str,
    out: Path,
    raw: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Kernels of many DAGs on the same data: paths and the spectra of NNGP and NTK, a row a DAG.

    A sweep that was killed goes on where it stopped when it is started again with the same arguments.
    """
    from nngp_dag.datasets import load
    from nngp_dag.spectrum.dag_table import COLUMNS, sweep_figures, sweep_memory
    from nngp_dag.support.journal import TableJournal
    from nngp_dag.support.memory import require_memory
    from nngp_dag.support.progress import progress_bar

    if (nodes is None) == (codes_file is None):
        raise click.UsageError("Give either --nodes or --codes.")
    setting = Setting.make(method, order, embedding, activation)
    groups = [(0, enumerate_codes(nodes))] if nodes is not None else _read_codes(codes_file)  # type: ignore[arg-type]
    total = sum(len(codes) for _, codes in groups)
    x = load(data, raw=raw, data_dir=data_dir, labels=False).x
    num_nodes = max(Dag.from_array(codes[0]).num_nodes for _, codes in groups)
    require_memory(sweep_memory(len(x), num_nodes), f"a sweep over kernels of {len(x):,} rows")
    names = {"method": method, "order": setting.order, "embedding": embedding, "activation": activation}
    identity = {**names, "data": _digest(x), "codes": _digest(*(codes for _, codes in groups))}
    arguments: dict[str, Any] = {**names, "activation": setting.activation}
    with TableJournal(out, COLUMNS, identity) as journal:
        resumed = len(journal.rows)
        with progress_bar("DAGs", total, "DAGs", start=resumed) as advance:
            for places, codes in groups:
                places = np.arange(len(codes)) + places if isinstance(places, int) else places
                left = np.flatnonzero([int(place) not in journal.rows for place in places])
                if not len(left):
                    continue
                for index, rows in sweep_figures(codes[left], x, **arguments):
                    journal.add(places[left][index], rows)
                    advance(len(journal.rows))
        journal.finish()
    summary = {"out": str(out), "num_dags": total, "n": len(x), "resumed": resumed, **names}
    if as_json:
        emit_json(summary)
    else:
        click.echo(
            f"{total:,} DAGs on {len(x):,} rows written to {out}" + (f" ({resumed:,} resumed)" if resumed else "")
        )


def _read_codes(path: Path) -> list[tuple[Any, np.ndarray]]:
    """The codes of a file in groups of equal node count: (places in the file [a], flat codes [a, E])."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise InputError(f"cannot read {path}: {reason}") from None
    dags = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            dags.append(Dag.from_code(line.strip()))
        except InputError as error:
            raise InputError(f"{path}, line {number}: {error}") from None
    if not dags:
        raise InputError(f"{path} has no codes: expected one a line, like 2_02_002")
    sizes = np.array([dag.num_nodes for dag in dags])
    groups: list[tuple[Any, np.ndarray]] = []
    for size in np.unique(sizes):
        places = np.flatnonzero(sizes == size)
        groups.append((places, np.stack([dags[i].to_array() for i in places])))
    return groups


def _digest(*arrays: np.ndarray) -> str:
    """What identifies data across runs."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
