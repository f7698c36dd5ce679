"""`nngp-dag montecarlo`: the kernels of real networks, and which method they accept or reject."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, seed_option, use_float64
from nngp_dag.cli.data import RowSource, row_options
from nngp_dag.cli.network import network_document, network_options
from nngp_dag.cli.reading import reading_options
from nngp_dag.errors import InputError
from nngp_dag.reading import Reading
from nngp_dag.support.progress import progress_bar

if TYPE_CHECKING:
    from nngp_dag.kernel.network import Network

__all__ = ["command"]


@click.command("montecarlo")
@network_options
@row_options()
@click.option("--width", type=counts(1), default=1024, show_default=True, help="Neurons of every node.")
@click.option("--seeds", type=counts(4), default=16, show_default=True, help="Number of networks.")
@reading_options
@click.option(
    "--tolerance",
    type=float,
    help="Stop early, when no confidence interval is wider than this (half width over the mean diagonal).",
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Level of the confidence intervals.")
@click.option(
    "--rate-widths",
    metavar="M1,M2,...",
    help="Also fit the rate at which the error of one draw falls over these widths (theory: exponent -1/2).",
)
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), default="float64", show_default=True, help="Of the networks."
)
@seed_option
@json_option
@use_float64
def command(
    network: Network,
    data: RowSource,
    width: int,
    seeds: int,
    reading: Reading,
    tolerance: float | None,
    confidence: float,
    rate_widths: str | None,
    dtype: str,
    seed: int,
    as_json: bool,
) -> None:
    """Compare the empirical NNGP and NTK of random networks of CODE, or of a wiring, with the kernel of every method.

    Networks are drawn one after another (memory does not grow with --seeds). A method is rejected where an entry of the
    mean differs from its kernel by more standard errors than chance allows (p < 0.01). That it is not rejected says
    something only where the intervals are narrow: where they are not, it is undecided.
    """
    from nngp_dag.finite.montecarlo import compare_methods, monte_carlo, width_rate

    widths = _widths(rate_widths)
    rows = data.load(labels=False).x
    with progress_bar("Networks", seeds, "networks") as report:
        result = monte_carlo(
            network,
            rows,
            width,
            seeds,
            seed,
            reading=reading,
            dtype=dtype,
            tolerance=tolerance,
            confidence=confidence,
            progress=report,
        )
    methods = compare_methods(result, rows)
    document: dict[str, object] = {
        **network_document(network),
        "width": width,
        "seeds": result.seeds,
        **reading.names(),
        **{kernel: {method: asdict(found) for method, found in table.items()} for kernel, table in methods.items()},
        "interval": {
            "confidence": confidence,
            "nngp_half_width": result.nngp.tightness,
            "ntk_half_width": result.ntk.tightness,
        },
    }
    if widths:
        with progress_bar("Rate", len(widths) * seeds, "networks") as report:
            rate = width_rate(network, rows, widths, seeds, seed, reading=reading, dtype=dtype, progress=report)
        document["rate"] = asdict(rate)
    if as_json:
        emit_json(document)
        return
    _print(document)


def _widths(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if (
        not all(part.isascii() and part.isdigit() and len(part) < 8 and 0 < int(part) < 10**6 for part in parts)
        or len(set(parts)) < 2
    ):
        raise InputError(f"--rate-widths takes at least two different widths joined by commas, got {text!r}")
    return tuple(int(part) for part in parts)


def _print(document: dict[str, Any]) -> None:
    from nngp_dag.finite.montecarlo import Agreement
    from nngp_dag.finite.montecarlo.words import outcome, too_wide

    interval = document["interval"]
    widths = {kernel: interval[f"{kernel}_half_width"] for kernel in ("nngp", "ntk")}
    rows, reasons = [], {}
    for kernel in ("nngp", "ntk"):
        for method, found in document[kernel].items():
            if found["available"]:
                verdict = outcome(Agreement(**found), widths[kernel])
                rows.append([kernel, method, found["relative_error"], found["z"], found["p"], verdict])
            else:
                reasons[method] = found["reason"]
    wired = ", wired" if "wiring" in document else ""
    title = f"{document['code']}{wired}: {document['seeds']} networks of width {document['width']}, {document['order']}"
    print_table(title, ["kernel", "method", "relative error", "z", "p", "verdict"], rows)
    for method, reason in reasons.items():
        click.echo(f"{method} is not available: {reason}")
    if warning := too_wide(widths, interval["confidence"]):
        click.echo(warning)
    click.echo(
        f"Largest half width of a {interval['confidence']:.0%} confidence interval over the mean diagonal:"
        f" nngp {interval['nngp_half_width']:.3g}, ntk {interval['ntk_half_width']:.3g}"
    )
    for kernel in ("nngp", "ntk") if "rate" in document else ():
        fit = document["rate"][kernel]
        low, high = fit["interval"]
        click.echo(f"Error of one {kernel} falls as width^{fit['exponent']:.3f} (95% interval {low:.3f} to {high:.3f})")
