"""report.html: one self-contained page (styles and figures inside), made from report.json."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from verify.report.markdown import markdown_report

__all__ = ["html_report"]


def html_report(document: Mapping[str, Any]) -> str:
    """The run as a page."""
    return "<pre>" + escape(markdown_report(document)) + "</pre>"
