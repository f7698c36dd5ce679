"""Peak memory of `nngp-dag kernel`: both kernels of a four-node DAG in float64, and their eigenvalues.

    python -m benchmarks.memory [--rows 8000] [--json]

The command runs in a process of its own, on rows that it reads from an .npy file, and writes both kernels; the value
is the largest resident set size that the operating system recorded for it. Exit 1 where it exceeds 4 GiB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["BUDGET", "Peak", "kernel_memory", "peak_of"]

BUDGET = 4 * 2**30
CODE = "2_21_112"


class Peak(NamedTuple):
    """The cost of a command: its largest resident set, and its wall-clock time."""

    bytes: int
    seconds: float


def peak_of(command: list[str]) -> Peak:
    """Run a command, which must succeed; its output is dropped."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Peak(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), time.perf_counter() - start)


def kernel_memory(rows: int = 8000, dim: int = 64) -> Peak:
    """The cost of `nngp-dag kernel` on `rows` Gaussian rows of length `dim`."""
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "rows.npy", Path(folder) / "kernels.npz"
        np.save(data, np.random.default_rng(0).normal(size=(rows, dim)))
        arguments = ["kernel", CODE, "--data", str(data), "--out", str(out), "--json"]
        return peak_of([sys.executable, "-m", "nngp_dag", *arguments])


def main() -> int:
    """Print the value; the exit status says whether it is within the budget."""
    parser = argparse.ArgumentParser(description="Peak memory of nngp-dag kernel.")
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    peak = kernel_memory(arguments.rows)
    if arguments.json:
        print(json.dumps({"code": CODE, "rows": arguments.rows, "budget_bytes": BUDGET, **peak._asdict()}))
    else:
        print(
            f"nngp-dag kernel, {arguments.rows:,} rows, four nodes, float64, both kernels and their eigenvalues:"
            f" peak {peak.bytes / 2**30:.2f} GiB in {peak.seconds:.0f} s (budget {BUDGET / 2**30:.0f} GiB)"
        )
    return 0 if peak.bytes <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
