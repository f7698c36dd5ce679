"""Infinite-width kernels of a DAG by four methods (exact, independent, path-sum, neural-tangents).

`kernel_fn` makes the kernel function of a DAG or a wiring; `pair_kernel` evaluates it on inner products, not on data.
`sweep_kernels` computes those of many DAGs of one size, `sweep_wirings` those of many wirings of one DAG.
`kernel_to_file` writes the kernel of more rows than fit in memory.
"""

from nngp_dag.kernel.batches import sweep_wirings as sweep_wirings
from nngp_dag.kernel.chunks import sweep_kernels as sweep_kernels
from nngp_dag.kernel.functions import kernel_fn as kernel_fn
from nngp_dag.kernel.functions import pair_kernel as pair_kernel
from nngp_dag.kernel.method import pair_method as pair_method
from nngp_dag.kernel.result import Kernel as Kernel
from nngp_dag.kernel.to_file import kernel_to_file as kernel_to_file
