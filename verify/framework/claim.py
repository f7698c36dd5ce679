"""Claims and their registry: a claim is a function with a few words about it, in a file of its own.

    from verify import Evidence, Finding, claim

    @claim("my-claim", title="...", source="my note, Eq. 3", statement="...", expected="holds")
    def check(context):
        error = ...
        return Evidence([Finding.agreement(error, tolerance=1e-9, cases=10)], summary="...")

`discover` imports the claims of this project, `import_claims` one more module or file. What a folder of claims files
holds is looked up in a process of its own (`verify.framework.catalogue`), since importing a file runs it.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import math
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from nngp_dag.errors import InputError, unknown, unknown_names
from verify.framework.context import Context
from verify.framework.evidence import Evidence
from verify.framework.paper import Paper
from verify.framework.verdict import Verdict

if TYPE_CHECKING:
    from verify.framework.needs import Needs

__all__ = [
    "Claim",
    "claim",
    "claims_named",
    "discover",
    "elsewhere",
    "import_claims",
    "listed",
    "own_modules",
    "papers_of",
    "registry",
    "select",
]

Check = Callable[[Context], Evidence]


@dataclass(frozen=True)
class Claim:
    """A statement that can be checked.

    Attributes:
        id: the identifier on the command line and in reports.
        title: a few words.
        source: the paper's place, or whoever states it.
        paper: the paper that states it; None for a statement of none.
        statement: the statement in words.
        latex: the statement as a formula.
        expected: the verdict that this project knows; a run in which it differs fails.
        check: the function that tries it.
        settings: what it is tried on: orders, embeddings, activations, DAG family, data.
        fast: cheap enough for the mutation tests of a CI.
        duration: about how many seconds it takes in the quick profile, so that long ones start first.
        timeout: seconds after which it counts as crashed.
        needs: the certificates that each of its readings needs to be proved (`verify.framework.needs`); None where it
            names none.
        path: the file that defines it.
        module: what `import_claims` imports to have it: a module of this package, or a file; empty where it was
            imported by other means.
    """

    id: str
    title: str
    source: str
    statement: str
    expected: Verdict
    check: Check = field(repr=False)
    paper: Paper | None = None
    latex: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    fast: bool = False
    duration: float = 5.0
    timeout: float = 3600.0
    needs: Needs | None = field(default=None, repr=False)
    path: str = ""
    module: str = ""


registry: dict[str, Claim] = {}
"""All claims imported so far, in the order in which they were registered."""

_module: ContextVar[str] = ContextVar("_module", default="")
"""The module that `import_claims` is importing."""


def elsewhere(context: Context) -> Evidence:
    """The check of a claim that was not imported in this process, but in another."""
    raise NotImplementedError("this claim is checked in a process of its own")


def claim(
    id: str,
    *,
    title: str,
    source: str,
    statement: str,
    expected: str,
    paper: Paper | None = None,
    latex: str = "",
    settings: Mapping[str, str] | None = None,
    fast: bool = False,
    duration: float = 5.0,
    timeout: float = 3600.0,
    needs: Needs | None = None,
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
    _check_paper(id, paper)
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
            paper,
            latex,
            dict(settings or {}),
            fast,
            duration,
            timeout,
            needs,
            path,
            _module.get(),
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


def _check_paper(id: str, paper: object) -> None:
    if not isinstance(paper, Paper | None):
        raise InputError(f"claim {id}: paper must be a Paper, got {_shown(paper)}")
    for known in papers_of(registry.values()):
        if paper is not None and known.name == paper.name and known != paper:
            raise InputError(f"claim {id}: another paper is named {paper.name}: {known.title}")


def papers_of(claims: Iterable[Claim]) -> list[Paper]:
    """The papers of claims, each once, in the order in which they come."""
    return list(dict.fromkeys(claim.paper for claim in claims if claim.paper is not None))


def _check_times(id: str, fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise InputError(f"claim {id}: {name} must be a positive number of seconds, got {_shown(value)}")


def _shown(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def own_modules() -> list[str]:
    """The modules of `verify.claims` that hold claims: those whose name does not start with `_`."""
    import verify.claims

    names = [module.name for module in pkgutil.iter_modules(verify.claims.__path__)]
    return [f"verify.claims.{name}" for name in names if not name.startswith("_")]


def discover() -> dict[str, Claim]:
    """Import the claims of this package and return the registry."""
    for module in own_modules():
        import_claims(module)
    return registry


def import_claims(module: str) -> list[Claim]:
    """Import claims in this process, once: they join the registry.

    Args:
        module: the name of a module, or the path of a file (`*.py`).

    Returns:
        The claims that it registers, where it was not imported before. Whatever it raises is raised.
    """
    before = dict(registry)
    token = _module.set(module)
    try:
        if module.endswith(".py"):
            _import_file(Path(module))
        else:
            importlib.import_module(module)
    finally:
        _module.reset(token)
    return [claim for name, claim in registry.items() if claim is not before.get(name)]


def _import_file(path: Path) -> None:
    folder = hashlib.sha256(str(path.parent).encode(errors="surrogateescape")).hexdigest()[:16]
    name = f"verify_claims_{folder}_{path.stem}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def select(claims: Mapping[str, Claim], identifiers: str | None, paper: str | None = None) -> list[Claim]:
    """The claims of a comma-separated list of identifiers, in that order; all of them for None.

    Args:
        claims: by identifier.
        identifiers: the list.
        paper: the name of a paper, whose claims alone are taken.

    Raises:
        InputError: an identifier that no claim has, an empty list, a paper of no claim, or of none of those listed.
    """
    chosen = list(claims.values()) if identifiers is None else claims_named(claims, listed(identifiers))
    if paper is None:
        return chosen
    papers = [known.name for known in papers_of(claims.values())]
    if paper not in papers:
        raise unknown("paper", paper, papers)
    of_paper = [claim for claim in chosen if claim.paper is not None and claim.paper.name == paper]
    if not of_paper:
        raise InputError(f"none of the claims {identifiers} is of paper {paper}")
    return of_paper


def listed(text: str) -> list[str]:
    """The identifiers of a comma-separated list, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def claims_named(claims: Mapping[str, Claim], wanted: Sequence[str]) -> list[Claim]:
    """The claims of these identifiers, in that order.

    Raises:
        InputError: an identifier that no claim has, or none at all.
    """
    strange = [identifier for identifier in wanted if identifier not in claims]
    if strange or not wanted:
        raise unknown_names("claim", strange, claims)
    return [claims[identifier] for identifier in wanted]
