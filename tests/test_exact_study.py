"""The study of exact kernels against accuracies: its measures, correlations and verdicts, and the command."""

import csv
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import assert_close
from scipy import stats

from nngp_dag import InputError
from nngp_dag.cli import main
from nngp_dag.nas import Images
from nngp_dag.nas.images import load_images
from nngp_dag.prediction import leave_one_out
from nngp_dag.reproduce.exact_nasbench201.finite import finite_scores
from nngp_dag.reproduce.exact_nasbench201.measures import MEASURES, alignment, measured
from nngp_dag.reproduce.exact_nasbench201.ranks import explained, explained_more, rank_correlations
from nngp_dag.reproduce.exact_nasbench201.report import StudyStatement, class_accuracies
from nngp_dag.reproduce.exact_nasbench201.study import cells_in_order, study_data
from nngp_dag.spaces import get
from nngp_dag.support.statistics import Estimate

pytestmark = pytest.mark.usefixtures("quick_compilation")

SPACE = get("nasbench201")


def kernel_and_labels(n=12, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    x = rng.normal(size=(n, 5)) + labels[:, None]
    return x @ x.T + np.eye(n), labels


def test_leave_one_out_is_what_leaving_rows_out_gives():
    kernel, labels = kernel_and_labels()
    ridge = 1e-3 * np.diag(kernel).mean()
    targets = np.eye(3)[labels] - np.eye(3)[labels].mean(0)
    error = 0.0
    for i in range(len(labels)):
        rest = np.arange(len(labels)) != i
        inverse = np.linalg.inv(kernel[np.ix_(rest, rest)] + ridge * np.eye(rest.sum()))
        error += ((kernel[i, rest] @ inverse @ targets[rest] - targets[i]) ** 2).sum()
    assert_close(float(leave_one_out(kernel, np.eye(3)[labels])), error / (targets**2).sum())


def test_alignment_is_one_for_the_labels_themselves_and_measures_are_scale_free_where_they_say():
    kernel, labels = kernel_and_labels()
    assert_close(alignment((labels[:, None] == labels) + 3.0, labels), 1.0)
    one, ten = measured(kernel, labels), measured(10 * kernel, labels)
    for name in ("lambda_min_scale_free", "condition", "alignment", "loo_error"):
        assert_close(one[name], ten[name])
    assert_close(ten["lambda_min"], 10 * one["lambda_min"])
    assert measured(np.ones((4, 4)), labels[:4])["condition"] is None
    assert set(measured(np.zeros((4, 4)), labels[:4]).values()) == {None}


def test_partial_rank_correlations_are_those_of_residuals_and_intervals_hold_the_values():
    rng = np.random.default_rng(1)
    control = rng.integers(5, size=60).astype(float)
    columns = {"a": control + rng.normal(size=60), "noise": rng.normal(size=60), "control": control}
    columns["a"][3] = np.inf
    target = control - 0.5 * columns["noise"] + 0.3 * rng.normal(size=60)
    found = rank_correlations(columns, target, ["control", "noise"], resamples=200)
    for name, column in columns.items():
        assert_close(found[name].spearman.value, stats.spearmanr(column, target).statistic)
        assert found[name].spearman.low < found[name].spearman.value < found[name].spearman.high
    ranks = {name: stats.rankdata(column) for name, column in (columns | {"target": target}).items()}
    rest = {
        name: values - np.poly1d(np.polyfit(ranks["control"], values, 1))(ranks["control"])
        for name, values in ranks.items()
    }
    assert_close(found["noise"].partial.value, np.corrcoef(rest["noise"], rest["target"])[0, 1])
    assert found["noise"].partial.high < -0.4
    assert np.isnan(found["control"].partial.value)
    design = np.column_stack([ranks["noise"], ranks["control"], np.ones(60)])
    rest = {
        name: ranks[name] - design @ np.linalg.lstsq(design, ranks[name], rcond=None)[0] for name in ("a", "target")
    }
    assert_close(found["a"].partial_all.value, np.corrcoef(rest["a"], rest["target"])[0, 1])
    share = explained({name: columns[name] for name in ("noise", "control")}, target, resamples=200)
    residual = ranks["target"] - design @ np.linalg.lstsq(design, ranks["target"], rcond=None)[0]
    assert_close(share.value, 1 - residual.var() / ranks["target"].var())


def test_shares_are_compared_on_the_same_resamples():
    rng = np.random.default_rng(2)
    good, noise = rng.normal(size=(2, 50))
    target = good + 0.5 * rng.normal(size=50)
    found = explained_more({"good": good}, {"noise": noise}, target, resamples=200)
    alone = [stats.spearmanr(column, target).statistic ** 2 for column in (good, noise)]
    assert_close(found.value, alone[0] - alone[1])
    assert 0 < found.low < found.value < found.high
    nothing = explained_more({"good": good}, {"same": np.exp(good)}, target, resamples=200)
    assert_close(np.array([nothing.value, *nothing.interval]), np.zeros(3))


def test_accuracies_are_means_over_cells_that_are_the_same_graph():
    cells = SPACE.enumerate()
    _, members = SPACE.classes()
    values = np.random.default_rng(0).normal(size=len(cells))
    benchmark = SimpleNamespace(architectures=cells[:, None], accuracy={"data": values})
    found = class_accuracies(benchmark, cells[[0, 777, 15_000]])["data"]
    assert_close(found, np.array([values[members == members[i]].mean() for i in (0, 777, 15_000)]))


@pytest.mark.parametrize(
    ("intervals", "verdict"),
    [
        ([(0.1, 0.2), (0.3, 0.4)], "holds"),
        ([(-0.3, -0.2), (-0.4, -0.1)], "refuted"),
        ([(-0.3, -0.2), (0.1, 0.2)], "holds-conditionally"),
        ([(-0.1, 0.2), (0.1, 0.2)], "inconclusive"),
    ],
)
def test_verdicts_follow_from_intervals(intervals, verdict):
    values = {str(i): Estimate(sum(ends) / 2, *ends) for i, ends in enumerate(intervals)}
    assert StudyStatement.judge("words", values, 0.0).verdict == verdict


def test_a_cell_stands_for_each_class_and_a_sample_begins_with_the_same_cells():
    cells, members = SPACE.classes()
    assert len(cells) == SPACE.count_distinct() == members.max() + 1
    everything = SPACE.enumerate()
    same = everything[members == members[7777]]
    assert len({SPACE.path_counts(row[None]).tobytes() for row in same}) == 1
    np.testing.assert_array_equal(cells_in_order(0, 5), cells_in_order(0, 20)[:5])
    assert len({row.tobytes() for row in cells_in_order(0, None)}) == len(cells)


@pytest.fixture
def inputs(tmp_path):
    """Nine images of three classes, and accuracies of all cells that grow with their number of convolutions."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "images.npz", x=rng.random(size=(9, 4, 4, 3)), y=np.arange(9) % 3)
    rows = SPACE.enumerate()
    accuracy = 50 + 5 * SPACE.num_parameterised(rows) + rng.normal(size=len(rows))
    lines = [f"{SPACE.write(row[None])},{value}" for row, value in zip(rows, accuracy, strict=True)]
    (tmp_path / "accuracy.csv").write_text("\n".join(["architecture,cifar10", *lines]) + "\n")
    return tmp_path


def reproduce(folder, *more):
    sizes = [
        "--images",
        "6",
        "--size",
        "2",
        "--stages",
        "1",
        "--resamples",
        "100",
        "--finite",
        "0",
        "--out",
        folder / "study",
    ]
    data = ["--data", folder / "images.npz", "--benchmark", folder / "accuracy.csv"]
    main(["reproduce", "exact-nasbench201", *map(str, [*data, *sizes, *more])])


def test_the_command_keeps_its_rows_goes_on_and_reports(inputs, capsys):
    with pytest.raises(SystemExit) as stop:
        reproduce(inputs, "--sample", "16")
    assert not stop.value.code
    before = (inputs / "study" / "cells.csv").read_text().splitlines()
    assert before[0].split(",") == ["architecture", *MEASURES, "settings"]
    assert "rank correlations" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        reproduce(inputs, "--sample", "24", "--json")
    assert not stop.value.code
    after = (inputs / "study" / "cells.csv").read_text().splitlines()
    assert after[: len(before)] == before and len(after) == 25
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((inputs / "study" / "report.json").read_text())
    assert document["correlations"]["cifar10"]["convolutions"]["spearman"]["value"] > 0.8
    assert {"verdict", "statement", "values", "threshold"} == document["statements"][0].keys()
    with pytest.raises(SystemExit) as stop:
        reproduce(inputs, "--sample", "16", "--size", "4")
    assert stop.value.code == 2
    assert "another study" in capsys.readouterr().err


def test_scores_of_other_origin_stand_beside_on_the_cells_that_have_them(inputs, capsys):
    cells = cells_in_order(0, 12)
    lines = [f"{SPACE.write(row[None])},{i},{i / 2}" for i, row in enumerate(cells)]
    (inputs / "scores.csv").write_text("\n".join(["architecture,wot,ntk-cond", *lines]) + "\n")
    with pytest.raises(SystemExit) as stop:
        reproduce(inputs, "--sample", "16", "--scores", inputs / "scores.csv", "--json")
    assert not stop.value.code
    document = json.loads(capsys.readouterr().out)
    assert document["cells"] == 16 and document["beside"]["cells"] == 12
    assert "wot" not in document["correlations"]["cifar10"]
    found = document["beside"]["correlations"]["cifar10"]
    assert_close(found["wot"]["spearman"]["value"], -found["ntk-cond"]["spearman"]["value"])
    assert {"ntk_lambda_min", "parameters"} < found.keys()


@pytest.mark.full
def test_finite_networks_score_the_first_cells_and_go_on(inputs, capsys):
    with pytest.raises(SystemExit) as stop:
        reproduce(inputs, "--sample", "12", "--finite", "10", "--json")
    assert not stop.value.code
    document = json.loads(capsys.readouterr().out)
    assert document["beside"]["cells"] == 10
    first = (inputs / "study" / "finite.csv").read_text()
    found = finite_scores(load_images(inputs / "images.npz"), cells_in_order(0, 5), inputs / "study" / "finite.csv")
    assert (inputs / "study" / "finite.csv").read_text() == first
    row = next(csv.DictReader(io.StringIO(first)))
    assert {name: values[row["architecture"]] for name, values in found.items()} == {
        "wot": float(row["wot"]),
        "ntk-cond": -float(row["ntk-cond"]),
    }
    assert len(found["wot"]) == 5


def test_other_images_are_refused(inputs, capsys):
    with pytest.raises(SystemExit) as stop:
        reproduce(inputs, "--images", "7")
    assert stop.value.code == 2
    assert "a multiple of 3 is needed" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        reproduce(inputs, "--finite", "5")
    assert stop.value.code == 2
    assert "--finite 5: 0 or at least 10 cells are needed" in capsys.readouterr().err
    assert not (inputs / "study").exists()
    with pytest.raises(InputError, match="no labels"):
        study_data(Images(np.zeros((4, 2, 2, 3), np.float32), None, "images"), 2, 2)
