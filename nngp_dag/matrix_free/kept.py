"""The steps of a long run on the disk: one file a step, whole or not there, so that a kill loses one step at most."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.support.digest import digest
from nngp_dag.support.files import write_bytes, write_text
from nngp_dag.support.own_folder import own_folder

__all__ = ["KeptSteps", "Step"]

_MARKER = "nngp-dag-steps"
_IDENTITY = "identity"


class Step(NamedTuple):
    """One step: alpha_j and beta_j [s], and the vectors that follow, [N, s]."""

    alpha: np.ndarray
    beta: np.ndarray
    following: np.ndarray


class KeptSteps:
    """The steps in a folder, which is made if it is not there.

    Args:
        folder: in an existing folder.
        identity: what is computed.

    Raises:
        InputError: the folder holds something else, or cannot be written.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        own_folder(folder, _MARKER, "nngp-dag", "steps of an unfinished computation, which goes on from here.")
        self._folder = folder
        name = folder / _IDENTITY
        if name.exists():
            if name.read_text(encoding="utf-8", errors="replace") != digest(identity):
                raise InputError(
                    f"{folder} holds the steps of another computation: remove it, or choose another folder"
                )
        else:
            write_text(name, digest(identity))

    def read(self, j: int) -> Step | None:
        """Step j, or None where it was not done."""
        path = self._path(j)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as found:
                return Step(found["alpha"], found["beta"], found["following"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is damaged ({error}): remove {self._folder}") from None

    def write(self, j: int, alpha: np.ndarray, beta: np.ndarray, following: np.ndarray) -> None:
        """Keep step j."""
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, alpha=alpha, beta=beta, following=following)
        write_bytes(self._path(j), file.getvalue())

    def _path(self, j: int) -> Path:
        return self._folder / f"step-{j:05d}.npz"
