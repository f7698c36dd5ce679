"""The options of a run: one value, for the session, its worker processes and the reports."""

from __future__ import annotations

from dataclasses import dataclass

from verify.framework.context import Context

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """The options with which claims are run.

    Attributes:
        directories: folders of further claims.
        profile, seed, data, data_dir: what claims get (`Context`).
        jobs: number of processes.
        compiled: folder in which the processes share compiled programs; None: each compiles its own.
    """

    directories: tuple[str, ...] = ()
    profile: str = "quick"
    seed: int = 0
    data: str = "digits"
    jobs: int = 1
    data_dir: str | None = None
    compiled: str | None = None

    def context(self, claim: str) -> Context:
        """The surroundings of one claim."""
        return Context(claim, self.profile, self.seed, self.data, self.data_dir)
