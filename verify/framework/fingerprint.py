"""Everything that a claim's record depends on, so that no record of other data, code or libraries is taken over."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import nngp_dag
from nngp_dag.datasets import NAMES, Dataset, cifar, idx, load
from nngp_dag.errors import InputError
from verify.framework.environment import versions
from verify.framework.options import Options

__all__ = ["checked_data", "differing", "fingerprint", "source_files"]

_READ = frozenset({".py", ".csv", ".json"})
"""Endings of the files of this package that a verdict may depend on."""


def fingerprint(options: Options, data: Dataset) -> dict[str, str | int]:
    """All that the records of a run depend on, by name (JSON-able): two runs with the same one may share records.

    Args:
        options: how claims are run.
        data: the rows that `options.data` names (`checked_data`).
    """
    packages = (Path(str(nngp_dag.__file__)).parent, Path(__file__).parents[1])
    library = [path for folder in packages for path in source_files(folder, _READ) if "baselines" not in path.parts]
    return {
        "profile": options.profile,
        "seed": options.seed,
        "--data": options.data,
        "content of --data": _digest_rows(data),
        "content of --data-dir": _digest_files(_original_files(options.data_dir)),
        "source of nngp_dag": _digest_files(library),
        "source of the claims": _digest_files(path for folder in options.directories for path in source_files(folder)),
        "versions of Python and libraries": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }


def differing(one: dict[str, object], other: dict[str, str | int]) -> list[str]:
    """Names of what is not the same in two fingerprints."""
    return [name for name in other if one.get(name) != other[name]]


def checked_data(options: Options) -> Dataset:
    """The rows of `--data`; of a named set without a number of rows the first few, whose files stand for the others.

    Raises:
        InputError: there is no such data, or it cannot be used.
    """
    named = options.data in NAMES and options.data != "digits" and not Path(options.data).is_file()
    return load(f"{options.data}:2" if named else options.data, data_dir=options.data_dir)


def source_files(folder: str | Path, endings: Iterable[str] = (".py",)) -> list[Path]:
    """The files below a folder with one of these endings, sorted; hidden folders and links to folders are left out."""
    found = []
    for path in Path(folder).iterdir():
        if path.is_file():
            found += [path] if path.suffix in endings else []
        elif path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            found += source_files(path, endings)
    return sorted(found)


def _original_files(folder: str | None) -> Iterator[Path]:
    """The files of MNIST and CIFAR-10 in a folder, as far as they are there."""
    if folder is None:
        return
    for name in (name for name in NAMES if name != "digits"):
        with contextlib.suppress(InputError):  # whatever needs it will say that it is missing
            if name in idx.FILES:
                yield from idx.find_mnist(name, Path(folder))
            else:
                location = cifar.find_cifar(name, Path(folder))
                batches = [location / batch for batch in cifar.BATCHES[name]]
                yield from batches if location.is_dir() else [location]


def _digest_files(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from None
        digest.update(f"{path}\0{content}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _digest_rows(data: Dataset) -> str:
    arrays: Sequence = [array for array in (data.x, data.y) if array is not None]
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
