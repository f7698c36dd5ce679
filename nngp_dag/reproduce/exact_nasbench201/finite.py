"""NAS-WOT and TE-NAS' condition number of the study's cells, from finite networks with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.scores.run import score_architectures
from nngp_dag.nas.scores.scorer import Scorer
from nngp_dag.reproduce.exact_nasbench201.scores_file import read_scores
from nngp_dag.spaces.nasbench201 import NasBench201
from nngp_dag.support.progress import ProgressBar, no_progress

__all__ = ["BATCHES", "CHANNELS", "STAGE_CELLS", "finite_scores"]

CHANNELS, STAGE_CELLS = 8, 1
"""Channels and cells of a stage of NAS-WOT's networks, a half and a fifth of the published ones: a third of a second a
cell. TE-NAS' networks have its own sizes.
"""

BATCHES = {"wot": 64, "ntk-cond": 16}
"""Scores, and the images of their batches."""


def finite_scores(
    images: Images, cells: np.ndarray, out: Path, seed: int = 0, progress: ProgressBar = no_progress
) -> dict[str, dict[str, float]]:
    """By score, its value for each cell's string, higher better; -inf where a kernel is singular.

    Args:
        images: batches are drawn from them; all of them where they are fewer.
        cells: genes [C, 6], one of each class.
        out: a .csv file that a second start goes on with: the rows of `nngp-dag score`.
        seed: of weights and batches.
        progress: opens a progress bar.

    Raises:
        InputError: the file cannot be written or holds something else, or images that the networks do not take.
    """
    networks = space_networks("nasbench201").resized(CHANNELS, STAGE_CELLS)
    sizes = {name: min(size, len(images.x)) for name, size in BATCHES.items()}
    scorer = Scorer.make(list(sizes), networks, images, seed=seed, batch_size=sizes)
    space = NasBench201()
    texts = [space.write(genes[None]) for genes in cells]
    score_architectures(scorer, texts, out, total=len(texts), progress=progress)
    chosen = set(texts)
    return {
        name: {text: value for text, value in values.items() if text in chosen}
        for name, values in read_scores(out).items()
    }
