"""`verify --recheck FILE`: certificates proved again, and of a report also that its verdicts follow from them.

Of a certificate, or a list of them, each is evaluated anew (`nngp_dag.proofs.recheck`). Of a report.json, moreover:
each reading that claims a proof names certificates that are there, state what the claim needs
(`verify.framework.needs`) and are proved; and each verdict is the one that the readings and controls amount to. The
claims are this installation's; of a claim that it does not know, which certificates it needs cannot be said, and the
report does not pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

from nngp_dag.errors import InputError
from nngp_dag.proofs.recheck import Recheck, recheck, recheck_all
from nngp_dag.support.strict_json import load_json
from verify.framework.claim import Claim, discover
from verify.framework.needs import lacking
from verify.framework.proof import INTERVALS, find_page, page_of
from verify.framework.verdict import Verdict, verdict_of

if TYPE_CHECKING:
    from verify.framework.record import FindingRecord

__all__ = ["RecheckedClaim", "RecheckedReport", "recheck_report"]


class RecheckedClaim(TypedDict):
    """A claim of a report: its verdict, the one that follows from its readings, and what is wrong with it."""

    id: str
    verdict: str
    follows: str
    certificates: int
    problems: list[str]


class RecheckedReport(TypedDict):
    """The outcome: proved where every certificate is, and no claim has a problem; without a report no `claims`."""

    proved: bool
    items: list[Recheck]
    claims: list[RecheckedClaim]


def recheck_report(path: Path) -> RecheckedReport:
    """Check a certificate, a list of certificates, or a report.json again.

    Raises:
        InputError: a file that cannot be read, is not JSON, or is neither certificate nor report, in one line.
    """
    content = load_json(path)
    try:
        if not isinstance(content, dict) or "claims" not in content:
            items = recheck_all(content)
            return {"proved": all(item["proved"] for item in items), "items": items, "claims": []}
        claims = content["claims"]
        if not isinstance(claims, list) or not claims:
            raise InputError("a report without claims")
        known = discover()
        checked = [_recheck_claim(entry, known) for entry in claims]
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    items = [item for _, of_claim in checked for item in of_claim]
    problems = any(claim["problems"] for claim, _ in checked)
    proved = not problems and all(item["proved"] for item in items)
    return {"proved": proved, "items": items, "claims": [claim for claim, _ in checked]}


def _recheck_claim(entry: object, known: Mapping[str, Claim]) -> tuple[RecheckedClaim, list[Recheck]]:
    name, verdict, evidence, crashed = _entry(entry)
    readings, certificates = _readings(name, evidence), _certificates(name, evidence)
    controls = _controls(name, evidence)
    items = [_recheck_one(name, certificate) for certificate in certificates]
    follows = Verdict.CRASHED if crashed else verdict_of([(r["holds"], bool(r["proof"])) for r in readings], controls)
    problems = [f"certificate {item['id']}: {item['reason']}" for item in items if not item["proved"]]
    if verdict != follows:
        problems.append(f"verdict {verdict} does not follow from its readings and controls, which amount to {follows}")
    if certificates or any(reading["certificates"] for reading in readings):
        if name not in known:
            problems.append("an unknown claim: which certificates it needs cannot be said")
        needs = known[name].needs if name in known else None
        named = [{**certificate, "id": item["id"]} for certificate, item in zip(certificates, items, strict=True)]
        try:
            problems += lacking(readings, named, needs)
        except (LookupError, StopIteration) as error:  # a claim asked about readings that it does not make
            problems.append(f"its readings are not those of the claim ({type(error).__name__}: {error})")
    problems += _unproved(readings, bool(certificates), known[name].path if name in known else "")
    claim: RecheckedClaim = {
        "id": name,
        "verdict": verdict,
        "follows": str(follows),
        "certificates": len(items),
        "problems": problems,
    }
    return claim, items


def _unproved(readings: Sequence[FindingRecord], certificates: bool, file: str) -> list[str]:
    """Readings whose words name a proof that is none, or is not here."""
    problems = []
    for reading in readings:
        words = reading["proof"]
        if words == INTERVALS:
            if not certificates:
                problems.append(f"{reading['name']}: interval arithmetic without a certificate")
        elif words and not (page_of(words) and find_page(page_of(words), file)):
            problems.append(f"{reading['name']}: {words[:60]!r} is no proof that is known here")
    return problems


def _recheck_one(name: str, certificate: object) -> Recheck:
    try:
        return recheck(certificate)
    except InputError as error:
        raise InputError(f"claim {name}: {error}") from None


def _entry(entry: object) -> tuple[str, str, Mapping[str, object], bool]:
    """Identifier, verdict, evidence, and whether it crashed."""
    if not isinstance(entry, dict):
        raise InputError(f"a claim is an object, not {type(entry).__name__}")
    name, verdict, evidence = entry.get("id"), entry.get("verdict"), entry.get("evidence")
    if not isinstance(name, str):
        raise InputError("a claim without an id")
    if not isinstance(verdict, str) or not isinstance(evidence, dict):
        raise InputError(f"claim {name[:60]} has no verdict and evidence")
    return name, verdict, evidence, entry.get("error") is not None


def _readings(name: str, evidence: Mapping[str, object]) -> list[FindingRecord]:
    found = _objects(name, evidence, "readings")
    for reading in found:
        texts = all(isinstance(reading.get(key), str) for key in ("name", "proof"))
        ids = reading.get("certificates")
        listed = isinstance(ids, list) and all(isinstance(item, str) for item in ids)
        settings = all(
            isinstance(reading.get(key), str | None) for key in ("order", "embedding", "method", "activation")
        )
        if not texts or not listed or not settings or not isinstance(reading.get("holds", ...), bool | None):
            raise InputError(f"claim {name[:60]}: a reading has holds, name, proof and certificates")
        if not isinstance(reading.setdefault("label", ""), str):
            raise InputError(f"claim {name[:60]}: the label of a reading is text")
        for key in ("order", "embedding", "method", "activation"):
            reading.setdefault(key, None)
    return cast("list[FindingRecord]", found)


def _certificates(name: str, evidence: Mapping[str, object]) -> list[dict[str, object]]:
    return _objects(name, evidence, "certificates")


def _controls(name: str, evidence: Mapping[str, object]) -> bool:
    """True where every control passed."""
    found = _objects(name, evidence, "controls")
    if not all(isinstance(control.get("passed"), bool) for control in found):
        raise InputError(f"claim {name[:60]}: a control has passed")
    return all(control["passed"] for control in found)


def _objects(name: str, evidence: Mapping[str, object], key: str) -> list[dict[str, object]]:
    found = evidence.get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InputError(f"claim {name[:60]}: its evidence has no list of {key}")
    return cast("list[dict[str, object]]", found)
