"""Effective depth and width of whole spaces at once, against enumerating the paths of each cell: `python -m
benchmarks.paths`.

Both on the same cells in one process, and the results are compared. Enumeration walks every path, as the definition
says (and as the authors' released code does); it is timed on a sample.
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction

import numpy as np

from nngp_dag import Dag
from nngp_dag.paths import path_statistics
from nngp_dag.spaces import Space, get

__all__ = ["enumerate_paths", "main"]

LIMITS = {"nasbench201": (15_625, 1.0), "darts": (1_000_000, 10.0)}
"""Cells, and the seconds that they may take."""

SAMPLE = 400


def enumerate_paths(dag: Dag) -> tuple[Fraction, Fraction]:
    """Effective depth and width by walking every path from input to output."""
    depths: list[int] = []
    successors: list[list[tuple[int, int]]] = [[] for _ in range(dag.num_nodes)]
    for s, t, op in dag.edges():
        successors[s].append((t, int(op == 2)))

    def walk(node: int, depth: int) -> None:
        if node == dag.num_nodes - 1:
            depths.append(depth)
        for target, step in successors[node]:
            walk(target, depth + step)

    walk(0, 0)
    if not sum(depths):
        return Fraction(0), Fraction(0)
    depth = Fraction(sum(depths), len(depths))
    return depth, sum(d > 0 for d in depths) / depth


def compare(space: Space, rows: np.ndarray, seconds_allowed: float) -> bool:
    """Print both rates and their ratio; whether the results agree and the time is kept."""
    start = time.perf_counter()
    totals = space.totals(rows)
    depth, width = totals.depth, totals.width
    seconds = time.perf_counter() - start
    chosen = np.random.default_rng(0).choice(len(rows), size=SAMPLE, replace=False)
    dags = [space.cell_dag(row) for row in rows[chosen]]
    start = time.perf_counter()
    walked = [enumerate_paths(dag) for dag in dags]
    each = (time.perf_counter() - start) / SAMPLE
    agree = all(totals.fractions(int(i)) == shape for i, shape in zip(chosen, walked, strict=True))
    agree &= bool(np.isfinite(depth).all() and np.isfinite(width).all())
    print(
        f"{space.title}: {len(rows):,} cells in {seconds:.2f} s (at most {seconds_allowed:g} wanted),"
        f" {len(rows) / seconds:,.0f} cells/s; enumerating paths {1 / each:,.0f} cells/s:"
        f" ratio {each * len(rows) / seconds:,.0f}; results {'agree' if agree else 'DIFFER'} on {SAMPLE} cells"
    )
    return agree and seconds <= seconds_allowed


def main() -> int:
    """Print the comparison for each space; 1 where one is too slow or wrong."""
    passed = True
    for name, (number, seconds) in LIMITS.items():
        space = get(name)
        whole = number == space.num_cells
        rows = space.enumerate() if whole else space.sample(number, np.random.default_rng(1))[:, 0]
        passed &= compare(space, rows, seconds)
    # What enumeration cannot do at all: a graph with 2^38 paths.
    wide = Dag.from_edges({(s, t): "linear" if t % 2 else "skip" for t in range(1, 40) for s in range(t)})
    start = time.perf_counter()
    statistics = path_statistics(wide)
    print(f"a complete DAG of 40 nodes, {statistics.num_paths:,} paths: {1e3 * (time.perf_counter() - start):.2f} ms")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
