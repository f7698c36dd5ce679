"""`nngp-dag predict`: test error and accuracy of the NNGP posterior and of the trained infinitely wide network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from nngp_dag.cli.common import emit_json, json_option, print_table, use_float64
from nngp_dag.cli.data import LABELLED, RowSource, row_options
from nngp_dag.cli.network import network_document, network_options
from nngp_dag.cli.reading import setting_options
from nngp_dag.reading import Setting

if TYPE_CHECKING:
    from nngp_dag.kernel.network import Network
    from nngp_dag.prediction import Posterior

__all__ = ["command"]


@click.command("predict")
@network_options
@row_options(words=LABELLED)
@click.option("--test", metavar="SPEC", help="Test rows with labels; by default the last fifth of --data is held out.")
@click.option("--steps", type=int, help="Steps of full-batch gradient descent; by default trained to the end.")
@click.option("--lr", type=float, help="Learning rate for the mean over rows.  [default: half the largest stable one]")
@click.option("--jitter", type=float, help="Added to the kernels' diagonals.  [default: the least for condition 1e10]")
@setting_options
@json_option
@use_float64
def command(
    network: Network,
    data: RowSource,
    test: str | None,
    steps: int | None,
    lr: float | None,
    jitter: float | None,
    setting: Setting,
    as_json: bool,
) -> None:
    """Predict the labels of test rows by the kernels of CODE, or of a wiring, as one-hot regression."""
    from nngp_dag.datasets.split import split
    from nngp_dag.prediction import posterior

    x_train, y_train, x_test, y_test = split(data.load(), None if test is None else data.load(test))
    found = posterior(
        network,
        x_train,
        y_train,
        x_test,
        steps=math.inf if steps is None else steps,
        learning_rate=lr,
        jitter=jitter,
        setting=setting,
    )
    document = {
        **network_document(network),
        "train_rows": len(x_train),
        "test_rows": len(x_test),
        **setting.names(),
        **_document(found, y_test, steps),
    }
    if as_json:
        emit_json(document)
    else:
        _print(document)


def _document(found: Posterior, y_test: np.ndarray, steps: int | None) -> dict[str, dict[str, float | None]]:
    """Both predictions' errors as plain numbers."""
    from nngp_dag.prediction import scores

    return {
        "nngp": {
            **asdict(scores(found.nngp_mean, y_test)),
            "jitter": found.nngp_jitter,
            "mean_variance": float(found.nngp_variance.mean()),
        },
        "ntk": {
            **asdict(scores(found.ntk_mean, y_test)),
            "jitter": found.ntk_jitter,
            "steps": steps,
            "learning_rate": found.learning_rate,
        },
    }


def _print(document: Mapping[str, Any]) -> None:
    names = ("mse", "accuracy", "jitter")
    steps = document["ntk"]["steps"]
    print_table(
        f"{document['code']}: {document['train_rows']} training rows, {document['test_rows']} test rows",
        ["prediction", "test error (mse)", "accuracy", "jitter"],
        [
            ["NNGP posterior", *(document["nngp"][name] for name in names)],
            [
                "NTK, trained to the end" if steps is None else f"NTK after {steps} steps",
                *(document["ntk"][name] for name in names),
            ],
        ],
    )
    click.echo(f"Mean posterior variance of the NNGP: {document['nngp']['mean_variance']:.4g}")
