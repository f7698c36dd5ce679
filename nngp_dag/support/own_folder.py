"""Folders that this program makes, and may later clean up in: a file in them says so, and others are left alone."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from nngp_dag.errors import InputError
from nngp_dag.support.files import reported, write_text

__all__ = ["disown_if_empty", "own_folder"]


def own_folder(folder: Path, marker: str, maker: str, words: str) -> None:
    """Make a folder that is never there without its marker, or take one that has it; one that is empty gets it.

    Args:
        folder: in an existing folder.
        marker: name of the file that says who made the folder.
        maker: who that is ("nngp-dag verify").
        words: what else the file says, a sentence or two.

    Raises:
        InputError: something else is there, which is left alone, or it cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is in the way of what {maker} keeps: it is no folder")
    text = f"Made by {maker}: {words}\n"
    with reported(folder):
        if not folder.exists():
            beside = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.tmp")
            beside.mkdir()
            try:
                write_text(beside / marker, text)
                beside.rename(folder)
            except BaseException:
                with contextlib.suppress(OSError):  # the first error is the one to report
                    (beside / marker).unlink(missing_ok=True)
                    beside.rmdir()
                raise
        elif not any(folder.iterdir()):
            write_text(folder / marker, text)
    if not _is_marked(folder / marker, maker):
        raise InputError(
            f"{folder} was not made by {maker} (it has no {marker}) and is left alone: remove it, or choose another"
            " --out"
        )


def disown_if_empty(folder: Path, marker: str) -> None:
    """Remove a folder of `own_folder` where it holds nothing but its marker."""
    with contextlib.suppress(OSError):  # what cannot be removed stays, marked
        if [path.name for path in folder.iterdir()] == [marker]:
            (folder / marker).unlink()
            folder.rmdir()


def _is_marked(marker: Path, maker: str) -> bool:
    try:
        return not marker.is_symlink() and marker.read_bytes().startswith(f"Made by {maker}".encode())
    except OSError:
        return False
