"""The versions and the hardware of a run, for the report."""

from __future__ import annotations

import importlib.metadata
import os
import platform

from nngp_dag.support.cores import available_cores

__all__ = ["hardware", "versions"]

_PACKAGES = (
    "nngp-dag",
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "flax",
    "optax",
    "neural-tangents",
    "python-flint",
    "scikit-learn",
)


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that numbers depend on; null where one is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def hardware() -> dict[str, str | int | None]:
    """Platform, cores available, processor and memory in bytes, as far as the system tells."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": available_cores(),
        "memory": memory,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor()
