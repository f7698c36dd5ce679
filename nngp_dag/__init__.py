"""nngp_dag: infinite-width kernels of networks with DAG-shaped connectivity, and tests of the theory about them."""

from nngp_dag.analysis import analyze as analyze
from nngp_dag.analysis import compare as compare
from nngp_dag.dag import Dag as Dag
from nngp_dag.dag import Op as Op
from nngp_dag.dag import enumerate_codes as enumerate_codes
from nngp_dag.errors import InputError as InputError
from nngp_dag.kernel import Kernel as Kernel
from nngp_dag.kernel import kernel_fn as kernel_fn
from nngp_dag.prefilter import prefilter as prefilter

__version__ = "0.1.0"
