"""Verdicts, evidence and the registry: what follows from findings, and what a claim must show."""

import math

import numpy as np
import pytest

from nngp_dag.errors import InputError
from nngp_dag.reading import Setting
from verify import Context, Control, Evidence, Finding, KeyValue, Proof, claim
from verify.framework.claim import discover, registry, select
from verify.framework.errors import EvidenceError, Undecided
from verify.framework.execute import execute
from verify.framework.finding import CLEARLY_FALSE
from verify.framework.verdict import overall_verdict

TRUE = Finding(True, cases=1, tolerance=0.0)
FALSE = Finding(False, cases=1, tolerance=0.0)
OPEN = Finding(None)
PROVED = Finding(True, proof=Proof(certificates=("0123456789ab",)))


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([PROVED, PROVED], "certified"),
        ([PROVED, TRUE], "holds"),
        ([TRUE], "holds"),
        ([TRUE, FALSE], "holds-conditionally"),
        ([TRUE, FALSE, OPEN], "holds-conditionally"),
        ([FALSE, FALSE], "refuted"),
        ([TRUE, OPEN], "inconclusive"),
        ([FALSE, OPEN], "inconclusive"),
        ([OPEN], "inconclusive"),
        ([], "inconclusive"),
    ],
)
def test_the_verdict_follows_from_the_findings(findings, verdict):
    assert overall_verdict(findings) == verdict


@pytest.mark.parametrize("findings", [[TRUE], [FALSE], [TRUE, FALSE], [OPEN], []])
def test_a_failed_control_leaves_every_verdict_open(findings):
    assert overall_verdict(findings, controls=False) == "inconclusive"


def test_a_control_passes_only_where_it_is_decided():
    assert [Control.rejects("One is two.", finding).passed for finding in (TRUE, FALSE, OPEN)] == [False, True, False]
    assert [Control.keeps("One is one.", finding).passed for finding in (TRUE, FALSE, OPEN)] == [True, False, False]


@pytest.mark.parametrize(
    ("error", "holds"),
    [
        (0.0, True),
        (1e-9, True),
        (2e-9, None),
        (CLEARLY_FALSE * 1e-9, None),
        (1.01 * CLEARLY_FALSE * 1e-9, False),
        (math.nan, None),
        (math.inf, None),
    ],
)
def test_an_identity_is_false_only_far_beyond_its_tolerance(error, holds):
    assert Finding.agreement(error, tolerance=1e-9, cases=3).holds is holds


@pytest.mark.parametrize(
    ("margin", "strict", "holds"),
    [
        (2e-9, True, True),
        (0.0, True, None),
        (-2e-9, True, False),
        (0.0, False, True),
        (-1e-9, False, True),
        (-2e-9, False, None),
        (-2e-6, False, False),
        (math.nan, True, None),
    ],
)
def test_inequalities(margin, strict, holds):
    assert Finding.inequality(margin, tolerance=1e-9, cases=3, strict=strict).holds is holds


def test_a_proof_counts_only_where_the_numbers_agree():
    written = Proof.written("path-counts")
    assert Finding.inequality(1.0, tolerance=1e-9, cases=1, proof=written).proof == written
    assert Finding.inequality(-1.0, tolerance=1e-9, cases=1, proof=written).proof is None


def test_a_finding_takes_a_setting_whole_and_names_it():
    setting = Setting.make("independent", "activation-first", "stem", "erf")
    names = {"order": "activation-first", "embedding": "stem", "activation": "erf"}
    whole = Finding(True, setting=setting, label="a")
    assert {name: getattr(whole, name) for name in names} == names and whole.method == "independent"
    assert whole.name() == Finding(True, **names, method="independent", label="a").name()
    of_reading = Finding(True, setting=setting.reading, method="networks")
    assert of_reading.name() == "activation-first, stem, networks, erf"
    for twice in ({"setting": setting, "order": "activation-last"}, {"setting": setting, "method": "exact"}):
        with pytest.raises(EvidenceError, match="a setting, or names, not both"):
            Finding(True, **twice)
    with pytest.raises(EvidenceError, match="setting: expected Setting or Reading, got tuple"):
        Finding(True, setting=("exact", "activation-last", "gaussian"))


@pytest.mark.parametrize(
    ("evidence", "lacking"),
    [
        (Evidence([Finding(True, tolerance=1.0)], "s"), "number of cases"),
        (Evidence([Finding(True, cases=1)], "s"), "tolerance or a confidence level"),
        (Evidence([TRUE, FALSE], "s", condition="c", inside={"a": 1}), "outside"),
        (Evidence([FALSE], "s", condition="c"), "counterexample"),
        (Evidence([FALSE], "s", condition="c", counterexample={"code": "2"}), "margin and confirmation"),
        (Evidence([OPEN], "s"), "would_decide"),
    ],
)
def test_evidence_lacking_what_its_verdict_needs_is_an_error(evidence, lacking):
    with pytest.raises(EvidenceError, match=lacking):
        evidence.verdict()


def test_complete_evidence():
    conditional = Evidence([TRUE, FALSE], "s", condition="c", inside={"a": 1}, outside={"a": 2})
    refuted = Evidence([FALSE], "s", condition="c", counterexample={"margin": 1.0, "confirmed": "by hand"})
    assert conditional.verdict() == "holds-conditionally"
    assert refuted.verdict() == "refuted"


def _registered(check, expected="holds"):
    claim("of-a-test", title="t", source="s", statement="w", expected=expected)(check)
    return registry.pop("of-a-test")


def test_a_claim_that_is_undecided_is_inconclusive_and_says_why():
    def check(context):
        raise Undecided("the classes do not separate")

    record = execute(_registered(check), Context("of-a-test"))
    assert (record["verdict"], record["error"]) == ("inconclusive", None)
    assert record["evidence"]["summary"] == "the classes do not separate"


def test_undefined_numbers_of_a_record_are_null():
    values = {"gone": KeyValue(math.nan)}
    record = execute(
        _registered(
            lambda context: Evidence([Finding(None, worst=math.inf)], "s", would_decide="x", key_values=values)
        ),
        Context("of-a-test"),
    )
    assert record["evidence"]["readings"][0]["worst"] is None
    assert record["evidence"]["key_values"]["gone"]["value"] is None


@pytest.mark.parametrize(("name", "expected"), [("Not Good", "holds"), ("fine", "crashed"), ("fine", "maybe")])
def test_malformed_claims_are_refused(name, expected):
    with pytest.raises(InputError):
        claim(name, title="t", source="s", statement="w", expected=expected)


def test_selecting():
    claims = discover()
    assert [c.id for c in select(claims, "eq-12, dag-1,eq-12")] == ["eq-12", "dag-1"]
    assert select(claims, None) == list(claims.values())
    for bad in ("nope", "", " , "):
        with pytest.raises(InputError, match="accepted are"):
            select(claims, bad)


def test_every_claim_of_the_paper_is_there():
    named = {
        "lemma-3.1", "lemma-3.2", "remark-3.3", "lemma-3.3", "dag-1", "dag-2", "dag-3", "order-dag-123", "eq-12",
        "theorem-3.1", "ntk-dominates-nngp", "section-4-ranking", "figure-4", "figure-5",
    }  # fmt: skip
    claims = discover()
    assert named <= claims.keys()
    for item in claims.values():
        assert item.statement.endswith(".") and item.source and item.settings, item.id


def test_a_context_has_a_seed_of_its_own_and_data_without_parallel_rows():
    a, b = Context("one"), Context("two")
    assert a.rng().random() == a.rng().random() != b.rng().random()
    assert Context("one", seed=1).rng().random() != a.rng().random()
    assert (a.pick(quick=1, full=2), Context("one", "full").pick(quick=1, full=2)) == (1, 2)
    rows = a.rows(20)
    off_diagonal = np.abs(rows @ rows.T)[~np.eye(20, dtype=bool)]
    assert rows.shape == (20, 64) and off_diagonal.max() < 1 - 1e-9
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-14)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("title", None, "title must be text, got None"),
        ("source", 3, "source must be text, got 3"),
        ("statement", ["a", "b"], r"statement must be text, got \['a', 'b'\]"),
        ("latex", b"x", "latex must be text"),
        ("settings", ["relu"], r"settings must be texts by name, got \['relu'\]"),
        ("settings", {"orders": 2}, "settings must be texts by name, got 'orders': 2"),
        ("expected", None, "expected verdict None is none of"),
        ("duration", "5", "duration must be a positive number of seconds, got '5'"),
        ("timeout", float("nan"), "timeout must be a positive number of seconds, got nan"),
        ("timeout", 0, "timeout must be a positive number of seconds, got 0"),
    ],
)
def test_a_claim_with_a_field_of_another_type_is_refused_by_name(field, value, message):
    fields = {"title": "t", "source": "s", "statement": "s", "expected": "holds", field: value}
    with pytest.raises(InputError, match=f"claim of-a-test: {message}") as refused:
        claim("of-a-test", **fields)
    assert "\n" not in str(refused.value)
    assert "of-a-test" not in registry


def test_a_claim_is_checked_by_a_function():
    with pytest.raises(InputError, match="claim of-a-test: a function is needed"):
        claim("of-a-test", title="t", source="s", statement="s", expected="holds")(print)
    with pytest.raises(InputError, match="claim identifier 3"):
        claim(3, title="t", source="s", statement="s", expected="holds")
