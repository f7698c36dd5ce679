"""The claims of papers, one file per claim, over a small framework: `python -m verify`.

A claim file needs five names: `claim` (decorator), `Context` (what it gets), `Evidence`, `Finding` and `Control` (what
it returns); `Proof` where it proves, `KeyValue`, `Table`, `Lines` and the other plots where it shows them, and `Paper`
where another paper than those of `verify.papers` states it.
"""

from verify.framework.claim import Claim as Claim
from verify.framework.claim import claim as claim
from verify.framework.context import Context as Context
from verify.framework.control import Control as Control
from verify.framework.errors import EvidenceError as EvidenceError
from verify.framework.errors import Undecided as Undecided
from verify.framework.evidence import Evidence as Evidence
from verify.framework.evidence import KeyValue as KeyValue
from verify.framework.finding import Finding as Finding
from verify.framework.finding import examples as examples
from verify.framework.paper import Paper as Paper
from verify.framework.plots import Captioned as Captioned
from verify.framework.plots import Dags as Dags
from verify.framework.plots import Lines as Lines
from verify.framework.plots import Matrix as Matrix
from verify.framework.plots import Plot as Plot
from verify.framework.plots import Points as Points
from verify.framework.plots import Series as Series
from verify.framework.proof import Proof as Proof
from verify.framework.table import Table as Table
from verify.framework.verdict import Verdict as Verdict

__all__ = [
    "Captioned",
    "Claim",
    "Context",
    "Control",
    "Dags",
    "Evidence",
    "EvidenceError",
    "Finding",
    "KeyValue",
    "Lines",
    "Matrix",
    "Paper",
    "Plot",
    "Points",
    "Proof",
    "Series",
    "Table",
    "Undecided",
    "Verdict",
    "claim",
    "examples",
]
