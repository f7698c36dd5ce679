"""The claims of Tables 1 to 3: their recorded data, and their statistics written out."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nngp_dag import accuracy, spaces
from nngp_dag.accuracy.filters import AUTHORS_BOX
from nngp_dag.nas.images import load_images
from nngp_dag.spaces.prefilter import prefilter
from verify import Context
from verify.claims import _table_2_maxima, _wot_rankings, table_2, table_2_optimum, table_3
from verify.claims._paired_searches import PairedSearches, found, random_filter
from verify.claims._table_costs import dropped, dropped_by_released_rule, resolution, saves_at_least
from verify.claims._wot_rankings import DATASETS, DRAWS, KEPT, Ranked, drawn, load_rankings, rank
from verify.claims.table_1 import _agrees, _savings_of_draws

_FILE = "nas_bench_201_test_accuracy.csv"


def test_recorded_maxima_are_those_of_the_benchmark(shared_data) -> None:
    benchmark = accuracy.read("nasbench201", shared_data / _FILE)
    assert _table_2_maxima.summarise(benchmark) == _table_2_maxima.FILE.read_text()


def test_recorded_rankings_are_draws_with_the_accuracies_of_the_benchmark(shared_data) -> None:
    benchmark = accuracy.read("nasbench201", shared_data / _FILE)
    place = {row.tobytes(): i for i, row in enumerate(benchmark.architectures.astype(np.int8))}
    quarter = prefilter("nasbench201", "1/4")
    for seed, ranked in load_rankings().items():
        assert not Counter(r.genes.tobytes() for r in ranked) - Counter(d.tobytes() for d in drawn(seed))
        scores = [r.score for r in ranked]
        assert scores == sorted(scores, reverse=True)
        assert len(ranked) == KEPT or quarter(ranked[-1].genes) or len(ranked) == DRAWS
        for draw in ranked:
            published = {name: benchmark.accuracy[name][place[draw.genes.tobytes()]] for name in DATASETS}
            assert draw.accuracy == pytest.approx(published, abs=1e-4)


@pytest.mark.full
def test_recorded_ranking_is_that_of_the_networks(shared_data) -> None:
    images = load_images(shared_data / "cifar10_subset.npz")
    ranked = rank(images, accuracy.read("nasbench201", shared_data / _FILE), 0)
    recorded = load_rankings()[0]
    assert [r.score for r in ranked[:KEPT]] == pytest.approx([r.score for r in recorded[:KEPT]], rel=1e-3)
    assert ranked[0].code == recorded[0].code


def test_rankings_are_written_as_they_are_read() -> None:
    assert _wot_rankings.ranking_text(load_rankings()) == _wot_rankings.FILE.read_text()


def test_dropped_share_is_that_of_every_architecture() -> None:
    space = spaces.get("nasbench201")
    cells = space.cells_at(np.arange(space.num_cells))
    for box in (space.range.shrink("1/2"), AUTHORS_BOX["nasbench201"]):
        keep = prefilter("nasbench201", ranges=box.bounds)
        assert dropped("nasbench201", box) * space.num_cells == sum(not keep(cell[None]) for cell in cells)


def test_counted_share_of_darts_is_that_of_random_draws() -> None:
    exact = dropped("darts", spaces.get("darts").range.shrink("1/2"), 2)
    assert _agrees(exact, _savings_of_draws(np.random.default_rng(0), 10), 10).holds


def test_released_rule_saves_as_many_whatever_the_rankings() -> None:
    for seed in range(2):
        saved, same = dropped_by_released_rule("nasbench201", np.random.default_rng(seed))
        assert (saved.numerator, saved.denominator) == (1, 3) and same.holds


def test_saving_is_compared_at_the_printed_decimal() -> None:
    for percent, outcome in (("40.15", True), ("40.14", False), ("40.2", True)):
        assert saves_at_least(Fraction(percent) / 100, 40.2, "", 1).holds is outcome


def test_costs_of_few_digits_leave_much_open() -> None:
    low, high = resolution("0.0036", "0.003")
    assert low == pytest.approx(100 * (1 - 0.0035 / 0.00355)) and high == pytest.approx(100 * (1 - 0.0025 / 0.00365))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(50, 90), st.floats(50, 90)), min_size=2, max_size=12))
def test_difference_is_the_paired_t_test(pairs: list[tuple[float, float]]) -> None:
    first, second = np.transpose(pairs)
    differences = first - second
    low, high = stats.t.interval(0.99, len(pairs) - 1, differences.mean(), stats.sem(differences) or 1e-300)
    difference = PairedSearches("", "cifar10", first, second).difference
    assert difference.interval == pytest.approx((low, high), abs=1e-9)


def test_outcomes_of_comparisons() -> None:
    def of(*differences: float) -> PairedSearches:
        return PairedSearches("", "cifar10", differences, [0.0] * len(differences))

    same, better, worse, noise = of(0, 0, 0), of(1, 1.01, 0.99), of(-1, -1.01, -0.99), of(-1, 1, 0.1)
    assert [c.not_lost().holds for c in (same, better, worse, noise)] == [True, True, False, None]
    assert [c.gained().holds for c in (same, better, worse, noise)] == [False, True, False, None]
    assert [c.equivalent(0.5).holds for c in (same, better, worse, noise)] == [True, False, False, None]


def test_random_filter_is_the_mean_over_its_lots() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(60, 70, 30)
    ranked = [Ranked(np.zeros((1, 6), np.int8), -i, {"cifar10": value}) for i, value in enumerate(values)]
    passes = rng.random((20_000, 30)) < 0.4
    first = values[passes[passes.any(1)].argmax(1)]
    expected = random_filter(ranked, 0.4, "cifar10")
    assert stats.ttest_1samp(first, expected).pvalue > 1e-3
    assert found(ranked, lambda genes: True, "cifar10") == values[0]


def test_verdicts() -> None:
    assert table_2_optimum.check(Context("table-2-optimum")).verdict() == "holds"
    costs = [f for f in table_2.check(Context("table-2")).findings if "accuracy" not in f.label]
    assert len(costs) == 6 and all(f.holds for f in costs)


def test_no_control_of_paired_searches_fails() -> None:
    for module in (table_2, table_3):
        evidence = module.check(Context("table"))
        assert evidence.controls and not evidence.failed_controls
