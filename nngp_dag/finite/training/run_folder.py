"""The folder of a run of training: one process at a time, and nothing removed from it that is somebody else's."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from nngp_dag.errors import InputError
from nngp_dag.support.files import make_folder
from nngp_dag.support.lock import Lock
from nngp_dag.support.own_folder import disown_if_empty, own_folder
from nngp_dag.support.reading_files import Kind, kind_of

__all__ = ["MARKER", "run_folder"]

MARKER = "made-by-nngp-dag.txt"
"""Name of the file that tells a folder of checkpoints from any other folder of that name."""

_WORDS = "the checkpoints of a run, which goes on from them with --resume. May be removed by hand while no run goes on."


@contextlib.contextmanager
def run_folder(out: Path, resume: bool) -> Iterator[Path]:
    """The folder of a run's checkpoints, `out/checkpoints`, for this process alone within the context.

    What a run that failed leaves empty is removed again.

    Args:
        out: folder of the run, created with its parents.
        resume: go on with the run that is there, if there is one (else that is said on stderr).

    Raises:
        InputError: another process has the folder, a run is there and `resume` is False, `out/checkpoints` is somebody
            else's, or they cannot be made.
    """
    kind = kind_of(out, "write")
    if kind not in (Kind.MISSING, Kind.FOLDER):
        raise InputError(f"--out {out} is not a folder")
    folder = make_folder(out) / "checkpoints"
    try:
        with Lock(out):
            try:
                own_folder(folder, MARKER, "nngp-dag", _WORDS)
                _check_resume(out, folder, resume)
                yield folder
            finally:
                disown_if_empty(folder, MARKER)
    except BaseException:
        if kind is Kind.MISSING:
            with contextlib.suppress(OSError):  # something was kept there: it stays
                out.rmdir()
        raise


def _check_resume(out: Path, folder: Path, resume: bool) -> None:
    held = any(path.is_file() and path.name != MARKER for path in folder.rglob("*"))
    if held and not resume:
        raise InputError(f"{out} already holds a run: continue it with --resume, or choose another folder")
    if resume and not held:
        print(f"{out} holds no checkpoint yet: starting from the beginning", file=sys.stderr)
