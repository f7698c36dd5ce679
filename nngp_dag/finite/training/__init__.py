"""Training of finite networks: all DAGs and seeds as one program, with curves and checkpoints."""

from __future__ import annotations

from nngp_dag.finite.training.checkpoint import CheckpointStore as CheckpointStore
from nngp_dag.finite.training.config import TrainConfig as TrainConfig
from nngp_dag.finite.training.curves import Curves as Curves
from nngp_dag.finite.training.loop import make_data as make_data
from nngp_dag.finite.training.loop import train as train

__all__ = ["CheckpointStore", "Curves", "TrainConfig", "make_data", "train"]
