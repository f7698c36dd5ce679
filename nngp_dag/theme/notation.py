"""Mathematics in plain words as pages, plots and terminals show it: `lambda_min`, `K^(3)` and `f^3(rho)` are set.

Words are left alone: only a single letter, the name of a Greek one, a number or a closing bracket carries an exponent,
and only the first two an index, so that `nngp_dag`, `leaky_relu` and the codes of DAGs stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["mathtext", "typeset", "unicode_text"]

_GREEK = {
    "lambda": "λ",
    "rho": "ρ",
    "eta": "η",
    "theta": "θ",
    "Theta": "Θ",
    "sigma": "σ",
    "mu": "μ",
    "pi": "π",
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "epsilon": "ε",
    "kappa": "κ",
    "chi": "χ",
    "phi": "φ",
}
_SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "||": "‖", "sqrt(": "√("}
_NAMES = {"dag1": "DAG#1", "dag2": "DAG#2", "dag3": "DAG#3"}
_LAYERS = "KXΘ"
"""Letters whose exponent in brackets is the number of a layer: the brackets of K^(3) stay."""

_DIGITS = {
    "^": str.maketrans("0123456789()-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁻"),
    "_": str.maketrans("0123456789()-", "₀₁₂₃₄₅₆₇₈₉₍₎₋"),
}

_GREEK_NAMES = "|".join(sorted(_GREEK, key=len, reverse=True))
_SCRIPT = r"(?:\((?:[^()]|\([^()]*\))*\)|\{[^{}]*\}|-?O\(\w\)|[-+]?\d+(?:\.\d+)?|[-+]?[^\W\d_]+\d*)"
_TERM = re.compile(
    r"(?P<code>(?<![\w.])[0-2]_[0-2]{2}(?:_[0-2]{3,})*(?!\w))"
    rf"|(?P<base>(?<![\w.\\])(?:{_GREEK_NAMES}|sum(?=_)|[^\W\d_])(?=[_^])|(?<![\w.\\])\d+(?=\^)|[)\]‖](?=\^)|\|\|?(?=\^))"
    rf"(?P<scripts>(?:[_^]{_SCRIPT}){{1,2}})(?!\w)"
    rf"|(?<![\w.\\])(?P<greek>{_GREEK_NAMES})(?!\w)"
    rf"|(?P<sign>{'|'.join(map(re.escape, _SIGNS))})"
)
_PART = re.compile(rf"([_^])({_SCRIPT})")

Scripts = list[tuple[str, str]]


def typeset(text: object) -> Markup:
    """Text as HTML: escaped, its mathematics with indices and exponents, codes of DAGs on one line."""
    from markupsafe import Markup, escape

    def term(base: str, scripts: Scripts) -> str:
        letter = f"<i>{base}</i>" if base.isalpha() and base.isascii() else str(escape(base))
        tags = {"_": "sub", "^": "sup"}
        return letter + "".join(f"<{tags[kind]}>{typeset(_shown(base, part))}</{tags[kind]}>" for kind, part in scripts)

    return Markup(_written(str(text), lambda word: str(escape(word)), term, '<code class="dag">{}</code>'))


def mathtext(text: str) -> str:
    """Text as matplotlib sets it: formulas between dollars, dollars of the text as they are."""
    names = {letter: rf"\{name} " for name, letter in _GREEK.items()} | {"‖": r"\|", "#": r"\#"}

    def inner(part: str) -> str:
        words = re.sub(r"[A-Za-z]{2,}", lambda match: rf"\mathrm{{{match.group()}}}", part)
        return re.sub(r"_(\w)", r"_{\1}", "".join(names.get(letter, letter) for letter in words))

    def term(base: str, scripts: Scripts) -> str:
        letter = r"\Sigma" if base == "Σ" else names.get(base, base)
        return f"${letter}{''.join(f'{kind}{{{inner(_shown(base, part))}}}' for kind, part in scripts)}$"

    return _written(text, lambda word: word.replace("$", r"\$"), term, "{}")


def unicode_text(text: str) -> str:
    """Text alone, for terminals and titles: Greek letters, signs, digits as indices and exponents; others stay."""

    def written(kind: str, part: str) -> str:
        raised = set(part) <= set("0123456789()-")
        return part.translate(_DIGITS[kind]) if raised else kind + _NAMES.get(part, part)

    def term(base: str, scripts: Scripts) -> str:
        return base + "".join(written(kind, part) for kind, part in scripts)

    return _written(text, lambda word: word, term, "{}")


def _written(text: str, word: Callable[[str], str], term: Callable[[str, Scripts], str], code: str) -> str:
    """The text, with its terms (a base and its scripts), its codes and its other words written as asked for."""
    pieces, end = [], 0
    for match in _TERM.finditer(text):
        pieces.append(word(text[end : match.start()]))
        end = match.end()
        if match["base"] or match["greek"]:
            base = match["base"] or match["greek"]
            base = "Σ" if base == "sum" else _GREEK.get(base, _SIGNS.get(base, base))
            pieces.append(term(base, _PART.findall(match["scripts"] or "")))
        elif match["sign"]:
            pieces.append(word(_SIGNS[match["sign"]]))
        else:
            is_code = all(len(node) == place for place, node in enumerate(match["code"].split("_"), start=1))
            pieces.append(code.format(match["code"]) if is_code else word(match["code"]))
    return "".join([*pieces, word(text[end:])])


def _shown(base: str, part: str) -> str:
    """An index or exponent without the brackets that only group it, in the words of the paper."""
    if part[0] in "({" and not (part[0] == "(" and base in _LAYERS):
        part = part[1:-1]
    part = _NAMES.get(part, part)
    return re.sub(rf"(?<![A-Za-z])(?:{_GREEK_NAMES})(?![A-Za-z])", lambda match: _GREEK[match.group()], part).replace(
        "-", "−"
    )
