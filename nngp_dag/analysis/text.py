"""An analysis as text for a terminal."""

from __future__ import annotations

import io

from nngp_dag.analysis.dag_on_data import DagOnData
from nngp_dag.analysis.dags_on_data import DagsOnData
from nngp_dag.analysis.proved import proved_words
from nngp_dag.analysis.remarks import remarks
from nngp_dag.analysis.tables import METHOD_COLUMNS, method_rows, path_rows, shown
from nngp_dag.analysis.wired import wiring_words

__all__ = ["analysis_text", "comparison_text"]

_WIDTH = 110
_MARKS = {"warning": "!", "note": "·", "good": "✓"}


def analysis_text(analysis: DagOnData) -> str:
    """Paths, statistics by method and remarks, in at most 110 columns."""
    from rich.table import Table

    code = analysis.code if len(analysis.code) <= 60 else analysis.code[:57] + "..."
    paths, reading = analysis.paths, analysis.reading
    counts = ", ".join(f"{n:,} of depth {d}" for d, n in path_rows(paths.counts)) or "none"
    lines = [
        f"DAG {code} on {analysis.data}",
        f"{reading.order}, {reading.embedding}, {reading.activation.name};"
        f" {analysis.dag.num_nodes} nodes, {analysis.dag.num_linear} linear edges",
        f"{paths.num_paths:,} paths ({counts}); effective depth {float(paths.effective_depth):.4g},"
        f" effective width {float(paths.effective_width):.4g}",
        *(wiring_words(analysis.wiring) if analysis.wiring is not None else []),
    ]
    parts: list[object] = []
    if paths.num_paths:
        for kernel, title in (("nngp", "NNGP K"), ("ntk", "NTK K + Θ")):
            table = Table(title=title, title_justify="left", expand=False)
            for i, column in enumerate(("method", *METHOD_COLUMNS)):
                table.add_column(column, justify="left" if i == 0 else "right")
            for method, cells in method_rows(analysis, kernel):
                table.add_row(method, *([shown(cell) for cell in cells] or ["–"] * len(METHOD_COLUMNS)))
            parts += [table, proved_words(analysis.proved, kernel)]
    noted = [f"{_MARKS[r.level]} {r.title}: {r.text}" for r in remarks(analysis)]
    return _render("\n".join(lines), *parts, "\n".join(noted))


def comparison_text(comparison: DagsOnData) -> str:
    """The table of a comparison, in at most 110 columns."""
    from rich.table import Table

    table = Table(title=f"{len(comparison)} DAGs on {comparison.data}", title_justify="left")
    for i, column in enumerate(comparison.COLUMNS):
        table.add_column(column, justify="left" if i == 0 else "right")
    for label, cells in comparison.rows():
        table.add_row(label, *(shown(cell) for cell in cells))
    return _render(table, *comparison.sentences())


def _render(*parts: object) -> str:
    from rich.console import Console

    buffer = io.StringIO()
    console = Console(file=buffer, width=_WIDTH, highlight=False, markup=False, force_jupyter=False)
    for part in parts:
        if part != "":
            console.print(part)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())
