"""A choice of faults that rotates with what is tested; the same for one key, so that a red run can be repeated."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from verify.mutation.inject import Fault

__all__ = ["key_of_checkout", "sample"]

_ROOT = Path(__file__).resolve().parents[2]


def sample(faults: Sequence[Fault], size: int, key: str) -> tuple[Fault, ...]:
    """The `size` faults whose names, hashed with the key, come first; in the order of `faults`."""
    chosen = sorted(faults, key=lambda fault: hashlib.sha256(f"{key} {fault.name}".encode()).digest())[:size]
    return tuple(fault for fault in faults if fault in chosen)


def key_of_checkout() -> str:
    """The commit of the checkout; without git a digest of the library's sources."""
    try:
        done = subprocess.run(
            ["git", "-C", str(_ROOT), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        content = hashlib.sha256()
        for file in sorted((_ROOT / "nngp_dag").rglob("*.py")):
            content.update(file.read_bytes())
        return content.hexdigest()[:12]
