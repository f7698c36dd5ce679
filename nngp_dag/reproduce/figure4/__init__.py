"""Figure 4 of the paper: early training accuracy of DAG#1-3, measured, scale-matched, and predicted by the NTK."""

from __future__ import annotations

from nngp_dag.reproduce.figure4.crossing import Crossing as Crossing
from nngp_dag.reproduce.figure4.crossing import late_accuracy as late_accuracy
from nngp_dag.reproduce.figure4.crossing import late_crossing as late_crossing
from nngp_dag.reproduce.figure4.experiment import CLAIMED as CLAIMED
from nngp_dag.reproduce.figure4.experiment import Figure4 as Figure4
from nngp_dag.reproduce.figure4.experiment import Panel as Panel
from nngp_dag.reproduce.figure4.experiment import run_figure4 as run_figure4
from nngp_dag.reproduce.figure4.experiment import standardize as standardize
from nngp_dag.reproduce.figure4.order import Difference as Difference
from nngp_dag.reproduce.figure4.order import early_accuracy as early_accuracy
from nngp_dag.reproduce.figure4.order import paired_differences as paired_differences
from nngp_dag.reproduce.figure4.preset import CODES as CODES
from nngp_dag.reproduce.figure4.preset import NAMES as NAMES
from nngp_dag.reproduce.figure4.preset import PRESETS as PRESETS
from nngp_dag.reproduce.figure4.preset import Preset as Preset

__all__ = [
    "CLAIMED",
    "CODES",
    "NAMES",
    "PRESETS",
    "Crossing",
    "Difference",
    "Figure4",
    "Panel",
    "Preset",
    "early_accuracy",
    "late_accuracy",
    "late_crossing",
    "paired_differences",
    "run_figure4",
    "standardize",
]
