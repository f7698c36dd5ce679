"""A wiring as plain data of a JSON document, schema 1:

    {"schema": 1,
     "code": "2_21_112",                                      the DAG
     "defaults": {"weight_scale": 1.5, "bias_scale": 0.1,     of all edges that do not say otherwise
                  "gain": 1, "skip_gain": 1, "activation": "erf"},
     "linear": [{"edge": [0, 1], "weight_scale": 1.2, "bias_scale": 0, "gain": 0.8, "activation": "relu"}],
     "skip": [{"edge": [0, 3], "gain": 0.6}],
     "layer_norm": [1],                                       nodes
     "readout": {"weight_scale": 1, "bias_scale": 0}}

All but `schema` and `code` may be left out; an edge is listed at most once and names only what differs from the
defaults, which themselves default to 1, 0, 1, 1 and null (the reading's activation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nngp_dag.activations import ACTIVATIONS, Activation
from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError, unknown
from nngp_dag.support.strict_json import Json
from nngp_dag.wiring.edge_values import Edge, edges_of

__all__ = ["document_values", "wiring_document"]

SCHEMA = 1

_DEFAULTS: dict[str, Json] = {
    "weight_scale": 1.0,
    "bias_scale": 0.0,
    "gain": 1.0,
    "activation": None,
    "skip_gain": 1.0,
}
_OF_LINEAR = ("weight_scale", "bias_scale", "gain", "activation")
_PARTS = ("schema", "code", "defaults", "linear", "skip", "layer_norm", "readout")


def wiring_document(
    code: str,
    linear: Iterable[tuple[Edge, float, float, float, Activation | None]],
    skip: Iterable[tuple[Edge, float]],
    layer_norm: Sequence[int],
    readout: tuple[float, float],
) -> dict[str, object]:
    """The document of a wiring, every edge in full; InputError where an activation has no name."""
    return {
        "schema": SCHEMA,
        "code": code,
        "linear": [
            {
                "edge": list(edge),
                **dict(zip(_OF_LINEAR[:3], map(float, numbers), strict=True)),
                **({} if activation is None else {"activation": _name(activation)}),
            }
            for edge, *numbers, activation in linear  # type: ignore[misc]
        ],
        "skip": [{"edge": list(edge), "gain": float(gain)} for edge, gain in skip],
        "layer_norm": list(layer_norm),
        "readout": {"weight_scale": readout[0], "bias_scale": readout[1]},
    }


def document_values(document: Json) -> dict[str, Any]:
    """The arguments of `Wiring.make`.

    Raises:
        InputError: a document of another form; the message says what is wrong with which part.
    """
    parts = _members(document, "a wiring", _PARTS)
    if parts.get("schema") != SCHEMA:
        raise InputError(f'a wiring has "schema": {SCHEMA}, got {parts.get("schema")!r}')
    code = parts.get("code")
    if not isinstance(code, str):
        raise InputError('a wiring has a "code" like "2_21_112"')
    dag = Dag.from_code(code)
    given = _members(parts.get("defaults", {}), "defaults", tuple(_DEFAULTS))
    defaults = {**_DEFAULTS, **given}
    linear = _edges(parts.get("linear", []), "linear", dag, Op.LINEAR, _OF_LINEAR)
    skip = _edges(parts.get("skip", []), "skip", dag, Op.SKIP, ("gain",))
    values: dict[str, Any] = {}
    for name in _OF_LINEAR:
        read = _activation if name == "activation" else _number
        found = {e: read(linear.get(e, {}).get(name, defaults[name]), name) for e in edges_of(dag, Op.LINEAR)}
        values[name] = {edge: value for edge, value in found.items() if value is not None}
    default_gain = _number(defaults["skip_gain"], "skip_gain")
    values["skip_gain"] = {
        e: _number(skip[e]["gain"], "gain") if "gain" in skip.get(e, {}) else default_gain
        for e in edges_of(dag, Op.SKIP)
    }
    norms = parts.get("layer_norm", [])
    if not isinstance(norms, list):
        raise InputError(f"layer_norm is a list of nodes, got {norms!r}")
    readout = _members(parts.get("readout", {}), "readout", ("weight_scale", "bias_scale"))
    for name, value in readout.items():
        values[f"readout_{name}"] = _number(value, f"readout {name}")
    return {"dag": dag, "layer_norm": norms, **values}


def _members(value: Json | None, what: str, accepted: Sequence[str]) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise InputError(f"{what} is a JSON object, got {str(value)[:60]!r}")
    for name in value:
        if name not in accepted:
            raise unknown("key", name, accepted, f"of {what}")
    return value


def _edges(value: Json, what: str, dag: Dag, op: Op, accepted: Sequence[str]) -> dict[Edge, Mapping[str, Json]]:
    if not isinstance(value, list):
        raise InputError(f'"{what}" is a list of objects with an "edge": [s, t], got {str(value)[:60]!r}')
    known = set(edges_of(dag, op))
    found: dict[Edge, Mapping[str, Json]] = {}
    for item in value:
        members = _members(item, f'an entry of "{what}"', ("edge", *accepted))
        ends = members.get("edge")
        if not (isinstance(ends, list) and len(ends) == 2 and all(type(v) is int for v in ends)):
            raise InputError(f'an entry of "{what}" needs an "edge": [s, t], got {ends!r}')
        edge = (int(str(ends[0])), int(str(ends[1])))
        if edge not in known:
            raise InputError(f'"{what}" lists edge {list(edge)}, which is no {op.name.lower()} edge of {dag!r}')
        if edge in found:
            raise InputError(f'"{what}" lists edge {list(edge)} twice')
        found[edge] = {name: v for name, v in members.items() if name != "edge"}
    return found


def _number(value: Json, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{name} is a number, got {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{name} is beyond float64") from None


def _activation(value: Json, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise unknown(name, value, ACTIVATIONS)
    return value


def _name(activation: Activation) -> str:
    if ACTIVATIONS.get(activation.name) != activation:
        raise InputError(
            f"the activation {activation.name} is not one of the library's own, which alone have names in JSON:"
            f" {', '.join(ACTIVATIONS)}"
        )
    return activation.name
