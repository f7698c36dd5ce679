r"""The slope of the correlation map at 1, of inputs of unit norm: how much of a small distance the output keeps.

c_H'(1) = chi / q_H, and chi = Theta_HH[gaussian-trained] - Theta_HH[gaussian] at one input (`signal.maps`, whose maps
these are, here for many DAGs in one program). It is a number of the graph alone, and of no data. Under the methods of
the paper it is that of their own kernels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.optimization.criteria.base import Batch, Criterion
from nngp_dag.optimization.planes import Planes, numbered
from nngp_dag.reading import Setting

__all__ = ["CRITERION"]


def _values(batch: Batch) -> np.ndarray:
    setting, one, found = batch.problem.setting, np.ones((1, 1)), []
    for embedding in ("gaussian", "gaussian-trained"):
        own = Setting(setting.method, replace(setting.reading, embedding=embedding))
        if own.activation.has_rules:
            kernels = sweep_kernels(batch.codes, one, setting=own)
            found.append([np.asarray(kernels.nngp), np.asarray(kernels.ntk)])
        else:
            forms, values = numbered([Dag.from_array(code) for code in batch.codes], own)
            found.append(Planes.of(values, one, own).kernels(forms, ("nngp", "ntk")))
    (variance, fixed), (_, trained) = (tuple(kernel[:, 0, 0] for kernel in kernels) for kernels in found)
    return np.divide(trained - fixed, variance, out=np.full(len(variance), np.nan), where=variance > 0)


CRITERION = Criterion("slope", "slope of the correlation map at 1", True, _values)
