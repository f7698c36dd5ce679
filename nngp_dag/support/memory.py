"""The memory that is left, so that what would not fit is refused with its estimate before anything is computed."""

from __future__ import annotations

import os
from pathlib import Path

from nngp_dag.errors import InputError

__all__ = ["available_memory", "require_memory", "shown_bytes"]


def available_memory() -> int | None:
    """Bytes this process can still use: the least of free physical memory, control-group and address-space limits.

    None where the platform tells nothing.
    """
    limits = [limit for limit in (_physical(), _control_group(), _address_space()) if limit is not None]
    return min(limits) if limits else None


def require_memory(needed: int, what: str) -> None:
    """Refuse (InputError, with the estimate) what needs more bytes than are available."""
    available = available_memory()
    if available is not None and needed > available:
        raise InputError(
            f"{what} would need about {shown_bytes(needed)} of memory, but only {shown_bytes(available)} are available"
        )


def shown_bytes(count: int) -> str:
    """A number of bytes for people, in MiB, GiB or TiB."""
    for unit, size in (("TiB", 2**40), ("GiB", 2**30)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 2**20:,.1f} MiB"


def _physical() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:  # not Linux: free pages do not count reclaimable ones, so take all physical memory
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (AttributeError, ValueError, OSError):
            return None
    return None


def _control_group() -> int | None:
    """The bytes that a container's memory limit leaves (control groups, version 2 then 1)."""
    for limit_file, usage_file in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            limit, usage = Path(limit_file).read_text().strip(), Path(usage_file).read_text().strip()
        except OSError:
            continue
        if limit.isdigit() and usage.isdigit():
            return max(int(limit) - int(usage), 0)
    return None


def _address_space() -> int | None:
    try:
        import resource
    except ImportError:  # not a POSIX system
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return None
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        used = 0
    return max(soft - used, 0)
