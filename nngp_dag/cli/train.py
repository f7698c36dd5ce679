"""`nngp-dag train`: training curves of DAGs, measured over seeds and predicted at infinite width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, seed_option, use_float64
from nngp_dag.cli.data import LABELLED, RowSource, row_options
from nngp_dag.cli.network import networks_document, networks_options
from nngp_dag.cli.reading import reading_options
from nngp_dag.errors import InputError
from nngp_dag.reading import Reading
from nngp_dag.support.files import atomic_file, write_text
from nngp_dag.support.progress import progress_bar
from nngp_dag.support.strict_json import strict_json_text

if TYPE_CHECKING:
    from nngp_dag.finite.network import NetworkSpec
    from nngp_dag.finite.training import TrainConfig
    from nngp_dag.finite.training.experiment import Experiment
    from nngp_dag.kernel.network import Network

__all__ = ["command"]


@click.command("train")
@networks_options
@row_options(words=LABELLED)
@click.option(
    "--loss", type=click.Choice(["mse", "cross-entropy"]), default="mse", show_default=True, help="Of one-hot targets."
)
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "gd"]),
    default="sgd",
    show_default=True,
    help="Stochastic gradient descent in batches, or on all rows.",
)
@click.option("--lr", type=float, default=0.01, show_default=True, help="For the loss averaged over a batch.")
@click.option("--batch", type=int, help="Rows in a batch of sgd.  [default: 128]")
@click.option("--epochs", type=float, help="Passes over the data.  [default: 10]")
@click.option("--steps", type=int, help="Number of steps, instead of epochs.")
@click.option("--eval-every", type=int, help="Steps between two points of the curves.  [default: an epoch]")
@click.option("--width", type=int, default=1024, show_default=True, help="Neurons of every node.")
@click.option("--seeds", type=counts(1), default=3, show_default=True, help="Networks of each DAG.")
@reading_options
@click.option(
    "--parameterization",
    type=click.Choice(["ntk", "standard"]),
    default="ntk",
    show_default=True,
    help="Weights of unit variance with a factor before them, or of variance 1 / width.",
)
@click.option("--batch-norm", is_flag=True, help="Batch normalisation (with the standard parameterization).")
@click.option("--scale-matched", is_flag=True, help="Divide outputs by the root of the NNGP's mean diagonal.")
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), default="float64", show_default=True, help="Of the networks."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Curves, plot and checkpoints go here.")
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@click.option("--checkpoint-seconds", type=float, default=60.0, show_default=True, help="Time between checkpoints.")
@seed_option
@json_option
@use_float64
def command(
    networks: Sequence[Network],
    data: RowSource,
    reading: Reading,
    seeds: int,
    seed: int,
    scale_matched: bool,
    out: Path | None,
    resume: bool,
    checkpoint_seconds: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Train networks of each CODE, or of a wiring, all DAGs and seeds at once, and report their curves.

    Rows are fitted by one-hot targets (mse: the mean over rows of |u - y|^2 / 2) or by cross-entropy. With mse, gd and
    the ntk parameterization the infinite-width prediction is drawn beside what was measured.
    """
    from nngp_dag.finite.training.experiment import run_experiment
    from nngp_dag.finite.training.run_folder import run_folder

    if not checkpoint_seconds >= 0:
        raise InputError(f"--checkpoint-seconds must not be negative, got {checkpoint_seconds}")
    if resume and out is None:
        raise InputError("--resume needs --out, the folder of the run to continue")
    with nullcontext() if out is None else run_folder(out, resume) as checkpoints:
        rows = data.load()
        targets = rows.one_hot()
        config = _config(len(rows), options)
        spec = _spec(networks, rows.x.shape[1], targets.shape[1], reading, options)
        every = range(seed, seed + seeds)
        result = run_experiment(
            networks,
            rows.x,
            targets,
            spec,
            config,
            every,
            scale_matched=scale_matched,
            checkpoints=checkpoints,
            resume=resume,
            checkpoint_seconds=checkpoint_seconds,
            progress=progress_bar,
        )
        shown = {**networks_document(networks), "data": data.spec, "rows": len(rows), "seeds": list(every)}
        document = {**shown, **_document(spec, config, result)}
        if out is not None:
            _write(out, document, result)
    if as_json:
        emit_json(document)
    else:
        _print(document, out)


def _config(rows: int, options: Mapping[str, Any]) -> TrainConfig:
    from nngp_dag.finite.training import TrainConfig

    names = ("loss", "optimizer", "batch", "steps", "epochs", "eval_every")
    return TrainConfig.make(rows, learning_rate=options["lr"], **{name: options[name] for name in names})


def _spec(
    networks: Sequence[Network], inputs: int, outputs: int, reading: Reading, options: Mapping[str, Any]
) -> NetworkSpec:
    from nngp_dag.finite.network import NetworkSpec

    more = {name: options[name] for name in ("parameterization", "batch_norm", "dtype")}
    return NetworkSpec.make(networks, inputs, options["width"], outputs, reading=reading, **more)


def _document(spec: NetworkSpec, config: TrainConfig, result: Experiment) -> dict[str, object]:
    """The networks, the recipe and the curves as plain data."""
    predicted = [asdict(prediction) for prediction in result.predictions if prediction is not None]
    return {
        **{name: getattr(spec, name) for name in ("width", "parameterization", "batch_norm", "dtype")},
        **spec.reading.names(),
        **asdict(config),
        "output_scales": result.output_scales,
        "points": result.curves.steps,
        "curves": result.curves.summary(),
        "prediction": {"available": False, "reason": result.unpredicted}
        if result.unpredicted
        else {"available": True, "curves": predicted},
    }


def _write(folder: Path, document: dict[str, Any], result: Experiment) -> None:
    import matplotlib as mpl

    from nngp_dag.plots.curves import plot_training
    from nngp_dag.plots.style import shown_name

    mpl.use("agg")
    write_text(folder / "curves.json", strict_json_text(document))
    title = (
        f"{shown_name(document['data'])}, width {document['width']}, {len(document['seeds'])} seeds,"
        f" {document['loss']}, {document['optimizer']} with learning rate {document['learning_rate']:g}"
    )
    with atomic_file(folder / "curves.png") as file:
        plot_training(result.curves, result.predictions, title=title).savefig(file, format="png")


def _print(document: dict[str, Any], folder: Path | None) -> None:
    rows = [
        [curve["code"], *(f"{curve[m]['mean'][-1]:.4g} ± {curve[m]['std'][-1]:.2g}" for m in _MEASURES)]
        for curve in document["curves"]
    ]
    title = f"After {document['points'][-1]} steps, mean ± standard deviation over {len(document['seeds'])} seeds"
    print_table(title, ["code", "loss", "accuracy", "mean per-class accuracy"], rows)
    if document["prediction"]["available"]:
        predicted = [
            [code, curve["loss"][-1], curve["accuracy"][-1]]
            for code, curve in zip(document["codes"], document["prediction"]["curves"], strict=True)
        ]
        print_table("Predicted at infinite width", ["code", "loss", "accuracy"], predicted)
    if folder is not None:
        click.echo(f"Curves: {folder / 'curves.json'}, plot: {folder / 'curves.png'}")


_MEASURES = ("loss", "accuracy", "class_accuracy")
