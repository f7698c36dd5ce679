"""The options that say which data a command takes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar

import click

from nngp_dag.support.reading_files import open_file

if TYPE_CHECKING:
    from nngp_dag.datasets import Dataset
    from nngp_dag.nas import Images

__all__ = [
    "LABELLED",
    "ROWS",
    "ImageSource",
    "LinesFile",
    "RowSource",
    "data_dir_option",
    "image_options",
    "row_options",
]

_T = TypeVar("_T")

ROWS = "digits:128"
"""Rows where no --data is given."""
_ROWS = "digits, mnist, cifar10, mnist-test, cifar10-test (each with an optional :N rows), or an .npy or .npz file."
LABELLED = "Rows with labels: digits, mnist, cifar10, ... (with an optional :N), or an .npz file with x and y."
"""The help of --data where labels are needed."""
_IMAGES = "cifar10, cifar10-test (with an optional :N), an .npz or .npy of images [N, h, w, 3], or a folder of images."


class OptionDecorator(Protocol):
    """Adds options to a command."""

    def __call__(self, command: Callable[..., _T], /) -> Callable[..., _T]: ...


@dataclass(frozen=True)
class RowSource:
    """Rows that were named on the command line.

    Attributes:
        spec: SPEC as it was given.
        raw: rows keep their norms.
        folder: where the publishers' files are, None for the cache.
    """

    spec: str
    raw: bool
    folder: Path | None

    @property
    def file(self) -> Path | None:
        """The file of rows that SPEC names; None where it names a data set."""
        return _array_file(self.spec)

    def load(self, spec: str | None = None, *, labels: bool = True, raw: bool | None = None) -> Dataset:
        """The rows, or those of another SPEC read in the same way; `raw` overrides what was given."""
        from nngp_dag.datasets import load

        raw = self.raw if raw is None else raw
        return load(self.spec if spec is None else spec, raw=raw, data_dir=self.folder, labels=labels)


@dataclass(frozen=True)
class ImageSource:
    """Images that were named on the command line.

    Attributes:
        spec: SPEC as it was given.
        folder: where the publisher's files are, None for the cache.
    """

    spec: str
    folder: Path | None

    @property
    def file(self) -> Path | None:
        """The file of images that SPEC names; None where it names a data set or a folder."""
        return _array_file(self.spec)

    def load(self, size: int | None = None) -> Images:
        """The images, of `size` x `size` pixels where that is given."""
        from nngp_dag.nas.images import load_images

        return load_images(self.spec, data_dir=self.folder, size=size)


class LinesFile(click.ParamType):
    """A file of lines, open while the command runs; "-" is standard input.

    Not click's own: that one waits for the writer of a pipe, and reads devices that never end.
    """

    name = "filename"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> BinaryIO:
        """The open file; InputError where `open_file` refuses it."""
        assert ctx is not None
        if value == "-":
            return sys.stdin.buffer
        return ctx.with_resource(open_file(Path(str(value)), pipes=True))

    @staticmethod
    def path_of(file: BinaryIO | None) -> Path | None:
        """The path that was given; None for standard input, or where nothing was given."""
        return None if file is None or file is sys.stdin.buffer else Path(file.name)


def _array_file(spec: str) -> Path | None:
    """The file of arrays that a SPEC names, if it names one."""
    from nngp_dag.support.array_files import SUFFIXES

    path = Path(spec)
    return path if path.suffix.lower() in SUFFIXES else None


def _data_option(default: str, words: str) -> OptionDecorator:
    return click.option("--data", default=default, show_default=True, metavar="SPEC", help=words)


def data_dir_option(words: str) -> OptionDecorator:
    """Add --data-dir."""
    return click.option("--data-dir", type=click.Path(path_type=Path), metavar="DIR", help=words)


def row_options(
    default: str = ROWS,
    words: str = _ROWS,
    folder: str = "Folder with the original MNIST or CIFAR-10 files.",
) -> OptionDecorator:
    """Add --data, --raw and --data-dir, and hand the command one `data: RowSource`.

    Args:
        default: SPEC where none is given.
        words: the help of --data.
        folder: the help of --data-dir.
    """

    def decorator(function: Callable[..., _T]) -> Callable[..., _T]:
        @functools.wraps(function)
        def command(*args: object, data: str, raw: bool, data_dir: Path | None, **options: object) -> _T:
            return function(*args, data=RowSource(data, raw, data_dir), **options)

        raw_option = click.option("--raw", is_flag=True, help="Do not scale rows to unit norm.")
        return _data_option(default, words)(raw_option(data_dir_option(folder)(command)))

    return decorator


def image_options(words: str = _IMAGES, folder: str = "Folder with the CIFAR-10 files.") -> OptionDecorator:
    """Add --data (by default cifar10) and --data-dir, and hand the command one `images: ImageSource`.

    Args:
        words: the help of --data.
        folder: the help of --data-dir.
    """

    def decorator(function: Callable[..., _T]) -> Callable[..., _T]:
        @functools.wraps(function)
        def command(*args: object, data: str, data_dir: Path | None, **options: object) -> _T:
            return function(*args, images=ImageSource(data, data_dir), **options)

        return _data_option("cifar10", words)(data_dir_option(folder)(command))

    return decorator
