"""Architecture scores and searches: seconds a NAS-WOT score, against the time of its convolutions alone, PyTorch, and
compiling every architecture; its parts against the way they were computed before; what the filter saves.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
from functools import partial

import jax
import numpy as np

from benchmarks.timing import Cost, cheapest_by_turns, seconds
from nngp_dag.nas import Images, make_score, space_networks
from nngp_dag.nas.networks.initialize import create
from nngp_dag.nas.networks.layers import avg_pool_3x3
from nngp_dag.nas.networks.probe import code_agreement
from nngp_dag.nas.scores.scorer import Scorer
from nngp_dag.nas.search.filters import make_filter
from nngp_dag.nas.search.run import SearchSettings, wot_cache
from nngp_dag.nas.search.wot import random_search

NUM = 12


def images() -> Images:
    """Random numbers in the shape of CIFAR-10: what is measured here does not depend on what they show."""
    x = np.random.default_rng(0).normal(size=(128, 32, 32, 3)).astype(np.float32)
    return Images(x, None, "random numbers")


def seconds_each(function, arguments) -> list[float]:
    return [seconds(partial(function, argument)) for argument in arguments]


REQUIRED = 2.5
"""PyTorch's processor time over this package's, of all cells together, that is wanted."""


def against_torch(cells, score) -> bool:
    """Score in PyTorch and in this package, cell by cell and by turns, each the least of three; whether that is fast.

    PyTorch has its fastest number of threads for every cell: on a busy machine one is often faster than all.
    """
    if importlib.util.find_spec("torch") is None:
        print("  PyTorch is not installed: no comparison with it (pip install torch, then run this again)")
        return True
    import torch

    from benchmarks.nas_torch import wot

    x = np.ascontiguousarray(images().x.transpose(0, 3, 1, 2))

    def theirs(threads: int, genes: np.ndarray) -> None:
        torch.set_num_threads(threads)
        wot(genes, x)

    threads = sorted({1, torch.get_num_threads()})
    ratios, ours, torches = [], [], []
    for cell in cells:
        ways = {number: partial(theirs, number, cell[0]) for number in threads}
        costs = cheapest_by_turns({**ways, "ours": partial(score, cell)}, 3)
        ours.append(costs.pop("ours"))
        torches.append(Cost(*(min(times) for times in zip(*costs.values(), strict=True))))
        ratios.append(torches[-1].wall / ours[-1].wall)
    here, there = (Cost(*(sum(times) / len(cells) for times in zip(*all_, strict=True))) for all_ in (ours, torches))
    print(
        f"  PyTorch {torch.__version__} (the faster of {' and '.join(map(str, threads))} threads): {there.wall:.3f} s a"
        f" score, {there.processor:.3f} s of processors; this package, by turns: {here.wall:.3f} s,"
        f" {here.processor:.3f} s"
    )
    ratio = there.processor / here.processor
    print(
        f"  PyTorch / this package: {there.wall / here.wall:.2f} (cells from {min(ratios):.2f} to {max(ratios):.2f},"
        f" median {statistics.median(ratios):.2f}), of processor time {ratio:.2f}; at least {REQUIRED} wanted"
    )
    return ratio >= REQUIRED and there.wall >= here.wall


def against_convolutions(networks, cells, score, x) -> None:
    """Processor time of a score over that of its network's convolutions at the rate of a matrix product, by turns.

    No way to compute these convolutions as sums of products takes less.
    """
    a = jax.numpy.asarray(np.random.default_rng(0).normal(size=(1536, 1536)), jax.numpy.float32)
    product = jax.jit(jax.numpy.matmul)

    def scores() -> None:
        for cell in cells:
            score(cell)

    cost = cheapest_by_turns({"scores": scores, "product": lambda: product(a, a).block_until_ready()}, 5)
    rate = 2 * len(a) ** 3 / cost["product"].processor
    sizes = [networks.size(networks.wot, networks.genes(cell), x.shape[1]) for cell in cells]
    floor = 2 * len(x) * sum(size.multiply_adds for size in sizes) / rate / len(cells)
    each = cost["scores"].processor / len(cells)
    print(
        f"  processor time of a score {each:.3f} s; of its convolutions at {rate / 1e9:.0f} GFLOP/s, the rate of a"
        f" float32 product: {floor:.3f} s ({each / floor:.1f} times that)"
    )


def at_a_time(networks, cells) -> None:
    """Cells a second, one at a time and several."""
    scorer = Scorer.make(["wot"], networks, images())
    ways = {
        f"{threads} at a time": partial(lambda threads: list(scorer.rows(list(cells), threads)), threads)
        for threads in sorted({1, scorer.threads})
    }
    for name, cost in cheapest_by_turns(ways, 3).items():
        each = cost.processor / len(cells)
        print(f"  {name}: {len(cells) / cost.wall:.2f} cells a second, {each:.3f} s of processors each")


def product_of_signs(z):
    """The agreement of codes as a float32 product of +-1."""
    signs = jax.numpy.where(z.reshape(len(z), -1) > 0, 1.0, -1.0).astype(jax.numpy.float32)
    return (signs.shape[1] + (signs @ signs.T).astype(jax.numpy.int32)) // 2


def windows(z):
    """The mean over 3x3 windows by XLA's windows."""

    def total(z):
        padding = ((0, 0), (1, 1), (1, 1), (0, 0))
        return jax.lax.reduce_window(z, np.float32(0), jax.lax.add, (1, 3, 3, 1), (1, 1, 1, 1), padding)

    return total(z) / total(jax.numpy.ones((1, *z.shape[1:3], 1), z.dtype))


def parts() -> None:
    """Codes and pooling on the features of each stage, now and before, by turns; they have to give the same."""
    pairs = {
        "agreement of codes": (partial(code_agreement, count=1, block=True), product_of_signs),
        "3x3 mean": (avg_pool_3x3, windows),
    }
    for name, both in pairs.items():
        ratios = []
        for side, channels in ((32, 16), (16, 32), (8, 64)):
            z = jax.random.normal(jax.random.key(side), (128, side, side, channels), np.float32)
            now, before = (jax.jit(function) for function in both)
            assert (np.asarray(now(z)) == np.asarray(before(z))).all()
            ways = {"now": lambda now=now, z=z: now(z).block_until_ready()}
            ways["before"] = lambda before=before, z=z: before(z).block_until_ready()
            cost = cheapest_by_turns(ways, 9)
            ratios.append(cost["before"].processor / cost["now"].processor)
        shown = ", ".join(f"{ratio:.1f}" for ratio in ratios)
        print(f"  {name}, processor time before / now at 32x32, 16x16 and 8x8: {shown}")


def against_compiling(cells, ours: list[float]) -> None:
    """The same score with the architecture as a constant: one compilation each."""
    networks, x = space_networks("nasbench201"), images().x

    def score(cell) -> None:
        genes = np.asarray(cell[0], np.int32)

        @jax.jit
        def kernel(key):
            _, reports = create(networks.network, networks.wot, key)(x, jax.numpy.asarray(genes), code_agreement)
            return sum(report.sum(0) for report in reports)

        np.linalg.slogdet(np.asarray(kernel(jax.random.key(0)), np.float64))

    taken = seconds_each(score, cells[:3])
    print(f"  compiled for each architecture: {statistics.mean(taken):.2f} s per score")
    print(f"  compiling each / compiling once: {sum(taken) / sum(ours[:3]):.1f}")


def filtered_search() -> None:
    networks = space_networks("nasbench201")
    score, _ = wot_cache(networks, images(), 0, SearchSettings())
    results = {}
    for name in ("none", "half-radius", "released"):
        keep = make_filter(name, networks.space).predicate
        results[name] = random_search(networks.space, score, num=40, rng=np.random.default_rng(0), keep=keep)
    whole = results["none"]
    for name, result in results.items():
        print(
            f"  filter {name}: {result.evaluations} of {result.candidates} evaluated, {result.seconds:.2f} s"
            f" (saves {100 * (1 - result.evaluations / whole.evaluations):.0f} % of the evaluations,"
            f" {100 * (1 - result.seconds / whole.seconds):.0f} % of the seconds)"
        )


def main() -> int:
    """Print the comparisons; 1 where PyTorch is there and falls short of its ratio."""
    networks = space_networks("nasbench201")
    score, x, key = make_score("wot", networks), images().batch(128), jax.random.key(0)
    cells = networks.space.sample(NUM, np.random.default_rng(1))
    first = seconds(partial(score, cells[0], x, key))
    ours = seconds_each(lambda cell: score(cell, x, key), cells)
    print(f"NAS-WOT scores of {NUM} random cells, C=16, N=5, 128 images of 32x32")
    print(
        f"  {statistics.mean(ours):.3f} s per score ({min(ours):.3f} to {max(ours):.3f}); the first one {first:.1f} s"
    )
    against_convolutions(networks, cells, lambda cell: score(cell, x, key), x)
    at_a_time(networks, cells)
    parts()
    passed = against_torch(cells, lambda cell: score(cell, x, key))
    against_compiling(cells, ours)
    print("NAS-WOT search among 40 architectures")
    filtered_search()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
