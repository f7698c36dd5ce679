"""The import graph of a package from its source: who imports whom, and when (at import time, in a call, for types)."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Time = Literal["import", "call", "types"]
"""When an import statement runs: with its module, when a function is called, or never (TYPE_CHECKING)."""


@dataclass(frozen=True, order=True)
class Arrow:
    """Module `source` imports module `target`."""

    source: str
    target: str
    time: Time


def modules(root: Path, package: str) -> dict[str, Path]:
    """The modules of a package by name; a package's own name stands for its __init__."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def import_graph(paths: dict[str, Path]) -> set[Arrow]:
    """The arrows among modules; one to a package's name is to its __init__.

    `from a.b import c` leads to a.b.c where that is a module, and else to a.b.
    """
    return {
        Arrow(source, target, time)
        for source, path in paths.items()
        for name, time in _imports(ast.parse(path.read_text(encoding="utf-8")))
        if (target := _module(name, paths)) is not None and target != source
    }


def cycles(arrows: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The groups of nodes that reach one another (strongly connected, two nodes at least), sorted."""
    targets: dict[str, set[str]] = {}
    for source, target in arrows:
        targets.setdefault(source, set()).add(target)
    reach = {node: _reachable(node, targets) for node in targets}
    groups = {
        frozenset(other for other in reached if node in reach.get(other, ())) | {node}
        for node, reached in reach.items()
        if node in reached
    }
    return sorted(sorted(group) for group in groups)


def _reachable(node: str, targets: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = [node]
    while left:
        new = targets.get(left.pop(), set()) - found
        found |= new
        left += new
    return found


def _module(name: str, paths: dict[str, Path]) -> str | None:
    while name not in paths and "." in name:
        name = name.rpartition(".")[0]
    return name if name in paths else None


def _imports(tree: ast.AST, time: Time = "import") -> Iterator[tuple[str, Time]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, time) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from ((f"{node.module}.{alias.name}", time) for alias in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _imports(node, "call" if time == "import" else time)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _imports(ast.Module(node.body, []), "types")
            yield from _imports(ast.Module(node.orelse, []), time)
        else:
            yield from _imports(node, time)
