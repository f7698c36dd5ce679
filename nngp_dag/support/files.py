"""Files that are whole or not there: written beside their place, handed to the disk, and renamed.

A reader sees the old content or the new one, whenever the writer is killed. The file beside has an unpredictable name
and must not exist before, so that no link that lies in the way is followed, and two writers do not meet. It is removed
where writing fails; what a kill leaves behind is a hidden `.NAME.*.tmp`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from nngp_dag.errors import InputError
from nngp_dag.support.reading_files import Kind, kind_of

__all__ = ["atomic_file", "check_writable", "make_folder", "reported", "write_bytes", "write_text"]

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL
for _name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):  # not all of them on every platform
    _FLAGS |= getattr(os, _name, 0)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """An open binary file whose content takes the place of `path` when the context ends without an exception.

    Args:
        path: in an existing folder; permissions are those of a new file (the process's umask decides).

    Raises:
        InputError: it cannot be written; the old content is still there.
    """
    if _kind_to_replace(path) is Kind.OTHER:  # a rename would put a file in the place of a device
        raise InputError(f"cannot write {path}: it is not a regular file")
    beside = path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}.tmp")
    with reported(path):
        descriptor = os.open(beside, _FLAGS, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(OSError):  # the first error is the one to report
                beside.unlink()
            raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that no reader ever sees half of it; InputError where it cannot be written."""
    with atomic_file(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write text in UTF-8, newlines as they are, so that no reader ever sees half of it; errors as `write_bytes`."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def reported(path: Path) -> Iterator[None]:
    """Within the context an OSError becomes one line (InputError): which file cannot be written, and why."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None


def check_writable(path: Path, expected: str, inputs: Iterable[Path | None] = ()) -> None:
    """Say before the work what would make its result impossible to write, or would take away what it is made from.

    Args:
        path: the file that will be written.
        expected: the kind of file whose name belongs there, with its article ("an .npz file").
        inputs: files that the work reads; those that are None or not there do not matter.

    Raises:
        InputError: the folder is missing or not writable, or the path is a folder itself, a pipe or a device, is one of
            the inputs, or has a name that no file can have.
    """
    kind = _kind_to_replace(path)
    if kind_of(path.parent, "write") is not Kind.FOLDER:
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    if kind is Kind.FOLDER:
        raise InputError(f"cannot write {path}: it is a directory (expected the name of {expected})")
    if kind is Kind.OTHER:
        raise InputError(f"cannot write {path}: it is not a regular file (expected the name of {expected})")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"cannot write {path}: no permission to write in {path.parent}")
    if any(_is_same(path, source) for source in inputs if source is not None):
        raise InputError(f"cannot write {path}: it is read as input (expected the name of another file)")


def _is_same(a: Path, b: Path) -> bool:
    """True where two names are of one file, also one that is not there yet."""
    try:
        return os.path.realpath(a) == os.path.realpath(b) or os.path.samefile(a, b)
    except (OSError, ValueError):  # missing, closed to us, or no name of a file: its reader says so
        return False


def _kind_to_replace(path: Path) -> Kind:
    """The object in whose place a file would come; what the process holds open (`/dev/stdout`, `/dev/fd/N`) is no file.

    Where such a stream goes to a file, the system calls it one; but a rename would take the place of its name in /dev,
    for everybody.
    """
    kind = kind_of(path, "write")
    with contextlib.suppress(OSError):
        held_open = path.is_symlink() and os.readlink(path).startswith("/proc/")
        if held_open or os.path.realpath(path.parent).startswith("/proc/"):
            return Kind.OTHER
    return kind


def make_folder(out: Path) -> Path:
    """Create a folder for results with its parents; InputError where that is not possible."""
    kind_of(out, "write")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create the folder {out}: {error.strerror or error}") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise InputError(f"the folder {out} is not writable")
    return out
