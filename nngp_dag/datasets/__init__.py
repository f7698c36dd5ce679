"""Data: embedded digits, MNIST and CIFAR-10 from their publishers or a folder, and one's own `.npy` and `.npz` files.

Start with `load("digits:100")`.
"""

from nngp_dag.datasets.dataset import Dataset as Dataset
from nngp_dag.datasets.dataset import unit_rows as unit_rows
from nngp_dag.datasets.load import NAMES as NAMES
from nngp_dag.datasets.load import load as load

__all__ = ["NAMES", "Dataset", "load", "unit_rows"]
