"""JSON: NDS (github.com/facebookresearch/nds) and exports of NAS-Bench-101."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from nngp_dag.accuracy.table import Builder, Track
from nngp_dag.errors import InputError
from nngp_dag.support.strict_json import load_json

__all__ = ["read_json"]

_CELL = ("module_adjacency", "module_operations")
_ACCURACIES = (
    "test_accuracy",
    "final_test_accuracy",
    "valid_accuracy",
    "validation_accuracy",
    "final_validation_accuracy",
)


def read_json(
    path: Path,
    builder: Builder,
    dataset: str = "cifar10",
    track: Track | None = None,
) -> None:
    """Add the entries of an NDS file, or of a list of NAS-Bench-101 cells.

    NDS: a list of networks, or {"top": [...], "mid": [...]}; each has the genotype in `net.genotype` and the test
    error in percent after every epoch in `test_ep_top1`, of which the last counts. NAS-Bench-101: a list, or an object
    by hash, of objects with `module_adjacency`, `module_operations` and one or more accuracies (`test_accuracy`, ...),
    as fractions or percentages.

    Raises:
        InputError: a file of neither form, or a bad entry (its number is named).
    """
    entries = _entries(load_json(path, undefined=True))  # published files have NaN where a training diverged
    if not entries:
        raise InputError(f"{path} holds no list of networks (NDS) or cells (NAS-Bench-101)")
    numbers = range(len(entries))
    for i in numbers if track is None else track(numbers, len(entries)):
        where, entry = entries[i]
        place = f"{path}, {where}"
        try:
            if not isinstance(entry, Mapping):
                raise InputError(f"expected an object, got {type(entry).__name__}")
            read = _cell(entry) if _CELL[0] in entry else _network(entry, dataset)
        except InputError as error:
            builder.reject(place, error)
            continue
        builder.add(place, *read)


def _entries(content: object) -> list[tuple[str, object]]:
    if isinstance(content, list):
        return [(f"entry {i}", entry) for i, entry in enumerate(content)]
    if isinstance(content, Mapping) and content and set(content) <= {"top", "mid"}:
        groups = [(part, content[part]) for part in ("top", "mid") if isinstance(content.get(part), list)]
        return [(f"{part} entry {i}", entry) for part, entries in groups for i, entry in enumerate(entries)]
    if isinstance(content, Mapping):
        return [(f"entry {key!r}", entry) for key, entry in content.items()]
    return []


def _network(entry: Mapping[str, object], dataset: str) -> tuple[Mapping[str, object], dict[str, object], str]:
    net = entry.get("net")
    if not isinstance(net, Mapping) or not isinstance(net.get("genotype"), Mapping):
        raise InputError("no genotype in 'net' (NDS), and no 'module_adjacency' (NAS-Bench-101)")
    errors = entry.get("test_ep_top1")
    if not isinstance(errors, list) or not errors:
        raise InputError("no test errors by epoch in 'test_ep_top1'")
    last = errors[-1]
    if not isinstance(last, (int, float)) or isinstance(last, bool):
        raise InputError(f"the last test error is no number: {last!r}")
    others = {name: value for name, value in net.items() if name != "genotype"}
    return net["genotype"], {dataset: 100 - last}, json.dumps(others, sort_keys=True)


def _cell(entry: Mapping[str, object]) -> tuple[Mapping[str, object], dict[str, object], None]:
    accuracy: dict[str, object] = {}
    for name in _ACCURACIES:
        if name in entry:
            value = entry[name]
            if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
                value = 100.0 * value
            accuracy[name] = value
    if not accuracy:
        raise InputError(f"no accuracy: one of {', '.join(_ACCURACIES)} is needed")
    return {name: entry.get(name) for name in _CELL}, accuracy, None
