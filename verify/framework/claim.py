"""Claims and their registry: a claim is a function with a few words about it, in a file of its own.

    from verify import Evidence, Reading, claim

    @claim("my-claim", title="...", source="my note, Eq. 3", statement="...", expected="holds")
    def check(context):
        error = ...
        return Evidence([Reading.agreement(error, tolerance=1e-9, cases=10)], summary="...")

`discover` imports the claims of this project and of any folder of claim files.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType

from nngp_dag.errors import InputError, unknown_names
from nngp_dag.support.reading_files import Kind, kind_of
from verify.framework.context import Context
from verify.framework.evidence import Evidence
from verify.framework.verdict import Verdict

__all__ = ["Claim", "claim", "discover", "registry", "select"]

Check = Callable[[Context], Evidence]


@dataclass(frozen=True)
class Claim:
    """A statement that can be checked.

    Attributes:
        id: the identifier on the command line and in reports.
        title: a few words.
        source: the paper's place, or whoever states it.
        statement: the statement in words.
        latex: the statement as a formula.
        expected: the verdict that this project knows; a run in which it differs fails.
        check: the function that tries it.
        settings: what it is tried on: orders, embeddings, activations, DAG family, data.
        fast: cheap enough for the mutation tests of a CI.
        duration: about how many seconds it takes in the quick profile, so that long ones start first.
        timeout: seconds after which it counts as crashed.
        path: the file that defines it.
    """

    id: str
    title: str
    source: str
    statement: str
    expected: Verdict
    check: Check = field(repr=False)
    latex: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    fast: bool = False
    duration: float = 5.0
    timeout: float = 3600.0
    path: str = ""


registry: dict[str, Claim] = {}
"""All claims imported so far, in the order in which they were registered."""


def claim(
    id: str,
    *,
    title: str,
    source: str,
    statement: str,
    expected: str,
    latex: str = "",
    settings: Mapping[str, str] | None = None,
    fast: bool = False,
    duration: float = 5.0,
    timeout: float = 3600.0,
) -> Callable[[Check], Check]:
    """Decorator that registers a function from a `Context` to `Evidence` as a claim (`Claim` says what each argument
    is).

    Raises:
        InputError: an identifier that is malformed or taken, an unknown verdict, or a field of another type than
            `Claim` says; the message names the claim and the field.
    """
    if not isinstance(id, str) or not re.fullmatch(r"[a-z0-9]+([.\-_][a-z0-9]+)*", id):
        raise InputError(f"claim identifier {id!r}: lower-case letters and digits, joined by - . or _")
    _check_texts(id, {"title": title, "source": source, "statement": statement, "latex": latex}, settings)
    _check_times(id, {"duration": duration, "timeout": timeout})
    if not isinstance(expected, str) or expected not in set(Verdict) - {Verdict.CRASHED}:
        raise InputError(
            f"claim {id}: expected verdict {expected!r} is none of {', '.join(sorted(set(Verdict) - {'crashed'}))}"
        )

    def register(check: Check) -> Check:
        if not isinstance(check, FunctionType):
            raise InputError(f"claim {id}: a function is needed to check it, not {_shown(check)}")
        path = check.__code__.co_filename
        known = registry.get(id)
        if known is not None and known.path != path:
            raise InputError(f"claim {id} is defined twice: in {known.path} and in {path}")
        registry[id] = Claim(
            id,
            title,
            source,
            statement,
            Verdict(expected),
            check,
            latex,
            dict(settings or {}),
            fast,
            duration,
            timeout,
            path,
        )
        return check

    return register


def _check_texts(id: str, fields: Mapping[str, object], settings: object) -> None:
    for name, value in fields.items():
        if not isinstance(value, str):
            raise InputError(f"claim {id}: {name} must be text, got {_shown(value)}")
    if settings is None:
        return
    if not isinstance(settings, Mapping):
        raise InputError(f"claim {id}: settings must be texts by name, got {_shown(settings)}")
    for key, value in settings.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InputError(f"claim {id}: settings must be texts by name, got {_shown(key)}: {_shown(value)}")


def _check_times(id: str, fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise InputError(f"claim {id}: {name} must be a positive number of seconds, got {_shown(value)}")


def _shown(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def discover(directories: Iterable[Path | str] = ()) -> dict[str, Claim]:
    """Import the claims of `verify.claims` and of every `*.py` in `directories`, and return the registry.

    Files whose name starts with `_` are passed over.

    Raises:
        InputError: a folder that does not exist or holds no claim file, or a file that cannot be imported.
    """
    import verify.claims

    for module in pkgutil.iter_modules(verify.claims.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"verify.claims.{module.name}")
    for directory in directories:
        _import_folder(Path(directory))
    return registry


def _import_folder(folder: Path) -> None:
    if kind_of(folder) is not Kind.FOLDER:
        raise InputError(f"claims folder {folder} does not exist")
    files = [path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")]
    if not files:
        raise InputError(f"claims folder {folder} holds no *.py file")
    for path in files:
        name = f"verify_claims_{abs(hash(str(folder.resolve())))}_{path.stem}"
        if name in sys.modules:
            continue
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except InputError:
            del sys.modules[name]
            raise
        except Exception as error:
            del sys.modules[name]
            raise InputError(f"claims file {path} cannot be imported: {type(error).__name__}: {error}") from error


def select(claims: Mapping[str, Claim], identifiers: str | None) -> list[Claim]:
    """The claims of a comma-separated list of identifiers, in that order; all of them for None.

    Raises:
        InputError: an identifier that no claim has, or an empty list.
    """
    if identifiers is None:
        return list(claims.values())
    wanted = list(dict.fromkeys(part.strip() for part in identifiers.split(",") if part.strip()))
    strange = [identifier for identifier in wanted if identifier not in claims]
    if strange or not wanted:
        raise unknown_names("claim", strange, claims)
    return [claims[identifier] for identifier in wanted]
