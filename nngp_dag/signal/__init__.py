"""Signal propagation: how variances and correlations travel through a DAG, and activations shaped for it.

`SignalMaps` are the maps of a network and of its nodes, `fixed_point` says where a stack of such cells ends up and over
how many, `order_chaos_plane` does so over weight and bias scales.
`Subnetworks` are those that Deep Kernel Shaping and Tailored Activation Transformations take their maxima over;
`deep_kernel_shaping` and `tailored_activation` give activations that keep what these papers ask for.
"""

from nngp_dag.signal.fixed_points import FixedPoint as FixedPoint
from nngp_dag.signal.fixed_points import fixed_point as fixed_point
from nngp_dag.signal.kernel_shaping import deep_kernel_shaping as deep_kernel_shaping
from nngp_dag.signal.kernel_shaping import local_slope as local_slope
from nngp_dag.signal.local_maps import LocalMaps as LocalMaps
from nngp_dag.signal.local_maps import local_maps as local_maps
from nngp_dag.signal.maps import NodeSignal as NodeSignal
from nngp_dag.signal.maps import SignalMaps as SignalMaps
from nngp_dag.signal.plane import OrderChaosPlane as OrderChaosPlane
from nngp_dag.signal.plane import order_chaos_plane as order_chaos_plane
from nngp_dag.signal.shaping import ShapedActivation as ShapedActivation
from nngp_dag.signal.subnetworks import Largest as Largest
from nngp_dag.signal.subnetworks import Subnetworks as Subnetworks
from nngp_dag.signal.subnetworks import subnet_max_func as subnet_max_func
from nngp_dag.signal.tailored import leaky_relu_map as leaky_relu_map
from nngp_dag.signal.tailored import tailored_activation as tailored_activation

__all__ = [
    "FixedPoint",
    "Largest",
    "LocalMaps",
    "NodeSignal",
    "OrderChaosPlane",
    "ShapedActivation",
    "SignalMaps",
    "Subnetworks",
    "deep_kernel_shaping",
    "fixed_point",
    "leaky_relu_map",
    "local_maps",
    "local_slope",
    "order_chaos_plane",
    "subnet_max_func",
    "tailored_activation",
]
