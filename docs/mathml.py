"""Formulas as MathML: browsers draw it themselves, so that the pages need neither JavaScript nor a network."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["setup"]

_PRIME = re.compile(r"<msup>((?:(?!</?msup>).)*?)<mi>&#x02032;</mi></msup>")
"""A prime as superscript: the fonts of text raise it once more, so it is set beside its base, in such a font."""
_SIGN = re.compile(
    r"(<mo[^>]*>(?:&#x0003D;|&#x00028;|&#x0005B;|&#x0002C;|&#x0003C;|&#x0003E;|&#x02208;|&#x02264;|&#x02265;|&#x02192;)</mo>)<mo>&#x02212;"
)
"""A minus after an opening bracket, a comma, an arrow or a relation: a sign, which browsers space like a difference."""


def setup(app: Any) -> dict[str, bool]:
    """Register the renderer `mathml` (html_math_renderer)."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _visit_inline(writer: Any, node: Any) -> None:
    from docutils import nodes

    writer.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _visit_block(writer: Any, node: Any) -> None:
    from docutils import nodes

    writer.body.append(f'<div class="math">{_mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def _mathml(latex: str, display: str) -> str:
    from latex2mathml.converter import convert

    drawn = str(convert(latex.replace(r"\#", "#"), display=display))
    drawn = _PRIME.sub(r'<mrow>\1<mtext class="prime">&#x02032;</mtext></mrow>', drawn)
    return _SIGN.sub(r'\1<mo form="prefix">&#x02212;', drawn)
