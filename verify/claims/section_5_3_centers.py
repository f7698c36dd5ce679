"""Section 5.3: the printed centres and radii of effective depth and width, for NAS-Bench-201 and DARTS."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from nngp_dag.dag import Dag
from nngp_dag.spaces.printed_ranges import PRINTED, PrintedRange, darts_range_readings
from verify import Context, Control, Evidence, Finding, KeyValue, Table, claim
from verify.claims.definition_4_1 import path_depths

_OPERATIONS = (0, 1, 1, 2, 2)
"""NAS-Bench-201: none, skip and pooling, two convolutions; what an operation does to (d, m)."""

_NAMES = ("centre d", "centre m", "half radius d", "half radius m")
_Range = tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]
"""(d_min, d_max) and (m_min, m_max)."""


def _nasbench201(with_depth: bool) -> _Range:
    """The range of (d, m) over the cells of NAS-Bench-201, from paths listed one by one.

    Args:
        with_depth: only of cells with a path with a convolution; else all, with d = m = 0 where there is none.
    """
    depths, widths = set(), set()
    for ops in product(sorted(set(_OPERATIONS)), repeat=6):
        paths = path_depths(Dag(4, bytes(ops)))
        total = sum(paths)
        if not total and with_depth:
            continue
        depth = Fraction(total, len(paths)) if total else Fraction(0)
        depths.add(depth)
        widths.add(sum(d > 0 for d in paths) / depth if total else Fraction(0))
    return (min(depths), max(depths)), (min(widths), max(widths))


def _printed(found: _Range, printed: PrintedRange) -> tuple[bool, list[float]]:
    """True where centre and half radius round to the printed ones; and the four numbers."""
    numbers = [float((high + low) / 2) for low, high in found] + [float((high - low) / 4) for low, high in found]
    expected = [*printed.center, *printed.half_radius]
    return all(abs(a - b) <= 0.05 + 1e-12 for a, b in zip(numbers, expected, strict=True)), numbers


def _finding(found: _Range, printed: PrintedRange, words: str) -> Finding:
    holds, numbers = _printed(found, printed)
    return Finding(
        holds,
        activation=None,
        label=words,
        cases=729,
        tolerance=0.05,
        worst=max(abs(a - b) for a, b in zip(numbers, [*printed.center, *printed.half_radius], strict=True)),
        detail=_shown(numbers),
    )


def _shown(numbers: list[float]) -> str:
    d, m, rd, rm = numbers
    return f"centre ({d:.3f}, {m:.3f}), half radius ({rd:.3f}, {rm:.3f})"


@claim(
    "section-5.3-centers",
    title="Centres and radii of the filter are those of the spaces",
    source="Section 5.3, 'How to choose d and m?'",
    statement="To one decimal, the centre of (d, m) and half its radius are (1.6, 2.2) and (0.7, 0.9) over"
    " NAS-Bench-201, (1.5, 10.5) and (0.7, 4.8) over DARTS.",
    latex=r"(\bar d^*, \bar m^*) = \Big(\frac{\bar d_{\max} + \bar d_{\min}}{2},"
    r" \frac{\bar m_{\max} + \bar m_{\min}}{2}\Big)",
    expected="holds-conditionally",
    settings={"NAS-Bench-201": "all cells, exact rationals", "DARTS": "all cells, under each reading of its space"},
    duration=3,
)
def check(context: Context) -> Evidence:
    """Exact ranges: of NAS-Bench-201 from paths listed one by one, of DARTS by the library's count of its cells."""
    printed = PRINTED["nasbench201"]
    found = _nasbench201(with_depth=True)
    first = _finding(found, printed, "NAS-Bench-201, cells with a convolution on a path")
    every = _finding(_nasbench201(with_depth=False), printed, "NAS-Bench-201, all cells (0 without a convolution)")
    darts = [
        Finding(
            reading.matches,
            activation=None,
            label=reading.reading,
            cases=1,
            tolerance=0.05,
            worst=_distance(reading.center, reading.half_radius),
            detail=_shown([*reading.center, *reading.half_radius]),
        )
        for reading in darts_range_readings()
        if reading.probability is None
    ]
    printed_darts = [f.label for f in darts if f.holds]
    numbers = _printed(found, printed)[1]
    neighbour = PrintedRange((printed.center[0] + 0.1, printed.center[1]), printed.half_radius)
    return Evidence(
        [first, every, *darts],
        summary=f"NAS-Bench-201: {first.detail}, as printed, over cells with a convolution on a path. DARTS:"
        f" {len(printed_darts)} of {len(darts)} readings of its space give the printed numbers; its own rules give"
        f" {darts[0].detail}.",
        condition="NAS-Bench-201, over the cells that have a place in the plane (d > 0). The printed range of DARTS is"
        f" that of: {'; '.join(printed_darts) or 'no reading that was thought of'}.",
        inside={"reading": first.label, "numbers": first.detail},
        outside={"reading": darts[0].label, "numbers": darts[0].detail},
        controls=[
            Control.rejects("NAS-Bench-201 has the centre (1.7, 2.2).", _finding(found, neighbour, "neighbour")),
            Control.rejects(
                "The radii printed are whole ones: half of them are (0.35, 0.45).",
                _finding(found, PrintedRange(printed.center, (0.35, 0.45)), "whole radii"),
            ),
        ],
        tables=[
            Table(
                "Readings of DARTS against centre (1.5, 10.5) and half radius (0.7, 4.8)",
                ["reading", "numbers", "as printed"],
                [[f.label, f.detail, f.holds] for f in darts],
            )
        ],
        key_values={name: KeyValue(value, 1e-9) for name, value in zip(_NAMES, numbers, strict=True)},
    )


def _distance(center: tuple[float, float], half_radius: tuple[float, float]) -> float:
    printed = PRINTED["darts"]
    numbers = zip((*center, *half_radius), (*printed.center, *printed.half_radius), strict=True)
    return max(abs(a - b) for a, b in numbers)
