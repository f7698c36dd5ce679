"""`nngp-dag predict`: test error and accuracy of the NNGP posterior and of the trained infinitely wide network."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from nngp_dag.cli.common import emit_json, json_option, print_table, use_float64
from nngp_dag.cli.reading import setting_options
from nngp_dag.dag import Dag
from nngp_dag.datasets import load
from nngp_dag.errors import InputError
from nngp_dag.reading import Setting

__all__ = ["command"]


@click.command("predict")
@click.argument("code")
@click.option("--data", required=True, metavar="SPEC", help="Training rows with labels: digits:500, an .npz, ...")
@click.option("--test", metavar="SPEC", help="Test rows with labels; by default the last fifth of --data is held out.")
@click.option("--steps", type=int, help="Steps of full-batch gradient descent; by default trained to the end.")
@click.option("--lr", type=float, help="Learning rate for the mean over rows.  [default: half the largest stable one]")
@click.option("--jitter", type=float, help="Added to the kernels' diagonals.  [default: the least for condition 1e10]")
@setting_options
@click.option("--raw", is_flag=True, help="Do not scale rows to unit norm.")
@click.option("--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="Folder with the original data files.")
@json_option
@use_float64
def command(
    code: str,
    data: str,
    test: str | None,
    steps: int | None,
    lr: float | None,
    jitter: float | None,
    setting: Setting,
    raw: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Predict the labels of test rows by the kernels of CODE, as one-hot regression."""
    from nngp_dag.prediction import posterior, scores

    dag = Dag.from_code(code)
    rows = load(data, raw=raw, data_dir=data_dir)
    x, y = rows.x, rows.one_hot()
    if test is None:
        kept = len(rows) - max(1, len(rows) // 5)
        if kept < 1:
            raise InputError(f"{data} has {len(rows)} rows, too few to hold some out: give --test")
        x_train, y_train, x_test, y_test = x[:kept], y[:kept], x[kept:], y[kept:]
    else:
        other = load(test, raw=raw, data_dir=data_dir)
        x_train, y_train, x_test, y_test = x, y, other.x, other.one_hot()
        if x_test.shape[1] != x.shape[1]:
            raise InputError(f"{test} has {x_test.shape[1]} columns, but {data} has {x.shape[1]}")
        classes = max(y.shape[1], y_test.shape[1])
        y_train, y_test = (np.pad(one_hot, [(0, 0), (0, classes - one_hot.shape[1])]) for one_hot in (y_train, y_test))
    found = posterior(
        dag,
        x_train,
        y_train,
        x_test,
        steps=math.inf if steps is None else steps,
        learning_rate=lr,
        jitter=jitter,
        setting=setting,
    )
    document: dict[str, Any] = {
        "code": dag.to_code(),
        "train_rows": len(x_train),
        "test_rows": len(x_test),
        **setting.names(),
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
    if as_json:
        emit_json(document)
        return
    print_table(
        f"{document['code']}: {document['train_rows']} training rows, {document['test_rows']} test rows",
        ["prediction", "test error (mse)", "accuracy", "jitter"],
        [
            ["NNGP posterior", *(document["nngp"][name] for name in ("mse", "accuracy", "jitter"))],
            [
                "NTK, trained to the end" if steps is None else f"NTK after {steps} steps",
                *(document["ntk"][name] for name in ("mse", "accuracy", "jitter")),
            ],
        ],
    )
    click.echo(f"Mean posterior variance of the NNGP: {document['nngp']['mean_variance']:.4g}")
