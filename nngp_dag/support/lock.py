"""One process at a time where results grow: a second one is told at once who is there.

The system holds the lock (`filelock`), so that a process that was killed leaves none behind; the file that carries it
says who has it, and is removed when the lock is given back.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from nngp_dag.errors import InputError
from nngp_dag.support.files import reported

__all__ = ["Lock"]

_KIND = "lock of nngp-dag"
_SHORT = 120
"""Bytes of a file's name that its lock's name may hold."""
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK})


class Lock:
    """The right to write in a place, until `release` or the end of the process. It may be used as a context.

    Args:
        place: a folder that exists, or a file in one, which need not exist.

    Raises:
        InputError: another process has it (the message says which, where and since when), or it cannot be taken.
    """

    def __init__(self, place: Path) -> None:
        self._path = _lock_file(place)
        self._lock = FileLock(self._path, thread_local=False, on_acquired=self._sign)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise InputError(
                f"{place} is in use by {_holder(self._path)}: wait for it to end, or choose another --out"
            ) from None
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                with reported(self._path):
                    raise
            print(f"nngp-dag: {place} cannot be locked ({error.strerror}): start no other run in it", file=sys.stderr)

    def release(self) -> None:
        """Give it back; nothing where that was done before."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):  # while it is held, so that nobody else's is removed
                self._path.unlink()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _sign(self, descriptor: int) -> None:
        """Write into the file of the lock who has it; a file of that name that is something else is left alone."""
        found = os.read(descriptor, 1000)
        if found and _KIND.encode() not in found:
            raise InputError(f"{self._path} is in the way of a lock: it is none")
        since = datetime.now(UTC).isoformat(timespec="seconds")
        owner = {"kind": _KIND, "pid": os.getpid(), "host": socket.gethostname(), "since": since}
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(owner).encode())
        except OSError:  # a full disk: the empty file would stay
            with contextlib.suppress(OSError):
                self._path.unlink()
            raise


def _lock_file(place: Path) -> Path:
    if place.is_dir():
        return place / ".nngp-dag.lock"
    name = place.name
    if len(os.fsencode(name)) > _SHORT:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
    return place.with_name(f".{name}.lock")


def _holder(path: Path) -> str:
    """The process that has a lock, in words."""
    try:
        owner = json.loads(path.read_bytes())
        return f"process {int(owner['pid'])} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, TypeError, KeyError):  # it has only just begun
        return "another process"
