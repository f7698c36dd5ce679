"""The claim of Figure 5: its recorded groups, and its comparisons written out."""

import numpy as np
import pytest
from scipy import stats

from nngp_dag import accuracy, spaces
from verify import Context
from verify.claims import figure_5
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
    made = [
        type(groups[0])("x", 0, groups[0].depth, groups[0].width, len(p), {"cifar10": p.mean()}, {"cifar10": p.var()})
        for p in parts
    ]
    everything = np.concatenate(parts)
    assert merged(made, "cifar10") == pytest.approx((14, everything.mean(), everything.var(ddof=1)))
