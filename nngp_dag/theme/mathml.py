"""Formulas as MathML: browsers draw it themselves, in the colours of the page, without a script or a font to load."""

from __future__ import annotations

import re

__all__ = ["mathml"]

_PRIME = re.compile(r"<msup>((?:(?!</?msup>).)*?)<mi>&#x02032;</mi></msup>")
"""A prime as superscript: the fonts of text raise it once more, so it is set beside its base, in such a font."""
_SIGN = re.compile(
    r"(<mo[^>]*>(?:&#x0003D;|&#x00028;|&#x0005B;|&#x0002C;|&#x0003C;|&#x0003E;|&#x02208;|&#x02264;|&#x02265;|&#x02192;)</mo>)<mo>&#x02212;"
)
"""A minus after an opening bracket, a comma, an arrow or a relation: a sign, which browsers space like a difference."""

_LESS, _MORE = "\ue000", "\ue001"
"""Stand for < and > on their way through the converter, which would let words become elements."""


def mathml(latex: str, display: str = "block") -> str:
    """A `<math>` element.

    Args:
        latex: the formula, without dollars.
        display: "block" or "inline".

    Raises:
        ValueError: what cannot be read as a formula.
    """
    from latex2mathml.converter import convert

    source = latex.replace(r"\#", "#").replace("<", _LESS).replace(">", _MORE)
    try:
        drawn = str(convert(source, display=display))
    except Exception as error:  # its exceptions share no base
        raise ValueError(f"no formula: {type(error).__name__}") from error
    for mark, entity in ((_LESS, "&#x0003C;"), (_MORE, "&#x0003E;")):
        drawn = drawn.replace(f"<mi>{mark}</mi>", f"<mo>{entity}</mo>").replace(mark, entity)
    drawn = _PRIME.sub(r'<mrow>\1<mtext class="prime">&#x02032;</mtext></mrow>', drawn)
    return _SIGN.sub(r'\1<mo form="prefix">&#x02212;', drawn)
