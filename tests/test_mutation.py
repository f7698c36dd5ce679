"""Faults are put into the function that is meant, are counted when reached, and leave nothing behind."""

import numpy as np
import pytest

from nngp_dag import Dag, kernel_fn
from nngp_dag.activations import arc_cosine
from nngp_dag.paths import path_statistics
from nngp_dag.support.cores import available_cores
from verify import Evidence, Finding, KeyValue, claim
from verify.framework.claim import discover, registry
from verify.framework.options import Options
from verify.mutation.faults import FAULTS
from verify.mutation.inject import Fault, FaultError, inject
from verify.mutation.parallel import run_side_by_side
from verify.mutation.report import mutation_markdown, outcome_line
from verify.mutation.suite import run_faults

KNOWN = {fault.name: fault for fault in FAULTS}


def test_there_are_twenty_faults_of_different_names_and_the_kinds_that_were_asked_for():
    assert len(KNOWN) == len(FAULTS) >= 20
    assert KNOWN.keys() >= {
        "relu-constant", "relu-complement", "dropped-mean", "dropped-cross-covariance", "wrong-tangent", "depth-width",
        "path-twice", "transposed-nodes", "float32", "unnormalised",
    }  # fmt: skip


def test_every_fault_fits_the_source_and_is_taken_back():
    discover()
    for fault in FAULTS:
        with inject(fault) as reached:
            assert reached.count == 0


def test_a_fault_changes_the_kernel_and_is_counted_and_then_gone():
    x = np.random.default_rng(0).standard_normal((4, 3))
    fn = kernel_fn(Dag.from_code("2_02"))
    before = np.asarray(fn(x, get="nngp"))
    with inject(KNOWN["relu-sine"]) as reached:
        faulty = np.asarray(fn(x, get="nngp"))
        assert reached.count > 0
    after = np.asarray(fn(x, get="nngp"))
    assert np.abs(faulty - before).max() > 1e-3
    np.testing.assert_array_equal(before, after)
    assert "__fault_reached__" not in vars(arc_cosine)


def test_a_fault_that_is_not_reached_is_not_counted():
    with inject(KNOWN["erf-factor"]) as reached:
        kernel_fn(Dag.from_code("2"))(np.eye(2), get="nngp")
    assert reached.count == 0


@pytest.mark.parametrize(
    ("module", "function", "old", "message"),
    [
        ("nngp_dag.paths", "path_statistics", "no such text", "occurs 0 times"),
        ("nngp_dag.paths", "path_statistics", "counts", "not once"),
        ("nngp_dag.paths", "gone", "x", "has no gone"),
        ("nngp_dag.paths", "__all__", "x", "is no function"),
    ],
)
def test_a_fault_that_does_not_fit_is_an_error(module, function, old, message):
    with pytest.raises(FaultError, match=message), inject(Fault("f", "w", module, function, old, "new")):
        pass


@pytest.fixture
def claims():
    """Three claims: one measures the width of a DAG, one raises where it is wrong, one sees nothing."""

    def width():
        return float(path_statistics(Dag.from_code("1_21")).effective_width)

    def measures(context):
        return Evidence([Finding.agreement(0.0, tolerance=1e-9, cases=1)], "s", key_values={"width": KeyValue(width())})

    def raises(context):
        if width() != 2:
            raise ValueError("wrong")
        return Evidence([Finding.agreement(0.0, tolerance=1e-9, cases=1)], "s")

    def blind(context):
        width()
        return Evidence([Finding.agreement(0.0, tolerance=1e-9, cases=1)], "s")

    names = {"measures": measures, "only-raises": raises, "blind": blind}
    for name, check in names.items():
        claim(name, title="t", source="s", statement="w.", expected="holds")(check)
    return {name: registry.pop(name) for name in names}


def test_a_crash_is_no_catch_and_a_moved_value_is(claims):
    fault = [KNOWN["width-of-all"]]
    caught = run_faults(list(claims.values()), fault, Options())
    (outcome,) = caught.outcomes
    assert caught.passed and outcome.caught and outcome.reached > 0
    assert list(outcome.red) == ["measures"] and outcome.crashed == ["only-raises"]
    assert "key value 'width'" in outcome.red["measures"]
    assert (caught.before, caught.after) == ({}, {})

    missed = run_faults([claims["only-raises"], claims["blind"]], fault, Options())
    assert not missed.passed and not missed.outcomes[0].caught
    assert "NOT CAUGHT (only crashes: only-raises)" in outcome_line(missed.outcomes[0])
    assert "0 of 1 faults caught by 2 claims" in mutation_markdown(missed, 1.0)

    elsewhere = run_faults([claims["measures"]], [KNOWN["erf-factor"]], Options())
    assert not elsewhere.passed and "NOT REACHED" in outcome_line(elsewhere.outcomes[0])


def test_the_report_names_what_caught_each_fault(claims):
    result = run_faults(list(claims.values()), [KNOWN["width-of-all"]], Options())
    (entry,) = result.as_json()["faults"]
    assert entry["caught_by"].keys() == {"measures"} and entry["where"] == "nngp_dag.paths:path_statistics"
    assert entry["change"] == "Fraction(total - counts[0]) -> Fraction(total)"
    row = next(line for line in mutation_markdown(result, 1.0).splitlines() if line.startswith("| width-of-all"))
    assert "measures" in row and row.endswith("| 1 |")


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_every_fault_is_caught_by_the_whole_suite():
    """The fast claims are tried in every CI (make mutation); here each fault meets all claims."""
    result = run_side_by_side(FAULTS, "all", available_cores())
    assert result.passed, mutation_markdown(result, 0.0)
