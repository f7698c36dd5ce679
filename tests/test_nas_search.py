"""Searches: the supernet's depth and width, pruning, the filter's forms, and FP-NAS, on exact small cases."""

import itertools

import numpy as np
import pytest
from helpers import assert_close, assert_mean
from nas_cases import random_images, tiny_networks

from nngp_dag.dag import Op
from nngp_dag.errors import InputError
from nngp_dag.nas import Images
from nngp_dag.nas.networks.choices import Choices
from nngp_dag.nas.search.distribution import FactorisedDistribution
from nngp_dag.nas.search.filters import make_filter
from nngp_dag.nas.search.fp_nas import FpNasSettings, fp_nas
from nngp_dag.nas.search.judge import SupernetJudge
from nngp_dag.nas.search.rules import BoxRule, KeepAll, NearestCentroid
from nngp_dag.nas.search.run import SearchSettings, make_rule, run_search
from nngp_dag.nas.search.te_nas import dense_ranks, prune_search
from nngp_dag.nas.search.wot import ScoreCache, random_search
from nngp_dag.spaces import get

pytestmark = pytest.mark.usefixtures("quick_compilation")

NETWORKS = tiny_networks()
LAYOUT = NETWORKS.layout
SPACE = get("nasbench201")


def random_supernet(seed):
    rng = np.random.default_rng(seed)
    alive = rng.random((6, 5)) < 0.5
    alive[np.arange(6), rng.integers(5, size=6)] = True
    return alive


# ---- effective depth and width of a supernet -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_supernet_figures_are_averages_over_all_architectures_in_it(seed):
    """Literally: the mean number of paths of each depth over every architecture of the supernet, then Eq. 13."""
    alive = random_supernet(seed)
    rows = np.array(list(itertools.product(*(np.flatnonzero(edge) for edge in alive))), np.int8)
    counts = SPACE.path_counts(rows).mean(0)
    depth = counts @ np.arange(len(counts)) / counts.sum() if counts.sum() else 0.0
    width = counts[1:].sum() / depth if depth else 0.0
    assert_close(np.array(LAYOUT.depth_width(alive)), np.array([depth, width]))
    assert_close(np.array(LAYOUT.released_depth_width(alive)), np.array([depth, width]))


def test_a_supernet_of_one_architecture_has_its_figures():
    for row in SPACE.sample(30, np.random.default_rng(1))[:, 0]:
        totals = SPACE.totals(row[None])
        expected = np.array([totals.depth[0], totals.width[0]])
        assert_close(np.array(LAYOUT.depth_width(np.eye(5, dtype=bool)[row])), expected)


# ---- TE-NAS --------------------------------------------------------------------------------------------------------


class Preference:
    """A judge for which every operation has a known effect: removing it changes both statistics by its cost."""

    def __init__(self, seed):
        self.cost = np.random.default_rng(seed).permutation(30).reshape(1, 6, 5) + 1.0
        self.calls = self.rounds = 0

    def new_round(self):
        self.rounds += 1

    def __call__(self, alive):
        self.calls += 1
        total = 1000 + (alive * self.cost).sum()
        # Removing a costly operation lowers the condition number and raises the number of regions.
        return np.array([[total, 1e6 - total]] * 2)


def test_pruning_without_a_filter_keeps_the_cheapest_operation_of_every_edge():
    judge = Preference(0)
    result = prune_search(LAYOUT, judge, precision=9)
    cost = judge.cost.copy()
    cost[..., 0] = np.inf  # `none` is never in the supernet
    assert (result.architecture == cost.argmin(-1)).all()
    assert result.evaluations == result.candidates == 6 * (4 + 3 + 2)
    assert judge.rounds == 3
    assert judge.calls == result.evaluations + 3
    assert result.filtered_share == 0


@pytest.mark.parametrize(("drop", "loss", "expected"), [([0.3, 0.1], [0.0, 0.0], 1), ([0.2, 0.2], [-0.1, 0.4], 1)])
def test_the_removal_that_lowers_the_condition_number_or_keeps_regions_goes_first(drop, loss, expected):
    """Two operations on one edge of a supernet: whichever is better to remove is removed, and `expected` stays."""

    class Judge:
        def new_round(self):
            pass

        def __call__(self, alive):
            removed = {(True, True): None, (False, True): 0, (True, False): 1}[tuple(alive[0, 0, 1:].tolist())]
            if removed is None:
                return np.array([[10.0, 100.0]])
            return np.array([[10.0 * (1 - drop[removed]), 100.0 * (1 - loss[removed])]])

    layout = type(LAYOUT)(
        operations=("none", "a", "b"),
        classes=(Op.ZERO, Op.SKIP, Op.LINEAR),
        edges=((0, 1),),
        inputs=(0,),
        outputs=(1,),
        cells=1,
        prune=1,
        keep=None,
        to_architecture=lambda alive: alive.argmax(-1),
    )
    assert prune_search(layout, Judge()).architecture[0, 0] == expected + 1


def test_equal_figures_share_a_rank():
    assert dense_ranks([3.0, 1.0, 1.0, 7.0]).tolist() == [1, 0, 0, 2]


def test_the_released_rule_keeps_the_two_nearest_the_centroid_unevaluated():
    judge = Preference(1)
    result = prune_search(LAYOUT, judge, rule=NearestCentroid())
    # Rounds with 4, 3, 2 operations an edge reserve 2, 1, 0 of them.
    assert result.candidates == 54
    assert result.evaluations == 6 * (2 + 2 + 2)
    alive = LAYOUT.supernet()[0]
    without = [alive.copy() for _ in range(4)]
    for i, supernet in enumerate(without, start=1):
        supernet[3, i] = False
    values = np.array([LAYOUT.released_depth_width(s) for s in without])
    distance = ((values - values.mean(0)) ** 2).sum(1)
    evaluated = set(NearestCentroid().plan(LAYOUT, without, 1).evaluate)
    assert evaluated == set(range(4)) - set(np.argsort(distance, kind="stable")[:2].tolist())


def test_the_box_rule_never_makes_a_removal_outside_while_one_inside_is_left():
    box = SPACE.range.shrink("0.5")
    rule = BoxRule(box)
    alive = LAYOUT.supernet()[0]
    lower = [float(box.depth_min), float(box.width_min)]
    upper = [float(box.depth_max), float(box.width_max)]
    seen = set()
    for seed in range(40):
        supernet = random_supernet(seed) & alive
        supernet[~supernet.any(1), 1] = True
        for edge in np.flatnonzero(supernet.sum(1) > 1):
            without = []
            for operation in np.flatnonzero(supernet[edge]):
                without.append(supernet.copy())
                without[-1][edge, operation] = False
            values = np.array([LAYOUT.depth_width(s) for s in without])
            inside = ((values >= lower) & (values <= upper)).all(1)
            plan = rule.plan(LAYOUT, without, 1)
            if inside.sum() > 1:
                assert set(plan.evaluate) == set(np.flatnonzero(inside).tolist())
                assert plan.remove == ()
            else:
                assert plan.evaluate == ()
                assert len(plan.remove) == 1
                assert inside[plan.remove[0]] or not inside.any()
            seen.add(min(int(inside.sum()), 2))
    assert seen == {0, 1, 2}


def test_the_filter_chooses_the_rule():
    assert isinstance(make_rule(make_filter("none", SPACE)), KeepAll)
    assert isinstance(make_rule(make_filter("released", SPACE)), NearestCentroid)
    rule = make_rule(make_filter("half-radius", SPACE))
    assert isinstance(rule, BoxRule)
    assert rule.box == SPACE.range.shrink("0.5")


def test_the_judge_gives_the_figures_of_single_architectures_too():
    """A supernet with one operation an edge: the scores of that architecture, with the judge's weights."""
    judge = SupernetJudge(NETWORKS, random_images(), np.random.default_rng(0), batch_size=4, patches=20, repeats=2)
    judge.compile()
    judge.new_round()
    row = SPACE.parse("|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|")
    values = judge(np.eye(5, dtype=bool)[row])
    assert values.shape == (2, 2)
    from nngp_dag.nas import make_score

    for i in range(2):
        assert_close(values[i, 0], make_score("ntk-cond", NETWORKS)(row, judge.batch, judge.keys[2 * i]))
        assert values[i, 1] == make_score("linear-regions", NETWORKS)(row, judge.patches, judge.keys[2 * i + 1])


# ---- NAS-WOT -------------------------------------------------------------------------------------------------------


def test_random_search_returns_the_best_of_what_passes():
    def value(rows):
        return float(rows.astype(int).sum())

    rng = np.random.default_rng(3)
    draws = SPACE.sample(60, np.random.default_rng(3))
    free = random_search(SPACE, ScoreCache(value), num=60, rng=rng)
    assert (free.evaluations, free.candidates) == (60, 60)
    assert free.details["score"] == max(value(d) for d in draws)
    keep = make_filter("half-radius", SPACE).predicate
    kept = random_search(SPACE, ScoreCache(value), num=60, rng=np.random.default_rng(3), keep=keep)
    passing = [d for d in draws if keep(d)]
    assert kept.evaluations == len(passing) < 60
    assert kept.details["score"] == max(value(d) for d in passing)
    assert keep(kept.architecture)
    assert_close(kept.filtered_share, 1 - len(passing) / 60)
    with pytest.raises(InputError, match="none of 3 random architectures passes"):
        random_search(SPACE, ScoreCache(value), num=3, rng=np.random.default_rng(0), keep=lambda _: False)


def test_scores_are_computed_once_and_cost_what_they_took():
    calls = []
    cache = ScoreCache(lambda rows: calls.append(rows) or 1.0)
    first = cache(np.zeros((1, 6), np.int8))
    assert cache(np.zeros((1, 6), np.int8)) == first
    assert len(calls) == 1


def test_filters_by_name():
    assert make_filter("none", SPACE).predicate is None
    box = make_filter("released", SPACE).predicate.box
    assert [float(b) for b in box.bounds] == [0.99, 2.51, 0.99, 3.01]
    assert make_filter("radius:0.25", SPACE).predicate.box == SPACE.range.shrink("0.25")
    assert make_filter("1,2,1,3", SPACE).predicate.box.bounds == (1, 2, 1, 3)
    for bad in ("half", "1,2", "2,1,1,3", "radius:-1"):
        with pytest.raises(InputError):
            make_filter(bad, SPACE)
    with pytest.raises(InputError, match="released code has no box"):
        make_filter("released", get("complete-3"))


# ---- FP-NAS --------------------------------------------------------------------------------------------------------

CHOICES = Choices((3, 5), decode=lambda o: o[None], active=lambda o: np.array([True, o[0] > 0]))


def test_the_distribution_samples_what_it_says():
    distribution = FactorisedDistribution(CHOICES)
    distribution.logits[:, :3] += [[0.5, -0.2, 0.1], [1.0, 0.0, -1.0]]
    options = distribution.sample(4000, np.random.default_rng(0))
    assert (options[:, 0] < 3).all()
    assert_mean(np.eye(5)[options], distribution.probabilities, power=0.3)
    p = distribution.probabilities
    expected = -sum(v * np.log(v) for v in p[p > 0])
    assert_close(distribution.entropy, expected)
    assert distribution.mode().tolist() == [0, 0]


def test_its_gradient_is_that_of_finite_differences():
    distribution = FactorisedDistribution(CHOICES)
    rng = np.random.default_rng(1)
    distribution.logits[distribution.logits > -np.inf] = rng.normal(size=8)
    options, weights = distribution.sample(5, rng), rng.random(5)
    gradient = distribution.gradient(options, weights)
    for index in np.argwhere(distribution.logits > -np.inf):
        values = []
        for step in (1e-6, -1e-6):
            distribution.logits[tuple(index)] += step
            values.append(weights @ distribution.log_probability(options))
            distribution.logits[tuple(index)] -= step
        assert_close(
            gradient[tuple(index)], (values[0] - values[1]) / 2e-6, tolerance=1e-4, reason="finite differences"
        )
    assert gradient[0, 3:].tolist() == [0, 0]


def test_choices_that_do_not_matter_have_no_part_in_the_probability():
    distribution = FactorisedDistribution(CHOICES)
    assert_close(distribution.log_probability(np.array([[0, 4], [1, 4]])), np.log([1 / 3, 1 / 15]))


SMALL = FpNasSettings(steps=6, warmup=2, batch_size=16)


@pytest.fixture(scope="module")
def fp_results():
    keep = make_filter("half-radius", SPACE).predicate
    return {
        name: fp_nas(NETWORKS, random_images(), seed=0, settings=SMALL, keep=rule)
        for name, rule in (("none", None), ("filtered", keep), ("again", None))
    }


def test_fp_nas_is_a_function_of_its_seed(fp_results):
    assert (fp_results["none"].architecture == fp_results["again"].architecture).all()
    assert fp_results["none"].details == fp_results["again"].details


def test_fp_nas_evaluates_only_what_passes_and_returns_what_passes(fp_results):
    filtered, free = fp_results["filtered"], fp_results["none"]
    assert free.evaluations == free.candidates
    assert filtered.evaluations < filtered.candidates
    assert make_filter("half-radius", SPACE).predicate(filtered.architecture)
    # Entropy falls as the distribution learns, from 6 ln 5.
    assert free.details["entropy"] < 6 * np.log(5)


def test_fp_nas_learns_what_helps():
    """On images whose class is their mean colour, architectures without a path cannot beat chance: they die out."""
    settings = FpNasSettings(steps=40, warmup=20, batch_size=16, samples_per_nat=0.5, alpha_rate=0.2)
    result = fp_nas(NETWORKS, random_images(n=60), seed=1, settings=settings)
    assert SPACE.totals(result.architecture).paths[0] > 0


def test_fp_nas_refuses_what_it_cannot_use():
    with pytest.raises(InputError, match="labels"):
        fp_nas(NETWORKS, Images(random_images().x, None, "plain"), settings=SMALL)
    with pytest.raises(InputError, match="only 10"):
        fp_nas(NETWORKS, random_images(n=10), settings=SMALL)
    with pytest.raises(InputError, match="passes the filter"):
        fp_nas(NETWORKS, random_images(), settings=SMALL, keep=lambda _: False)


# ---- all of them ---------------------------------------------------------------------------------------------------


def test_searches_by_name_see_the_same_draws_with_and_without_a_filter():
    settings = SearchSettings(num=12, batch_size=6, ntk_images=4, patches=20, repeats=1, fp_nas=SMALL)
    for name in ("wot", "te-nas"):
        results = [
            run_search(name, NETWORKS, random_images(), chosen=make_filter(f, SPACE), seed=0, settings=settings)
            for f in ("none", "half-radius", "released")
        ]
        assert results[0].candidates == results[1].candidates == results[2].candidates
        assert results[0].evaluations == results[0].candidates > results[1].evaluations
        assert results[2].evaluations < results[0].evaluations
        assert all(r.seconds >= 0 and r.compile_seconds > 0 for r in results)
    with pytest.raises(InputError, match="unknown search"):
        run_search("darts", NETWORKS, random_images(), chosen=make_filter("none", SPACE))


def test_whether_what_was_found_passes_the_filter():
    """TE-NAS's rule looks at one removal at a time; where none stays inside the box, nothing is judged: an error."""
    settings = SearchSettings(num=20, batch_size=6, ntk_images=4, patches=20, repeats=1)
    for name, text in (("wot", "half-radius"), ("wot", "none"), ("te-nas", "half-radius"), ("te-nas", "released")):
        chosen = make_filter(text, SPACE)
        found = run_search(name, NETWORKS, random_images(), chosen=chosen, settings=settings)
        judged = chosen.predicate is not None and (name, text) != ("te-nas", "released")
        assert found.passes == (chosen.predicate(found.architecture) if judged else None)
    with pytest.raises(InputError, match="no operation's removal stays inside"):
        run_search(
            "te-nas", NETWORKS, random_images(), chosen=make_filter("90,91,90,91", SPACE), seed=0, settings=settings
        )


def test_scores_asked_for_between_others_keep_their_architectures():
    cache = ScoreCache(lambda rows: float(rows.sum()))
    rows = [np.full((1, 6), i) for i in range(3)]
    each = cache.each(rows)
    found = [next(each)[0], cache(rows[1])[0], next(each)[0], next(each)[0]]
    assert found == [0, 6, 6, 12]
