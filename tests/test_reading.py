"""Readings and settings: made, checked and worded in one place."""

import pytest

from nngp_dag.activations import ACTIVATIONS
from nngp_dag.errors import InputError, unknown, unknown_names
from nngp_dag.reading import EMBEDDINGS, METHODS, ORDERS, PAIR_METHODS, Reading, Setting


def test_the_defaults():
    assert Reading.make() == Reading("activation-last", "gaussian", ACTIVATIONS["relu"])
    assert Setting.make() == Setting("exact", Reading.make())
    assert {name: Setting.make(name).order for name in METHODS} == {
        "exact": "activation-last",
        "independent": "activation-last",
        "path-sum": "activation-last",
        "neural-tangents": "activation-first",
    }
    assert PAIR_METHODS == ("exact", "independent", "path-sum")


def test_equal_settings_are_one_key():
    every = {Setting.make(m, o, "gaussian", a): (m, o, a) for m in METHODS for o in ORDERS for a in ACTIVATIONS}
    assert len(every) == len(METHODS) * len(ORDERS) * len(ACTIVATIONS)
    assert every[Setting.make("path-sum", "activation-first", activation="erf")] == ("path-sum", ORDERS[1], "erf")


def test_how_they_are_shown():
    assert str(Setting.make()) == "exact, activation-last, gaussian"
    assert str(Reading.make(ORDERS[1], EMBEDDINGS[1], "gelu")) == "activation-first, gaussian-trained, gelu"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Reading.make("last"), "unknown order 'last': accepted are activation-last, activation-first"),
        (
            lambda: Reading("activation-last", "patch", ACTIVATIONS["relu"]),
            "unknown embedding 'patch': accepted are gaussian, gaussian-trained, stem",
        ),
        (lambda: Setting("best", Reading.make()), "unknown method 'best': accepted are exact, independent, path-sum"),
        (lambda: Setting.make("best"), "unknown method 'best': accepted are exact"),
    ],
)
def test_unknown_names_are_refused_wherever_they_come_in(make, message):
    with pytest.raises(InputError, match=f"^{message}"):
        make()


@pytest.mark.parametrize("method", METHODS)
def test_a_stem_before_activations_that_come_first(method):
    """Its features are not Gaussian: the methods with a formula for Gaussian features refuse it, networks run it."""
    reading = Reading.make("activation-first", "stem")
    if method in ("independent", "path-sum"):
        assert Setting(method, reading).reading is reading
    else:
        with pytest.raises(InputError, match=f"stem embedding is not available for {method} with activation-first"):
            Setting(method, reading)


def test_how_unknown_names_are_worded():
    assert str(unknown("pie", "x", ["a", "b"])) == "unknown pie 'x': accepted are a, b"
    assert str(unknown("pie", 3, "a and b", "of the day")) == "unknown pie 3 of the day: accepted are a and b"
    assert str(unknown("pie", ["x"], {"a": 1})) == "unknown pie ['x']: accepted are a"
    assert str(unknown_names("pie", ["x", "y"], {"a": 1})) == "unknown pie x, y: accepted are a"
    assert str(unknown_names("pie", [], ("a",))) == "unknown pie (none given): accepted are a"
