"""The stylesheet of all pages: colours from the palette, and rules that fragments in a notebook share with pages."""

from __future__ import annotations

from importlib.resources import files

from nngp_dag.theme.palette import EDGES, ROLES, VERDICTS, Shades

__all__ = ["badges", "stylesheet", "variables"]

_LIGHT_HOSTS = ('body[data-theme="light"]', 'body[data-jp-theme-light="true"]', "body.vscode-light")
_DARK_HOSTS = ('body[data-theme="dark"]', 'body[data-jp-theme-light="false"]', "body.vscode-dark")
"""The documentation, Jupyter and VS Code say so which theme was chosen, whatever the system prefers."""


def variables(scope: str = ".nngp-dag") -> str:
    """The palette as custom properties of `scope`: light, dark where the system prefers it, and as the host says."""
    light, dark = (_properties(place) for place in (0, 1))
    hosts = [", ".join(f"{host} {scope}" for host in found) for found in (_LIGHT_HOSTS, _DARK_HOSTS)]
    return (
        f"{scope} {{ color-scheme: light; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ {scope} {{ color-scheme: dark; {dark} }} }}\n"
        f"{hosts[0]} {{ color-scheme: light; {light} }}\n{hosts[1]} {{ color-scheme: dark; {dark} }}\n"
        f"@media print {{ {scope} {{ color-scheme: light; {light} }} }}\n"
    )


def stylesheet() -> str:
    """The palette and the rules below `.nngp-dag`; a page puts the class on its body, a fragment on its outer div."""
    rules = (files("nngp_dag.theme") / "base.css").read_text(encoding="utf-8")
    return f"{variables()}{rules}{badges()}"


def badges(scope: str = ".nngp-dag") -> str:
    """The rules of verdicts below `scope`: badges, and words in their colours."""
    rules = (
        f"{scope} .verdict.{name} {{ background: var(--{name}); }} {scope} .is-{name} {{ color: var(--{name}); }}\n"
        for name in VERDICTS
    )
    shape = "display: inline-block; white-space: nowrap; border-radius: 999px; padding: 0 .7em; font-size: .87em;"
    return f"{scope} .verdict {{ {shape} font-weight: 600; color: var(--badge); }}\n{''.join(rules)}"


def _properties(place: int) -> str:
    colours: dict[str, Shades] = {**ROLES, **{name: look.shades for name, look in VERDICTS.items()}, **EDGES}
    return " ".join(f"--{name}: {shades[place]};" for name, shades in colours.items())
