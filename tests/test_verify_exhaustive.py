"""Statements tried on complete spaces: wrong conditions are found, certificates of something else refused."""

from fractions import Fraction

import numpy as np
import pytest

from nngp_dag.proofs import Inequality
from verify import Undecided
from verify.claims.off_diagonal_rule import _needs as needs_of_the_rule
from verify.tools.exhaustive import VIOLATIONS, Statement, identity_violations, try_on_spaces
from verify.tools.exhaustive_controls import classes_left_out, found_false, true_of_every_dag
from verify.tools.proofs import term
from verify.tools.settings import NNGP_SETTINGS, path_sum_of
from verify.tools.spaces import complete_space

FIRST = NNGP_SETTINGS[1]
SPACE = complete_space(3)


def _misses(code, setting):
    return [[term(code, setting, "variance"), term(code, path_sum_of(setting), "variance", -1)]]


def _nothing(code, setting):
    return [[term(code, setting, "variance", -1)]]


def _statement(*names, measure=lambda space, setting: space.flags("double_skip") * 1.0, misses=_misses):
    """K_ii <= P under activation-first, measured by the class that decides it, with the condition of these classes."""
    return Statement("K_ii <= P", measure, lambda setting: [VIOLATIONS[name] for name in names], misses)


def test_a_statement_with_the_condition_that_decides_it_has_its_counterexample_certified():
    result = try_on_spaces([SPACE], [FIRST], _statement("double_skip"))
    finding = result.findings[0]
    assert finding.holds is False and finding.proof.certificates == (result.certificates[0]["id"],)
    assert result.counterexample(FIRST)["code"] == "1_11"


@pytest.mark.parametrize("names", [(), ("mean_meeting",), ("double_skip", "mean_meeting")])
def test_a_condition_with_too_few_or_too_many_classes_is_found_wrong(names):
    with pytest.raises(Undecided, match="the structural condition is wrong"):
        try_on_spaces([SPACE], [FIRST], _statement(*names))


def test_a_counterexample_that_cannot_be_certified_is_none():
    with pytest.raises(Undecided, match="could not be certified"):
        try_on_spaces([SPACE], [FIRST], _statement("double_skip", misses=_nothing))


def test_the_control_of_a_class_that_adds_nothing_fails():
    twice = classes_left_out(SPACE, [FIRST], _statement("double_skip", "double_skip"))
    assert not any(control.passed for control in twice)
    assert all(control.passed for control in classes_left_out(SPACE, [FIRST], _statement("double_skip")))


def test_the_control_of_a_neighbour_fails_where_it_is_false():
    statement = _statement("double_skip")
    search, proof = true_of_every_dag("K_ii <= P", SPACE, [FIRST], statement, ["1_11"])
    assert not search.passed and not proof.passed
    nothing = _statement(measure=lambda space, setting: np.zeros(len(space.names)), misses=_nothing)
    assert all(control.passed for control in true_of_every_dag("-K_ii <= 0", SPACE, [FIRST], nothing, ["1_11"]))
    assert found_false(SPACE, [FIRST], nothing.measure, 0.0).holds


def _reading(setting):
    return {
        "name": "r",
        "method": setting.method,
        "order": setting.order,
        "embedding": setting.embedding,
        "activation": "relu",
        "label": "",
        "certificates": ["c"],
        "proof": "interval arithmetic",
    }


def test_certificates_of_another_setting_or_direction_are_not_what_is_needed():
    statement = _statement("double_skip")
    for found, accepted in (
        (_misses("1_11", FIRST)[0], True),
        (_misses("1_11", NNGP_SETTINGS[2])[0], False),
        (_misses("1_11", FIRST)[0][::-1], False),
    ):
        inequality = Inequality(tuple(found), Fraction(1, 2), Fraction(1, 2))
        assert all(need.accepts(inequality) for need in statement.needs(_reading(FIRST))) is accepted


def test_the_off_diagonal_rule_needs_two_dags_that_it_cannot_tell_apart():
    (need,) = needs_of_the_rule(_reading(FIRST))
    for codes, accepted in ((("1_22", "2_01_011"), True), (("1_22", "1_11"), False)):
        terms = tuple(term(code, FIRST, "covariance", sign) for code, sign in zip(codes, (1, -1), strict=True))
        assert need.accepts(Inequality(terms, Fraction(1, 2), Fraction(1, 2))) is accepted
        assert not need.accepts(Inequality(terms, Fraction(1, 2), Fraction(1)))


def test_after_a_stem_paths_of_different_depths_bring_means_together():
    space = complete_space(4)
    for meeting in ("mean_meeting", "mean_meeting_before_linear"):
        assert not (space.flags("mixed_depth", stem=True) & ~space.flags(meeting, stem=True)).any()
    assert [v.words for v in identity_violations(NNGP_SETTINGS[3])] == [
        VIOLATIONS[n].words for n in ("double_skip", "mean_meeting")
    ]
