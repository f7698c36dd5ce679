"""Reading and writing genotypes: the notation of DARTS, NASNet, AmoebaNet, PNAS and ENAS cells.

Two forms are read, both without evaluating anything: the Python text `Genotype(normal=[('sep_conv_3x3', 0), ...],
normal_concat=range(2, 6), reduce=[...], reduce_concat=[2, 3, 4, 5])`, and the same as a JSON object (or a dict that
was read from one, as in the NDS files). Edge 2 i and 2 i + 1 of a cell enter its node i + 2; nodes 0 and 1 are the
cell's two inputs.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nngp_dag.errors import InputError

__all__ = ["CELLS", "Cell", "format_genotype", "parse_genotype"]

CELLS = ("normal", "reduce")
"""The two cells of a genotype."""

Cell = tuple[tuple[tuple[str, int], ...], tuple[int, ...]]
"""The edges (operation, predecessor), two per node, and the nodes that are concatenated into the output."""

_EDGE = re.compile(r"\(\s*['\"](\w+)['\"]\s*,\s*(\d+)\s*\)")
_EDGES = r"\[(?P<{0}>(?:\(\s*['\"]\w+['\"]\s*,\s*\d+\s*\),?\s*)*)\]"
_CONCAT = r"(?P<{0}_concat>range\(\s*\d+\s*,\s*\d+\s*\)|\[[\d,\s]*\])"
_USUAL = re.compile(
    r"\w+\(\s*"
    + r"\s*,\s*".join((rf"{{0}}\s*=\s*{_EDGES}\s*,\s*{{0}}_concat\s*=\s*{_CONCAT}").format(c) for c in CELLS)
    + r"\s*\)"
)
"""The usual layout, read by one expression; anything else goes through Python's parser, some ten times slower."""

_FORM = "Genotype(normal=[(op, node), ...], normal_concat=[...], reduce=[...], reduce_concat=[...]) or the same as JSON"


def parse_genotype(source: str | Mapping[str, object]) -> tuple[Cell, Cell]:
    """The normal and the reduction cell of a genotype.

    Args:
        source: a line of text in either form, or a mapping with the four keys.

    Raises:
        InputError: text that is neither form, a missing cell, an odd number of edges, an edge that is no pair
            (operation, earlier node), or a concatenated node that the cell does not have.
    """
    fields = source if isinstance(source, Mapping) else _fields(source)
    return _cell(fields, "normal"), _cell(fields, "reduce")


def format_genotype(cells: Sequence[Cell]) -> str:
    """The Python text of a genotype, on one line."""
    parts = []
    for name, (edges, concat) in zip(CELLS, cells, strict=True):
        listed = ", ".join(f"('{op}', {node})" for op, node in edges)
        parts.append(f"{name}=[{listed}], {name}_concat={list(concat)}")
    return f"Genotype({', '.join(parts)})"


def _fields(text: str) -> Mapping[str, object]:
    text = text.strip()
    usual = _USUAL.fullmatch(text)
    if usual is not None:
        fields: dict[str, object] = {}
        for cell in CELLS:
            fields[cell] = [(op, int(node)) for op, node in _EDGE.findall(usual[cell])]
            numbers = [int(number) for number in re.findall(r"\d+", usual[f"{cell}_concat"])]
            fields[f"{cell}_concat"] = range(*numbers) if usual[f"{cell}_concat"].startswith("range") else numbers
        return fields
    try:
        if text.startswith("{"):
            try:
                read = json.loads(text)
            except ValueError:
                read = ast.literal_eval(text)
            if isinstance(read, Mapping):
                return read
        node = ast.parse(text, mode="eval").body
        if isinstance(node, ast.Call) and not node.args:
            return {keyword.arg: _literal(keyword.value) for keyword in node.keywords if keyword.arg}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        pass  # every malformed text ends in the one message below
    raise InputError(f"malformed genotype {_shown(text)}: expected {_FORM}")


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("range", "list"):
        arguments = [_literal(argument) for argument in node.args]
        return list(range(*arguments)) if node.func.id == "range" else list(*arguments)
    return ast.literal_eval(node)


def _cell(fields: Mapping[str, object], name: str) -> Cell:
    if name not in fields:
        raise InputError(f"a genotype needs the cell {name!r}: expected {_FORM}")
    edges = fields[name]
    if not isinstance(edges, Sequence) or isinstance(edges, str):
        raise InputError(f"the {name} cell must be a list of pairs (operation, node), got {_shown(edges)}")
    if len(edges) < 2 or len(edges) % 2:
        raise InputError(f"the {name} cell has {len(edges)} edges: every node needs two")
    num_nodes = len(edges) // 2
    parsed = []
    for i, edge in enumerate(edges):
        pair = tuple(edge) if isinstance(edge, (list, tuple)) else ()
        if len(pair) != 2 or not isinstance(pair[0], str) or not _is_node(pair[1], i // 2 + 2):
            raise InputError(
                f"malformed edge {_shown(edge)} of node {i // 2 + 2} in the {name} cell:"
                f" expected (operation, node) with a node from 0 to {i // 2 + 1}"
            )
        parsed.append((pair[0], int(pair[1])))
    concat = fields.get(f"{name}_concat", range(2, num_nodes + 2))
    if not isinstance(concat, (list, tuple, range)) or not all(_is_node(v, num_nodes + 2) and v > 1 for v in concat):
        raise InputError(f"{name}_concat must list nodes from 2 to {num_nodes + 1}, got {_shown(concat)}")
    return tuple(parsed), tuple(sorted({int(v) for v in concat}))


def _is_node(value: object, end: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < end


def _shown(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
