"""Faults are put into the function that is meant, are counted when reached, and leave nothing behind."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nngp_dag import Dag, kernel_fn
from nngp_dag.activations import arc_cosine
from nngp_dag.errors import InputError
from nngp_dag.paths import path_statistics
from nngp_dag.support.cores import available_cores
from verify import Evidence, Finding, KeyValue, claim
from verify.framework.claim import registry
from verify.framework.options import Options
from verify.mutation.faults import AREAS, FAULTS
from verify.mutation.inject import Fault, FaultError, inject, require_fit
from verify.mutation.parallel import run_side_by_side
from verify.mutation.report import mutation_markdown, outcome_line
from verify.mutation.sample import key_of_checkout, sample
from verify.mutation.suite import run_faults
from verify.mutation.tested import ROOT, run_tested

KNOWN = {fault.name: fault for fault in FAULTS}


def test_there_are_many_faults_of_different_names_in_every_area():
    assert len(KNOWN) == len(FAULTS) >= 80 and all(AREAS.values())
    assert KNOWN.keys() >= {
        "relu-constant", "relu-complement", "dropped-mean", "dropped-cross-covariance", "wrong-tangent", "depth-width",
        "path-twice", "transposed-nodes", "float32", "unnormalised",
    }  # fmt: skip


def test_every_fault_fits_the_source():
    for fault in FAULTS:
        function, faulty = require_fit(fault)
        assert faulty.co_qualname == fault.function and faulty != function.__code__, fault.name


def test_tests_that_catch_faults_need_no_data_that_a_checkout_lacks():
    named = [fault.test.partition("::") for fault in FAULTS if fault.test]
    functions = {
        (file, node.name): {argument.arg for argument in node.args.args}
        for file in {file for file, _, _ in named}
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    for file, _, name in named:
        assert "shared_data" not in functions[file, name.partition("[")[0]], name


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


def test_the_first_claim_that_notices_is_enough(claims):
    result = run_faults(list(claims.values()), [KNOWN["width-of-all"]], Options(), until_noticed=True)
    assert result.passed and list(result.outcomes[0].red) == ["measures"]


def test_a_sample_is_a_function_of_its_key():
    first = sample(FAULTS, 16, "abc")
    assert first == sample(FAULTS[::-1], 16, "abc")[::-1] and len(set(first)) == 16
    assert first != sample(FAULTS, 16, "abd")
    assert sample(FAULTS, 10_000, "abc") == FAULTS
    assert len(key_of_checkout()) == 12


def _runs_by_default(test):
    """True where a function, or some of its parameters, is not of the full profile."""
    marks = getattr(test, "pytestmark", [])
    for mark in marks:
        if mark.name == "parametrize" and all(_is_full(getattr(case, "marks", ())) for case in mark.args[1]):
            return False
    return not _is_full(marks)


def _is_full(marks):
    return any(mark.name == "full" for mark in marks)


def test_named_tests_exist_and_run_by_default():
    """What only the full profile notices may come back between two of its runs."""
    for fault in FAULTS:
        if fault.test:
            file, name = fault.test.split("::")
            module = importlib.import_module(Path(file).stem)
            assert Path(module.__file__) == ROOT / file, fault.name
            assert _runs_by_default(getattr(module, name.split("[")[0])), fault.name
            assert not _is_full(np.atleast_1d(getattr(module, "pytestmark", []))), fault.name


def test_a_test_of_the_full_profile_is_told_apart():
    def marked(mark):
        def test(x):
            del x

        return mark(test)

    part = pytest.param(1, marks=pytest.mark.full)
    assert not _runs_by_default(marked(pytest.mark.full))
    assert not _runs_by_default(marked(pytest.mark.parametrize("x", [part])))
    assert _runs_by_default(marked(pytest.mark.parametrize("x", [part, 2])))


FOUND = """
import json
from verify.mutation.faults import FAULTS
from verify.mutation.inject import Fault
from verify.mutation.tested import run_tested
from dataclasses import replace

known = {fault.name: fault for fault in FAULTS}
test = "tests/test_spectrum.py::test_a_matrix_of_known_spectrum"
faults = [known["condition"], replace(known["own-features"], test=test)]
faults.append(replace(known["condition"], name="breaks", new="self.absent"))
result = run_tested(faults)
print(json.dumps(result.as_json()))
"""


def test_a_test_is_run_with_the_fault_and_without():
    """In a process of its own, as `run_side_by_side` has it: pytest within pytest would share its state."""
    done = subprocess.run([sys.executable, "-c", FOUND], cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    noticed, unseen, broken = found["faults"]
    assert noticed["caught"] and noticed["reached"] > 0
    assert list(noticed["caught_by"]) == ["tests/test_spectrum.py::test_a_matrix_of_known_spectrum"]
    assert not unseen["caught"] and unseen["reached"] == 0
    assert not broken["caught"] and broken["crashed"] == ["tests/test_spectrum.py::test_a_matrix_of_known_spectrum"]
    assert found["after"] == {} and not found["passed"]


def test_a_test_that_is_not_there_is_one_line():
    with pytest.raises(InputError, match="only a checkout has"):
        run_tested([Fault("f", "w", "m", "g", "a", "b", test="tests/test_nothing.py::test_x")])


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_every_fault_is_noticed():
    """A sample of the faults is tried in every CI (make mutation)."""
    result = run_side_by_side(FAULTS, None, available_cores())
    assert result.passed, mutation_markdown(result, 0.0)
