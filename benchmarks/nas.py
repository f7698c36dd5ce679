"""Architecture scores and searches: seconds a NAS-WOT score, against PyTorch and against compiling every architecture;
what the filter saves.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
from functools import partial

import jax
import numpy as np

from benchmarks.timing import seconds
from nngp_dag.nas import Images, make_score, space_networks
from nngp_dag.nas.networks.initialize import create
from nngp_dag.nas.networks.probe import code_agreement
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


def against_torch(cells, score) -> bool:
    """Score and network in PyTorch by turns with this package's, cell by cell; whether that is not slower.

    PyTorch has its fastest number of threads for every cell: on a busy machine one is often faster than all.
    """
    if importlib.util.find_spec("torch") is None:
        print("  PyTorch is not installed: no comparison with it (pip install torch, then run this again)")
        return True
    import torch

    from benchmarks.nas_torch import Network, wot

    x = np.ascontiguousarray(images().x.transpose(0, 3, 1, 2))
    batch = torch.from_numpy(x)
    threads = sorted({1, torch.get_num_threads()})
    wot(cells[0][0], x)
    ours, theirs, forward = [], [], []
    for cell in cells:
        ours.append(seconds(partial(score, cell)))
        timed, passes = [], []
        for number in threads:
            torch.set_num_threads(number)
            timed.append(seconds(partial(wot, cell[0], x)))
            network = Network(cell[0]).train()
            with torch.no_grad():
                passes.append(seconds(partial(network, batch)))
        theirs.append(min(timed))
        forward.append(min(passes))
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    print(
        f"  PyTorch {torch.__version__} (the faster of {' and '.join(map(str, threads))} threads):"
        f" {statistics.mean(theirs):.3f} s per score, {statistics.mean(forward):.3f} s of it the network;"
        f" this package, by turns: {statistics.mean(ours):.3f} s"
    )
    ratio = sum(theirs) / sum(ours)
    print(f"  PyTorch / this package: {ratio:.2f} (from {min(ratios):.2f} to {max(ratios):.2f}); at least 1 wanted")
    return ratio >= 1


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
    """Print the comparisons; 1 where PyTorch is there and is faster."""
    networks = space_networks("nasbench201")
    score, x, key = make_score("wot", networks), images().batch(128), jax.random.key(0)
    cells = networks.space.sample(NUM, np.random.default_rng(1))
    first = seconds(partial(score, cells[0], x, key))
    ours = seconds_each(lambda cell: score(cell, x, key), cells)
    print(f"NAS-WOT scores of {NUM} random cells, C=16, N=5, 128 images of 32x32")
    print(
        f"  {statistics.mean(ours):.3f} s per score ({min(ours):.3f} to {max(ours):.3f}); the first one {first:.1f} s"
    )
    passed = against_torch(cells, lambda cell: score(cell, x, key))
    against_compiling(cells, ours)
    print("NAS-WOT search among 40 architectures")
    filtered_search()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
