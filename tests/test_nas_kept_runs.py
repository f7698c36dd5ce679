"""Runs of searches that are kept as they end: killed, failed, refused, taken up again."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from nas_cases import random_images, tiny_networks

from nngp_dag.errors import InputError
from nngp_dag.nas.search.kept_runs import KeptRuns, SearchRun, run_series, settings_digest
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.run import SearchSettings
from nngp_dag.spaces import get

SPACE = get("nasbench201")
PLAN = [SearchRun("wot", "none", seed) for seed in range(4)]


def computed(run):
    """A result that only its seed decides."""
    (draw,) = SPACE.sample(1, np.random.default_rng(run.seed))
    passes = (None, True, False)[run.seed % 3]
    return SearchResult(draw, 7, run.seed, 0.1 * run.seed, 1 / 3, {"score": -np.inf, "steps": 3}, passes)


def same(found, expected):
    return list(found) == list(expected) and all(
        (found[run].architecture == expected[run].architecture).all()
        and {**vars(found[run]), "architecture": 0} == {**vars(expected[run]), "architecture": 0}
        for run in expected
    )


def test_what_was_kept_is_what_was_computed(tmp_path):
    out, made, told = tmp_path / "runs.jsonl", [], []

    def compute(run):
        made.append(run)
        if len(made) == 3:
            raise KeyboardInterrupt
        return computed(run)

    with pytest.raises(KeyboardInterrupt), KeptRuns(SPACE, out, "same") as kept:
        run_series(PLAN, compute, kept)
    with KeptRuns(SPACE, out, "same") as kept:
        series = run_series(PLAN, compute, kept, on_resumed=lambda *counts: told.append(counts))
    assert made == [*PLAN[:3], *PLAN[2:]] and told == [(2, 4)] and series.num_resumed == 2
    assert same(series.results, {run: computed(run) for run in PLAN})
    assert [json.loads(line)["seed"] for line in out.read_text().splitlines()] == [0, 1, 2, 3]
    with KeptRuns(SPACE, out, "same") as kept:  # a finished series may be made longer
        longer = run_series([*PLAN, SearchRun("wot", "none", 9)], compute, kept)
    assert longer.num_resumed == 4 and len(longer.results) == 5
    with pytest.raises(InputError, match="rows of other searches"):
        KeptRuns(SPACE, out, "others")


@pytest.mark.parametrize("error", [InputError("nothing passes"), RuntimeError("a broken device")])
def test_a_run_that_fails_takes_no_other_with_it(tmp_path, error):
    out = tmp_path / "runs.jsonl"

    def compute(run):
        if run.seed == 1:
            raise error
        return computed(run)

    with KeptRuns(SPACE, out, "same") as kept:
        series = run_series(PLAN, compute, kept)
    assert same(series.results, {run: computed(run) for run in PLAN if run.seed != 1})
    with pytest.raises(InputError, match=r"1 of 4 runs failed: wot, filter none, seed 1: .*(passes|broken device)"):
        series.raise_failures()
    with KeptRuns(SPACE, out, "same") as kept:
        again = run_series(PLAN, computed, kept)
    assert again.num_resumed == 3 and not again.failed
    again.raise_failures()


def test_where_every_run_fails_the_first_error_is_raised_and_no_file_is_left(tmp_path):
    def compute(run):
        raise InputError(f"too few images for seed {run.seed}")

    with pytest.raises(InputError, match="seed 0"), KeptRuns(SPACE, tmp_path / "runs.jsonl", "same") as kept:
        run_series(PLAN, compute, kept)
    assert not list(tmp_path.iterdir())


def test_settings_tell_computations_apart():
    networks, images, settings = tiny_networks(), random_images(), SearchSettings()
    first = settings_digest([networks], images, settings, "wot")
    assert first == settings_digest([tiny_networks()], random_images(), SearchSettings(), "wot")
    others = [
        settings_digest([networks], images, settings, "te-nas"),
        settings_digest([networks], images, SearchSettings(num=5), "wot"),
        settings_digest([networks], random_images(seed=1), settings, "wot"),
        settings_digest([networks.resized(channels=1)], images, settings, "wot"),
    ]
    assert len({first, *others}) == 5


BOTH = """
import contextlib
import sys
from nngp_dag.cli import main

for out in sys.argv[1:3]:
    with contextlib.suppress(SystemExit):
        main([*sys.argv[3:], "--out", out, "--json"])
    print("", flush=True)
"""
"""Two searches with the same arguments in one process, which compiles what both need once."""


@pytest.mark.full
def test_a_killed_search_goes_on_where_it_was(tmp_path):
    """A process is killed among its runs; another computes the others, and both together found what one finds."""
    rng, runs = np.random.default_rng(0), 12
    np.savez(tmp_path / "images.npz", x=rng.integers(0, 255, size=(12, 4, 4, 3)).astype(np.uint8))
    search = ["search", "wot", "--num", "3", "--runs", str(runs), "--filter", "none", "--channels", "1"]
    search += ["--cells", "1", "--batch-size", "4", "--data", str(tmp_path / "images.npz")]
    killed, whole = tmp_path / "killed.jsonl", tmp_path / "whole.jsonl"
    command = [sys.executable, "-m", "nngp_dag", *search, "--out", str(killed)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline and (not killed.exists() or killed.read_bytes().count(b"\n") < 2):
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()
    done = killed.read_bytes().count(b"\n")
    assert 2 <= done < runs, "the run ended before it could be killed"
    both = [sys.executable, "-c", BOTH, str(killed), str(whole), *search]
    ended = subprocess.run(both, capture_output=True, text=True, timeout=200, check=True)
    assert ended.stderr.count(" runs were done") == 1
    assert f"nngp-dag: {done} of {runs} runs were done" in ended.stderr
    found, expected = map(json.loads, ended.stdout.strip().split("\n\n"))
    assert (found["num_resumed"], expected["num_resumed"]) == (done, 0)
    for record in (*found["runs"], *expected["runs"]):
        del record["seconds"], record["compile_seconds"]
    assert found["runs"] == expected["runs"] and len(found["runs"]) == runs
