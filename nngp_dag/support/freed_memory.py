"""Freed memory stays with the process, so that arrays of the next step do not wait for fresh pages.

Kernels are made in steps whose arrays have some megabytes each. The allocator of the GNU C library gives such blocks
back to the system one by one, and a page that comes again is cleared first, which takes up to half of the time of a
step. It keeps blocks as large as the largest one that it has ever seen freed, up to 32 MiB, and twice that at the end
of its heap (mallopt(3), M_MMAP_THRESHOLD): so one such block is shown to it. No page of it is touched. Other allocators
are not concerned.
"""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["keep_freed_memory"]

_BLOCK_BYTES = 2**25 - 2**16
"""A little less than the largest block that the allocator learns from."""


@cache
def keep_freed_memory() -> None:
    """Let the process keep some tens of megabytes that it has freed; done once."""
    np.empty(_BLOCK_BYTES, np.uint8)
