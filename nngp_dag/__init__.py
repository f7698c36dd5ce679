"""nngp_dag: infinite-width kernels of networks with DAG-shaped connectivity, and tests of the theory about them.

Public names are imported at their first use: the command line answers `--help` at once, and a pytest that loads the
plugin of an installed nngp_dag imports neither NumPy nor JAX for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nngp_dag.errors import InputError as InputError

if TYPE_CHECKING:
    from nngp_dag.analysis import analyze as analyze
    from nngp_dag.analysis import compare as compare
    from nngp_dag.conv import conv_kernel_fn as conv_kernel_fn
    from nngp_dag.dag import Dag as Dag
    from nngp_dag.dag import Op as Op
    from nngp_dag.dag import enumerate_codes as enumerate_codes
    from nngp_dag.explorer import explore as explore
    from nngp_dag.kernel import Kernel as Kernel
    from nngp_dag.kernel import kernel_fn as kernel_fn
    from nngp_dag.optimization import optimize as optimize
    from nngp_dag.spaces.prefilter import prefilter as prefilter
    from nngp_dag.wiring import Wiring as Wiring

__version__ = "0.1.0"

_LATER = {
    "analyze": "nngp_dag.analysis",
    "compare": "nngp_dag.analysis",
    "conv_kernel_fn": "nngp_dag.conv",
    "Dag": "nngp_dag.dag",
    "Op": "nngp_dag.dag",
    "enumerate_codes": "nngp_dag.dag",
    "explore": "nngp_dag.explorer",
    "Kernel": "nngp_dag.kernel",
    "kernel_fn": "nngp_dag.kernel",
    "optimize": "nngp_dag.optimization",
    "prefilter": "nngp_dag.spaces.prefilter",
    "Wiring": "nngp_dag.wiring",
}


def __getattr__(name: str) -> Any:
    """The public names that are imported at their first use."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_LATER[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
