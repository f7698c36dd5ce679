"""The options that say which network a DAG stands for, and by which method its kernels are computed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import click

from nngp_dag.cli.completion import activation_names
from nngp_dag.reading import EMBEDDINGS, METHODS, ORDERS, Reading, Setting
from nngp_dag.support.progress import starting

__all__ = ["ORDER_HELP", "activation_option", "reading_options", "setting_options"]

_T = TypeVar("_T")
_Command = Callable[..., _T]

_embedding = click.option(
    "--embedding",
    type=click.Choice(EMBEDDINGS),
    default=EMBEDDINGS[0],
    show_default=True,
    help="First layer: a random matrix that stays (gaussian) or is trained, or one with an activation (stem).",
)
ORDER_HELP = "Whether a linear edge ends in its activation, or in its matrix."


def activation_option(words: str) -> Callable[[_Command[_T]], _Command[_T]]:
    """The option --activation, with its help."""
    return click.option(
        "--activation", default="relu", show_default=True, metavar="NAME", shell_complete=activation_names, help=words
    )


_activation = activation_option("Of linear edges: relu, leaky_relu, erf, gelu, sin, tanh, identity, ...")


def reading_options(function: _Command[_T]) -> _Command[_T]:
    """Add --order, --embedding and --activation, and hand the command one `reading: Reading`."""

    @functools.wraps(function)
    def command(*args: object, order: str, embedding: str, activation: str, **options: object) -> _T:
        with starting():  # activations bring JAX
            reading = Reading.make(order, embedding, activation)
        return function(*args, reading=reading, **options)

    order = click.option("--order", type=click.Choice(ORDERS), default=ORDERS[0], show_default=True, help=ORDER_HELP)
    return order(_embedding(_activation(command)))


def setting_options(function: _Command[_T]) -> _Command[_T]:
    """Add --method, --order, --embedding and --activation, and hand the command one `setting: Setting`."""

    @functools.wraps(function)
    def command(
        *args: object, method: str, order: str | None, embedding: str, activation: str, **options: object
    ) -> _T:
        with starting():
            setting = Setting.make(method, order, embedding, activation)
        return function(*args, setting=setting, **options)

    method = click.option(
        "--method",
        type=click.Choice(list(METHODS)),
        default="exact",
        show_default=True,
        help="The kernel of wide networks (exact), of Eq. 6-11 (independent), of Eq. 12 (path-sum), or the package's.",
    )
    order = click.option(
        "--order",
        type=click.Choice(ORDERS),
        help=f"{ORDER_HELP}  [default: activation-last; for neural-tangents activation-first]",
    )
    return method(order(_embedding(_activation(command))))
