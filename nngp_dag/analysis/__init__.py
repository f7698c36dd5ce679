"""Everything about one DAG (`analyze`) or several (`compare`), for a notebook, a terminal, or a page of its own."""

from nngp_dag.analysis.analysis import Analysis as Analysis
from nngp_dag.analysis.analysis import analyze as analyze
from nngp_dag.analysis.comparison import Comparison as Comparison
from nngp_dag.analysis.comparison import compare as compare
from nngp_dag.analysis.structure import Meeting as Meeting
from nngp_dag.analysis.structure import meetings as meetings

__all__ = ["Analysis", "Comparison", "Meeting", "analyze", "compare", "meetings"]
