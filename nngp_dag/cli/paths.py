"""`nngp-dag paths`: path counts, effective depth and width."""

from __future__ import annotations

from typing import Any

import click

from nngp_dag.cli.common import emit_json, json_option, print_table
from nngp_dag.dag import Dag
from nngp_dag.paths import path_statistics

__all__ = ["command"]


@click.command("paths")
@click.argument("codes", nargs=-1, required=True, metavar="CODE...")
@json_option
def command(codes: tuple[str, ...], as_json: bool) -> None:
    """Count the end-to-end paths of each CODE by their number of linear edges (Definition 4.1)."""
    results: list[dict[str, Any]] = []
    for code in codes:
        dag = Dag.from_code(code)
        statistics = path_statistics(dag)
        results.append(
            {
                "code": dag.to_code(),
                "num_paths": statistics.num_paths,
                "paths": {str(d): n for d, n in enumerate(statistics.counts) if n},
                "effective_depth": statistics.effective_depth,
                "effective_width": statistics.effective_width,
            }
        )
    if as_json:
        emit_json(results)
        return
    print_table(
        "Paths",
        ["code", "paths", "by depth", "effective depth", "effective width"],
        [
            [
                result["code"],
                result["num_paths"],
                ", ".join(f"{d}: {n}" for d, n in result["paths"].items()) or "none",
                result["effective_depth"],
                result["effective_width"],
            ]
            for result in results
        ],
    )
