"""Execute the notebooks: python -m notebooks [--check] [NAME...].

Each is run from top to bottom in a fresh kernel and written back with its outputs; pictures get a palette, so that all
figures of a notebook stay below 400 KB. With `--check` nothing is written: a notebook that fails, or that would be too
large, ends with status 1. `NNGP_DAG_NOTEBOOKS=full` in the environment makes those with larger settings use them.
"""

from __future__ import annotations

import argparse
import sys
import time

from nngp_dag.errors import InputError
from notebooks.execute import FIGURE_LIMIT, execute, figure_bytes, find, write


def main() -> int:
    """Run the notebooks that were named, or all; the exit status: 1 where one fails, 2 for a name that none has."""
    parser = argparse.ArgumentParser(prog="python -m notebooks", description="Execute the notebooks.")
    parser.add_argument("names", nargs="*", help="file names or their beginnings, such as 3; by default all")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    try:
        found = find(arguments.names)
    except InputError as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    failed = False
    for path in found:
        start = time.perf_counter()
        notebook, error = execute(path)
        size = figure_bytes(notebook)
        bad = error or (f"figures of {size / 1000:.0f} KB" if size > FIGURE_LIMIT else "")
        print(
            f"{path.name}: {bad or 'ok'}, {time.perf_counter() - start:.0f} s, {size / 1000:.0f} KB of figures",
            flush=True,
        )
        failed |= bool(bad)
        if not arguments.check and not error:
            write(notebook, path)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
