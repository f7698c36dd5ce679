"""The leave-one-out error of the regressor whose kernel is the NTK (`prediction.leave_one_out`)."""

from __future__ import annotations

import numpy as np

from nngp_dag.optimization.criteria.base import Batch, Criterion
from nngp_dag.prediction import leave_one_out
from nngp_dag.support.blas import one_blas_thread

__all__ = ["CRITERION"]


def _values(batch: Batch) -> np.ndarray:
    with one_blas_thread():
        return leave_one_out(batch.ntk, batch.problem.labelled())


CRITERION = Criterion("loo", "leave-one-out error of the NTK regressor", False, _values, ("ntk",), needs_labels=True)
