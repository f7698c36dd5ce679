"""One way in for all benchmark files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from nngp_dag.accuracy.csv_files import read_csv
from nngp_dag.accuracy.json_files import read_json
from nngp_dag.accuracy.nats import read_nats
from nngp_dag.accuracy.table import Benchmark, Builder, Track
from nngp_dag.errors import InputError
from nngp_dag.spaces import Space, get
from nngp_dag.support.reading_files import Kind, kind_of

__all__ = ["read"]


def read(
    space: str | Space,
    paths: str | Path | Sequence[str | Path],
    skip_bad: bool = False,
    datasets: Iterable[str] | None = None,
    track: Track | None = None,
) -> Benchmark:
    """The benchmark in one or more files of the same space: CSV, JSON (NDS, NAS-Bench-101) or a NATS-Bench archive.

    Args:
        space: a space or its name; `nds` takes the files of all five NDS spaces together.
        paths: `.csv` and `.json` files; a folder or `.pbz2` file is taken for NATS-Bench.
        skip_bad: count rows that cannot be used, instead of refusing the file.
        datasets: the accuracy columns of a CSV file to read, by default all.
        track: shows progress over the rows of a file, given an iterable and how many there are (None where unknown).

    Raises:
        InputError: a file that does not exist or is of no known form, or a row that cannot be used (it is named).
    """
    space = get(space) if isinstance(space, str) else space
    files = [Path(p) for p in ([paths] if isinstance(paths, (str, Path)) else paths)]
    builder = Builder(space, skip_bad)
    for path in files:
        kind = kind_of(path)
        if kind is Kind.MISSING:
            raise InputError(f"no such benchmark file: {path}")
        if kind is Kind.FOLDER or path.suffix == ".pbz2":
            read_nats(path, builder, track=track)
        elif path.suffix == ".csv":
            read_csv(path, builder, datasets, track)
        elif path.suffix == ".json":
            read_json(path, builder, track=track)
        else:
            raise InputError(
                f"unknown kind of benchmark file {path}: .csv, .json, .pbz2 or a NATS-Bench folder expected"
            )
    return builder.build([str(path) for path in files])
