"""A method of one file: exact, but with the means of features dropped. `test_method_registry` registers it."""

from dataclasses import dataclass

from nngp_dag.kernel.propagate import Propagation
from nngp_dag.kernel.recursion import Recursion
from nngp_dag.reading import METHODS, Method

NAME = "exact-without-means"
ENTRY = Method("toy_method:WithoutMeans", needs_gaussian_features=True, assumes_none_of=("means",))


@dataclass(frozen=True)
class WithoutMeans(Propagation):
    """Skip paths weigh alpha^2, as in exact; features are taken to have mean zero."""

    @property
    def recursion(self) -> Recursion:
        return Recursion(self.setting, correlated=True, means=False, with_tangent=self.with_tangent)


def register() -> None:
    METHODS[NAME] = ENTRY
