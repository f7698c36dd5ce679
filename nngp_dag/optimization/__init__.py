"""The best connectivity: a search over all small DAGs, one of each class of equal kernels.

`normal_form` says what of a graph its kernels depend on, `quotient` lists the classes of a complete space, `criteria`
holds what graphs are compared by, `exhaustive` goes through all of them, and `comparison` proves that the winner is
better than the runner-up, or says that they are not told apart.
"""

from nngp_dag.optimization.criteria import CRITERIA as CRITERIA
from nngp_dag.optimization.normal_form import normal_form as normal_form
from nngp_dag.optimization.optimum import Graph as Graph
from nngp_dag.optimization.optimum import Optimum as Optimum
from nngp_dag.optimization.optimum import optimize as optimize
from nngp_dag.optimization.problem import Problem as Problem
from nngp_dag.optimization.quotient import Limits as Limits
from nngp_dag.optimization.quotient import Quotient as Quotient
from nngp_dag.optimization.quotient import quotient as quotient

__all__ = ["CRITERIA", "Graph", "Limits", "Optimum", "Problem", "Quotient", "normal_form", "optimize", "quotient"]
