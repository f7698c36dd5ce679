"""Analyses and comparisons of wirings."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import assert_close

from nngp_dag import InputError, Wiring, analyze, compare, kernel_fn
from nngp_dag.analysis.wired import wiring_words
from nngp_dag.cli.analyze import command

pytestmark = pytest.mark.usefixtures("quick_compilation")

X = np.random.default_rng(1).normal(size=(6, 3))
WIRING = Wiring.make(
    "2_12_121",
    weight_scale={(0, 1): 1.3},
    bias_scale=0.5,
    skip_gain=0.6,
    activation={(1, 2): "erf"},
    layer_norm=[2],
    readout_bias_scale=0.25,
)


@pytest.fixture(scope="module")
def analysis():
    return analyze(WIRING, X, width=64, seeds=16)


def test_an_analysis_has_the_kernels_and_the_numbers_of_the_wiring(analysis):
    assert_close(analysis.exact.ntk, kernel_fn(WIRING)(X).ntk)
    document = analysis.to_dict()
    assert Wiring.from_json(document["wiring"]).to_json() == WIRING.to_json()
    assert document["neighbours"] is None and document["networks"]["ntk"]["exact"]["accepted"]
    assert set(document["nodes"]) == {"0", "1", "2", "3"}
    assert_close(document["nodes"]["2"]["trace"], 6.0)  # behind the layer norm
    assert wiring_words(WIRING) == [
        "weight scale: 1.3 at (0, 1); else 1",
        "bias scale: 0.5",
        "gain of skip edges: 0.6",
        "activation: erf at (1, 2)",
        "layer norm at 2",
        "read-out: weight scale 1, bias scale 0.25",
    ]
    assert "layer norm at 2" in str(analysis) and "layer norm at 2" in analysis.to_html(finite=False)


def test_remarks_say_where_methods_begin_to_differ(analysis):
    found = {remark.title.split(" is off")[0]: remark for remark in analysis.remarks}
    # Node 1 receives one branch; node 2 a skip and an odd activation, without means; at node 3 copies of h_0 meet.
    assert found["independent"].level == "warning" and found["independent"].text.endswith("at node 3.")
    assert "2 activations" in found["path-sum does not apply"].text
    chain = analyze(Wiring.make("2_02", bias_scale=0.5), X)
    titles = [remark.title for remark in chain.remarks]
    assert "independent is exact here" in titles and not any("Eq. 12" in title for title in titles)


def test_comparisons_take_wirings_and_dags():
    wired = compare({"wired": WIRING, "plain": "2_12_121"}, X)
    assert_close(wired["wired"].exact.nngp, kernel_fn(WIRING)(X).nngp)
    rows = wired.to_dict()["dags"]
    assert "wiring" in rows[0] and "wiring" not in rows[1] and rows[0]["code"] == rows[1]["code"]
    assert compare([Wiring.make("2")], X).analyses[0].wiring is None


def test_what_has_no_meaning_is_refused_in_a_line(analysis, tmp_path):
    with pytest.raises(InputError, match="neighbours are those of a plain DAG"):
        _ = analysis.neighbours
    with pytest.raises(InputError, match="not a batch"):
        analyze(Wiring.stack([WIRING, WIRING]), X)
    with pytest.raises(InputError, match="read-out's bias squared"):
        analyze(Wiring.make("0", readout_bias_scale=0.5), X)
    with pytest.raises(InputError, match="is given twice"):
        compare([WIRING, replace(WIRING, layer_norm=())], X)


def test_the_command_takes_a_file(tmp_path):
    WIRING.save(tmp_path / "wiring.json")
    arguments = ["--wiring", str(tmp_path / "wiring.json"), "--data", "digits:6"]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert "bias scale: 0.5" in done.stdout and "layer norm at 2" in done.stdout
