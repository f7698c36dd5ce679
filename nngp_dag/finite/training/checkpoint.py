"""Checkpoints (Orbax) that a kill at any moment cannot spoil, and that notice damage and a wrong run.

Orbax writes arrays beside the other checkpoints and renames the folder when it is whole. A record is written (and
renamed) after that: what the run is, and a digest of every file. A checkpoint without its record was never finished,
and does not count; one that differs from its record is an error rather than another curve.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.support.files import write_text
from nngp_dag.support.memory import shown_bytes

__all__ = ["CheckpointStore", "flatten", "unflatten"]

_SCHEMA = 1
_PREFIX = "nngp_dag_step"
"""Of the names of checkpoints: Orbax counts, and removes, what has such a name, and nothing else."""
_OVERHEAD = 2**18
"""Bytes that Orbax's own files and folders take beside the arrays: 80 KiB on 4 KiB blocks for 60 arrays, and room."""
_T = TypeVar("_T")


def flatten(tree: object, count: int) -> dict[str, np.ndarray]:
    """The leaves of a pytree by their path, as NumPy arrays; of the leading axis only the first `count` entries."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(leaf)[:count] for path, leaf in leaves}


def unflatten(arrays: Mapping[str, np.ndarray], template: _T) -> _T:
    """The pytree of `flatten`, in the shape of `template`, whose leading axis may be longer (the last entry is
    repeated).

    Raises:
        InputError: another structure, shape or dtype.
    """
    leaves, treedef = jax.tree_util.tree_flatten_with_path(template)
    if {jax.tree_util.keystr(path) for path, _ in leaves} != set(arrays):
        raise InputError("the checkpoint does not hold the state of these networks")
    restored = []
    for path, leaf in leaves:
        array = arrays[jax.tree_util.keystr(path)]
        if array.shape[1:] != leaf.shape[1:] or array.dtype != leaf.dtype or array.shape[0] > leaf.shape[0]:
            name = jax.tree_util.keystr(path)
            raise InputError(f"the checkpoint does not fit these networks: {name} is {array.shape} {array.dtype}")
        padding = leaf.shape[0] - array.shape[0]
        restored.append(jax.device_put(np.concatenate([array, np.repeat(array[-1:], padding, axis=0)]), leaf.sharding))
    tree: _T = jax.tree_util.tree_unflatten(treedef, restored)
    return tree


class CheckpointStore:
    """The checkpoints of one run in a folder; the last two are kept.

    Args:
        folder: created when the first checkpoint is saved; what is there under other names is left alone.
        run: what defines the run (a JSON object); a checkpoint of another run is refused, naming the first difference.
    """

    def __init__(self, folder: Path, run: Mapping[str, object]) -> None:
        self.folder, self.run = folder.resolve(), dict(run)

    def save(self, step: int, arrays: Mapping[str, np.ndarray], notes: Mapping[str, object]) -> None:
        """Save arrays and notes (a JSON object) for a step; when this returns the checkpoint is on disk and whole.

        Raises:
            InputError: it cannot be written (a full disk); earlier checkpoints are as they were.
        """
        import orbax.checkpoint as ocp

        self._check_room(sum(array.nbytes for array in arrays.values()) + _OVERHEAD)
        try:
            self._record(step).unlink(missing_ok=True)
            with self._manager() as manager:
                if step in manager.all_steps():
                    manager.delete(step)
                manager.save(step, args=ocp.args.StandardSave(dict(arrays)), force=True)
                manager.wait_until_finished()
                kept = set(manager.all_steps())
        except Exception as error:  # Orbax and its storage raise of many kinds where a disk is full
            self._discard(step)
            raise InputError(f"cannot write the checkpoint {self._place(step)}: {_first_line(error)}") from error
        content = {"schema": _SCHEMA, "run": self.run, "notes": dict(notes), "files": self._digests(step)}
        text = json.dumps({"content": content, "sha256": _digest(content)})
        write_text(self._record(step), text)
        for number, path in self._records().items():
            if number not in kept:
                path.unlink(missing_ok=True)

    def _discard(self, step: int) -> None:
        """Remove what Orbax had written of a checkpoint when it failed; its folder has this class's own prefix."""
        for path in self.folder.glob(f"{_PREFIX}_{step}.orbax-checkpoint-tmp*"):
            shutil.rmtree(path, ignore_errors=True)  # the failure itself is reported

    def _check_room(self, needed: int) -> None:
        """Refuse what the disk cannot hold before Orbax begins: its threads would each print why they failed."""
        place = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        free = shutil.disk_usage(place).free
        if needed > free:
            raise InputError(
                f"cannot write a checkpoint in {self.folder}: it takes {shown_bytes(needed)}, {shown_bytes(free)} are"
                " free"
            )

    def latest(self) -> tuple[int, dict[str, np.ndarray], dict[str, Any]] | None:
        """The newest finished checkpoint (step, arrays, notes), or None where there is none.

        Raises:
            InputError: it is damaged, or belongs to another run.
        """
        import orbax.checkpoint as ocp

        records = self._records()
        if not records:
            return None
        step = max(records)
        place = f"the checkpoint {self._place(step)}"
        try:
            record = json.loads(records[step].read_text())
            content = record["content"]
            intact = record["sha256"] == _digest(content) and content["schema"] == _SCHEMA
        except (OSError, ValueError, TypeError, KeyError):
            intact = False
        if not intact:
            raise InputError(f"{place} is damaged: its record {records[step].name} is not what was saved")
        self._check_run(content["run"], place)
        expected, found = content["files"], self._digests(step)
        for name in sorted(expected | found):
            if expected.get(name) != found.get(name):
                what = "is missing" if name not in found else "is not what was saved"
                raise InputError(f"{place} is damaged: its file {name} {what}")
        try:
            with self._manager() as manager:
                arrays = manager.restore(step, args=ocp.args.StandardRestore())
        except Exception as error:  # Orbax and its storage raise of many kinds, for a format that is not theirs
            raise InputError(f"{place} cannot be read by this version of Orbax: {_first_line(error)}") from error
        return step, {name: np.asarray(array) for name, array in arrays.items()}, content["notes"]

    def _check_run(self, run: Mapping[str, object], place: str) -> None:
        for name in sorted(set(self.run) | set(run)):
            if run.get(name) != self.run.get(name):
                there, here = run.get(name), self.run.get(name)
                raise InputError(f"{place} is of another run: its {name} is {there!r}, not {here!r}")

    def _record(self, step: int) -> Path:
        return self.folder / f"{_PREFIX}_{step}.json"

    def _records(self) -> dict[int, Path]:
        paths = {path.stem.removeprefix(f"{_PREFIX}_"): path for path in self.folder.glob(f"{_PREFIX}_*.json")}
        return {int(step): path for step, path in paths.items() if step.isdecimal()}

    def _place(self, step: int) -> Path:
        return self.folder / f"{_PREFIX}_{step}"

    def _digests(self, step: int) -> dict[str, str]:
        folder = self._place(step)
        found = {}
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def _manager(self) -> Any:
        import orbax.checkpoint as ocp

        for noisy in ("absl", "orbax"):  # its threads log their tracebacks as errors; `save` reports the error itself
            logging.getLogger(noisy).setLevel(logging.CRITICAL)
        options = ocp.CheckpointManagerOptions(
            max_to_keep=2,
            step_prefix=_PREFIX,
            create=True,
            enable_async_checkpointing=False,
            cleanup_tmp_directories=True,
        )
        return ocp.CheckpointManager(self.folder, options=options)


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
