"""`nngp-dag conv-kernel`: kernels of the network of a NAS-Bench-201 cell or a DARTS genotype on images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, use_float64
from nngp_dag.cli.conv_options import normalization_option
from nngp_dag.cli.data import RowSource, row_options
from nngp_dag.cli.kernel import kernels_file_option, names_option, statistic_rows, write_kernels
from nngp_dag.cli.reading import activation_option
from nngp_dag.errors import InputError
from nngp_dag.reading import ORDERS
from nngp_dag.support.files import check_writable
from nngp_dag.support.progress import stages as shown_stages

__all__ = ["command"]

_WORDS = (
    "digits, mnist, cifar10, mnist-test, cifar10-test (each with an optional :N images), or an .npz with `x` [N, h, w,"
    " C], or an .npy of that shape."
)


@click.command("conv-kernel")
@click.argument("arch")
@row_options(words=_WORDS)
@click.option("--size", type=counts(1), metavar="S", help="Shrink images to S x S, each pixel the mean of a window.")
@click.option(
    "--cells", type=counts(1), help="Cells of a stage (1), or of DARTS all cells (8), two of which halve images."
)
@click.option("--stages", type=counts(1), help="Stages, between which images are halved (3); not of DARTS.")
@click.option(
    "--max-pool",
    type=click.Choice(["refuse", "average"]),
    default="refuse",
    show_default=True,
    help="Max pooling of DARTS has no kernel in closed form: refuse it, or put average pooling in its place.",
)
@click.option(
    "--order",
    type=click.Choice(ORDERS),
    default="activation-first",
    show_default=True,
    help="Whether a convolution ends in its activation, or in its filters.",
)
@activation_option("Of every convolution.")
@click.option(
    "--readout", type=click.Choice(["average", "flatten"]), default="average", show_default=True, help="Over pixels."
)
@click.option(
    "--weight-scale", type=float, default=1.0, show_default=True, metavar="W", help="Of every convolution of a cell."
)
@click.option(
    "--bias-scale", type=float, default=0.0, show_default=True, metavar="V", help="Of every convolution of a cell."
)
@normalization_option
@names_option
@kernels_file_option
@json_option
@use_float64
def command(
    arch: str,
    data: RowSource,
    size: int | None,
    names: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Exact infinite-width kernels of the network of ARCH on images.

    ARCH is a cell of NAS-Bench-201 as its publishers write it, such as
    '|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|', or a genotype of DARTS, "Genotype(normal=[...],
    normal_concat=[...], reduce=[...], reduce_concat=[...])" or the same as JSON. Unless --raw is given, every image is
    divided by its root mean square.
    """
    from nngp_dag.conv import conv_kernel_fn
    from nngp_dag.conv.architecture import network_sizes
    from nngp_dag.spectrum import spectrum

    if out is not None:
        check_writable(out, "an .npz file", [data.file])
    compute = conv_kernel_fn(arch, **options)
    with shown_stages(2 + len(names)) as stage:
        stage(f"images {data.spec}")
        x = _images(data, size)
        stage(f"kernels of {len(x):,} images")
        kernels = {name: np.asarray(kernel) for name, kernel in zip(names, compute(x, get=names), strict=True)}
        write_kernels(out, kernels)
        spectra = {}
        for name in names:
            stage(f"eigenvalues of the {name.upper()}")
            spectra[name] = spectrum(kernels[name])
    cells, stages = network_sizes(arch, options["cells"], options["stages"])
    document = {"architecture": arch, "n": len(x), "size": x.shape[1], **options, "cells": cells, "stages": stages}
    if as_json:
        emit_json(document | {name: spectra[name].summary() for name in names})
        return
    number = f"{cells} cells" if stages is None else f"{cells} x {stages} cells"
    norm = ", layer norm" if options["normalization"] == "layer" else ""
    title = f"{arch} {options['order']} {options['activation']}{norm}, {number}"
    print_table(
        f"{title}, {len(x):,} images of {x.shape[1]}x{x.shape[2]}",
        ["", *(name.upper() for name in names)],
        statistic_rows(spectra),
    )
    if out is not None:
        click.echo(f"kernels written to {out}", err=True)


def _images(data: RowSource, size: int | None) -> np.ndarray:
    """The images, shrunk to `size`, and of unit mean square unless they are raw."""
    from nngp_dag.conv.images import shrunk, unit_images
    from nngp_dag.datasets.image_arrays import load_image_arrays

    x = load_image_arrays(data.spec, data_dir=data.folder)
    if x.shape[1] != x.shape[2]:
        raise InputError(f"images of {x.shape[1]}x{x.shape[2]}: square images are needed")
    x = x if size is None else shrunk(x, size)
    return x if data.raw else unit_images(x)
