"""Scoring from Python: where architectures come from, and runs that are interrupted and go on."""

from __future__ import annotations

import numpy as np
import pytest
from nas_cases import random_images, tiny_networks

from nngp_dag.accuracy import read
from nngp_dag.errors import InputError
from nngp_dag.nas.scores.run import rank_scores, score_architectures
from nngp_dag.nas.scores.scorer import Scorer
from nngp_dag.nas.scores.source import ArchitectureSource

NETWORKS = tiny_networks()
SPACE = NETWORKS.space
TEXTS = [SPACE.write(genes) for genes in SPACE.sample(8, np.random.default_rng(3))]


def scorer(names=("effective-depth",), **options):
    return Scorer.make(names, NETWORKS, random_images(), batch_size=6, **options)


def scores(rows):
    return [{name: value for name, value in row.items() if name not in ("seconds", "settings")} for row in rows]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_an_interrupted_run_goes_on_and_gives_the_same_rows(tmp_path, capsys, suffix):
    out = tmp_path / f"scores{suffix}"
    seen = []

    def interrupt(row):
        seen.append(row)
        if len(seen) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_architectures(scorer(["wot"]), TEXTS, out, on_row=interrupt)
    first = suffix == ".csv"
    lines = out.read_bytes().split(b"\n")
    lines[first + 1] = lines[first + 1].replace(b".", b"1.", 1)  # a number that is another now
    out.write_bytes(b"\n".join(lines))
    found = score_architectures(scorer(["wot"]), TEXTS, out)
    assert "1 damaged" in capsys.readouterr().err
    assert found.num_resumed == 3
    alone = score_architectures(scorer(["wot"]), TEXTS)
    assert alone.num_resumed == 0 and scores(found.rows) == scores(alone.rows)
    again = score_architectures(scorer(["wot"]), TEXTS, out)
    assert again.num_resumed == 8 and scores(again.rows) == scores(alone.rows)
    with pytest.raises(InputError, match="holds rows of another run"):
        score_architectures(scorer(["wot"], options={"wot": {"weights": "released"}}), TEXTS, out)


def test_each_architecture_comes_once_and_bad_lines_are_counted(tmp_path):
    lines = [f"{text}\n".encode() for text in (TEXTS[0], "", "nonsense", TEXTS[1], TEXTS[0])]
    source = ArchitectureSource(NETWORKS, lines, skip_bad=True)
    assert list(source) == TEXTS[:2]
    assert (source.bad, source.duplicates, source.total) == (1, 1, None)
    with pytest.raises(InputError, match="line 3: "):
        list(ArchitectureSource(NETWORKS, lines))
    table = tmp_path / "few.csv"
    table.write_text(f"architecture,cifar10\n{TEXTS[1]},80\n")
    few = ArchitectureSource(NETWORKS, lines, skip_bad=True, benchmark=read(SPACE, table))
    assert list(few) == [TEXTS[1]] and few.bad == 3
    sample = ArchitectureSource(NETWORKS, sample=8, seed=3)
    assert list(sample) == list(dict.fromkeys(TEXTS)) and sample.total == 8
    assert sum(1 for _ in ArchitectureSource(NETWORKS)) == SPACE.num_architectures


def test_scores_are_ranked_by_a_benchmark(tmp_path):
    table = tmp_path / "accuracy.csv"
    numbers = {text: float(SPACE.num_parameterised(SPACE.parse(text)).sum()) for text in TEXTS}
    table.write_text("architecture,cifar10\n" + "".join(f"{text},{50 + n}\n" for text, n in numbers.items()))
    baselines, benchmark = scorer(), read(SPACE, table)
    rows = score_architectures(baselines, TEXTS).rows
    found = rank_scores(baselines, rows, benchmark, top=2)
    assert set(found) == {"cifar10"} and set(found["cifar10"]) == set(baselines.names)
    assert found["cifar10"]["num-parameterised"].spearman.value == pytest.approx(1)
    assert found["cifar10"]["num-parameterised"].top == 2
    with pytest.raises(InputError, match="no rank correlations: 2 architectures, 3 are needed"):
        rank_scores(baselines, rows[:2], benchmark)
