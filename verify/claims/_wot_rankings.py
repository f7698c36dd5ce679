"""Rankings of NAS-WOT on NAS-Bench-201, recorded: what Tables 2 and 3 need of networks and of the benchmark.

A run of the search draws 100 architectures and takes the one of the best score; a filter takes the best that passes.
So the draws in the order of their scores decide every filter at once, random ones too. `data/wot_rankings.csv` holds,
for each seed, the best `KEPT` draws, and more until one lies within a quarter of the radius (the narrowest filter of
Table 3). Networks are those of the search at its full size (16 channels, 5 cells a stage, batches of 128 images).
`record` makes it, a minute a seed on two cores:

    python -m verify.claims._wot_rankings cifar10.npz nas_bench_201_test_accuracy.csv 20
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nngp_dag.accuracy import Benchmark, read
from nngp_dag.nas.images import Images, load_images
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.reproduce.tables.measured import accuracy_of
from nngp_dag.spaces import get
from nngp_dag.spaces.prefilter import prefilter
from nngp_dag.support.files import write_text
from verify import Context

__all__ = ["DATASETS", "DRAWS", "FILE", "KEPT", "Ranked", "drawn", "load_rankings", "rank", "ranking_text", "rankings"]

FILE = Path(__file__).parent / "data" / "wot_rankings.csv"
DATASETS = ("cifar10", "cifar100", "imagenet16_120")
DRAWS, KEPT = 100, 30

_BENCHMARK = "nas_bench_201_test_accuracy.csv"
_FRESH = (1000, 1001)
"""Seeds of the searches that are made anew, in the full profile."""


@dataclass(frozen=True)
class Ranked:
    """A draw of one search.

    Attributes:
        genes: the operation of each edge, int8 [1, 6].
        score: NAS-WOT's, of the network with random weights.
        accuracy: test accuracy by data set, in percent.
    """

    genes: np.ndarray
    score: float
    accuracy: Mapping[str, float]

    @property
    def code(self) -> str:
        """The genes as digits."""
        return "".join(map(str, self.genes[0]))


def drawn(seed: int) -> np.ndarray:
    """The draws of a seed, as the search makes them, int8 [100, 1, 6]."""
    return get("nasbench201").sample(DRAWS, np.random.default_rng(seed))


def load_rankings(file: Path = FILE) -> dict[int, list[Ranked]]:
    """The recorded draws of each seed, from the best score down."""
    rankings: dict[int, list[Ranked]] = {}
    with file.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            genes = np.array([[int(digit) for digit in row["cell"]]], dtype=np.int8)
            ranked = Ranked(genes, float(row["score"]), {name: float(row[name]) for name in DATASETS})
            rankings.setdefault(int(row["seed"]), []).append(ranked)
    return rankings


def rankings(context: Context) -> dict[int, list[Ranked]]:
    """The recorded draws by seed; in the full profile, where --data-dir has CIFAR-10 and the benchmark, with those of
    searches made anew.
    """
    found = load_rankings()
    if context.profile == "full" and context.data_dir is not None:
        file = Path(context.data_dir) / _BENCHMARK
        if file.is_file():
            images, benchmark = load_images("cifar10", data_dir=context.data_dir), read("nasbench201", file)
            found |= {seed: rank(images, benchmark, seed) for seed in _FRESH}
    return found


def rank(images: Images, benchmark: Benchmark, seed: int) -> list[Ranked]:
    """The draws of a seed from the best score down, scored with networks; of equal scores the first draw first."""
    from nngp_dag.nas.search.run import SearchSettings, wot_cache  # brings networks in

    score, _ = wot_cache(space_networks("nasbench201"), images, seed, SearchSettings(num=DRAWS))
    draws = drawn(seed)
    scores = [score(draw)[0] for draw in draws]
    order = np.argsort(-np.asarray(scores), kind="stable")
    return [Ranked(draws[i], scores[i], accuracy_of(benchmark, draws[i])) for i in order]


def ranking_text(rankings: Mapping[int, list[Ranked]]) -> str:
    """The text of `FILE`."""
    quarter = prefilter("nasbench201", "1/4")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["seed", "cell", "score", *DATASETS])
    for seed, ranked in rankings.items():
        needed = next((i + 1 for i, draw in enumerate(ranked) if quarter(draw.genes)), DRAWS)
        for draw in ranked[: max(KEPT, needed)]:
            values = [f"{draw.accuracy[name]:.4f}" for name in DATASETS]
            writer.writerow([seed, draw.code, f"{draw.score:.6f}", *values])
    return stream.getvalue()


def _record(images: str, benchmark: str, seeds: int) -> None:
    """Rank the draws of seeds 0, 1, ..., and write the file anew after each."""
    pixels, accuracies = load_images(images), read("nasbench201", benchmark)
    rankings = {}
    for seed in range(seeds):
        rankings[seed] = rank(pixels, accuracies, seed)
        write_text(FILE, ranking_text(rankings))


if __name__ == "__main__":
    _record(sys.argv[1], sys.argv[2], int(sys.argv[3]))
