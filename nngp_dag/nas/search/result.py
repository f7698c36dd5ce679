"""The result of a search, and its cost."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["SearchResult"]


@dataclass(frozen=True, eq=False)
class SearchResult:
    """One run of a search.

    Attributes:
        architecture: what was found, integers [cells, genes].
        candidates: number of candidates that the search without a filter would have evaluated at the same places.
        evaluations: number that were evaluated.
        seconds: time of the search, compilation apart.
        compile_seconds: time of the first call of every compiled function.
        details: values of the search's own.
        passes: whether the architecture passes the filter's box, None without one; `run_search` fills it in. What
            TE-NAS finds need not: its rule looks at one removal at a time.
    """

    architecture: np.ndarray
    candidates: int
    evaluations: int
    seconds: float
    compile_seconds: float
    details: dict[str, float] = field(default_factory=dict)
    passes: bool | None = None

    @property
    def filtered_share(self) -> float:
        """Share of the candidates that were not evaluated."""
        return 1 - self.evaluations / self.candidates if self.candidates else 0.0
