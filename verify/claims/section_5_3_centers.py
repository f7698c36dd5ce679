"""Section 5.3: the printed centres and radii of effective depth and width, for NAS-Bench-201 and DARTS."""

from __future__ import annotations

from nngp_dag.dag import Dag, enumerate_codes
from nngp_dag.spaces import Box
from nngp_dag.spaces.printed_ranges import PRINTED, PrintedRange, RangeReading, darts_range_readings
from verify import Context, Control, Evidence, Finding, KeyValue, Table, claim
from verify.papers import CONNECTIVITY
from verify.tools.path_listing import definition_4_1, path_depths

_NAMES = ("centre d", "centre m", "half radius d", "half radius m")


def _nasbench201(with_depth: bool) -> Box:
    """The range of (d, m) over the cells of NAS-Bench-201, from paths listed one by one.

    To (d, m) its five operations are three: none, skip or pooling, convolution.

    Args:
        with_depth: only of cells with a path with a convolution; else all, with d = m = 0 where there is none.
    """
    listed = [definition_4_1(path_depths(Dag.from_array(code))) for code in enumerate_codes(4)]
    depths, widths = zip(*((d, m) for _, d, m in listed if d or not with_depth), strict=True)
    return Box(min(depths), max(depths), min(widths), max(widths))


def _finding(reading: RangeReading, printed: PrintedRange, cases: int) -> Finding:
    """The finding that a reading of a range gives the printed numbers."""
    numbers = zip(_numbers(reading), (*printed.center, *printed.half_radius), strict=True)
    return Finding(
        reading.matches,
        activation=None,
        label=reading.reading,
        cases=cases,
        tolerance=0.05,
        worst=max(abs(a - b) for a, b in numbers),
        detail="centre ({:.3f}, {:.3f}), half radius ({:.3f}, {:.3f})".format(*_numbers(reading)),
    )


def _numbers(reading: RangeReading) -> tuple[float, ...]:
    return (*reading.center, *reading.half_radius)


@claim(
    "section-5.3-centers",
    title="Centres and radii of the filter are those of the spaces",
    paper=CONNECTIVITY,
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

    def cells(words: str, box: Box, against: PrintedRange) -> Finding:
        return _finding(RangeReading.of(words, box, against), against, 729)

    first = cells("NAS-Bench-201, cells with a convolution on a path", found, printed)
    every = cells("NAS-Bench-201, all cells (0 without a convolution)", _nasbench201(with_depth=False), printed)
    exact = [reading for reading in darts_range_readings() if reading.probability is None]
    darts = [_finding(reading, PRINTED["darts"], 1) for reading in exact]
    printed_darts = [f.label for f in darts if f.holds]
    numbers = _numbers(RangeReading.of("", found, printed))
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
            Control.rejects("NAS-Bench-201 has the centre (1.7, 2.2).", cells("neighbour", found, neighbour)),
            Control.rejects(
                "The radii printed are whole ones: half of them are (0.35, 0.45).",
                cells("whole radii", found, PrintedRange(printed.center, (0.35, 0.45))),
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
