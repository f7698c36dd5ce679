"""Finished claims of an unfinished run, so that a run that was killed resumes.

While a run goes on, `DIR/partial/` holds one record per finished claim and a fingerprint of everything that they depend
on: profile, seed, data and the sources of library and claims. A run with another fingerprint starts afresh; one that
ends removes the folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import nngp_dag
from nngp_dag.support.files import write_text
from verify.framework.options import Options
from verify.framework.record import ClaimRecord

__all__ = ["Store", "fingerprint"]


def fingerprint(options: Options, claim_files: Iterable[str]) -> str:
    """A hash of profile, seed, data and the sources of library, framework and claims."""
    digest = hashlib.sha256(f"{options.profile}|{options.seed}|{options.data}|{options.data_dir}".encode())
    roots = [Path(str(nngp_dag.__file__)).parent, Path(__file__).parents[1]]
    files = {path for root in roots for path in root.rglob("*.py")} | {Path(file) for file in claim_files}
    for path in sorted(files):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


class Store:
    """The records of finished claims in `folder`, valid for one fingerprint."""

    def __init__(self, folder: Path, key: str, fresh: bool = False) -> None:
        self.folder = folder
        marker = folder / "fingerprint"
        if fresh or not marker.is_file() or marker.read_text(encoding="utf-8") != key:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            write_text(marker, key)

    def load(self) -> dict[str, ClaimRecord]:
        """Records by claim identifier; claims that crashed are tried again."""
        records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(self.folder.glob("*.json"))]
        return {record["id"]: record for record in records if record["verdict"] != "crashed"}

    def save(self, record: ClaimRecord) -> None:
        """Keep the record of a finished claim."""
        write_text(self.folder / f"{record['id']}.json", json.dumps(record, allow_nan=False))

    def clear(self) -> None:
        """Forget everything: the run is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)
