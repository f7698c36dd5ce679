"""A report checked again: tampered certificates, readings and verdicts are noticed; malformed files are one line."""

import copy
import json

import pytest

from nngp_dag.cli import main
from nngp_dag.errors import InputError
from verify import Control, Evidence, Finding, Proof, claim
from verify.framework.claim import discover, registry
from verify.framework.errors import EvidenceError
from verify.framework.execute import execute
from verify.framework.options import Options
from verify.recheck import recheck_report
from verify.report.document import build_document

OPTIONS = Options()
TRUE = Finding(True, cases=1, tolerance=0.0)
FALSE = Finding(False, cases=1, tolerance=0.0)


@pytest.fixture(scope="module")
def document():
    return json.loads(json.dumps(build_document([_run("order-dag-123")], OPTIONS, 0.0)))


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


def test_the_words_are_made_from_the_data(document, tmp_path):
    tampered = copy.deepcopy(document)
    for certificate in _evidence(tampered)["certificates"]:
        certificate["statement"] = "P = NP"
    found = _rechecked(tampered, tmp_path)
    assert found["proved"] and all(
        "K_ii" in item["statement"] or "lambda" in item["statement"] for item in found["items"]
    )


def _with(readings=(), certificates=(), controls=()):
    evidence = {"readings": list(readings), "certificates": list(certificates), "controls": list(controls)}
    return {"claims": [{"id": "a", "verdict": "holds", "evidence": evidence}]}


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
        _with(readings=[{"name": "a", "proof": "", "certificates": []}]),
        _with(readings=[{"name": "a", "proof": "", "certificates": [], "holds": True, "label": [1]}]),
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


def test_a_certificate_that_does_not_prove_is_noticed_by_the_run(made, document):
    certificate = dict(_certificate(document))
    certificate["cuts"] = ["0", "1"]
    proved = Finding(True, proof=Proof.by_certificates(certificate))
    record = made(Evidence([proved], "s", certificates=[certificate]), "certified")
    assert record["verdict"] == "crashed" and "do not cover the interval" in record["error"]["reason"]
