"""`nngp-dag train`: training curves of DAGs, measured over seeds and predicted at infinite width."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from nngp_dag.cli.common import emit_json, json_option, print_table, seed_option, use_float64
from nngp_dag.cli.reading import reading_options
from nngp_dag.dag import Dag
from nngp_dag.datasets import load
from nngp_dag.errors import InputError
from nngp_dag.reading import Reading
from nngp_dag.support.files import atomic_file, make_folder, write_text
from nngp_dag.support.progress import progress_bar
from nngp_dag.support.strict_json import strict_json_text

if TYPE_CHECKING:
    from nngp_dag.finite.training import Curves
    from nngp_dag.prediction import PredictedCurve

__all__ = ["command"]

_PREDICTED_ROWS = 4000


@click.command("train")
@click.argument("codes", nargs=-1, required=True, metavar="CODE...")
@click.option("--data", required=True, metavar="SPEC", help="digits, mnist:10000, an .npz with x and y, ...")
@click.option("--loss", type=click.Choice(["mse", "cross-entropy"]), default="mse", show_default=True)
@click.option("--optimizer", type=click.Choice(["sgd", "gd"]), default="sgd", show_default=True)
@click.option("--lr", type=float, default=0.01, show_default=True, help="For the loss averaged over a batch.")
@click.option("--batch", type=int, help="Rows in a batch of sgd.  [default: 128]")
@click.option("--epochs", type=float, help="Passes over the data.  [default: 10]")
@click.option("--steps", type=int, help="Number of steps, instead of epochs.")
@click.option("--eval-every", type=int, help="Steps between two points of the curves.  [default: an epoch]")
@click.option("--width", type=int, default=1024, show_default=True)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Networks of each DAG.")
@reading_options
@click.option("--parameterization", type=click.Choice(["ntk", "standard"]), default="ntk", show_default=True)
@click.option("--batch-norm", is_flag=True, help="Batch normalisation (with the standard parameterization).")
@click.option("--scale-matched", is_flag=True, help="Divide outputs by the root of the NNGP's mean diagonal.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float64", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Curves, figure and checkpoints go here.")
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@click.option("--checkpoint-seconds", type=float, default=60.0, show_default=True, help="Time between checkpoints.")
@click.option("--raw", is_flag=True, help="Do not scale rows to unit norm.")
@click.option("--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="Folder with the original data files.")
@seed_option
@json_option
@use_float64
def command(
    codes: tuple[str, ...], data: str, reading: Reading, out: Path | None, as_json: bool, **options: Any
) -> None:
    """Train networks of each CODE, all DAGs and seeds at once, and report their curves.

    Rows are fitted by one-hot targets (mse: the mean over rows of |u - y|^2 / 2) or by cross-entropy. With mse, gd and
    the ntk parameterization the infinite-width prediction is drawn beside what was measured.
    """
    from nngp_dag.finite.network import Ensemble, NetworkSpec
    from nngp_dag.finite.training import CheckpointStore, TrainConfig, make_data, train

    dags = [Dag.from_code(code) for code in codes]
    if not options["checkpoint_seconds"] >= 0:
        raise InputError(f"--checkpoint-seconds must not be negative, got {options['checkpoint_seconds']}")
    _check_folder(out, options["resume"])
    seeds = range(options["seed"], options["seed"] + options["seeds"])
    rows = load(data, raw=options["raw"], data_dir=options["data_dir"])
    targets = rows.one_hot()
    config = TrainConfig.make(
        len(rows),
        loss=options["loss"],
        optimizer=options["optimizer"],
        learning_rate=options["lr"],
        batch=options["batch"],
        steps=options["steps"],
        epochs=options["epochs"],
        eval_every=options["eval_every"],
    )
    spec = NetworkSpec.make(
        dags,
        rows.x.shape[1],
        options["width"],
        targets.shape[1],
        parameterization=options["parameterization"],
        batch_norm=options["batch_norm"],
        dtype=options["dtype"],
        reading=reading,
    )
    scales = [_scale(dag, rows.x, reading) if options["scale_matched"] else 1.0 for dag in dags]
    ensemble = Ensemble(spec, dags, list(seeds))
    store = None if out is None else CheckpointStore(make_folder(out) / "checkpoints", {})
    with progress_bar("Training", config.steps, "steps") as report:
        curves = train(
            ensemble,
            make_data(rows.x, rows.y, targets.shape[1], options["dtype"]),
            config,
            output_scales=scales,
            store=store,
            resume=options["resume"],
            checkpoint_seconds=options["checkpoint_seconds"],
            progress=report,
        )
    reason = _no_prediction(options, reading, len(rows))
    predictions: list[PredictedCurve | None] = [None] * len(dags)
    if reason is None:
        predictions = _predict(dags, rows.x, targets, config.learning_rate, curves, scales, reading)
    document = {
        "codes": [dag.to_code() for dag in dags],
        "data": data,
        "rows": len(rows),
        "seeds": list(seeds),
        **{name: options[name] for name in ("width", "parameterization", "batch_norm", "dtype")},
        **reading.names(),
        **asdict(config),
        "output_scales": scales,
        "points": curves.steps,
        "curves": curves.summary(),
        "prediction": {"available": False, "reason": reason}
        if reason
        else {
            "available": True,
            "curves": [asdict(prediction) for prediction in predictions if prediction is not None],
        },
    }
    if out is not None:
        _write(out, document, curves, predictions)
    if as_json:
        emit_json(document)
    else:
        _print(document, out)


def _check_folder(out: Path | None, resume: bool) -> None:
    if out is None:
        if resume:
            raise InputError("--resume needs --out, the folder of the run to continue")
        return
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is not a folder")
    held = sorted(path.name for path in (out / "checkpoints").glob("*")) if out.is_dir() else []
    if held and not resume:
        raise InputError(f"{out} already holds a run: continue it with --resume, or choose another folder")
    if resume and not held:
        click.echo(f"{out} holds no checkpoint yet: starting from the beginning", err=True)


def _scale(dag: Dag, x: np.ndarray, reading: Reading) -> float:
    from nngp_dag.finite.training.scale import matching_scale

    return matching_scale(dag, x, reading)


def _no_prediction(options: dict[str, Any], reading: Reading, rows: int) -> str | None:
    if options["loss"] != "mse" or options["optimizer"] != "gd":
        return "the prediction is for full-batch gradient descent on mean squared error: --loss mse --optimizer gd"
    if options["parameterization"] != "ntk":
        return "the prediction is for the ntk parameterization"
    if reading.embedding == "stem" and reading.order == "activation-first":
        return "there is no exact kernel for a stem with activation-first"
    if rows > _PREDICTED_ROWS:
        return f"the prediction needs all eigenvalues of the NTK: at most {_PREDICTED_ROWS} rows"
    return None


def _predict(
    dags: list[Dag],
    x: np.ndarray,
    targets: np.ndarray,
    learning_rate: float,
    curves: Curves,
    scales: list[float],
    reading: Reading,
) -> list[PredictedCurve | None]:
    from nngp_dag.prediction import predict_curve

    return [
        predict_curve(dag, x, targets, learning_rate, curves.steps, output_scale=scale, reading=reading)
        for dag, scale in zip(dags, scales, strict=True)
    ]


def _write(folder: Path, document: dict[str, Any], curves: Curves, predictions: list[PredictedCurve | None]) -> None:
    import matplotlib as mpl

    from nngp_dag.plots.curves import plot_training

    mpl.use("agg")
    write_text(folder / "curves.json", strict_json_text(document))
    title = (
        f"{document['data']}, width {document['width']}, {len(document['seeds'])} seeds, {document['loss']},"
        f" {document['optimizer']} with learning rate {document['learning_rate']:g}"
    )
    with atomic_file(folder / "curves.png") as file:
        plot_training(curves, predictions, title=title).savefig(file, format="png")


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
        click.echo(f"Curves: {folder / 'curves.json'}, figure: {folder / 'curves.png'}")


_MEASURES = ("loss", "accuracy", "class_accuracy")
