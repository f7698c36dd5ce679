"""Scores with their noise: draws of weights and batches, what rows and rankings say of them, and the choices of runs.

A score that is cheap stands for all: the number of convolutions, plus noise of the initial weights and of the batch.
"""

import itertools
import json
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from click.testing import CliRunner
from helpers import assert_close
from nas_cases import random_images, tiny_networks
from scipy import stats

from nngp_dag.cli import cli
from nngp_dag.errors import InputError
from nngp_dag.nas.networks.sizes import INITIALIZATIONS
from nngp_dag.nas.scores import registry
from nngp_dag.nas.scores.batches import image_batches
from nngp_dag.nas.scores.ranking import best_rank, rank, rank_stability
from nngp_dag.nas.scores.run import rank_stabilities, score_architectures
from nngp_dag.nas.scores.score import Score, weights_key
from nngp_dag.nas.scores.scorer import Scorer, mean_and_error
from nngp_dag.support import cores

NETWORKS = tiny_networks()
SPACE = NETWORKS.space
TEXTS = [SPACE.write(genes) for genes in SPACE.sample(12, np.random.default_rng(3))]
IMAGES = random_images()
CALLS: list[str] = []


def make(networks):
    def score(architecture, batch=None, key=None):
        CALLS.append(str(architecture))
        convolutions = networks.space.num_parameterised(networks.read(architecture)).sum()
        if convolutions == 0:
            return float("-inf")
        return float(convolutions + jax.random.normal(weights_key(key)) + batch.mean())

    return score


@pytest.fixture(autouse=True)
def noisy(monkeypatch):
    for name in ("noisy", "other"):
        score = Score(f"{__name__}:make", "noise", "a test", True, batch=image_batches(6))
        monkeypatch.setitem(registry.SCORES, name, score)


def scorer(names=("noisy",), **options):
    return Scorer.make(names, NETWORKS, IMAGES, **options)


# ---- rows ----------------------------------------------------------------------------------------------------------


def test_a_row_has_the_mean_of_its_draws_their_error_and_the_draws():
    repeated = scorer(repeats=4)
    for text in TEXTS:
        row = repeated.row(text)
        assert tuple(row) == repeated.columns
        draws = [row[f"noisy_{r}"] for r in (1, 2, 3, 4)]
        if np.isinf(draws[0]):
            assert row["noisy"] == -np.inf
            assert row["noisy_se"] == np.inf
            continue
        assert len(set(draws)) == 4
        assert_close(row["noisy"], sum(draws) / 4)
        deviation = (sum((draw - row["noisy"]) ** 2 for draw in draws) / 3) ** 0.5
        assert_close(row["noisy_se"], deviation / 2)
        assert "parameters_se" not in row


def test_more_draws_keep_those_before_and_one_draw_is_what_it_was():
    single, few, many = (scorer(repeats=repeats).row(TEXTS[0]) for repeats in (1, 2, 5))
    assert "noisy_se" not in single
    assert single["noisy"] == few["noisy_1"] == many["noisy_1"]
    assert few["noisy_2"] == many["noisy_2"]
    assert scorer(repeats=5).row(TEXTS[0])["noisy"] == many["noisy"]
    assert scorer(repeats=5, seed=1).row(TEXTS[0])["noisy"] != many["noisy"]
    assert len({scorer(repeats=repeats).settings() for repeats in (1, 2, 5)}) == 3


def test_draws_differ_in_weights_and_in_batches():
    batches = scorer(["noisy", "other"], repeats=3).batches
    every = [*batches["noisy"], *batches["other"]]
    assert all((a != b).any() for a, b in itertools.combinations(every, 2))


def test_an_infinite_draw_makes_the_mean_infinite():
    assert mean_and_error([1.0, -np.inf, 2.0]) == (-np.inf, np.inf)
    assert mean_and_error([np.inf, np.inf]) == (np.inf, np.inf)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_draws_survive_an_interruption(tmp_path, suffix):
    out = tmp_path / f"rows{suffix}"
    repeated = scorer(repeats=3)

    def interrupt(row):
        if row["architecture"] == TEXTS[5]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_architectures(repeated, TEXTS, out, on_row=interrupt)
    found = score_architectures(repeated, TEXTS, out)
    alone = score_architectures(repeated, TEXTS)
    assert found.num_resumed == 6
    strip = [[{k: v for k, v in row.items() if k != "seconds"} for row in rows] for rows in (found.rows, alone.rows)]
    assert strip[0] == strip[1]
    assert rank_stabilities(repeated, found.rows) == rank_stabilities(repeated, alone.rows)
    with pytest.raises(InputError, match="another run"):
        score_architectures(scorer(repeats=3, seed=1), TEXTS, out)


def test_compilation_is_not_counted_in_seconds():
    """Every score is computed once before the first row is timed, and only then."""
    CALLS.clear()
    timed = scorer(["noisy", "other"], repeats=2)
    timed.row(TEXTS[0])
    assert len(CALLS) == 2 + 2 * 2
    timed.row(TEXTS[1])
    assert len(CALLS) == 2 + 2 * 2 * 2
    constant = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    CALLS.clear()
    scorer().row(constant)
    assert len(CALLS) == 2
    assert CALLS[0] != CALLS[1]  # another architecture is compiled for, since this one needs no program


def test_threads_wait_for_the_compilation_off_the_clock(monkeypatch):
    """Whichever thread comes first computes every score once; no row's seconds hold that, though all waited for it."""
    CALLS.clear()
    timed, now, value = scorer(["noisy", "other"]), [0.0], Scorer._value

    def slow_at_first(self, name, rows, text, draw):
        if not self._compiled:
            now[0] += 100.0
        return value(self, name, rows, text, draw)

    monkeypatch.setattr(Scorer, "_value", slow_at_first)
    monkeypatch.setattr(cores, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    rows = list(timed.rows(TEXTS[:4], threads=4))
    assert len(CALLS) == 2 + 2 * 4 and now == [200.0]
    assert [row["seconds"] for row in rows] == [0.0] * 4


# ---- rankings ------------------------------------------------------------------------------------------------------


def test_rank_stability_is_the_mean_over_pairs_of_draws():
    draws = np.random.default_rng(0).normal(size=(4, 9)) + np.arange(9)
    pairs = [stats.spearmanr(a, b).statistic for a, b in itertools.combinations(draws, 2)]
    assert_close(rank_stability(draws), np.mean(pairs))
    assert_close(rank_stability(np.stack([draws[0], -draws[0]])), -1.0)
    assert np.isnan(rank_stability(draws[:1]))


def test_intervals_hold_the_noise_of_the_draws():
    """Where one draw says nothing, an interval over architectures alone is too sure of the mean."""
    rng = np.random.default_rng(1)
    truth = np.arange(200.0)
    draws = truth + 400 * rng.normal(size=(5, 200))
    alone, whole = rank(draws.mean(0), truth, resamples=300), rank(draws, truth, resamples=300)
    assert (whole.draws, alone.draws) == (5, 1)
    for name in ("spearman", "kendall"):
        a, b = getattr(alone, name), getattr(whole, name)
        assert_close(b.value, a.value)
        assert b.high - b.low > 1.1 * (a.high - a.low)
    equal, single = rank(np.stack([draws[0]] * 5), truth, resamples=200), rank(draws[0], truth, resamples=200)
    for name in ("spearman", "kendall", "recall"):
        a, b = getattr(equal, name), getattr(single, name)
        assert_close(np.array([a.value, a.low, a.high]), np.array([b.value, b.low, b.high]))


def literal_best_rank(score, accuracy, top):
    """The mean, over all ways to break ties, of the best rank among the `top` best."""
    place = [1 + sum(other > own for other in accuracy) for own in accuracy]
    best = []
    for chosen in itertools.combinations(range(len(score)), top):
        rest = [i for i in range(len(score)) if i not in chosen]
        if all(score[i] >= score[j] for i in chosen for j in rest):
            best.append(min(place[i] for i in chosen))
    return np.mean(best)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_rank_at_the_top_is_the_mean_over_ways_to_break_ties(seed):
    rng = np.random.default_rng(seed)
    score, accuracy = rng.integers(0, 4, size=9).astype(float), rng.integers(0, 6, size=9).astype(float)
    score[0] = -np.inf
    for top in (1, 2, 4, 9):
        assert_close(best_rank(score, accuracy, top), literal_best_rank(score, accuracy, top))
    assert best_rank(accuracy, accuracy, 3) == 1
    assert best_rank(-np.arange(9.0), np.arange(9.0), 2) == 8


# ---- the choices of a run ------------------------------------------------------------------------------------------


def test_batch_sizes_by_score():
    def sizes(given):
        return {
            name: batches[0].shape[0] for name, batches in scorer(["noisy", "other"], batch_size=given).batches.items()
        }

    assert sizes(None) == {"noisy": 6, "other": 6}
    assert sizes(9) == {"noisy": 9, "other": 9}
    assert sizes({"other": 7}) == {"noisy": 6, "other": 7}
    with pytest.raises(InputError, match="a batch size for wot, which is not among the scores noisy, effective-depth"):
        scorer(batch_size={"wot": 4})
    with pytest.raises(InputError, match="parameters has no batch size: it is for noisy"):
        scorer(batch_size={"parameters": 4})
    with pytest.raises(InputError, match="unknown score"):
        scorer(batch_size={"nothing": 4})
    with pytest.raises(InputError, match="repeats must be at least 1"):
        scorer(repeats=0)


@pytest.mark.parametrize("init", INITIALIZATIONS)
def test_initial_weights_are_those_that_were_chosen(init):
    changed = NETWORKS.initialised(init)
    assert {changed.wot.init, changed.ntk.init, changed.regions.init} == {init}
    assert changed.train == NETWORKS.train
    assert NETWORKS.initialised(None) is NETWORKS
    own = {NETWORKS.wot.init, NETWORKS.ntk.init, NETWORKS.regions.init}
    assert own == set(INITIALIZATIONS)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs `nngp-dag score` on tiny networks and random images."""
    monkeypatch.setattr("nngp_dag.nas.networks.registry.space_networks", lambda name: NETWORKS)
    pixels = np.random.default_rng(0).integers(0, 256, size=(20, 4, 4, 3), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", x=pixels)
    (tmp_path / "archs.txt").write_text("\n".join(TEXTS))
    table = "architecture,cifar10\n" + "".join(f'"{text}",{50 + i}\n' for i, text in enumerate(TEXTS))
    (tmp_path / "benchmark.csv").write_text(table)

    def run(*more, which=("--archs", tmp_path / "archs.txt")):
        files = ["--data", tmp_path / "x.npz", "--benchmark", tmp_path / "benchmark.csv"]
        words = ["score", "noisy", *which, *files, *more]
        return CliRunner().invoke(cli, [str(word) for word in words])

    return run


def test_the_command_line_says_how_stable_ranks_are(run):
    result = run("--repeats", 3, "--init", "kaiming-fan-in", "--batch-size", "noisy=5", "--top", 2, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["repeats"], document["init"]) == (3, "kaiming-fan-in")
    assert set(document["rank_stability"]) == {"noisy"}
    rows = document["rows"]
    draws = np.array([[-np.inf if row[f"noisy_{r}"] is None else row[f"noisy_{r}"] for row in rows] for r in (1, 2, 3)])
    assert_close(document["rank_stability"]["noisy"], rank_stability(draws))
    correlations = document["correlations"]["cifar10"]
    assert (correlations["noisy"]["draws"], correlations["parameters"]["draws"]) == (3, 1)
    assert 1 <= correlations["noisy"]["best_rank"] <= 12
    paired = document["against_best_baseline"]["cifar10"]
    assert set(paired) == {"noisy"} and paired["noisy"]["spearman"]["verdict"] in ("above", "below", "undecided")
    values = {name: found["spearman"]["value"] for name, found in correlations.items()}
    own = values.pop("noisy")
    best = max((value, name) for name, value in values.items() if value is not None)
    assert values[paired["noisy"]["spearman"]["baseline"]] == best[0]
    assert_close(paired["noisy"]["spearman"]["value"], own - best[0])
    text = run("--repeats", 2, "--top", 2).stdout
    assert "noisy,noisy_se,effective-depth" in text
    assert "Rank stability over 2 draws" in text
    assert "on cifar10 less that of the best trivial baseline" in text
    assert "precision" in text and "best rank" in text
    assert "Rank stability" not in run().stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--batch-size", "noisy=1"], "'1' is no number of images"),
        (["--batch-size", "1"], "'1' is no number of images"),
        (["--batch-size", "many"], "'many' is no number of images"),
        (["--batch-size", "noisy=5,noisy=6"], "noisy is given twice"),
        (["--batch-size", "nothing=5"], "unknown score 'nothing'"),
        (["--batch-size", "wot=5"], "not among the scores"),
        (["--repeats", "0"], "repeats"),
        (["--init", "zeros"], "kaiming-fan-in"),
    ],
)
def test_bad_choices_are_refused(run, words, message):
    result = run(*words, which=("--sample", 3))
    assert result.exit_code != 0
    assert message in f"{result.output} {result.exception}"
