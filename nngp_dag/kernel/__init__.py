"""Infinite-width kernels of a DAG by four methods (exact, independent, path-sum, neural-tangents).

`kernel_fn` makes the kernel function of a DAG; `pair_kernel` evaluates it on inner products instead of
data.
"""

from nngp_dag.kernel.functions import kernel_fn as kernel_fn
from nngp_dag.kernel.functions import pair_kernel as pair_kernel
from nngp_dag.kernel.method import pair_method as pair_method
from nngp_dag.kernel.result import Kernel as Kernel
