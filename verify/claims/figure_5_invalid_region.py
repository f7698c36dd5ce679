"""Figure 5's blue areas: no DAG is both deep and wide."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from nngp_dag.dag import Dag, enumerate_codes
from verify import Context, Control, Evidence, Finding, KeyValue, Points, Proof, Series, claim
from verify.papers import CONNECTIVITY
from verify.tools.path_listing import definition_4_1, path_depths

_Shape = tuple[int, Fraction, Fraction]
"""Nodes, effective depth and effective width of a DAG."""


def _shapes(num_nodes: int) -> list[_Shape]:
    """The shapes of all DAGs that have a path with a linear edge, by listing their paths one by one."""
    found = []
    for code in enumerate_codes(num_nodes):
        _, depth, width = definition_4_1(path_depths(Dag.from_array(code)))
        if depth:
            found.append((num_nodes, depth, width))
    return found


def _never(shapes: list[_Shape], words: str, bound: Callable[[int], Fraction], proof: Proof | None = None) -> Finding:
    """The finding that d m exceeds `bound(n)` for no DAG of n nodes."""
    excess = max(depth * width - bound(n) for n, depth, width in shapes)
    return Finding(
        excess <= 0,
        activation=None,
        label=words,
        cases=len(shapes),
        tolerance=0.0,
        worst=float(excess),
        proof=proof if excess <= 0 else None,
        detail=f"largest excess of d m over it: {excess}",
    )


def _most(n: int) -> Fraction:
    return Fraction(2 ** (n - 2))


def _both(shapes: list[_Shape], n: int) -> Fraction:
    """The largest share t such that a DAG of n nodes has t of the largest depth and t of the largest width."""
    own = [(depth, width) for nodes, depth, width in shapes if nodes == n]
    deepest, widest = max(d for d, _ in own), max(m for _, m in own)
    return max(min(d / deepest, m / widest) for d, m in own)


@claim(
    "figure-5-invalid-region",
    title="A DAG cannot be both deep and wide",
    paper=CONNECTIVITY,
    source="Figure 5 (blue areas)",
    statement="No DAG of n nodes has an effective depth and an effective width whose product exceeds 2^(n-2), the"
    " largest number of paths.",
    latex=r"\bar d\, \bar m = \#\{p : d_p > 0\} \le 2^{n-2}",
    expected="certified",
    settings={"DAGs": "all of three and four nodes; of five in the full profile"},
    duration=1,
)
def check(context: Context) -> Evidence:
    """Exact rationals of every DAG, from its paths listed one by one, beside the written proof."""
    sizes = context.pick(quick=(3, 4), full=(3, 4, 5))
    shapes = [shape for n in sizes for shape in _shapes(n)]
    boundary = [(d, m) for n, d, m in shapes if n == 4 and d * m == _most(n)]
    shares = ", ".join(f"{_both(shapes, n)} ({n} nodes)" for n in sizes)
    four = sorted({(d, m) for n, d, m in shapes if n == 4})
    return Evidence(
        [_never(shapes, "d m against the number of paths", _most, Proof.written("deep-and-wide"))],
        summary=f"{len(shapes)} DAGs of {', '.join(map(str, sizes))} nodes: d m is the number of paths with a linear"
        f" edge, never above 2^(n-2), and {len(boundary)} four-node DAGs attain it. No DAG has more than this share of"
        f" the largest depth and of the largest width at once: {shares}.",
        condition="none: it is an identity and a count" if shapes else "",
        controls=[
            Control.rejects("The product is at most 2^(n-2) - 1.", _never(shapes, "one less", lambda n: _most(n) - 1)),
            Control.rejects(
                "The product is at most n - 1, the largest depth.", _never(shapes, "n - 1", lambda n: Fraction(n - 1))
            ),
        ],
        plots=[
            Points(
                "All four-node DAGs, and the hyperbola d m = 4 beyond which there is none",
                [
                    Series("DAGs", [float(d) for d, _ in four], [float(m) for _, m in four]),
                    Series("d m = 4", [i / 10 for i in range(10, 31)], [40 / i for i in range(10, 31)]),
                ],
                x="effective depth",
                y="effective width",
            )
        ],
        key_values={"four-node DAGs on the boundary": KeyValue(len(boundary), 0)},
    )
