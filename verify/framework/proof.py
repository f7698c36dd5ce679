"""Proofs that a finding names: certificates of interval arithmetic, or a written proof.

Words alone prove nothing. A proof by certificates names them by their ids (digests of what they state), and the
evidence has to hold each; a written proof is a page, `verify/proofs/NAME.md` or NAME.md beside a claim's own file, and
stands beside an exhaustive check with at least one case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from verify.framework.errors import EvidenceError

__all__ = ["INTERVALS", "PAGES", "Proof", "find_page", "page_of"]

INTERVALS = "interval arithmetic"
_WRITTEN = "written proof: "

PAGES = Path(__file__).resolve().parent.parent / "proofs"
"""The folder of this project's written proofs, which docs/theory.md includes."""

_NAME = re.compile(r"[a-z0-9]+([.\-_][a-z0-9]+)*")


@dataclass(frozen=True)
class Proof:
    """A proof of a finding: by `certificates` (their ids), or by the written proof `page` (its name).

    Raises:
        EvidenceError: neither, both, or names that are none.
    """

    certificates: tuple[str, ...] = ()
    page: str = ""

    def __post_init__(self) -> None:
        if bool(self.certificates) == bool(self.page):
            raise EvidenceError("a proof names certificates or a written proof: one of them")
        if self.page and not _NAME.fullmatch(self.page):
            raise EvidenceError(f"a written proof is the name of a page, got {self.page[:60]!r}")

    @classmethod
    def by_certificates(cls, *certificates: Mapping[str, object]) -> Proof:
        """By these certificates (`nngp_dag.proofs.to_certificate`), which the evidence has to hold.

        Raises:
            EvidenceError: none, one without an id, or one that is not proved.
        """
        ids = []
        for certificate in certificates:
            name = certificate.get("id")
            if not isinstance(name, str) or not certificate.get("proved"):
                raise EvidenceError("a certificate that proves has an id and is proved")
            ids.append(name)
        return cls(tuple(dict.fromkeys(ids)))

    @classmethod
    def written(cls, page: str) -> Proof:
        """By a written proof, beside the cases of the finding, which check it exhaustively."""
        return cls(page=page)

    @property
    def words(self) -> str:
        """The proof in a few words."""
        return f"{_WRITTEN}{self.page}" if self.page else INTERVALS


def page_of(words: str) -> str:
    """The page that `Proof.words` name; empty where they name none."""
    return words.removeprefix(_WRITTEN) if words.startswith(_WRITTEN) else ""


def find_page(page: str, claim_file: str) -> Path | None:
    """The file of a written proof: of this project, or beside the file of a claim; None where there is none."""
    candidates = [PAGES / f"{page}.md"]
    if claim_file:
        candidates.append(Path(claim_file).resolve().parent / f"{page}.md")
    return next((path for path in candidates if path.is_file() and path.stat().st_size), None)
