"""An analysis or a comparison as HTML that needs nothing else: styles and pictures are inside."""

from __future__ import annotations

from importlib import metadata
from importlib.resources import files

from nngp_dag.analysis import panels
from nngp_dag.analysis.dag_on_data import DagOnData
from nngp_dag.analysis.dags_on_data import DagsOnData
from nngp_dag.analysis.images import png_uri, svg_uri
from nngp_dag.analysis.neighbours import MAX_NODES
from nngp_dag.analysis.proved import proved_words
from nngp_dag.analysis.remarks import remarks
from nngp_dag.analysis.tables import METHOD_COLUMNS, finite_rows, method_rows, neighbour_rows, path_rows, shown
from nngp_dag.analysis.wired import wiring_words
from nngp_dag.theme.css import stylesheet
from nngp_dag.theme.notation import typeset

__all__ = ["analysis_html", "comparison_html"]

_PICTURES = (
    (panels.angle_panel, "Kernel of two unit inputs over their angle", "What one pair of inputs gets, by each method."),
    (
        panels.spectrum_panel,
        "Eigenvalues in order",
        "Eigenvalues in descending order; those below resolution are left out.",
    ),
    (
        panels.depth_panel,
        "Eigenvalues node by node",
        "How the spectrum propagates: bands hold 50 % and 80 % of the eigenvalues.",
    ),
)


def analysis_html(analysis: DagOnData, page: bool = False, finite: bool = True) -> str:
    """An analysis as a fragment, or as a whole page."""
    paths, reading = analysis.paths, analysis.reading
    has_path = bool(paths.num_paths)
    code = analysis.code if len(analysis.code) <= 80 else analysis.code[:77] + "..."
    facts = [
        (f"{analysis.dag.num_nodes}", "nodes"),
        (f"{analysis.dag.num_linear}", "linear edges"),
        (_count(paths.num_paths), "paths P"),
        (shown(float(paths.effective_depth)), "effective depth d̄"),
        (shown(float(paths.effective_width)), "effective width m̄"),
    ]
    body = _render(
        "analysis.html.j2",
        code=code,
        setting=f"{reading.order}, {reading.embedding}, {reading.activation.name}; data: {analysis.data}",
        facts=facts,
        wiring="; ".join(wiring_words(analysis.wiring)) if analysis.wiring is not None else "",
        path_counts=[(d, _count(n)) for d, n in path_rows(paths.counts)],
        remarks=remarks(analysis),
        figures=_figures(analysis, has_path),
        looks={"not rejected": "is-holds", "rejected": "is-refuted", "undecided": "is-inconclusive"},
        columns=METHOD_COLUMNS,
        tables=[
            (name.upper(), _method_table(analysis, name), proved_words(analysis.proved, name))
            for name in ("nngp", "ntk")
        ]
        if has_path
        else [],
        finite=_finite(analysis) if finite and has_path else None,
        neighbours=_neighbours(analysis) if analysis.dag.num_nodes <= MAX_NODES and analysis.wiring is None else None,
    )
    return _wrap(body, f"DAG {code}", page)


def comparison_html(comparison: DagsOnData, page: bool = False) -> str:
    """A comparison as a fragment, or as a whole page."""
    reading = comparison.reading
    rows = []
    drawn = len(comparison) <= comparison.MAX_DRAWN
    for (label, cells), analysis in zip(comparison.rows(), comparison.analyses, strict=True):
        image = ""
        if drawn and analysis.dag.num_nodes <= 8:
            image = svg_uri(panels.panel_figure(panels.thumbnail, analysis, 1.6, 0.9))
        rows.append((label, image, f"DAG {analysis.code}", [shown(cell) for cell in cells]))
    pictures = (
        (DagsOnData.plot_spectra, "Eigenvalues, overlaid", "Eigenvalues of the exact NNGP."),
        (DagsOnData.plot_scale_free, "Scale-free eigenvalues, overlaid", "The same divided by the mean diagonal."),
    )
    title = f"{len(comparison)} DAGs on {comparison.data}"
    body = _render(
        "comparison.html.j2",
        title=title,
        setting=f"exact kernels, {reading.order}, {reading.embedding}, {reading.activation.name}",
        columns=comparison.COLUMNS[1:],
        rows=rows,
        sentences=comparison.sentences(),
        figures=[(png_uri(panels.panel_figure(draw, comparison)), alt, caption) for draw, alt, caption in pictures],
    )
    return _wrap(body, title, page)


def _figures(analysis: DagOnData, has_path: bool) -> list[tuple[str, str, str]]:
    width, height = (4.4, 2.6) if analysis.dag.num_nodes <= 8 else (7.0, 3.4)
    drawn = svg_uri(panels.panel_figure(panels.drawing, analysis, width, height))
    figures = [(drawn, f"Drawing of DAG {analysis.code[:80]}", "Solid: linear; dashed: skip; dotted: zero.")]
    if has_path:
        figures += [(png_uri(panels.panel_figure(draw, analysis)), alt, caption) for draw, alt, caption in _PICTURES]
    return figures


def _method_table(analysis: DagOnData, kernel: str) -> list[tuple[str, list[str], str]]:
    reason = "does not apply (see above)"
    return [(method, [shown(cell) for cell in cells], reason) for method, cells in method_rows(analysis, kernel)]


def _finite(analysis: DagOnData) -> dict[str, object]:
    from nngp_dag.finite.montecarlo.words import too_wide

    rows = [(method, [shown(cell) for cell in cells]) for method, cells in finite_rows(analysis)]
    estimate = analysis.networks
    words = (
        f"{estimate.seeds} random networks of {analysis.width} neurons per node, on {estimate.nngp.mean.shape[0]} of"
        " the rows. z: the largest distance of an entry in standard errors; p: the probability of such a distance were"
        " the method right (Bonferroni over entries); rejected where p < 0.01. What is not rejected need not be right."
        " A finite width has a bias of its own, of order 1 / width."
    )
    half_widths = {kernel: getattr(estimate, kernel).tightness for kernel in ("nngp", "ntk")}
    return {"words": words, "warning": too_wide(half_widths, estimate.confidence), "rows": rows}


def _neighbours(analysis: DagOnData) -> dict[str, object]:
    found = analysis.neighbours
    better = sum((n.ratio("nngp_lambda_min") or 0) > 1 for n in found)
    better_free = sum((n.ratio("nngp_lambda_min_scale_free") or 0) > 1 for n in found)
    words = (
        f"Of the {len(found)} DAGs with a path that differ in one edge, {better} have a larger λ_min, and {better_free}"
        " a larger one by scale. Values as multiples of this DAG's; the extremes are shown."
    )
    return {"words": words, "rows": [[shown(cell) for cell in row] for row in neighbour_rows(analysis)]}


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**12 else f"{number:.4e}" if number < 10**300 else f"10^{len(str(number)) - 1}"


def _render(name: str, **values: object) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["math"] = typeset
    return environment.from_string(_read(name)).render(**values)


def _wrap(body: str, title: str, page: bool) -> str:
    fragment = f'<div class="nngp-dag"><style>{stylesheet()}</style>\n{body}</div>'
    if not page:
        return fragment
    from markupsafe import Markup

    return _render("page.html.j2", title=title, body=Markup(fragment), version=metadata.version("nngp-dag"))


def _read(name: str) -> str:
    return (files("nngp_dag.analysis") / name).read_text(encoding="utf-8")
