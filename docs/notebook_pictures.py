"""Pictures of the notebooks: words for those who do not see them, and a gallery with thumbnails."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["gallery", "with_alternatives"]

_WIDTH = 320
"""Pixels of a thumbnail."""


def with_alternatives(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook, with an alternative text for each picture: the heading above it and what its axes say."""
    for heading, cell in _pictures(notebook):
        cell.setdefault("metadata", {}).setdefault("mystnb", {}).setdefault("image", {})["alt"] = _words(heading, cell)
    return notebook


_DRAWN = {
    "draw_dag": "a drawing of the DAG",
    "plot_dual_map": "the dual map and its iterates",
    "plot_depth": "eigenvalues node by node",
    "plot_angle": "kernels over the angle between two inputs, by method",
    "plot_spectrum": "eigenvalues in order",
    "plot_training": "training curves",
    "plot_figure4": "training accuracy of the three DAGs",
    "plot_figure5": "accuracy over effective depth and width",
}
"""Functions that draw, in words."""


def gallery(notebooks: dict[str, dict[str, Any]]) -> dict[Path, str | bytes]:
    """The page and its thumbnails, by file name: every picture of every notebook, under the notebook's title.

    Args:
        notebooks: by the name of the file, without its suffix.
    """
    files: dict[Path, str | bytes] = {}
    lines = ["# Gallery", "", "Every picture of the notebooks; a click leads to the code that draws it.", ""]
    for name, notebook in notebooks.items():
        lines += [f"## {_title(notebook)}", "", '<div class="gallery">']  # an empty line would end the HTML
        for place, (heading, cell) in enumerate(_pictures(notebook)):
            file = Path("gallery") / f"{name}-{place}.png"
            files[file] = _thumbnail(_png(cell))
            image = f'<img src="{file}" alt="{_words(heading, cell)}" loading="lazy">'
            lines += [f'<a href="notebooks/{name}.html">{image}<span>{heading}</span></a>']
        lines += ["</div>", ""]
    return {**files, Path("gallery.md"): "\n".join(lines) + "\n"}


def _pictures(notebook: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Cells with a picture, each with the heading above it."""
    heading = _title(notebook)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            heading = (re.findall(r"^#+ (.+)$", source, flags=re.M) or [heading])[-1]
        elif _png(cell):
            yield _plain(heading), cell


def _title(notebook: dict[str, Any]) -> str:
    return "".join(notebook["cells"][0]["source"]).splitlines()[0].removeprefix("# ")


def _words(heading: str, cell: dict[str, Any]) -> str:
    """The heading, then titles and labels that the code gives the picture."""
    source = "".join(cell["source"])
    drawn = [words for function, words in _DRAWN.items() if f"{function}(" in source]
    given = drawn + re.findall(r"(?:title|xlabel|ylabel|label)=r?f?\"([^\"{}]+)\"", source)
    words = [heading, *dict.fromkeys(_plain(text) for text in given)]
    return ": ".join([words[0], ", ".join(words[1:])] if words[1:] else words)


def _plain(text: str) -> str:
    """Words without mark-up, fit for an attribute."""
    return re.sub(r"\s+", " ", re.sub(r"[$\\{}*`\"<>&^_]", " ", text)).strip()


def _png(cell: dict[str, Any]) -> bytes:
    for output in cell.get("outputs", []):
        if "image/png" in output.get("data", {}):
            return base64.b64decode("".join(output["data"]["image/png"]))
    return b""


def _thumbnail(png: bytes) -> bytes:
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.thumbnail((_WIDTH, _WIDTH))
    buffer = io.BytesIO()
    image.save(buffer, format="png", optimize=True)
    return buffer.getvalue()
