"""`nngp-dag reproduce figure-4`: training accuracy of DAG#1-3, and what remains of their order."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nngp_dag.cli.common import emit_json, json_option, print_table, seed_option, use_float64
from nngp_dag.cli.data import LABELLED
from nngp_dag.datasets import load
from nngp_dag.errors import InputError
from nngp_dag.support.files import atomic_file, write_text
from nngp_dag.support.progress import progress_bar
from nngp_dag.support.strict_json import strict_json_text

if TYPE_CHECKING:
    from nngp_dag.datasets import Dataset
    from nngp_dag.reproduce.figure4 import Figure4, Panel, Preset

__all__ = ["command"]


@click.command("figure-4")
@click.option("--data", default="digits", show_default=True, metavar="SPEC", help=LABELLED)
@click.option(
    "--preset",
    type=click.Choice(["laptop", "paper"]),
    default="laptop",
    show_default=True,
    help="Sizes for minutes on two cores, or those of the paper.",
)
@click.option("--width", type=int, help="Neurons of every node, instead of the preset's.")
@click.option("--batch", type=int, help="Rows in a batch, instead of the preset's.")
@click.option("--lr", type=float, help="Learning rate, instead of the preset's.")
@click.option("--epochs", type=int, help="Passes over the data, instead of the preset's.")
@click.option("--seeds", type=int, help="Networks of each DAG, instead of the preset's.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default="figure-4",
    show_default=True,
    help="Folder of the figure, its numbers and the checkpoints.",
)
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@click.option("--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="Folder with the original data files.")
@seed_option
@json_option
@use_float64
def command(
    data: str,
    preset: str,
    width: int | None,
    batch: int | None,
    lr: float | None,
    epochs: int | None,
    seeds: int | None,
    out: Path,
    resume: bool,
    data_dir: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Train DAG#1, #2 and #3 as in Section 5.1, as published and with outputs of equal scale.

    Writes figure-4.png and figure-4.json to --out (created), with checkpoints beside them. The order DAG#3 > DAG#2 >
    DAG#1 in early training accuracy is tested over seeds; the NTK's prediction is reported beside it.
    """
    from nngp_dag.finite.network import check_seeds
    from nngp_dag.finite.training.run_folder import run_folder
    from nngp_dag.reproduce.figure4 import PRESETS

    sizes = PRESETS[preset].changed(width=width, batch=batch, learning_rate=lr, epochs=epochs, seeds=seeds)
    if sizes.seeds < 2:
        raise InputError("a confidence interval over seeds needs at least 2 seeds")
    check_seeds(seed + sizes.seeds - 1)
    rows = load(data, raw=True, data_dir=data_dir)
    rows.one_hot()  # labels are needed: before anything is written
    with run_folder(out, resume) as checkpoints:
        result = _run(rows, sizes, seed, checkpoints, resume)
        document = _document(result)
        _write(out, document, result)
    if as_json:
        emit_json(document)
    else:
        _print(document, out)


def _run(rows: Dataset, sizes: Preset, seed: int, checkpoints: Path, resume: bool) -> Figure4:
    """Both runs under one progress bar."""
    from nngp_dag.reproduce.figure4 import run_figure4

    steps = sizes.epochs * -(-len(rows) // min(sizes.batch, len(rows)))
    with progress_bar("Training", 2 * steps, "steps") as report:
        return run_figure4(
            rows,
            sizes,
            seed=seed,
            checkpoints=checkpoints,
            resume=resume,
            progress=lambda run, done, total: report(done + (total if run == "scale-matched" else 0)),
        )


def _document(result: Figure4) -> dict[str, object]:
    return {
        "data": result.data,
        "rows": result.rows,
        "preset": asdict(result.preset),
        "claim": "DAG#3 > DAG#2 > DAG#1 in early training accuracy",
        "verdict": result.verdict,
        "confidence": result.confidence,
        "as_published": _panel(result.as_published),
        "scale_matched": _panel(result.scale_matched),
    }


def _panel(panel: Panel) -> dict[str, object]:
    return {
        "output_scales": panel.output_scales,
        "order": panel.order,
        "predicted_order": panel.predicted_order,
        "differences": [asdict(difference) for difference in panel.differences],
        "early_accuracy": panel.early,
        "points": panel.curves.steps,
        "curves": panel.curves.summary(),
        "predicted_accuracy": panel.predicted.T,
    }


def _write(out: Path, document: dict[str, object], result: Figure4) -> None:
    import matplotlib as mpl

    from nngp_dag.reproduce.figure4.plot import plot_figure4

    mpl.use("agg")
    write_text(out / "figure-4.json", strict_json_text(document))
    with atomic_file(out / "figure-4.png") as file:
        plot_figure4(result).savefig(file, format="png")


def _print(document: dict[str, Any], out: Path) -> None:
    rows = []
    for run in ("as_published", "scale_matched"):
        panel = document[run]
        for difference in panel["differences"]:
            low, high = difference["interval"]
            rows.append(
                [
                    run.replace("_", " "),
                    f"{difference['faster']} over {difference['slower']}",
                    f"{difference['mean']:+.4f} ({low:+.4f} to {high:+.4f})",
                    difference["verdict"],
                ]
            )
    level = f"{document['confidence']:.0%} interval over {document['preset']['seeds']} seeds"
    print_table("Early training accuracy", ["run", "claim", f"difference ({level})", "verdict"], rows)
    for run in ("as_published", "scale_matched"):
        panel = document[run]
        click.echo(
            f"{run.replace('_', ' ')}: measured {' > '.join(panel['order'])},"
            f" predicted by the NTK {' > '.join(panel['predicted_order'])}"
        )
    click.echo(f"DAG#3 > DAG#2 > DAG#1: {document['verdict']}. Figure: {out / 'figure-4.png'}")
