"""The one seam to neural-tangents: `from nngp_dag.support.neural_tangents_compat import neural_tangents`.

neural-tangents 0.6.5, the last release, imports names that have since left `jax.core`, `jax.util` and
`jax.interpreters.ad`, and its `experimental` module imports TensorFlow. Importing this module imports neural-tangents
all the same: names that are missing stand in while it is being imported, and are gone again afterwards, so that nothing
else sees a JAX other than the installed one. Where nothing is missing, nothing is touched.

Kernels (`stax`), `predict`, `batch`, `monte_carlo_kernel_fn`, `linearize` and the empirical NTK by Jacobian contraction
or NTK-vector products work; `NtkImplementation.STRUCTURED_DERIVATIVES` (and `AUTO`, which may choose it) walks through
JAX internals that no longer exist, and does not. `neural_tangents.experimental` is imported only when used.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import jax
import jax.core
import jax.extend.core
import jax.interpreters.ad

from nngp_dag.errors import InputError

__all__ = ["NeuralTangentsUnavailableError", "neural_tangents"]

_CORE_NAMES = ("AbstractValue", "Jaxpr", "JaxprEqn", "Literal", "Primitive", "ShapedArray", "Value", "Var")
_EXPERIMENTAL = "neural_tangents.experimental"


class NeuralTangentsUnavailableError(InputError, ImportError):
    """neural-tangents cannot be imported; the one-line message says what to do."""


def _import_neural_tangents() -> ModuleType:
    if "neural_tangents" in sys.modules:
        return sys.modules["neural_tangents"]
    if importlib.util.find_spec("neural_tangents") is None:
        raise NeuralTangentsUnavailableError(
            "neural-tangents is not installed: install neural-tangents==0.6.5, or choose another method"
        )
    sys.modules.setdefault(_EXPERIMENTAL, _Experimental(_EXPERIMENTAL))
    try:
        with _missing_names_of_jax(), warnings.catch_warnings():
            # Names that are on their way out of JAX warn when imported; neural-tangents will not change any more.
            warnings.simplefilter("ignore", DeprecationWarning)
            return importlib.import_module("neural_tangents")
    except Exception as error:
        sys.modules.pop(_EXPERIMENTAL, None)
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise NeuralTangentsUnavailableError(
            f"neural-tangents cannot be imported with JAX {jax.__version__} ({reason}): install neural-tangents==0.6.5"
            " and jax>=0.6.2,<0.11, or choose another method"
        ) from error


class _Experimental(ModuleType):
    """Stands for `neural_tangents.experimental` (TensorFlow) until something in it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # asked for by whatever walks through sys.modules
            raise AttributeError(name)
        stand_in = sys.modules.pop(_EXPERIMENTAL)
        try:
            with _missing_names_of_jax():
                experimental = importlib.import_module(_EXPERIMENTAL)
        except ImportError as error:
            sys.modules[_EXPERIMENTAL] = stand_in
            raise ImportError(f"{_EXPERIMENTAL}.{name} needs tensorflow and tf2jax: {error}") from error
        neural_tangents.experimental = experimental
        return getattr(experimental, name)


@contextmanager
def _missing_names_of_jax() -> Iterator[None]:
    """While active, every name that neural-tangents imports from JAX exists; only the missing ones are set."""
    undo = []

    def provide(module: ModuleType, name: str, value: object) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            if hasattr(module, name):
                return
        setattr(module, name, value)
        undo.append((module, name))

    for name in _CORE_NAMES:
        if hasattr(jax.extend.core, name):
            provide(jax.core, name, getattr(jax.extend.core, name))
    # Keys of the rule tables of the structured derivatives: any hashable value will do.
    for name in ("zeros_like_p", "add_jaxvals_p"):
        provide(jax.interpreters.ad, name, f"{name} left JAX")
    has_util = importlib.util.find_spec("jax.util") is not None
    if not has_util:
        util = ModuleType("jax.util")
        util.safe_map, util.safe_zip = _safe_map, _safe_zip  # type: ignore[attr-defined]
        sys.modules["jax.util"] = util
        provide(jax, "util", util)
    try:
        yield
    finally:
        for module, name in undo:
            delattr(module, name)
        if not has_util:
            del sys.modules["jax.util"]


def _safe_zip(*sequences: Any) -> list[tuple[Any, ...]]:
    """`zip` as a list, for arguments of equal length only (`jax.util.safe_zip`)."""
    return list(zip(*sequences, strict=True))


def _safe_map(function: Any, *sequences: Any) -> list[Any]:
    """`map` as a list, for arguments of equal length only (`jax.util.safe_map`)."""
    return [function(*items) for items in zip(*sequences, strict=True)]


neural_tangents: Any = _import_neural_tangents()
"""The package `neural_tangents`, imported."""
