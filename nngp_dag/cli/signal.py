"""`nngp-dag signal`: maps of variance and correlation, the order-to-chaos plane, and activations shaped for a DAG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, use_float64
from nngp_dag.cli.network import network_document, networks_of, scale_options
from nngp_dag.cli.reading import ORDER_HELP, activation_option
from nngp_dag.errors import InputError
from nngp_dag.reading import ORDERS
from nngp_dag.support.files import atomic_file, check_writable

if TYPE_CHECKING:
    from nngp_dag.wiring import Wiring

__all__ = ["command"]

_KINDS = (".png", ".svg", ".pdf")


@click.command("signal")
@click.argument("code", required=False)
@click.option("--order", type=click.Choice(ORDERS), default=ORDERS[0], show_default=True, help=ORDER_HELP)
@activation_option("Of every linear edge that has none of its own.")
@scale_options
@click.option("--in-degree", is_flag=True, help="Divide all gains by the square root of the in-degree.")
@click.option("--variance", type=float, default=1.0, show_default=True, help="Variance of the input, squared norm.")
@click.option("--correlations", default="0,0.5,0.9", show_default=True, metavar="C,...", help="Of two inputs.")
@click.option("--plane", is_flag=True, help="Also chi over weight scale and bias scale, and the critical line.")
@click.option("--weight-scales", default="0.3,2", show_default=True, metavar="LOW,HIGH", help="Range of the plane.")
@click.option("--bias-scales", default="0,1", show_default=True, metavar="LOW,HIGH", help="Range of the plane.")
@click.option("--grid", type=counts(2), default=25, show_default=True, help="Points on each side of the plane.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.png", help="Plot of the plane; or .svg, .pdf.")
@click.option("--shape", type=click.Choice(["dks", "tat"]), help="Also the activation shaped for this DAG.")
@click.option("--target", type=float, help="Of the shaped network: C'(1) of dks, C(0) or C''(1) of tat.")
@json_option
@use_float64
def command(
    code: str | None,
    order: str,
    activation: str,
    weight_scale: float | None,
    bias_scale: float | None,
    wiring: Path | None,
    in_degree: bool,
    variance: float,
    correlations: str,
    shape: str | None,
    target: float | None,
    as_json: bool,
    **plane: Any,
) -> None:
    """Follow variances and correlations through the DAG CODE or a wiring, and from cell to cell of a stack of it.

    The plane multiplies the weight scales of a wiring, and takes the place of its bias scales.

    chi is the factor by which small distances and gradients grow: below 1 the stack is ordered, above chaotic. --shape
    finds the activation that Deep Kernel Shaping or Tailored Activation Transformations ask for.
    """
    from nngp_dag.signal import SignalMaps
    from nngp_dag.signal.document import plane_document, shaped_document, signal_document
    from nngp_dag.wiring import Wiring, as_wiring

    if target is not None and shape is None:
        raise click.UsageError("--target needs --shape")
    if plane["out"] is not None:
        _check_picture(plane["out"])
    ranges = [_numbers(f"--{name}", plane[name.replace("-", "_")], 2) for name in ("weight-scales", "bias-scales")]
    points = _numbers("--correlations", correlations)
    given = networks_of(() if code is None else (code,), weight_scale, bias_scale, wiring)[0]
    network = _divided(as_wiring(given), in_degree)
    shaped = None if shape is None else _shaped(shape, network, activation, target)
    maps = SignalMaps.of(network, order, activation)
    scales = {
        "weight_scale": 1.0 if weight_scale is None else weight_scale,
        "bias_scale": 0.0 if bias_scale is None else bias_scale,
    }
    document = {
        "code": network.dag.to_code(),
        "order": order,
        "activation": maps.reading.activation.name,
        **(scales if wiring is None else {"wiring": network_document(given)["wiring"]}),
        "in_degree": in_degree,
        **signal_document(maps, variance, points),
    }
    if plane["plane"] or plane["out"] is not None:
        # The axes of the plane are the scales themselves, whatever those of the options are.
        cell = maps if wiring else SignalMaps.of(_divided(Wiring.make(network.dag), in_degree), order, activation)
        document["plane"] = plane_document(_plane(cell, ranges, plane["grid"], variance, plane["out"]))
    if shaped is not None:
        document["shaped"] = shaped_document(shaped)
    if as_json:
        emit_json(document)
    else:
        _print(document)


def _divided(wiring: Wiring, in_degree: bool) -> Wiring:
    return wiring.divided_by_in_degree() if in_degree else wiring


def _plane(maps: Any, ranges: Sequence[list[float]], grid: int, start: float, out: Path | None) -> Any:
    import numpy as np

    from nngp_dag.signal import order_chaos_plane

    w, v = (np.linspace(low, high, grid) for low, high in ranges)
    found = order_chaos_plane(maps, w, v, start)
    if out is not None:
        import matplotlib as mpl

        from nngp_dag.plots import plot_order_chaos

        mpl.use("agg")
        figure = plot_order_chaos(found).get_figure(root=True)
        assert figure is not None
        with atomic_file(out) as file:
            figure.savefig(file, format=out.suffix[1:], bbox_inches="tight")
        click.echo(f"plot written to {out}", err=True)
    return found


def _shaped(shape: str, wiring: Wiring, activation: str, target: float | None) -> Any:
    from nngp_dag.activations import LeakyRelu, get
    from nngp_dag.signal import deep_kernel_shaping, tailored_activation

    if shape == "dks":
        return deep_kernel_shaping(wiring, activation, **({} if target is None else {"max_slope": target}))
    name = "max_value" if isinstance(get(activation), LeakyRelu) else "max_curvature"
    return tailored_activation(wiring, activation, **({} if target is None else {name: target}))


def _check_picture(out: Path) -> None:
    if out.suffix not in _KINDS:
        raise InputError(f"--out must be a file that ends in {', '.join(_KINDS)}, got {out}")
    check_writable(out, f"a {out.suffix} file")


def _numbers(option: str, text: str, count: int | None = None) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")] if text else []
    except ValueError:
        found = None  # type: ignore[assignment]
    if found is None or (count is not None and len(found) != count):
        raise InputError(f"{option} needs {count or 'some'} numbers with commas between, got {text!r}")
    return found


def _print(document: Mapping[str, Any]) -> None:
    if "wiring" in document:
        scales = "scales, gains and activations of the wiring"
    else:
        scales = f"weight scale {document['weight_scale']:g}, bias scale {document['bias_scale']:g}"
    divided = ", gains divided by the root of the in-degree" if document["in_degree"] else ""
    names = ("variance", "variance_slope", "chi", "correlation_slope")
    print_table(
        f"{document['code']}: {document['activation']}, {document['order']}, {scales}{divided};"
        f" input variance {document['input_variance']:g}",
        ["node", "variance", "its slope", "chi", "slope of correlation at 1"],
        [[node["node"], *(node[name] for name in names)] for node in document["nodes"]],
    )
    if document["correlations"]:
        print_table(
            "Correlations",
            ["inputs", "outputs (cosine)", "outputs, centred"],
            [[point["input"], point["output"], point["centred"]] for point in document["correlations"]],
        )
    stacked = document["stacked"]
    click.echo(f"Stacked: {stacked['reason']}" if "reason" in stacked else _stack_words(stacked))
    if "plane" in document:
        rows = zip(document["plane"]["bias_scale"], document["plane"]["critical"], strict=True)
        print_table("Critical line", ["bias scale", "weight scale"], [[v, None if w != w else w] for v, w in rows])
    if "shaped" in document:
        shaped = document["shaped"]
        constants = ["input_scale", "input_shift", "output_scale", "output_shift", "negative_slope"]
        print_table(
            f"Shaped by {shaped['method']}: {shaped['condition']} {shaped['local']:.6g} of one activation,"
            f" {shaped['network']:g} of the network",
            ["constant", "value"],
            [[name, shaped[name]] for name in constants if shaped[name] is not None],
        )


def _stack_words(stacked: Mapping[str, Any]) -> str:
    return (
        f"Stacked: {stacked['phase']} (chi {stacked['chi']:.6g}); variance settles at {stacked['variance']:.6g} over"
        f" {stacked['depth_variance']:.4g} cells, correlation at {stacked['correlation']:.6g} over"
        f" {stacked['depth_correlation']:.4g}."
    )
