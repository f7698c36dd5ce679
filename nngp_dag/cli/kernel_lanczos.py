"""The part of `nngp-dag kernel` that stores no matrix: options, the run with its estimate, and the tables."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
import numpy as np

from nngp_dag.cli.common import counts
from nngp_dag.cli.devices import chosen_devices, devices_option
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.reading import Setting
from nngp_dag.support.digest import digest
from nngp_dag.support.files import atomic_file, check_writable
from nngp_dag.support.own_folder import own_folder
from nngp_dag.support.progress import progress_bar

if TYPE_CHECKING:
    from nngp_dag.kernel.network import Network
    from nngp_dag.matrix_free import KernelOperator, LanczosSpectrum

__all__ = ["LanczosOptions", "lanczos_options", "lanczos_rows", "lanczos_spectra"]

_T = TypeVar("_T")
_TIMED_ROWS = 4096
_PICTURES = (".png", ".pdf", ".svg")


@dataclass(frozen=True)
class LanczosOptions:
    """The options of a run without a matrix.

    Attributes:
        wanted: whether it is one.
        steps: of each run of Lanczos.
        devices: number of devices, None: one.
        checkpoint: folder of the steps done.
        density: file of a plot.
        seed: of the random vectors.
    """

    wanted: bool
    steps: int | None
    devices: int | None
    checkpoint: Path | None
    density: Path | None
    seed: int

    def check(self, others: Mapping[str, object]) -> None:
        """Refuse options that go with the other kind of spectrum only (`others`, by name, of the dense one)."""
        if self.wanted:
            given = [name for name, value in others.items() if value]
            if given:
                raise InputError(f"{given[0]} needs whole matrices, which --spectrum lanczos never stores")
        elif self.steps or self.devices or self.checkpoint or self.density:
            raise InputError("--steps, --devices, --checkpoint and --density go with --spectrum lanczos")
        if self.density is not None:
            check_writable(self.density, "a picture")
            if self.density.suffix not in _PICTURES:
                raise InputError(f"{self.density}: a picture is one of {', '.join(_PICTURES)}")


def lanczos_options(function: Callable[..., _T]) -> Callable[..., _T]:
    """Add the options, and hand the command one `lanczos: LanczosOptions`."""

    @functools.wraps(function)
    def command(
        *args: object,
        spectrum: str,
        steps: int | None,
        devices: int | None,
        checkpoint: Path | None,
        density: Path | None,
        seed: int,
        **options: object,
    ) -> _T:
        chosen = LanczosOptions(spectrum == "lanczos", steps, devices, checkpoint, density, seed)
        return function(*args, lanczos=chosen, **options)

    path = click.Path(path_type=Path)
    for option in (
        click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of Lanczos."),
        click.option("--density", type=path, metavar="FILE", help="Draw the spectral density (.png, .pdf, .svg)."),
        click.option("--checkpoint", type=path, metavar="FOLDER", help="Keep the steps of Lanczos; go on from them."),
        devices_option("Share tiles by them."),
        click.option("--steps", type=counts(2), help="Of each of two runs of Lanczos, side by side.  [default: 100]"),
        click.option(
            "--spectrum",
            type=click.Choice(["dense", "lanczos"]),
            default="dense",
            show_default=True,
            help="All eigenvalues of a stored matrix, or the ends and the density by products alone.",
        ),
    ):
        command = option(command)
    return command


def lanczos_spectra(
    network: Network, x: np.ndarray, setting: Setting, names: tuple[str, ...], options: LanczosOptions
) -> dict[str, LanczosSpectrum]:
    """The spectra of the kernels; the plot is drawn."""
    from nngp_dag.matrix_free import KernelOperator, lanczos_spectrum
    from nngp_dag.matrix_free.spectrum import most_products

    devices = chosen_devices(options.devices)
    steps = min(options.steps or 100, len(x))
    if options.checkpoint is not None:
        own_folder(options.checkpoint, "nngp-dag-kernels", "nngp-dag", "runs of `nngp-dag kernel` on their way.")
    network_text = network.to_code() if isinstance(network, Dag) else network.to_json()
    found = {}

    def operator_on(rows: np.ndarray, name: str) -> KernelOperator:
        reading = setting.method, setting.order, setting.embedding, setting.activation
        return KernelOperator(network, rows, name, *reading, devices)

    with progress_bar(f"Lanczos on {len(x):,} rows", steps * len(names), "steps") as advance:
        for number, name in enumerate(names):
            operator = operator_on(x, name)
            if not number:
                some = operator if len(x) <= _TIMED_ROWS else operator_on(x[:_TIMED_ROWS], name)
                _estimate(some, operator.num_tiles, most_products(steps) * len(names))
            found[name] = lanczos_spectrum(
                operator,
                steps=steps,
                seed=options.seed,
                keep=None if options.checkpoint is None else options.checkpoint / name,
                identity=f"{network_text} {sorted(setting.names().items())} {digest(x)}",
                progress=_later(advance, steps * number),
            )
    if options.density is not None:
        _draw(found, options.density)
    return found


def _later(advance: Callable[[int], None], before: int) -> Callable[[int], None]:
    return lambda done: advance(before + done)


def _estimate(some: KernelOperator, num_tiles: int, products: int) -> None:
    """Say what a product of so many tiles takes, by one on some of the rows, and how long all of them will at most."""
    block = np.ones((some.shape[0], 16))
    some.matmat(block)
    start = time.perf_counter()
    some.matmat(block)
    seconds = (time.perf_counter() - start) * num_tiles / some.num_tiles
    click.echo(f"a product takes {seconds:.3g} s: about {seconds * products:,.3g} s for {products:,}", err=True)


def _draw(found: Mapping[str, LanczosSpectrum], path: Path) -> None:
    from matplotlib.figure import Figure

    from nngp_dag.plots.measure import plot_measure_density

    figure = Figure(figsize=(4.2, 3.0), layout="constrained")
    plot_measure_density({name.upper(): spectrum.measure for name, spectrum in found.items()}, figure.subplots())
    with atomic_file(path) as file:
        figure.savefig(file, format=path.suffix.lstrip("."), dpi=200)


def lanczos_rows(spectra: Mapping[str, LanczosSpectrum]) -> Iterator[list[object]]:
    """The statistics as rows for people."""
    statistics: dict[str, Callable[[LanczosSpectrum], object]] = {
        "lambda_min": lambda s: s.lambda_min,
        "lambda_min, at least": lambda s: s.lambda_min_low,
        "lambda_min, residual": lambda s: s.lambda_min_residual,
        "lambda_max": lambda s: s.lambda_max,
        "lambda_max, at most": lambda s: s.lambda_max_high,
        "lambda_max, residual": lambda s: s.lambda_max_residual,
        "trace": lambda s: s.trace,
        "condition number": lambda s: s.condition[0],
        "effective rank": lambda s: s.effective_rank,
        "log det": lambda s: f"{s.log_determinant:.6g} ± {s.log_determinant_error:.2g}",
        "Wasserstein error of the density": lambda s: s.measure.bound(s.failure),
        "products": lambda s: s.products,
    }
    for label, statistic in statistics.items():
        yield [label, *(statistic(s) for s in spectra.values())]
