"""Numbers that JAX may be tracing, and those that are known."""

from __future__ import annotations

import jax
import numpy as np

__all__ = ["all_known", "equals_everywhere", "is_known"]


def is_known(values: object) -> bool:
    """The numbers are there: nothing traces them."""
    return not isinstance(values, jax.core.Tracer)


def all_known(tree: object) -> bool:
    """The numbers of all leaves of a pytree are there."""
    return all(is_known(leaf) for leaf in jax.tree.leaves(tree))


def equals_everywhere(values: object, number: float) -> bool:
    """All the numbers are known to be this one."""
    return is_known(values) and bool((np.asarray(values) == number).all())
