"""Put a fault into a function of the library while the process runs, and know whether the faulty line was reached.

The text of a module is changed, compiled, and the code of the one function exchanged in place, so that whoever imported
that function runs the faulty code. Before the faulty statement a call is inserted that counts how often it is reached.
"""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

__all__ = ["Fault", "FaultError", "Reached", "clear_caches", "inject", "require_fit"]

_COUNTER = "__fault_reached__"
_TESTS = Path(__file__).resolve().parents[2] / "tests"


class FaultError(Exception):
    """A fault that does not fit the source: the function is gone, or the text to change does not occur exactly once."""


@dataclass(frozen=True)
class Fault:
    """One deliberate fault.

    Attributes:
        name: short, unique.
        words: what is wrong with it.
        module, function: where; the function by its qualified name (`Class.method`).
        old, new: the text to change, which occurs exactly once in the function, and what takes its place.
        test: the test that fails with the fault in place, where no fast claim notices it: tests/test_x.py::test_y.
    """

    name: str
    words: str
    module: str
    function: str
    old: str
    new: str
    test: str = ""


@dataclass
class Reached:
    """The number of times that the faulty statement was reached."""

    count: int = 0

    def __call__(self) -> None:
        """Count one time."""
        self.count += 1


@contextmanager
def inject(fault: Fault) -> Iterator[Reached]:
    """Run the block with the fault in place, caches cleared before and after; yields the counter.

    Raises:
        FaultError: the fault does not fit the source.
    """
    function, faulty = require_fit(fault)
    reached, healthy = Reached(), function.__code__
    function.__globals__[_COUNTER] = reached
    function.__code__ = faulty
    clear_caches()
    try:
        yield reached
    finally:
        function.__code__ = healthy
        del function.__globals__[_COUNTER]
        clear_caches()


def require_fit(fault: Fault) -> tuple[FunctionType, CodeType]:
    """The function of a fault, and its faulty code.

    Raises:
        FaultError: the fault does not fit the source.
    """
    module = importlib.import_module(fault.module)
    function = _function(module, fault)
    faulty = _faulty_code(Path(str(module.__file__)), fault)
    if faulty.co_freevars != function.__code__.co_freevars:
        raise FaultError(f"{fault.name}: the fault changes what {fault.function} closes over")
    return function, faulty


def clear_caches() -> None:
    """Forget compiled programs and every result kept by the library, by claims or by tests."""
    import jax

    jax.clear_caches()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("nngp_dag", "verify") or name.startswith("verify_claims_") or _is_test(module):
            for value in list(vars(module).values()):
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()
    gc.collect()


def _is_test(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).parent == _TESTS


def _function(module: ModuleType, fault: Fault) -> FunctionType:
    """The plain Python function, whatever wraps it (jit, custom derivatives, properties, class methods)."""
    value: object = module
    try:
        for part in fault.function.split("."):
            value = inspect.getattr_static(value, part)
    except AttributeError as error:
        raise FaultError(f"{fault.name}: {fault.module} has no {fault.function}") from error
    while not isinstance(value, FunctionType) or hasattr(value, "__wrapped__"):
        inner = next(
            (getattr(value, name) for name in ("__wrapped__", "__func__", "fget", "fun") if hasattr(value, name)), None
        )
        if inner is None:
            raise FaultError(f"{fault.name}: {fault.function} is no function")
        value = inner
    return value


def _faulty_code(path: Path, fault: Fault) -> CodeType:
    source = path.read_text(encoding="utf-8")
    node = _find(ast.parse(source), fault)
    lines = source.splitlines(keepends=True)
    start, end = sum(map(len, lines[: node.lineno - 1])), sum(map(len, lines[: node.end_lineno]))
    body = source[start:end]
    if body.count(fault.old) != 1:
        raise FaultError(
            f"{fault.name}: {fault.old!r} occurs {body.count(fault.old)} times in {fault.function}, not once"
        )
    line = node.lineno + body[: body.index(fault.old)].count("\n")
    tree = ast.parse(source[:start] + body.replace(fault.old, fault.new) + source[end:])
    _insert_counter(_find(tree, fault), line)
    module_code = compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
    found = [code for code in _codes(module_code) if code.co_qualname == fault.function]
    if len(found) != 1:
        raise FaultError(f"{fault.name}: {fault.function} is defined {len(found)} times")
    return found[0]


def _find(tree: ast.AST, fault: Fault) -> ast.FunctionDef:
    scope: ast.AST = tree
    for part in fault.function.split("."):
        children = [
            child
            for child in ast.iter_child_nodes(scope)
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and child.name == part
        ]
        if len(children) != 1:
            raise FaultError(f"{fault.name}: {fault.module} defines {fault.function} {len(children)} times")
        scope = children[0]
    if not isinstance(scope, ast.FunctionDef):
        raise FaultError(f"{fault.name}: {fault.function} is no function")
    return scope


def _insert_counter(function: ast.FunctionDef, line: int) -> None:
    """Insert a call before the innermost statement that holds the line."""
    best: tuple[list[ast.stmt], int] | None = None
    for node in ast.walk(function):
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                for i, statement in enumerate(statements):
                    if statement.lineno <= line <= (statement.end_lineno or line):
                        best = statements, i
    assert best is not None  # the line lies in the function's body
    statements, i = best
    call = ast.Expr(ast.Call(ast.Name(_COUNTER, ast.Load()), [], []))
    statements.insert(i, ast.copy_location(call, statements[i]))


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
