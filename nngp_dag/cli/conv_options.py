"""Options of the commands that compute exact kernels of convolutional networks."""

from __future__ import annotations

import click

__all__ = ["normalization_option"]

normalization_option = click.option(
    "--normalization",
    default="none",
    show_default=True,
    metavar="none|layer",
    help="Layer norm over channels wherever the published networks have batch normalisation, or nothing there.",
)
