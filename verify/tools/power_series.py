"""Dual maps of power series in ball arithmetic: kernels as sum_k c_k rho^k, with proved coefficients (ReLU).

A kernel sum_k c_k R^(k) of a Gram matrix R of unit rows, with R^(k) its entrywise powers, is positive semi-definite on
any number of rows if no c_k is negative (Schur), and the other way round (Schoenberg).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import flint
from flint import arb, arb_series

from nngp_dag.proofs import precision

__all__ = ["coefficients", "correlation", "relu_series", "series_arithmetic"]


@contextmanager
def series_arithmetic(terms: int, bits: int = 256) -> Iterator[None]:
    """Power series of so many terms within the block, in balls of so many bits."""
    before = flint.ctx.cap
    flint.ctx.cap = terms
    try:
        with precision(bits):
            yield
    finally:
        flint.ctx.cap = before


def correlation() -> arb_series:
    """The series rho."""
    return arb_series([0, 1])


def relu_series(u: arb_series) -> arb_series:
    """f(u) = (sqrt(1 - u^2) + (pi - arccos u) u) / pi of Lemma 3.2, for a series whose constant is in (-1, 1)."""
    return ((1 - u * u).sqrt() + (arb.pi() - u.acos()) * u) / arb.pi()


def coefficients(series: arb_series, terms: int) -> list[arb]:
    """The first coefficients of a series."""
    return [series[k] for k in range(terms)]
