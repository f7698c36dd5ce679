"""The explorer as a page or inside a notebook: what it computes with is `kernel.js`, which tests compare with this
library in a browser.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.support.files import write_text
from nngp_dag.theme.css import stylesheet

__all__ = ["MAX_NODES", "Explorer", "explore"]

MAX_NODES = 8
"""The largest number of nodes that the page draws."""


@dataclass(frozen=True)
class Explorer:
    """The explorer, opened at a DAG; in Jupyter it shows itself.

    Attributes:
        code: the DAG that it opens with.
    """

    code: str

    def to_html(self) -> str:
        """The page: styles and scripts inside, no network. A fragment `#dag=CODE` of its address opens another DAG."""
        from jinja2 import Environment, StrictUndefined

        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        return environment.from_string(_read("explorer.html.j2")).render(
            code=self.code,
            styles=stylesheet() + _read("explorer.css"),
            script=_read("kernel.js") + _read("page.js"),
        )

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, and return its path; InputError where it cannot be written."""
        write_text(Path(path), self.to_html())
        return Path(path)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, whose script and styles stay there."""
        style = "width: 100%; height: 56rem; border: 0;"
        return f'<iframe title="Explorer of DAGs" style="{style}" srcdoc="{escape(self.to_html())}"></iframe>'


def explore(dag: Dag | str = "2_21_112") -> Explorer:
    """The explorer, opened at a DAG: draw it, see its kernels on two unit inputs, and where approximations fail.

    Args:
        dag: a `Dag` or its code, of 2 to 8 nodes.

    Raises:
        InputError: what is no code, or a DAG of more than 8 nodes.
    """
    dag = Dag.from_code(dag) if isinstance(dag, str) else dag
    if not 2 <= dag.num_nodes <= MAX_NODES:
        raise InputError(f"the explorer draws DAGs of 2 to {MAX_NODES} nodes, this one has {dag.num_nodes}")
    return Explorer(dag.to_code())


def _read(name: str) -> str:
    return (files("nngp_dag.explorer") / name).read_text(encoding="utf-8")
