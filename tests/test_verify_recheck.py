"""A report checked again: tampered certificates, readings and verdicts are noticed; malformed files are one line."""

import contextlib
import copy
import functools
import json

import pytest

from nngp_dag.cli import main
from nngp_dag.errors import InputError
from verify import Control, Evidence, Finding, KeyValue, Proof, claim
from verify.baseline import baseline_of, compare_with_baseline, save_baseline
from verify.framework.claim import discover, registry
from verify.framework.errors import EvidenceError
from verify.framework.execute import execute
from verify.framework.options import Options
from verify.framework.record import evidence_record
from verify.papers import CONNECTIVITY
from verify.recheck import recheck_report
from verify.report.document import build_document

OPTIONS = Options()
TRUE = Finding(True, cases=1, tolerance=0.0)
FALSE = Finding(False, cases=1, tolerance=0.0)


@pytest.fixture(scope="module")
def document():
    made = build_document([_run("order-dag-123")], OPTIONS, 0.0, selection=["order-dag-123"], papers=[CONNECTIVITY])
    return json.loads(json.dumps(made))


@pytest.fixture(autouse=True)
def recorded(document, tmp_path_factory, monkeypatch):
    """The report is that of the recorded run."""
    file = tmp_path_factory.mktemp("recorded") / "quick.json"
    save_baseline(baseline_of(document), file)
    monkeypatch.setattr("verify.recheck.RECORDED", file)
    return file


def _run(name):
    return execute(discover()[name], OPTIONS.context(name))


def _rechecked(document, tmp_path):
    file = tmp_path / "report.json"
    file.write_text(json.dumps(document))
    return recheck_report(file)


def test_a_report_as_it_was_written_is_confirmed(document, tmp_path, capsys):
    found = _rechecked(document, tmp_path)
    assert found["proved"] and [c["problems"] for c in found["claims"]] == [[]]
    assert found["claims"][0]["follows"] == "certified" and len(found["items"]) == 24
    with pytest.raises(SystemExit) as stop:
        main(["verify", "--recheck", str(tmp_path / "report.json")])
    assert stop.value.code == 0
    assert "order-dag-123: certified, 24 certificates, follows from its readings" in capsys.readouterr().out


def _evidence(document):
    return document["claims"][0]["evidence"]


def _certificate(document):
    return _evidence(document)["certificates"][0]


def _point(document):
    """The interval shrunk to a point, where the same inequality is true as well."""
    _certificate(document).update(interval=["1", "1"], cuts=["1"])


def _other_quantity(document):
    for term in _certificate(document)["terms"]:
        term["quantity"] = "limit"


def _other_method(document):
    for term in _certificate(document)["terms"]:
        term["method"] = "path-sum"


def _other_scale(document):
    for term in _certificate(document)["terms"]:
        term["scale"] = "variance"


def _renamed(change):
    """The change, with an id that fits what the certificate then states, in the reading as well."""

    def tamper(document):
        from nngp_dag.proofs.certificate import certificate_id, read_certificate

        change(document)
        before, certificate = _certificate(document)["id"], _certificate(document)
        certificate["id"] = certificate_id(read_certificate(certificate)[0])
        for reading in _evidence(document)["readings"]:
            reading["certificates"] = [certificate["id"] if n == before else n for n in reading["certificates"]]

    return tamper


def _no_certificates(document):
    _evidence(document)["certificates"] = []


def _no_names(document):
    for reading in _evidence(document)["readings"]:
        reading["certificates"] = []


def _one_less(document):
    del _evidence(document)["certificates"][3]


def _verdict(document):
    document["claims"][0]["verdict"] = "refuted"


def _outcome(document):
    _evidence(document)["readings"][0]["holds"] = False


def _opposite(document):
    """Readings and verdict say the opposite of what the certificates prove."""
    for reading in _evidence(document)["readings"]:
        reading["holds"] = False
    document["claims"][0]["verdict"] = "refuted"


def _undecided(document):
    for reading in _evidence(document)["readings"]:
        reading["holds"] = None
    document["claims"][0]["verdict"] = "inconclusive"


def _label(document):
    _evidence(document)["readings"][0]["label"] = "another"


def _free_text(document):
    _evidence(document)["readings"][0].update(proof="trust me", certificates=[])


def _failed_control(document):
    _evidence(document)["controls"][0]["passed"] = False


def _swapped(document):
    """The certificates of two readings exchanged: each proves, but not what the other needs."""
    first, second = _evidence(document)["readings"][0], _evidence(document)["readings"][2]
    first["certificates"], second["certificates"] = second["certificates"], first["certificates"]


@pytest.mark.parametrize(
    "tamper",
    [
        _point,
        _renamed(_point),
        _other_quantity,
        _renamed(_other_quantity),
        _other_method,
        _renamed(_other_method),
        _other_scale,
        _renamed(_other_scale),
        _no_certificates,
        _no_names,
        _one_less,
        _verdict,
        _outcome,
        _opposite,
        _label,
        _undecided,
        _free_text,
        _failed_control,
        _swapped,
    ],
)
def test_a_tampered_report_is_not_confirmed(tamper, document, tmp_path):
    tampered = copy.deepcopy(document)
    tamper(tampered)
    found = _rechecked(tampered, tmp_path)
    assert not found["proved"] and found["claims"][0]["problems"]


ONLY_A_RUN_CAN_TELL = {
    *("jobs", "started", "seconds", "resumed", "versions", "hardware"),
    *("profile", "seed", "data"),  # another of them, and there is no recorded run to compare with
    *("claims.seed", "claims.seconds"),
    *(f"claims.evidence.{name}" for name in ("summary", "condition", "would_decide", "notes", "plots", "tables")),
    *(f"claims.evidence.{name}" for name in ("inside", "outside", "counterexample", "key_values")),
    *(f"claims.evidence.readings.{name}" for name in ("cases", "tolerance", "worst", "confidence", "detail")),
    "claims.evidence.readings.counterexample",
    *(f"claims.evidence.controls.{name}" for name in ("detail", "worst", "tolerance", "cases")),
    *(f"claims.evidence.certificates.{name}" for name in ("variable", "statement", "proved", "boxes", "open")),
    *(f"claims.evidence.certificates.{name}" for name in ("margin", "seconds")),
}
"""Places that may hold other values of their own type, or words that nothing is made from, in a report that passes."""


def _places(value, path=()):
    """Every place of a document, the first entry standing for a list."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from _places(entry, (*path, key))


def _altered(document, path, value):
    altered = copy.deepcopy(document)
    inner = altered
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = copy.deepcopy(value)
    return altered


def test_whatever_is_altered_in_a_report_is_noticed_or_does_not_matter(document, recorded, monkeypatch):
    small = copy.deepcopy(document)
    evidence = _evidence(small)
    evidence["readings"] = evidence["readings"][:1]
    named = evidence["readings"][0]["certificates"]
    evidence["certificates"] = [certificate for certificate in evidence["certificates"] if certificate["id"] in named]
    evidence.update(plots=[], tables=[], key_values={})
    small.update(versions={}, hardware={})
    save_baseline(baseline_of(small), recorded)
    monkeypatch.setattr("verify.recheck.load_json", lambda path: path)
    assert recheck_report(small)["proved"]
    passed = set()
    deep = functools.reduce(lambda inner, _: [inner], range(200), [])
    for path in _places(small):
        for value in (None, [], {}, 3, "x", True, deep, 10**400, *((...,) if path else ())):
            altered = _altered(small, path, value) if path else value
            if json.dumps(altered) == json.dumps(small):
                continue
            with contextlib.suppress(InputError):
                if recheck_report(altered)["proved"]:
                    passed.add(".".join(key for key in path if isinstance(key, str)))
    absent = {f"claims.evidence.certificates.terms.{name}" for name in ("order", "embedding", "quantity", "scale")}
    assert passed <= ONLY_A_RUN_CAN_TELL | absent | {"baseline", "claims.error"}  # absent is the default, or none


def _consistent(document, verdict):
    """All that counts verdicts made to agree with another verdict."""
    entry = document["claims"][0]
    entry.update(verdict=verdict, as_expected=False)
    unexpected = [{"id": entry["id"], "verdict": verdict, "expected": entry["expected"]}]
    document.update(passed=False, summary={verdict: 1}, unexpected=unexpected)


def _consistently_opposite(document):
    _opposite(document)
    _consistent(document, "refuted")


def _consistently_undecided(document):
    _undecided(document)
    _consistent(document, "inconclusive")


def _stands_twice(document):
    document["claims"] *= 2
    document["summary"] = {"certified": 2}


def _not_passed(document):
    document["passed"] = False


def _another_summary(document):
    document["summary"] = {"refuted": 1}


def _another_statement(document):
    document["claims"][0]["statement"] = "P = NP."


def _another_expected(document):
    document["claims"][0]["expected"] = "holds"


def _not_as_expected(document):
    document["claims"][0]["as_expected"] = False


def _untried(document):
    """A written proof without the cases that check it."""
    for reading in _evidence(document)["readings"]:
        reading.update(proof="written proof: path-counts", certificates=[], cases=0)


def _a_reading_less(document):
    del _evidence(document)["readings"][0]


def _a_reading_twice(document):
    """The number of readings kept."""
    readings = _evidence(document)["readings"]
    readings[0] = readings[1]


def _a_control_less(document):
    del _evidence(document)["controls"][0]


def _a_control_that_failed(document):
    _evidence(document)["controls"][0].update(passed=False, outcome="FALSE, BUT NOT REJECTED")


def _no_control(document):
    _evidence(document)["controls"] = []


def _another_control(document):
    _evidence(document)["controls"][0]["statement"] = "One is two."


def _all_asked_for(document):
    """A part of the claims in the place of all."""
    document["selection"] = None


def _another_asked_for(document):
    document["selection"].append("eq-12")


def _not_asked_for(document):
    document["selection"] = ["eq-12"]


def _passed_in_spite(document):
    differences = ["order-dag-123: verdict certified, was refuted"]
    document["baseline"] = {"file": "b", "passed": True, "differences": differences, "by_claim": {}, "new": []}


AGREEING = [
    _consistently_opposite, _consistently_undecided, _stands_twice, _not_passed, _another_summary, _another_statement,
    _another_expected, _not_as_expected, _untried, _a_reading_less, _a_reading_twice, _a_control_less,
    _a_control_that_failed, _no_control, _another_control, _all_asked_for, _another_asked_for, _not_asked_for,
    _passed_in_spite,
]  # fmt: skip


@pytest.mark.parametrize("tamper", AGREEING)
def test_what_a_report_says_of_itself_is_compared(tamper, document, tmp_path, capsys):
    tampered = copy.deepcopy(document)
    tamper(tampered)
    found = _rechecked(tampered, tmp_path)
    assert not found["proved"] and (found["problems"] or found["claims"][0]["problems"])
    with pytest.raises(SystemExit) as stop:
        main(["verify", "--recheck", str(tmp_path / "report.json")])
    assert stop.value.code == 1 and "NOT CONFIRMED: " in capsys.readouterr().out


def test_claims_that_are_not_like_a_recorded_run_are_named(document, recorded, tmp_path, capsys):
    other = {**copy.deepcopy(document), "seed": 1}
    _a_reading_less(other)
    found = _rechecked(other, tmp_path)
    assert found["proved"] and found["unrecorded"] == ["order-dag-123"]
    with pytest.raises(SystemExit):
        main(["verify", "--recheck", str(tmp_path / "report.json")])
    assert "would not show: order-dag-123" in capsys.readouterr().out
    known = baseline_of(document)
    del known["claims"]["order-dag-123"]["readings"]
    save_baseline(known, recorded)
    assert _rechecked(document, tmp_path)["unrecorded"] == ["order-dag-123"]
    recorded.unlink()
    assert _rechecked(document, tmp_path)["unrecorded"] == ["order-dag-123"]


def test_a_claim_of_this_project_has_a_control_in_every_run(document, tmp_path):
    other = {**copy.deepcopy(document), "seed": 1}
    _no_control(other)
    assert _rechecked(other, tmp_path)["claims"][0]["problems"] == [
        "it has no control, as every claim of this project has"
    ]


def test_a_run_that_lost_a_reading_or_a_control_differs_from_its_baseline(document):
    known, less = baseline_of(document), copy.deepcopy(document)
    assert compare_with_baseline(document, known, "b")["passed"]
    reading = _evidence(less)["readings"].pop()["name"]
    control = _evidence(less)["controls"].pop()["statement"]
    lines = compare_with_baseline(less, known, "b")["by_claim"]["order-dag-123"]
    assert lines == [f"reading {reading!r} is gone", f"control {control!r} is gone"]


def test_the_words_are_made_from_the_data(document, tmp_path):
    tampered = copy.deepcopy(document)
    for certificate in _evidence(tampered)["certificates"]:
        certificate["statement"] = "P = NP"
    found = _rechecked(tampered, tmp_path)
    assert found["proved"] and all(
        "K_ii" in item["statement"] or "lambda" in item["statement"] for item in found["items"]
    )


def _with(readings=(), certificates=(), controls=()):
    empty = evidence_record(Evidence((), "s"))
    evidence = {**empty, "readings": list(readings), "certificates": list(certificates), "controls": list(controls)}
    return {"schema": 1, "claims": [{"id": "a", "verdict": "holds", "evidence": evidence}]}


READING = evidence_record(Evidence([Finding(True)], "s"))["readings"][0]


@pytest.mark.parametrize(
    "content",
    [
        {"claims": []},
        {"claims": {}},
        {"claims": [3]},
        {"claims": [{"id": 3}]},
        {"claims": [{"id": "a", "verdict": "holds"}]},
        {"claims": [{"id": "a", "verdict": "holds", "evidence": {}}]},
        _with(readings=[1]),
        _with(readings=[{}]),
        _with(readings=[{name: READING[name] for name in ("name", "proof", "certificates")}]),
        _with(readings=[{**READING, "label": [1]}]),
        _with(readings=[{**READING, "holds": 1}]),
        {**_with(readings=[READING]), "schema": 2},
        {**_with(readings=[READING]), "schema": True},
        _with(certificates=[{}]),
        _with(controls=[{}]),
        [{"schema": 1, "activation": "relu", "kind": ["strict-inequality"]}],
        [3],
        3,
        "text",
    ],
)  # fmt: skip
def test_a_file_that_is_no_report_is_one_line(content, tmp_path):
    file = tmp_path / "report.json"
    file.write_text(json.dumps(content))
    with pytest.raises(InputError) as error:
        recheck_report(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [[1], {"a": 1}, 3, None, "2_9", "x" * 20_000, ""])
@pytest.mark.parametrize("key", ["code", "quantity", "scale", "method", "coefficient"])
def test_terms_of_other_types_are_one_line(key, value, document, tmp_path):
    tampered = copy.deepcopy(document)
    _certificate(tampered)["terms"][0][key] = value
    with pytest.raises(InputError) as error:
        _rechecked(tampered, tmp_path)
    assert "\n" not in str(error.value)


# ---- what a run itself refuses ---------------------------------------------------------------------------------------


@pytest.fixture
def made(monkeypatch):
    """Registers a claim from its evidence, and runs it."""
    monkeypatch.setattr("verify.framework.claim.registry", dict(registry))

    def run(evidence, expected="holds"):
        @claim("made-up", title="t", source="s", statement="S.", expected=expected)
        def check(context):
            return evidence

        from verify.framework.claim import registry as current

        return execute(current["made-up"], OPTIONS.context("made-up"))

    return run


def test_a_control_that_fails_makes_a_claim_inconclusive(made):
    good, bad = Control.rejects("One is two.", FALSE), Control.rejects("One is two.", TRUE)
    assert made(Evidence([TRUE], "s", controls=[good]))["verdict"] == "holds"
    record = made(Evidence([TRUE], "s", controls=[good, bad]))
    assert record["verdict"] == "inconclusive" and "One is two." in record["evidence"]["would_decide"]
    assert not Control.keeps("One is one.", FALSE).passed and Control.keeps("One is one.", TRUE).passed
    assert not Control.not_proved("One is two.", True).passed


def test_words_are_no_proof(made):
    with pytest.raises(EvidenceError, match="expected a Proof, got str"):
        Finding(True, proof="trust me")
    with pytest.raises(EvidenceError, match="one of them"):
        Proof()
    with pytest.raises(EvidenceError, match="the name of a page"):
        Proof.written("trust me")
    with pytest.raises(EvidenceError, match="has an id and is proved"):
        Proof.by_certificates({"proved": True})
    record = made(Evidence([Finding(True, cases=1, proof=Proof.written("trust-me"))], "s"), "certified")
    assert record["verdict"] == "crashed" and "no written proof trust-me" in record["error"]["reason"]
    record = made(Evidence([Finding(True, proof=Proof.written("path-counts"))], "s"), "certified")
    assert record["verdict"] == "crashed" and "exhaustive check" in record["error"]["reason"]
    record = made(Evidence([Finding(True, proof=Proof(certificates=("0" * 12,)))], "s"), "certified")
    assert record["verdict"] == "crashed" and "lacks certificate 000000000000" in record["error"]["reason"]


def test_a_key_value_is_a_number_that_float64_holds():
    with pytest.raises(EvidenceError, match="beyond float64"):
        KeyValue(10**400)


def test_a_certificate_that_does_not_prove_is_noticed_by_the_run(made, document):
    certificate = dict(_certificate(document))
    certificate["cuts"] = ["0", "1"]
    proved = Finding(True, proof=Proof.by_certificates(certificate))
    record = made(Evidence([proved], "s", certificates=[certificate]), "certified")
    assert record["verdict"] == "crashed" and "do not cover the interval" in record["error"]["reason"]
