"""Run the benchmarks one after another, each in a process of its own: `python -m benchmarks [NAME ...]`.

Every module here that defines `main` is one; adding a benchmark means adding a module. Each prints ratios that were
measured in one run, on this machine.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["main", "names"]

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted(
        path.stem for path in _FOLDER.glob("*.py") if path.stem != "__main__" and "\ndef main(" in path.read_text()
    )


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all; 1 if one fails, 2 for an unknown name."""
    known = names()
    if unknown := [name for name in arguments if name not in known]:
        print(f"unknown benchmark {unknown[0]!r}: there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = []
    for name in arguments or known:
        print(f"\n==== {name} ====", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=_FOLDER.parent, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
