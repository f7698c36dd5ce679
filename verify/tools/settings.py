"""The settings (method, order, embedding, activation) that claims try, and what they are called."""

from __future__ import annotations

from dataclasses import replace

from nngp_dag import activations
from nngp_dag.reading import ActivationLike, Setting

__all__ = ["DATA_SETTINGS", "NNGP_SETTINGS", "key", "path_sum_of", "with_activation"]

NNGP_SETTINGS: tuple[Setting, ...] = (
    Setting.make("independent", "activation-last", "gaussian"),
    Setting.make("exact", "activation-first", "gaussian"),
    Setting.make("exact", "activation-last", "gaussian"),
    Setting.make("exact", "activation-last", "stem"),
)
"""Settings of the NNGP that differ; the paper's own recursion comes first.

The NNGP of *independent* does not depend on the order, and none depends on whether the Gaussian embedding is trained.
"""

DATA_SETTINGS: tuple[Setting, ...] = (
    Setting.make("independent", "activation-last", "gaussian"),
    Setting.make("exact", "activation-first", "gaussian"),
    Setting.make("exact", "activation-first", "gaussian-trained"),
    Setting.make("exact", "activation-last", "gaussian"),
    Setting.make("exact", "activation-last", "gaussian-trained"),
    Setting.make("exact", "activation-last", "stem"),
)
"""Settings in which both kernels of whole data sets are tried: those of the NNGP, and what training the embedding adds
to the NTK.
"""


def key(setting: Setting) -> str:
    """Method, order and embedding in a name of a key value: `exact activation-last gaussian`."""
    return f"{setting.method} {setting.order} {setting.embedding}"


def path_sum_of(setting: Setting, kernel: str = "nngp") -> Setting:
    """The setting of Eq. 12 to compare a setting with; its NNGP does not depend on the order."""
    order = "activation-last" if kernel == "nngp" else setting.order
    return Setting.make("path-sum", order, setting.embedding, setting.activation)


def with_activation(setting: Setting, activation: ActivationLike) -> Setting:
    """The setting with another activation."""
    return replace(setting, reading=replace(setting.reading, activation=activations.get(activation)))
