"""The argument and options that name a network: the code of a DAG, scales of its edges, or the file of a wiring."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError

if TYPE_CHECKING:
    from nngp_dag.wiring import Wiring

__all__ = [
    "network_document",
    "network_options",
    "networks_document",
    "networks_of",
    "networks_options",
    "scale_options",
]

_T = TypeVar("_T")
_Command = Callable[..., _T]


def network_options(function: _Command[_T]) -> _Command[_T]:
    """Add CODE, --weight-scale, --bias-scale and --wiring, and hand the command one `network`: a DAG or a wiring."""

    @functools.wraps(function)
    def command(
        *args: object,
        code: str | None,
        weight_scale: float | None,
        bias_scale: float | None,
        wiring: Path | None,
        **options: object,
    ) -> _T:
        networks = networks_of(() if code is None else (code,), weight_scale, bias_scale, wiring)
        return function(*args, network=networks[0], **options)

    return click.argument("code", required=False)(scale_options(command))


def networks_options(function: _Command[_T]) -> _Command[_T]:
    """Add CODE..., --weight-scale, --bias-scale and --wiring, and hand the command `networks`: DAGs or wirings."""

    @functools.wraps(function)
    def command(
        *args: object,
        codes: tuple[str, ...],
        weight_scale: float | None,
        bias_scale: float | None,
        wiring: Path | None,
        **options: object,
    ) -> _T:
        return function(*args, networks=networks_of(codes, weight_scale, bias_scale, wiring), **options)

    return click.argument("codes", nargs=-1, metavar="CODE...")(scale_options(command))


def scale_options(function: _Command[_T]) -> _Command[_T]:
    """Add --weight-scale, --bias-scale and --wiring."""
    weight = click.option("--weight-scale", type=float, help="Of every linear edge.  [default: 1]")
    bias = click.option("--bias-scale", type=float, help="Of every linear edge.  [default: 0, no bias]")
    wiring = click.option(
        "--wiring",
        type=click.Path(path_type=Path),
        metavar="FILE.json",
        help="The wiring in a file (Wiring.save): scales, gains, activations, layer norm.",
    )
    return weight(bias(wiring(function)))


def networks_of(
    codes: tuple[str, ...], weight_scale: float | None, bias_scale: float | None, path: Path | None
) -> list[Dag | Wiring]:
    """The DAGs of codes, with scales their wirings; or the wiring of a file, whose DAG a code may name again.

    Raises:
        InputError: neither a code nor a file, options that contradict each other, or what `Wiring` refuses.
    """
    given = [name for name, scale in (("weight", weight_scale), ("bias", bias_scale)) if scale is not None]
    dags = [Dag.from_code(code) for code in codes]
    if path is not None:
        return [_of_file(path, dags, given)]
    if not dags:
        raise InputError("a network is needed: give the CODE of a DAG, or --wiring FILE.json")
    if not given:
        return [*dags]
    from nngp_dag.wiring import Wiring

    weight, bias = (1.0 if weight_scale is None else weight_scale), (bias_scale or 0.0)
    return [Wiring.make(dag, weight_scale=weight, bias_scale=bias) for dag in dags]


def network_document(network: Dag | Wiring) -> dict[str, object]:
    """The code of a network, and with a wiring its document."""
    from nngp_dag.support.strict_json import parse_json

    if isinstance(network, Dag):
        return {"code": network.to_code()}
    return {"code": network.dag.to_code(), "wiring": parse_json(network.to_json())}


def networks_document(networks: Sequence[Dag | Wiring]) -> dict[str, object]:
    """The codes of networks, and the documents of their wirings where there are any."""
    found = [network_document(network) for network in networks]
    wirings = [document["wiring"] for document in found if "wiring" in document]
    return {"codes": [document["code"] for document in found], **({"wirings": wirings} if wirings else {})}


def _of_file(path: Path, dags: list[Dag], scales: list[str]) -> Wiring:
    from nngp_dag.wiring import Wiring

    if scales:
        raise InputError(
            f"--{scales[0]}-scale is for a CODE: with --wiring the file has the scales of every edge; leave out"
            " --weight-scale and --bias-scale"
        )
    wiring = Wiring.load(path)
    if dags and dags != [wiring.dag]:
        own, shown = wiring.dag.to_code(), " and ".join(dag.to_code() for dag in dags)
        raise InputError(
            f"the wiring in {path.name} is of {own}, not of {shown}; since it is a wiring of {own}: leave CODE out"
        )
    return wiring
