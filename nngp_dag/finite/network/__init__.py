"""Finite networks of any DAG (Flax NNX): one module, ensembles of it as one program, and its empirical kernels."""

from __future__ import annotations

from nngp_dag.finite.network.empirical import empirical_kernel as empirical_kernel
from nngp_dag.finite.network.ensemble import Ensemble as Ensemble
from nngp_dag.finite.network.ensemble import Member as Member
from nngp_dag.finite.network.ensemble import check_seeds as check_seeds
from nngp_dag.finite.network.ensemble import drawing_program as drawing_program
from nngp_dag.finite.network.ensemble import initialize as initialize
from nngp_dag.finite.network.ensemble import member_sharding as member_sharding
from nngp_dag.finite.network.ensemble import rebuild as rebuild
from nngp_dag.finite.network.module import DagNetwork as DagNetwork
from nngp_dag.finite.network.spec import NetworkSpec as NetworkSpec
from nngp_dag.finite.network.wiring import full_support as full_support
from nngp_dag.finite.network.wiring import wiring_matrix as wiring_matrix

__all__ = [
    "DagNetwork",
    "Ensemble",
    "Member",
    "NetworkSpec",
    "check_seeds",
    "drawing_program",
    "empirical_kernel",
    "full_support",
    "initialize",
    "member_sharding",
    "rebuild",
    "wiring_matrix",
]
