"""Drawings of matplotlib as part of a page: with a title for screen readers, in the page's colours, light and dark."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from html import escape

from nngp_dag.theme.notation import unicode_text
from nngp_dag.theme.palette import EDGES, ROLES

__all__ = ["page_svg"]

_ROLES = {
    "#000000": "currentColor",
    "#222222": "currentColor",
    "#262626": "currentColor",
    "#ffffff": "var(--paper, #ffffff)",
    "#e6e6e6": f"var(--line, {ROLES['line'].light})",
    "#e4eef5": f"var(--wash, {ROLES['wash'].light})",
    **{shades.light: f"var(--{name}, {shades.light})" for name, shades in EDGES.items()},
}
"""Colours of a drawing that a page's theme decides; where there is none, as in a file of its own, they stay."""


def page_svg(svg: str, title: str) -> str:
    """The `<svg>` element of a drawing: named, with ids of its own and colours that follow the page."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"(fill|stroke): (#[0-9a-f]{6})", lambda match: f"{match[1]}: {_ROLES.get(match[2], match[2])}", svg)
    prefix = "f" + format(zlib.crc32(f"{title} {len(svg)}".encode()), "x")
    svg = _unique_ids(svg, prefix)
    words = escape(unicode_text(" ".join(title.split())))
    name = f' role="img" aria-labelledby="{prefix}-title"><title id="{prefix}-title">{words}</title>'
    return re.sub(r"(<svg\b[^>]*?)\s*>", lambda match: match[1] + name, svg, count=1)


def _unique_ids(svg: str, prefix: str) -> str:
    """`svg` with prefixed ids, so that several can share a page."""
    seen: Counter[str] = Counter()

    def unique(match: re.Match[str]) -> str:
        name = match.group(1)
        seen[name] += 1
        again = f"-{seen[name]}" if seen[name] > 1 else ""  # an edge that several DAGs of a plot have
        return f'id="{prefix}{name.replace(" ", "-")}{again}"'

    svg = re.sub(r'\bid="([^"]+)"', unique, svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)
