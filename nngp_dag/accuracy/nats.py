"""NATS-Bench's topology benchmark (NAS-Bench-201), through the publisher's `nats-bench` package.

The publisher's files are compressed pickles, and a pickle can run any code. The package is therefore given another
loader, which knows only containers and plain numbers.
"""

from __future__ import annotations

import bz2
import importlib
import io
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nngp_dag.accuracy.table import Builder, Track
from nngp_dag.errors import InputError
from nngp_dag.support.reading_files import Kind, bounded_read, kind_of, open_file

__all__ = ["TEST_SETS", "read_nats", "safe_load"]

TEST_SETS = {"cifar10": "ori-test", "cifar100": "x-test", "ImageNet16-120": "x-test"}
"""The publisher's name of the test set of each data set."""

_ALLOWED = {
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("builtins", "int"),
    ("builtins", "float"),
    ("builtins", "list"),
    ("builtins", "dict"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
}


def read_nats(
    path: Path,
    builder: Builder,
    epochs: int = 200,
    track: Track | None = None,
) -> None:
    """Add the test accuracies, averaged over the seeds, of a NATS-Bench topology archive.

    Args:
        path: the folder `NATS-tss-v1_0-3ffb9-simple`, or the single file `NATS-tss-...pickle.pbz2`.
        builder: where the rows go.
        epochs: 12 or 200, the training that is asked for.
        track: shows progress over the numbers of the architectures, given those and how many they are.

    Raises:
        InputError: the package is not installed, or the archive is not the publisher's, or contains anything but data.
    """
    try:
        package = importlib.import_module("nats_bench")
    except ImportError:
        raise InputError(f"reading {path} needs the nats-bench package: pip install nats-bench") from None
    with _safe_loader():
        try:
            api = package.create(str(path), "tss", fast_mode=path.is_dir(), verbose=False)
            numbers = range(len(api.meta_archs))
            for i in numbers if track is None else track(numbers, len(numbers)):
                accuracy = {name: _mean_accuracy(api, i, name, epochs) for name in TEST_SETS}
                builder.add(f"{path}, architecture {i}", api.meta_archs[i], accuracy)
        except InputError:
            raise
        except (
            OSError,
            EOFError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            AssertionError,
            RecursionError,
        ) as error:
            raise InputError(f"{path} is not a NATS-Bench topology archive: {error}") from None
        except (pickle.UnpicklingError, IndexError) as error:
            raise InputError(f"{path} is damaged or holds more than data: {error}") from None


def _mean_accuracy(api: Any, index: int, dataset: str, epochs: int) -> float:
    info = api.get_more_info(index, dataset, hp=str(epochs), is_random=False)
    return float(info["test-accuracy"])


@contextmanager
def _safe_loader() -> Iterator[None]:
    modules: list[Any] = [importlib.import_module(f"nats_bench.{name}") for name in ("api_utils", "api_topology")]
    originals = [module.pickle_load for module in modules]
    try:
        for module in modules:
            module.pickle_load = safe_load
        yield
    finally:
        for module, original in zip(modules, originals, strict=True):
            module.pickle_load = original


def safe_load(path: str | os.PathLike[str], ext: str = ".pbz2") -> object:
    """The content of a file, containers and numbers alone, as from the package's `pickle_load`.

    Raises:
        InputError: the file holds anything else, which is named.
    """
    file = Path(path) if kind_of(Path(path)) is Kind.FILE else Path(f"{path}{ext}")
    if kind_of(file) is Kind.MISSING:
        raise FileNotFoundError(f"{file.name} is missing")
    with open_file(file) as packed, bz2.BZ2File(packed, "rb") as stream:
        return _Restricted(io.BytesIO(bounded_read(stream, file))).load()


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _ALLOWED:
            raise InputError(f"refusing to unpickle {module}.{name}: the file holds more than data")
        return super().find_class(module, name)
