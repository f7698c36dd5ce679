"""Plain CSV: a column with the architecture, and a column of accuracies in percent for each data set."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from nngp_dag.accuracy.table import Builder, Track
from nngp_dag.errors import InputError
from nngp_dag.support.reading_files import open_file
from nngp_dag.support.strict_json import parse_json

__all__ = ["ARCHITECTURE_COLUMNS", "read_csv"]

ARCHITECTURE_COLUMNS = ("architecture", "arch", "arch_str", "genotype", "cell", "code")
"""Names of the column with the architecture; the first of these that the header has."""

_MATRIX_COLUMNS = ("module_adjacency", "module_operations")
_MAX_FIELD = 1 << 20


def read_csv(
    path: Path,
    builder: Builder,
    datasets: Iterable[str] | None = None,
    track: Track | None = None,
) -> None:
    """Add the rows of a CSV file with a header.

    NAS-Bench-101 exports may have the columns `module_adjacency` and `module_operations` (JSON in each) instead of one
    architecture column. Every other column, or those named in `datasets`, holds accuracies in percent.

    Raises:
        InputError: a file that is no CSV, a missing column, or a bad row (its line is named).
    """
    csv.field_size_limit(_MAX_FIELD)
    try:
        with open_file(path, pipes=True) as binary, io.TextIOWrapper(binary, "utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = list(reader.fieldnames or [])
            notation = _notation_columns(path, header)
            columns = _accuracy_columns(path, header, notation, datasets)
            for row in reader if track is None else track(reader, None):
                where = f"{path}, line {reader.line_num}"
                if None in row or None in row.values():
                    builder.reject(where, InputError(f"expected {len(header)} columns, as in the header"))
                    continue
                try:
                    architecture = row[notation[0]] if len(notation) == 1 else _cell_json(row)
                except InputError as error:
                    builder.reject(where, error)
                    continue
                builder.add(where, architecture, {name: row[name] for name in columns})
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read {path} as CSV: {error}") from None


def _notation_columns(path: Path, header: list[str]) -> list[str]:
    named = [name for name in ARCHITECTURE_COLUMNS if name in header]
    if named:
        return named[:1]
    if all(name in header for name in _MATRIX_COLUMNS):
        return list(_MATRIX_COLUMNS)
    raise InputError(
        f"{path} has no column {' or '.join(ARCHITECTURE_COLUMNS)} in its header: {', '.join(header)[:80]}"
    )


def _accuracy_columns(path: Path, header: list[str], notation: list[str], datasets: Iterable[str] | None) -> list[str]:
    columns = [name for name in header if name not in notation] if datasets is None else list(datasets)
    missing = [name for name in columns if name not in header]
    if missing or not columns:
        raise InputError(f"{path} has no column of accuracies {', '.join(missing)}".rstrip())
    if len(set(header)) != len(header):
        raise InputError(f"{path} names a column twice in its header")
    return columns


def _cell_json(row: dict[str, str]) -> str:
    for name in _MATRIX_COLUMNS:
        try:
            parse_json(row[name])
        except InputError:
            raise InputError(f"{name} is not JSON: {row[name][:40]!r}") from None
    return f'{{"module_adjacency": {row[_MATRIX_COLUMNS[0]]}, "module_operations": {row[_MATRIX_COLUMNS[1]]}}}'
