"""The explorer: one page on which a DAG is drawn and its kernels are seen at once, without server or network."""

from nngp_dag.explorer.explorer import Explorer as Explorer
from nngp_dag.explorer.explorer import explore as explore

__all__ = ["Explorer", "explore"]
