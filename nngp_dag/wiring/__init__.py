"""Wirings: DAGs with weight and bias scales, gains, an activation per edge, and layer norm."""

from nngp_dag.wiring.wiring import NetworkLike as NetworkLike
from nngp_dag.wiring.wiring import Wiring as Wiring
from nngp_dag.wiring.wiring import as_wiring as as_wiring
