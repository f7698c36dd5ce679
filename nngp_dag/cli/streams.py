"""The standard streams of the command line, made such that no command has to think of them.

A reader that closes the pipe (`| head -1`) has what it wants: what is written after that goes nowhere, and the command
ends with the status of its work. A full disk (`> /dev/full`) loses results: one line (InputError). A stream that was
closed from the start (`>&-`) is replaced by nothing, so that no file that is opened later takes its place. Messages on
stderr that cannot be written are not worth an error.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from nngp_dag.errors import InputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["prepare_streams", "reader_left"]


class _Output(io.FileIO):
    """Standard output.

    Attributes:
        left: whether its reader has closed the pipe.
    """

    def __init__(self) -> None:
        super().__init__(sys.__stdout__.fileno() if sys.__stdout__ else 1, "w", closefd=False)
        self.left = False

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            self.left = True
            _to_nothing(self.fileno())
            return memoryview(data).nbytes
        except OSError as error:
            _to_nothing(self.fileno())
            raise InputError(f"cannot write standard output: {error.strerror or error}") from None


class _Messages(io.FileIO):
    """Standard error."""

    def __init__(self) -> None:
        super().__init__(sys.__stderr__.fileno() if sys.__stderr__ else 2, "w", closefd=False)

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            _to_nothing(self.fileno())
            return memoryview(data).nbytes


def prepare_streams() -> None:
    """Put the streams above in the place of the process's own; streams that a caller has replaced stay."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            _to_nothing(descriptor)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    elif sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _text(sys.stdout, _Output())
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    elif sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _text(sys.stderr, _Messages())


def reader_left() -> bool:
    """True once whoever read standard output has closed it: nothing that is only written there is of use any more."""
    output = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return isinstance(output, _Output) and output.left


def _text(old: io.TextIOWrapper, raw: io.FileIO) -> io.TextIOWrapper:
    old.flush()
    errors = "backslashreplace" if old.errors == "strict" else old.errors  # a terminal without ± shows its number
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=old.encoding, errors=errors, line_buffering=old.line_buffering
    )


def _to_nothing(descriptor: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != descriptor:
        os.dup2(nothing, descriptor)
        os.close(nothing)
