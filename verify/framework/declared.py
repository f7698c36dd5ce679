"""The words of this package's claims, read off their files without running them.

Importing the claims imports JAX and most of the library, which takes seconds; a list of claims, or the answer to an
identifier that none has, needs only what stands in the decorators.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path

from verify.framework.claim import Claim, elsewhere
from verify.framework.paper import Paper
from verify.framework.verdict import Verdict

__all__ = ["declared_claims"]

_PAPERS = "verify.papers"
_WORDS = ("title", "source", "statement", "expected")


def declared_claims(module: str) -> list[Claim] | None:
    """The claims of a module as far as `--list` shows them: identifier, words, paper and expected verdict.

    Args:
        module: the name of a module, which is not imported (the package that it is in is).

    Returns:
        Claims that cannot be checked, in the order of the file; None where the file has to be run to be understood: it
        has claims elsewhere than in decorators of its functions, words that are computed, or a paper that is none of
        `verify.papers`.

    Raises:
        SyntaxError: the file is no Python.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return None
    tree = ast.parse(Path(spec.origin).read_bytes(), spec.origin)
    decorators = list(_decorators(tree))
    calls = [node for node in ast.walk(tree) if _is_claim(node)]
    if not decorators or len(calls) > len(decorators):
        return None
    try:
        papers = _papers(tree)
        return [_claim(call, papers, module, spec.origin) for call in decorators]
    except (ValueError, KeyError):  # of literal_eval, of a verdict or a paper: words that are computed, or wrong
        return None


def _decorators(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls of `claim` that decorate functions of a module."""
    for item in tree.body:
        if isinstance(item, ast.FunctionDef):
            yield from (node for node in item.decorator_list if isinstance(node, ast.Call) and _is_claim(node))


def _is_claim(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name == "claim"


def _papers(tree: ast.Module) -> dict[str, Paper]:
    """The papers that a module imports from `verify.papers`, by their names in it."""
    names = [
        (alias.asname or alias.name, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == _PAPERS and not node.level
        for alias in node.names
    ]
    return {name: getattr(importlib.import_module(_PAPERS), original) for name, original in names}


def _claim(call: ast.Call, papers: Mapping[str, Paper], module: str, path: str) -> Claim:
    given = {word.arg: word.value for word in call.keywords}
    (identifier,) = call.args
    words = [ast.literal_eval(given[name]) for name in _WORDS]
    title, source, statement, expected = words
    name = given.get("paper")
    paper = None if name is None else papers[name.id if isinstance(name, ast.Name) else ""]
    return Claim(
        ast.literal_eval(identifier),
        title,
        source,
        statement,
        Verdict(expected),
        elsewhere,
        paper,
        path=path,
        module=module,
    )
