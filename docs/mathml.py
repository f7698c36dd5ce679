"""Formulas as MathML: browsers draw it themselves, so that the pages need neither JavaScript nor a network."""

from __future__ import annotations

from typing import Any

from nngp_dag.theme.mathml import mathml

__all__ = ["setup"]


def setup(app: Any) -> dict[str, bool]:
    """Register the renderer `mathml` (html_math_renderer)."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _visit_inline(writer: Any, node: Any) -> None:
    from docutils import nodes

    writer.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _visit_block(writer: Any, node: Any) -> None:
    from docutils import nodes

    writer.body.append(f'<div class="math">{mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode
