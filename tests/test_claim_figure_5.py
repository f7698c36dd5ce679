"""The claim of Figure 5: its recorded groups, and its comparisons written out."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from nngp_dag import accuracy, spaces
from nngp_dag.accuracy.groups import group
from verify import Context
from verify.claims import figure_5, figure_5_variance
from verify.claims._figure_5_groups import COMPLETE, DATASETS, FILE, INCOMPLETE, load_groups, merged, summarise


def test_recorded_groups_are_those_of_the_benchmark(shared_data) -> None:
    benchmark = accuracy.read("nasbench201", shared_data / "nas_bench_201_test_accuracy.csv")
    assert summarise(benchmark) == FILE.read_text()


def test_groups_cover_the_space() -> None:
    groups = load_groups()
    assert sum(g.count for g in groups if g.cells == COMPLETE) == 15_625
    assert sum(g.count for g in groups if g.cells == INCOMPLETE) == 6**3
    counted = spaces.get("nasbench201").distribution()
    by_number = np.bincount(counted.parameterised, [int(n) for n in counted.multiplicity])
    for number, total in enumerate(by_number):
        assert sum(g.count for g in groups if g.cells == COMPLETE and g.parameterised == number) == total


def test_verdict_and_readings() -> None:
    evidence = figure_5.check(Context("figure-5"))
    assert evidence.verdict() == "holds-conditionally"
    complete = [r for r in evidence.findings if "incomplete" not in r.label]
    incomplete = [r for r in evidence.findings if "incomplete" in r.label]
    assert len(complete) == 18 and all(r.holds for r in complete)
    assert [r.holds for r in incomplete] == [None, False, False]  # CIFAR-10 is undecided at 99 %


def test_comparison_is_welchs_on_the_architectures(shared_data) -> None:
    benchmark = accuracy.read("nasbench201", shared_data / "nas_bench_201_test_accuracy.csv")
    inside = benchmark.totals.within(benchmark.space.range.shrink("1/2"))
    outside = benchmark.totals.nondegenerate & ~inside
    evidence = figure_5.check(Context("figure-5"))
    for dataset, title in zip(DATASETS, ("CIFAR-10", "CIFAR-100", "ImageNet16-120"), strict=True):
        values = benchmark.accuracy[dataset]
        test = stats.ttest_ind(values[inside], values[outside], equal_var=False)
        interval = test.confidence_interval(0.99)
        (reading,) = [r for r in evidence.findings if r.label == f"{title}, complete space, outside"]
        assert reading.worst == pytest.approx(values[inside].mean() - values[outside].mean(), abs=1e-5)
        assert f"[{interval.low:.2f}, {interval.high:.2f}]" in reading.detail


def test_merging_groups_is_exact() -> None:
    groups = [g for g in load_groups() if g.cells == COMPLETE and g.parameterised == 6]
    assert merged(groups, "cifar10")[0] == 64
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=n) for n in (3, 10, 1)]
    made = [replace(groups[0], count=len(p), mean={"cifar10": p.mean()}, variance={"cifar10": p.var()}) for p in parts]
    everything = np.concatenate(parts)
    assert merged(made, "cifar10") == pytest.approx((14, everything.mean(), everything.var(ddof=1)))


def test_variances_are_compared_by_brown_and_forsythes_distances(shared_data) -> None:
    benchmark = accuracy.read("nasbench201", shared_data / "nas_bench_201_test_accuracy.csv").fixed(3)
    inside = benchmark.totals.within(benchmark.space.range.shrink("1/2"))
    outside = benchmark.totals.nondegenerate & ~inside
    member = group(benchmark).member
    evidence = figure_5_variance.check(Context("figure-5-variance"))
    assert evidence.verdict() == "holds-conditionally"
    for dataset, title in zip(DATASETS, ("CIFAR-10", "CIFAR-100", "ImageNet16-120"), strict=True):
        values = benchmark.accuracy[dataset]
        medians = np.array([np.median(values[member == i]) for i in range(member.max() + 1)])
        distance = np.abs(values - medians[member])
        interval = stats.ttest_ind(distance[outside], distance[inside], equal_var=False).confidence_interval(0.99)
        (reading,) = [f for f in evidence.findings if f.label == f"{title}, architectures, d or m extreme"]
        assert f"[{interval.low:.2f}, {interval.high:.2f}]" in reading.detail


def test_an_exact_permutation_test_agrees_with_scipys() -> None:
    radius = np.array([1.0, 2.0, 3.5, 0.7, 5.0, 1.3, 2.2])
    extreme = np.array([False, True, True, False, True, False, False])
    splits = figure_5_variance._splits(len(radius), 3)
    value, above, below = figure_5_variance._permuted(radius, extreme, splits)

    def difference(x, y, axis):
        return x.mean(axis=axis) - y.mean(axis=axis)

    samples = (np.log(radius[extreme]), np.log(radius[~extreme]))
    for alternative, p in (("greater", above), ("less", below)):
        test = stats.permutation_test(samples, difference, vectorized=True, n_resamples=np.inf, alternative=alternative)
        assert (value, p) == pytest.approx((test.statistic, test.pvalue))
