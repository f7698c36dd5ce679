"""Infinite-width kernels of convolutional networks: NAS-Bench-201's cells, DARTS genotypes, and any DAG of operations.

`conv_kernel_fn` makes the kernel function of a network; one of your own is a `ConvNetwork` of cells (`ConvCell`).
"""

from nngp_dag.conv.cell import ConvCell as ConvCell
from nngp_dag.conv.darts import darts_network as darts_network
from nngp_dag.conv.functions import conv_kernel_fn as conv_kernel_fn
from nngp_dag.conv.network import ConvNetwork as ConvNetwork
from nngp_dag.conv.operations import Convolution as Convolution
from nngp_dag.conv.operations import Pool as Pool
from nngp_dag.conv.operations import Skip as Skip
