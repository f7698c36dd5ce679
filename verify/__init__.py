"""The claims of the paper, one file a claim, over a small framework: `python -m verify`.

A claim file needs four names: `claim` (decorator), `Context` (what it gets), `Evidence` and `Reading` (what it
returns).
"""

from verify.framework.claim import Claim as Claim
from verify.framework.claim import claim as claim
from verify.framework.context import Context as Context
from verify.framework.evidence import Evidence as Evidence
from verify.framework.evidence import KeyFigure as KeyFigure
from verify.framework.evidence import Reading as Reading
from verify.framework.evidence import Undecided as Undecided
from verify.framework.verdict import Verdict as Verdict

__all__ = ["Claim", "Context", "Evidence", "KeyFigure", "Reading", "Undecided", "Verdict", "claim"]
