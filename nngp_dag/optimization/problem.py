"""The problem on which graphs are judged: rows, targets, the reading of a DAG as a network, and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.reading import PAIR_METHODS, Setting
from nngp_dag.support.digest import digest

__all__ = ["Problem"]


@dataclass(frozen=True, eq=False)
class Problem:
    """The data and the reading that criteria are functions of.

    Attributes:
        x: rows, float64 [N, d]; N of 2 or more.
        targets: [N, C], one-hot labels for instance; None where there are none.
        setting: exact (the default), independent or path-sum, and a reading.
        steps: of full-batch gradient descent on the mean squared error, for a predicted training loss.
        learning_rate: for the loss averaged over rows; None for half the largest stable one of each DAG, N /
            lambda_max.

    Raises:
        InputError: neural-tangents, too few rows, targets of another length, no step, or a learning rate that is not
            positive.
    """

    x: np.ndarray
    targets: np.ndarray | None = None
    setting: Setting = field(default_factory=Setting)
    steps: int = 100
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        if self.setting.method not in PAIR_METHODS:
            raise InputError(f"graphs are compared by {', '.join(PAIR_METHODS)}, got {self.setting.method}")
        if self.x.ndim != 2 or len(self.x) < 2:
            raise InputError(f"graphs are compared on two rows or more, got an array of shape {self.x.shape}")
        if self.targets is not None and (self.targets.ndim != 2 or len(self.targets) != len(self.x)):
            raise InputError(f"targets of {len(self.x)} rows have shape [{len(self.x)}, C], got {self.targets.shape}")
        if self.steps < 1:
            raise InputError(f"a training loss is predicted after one step or more, got {self.steps}")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise InputError(f"the learning rate must be positive, got {self.learning_rate}")

    def labelled(self) -> np.ndarray:
        """The targets; InputError where there are none, or where all are equal."""
        if self.targets is None:
            raise InputError("this criterion needs labels: take digits, mnist, cifar10, or an .npz with x and y")
        if not np.ptp(self.targets, axis=0).any():
            raise InputError(f"this criterion needs rows of two labels or more; the {len(self.x)} rows have one")
        return self.targets

    def digest(self) -> str:
        """A short text that differs where anything differs."""
        arrays = [self.x] if self.targets is None else [self.x, self.targets]
        return digest(*arrays, repr((self.setting.names(), self.steps, self.learning_rate)))[:16]
