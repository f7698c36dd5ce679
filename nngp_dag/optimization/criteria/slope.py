r"""The slope of the correlation map at 1, of inputs of unit norm: how much of a small distance the output keeps.

c_H'(1) = chi / q_H, and chi = Theta_HH[gaussian-trained] - Theta_HH[gaussian] at one input (`signal.maps`, whose maps
these are, here for many DAGs in one program). It is a number of the graph alone, and of no data. Under the methods of
the paper it is that of their own kernels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.optimization.criteria.base import Batch, Criterion
from nngp_dag.reading import Setting

__all__ = ["CRITERION"]


def _values(batch: Batch) -> np.ndarray:
    setting, found = batch.problem.setting, []
    for embedding in ("gaussian", "gaussian-trained"):
        reading = replace(setting.reading, embedding=embedding)
        found.append(sweep_kernels(batch.codes, np.ones((1, 1)), setting=Setting(setting.method, reading)))
    fixed, trained = (np.asarray(kernels.ntk)[:, 0, 0] for kernels in found)
    variance = np.asarray(found[0].nngp)[:, 0, 0]
    return np.divide(trained - fixed, variance, out=np.full(len(variance), np.nan), where=variance > 0)


CRITERION = Criterion("slope", "slope of the correlation map at 1", True, _values)
