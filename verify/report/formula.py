"""Formulas as SVG, set by matplotlib's own TeX reader: no LaTeX, no script, no font to load."""

from __future__ import annotations

import io
import re

from verify.report.plots import unique_ids

__all__ = ["formula_svg", "simplified"]

_REPLACED = (
    (r"\\tfrac", r"\\frac"),
    (r"\\ne(?![a-z])", r"\\neq"),
    (r"\\le(?![a-z])", r"\\leq"),
    (r"\\ge(?![a-z])", r"\\geq"),
    (r"\\dfrac", r"\\frac"),
    (r"\\text\{((?:[^{}]|\\#)*)\}", r"\\mathrm{\1}"),
    (r"\\[bB]ig[lr]?", ""),
    (r"\\;", r"\\ "),
    (r"\\succeq", r"\\geq"),
    (r"\\Rightarrow", r"\\Rightarrow"),
)


def simplified(latex: str) -> str:
    """The formula in the subset of LaTeX that matplotlib sets; a matrix is written in square brackets, by rows."""

    def matrix(match: re.Match[str]) -> str:
        rows = [", ".join(cell.strip() for cell in row.split("&")) for row in match.group(1).split(r"\\")]
        return "[" + r";\ ".join(rows) + "]"

    text = re.sub(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}", matrix, latex, flags=re.DOTALL)
    for pattern, replacement in _REPLACED:
        text = re.sub(pattern, replacement, text)
    return re.sub(r"\\mathrm\{([^{}]*)\}", lambda m: r"\mathrm{" + m.group(1).replace(" ", r"\ ") + "}", text)


def formula_svg(latex: str) -> str | None:
    """An `<svg>` element of a formula, or None where it cannot be set (the page then shows its source)."""
    if not latex:
        return None
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "nngp-dag", "mathtext.fontset": "cm"}):
        figure = Figure()
        figure.text(0, 0, f"${simplified(latex)}$", fontsize=13)
        buffer = io.StringIO()
        try:
            FigureCanvasSVG(figure).print_figure(
                buffer, format="svg", bbox_inches="tight", pad_inches=0.04, metadata={"Date": None, "Creator": None}
            )
        except ValueError:
            return None
    svg = buffer.getvalue()
    return unique_ids(svg[svg.index("<svg") :], latex)
