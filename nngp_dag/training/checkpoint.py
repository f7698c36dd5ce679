"""Checkpoints (Orbax) that a kill at any moment cannot spoil, and that notice damage and a wrong run.

Orbax writes a checkpoint beside the others and renames it when it is whole. A digest of every array goes with it, so
that a damaged one is an error rather than another curve.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from nngp_dag.errors import InputError

__all__ = ["CheckpointStore", "digest", "flatten", "unflatten"]

_SCHEMA = 1


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and contents."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def flatten(tree: Any, count: int) -> dict[str, np.ndarray]:
    """The leaves of a pytree by their path, as NumPy arrays; of the leading axis only the first `count` entries."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(leaf)[:count] for path, leaf in leaves}


def unflatten(arrays: Mapping[str, np.ndarray], template: Any) -> Any:
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
    return jax.tree_util.tree_unflatten(treedef, restored)


class CheckpointStore:
    """The checkpoints of one run in a folder; the last two are kept.

    Args:
        folder: created when the first checkpoint is saved.
        run: what defines the run (a JSON object); a checkpoint of another run is refused, naming the first difference.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any]) -> None:
        self.folder, self.run = folder.resolve(), dict(run)

    def save(self, step: int, arrays: Mapping[str, np.ndarray], notes: Mapping[str, Any]) -> None:
        """Save arrays and notes (a JSON object) for a step; when this returns the checkpoint is on disk and whole."""
        import orbax.checkpoint as ocp

        meta = {"schema": _SCHEMA, "run": self.run, "notes": dict(notes), "digest": digest(arrays)}
        with self._manager() as manager:
            manager.save(
                step,
                args=ocp.args.Composite(arrays=ocp.args.StandardSave(dict(arrays)), meta=ocp.args.JsonSave(meta)),
                force=True,
            )
            manager.wait_until_finished()

    def latest(self) -> tuple[int, dict[str, np.ndarray], dict[str, Any]] | None:
        """The newest checkpoint (step, arrays, notes), or None where there is none.

        Raises:
            InputError: it is damaged, or belongs to another run.
        """
        import orbax.checkpoint as ocp

        if not self.folder.is_dir():
            return None
        with self._manager() as manager:
            step = manager.latest_step()
            if step is None:
                return None
            place = f"the checkpoint {self.folder / str(step)}"
            try:
                meta = manager.restore(step, args=ocp.args.Composite(meta=ocp.args.JsonRestore()))["meta"]
                run, notes, expected = meta["run"], meta["notes"], meta["digest"]
            except Exception as error:
                raise InputError(f"{place} is damaged: {_first_line(error)}") from error
            self._check_run(run, place)
            try:
                found = manager.restore(step, args=ocp.args.Composite(arrays=ocp.args.StandardRestore()))["arrays"]
                arrays = {name: np.asarray(array) for name, array in found.items()}
            except Exception as error:
                raise InputError(f"{place} is damaged: {_first_line(error)}") from error
        if digest(arrays) != expected:
            raise InputError(f"{place} is damaged: its arrays do not have the digest they were saved with")
        return int(step), arrays, dict(notes)

    def _check_run(self, run: Any, place: str) -> None:
        for name in sorted(set(self.run) | set(run)):
            if run.get(name) != self.run.get(name):
                there, here = run.get(name), self.run.get(name)
                raise InputError(f"{place} is of another run: its {name} is {there!r}, not {here!r}")

    def _manager(self) -> Any:
        import orbax.checkpoint as ocp

        for noisy in ("absl", "orbax"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        options = ocp.CheckpointManagerOptions(
            max_to_keep=2, create=True, enable_async_checkpointing=False, cleanup_tmp_directories=True
        )
        return ocp.CheckpointManager(self.folder, options=options)


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
