"""`nngp-dag optimize`: the best connectivity of so many nodes by a criterion, or the front of two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nngp_dag.cli.common import announce, counts, emit_json, json_option, print_table, seed_option, use_float64
from nngp_dag.cli.data import RowSource, row_options
from nngp_dag.cli.reading import setting_options
from nngp_dag.reading import Setting
from nngp_dag.support.files import make_folder, write_text
from nngp_dag.support.progress import progress_bar, shown_seconds
from nngp_dag.support.strict_json import strict_json_text

if TYPE_CHECKING:
    from nngp_dag.optimization import Optimum, Problem
    from nngp_dag.optimization.criteria import Criterion

__all__ = ["command"]

_WORDS = "Rows, with labels for loss and loo: digits, mnist, cifar10, ... (with an optional :N), an .npy or .npz file."


@click.command("optimize")
@click.option("--nodes", type=counts(2), required=True, help="Nodes of the DAGs; those with fewer are among them.")
@click.option(
    "--criterion",
    default="lambda-min",
    show_default=True,
    metavar="C[,C]",
    help="lambda-min, condition, loss, loo, slope; or two of these and cost: their front.",
)
@click.option(
    "--evaluations",
    type=counts(1),
    help="Search by evolution and judge so many kernels.  [default: all DAGs; of more than 6 nodes 2000 kernels]",
)
@click.option("--max-linear-edges", type=counts(0), help="Linear edges on paths, at most.")
@click.option("--max-paths", type=counts(1), help="Paths from input to output, at most.")
@row_options("digits:64", _WORDS)
@click.option("--top", type=counts(1), default=10, show_default=True, help="Graphs shown, by one criterion.")
@click.option("--steps", type=counts(1), default=100, show_default=True, help="loss: steps of gradient descent.")
@click.option("--lr", type=float, help="loss: learning rate.  [default: half the largest stable one of each graph]")
@setting_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keeps what is done, and holds the result; a second start goes on.",
)
@seed_option
@json_option
@use_float64
def command(
    nodes: int,
    criterion: str,
    evaluations: int | None,
    max_linear_edges: int | None,
    max_paths: int | None,
    data: RowSource,
    top: int,
    steps: int,
    lr: float | None,
    setting: Setting,
    out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Find the best connectivity: DAGs with equal kernels are judged once, and bounds discard others unseen.

    The best and the second are told apart by proof: by enclosed values on the data and, where the criterion is one of
    eigenvalues, on any two unit rows; or the answer says that they are not.
    """
    from nngp_dag.optimization import criteria
    from nngp_dag.optimization.optimum import as_problem, best_graphs
    from nngp_dag.optimization.quotient import Limits

    needs_labels = any(each.needs_labels for each in criteria.named(criterion))
    problem = as_problem(data.load(labels=needs_labels), None, setting, steps, lr)
    chosen = criteria.get(criterion, problem)
    limits = Limits(max_linear_edges, max_paths)
    _announce(nodes, problem, chosen, evaluations, out)
    if out is not None:
        make_folder(out)
    found = best_graphs(nodes, chosen, problem, limits, top, out, evaluations, seed, progress_bar)
    document = {**found.as_dict(), "data": data.spec}
    if out is not None:
        write_text(out / "result.json", strict_json_text(document, indent=1) + "\n")
    if as_json:
        emit_json(document)
    else:
        _print(document, found)


def _announce(
    nodes: int, problem: Problem, chosen: tuple[Criterion, ...], evaluations: int | None, out: Path | None
) -> None:
    """Say what a long search takes, and whether it resumes."""
    from nngp_dag.optimization.cost import estimated_seconds

    seconds = estimated_seconds(nodes, len(problem.x), chosen, evaluations)
    resumes = "it resumes where it is interrupted" if out is not None else "with --out it would resume"
    announce(seconds, f"about {shown_seconds(seconds)} of one core on {len(problem.x):,} rows; {resumes}")


def _print(document: Mapping[str, Any], found: Optimum) -> None:
    names = [criterion.name for criterion in found.criteria]
    print_table(
        f"The best of {found.total:,} DAGs of {found.num_nodes} nodes by {found.criterion}, on {document['data']}",
        ["code", *names, "linear", "paths", "depth", "width", "equal"],
        [
            [
                graph.dag.to_code(),
                *(graph.values[name] for name in names),
                graph.num_linear,
                graph.num_paths,
                graph.effective_depth,
                graph.effective_width,
                graph.class_size,
            ]
            for graph in found.best
        ],
    )
    if found.distinct is not None:
        click.echo(
            f"{found.distinct:,} distinct kernels; {found.evaluated:,} judged, {found.discarded:,} discarded by bounds"
        )
    else:
        click.echo(f"{found.evaluated:,} kernels judged; the others were not looked at")
    if found.comparison is not None:
        click.echo(f"{found.comparison.better} before {found.comparison.other}: {found.comparison.words}")
