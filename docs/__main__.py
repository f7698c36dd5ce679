"""Build the documentation: python -m docs [--out DIR] [--record REPORT.json].

The sources are put together in docs/_build/source: the pages of this folder, the notebooks with their outputs, the
written proofs, a page a claim, and the pages of the API. Any warning is an error.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from docs.claims import record, write_claims
from docs.notebook_pictures import gallery, with_alternatives
from docs.reference import write_reference
from nngp_dag.errors import InputError
from nngp_dag.explorer import explore
from nngp_dag.support.files import make_folder, write_text
from nngp_dag.theme.css import badges, variables
from verify.framework.proof import PAGES

HERE = Path(__file__).parent
ROOT = HERE.parent


def main() -> int:
    """Assemble, build, and say where the result is; the exit status of Sphinx, 2 for options that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m docs", description="Build the documentation.")
    parser.add_argument("--out", type=Path, default=HERE / "_build" / "html", help="where the pages go")
    parser.add_argument("--record", type=Path, metavar="REPORT.json", help="take over the evidence of a run of verify")
    arguments = parser.parse_args()
    try:
        make_folder(arguments.out)
        if arguments.record is not None:
            record(arguments.record, HERE / "evidence.json")
    except InputError as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    source = HERE / "_build" / "source"
    before = _files(source)
    assemble(source)
    # Sphinx renews the pages that changed; pages that come or go change the navigation of all.
    renew = ["-E"] if _files(source) != before else []
    from sphinx.cmd.build import main as sphinx

    options = ["-q", "-W", "--keep-going", *renew, "-b", "html", "-c", str(HERE)]
    status = sphinx([*options, str(source), str(arguments.out)])
    if status == 0:
        print(f"Documentation: {arguments.out / 'index.html'}")
    return int(status)


def assemble(source: Path) -> Path:
    """The folder with all sources; files that did not change keep their time, so that rebuilds are quick."""
    source.mkdir(parents=True, exist_ok=True)
    wanted: dict[Path, str | bytes] = {}
    for path in [*HERE.rglob("*.md"), *HERE.rglob("*.png")]:
        if "_build" not in path.parts:
            wanted[path.relative_to(HERE)] = path.read_bytes()
    files = sorted((ROOT / "notebooks").glob("*.ipynb"))
    notebooks = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}
    thumbnails = gallery(notebooks)
    wanted |= {name: content for name, content in thumbnails.items() if isinstance(content, str)}
    for name, notebook in notebooks.items():
        wanted[Path("notebooks") / f"{name}.ipynb"] = json.dumps(with_alternatives(notebook))
    for path in sorted(PAGES.glob("*.md")):
        wanted[Path("proofs") / path.name] = path.read_bytes()
    wanted |= write_claims(HERE / "evidence.json")
    wanted |= write_reference()
    extra = source.parent / "extra"
    (extra / "gallery").mkdir(parents=True, exist_ok=True)
    static = make_folder(source.parent / "static")
    write_text(static / "theme.css", variables(".content") + badges(".content"))
    for name, content in thumbnails.items():
        if isinstance(content, bytes):  # HTML refers to them, which Sphinx does not look into
            (extra / name).write_bytes(content)
    explore().save(extra / "explorer.html")
    for stale in [path for path in source.rglob("*") if path.is_file() and path.relative_to(source) not in wanted]:
        stale.unlink()
    for name, content in wanted.items():
        path, data = source / name, content if isinstance(content, bytes) else content.encode("utf-8")
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return source


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


if __name__ == "__main__":
    sys.exit(main())
