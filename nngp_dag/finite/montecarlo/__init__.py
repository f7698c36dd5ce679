"""Monte Carlo over finite networks: empirical kernels with their errors, and which method they support."""

from __future__ import annotations

from nngp_dag.finite.montecarlo.comparison import Agreement as Agreement
from nngp_dag.finite.montecarlo.comparison import Unavailable as Unavailable
from nngp_dag.finite.montecarlo.comparison import agreement as agreement
from nngp_dag.finite.montecarlo.comparison import compare_methods as compare_methods
from nngp_dag.finite.montecarlo.estimate import KernelEstimate as KernelEstimate
from nngp_dag.finite.montecarlo.estimate import MonteCarloEstimate as MonteCarloEstimate
from nngp_dag.finite.montecarlo.estimate import monte_carlo as monte_carlo
from nngp_dag.finite.montecarlo.rate import WidthRate as WidthRate
from nngp_dag.finite.montecarlo.rate import width_rate as width_rate

__all__ = [
    "Agreement",
    "KernelEstimate",
    "MonteCarloEstimate",
    "Unavailable",
    "WidthRate",
    "agreement",
    "compare_methods",
    "monte_carlo",
    "width_rate",
]
