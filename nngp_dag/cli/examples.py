"""An example for each command, shown below its options."""

from __future__ import annotations

import click

__all__ = ["EXAMPLES", "with_example"]

EXAMPLES = {
    "analyze": "nngp-dag analyze 2_21_112 --out dag3.html --open",
    "explore": "nngp-dag explore 1_12_002",
    "paths": "nngp-dag paths 2_02_002 1_01_222 2_21_112",
    "sweep": "nngp-dag sweep --nodes 4 --data digits:64 --out sweep.csv",
    "kernel": "nngp-dag kernel 2_21_112 --data mnist:1000 --out kernels.npz",
    "conv-kernel": (
        "nngp-dag conv-kernel '|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|' --data digits:8"
    ),
    "signal": "nngp-dag signal 2_21_112 --activation tanh --weight-scale 1.2 --bias-scale 0.1",
    "montecarlo": "nngp-dag montecarlo 1_01_222 --data digits:16 --width 1024",
    "train": "nngp-dag train 2_21_112 --data digits:500 --epochs 5 --out run",
    "predict": "nngp-dag predict 2_21_112 --data digits:500",
    "space": "nngp-dag space nasbench201 --benchmark accuracy.csv --out figure-5",
    "filter": "nngp-dag filter nasbench201 cells.txt --keep-radius 0.5",
    "score": "nngp-dag score wot,ntk-cond --sample 20 --out scores.csv",
    "search": "nngp-dag search wot --data cifar10 --runs 5 --out runs.jsonl",
    "optimize": "nngp-dag optimize --nodes 5 --criterion lambda-min,cost --data digits:64",
    "verify": "nngp-dag verify --claims eq-12,dag-3 --open",
    "figure-4": "nngp-dag reproduce figure-4 --data mnist --out figure-4",
    "exact-nasbench201": "nngp-dag reproduce exact-nasbench201 --benchmark accuracy.csv --out exact",
    "figure-5": "nngp-dag reproduce figure-5 --benchmark accuracy.csv",
    "table-1": "nngp-dag reproduce table-1 --out table-1",
    "table-2": "nngp-dag reproduce table-2 --benchmark accuracy.csv --out table-2",
    "table-3": "nngp-dag reproduce table-3 --benchmark accuracy.csv --out table-3",
}
"""By name of a command: a line that can be typed as it is, data and names of files apart."""


def with_example(command: click.Command, name: str) -> click.Command:
    """The command, its help ending with its example (once)."""
    text = f"\b\nExample:\n  {EXAMPLES[name]}" if name in EXAMPLES else ""
    if text and text not in (command.epilog or ""):
        command.epilog = "\n\n".join(part for part in (command.epilog, text) if part)
    return command
