"""Images in a folder: PNG and JPEG files, in one sub-folder per class or all in the folder itself."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from nngp_dag.errors import InputError
from nngp_dag.support.memory import require_memory
from nngp_dag.support.reading_files import Kind, kind_of, open_file, reading

__all__ = ["SUFFIXES", "read_image_folder"]

SUFFIXES = (".png", ".jpg", ".jpeg")
_COPIES = 3 * 4
"""Bytes per channel value while images are read and normalised: floats, three times."""


def read_image_folder(folder: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """All images of a folder, and their classes.

    Sub-folders that hold images are the classes, numbered by their names in alphabetical order; without any the images
    lie in the folder itself and have no class. Other files are passed by. Grey images and those with transparency
    become RGB.

    Args:
        folder: an existing folder.

    Returns:
        Bytes [N, h, w, 3], images in the order of their names; and int64 [N], or None without classes.

    Raises:
        InputError: no images, images beside folders of images, files that cannot be read or are no images, or images
            that differ in size or are not square.
    """
    own = _images(folder)
    with reading(folder):
        inside = sorted(inner for inner in folder.iterdir() if kind_of(inner) is Kind.FOLDER)
    classes = [files for files in map(_images, inside) if files]
    if own and classes:
        raise InputError(f"{folder} has images beside folders of images: sub-folders are classes, use one or the other")
    if not own and not classes:
        raise InputError(f"{folder} has no images: {', '.join(SUFFIXES)} are read, in it or in a sub-folder per class")
    files = own or [file for inner in classes for file in inner]
    labels = None if own else np.repeat(np.arange(len(classes)), [len(inner) for inner in classes]).astype(np.int64)
    return _read(files), labels


def _images(folder: Path) -> list[Path]:
    with reading(folder):
        files = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    return sorted(path for path in files if kind_of(path) is not Kind.FOLDER)


def _read(files: Sequence[Path]) -> np.ndarray:
    """Bytes [N, h, w, 3]; sizes are known, and checked, before any image is unpacked."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        side, height = _size(files[0])
        if side != height:
            raise InputError(f"{files[0]} is {height}x{side}: square images are needed")
        require_memory(_COPIES * 3 * len(files) * side * side, f"{files[0].parent} ({len(files):,} images)")
        pixels = np.empty((len(files), side, side, 3), np.uint8)
        for place, file in enumerate(files):
            width, height = _size(file)
            if (width, height) != (side, side):
                raise InputError(f"{file} is {height}x{width}, and {files[0]} {side}x{side}: one size is needed")
            pixels[place] = _pixels(file)
    return pixels


def _size(file: Path) -> tuple[int, int]:
    """Width and height, from the file's header."""
    with _opened(file) as image:
        return image.size


def _pixels(file: Path) -> np.ndarray:
    with _opened(file) as image:
        return np.asarray(image.convert("RGB"))


@contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """The image of a file, not yet unpacked; whatever is wrong with it then or later is one line (InputError)."""
    with open_file(file) as stream:
        try:
            with Image.open(stream, formats=("PNG", "JPEG")) as image:
                yield image
        except UnidentifiedImageError:
            raise InputError(f"cannot read {file}: it is no PNG or JPEG image") from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise InputError(f"cannot read {file}: it unpacks to too many pixels") from None
        except (OSError, SyntaxError, ValueError, EOFError):  # as Pillow reports what is torn
            raise InputError(f"cannot read {file}: it is damaged or truncated") from None
