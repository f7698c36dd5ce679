"""Finished claims of an unfinished run, so that a run that was killed resumes.

While a run goes on, a folder of a name of its own, below the folder of the reports, holds the record of every finished
claim with a checksum, after the fingerprint of what they depend on; and the programs that JAX has compiled. A file in
it says what made it. A folder without that file is somebody else's and is left alone, and so is every file in it that
was not written here.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Self

from nngp_dag.errors import InputError
from nngp_dag.support.files import reported
from nngp_dag.support.own_folder import disown_if_empty, own_folder
from nngp_dag.support.row_log import Key, Log, RowLog, open_log
from verify.framework.fingerprint import differing
from verify.framework.record import ClaimRecord, EvidenceRecord
from verify.framework.verdict import Verdict

__all__ = ["NAME", "Store"]

NAME = ".nngp-dag-verify-unfinished"
"""Name of the folder, below that of the reports."""

_MARKER, _LOG, _COMPILED = "made-by-nngp-dag-verify.txt", "finished-claims", "compiled"
_WORDS = """the claims that an unfinished run has finished. The same command goes on where it was, and removes this
folder at its end. It may be removed by hand, too, while no run goes on."""
_PROGRAM = re.compile(r".+-(cache|atime)|\.lockfile")
"""Names under which JAX keeps compiled programs."""
_TORN = re.compile(rf"\.({_MARKER}|{_LOG})\.[0-9a-f]{{16}}\.tmp")
"""Names of files that a kill kept from being renamed (`nngp_dag.support.files`)."""


class Store:
    """The records of finished claims of a run. Use it as a context.

    Args:
        out: folder of the reports, which must exist.
        identity: what the records depend on (`verify.framework.fingerprint`); those of anything else are left out.
        fresh: leave out all that is there.

    Attributes:
        records: records of finished claims that are there already, by identifier. Claims that crashed are not among
            them: they are tried again.
        remarks: lines that say what was there and is not taken over.

    Raises:
        InputError: the folder is not one of this program, or cannot be written.
    """

    def __init__(self, out: Path, identity: dict[str, str | int], fresh: bool = False) -> None:
        self._folder = _own_folder(out / NAME)
        self.remarks: list[str] = []
        log = None if fresh else open_log(self._folder / _LOG)
        records = {} if log is None else self._intact(log, identity)
        self.records = {name: record for name, record in records.items() if record["verdict"] != Verdict.CRASHED}
        lines: dict[Key, str] = {name: _line(record) for name, record in self.records.items()}
        self._log = RowLog(self._folder / _LOG, identity, lines)
        self._finished = len(lines)

    def __len__(self) -> int:
        return self._finished

    @property
    def compiled(self) -> Path:
        """Folder for programs that JAX compiles."""
        return self._folder / _COMPILED

    def save(self, record: ClaimRecord) -> None:
        """Keep the record of a finished claim; InputError where it cannot be written."""
        self._log.append([(record["id"], _line(record))])
        self._finished += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files; without `clear` what is finished waits for another run."""
        self._log.close()

    def clear(self) -> None:
        """The run is complete: remove what was written here, and the folder where it holds nothing else."""
        self._log.remove()
        with reported(self._folder):
            for folder, name in ((self.compiled, _PROGRAM), (self._folder, _TORN)):
                for path in folder.iterdir():
                    if name.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                        path.unlink()
            with contextlib.suppress(OSError):  # files of others stay, and so does their folder
                self.compiled.rmdir()
        disown_if_empty(self._folder, _MARKER)

    def _intact(self, log: Log, identity: dict[str, str | int]) -> dict[str, ClaimRecord]:
        """The records of a log that are whole and of this run, by identifier."""
        if log.identity is not None and (names := differing(log.identity, identity)):
            self.remarks.append(f"its {len(log.rows)} finished claims are of another run ({', '.join(names)})")
            return {}
        records = {str(key): _record(str(key), line) for key, line in log.rows.items()}
        damaged = log.damaged + sum(record is None for record in records.values())
        if damaged:
            self.remarks.append(f"{damaged} of its records damaged, torn off or written twice")
        return {name: record for name, record in records.items() if record is not None}


def _own_folder(folder: Path) -> Path:
    """The folder with its marker and a folder for compiled programs, made where it is missing.

    Raises:
        InputError: it is there and this program did not make it, or it cannot be made.
    """
    compiled = folder / _COMPILED
    for path in (folder, compiled):
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise InputError(f"{path} is in the way of what verify keeps while it runs: it is no folder")
    own_folder(folder, _MARKER, "nngp-dag verify", _WORDS)
    with reported(compiled):
        compiled.mkdir(exist_ok=True)
    return folder


def _line(record: ClaimRecord) -> str:
    return json.dumps(record, allow_nan=False)


def _record(identifier: str, line: str) -> ClaimRecord | None:
    """The record in a line; None where it is none of that claim."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or record.keys() != ClaimRecord.__annotations__.keys():
        return None
    evidence = record["evidence"]
    whole = isinstance(evidence, dict) and evidence.keys() == EvidenceRecord.__annotations__.keys()
    return record if whole and record["id"] == identifier and record["verdict"] in set(Verdict) else None  # type: ignore[return-value]
