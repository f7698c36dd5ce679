"""The options that say which network a DAG stands for, and by which method its kernels are computed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import click

from nngp_dag.reading import EMBEDDINGS, METHODS, ORDERS, Reading, Setting

__all__ = ["reading_options", "setting_options"]

_T = TypeVar("_T")
_Command = Callable[..., _T]

_embedding = click.option("--embedding", type=click.Choice(EMBEDDINGS), default=EMBEDDINGS[0], show_default=True)
_activation = click.option("--activation", default="relu", show_default=True, metavar="NAME")


def reading_options(function: _Command[_T]) -> _Command[_T]:
    """Add --order, --embedding and --activation, and hand the command one `reading: Reading`."""

    @functools.wraps(function)
    def command(*args: object, order: str, embedding: str, activation: str, **options: object) -> _T:
        return function(*args, reading=Reading.make(order, embedding, activation), **options)

    order = click.option("--order", type=click.Choice(ORDERS), default=ORDERS[0], show_default=True)
    return order(_embedding(_activation(command)))


def setting_options(function: _Command[_T]) -> _Command[_T]:
    """Add --method, --order, --embedding and --activation, and hand the command one `setting: Setting`."""

    @functools.wraps(function)
    def command(
        *args: object, method: str, order: str | None, embedding: str, activation: str, **options: object
    ) -> _T:
        return function(*args, setting=Setting.make(method, order, embedding, activation), **options)

    method = click.option("--method", type=click.Choice(list(METHODS)), default="exact", show_default=True)
    order = click.option(
        "--order", type=click.Choice(ORDERS), help="Default: activation-last; for neural-tangents activation-first."
    )
    return method(order(_embedding(_activation(command))))
