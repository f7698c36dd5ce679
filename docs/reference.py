"""The pages of the API, from the docstrings: one per package, with its public modules."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

__all__ = ["PAGES", "write_reference"]

PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "dag": (
        "DAGs, codes and paths",
        ("nngp_dag.dag", "nngp_dag.networkx_edges", "nngp_dag.paths", "nngp_dag.canonical", "nngp_dag.errors"),
    ),
    "wiring": ("Wirings: scales, gains, activations per edge, layer norm", ("nngp_dag.wiring",)),
    "kernel": ("Readings and kernels", ("nngp_dag.reading", "nngp_dag.kernel")),
    "conv": ("Kernels of convolutional networks", ("nngp_dag.conv",)),
    "activations": ("Activations", ("nngp_dag.activations",)),
    "spectrum": ("Spectra", ("nngp_dag.spectrum",)),
    "matrix-free": ("Kernels without a matrix", ("nngp_dag.matrix_free",)),
    "analysis": ("Analyses and comparisons", ("nngp_dag.analysis",)),
    "signal": ("Signal propagation", ("nngp_dag.signal",)),
    "optimization": ("The best connectivity", ("nngp_dag.optimization",)),
    "plots": ("Plots and pages", ("nngp_dag.plots", "nngp_dag.explorer", "nngp_dag.theme")),
    "datasets": ("Data", ("nngp_dag.datasets",)),
    "networks": (
        "Finite networks",
        (
            "nngp_dag.finite.network",
            "nngp_dag.finite.montecarlo",
            "nngp_dag.finite.training",
            "nngp_dag.prediction",
            "nngp_dag.finite.convergence",
        ),
    ),
    "spaces": (
        "Architecture spaces and benchmarks",
        ("nngp_dag.spaces", "nngp_dag.accuracy"),
    ),
    "nas": ("Scores and searches", ("nngp_dag.nas",)),
    "reproduce": ("Figures and tables of the paper", ("nngp_dag.reproduce",)),
    "proofs": ("Interval-arithmetic proofs", ("nngp_dag.proofs",)),
    "pytest": ("Claims under pytest", ("nngp_dag.pytest_plugin",)),
    "verify": ("Claims and their verification", ("verify", "verify.framework")),
}
"""Page -> its title, and its modules and packages; of a package all modules are shown."""


SHOWN: dict[str, tuple[str, ...]] = {
    "dag": ("Dag.from_code", "path_statistics"),
    "kernel": ("kernel_fn", "pair_kernel", "angle_curves"),
    "spectrum": ("spectrum",),
    "analysis": ("analyze",),
    "plots": ("draw_dag",),
    "datasets": ("load",),
    "networks": ("monte_carlo",),
    "spaces": ("prefilter",),
}
"""Page -> the functions whose paragraphs of start.md it opens with: arguments, shapes, and a tested example."""


def write_reference() -> dict[Path, str]:
    """The pages by file name, with the page that lists them."""
    pages = {Path("reference") / f"{name}.md": _page(name, title, roots) for name, (title, roots) in PAGES.items()}
    listing = "\n".join(PAGES)
    pages[Path("reference") / "index.md"] = (
        "# API reference\n\n"
        "[Fifteen functions](../start.md) come first, with an example each."
        " Start with `nngp_dag.Dag`, `nngp_dag.kernel_fn`, `nngp_dag.analyze` and `nngp_dag.compare`; everything else"
        " is imported from the module that it stands in.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{listing}\n```\n"
    )
    return pages


def _page(page: str, title: str, roots: tuple[str, ...]) -> str:
    parts = [f"# {title}\n", *_examples(SHOWN.get(page, ()))]
    for name in (module for root in roots for module in _modules(root)):
        parts.append(f"## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n{_options(name)}```\n")
    return "\n".join(parts)


def _examples(names: tuple[str, ...]) -> list[str]:
    """The paragraphs of start.md about these functions, each with its example."""
    text = (Path(__file__).parent / "start.md").read_text(encoding="utf-8")
    paragraphs = re.findall(r"^(`[A-Za-z].*?^```python\n.*?^```\n)", text, flags=re.M | re.S)
    found = {name: part for name in names for part in paragraphs if part.startswith((f"`{name}(", f"`{name}`"))}
    return [found[name] for name in names]


def _modules(root: str) -> list[str]:
    """A package and its modules, or a module alone; private ones left out."""
    module = importlib.import_module(root)
    names = [root]
    if hasattr(module, "__path__") and root != "verify":
        found = [info.name for info in pkgutil.walk_packages(module.__path__, f"{root}.")]
        names += [name for name in found if not name.rpartition(".")[2].startswith("_")]
    return names


def _options(name: str) -> str:
    """Members are documented where they are defined: a package shows its introduction only."""
    module = importlib.import_module(name)
    if hasattr(module, "__path__"):
        return ""
    return "   :members:\n   :show-inheritance:\n"
