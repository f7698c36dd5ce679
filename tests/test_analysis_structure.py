"""The structural conditions: on all four-node DAGs they say exactly where the approximations differ."""

import numpy as np
import pytest

from nngp_dag import Dag, enumerate_codes
from nngp_dag.activations import ACTIVATIONS
from nngp_dag.analysis import Meeting, meetings
from nngp_dag.analysis.structure import has_mean
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.reading import Reading, Setting

pytestmark = pytest.mark.usefixtures("quick_compilation")

CODES = enumerate_codes(4)
X = np.array([[1.0, 0.0], [0.6, 0.8], [-0.8, 0.6], [0.28, 0.96]])


def agree(first, second):
    return np.array([np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(first, second, strict=True)])


@pytest.mark.parametrize(
    ("order", "embedding", "activation"),
    [
        ("activation-last", "gaussian", "relu"),
        pytest.param("activation-last", "stem", "relu", marks=pytest.mark.full),
        ("activation-first", "gaussian", "relu"),
        pytest.param("activation-last", "gaussian", "erf", marks=pytest.mark.full),
        ("activation-last", "gaussian", "identity"),
    ],
)
def test_meetings_decide_where_methods_agree(order, embedding, activation):
    reading = Reading.make(order, embedding, activation)
    kernels = {
        method: np.asarray(sweep_kernels(CODES, X, ("nngp",), Setting(method, reading)).nngp)
        for method in ("exact", "independent", "path-sum")
    }
    met = [{m.kind for m in meetings(Dag.from_array(code), reading)} for code in CODES]
    exact_here = np.array([not found & {"copies", "means"} for found in met])
    sums_here = np.array(["depths" not in found for found in met])
    assert 0 < exact_here.sum() < len(CODES)
    assert sums_here.sum() > 0 and (sums_here.all() == (activation == "identity"))
    np.testing.assert_array_equal(exact_here, agree(kernels["independent"], kernels["exact"]))
    np.testing.assert_array_equal(sums_here, agree(kernels["path-sum"], kernels["independent"]))


def test_what_a_meeting_says():
    assert meetings(Dag.from_code("1_11"), Reading()) == (Meeting("copies", 2, 2, source=0),)
    assert meetings(Dag.from_code("1_01_222"), Reading()) == (Meeting("means", 3, 3),)
    (depths,) = meetings(Dag.from_code("2_11_002"), Reading())
    assert depths == Meeting("depths", 2, 2, depths=(0, 1))
    assert meetings(Dag.from_code("1_01_222"), Reading(order="activation-first")) == ()
    assert meetings(Dag.from_code("0_00"), Reading()) == ()


def test_nodes_keep_the_numbers_of_the_dag_that_was_asked_about():
    # Node 1 is on no path; the copies meet at node 3, which the pruned DAG calls 2.
    dag = Dag.from_edges({(0, 1): "linear", (0, 2): "skip", (0, 3): "skip", (2, 3): "skip"})
    (meeting,) = meetings(dag, Reading())
    assert (meeting.node, meeting.source, meeting.count) == (3, 0, 2)


def test_has_mean_is_what_the_activation_says():
    odd = {"erf", "sin", "tanh", "identity"}
    assert {name for name, activation in ACTIVATIONS.items() if not has_mean(activation)} == odd
