"""`nngp-dag kernel`: the kernels of one DAG on data, and statistics of their spectra."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from nngp_dag.cli.common import emit_json, json_option, print_table, use_float64
from nngp_dag.cli.data import RowSource, row_options
from nngp_dag.cli.kernel_lanczos import LanczosOptions, lanczos_options, lanczos_rows, lanczos_spectra
from nngp_dag.cli.network import network_document, networks_of, scale_options
from nngp_dag.cli.reading import setting_options
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.reading import METHODS, Setting
from nngp_dag.support.files import atomic_file, check_writable
from nngp_dag.support.memory import require_memory
from nngp_dag.support.progress import progress_bar, stages
from nngp_dag.support.strict_json import strict_json_text

if TYPE_CHECKING:
    from nngp_dag.activations import Activation
    from nngp_dag.kernel.network import Network
    from nngp_dag.spectrum import CertifiedSpectrum, Spectrum

__all__ = ["command", "estimated_bytes", "kernels_file_option", "names_option", "statistic_rows", "write_kernels"]

_KERNELS = ("nngp", "ntk")


class KernelNames(click.ParamType):
    """Kernels joined by commas, each at most once."""

    name = "kernels"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = value if isinstance(value, tuple) else tuple(name.strip() for name in str(value).split(","))
        if not set(names) <= set(_KERNELS) or len(set(names)) < len(names):
            self.fail(f"{value!r} is not one of nngp, ntk, or nngp,ntk.", param, ctx)
        return tuple(name for name in _KERNELS if name in names)


names_option = click.option(
    "--get",
    "names",
    type=KernelNames(),
    default="nngp,ntk",
    show_default=True,
    metavar="KERNELS",
    help="Which kernels to compute.",
)
kernels_file_option = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE.npz", help="Write the kernels (arrays nngp, ntk, float64)."
)


@click.command("kernel")
@click.argument("code", required=False)
@row_options()
@setting_options
@names_option
@kernels_file_option
@scale_options
@click.option("--certify", is_flag=True, help="Also prove bounds of the eigenvalues, by ball arithmetic.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Write what --certify proves as certificates, which `nngp-dag verify --recheck` proves again.",
)
@lanczos_options
@json_option
@use_float64
def command(
    code: str | None,
    data: RowSource,
    setting: Setting,
    names: tuple[str, ...],
    out: Path | None,
    weight_scale: float | None,
    bias_scale: float | None,
    wiring: Path | None,
    certify: bool,
    certificate: Path | None,
    lanczos: LanczosOptions,
    as_json: bool,
) -> None:
    """Infinite-width kernels of the DAG with code CODE, or of a wiring, on data, and statistics of their spectra."""
    from nngp_dag.kernel.functions import kernel_of
    from nngp_dag.spectrum import spectrum

    network = networks_of(() if code is None else (code,), weight_scale, bias_scale, wiring)[0]
    dag = network if isinstance(network, Dag) else network.dag
    _check_spectrum(network, lanczos, {"--out": out, "--certify": certify, "--certificate": certificate})
    if lanczos.wanted:
        _without_matrix(network, data, setting, names, lanczos, as_json)
        return
    _check_outputs(out, certificate, [data.file, wiring])
    compute = kernel_of(network, setting)
    proved = _certified(network, data, setting, names, certificate) if certify or certificate else {}
    with stages(2 + len(names)) as stage:
        stage(f"data {data.spec}")
        x = data.load(labels=False).x
        n, d = x.shape
        require_memory(estimated_bytes(n, d, dag, setting.method, names), f"{' and '.join(names)} of {n:,} rows")
        stage(f"kernels of {n:,} rows")
        kernels = {name: np.asarray(kernel) for name, kernel in zip(names, compute(x, get=names), strict=True)}
        write_kernels(out, kernels)
        spectra = {}
        for name in names:
            stage(f"eigenvalues of the {name.upper()}")
            # Taken out of the dictionary, so that each kernel is given back once its spectrum is known.
            spectra[name] = spectrum(kernels.pop(name))
    if setting.activation.has_rules:
        click.echo(_accuracy_line(setting.activation), err=True)
    document = {
        **network_document(network),
        "n": n,
        **setting.names(),
        **{name: {**spectra[name].summary(), **_proved_summary(proved.get(name))} for name in names},
    }
    if as_json:
        emit_json(document)
        return
    print_table(
        f"{' '.join(map(str, [dag.to_code(), *setting.names().values()]))}, {n:,} rows",
        ["", *(name.upper() for name in names)],
        [*statistic_rows(spectra), *_proved_rows(proved)],
    )
    if out is not None:
        click.echo(f"kernels written to {out}", err=True)


def _check_outputs(out: Path | None, certificate: Path | None, inputs: list[Path | None]) -> None:
    """InputError where a result could not be written, or would take the place of something."""
    if out is not None:
        check_writable(out, "an .npz file", inputs)
    if certificate is not None:
        if certificate == out:
            raise InputError("--out and --certificate are two files")
        check_writable(certificate, "a .json file", inputs)


def _without_matrix(
    network: Network, data: RowSource, setting: Setting, names: tuple[str, ...], options: LanczosOptions, as_json: bool
) -> None:
    """`--spectrum lanczos`."""
    x = data.load(labels=False).x
    spectra = lanczos_spectra(network, x, setting, names, options)
    document = {**network_document(network), "n": len(x), **setting.names(), "spectrum": "lanczos"}
    if as_json:
        emit_json({**document, **{name: found.summary() for name, found in spectra.items()}})
        return
    title = " ".join(str(document[key]) for key in ("code", "method", "order", "embedding", "activation"))
    columns = ["", *(name.upper() for name in names)]
    print_table(f"{title}, {len(x):,} rows, without a matrix", columns, lanczos_rows(spectra))


def write_kernels(out: Path | None, kernels: Mapping[str, np.ndarray]) -> None:
    """Write the kernels to an .npz file, where one is asked for."""
    if out is not None:
        with atomic_file(out) as file:
            np.savez(file, allow_pickle=False, **kernels)


def _check_spectrum(network: Network, lanczos: LanczosOptions, others: Mapping[str, object]) -> None:
    lanczos.check(others)
    if others["--certificate"] and not isinstance(network, Dag):
        raise InputError("a certificate names a network by its code: --certify alone proves bounds of a wiring")


def _certified(
    network: Network, data: RowSource, setting: Setting, names: tuple[str, ...], out: Path | None
) -> dict[str, CertifiedSpectrum]:
    """Proved bounds of the kernels on the rows as they come, divided by their norms in balls unless they are raw."""
    from nngp_dag.spectrum.certification import certify_kernels

    x = data.load(raw=True, labels=False).x
    pairs = len(x) * (len(x) + 1) // 2
    source = data.spec if data.file is None else data.file.name
    with progress_bar(f"proof for {len(x):,} rows", pairs, "pairs") as advance:
        found = certify_kernels(network, x, setting, names, normalize=not data.raw, source=source, progress=advance)
    if out is not None:
        certificates = [spectrum.certificate() for spectrum in found.values() if spectrum.proved]
        if not certificates:
            raise InputError(f"no certificate: {'; '.join(spectrum.reason for spectrum in found.values())}")
        with atomic_file(out) as file:
            file.write(strict_json_text(certificates, indent=1).encode() + b"\n")
        click.echo(f"certificates written to {out}", err=True)
    return found


def _proved_summary(spectrum: CertifiedSpectrum | None) -> dict[str, object]:
    return {} if spectrum is None else {"certified": spectrum.summary()}


def _proved_rows(proved: Mapping[str, CertifiedSpectrum]) -> Iterator[list[object]]:
    """The proved digits, as rows for people."""
    from nngp_dag.spectrum.certification import certified_digits

    if not proved:
        return
    for label in ("lambda_min", "lambda_max", "condition"):
        intervals = [getattr(s, label) if s.proved else None for s in proved.values()]
        yield [f"{label}, proved", *("not proved" if i is None else certified_digits(i) for i in intervals)]


def estimated_bytes(n: int, d: int, dag: Dag, method: str, names: tuple[str, ...]) -> int:
    """Peak memory of the command for n rows of length d: matrices in float64 that exist at once, and a constant."""
    if not METHODS[method].is_pairwise:  # whole matrices of every node, not tiles
        matrices = 2 * dag.pruned().num_nodes + 6
    else:  # the NTK is made from K_HH and Theta_HH; an eigenvalue computation needs a copy
        matrices = 3 if "ntk" in names else 2
    return 8 * (matrices * n * n + 3 * n * d) + 2**27


def _accuracy_line(activation: Activation) -> str:
    errors = []
    for variance in (1.0, 10.0):
        accuracy = activation.serving(variance).accuracy(variance)
        errors.append(f"{accuracy.dual:.0e} (f) and {accuracy.dual_derivative:.0e} (fdot) at variance {variance:g}")
    return f"{activation.name}: dual maps by quadrature, relative errors {', '.join(errors)}"


def statistic_rows(spectra: Mapping[str, Spectrum]) -> Iterator[list[object]]:
    """The statistics as rows for people."""
    statistics = {
        "lambda_min": lambda s: s.lambda_min,
        "lambda_max": lambda s: s.lambda_max,
        "trace": lambda s: s.trace,
        "condition number": lambda s: s.condition,
        "effective rank": lambda s: s.effective_rank,
        "pair bound": lambda s: s.pair_bound,
        "pair": lambda s: s.pair and f"{s.pair[0]}, {s.pair[1]}",
        "lambda_min / mean diagonal": lambda s: s.scale_free.lambda_min,
        "lambda_max / mean diagonal": lambda s: s.scale_free.lambda_max,
        "pair bound / mean diagonal": lambda s: s.scale_free.pair_bound,
    }
    for label, statistic in statistics.items():
        yield [label, *(statistic(s) for s in spectra.values())]
