"""Signal propagation: how variances and correlations travel through a DAG, and activations shaped for it.

`Subnetworks` are those that Deep Kernel Shaping and Tailored Activation Transformations take their maxima over;
`deep_kernel_shaping` and `tailored_activation` give activations that keep what these papers ask for.
"""

from nngp_dag.signal.kernel_shaping import deep_kernel_shaping as deep_kernel_shaping
from nngp_dag.signal.kernel_shaping import local_slope as local_slope
from nngp_dag.signal.local_maps import LocalMaps as LocalMaps
from nngp_dag.signal.local_maps import local_maps as local_maps
from nngp_dag.signal.shaping import ShapedActivation as ShapedActivation
from nngp_dag.signal.subnetworks import Largest as Largest
from nngp_dag.signal.subnetworks import Subnetworks as Subnetworks
from nngp_dag.signal.subnetworks import subnet_max_func as subnet_max_func
from nngp_dag.signal.tailored import leaky_relu_map as leaky_relu_map
from nngp_dag.signal.tailored import tailored_activation as tailored_activation

__all__ = [
    "Largest",
    "LocalMaps",
    "ShapedActivation",
    "Subnetworks",
    "deep_kernel_shaping",
    "leaky_relu_map",
    "local_maps",
    "local_slope",
    "subnet_max_func",
    "tailored_activation",
]
