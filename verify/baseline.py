"""Baselines: the verdicts and key values of a recorded run, and the differences of a later run.

A baseline is JSON: {"schema": 1, "profile", "seed", "data", "claims": {id: {"verdict", "key_values": {name:
{"value", "tolerance", "absolute"}}, "readings": [name, ...], "controls": [statement, ...]}}}. A value may move by
`tolerance` (relative) plus `absolute`; a verdict may not change at all; and no reading or control may go: a verdict on
fewer readings is another one. Files without readings and controls say nothing of them.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from nngp_dag.errors import InputError, unknown
from nngp_dag.support.files import write_text
from nngp_dag.support.strict_json import Json, load_json
from verify.framework.record import BaselineClaim, BaselineComparison, BaselineRecord, ClaimRecord, RunRecord

__all__ = [
    "baseline_of",
    "check_comparable",
    "compare_with_baseline",
    "load_baseline",
    "merge_baselines",
    "save_baseline",
]

_SCHEMA = 1


def baseline_of(document: RunRecord) -> BaselineRecord:
    """The baseline of a run.

    Raises:
        InputError: a claim crashed, which no baseline should make the rule.
    """
    crashed = [claim["id"] for claim in document["claims"] if claim["error"] is not None]
    if crashed:
        raise InputError(f"no baseline recorded: {', '.join(crashed)} crashed")
    return {
        "schema": _SCHEMA,
        "profile": document["profile"],
        "seed": document["seed"],
        "data": document["data"],
        "claims": {
            claim["id"]: {
                "verdict": claim["verdict"],
                "key_values": claim["evidence"]["key_values"],
                "readings": [reading["name"] for reading in claim["evidence"]["readings"]],
                "controls": [control["statement"] for control in claim["evidence"]["controls"]],
            }
            for claim in document["claims"]
        },
    }


def merge_baselines(known: BaselineRecord, new: BaselineRecord) -> BaselineRecord:
    """A recorded baseline with the claims of a new one in the place of its own; the others stay as they are.

    Raises:
        InputError: the two are not of one profile, seed and data.
    """
    check_comparable(known, "that is recorded", new)
    return {**known, "claims": {**known["claims"], **new["claims"]}}


def save_baseline(baseline: BaselineRecord, path: Path) -> None:
    """Write a baseline file."""
    write_text(path, json.dumps(baseline, indent=1, allow_nan=False) + "\n")


def load_baseline(path: Path) -> BaselineRecord:
    """Read a baseline file, or `builtin:NAME`, one that comes with this package.

    Raises:
        InputError: a file that cannot be read, or is no baseline, or no such name.
    """
    baseline = load_json(_place(path))
    _rename_figures(baseline)
    claims = baseline.get("claims") if isinstance(baseline, dict) and _is_schema(baseline) else None
    if not isinstance(claims, dict) or not all(_is_claim(claim) for claim in claims.values()):
        raise InputError(f"{path} is no baseline of schema {_SCHEMA}: record one with --update-baseline")
    return cast(BaselineRecord, baseline)


def _place(path: Path) -> Path:
    """The file of a baseline that was named."""
    kind, _, name = str(path).partition(":")
    if kind != "builtin":
        return path
    found = {file.stem: file for file in (Path(__file__).parent / "baselines").glob("*.json")}
    if name not in found:
        raise unknown("baseline", name, found, "of nngp-dag")
    return found[name]


def _rename_figures(baseline: Json) -> None:
    """Earlier baselines call key values figures."""
    claims = baseline.get("claims") if isinstance(baseline, dict) else None
    for claim in claims.values() if isinstance(claims, dict) else ():
        if isinstance(claim, dict) and "figures" in claim:
            claim.setdefault("key_values", claim.pop("figures"))


def _is_claim(claim: Json) -> bool:
    """True for {"verdict": text, "key_values": {name: {"value", "tolerance", "absolute"}}}, with lists of texts as
    readings and controls, or without.
    """
    if not isinstance(claim, dict) or not isinstance(claim.get("verdict"), str):
        return False
    for names in (claim.get("readings", []), claim.get("controls", [])):
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return False
    values = claim.get("key_values")
    return isinstance(values, dict) and all(
        isinstance(value, dict)
        and {"value", "tolerance", "absolute"} <= value.keys()
        and (value["value"] is None or _is_number(value["value"]))
        and _is_number(value["tolerance"])
        and _is_number(value["absolute"])
        for value in values.values()
    )


def _is_schema(baseline: dict[str, Json]) -> bool:
    """True where the schema is this one; its seed, too, is an integer, and not the truth value that equals one."""
    return type(baseline.get("seed")) is int and type(baseline.get("schema")) is int and baseline["schema"] == _SCHEMA


def _is_number(value: Json) -> bool:
    """True for numbers that float64 holds."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def check_comparable(baseline: BaselineRecord, path: str, run: Mapping[str, object]) -> None:
    """Refuse (InputError) a baseline of another profile, seed or data than those of a run.

    Args:
        baseline: content of a baseline file.
        path: its name, for the message.
        run: has the keys `profile`, `seed` and `data`.
    """
    for key in ("profile", "seed", "data"):
        recorded, now = dict(baseline).get(key), run[key]
        if recorded != now:
            raise InputError(f"baseline {path} is of {key} {recorded}, this run of {now}: they cannot be compared")


def compare_with_baseline(
    document: RunRecord, baseline: BaselineRecord, path: str, partial: bool = False
) -> BaselineComparison:
    """The differences of a run from a baseline.

    Args:
        document: content of report.json.
        baseline: content of a baseline file.
        path: its name, for messages.
        partial: only some claims were asked for, so that the others' absence is no difference.

    Returns:
        {"file", "passed", "differences": [line, ...], "by_claim": {id: [line, ...]}, "new": ids the baseline does not
        know}.

    Raises:
        InputError: the baseline was recorded with another profile, seed or data.
    """
    check_comparable(baseline, path, document)
    claims = {claim["id"]: claim for claim in document["claims"]}
    by_claim = {}
    for identifier, known in baseline["claims"].items():
        if identifier in claims:
            lines = _differences(claims[identifier], known)
        else:
            lines = [] if partial else [f"missing from this run, was {known['verdict']}"]
        if lines:
            by_claim[identifier] = lines
    differences = [f"{identifier}: {line}" for identifier, lines in by_claim.items() for line in lines]
    return {
        "file": path,
        "passed": not differences,
        "differences": differences,
        "by_claim": by_claim,
        "new": [
            identifier
            for identifier, claim in claims.items()
            if identifier not in baseline["claims"] and claim["expected"] is not None
        ],
    }


def _differences(claim: ClaimRecord, known: BaselineClaim) -> list[str]:
    lines = []
    if claim["verdict"] != known["verdict"]:
        lines.append(f"verdict {claim['verdict']}, was {known['verdict']}")
    if claim["error"] is not None:
        return lines
    evidence = claim["evidence"]
    lines += _gone("reading", known.get("readings", []), [reading["name"] for reading in evidence["readings"]])
    lines += _gone("control", known.get("controls", []), [control["statement"] for control in evidence["controls"]])
    values = evidence["key_values"]
    for name, was in known["key_values"].items():
        if name not in values:
            lines.append(f"key value {name!r} is gone, was {was['value']}")
            continue
        value, before = values[name]["value"], was["value"]
        if value is None or before is None:
            if value is not before:
                lines.append(f"key value {name!r} is {value}, was {before}")
            continue
        allowed = was["tolerance"] * abs(before) + was["absolute"]
        if not abs(value - before) <= allowed:
            lines.append(
                f"key value {name!r} is {value:.9g}, was {before:.9g} (moved by {abs(value - before):.2g}, allowed"
                f" {allowed:.2g})"
            )
    return lines


def _gone(kind: str, known: Sequence[str], now: Sequence[str]) -> list[str]:
    """A line per name that now stands fewer times than in the baseline."""
    return [f"{kind} {name!r} is gone" for name in Counter(known) - Counter(now)]
