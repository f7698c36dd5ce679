"""Running notebooks and keeping what they show small."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from nngp_dag.errors import InputError
from nngp_dag.support.files import write_text

FOLDER = Path(__file__).parent
FIGURE_LIMIT = 400_000
"""Bytes of figures that a notebook may hold."""


def find(names: Sequence[str] = ()) -> list[Path]:
    """The notebooks whose file names begin with one of `names`; all without names. InputError where there is none."""
    every = sorted(FOLDER.glob("*.ipynb"))
    chosen = [path for path in every if not names or path.name.startswith(tuple(Path(name).name for name in names))]
    if not chosen:
        raise InputError(f"no notebook begins with {', '.join(names)}: there are {', '.join(p.name for p in every)}")
    return chosen


def execute(path: Path, timeout: int = 600) -> tuple[Any, str]:
    """The notebook run from top to bottom, and how it failed (empty: it did not)."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    # The kernel sees what is shown to a reader, not the machine that ran it.
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "COLUMNS": "100"}
    client = NotebookClient(notebook, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": FOLDER}})
    error = ""
    try:
        client.execute(env=environment)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        error = str(problem)
    for output in _outputs(notebook):
        data = output.get("data", {})
        if "image/png" in data:
            from nngp_dag.analysis.images import quantised

            data["image/png"] = base64.b64encode(quantised(base64.b64decode(data["image/png"]))).decode("ascii")
    return notebook, error


def figure_bytes(notebook: Any) -> int:
    """Size of everything in the outputs that is not plain text: pictures, and pages with pictures inside."""
    return sum(
        len("".join(value)) * (3 if kind.startswith("image/png") else 4) // 4
        for output in _outputs(notebook)
        for kind, value in output.get("data", {}).items()
        if kind.startswith("image/") or kind == "text/html"
    )


def write(notebook: Any, path: Path) -> None:
    """Write a notebook beside its place, then move it there; without what changes from run to run."""
    import nbformat

    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"
        cell["metadata"].pop("execution", None)
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    write_text(path, nbformat.writes(notebook).rstrip("\n") + "\n")


def _outputs(notebook: Any) -> Iterable[Any]:
    return (output for cell in notebook.cells for output in cell.get("outputs", []))
