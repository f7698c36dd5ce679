"""`nngp-dag conv-kernel`: the kernels of one of NAS-Bench-201's convolutional networks on images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, use_float64
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
@click.option("--cells", type=counts(1), default=1, show_default=True, help="Cells of a stage.")
@click.option(
    "--stages", type=counts(1), default=3, show_default=True, help="Stages; between two of them images are halved."
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
    """Exact infinite-width kernels of NAS-Bench-201's network of the cell ARCH, without normalisation, on images.

    ARCH is the publisher's string, such as '|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|'. Unless
    --raw is given, every image is divided by its root mean square.
    """
    from nngp_dag.conv import conv_kernel_fn
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
    document = {"architecture": arch, "n": len(x), "size": x.shape[1], **options}
    if as_json:
        emit_json(document | {name: spectra[name].summary() for name in names})
        return
    title = f"{arch} {options['order']} {options['activation']}, {options['cells']} x {options['stages']} cells"
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
