"""Docstrings as they stand in the source, made fit for reStructuredText.

In the source they are plain text: formulas with * and |, code in single backticks, and indented blocks for formulas and
examples. Here the marks that Sphinx would misread are escaped, and indented blocks become literal blocks. What Google
style means (Args:, Returns:, ...) is left to napoleon.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["as_restructured_text", "convert"]

_SECTION = re.compile(r"(Args|Arguments|Attributes|Returns|Raises|Yields|Warns)( \(.*\))?:$")
_TABLE = re.compile(r"=+( +=+)+$")


def as_restructured_text(_app: Any, what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Handler of autodoc-process-docstring: changes `lines` in place."""
    lines[:] = convert(lines)
    if what in ("attribute", "data", "property") and lines:
        # Of these, napoleon would take what stands before a colon in the first line for a type.
        lines[0] = re.sub(r"(``[^`]*``)|:", lambda match: match[1] or r"\ " + "\N{RATIO}", lines[0])


def convert(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText."""
    result: list[str] = []
    in_section = in_table = in_list = literal = False
    for i, line in enumerate(lines):
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if _SECTION.match(text) and indent == 0:
            in_section, in_list, literal = True, False, False
            # "Raises (from `make`):" and the like: napoleon knows the bare word only.
            result.append(re.sub(r" \(.*\):$", ":", line))
            continue
        if indent == 0 and text:
            if literal and result and result[-1].strip():
                result.append("")
            in_section = literal = False
            in_list = _is_list(text)
        if in_section:
            # "mean, deviation: ..." is two names, not a type and a name.
            names = re.match(r"(\s+)(\w+(?:, \w+)+): ", line)
            line = line.replace(", ", ",", names[2].count(", ")) if names else line
        if _TABLE.match(text):
            in_table = not in_table or (i + 1 < len(lines) and bool(lines[i + 1].strip()))
        if text and indent > 0 and not (in_section or in_table or in_list or literal):
            previous = lines[i - 1].strip() if i else ""
            if previous and not previous.endswith((":", ",")):
                line = text  # a line that was wrapped with an indent
            else:
                if result and result[-1].strip():
                    result.append("")
                result += ["::", ""]
                literal = True
        result.append(line if literal or in_table else _escape(line))
    return result


def _is_list(text: str) -> bool:
    return bool(re.match(r"([-*+]|\d+\.|\(?[a-z]\))\s", text)) or text.startswith(("- ", "* "))


def _escape(line: str) -> str:
    """Escape * | and trailing _ outside of code in backticks, and give code two of them."""
    parts = re.split(r"(``[^`]*``|:[a-z]+:`[^`]*`|`[^`]*`)", line)
    for i in range(1, len(parts), 2):
        if parts[i].startswith("`") and not parts[i].startswith("``"):
            parts[i] = f"`{parts[i]}`"
    for i in range(0, len(parts), 2):
        part = re.sub(r"(?<!\\)([*|])", r"\\\1", parts[i])
        if i == 0:
            part = re.sub(r"^(\s*)\\\*(\s)", r"\1*\2", part)  # a list item
        parts[i] = re.sub(r"(?<=\w)_(?=\W|$)", r"\\_", part)
    return "".join(parts)
