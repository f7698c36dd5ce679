"""Remark 4.2: convolutions count as parameterised operations, skips and pooling do not."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from nngp_dag.spaces import get
from nngp_dag.spaces.genotype import OPERATIONS, operation_class
from verify import Context, Control, Evidence, Finding, Table, claim
from verify.papers import CONNECTIVITY
from verify.tools.path_listing import definition_4_1

_NAMES = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
_PATHS = (((0, 3),), ((0, 1), (1, 3)), ((0, 2), (2, 3)), ((0, 1), (1, 2), (2, 3)))
_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
_PRINTED = (Fraction(8, 5), Fraction(11, 5), Fraction(7, 10), Fraction(9, 10))
_WORDS = ("centre, d", "centre, m", "half radius, d", "half radius, m")
_ROUNDING = Fraction(1, 20)
_Rule = Callable[[str], int]


def _remark(name: str) -> int:
    """0, 1 or 2 for zero, not parameterised and parameterised, by the remark's words for what the name says."""
    if name == "none":
        return 0
    return 2 if re.search("conv|linear", name) else 1


def _pooling_counts(name: str) -> int:
    """Another rule: pooling is parameterised too."""
    return 2 if "pool" in name else _remark(name)


def _small_kernels_do_not(name: str) -> int:
    """Another rule: the kernel size is not ignored, and a 1x1 convolution mixes channels only."""
    return 1 if name == "nor_conv_1x1" else _remark(name)


def _skips_count(name: str) -> int:
    """Another rule: every operation but zero is parameterised."""
    return 2 if _remark(name) else 0


def _no_convolution_counts(name: str) -> int:
    """Another rule: pooling and skips are parameterised, convolutions are not."""
    return {0: 0, 1: 2, 2: 1}[_remark(name)]


_RULES: dict[str, _Rule] = {
    "convolutions (the remark)": _remark,
    "convolutions and pooling": _pooling_counts,
    "3x3 convolutions": _small_kernels_do_not,
    "everything but zero": _skips_count,
    "pooling and skips": _no_convolution_counts,
}


def _shapes(rule: _Rule) -> set[tuple[Fraction, Fraction]]:
    """(d, m) of all 15,625 cells by the kinds of their operations and their paths, listed by hand; those without a
    parameterised path left out.
    """
    kinds = {rule(name) for name in _NAMES}
    found = set()
    for cell in itertools.product(sorted(kinds), repeat=len(_EDGES)):
        op = dict(zip(_EDGES, cell, strict=True))
        depths = [sum(op[edge] == 2 for edge in path) for path in _PATHS if all(op[edge] for edge in path)]
        _, depth, width = definition_4_1(depths)
        if depth:
            found.add((depth, width))
    return found


@lru_cache
def _values(rule: _Rule) -> tuple[Fraction, ...]:
    """Centre and half radius of Section 5.3."""
    depths, widths = zip(*_shapes(rule), strict=True)
    middle = [(max(v) + min(v)) / 2 for v in (depths, widths)]
    half = [(max(v) - min(v)) / 4 for v in (depths, widths)]
    return (*middle, *half)


def _printed(words: str, rule: _Rule) -> Finding:
    """The finding that the printed numbers are those of a rule, rounded."""
    values = _values(rule)
    worst = max(abs(value - printed) for value, printed in zip(values, _PRINTED, strict=True))
    return Finding(
        worst <= _ROUNDING,
        activation=None,
        label=f"NAS-Bench-201's centre and half radius, parameterised: {words}",
        cases=len(_NAMES) ** len(_EDGES),
        tolerance=float(_ROUNDING),
        worst=float(worst),
        detail=", ".join(f"{word} {float(value):.4f}" for word, value in zip(_WORDS, values, strict=True)),
    )


def _library(rule: _Rule) -> Finding:
    """The finding that the library reads the operations of its spaces by a rule."""
    space = get("nasbench201")
    wrong = [name for name in OPERATIONS if int(operation_class(name)) != rule(name)]
    for name in _NAMES:
        cell = "+".join("|" + "".join(f"{name}~{s}|" for s in range(t)) for t in (1, 2, 3))
        if set(space.cell_dag(space.parse(cell)[0]).ops) != {rule(name)}:
            wrong.append(name)
    cases = len(OPERATIONS) + len(_NAMES)
    return Finding(
        not wrong,
        activation=None,
        cases=cases,
        tolerance=0.0,
        worst=float(len(wrong)),
        detail=f"{len(wrong)} of {cases} operations differ" + (f", such as {wrong[0]}" if wrong else ""),
    )


@claim(
    "remark-4.2",
    title="Convolutions count as parameterised operations, skips and pooling do not",
    paper=CONNECTIVITY,
    source="Remark 4.2, with the numbers of Section 5.3",
    statement="The centre and half radius that Section 5.3 prints for NAS-Bench-201 are those of effective depth and"
    " width with convolutions of any kernel size as parameterised operations, skips and pooling as others.",
    latex=r"d_p = \#\{\text{convolutions on path } p\}",
    expected="holds",
    settings={
        "cells": "all 15,625 of NAS-Bench-201, paths listed by hand",
        "numbers": "(1.6, 2.2) and (0.7, 0.9), to the printed digit; cells without a parameterised path left out",
    },
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """Centre and half radius over all cells by the remark and by other rules, from the names of operations alone."""
    found = {words: _printed(words, rule) for words, rule in _RULES.items()}
    finding = found["convolutions (the remark)"]
    alike = [words for words, other in found.items() if other.holds and other is not finding]
    return Evidence(
        [finding],
        summary=f"By the remark: {finding.detail}; printed {', '.join(f'{float(p):.1f}' for p in _PRINTED)}. The same"
        f" numbers come of {len(alike)} other rules ({'; '.join(alike)}): that every operation but zero counts is what"
        " they exclude.",
        controls=[
            Control.rejects(
                "The printed numbers are those of every operation but zero as parameterised.",
                found["everything but zero"],
            ),
            Control.keeps("The library reads operations by the remark.", _library(_remark)),
            Control.rejects("The library counts pooling.", _library(_pooling_counts)),
            Control.rejects("The library distinguishes kernel sizes.", _library(_small_kernels_do_not)),
        ],
        tables=[
            Table(
                "Centre and half radius of NAS-Bench-201 by what counts as parameterised",
                ["parameterised", *_WORDS, "as printed"],
                [[w, *(float(v) for v in _values(rule)), bool(found[w].holds)] for w, rule in _RULES.items()],
            )
        ],
        notes=[
            "The remark is a convention, of which only this can be tested: centre and radius are those of all cells, in"
            " which skips and convolutions both occur wherever pooling does, so that they do not tell where pooling"
            " belongs."
        ],
    )
