"""`nngp-dag search`: NAS-WOT, TE-NAS and FP-NAS, with and without the filter of Section 5.3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from nngp_dag.cli.common import counts, emit_json, json_option, print_table, seed_option
from nngp_dag.cli.data import ImageSource, image_options
from nngp_dag.cli.score_options import score_options
from nngp_dag.errors import InputError, unknown
from nngp_dag.support.progress import progress_bar

if TYPE_CHECKING:
    from nngp_dag.accuracy import Benchmark
    from nngp_dag.nas.networks.space_networks import SpaceNetworks
    from nngp_dag.nas.search.filters import SearchFilter
    from nngp_dag.nas.search.kept_runs import RunSeries
    from nngp_dag.nas.search.result import SearchResult
    from nngp_dag.nas.search.run import SearchSettings
    from nngp_dag.spaces import Space
    from nngp_dag.spaces.prefilter import Prefilter

__all__ = ["command"]


@click.command("search")
@click.argument("name", metavar="wot|te-nas|fp-nas|exact-ntk|exact-nngp")
@click.option("--space", "space_name", default="nasbench201", show_default=True, help="nasbench201 or darts.")
@click.option(
    "--filter",
    "filter_text",
    default="half-radius",
    show_default=True,
    metavar="FILTER",
    help="half-radius, released, none, radius:SHARE, or DMIN,DMAX,MMIN,MMAX.",
)
@click.option("--runs", type=counts(1), default=3, show_default=True, help="Runs, with seeds one apart.")
@image_options()
@click.option("--benchmark", type=click.Path(path_type=Path), metavar="FILE", help="Test accuracies of the space.")
@click.option("--num", type=counts(1), help="wot, exact-*: architectures drawn (100).")
@click.option("--batch-size", type=counts(2), help="Images of a batch (128 wot, 64 fp-nas, else 32).")
@click.option("--repeats", type=counts(1), help="te-nas: initial weights for every value (3).")
@click.option("--patches", type=counts(2), help="te-nas: patches of each of three batches (1000).")
@click.option("--steps", type=counts(1), help="fp-nas: steps (200).")
@click.option("--warmup", type=counts(0), help="fp-nas: steps that train the weights alone (50).")
@click.option("--samples-per-nat", type=click.FloatRange(min=0, min_open=True), help="fp-nas: lambda (1).")
@click.option("--channels", type=counts(1), help="wot, fp-nas: C of the networks (16).")
@click.option("--cells", type=counts(1), help="wot, fp-nas: N, cells of a stage (5; darts 2).")
@click.option(
    "--max-pool",
    type=click.Choice(["refuse", "average"]),
    help="exact-*: max pooling of DARTS has no kernel in closed form: refuse (default), or put average pooling there.",
)
@score_options("wot")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.jsonl",
    help="Keeps every run as it ends, a line per run; a second start goes on.",
)
@seed_option
@json_option
def command(
    name: str,
    space_name: str,
    filter_text: str,
    runs: int,
    images: ImageSource,
    benchmark: Path | None,
    channels: int | None,
    cells: int | None,
    out: Path | None,
    seed: int,
    as_json: bool,
    **sizes: Any,
) -> None:
    """Search a space, and report what was found: accuracy, seconds, evaluations, and what the filter saved.

    Accuracies are looked up in --benchmark. Seconds are those of the search, compilation apart.
    """
    from nngp_dag.accuracy import read
    from nngp_dag.nas.networks.registry import space_networks
    from nngp_dag.nas.search.filters import make_filter
    from nngp_dag.nas.search.kept_runs import KeptRuns, SearchRun, check_runs_file, run_series, settings_digest
    from nngp_dag.nas.search.run import SEARCHES, final_filter, run_search

    if name not in SEARCHES:
        raise unknown("search", name, SEARCHES)
    networks = space_networks(space_name).resized(channels=channels, cells=cells)
    settings, steps = _settings(name, networks, sizes)
    chosen = make_filter(filter_text, networks.space)
    if out is not None:
        check_runs_file(out, [benchmark, images.file])
    table = None if benchmark is None else read(networks.space, benchmark)
    loaded = images.load()
    plan = [SearchRun(name, chosen.name, seed + run) for run in range(runs)]

    def compute(run: SearchRun) -> SearchResult:
        with progress_bar(f"{name}, run {run.seed - seed + 1} of {runs}", steps, "steps") as advance:
            return run_search(name, networks, loaded, chosen=chosen, seed=run.seed, settings=settings, on_step=advance)

    with KeptRuns(networks.space, out, settings_digest([networks], loaded, settings, name, chosen.name)) as kept:
        series = run_series(plan, compute, kept, on_resumed=_say_resumed)
    records, missing = _records(networks.space, series, table)
    document = _document(name, networks.space, final_filter(name, chosen), chosen, loaded.source, series, records)
    if as_json:
        emit_json(document)
    else:
        _print(document)
    series.raise_failures()
    if missing is not None:
        raise missing  # what was found is worth its time without an accuracy, and comes first


def _say_resumed(done: int, total: int) -> None:
    click.echo(f"nngp-dag: {done} of {total} runs were done", err=True)


def _document(
    name: str,
    space: Space,
    passed: Prefilter | None,
    chosen: SearchFilter,
    source: str,
    series: RunSeries,
    records: Sequence[Mapping[str, Any]],
) -> dict[str, object]:
    return {
        "search": name,
        "space": space.name,
        "filter": chosen.name,
        "ranges": None if passed is None else passed.box.bounds,
        "data": source,
        "runs": records,
        "failed": series.failures,
        "num_resumed": series.num_resumed,
        "mean": _over_runs(records, np.mean),
        "deviation": _over_runs(records, lambda values: np.std(values, ddof=1) if len(values) > 1 else np.nan),
    }


def _records(
    space: Space, series: RunSeries, benchmark: Benchmark | None
) -> tuple[list[dict[str, Any]], InputError | None]:
    """Every run as plain numbers, and the error of one whose accuracy the benchmark does not have."""
    from nngp_dag.reproduce.tables.measured import accuracy_of

    records, missing = [], None
    for run, result in series.results.items():
        accuracy = None
        try:
            accuracy = None if benchmark is None else accuracy_of(benchmark, result.architecture)
        except InputError as error:
            missing = error
        records.append(_summary(space, result, accuracy, run.seed))
    return records, missing


def _settings(name: str, networks: SpaceNetworks, sizes: Mapping[str, Any]) -> tuple[SearchSettings, int]:
    """The search's settings, and the number of steps that its progress counts."""
    from nngp_dag.nas.search.fp_nas import FpNasSettings
    from nngp_dag.nas.search.run import SearchSettings

    given = {key: value for key, value in sizes.items() if value is not None}
    batch = given.pop("batch_size", None)
    training: dict[str, Any] = {key: given.pop(key) for key in ("steps", "warmup", "samples_per_nat") if key in given}
    if batch is not None:
        if name == "fp-nas":
            training["batch_size"] = batch
        else:
            given["batch_size" if name == "wot" else "ntk_images"] = batch
    fp_nas = FpNasSettings(**training)
    settings = SearchSettings(**given, fp_nas=fp_nas)
    remaining = len(networks.layout.operations) - 1
    rounds = range(remaining, 1, -networks.layout.prune)
    candidates = networks.layout.cells * len(networks.layout.edges) * sum(rounds)
    steps = {"te-nas": candidates, "fp-nas": fp_nas.steps + fp_nas.warmup}
    return settings, steps.get(name, settings.num)


def _summary(space: Space, result: SearchResult, accuracy: dict[str, float] | None, seed: int) -> dict[str, Any]:
    """One run as plain numbers."""
    totals = space.totals(result.architecture)
    return {
        "seed": seed,
        "architecture": space.write(result.architecture),
        "accuracy": accuracy,
        "seconds": result.seconds,
        "compile_seconds": result.compile_seconds,
        "candidates": result.candidates,
        "evaluations": result.evaluations,
        "filtered_share": result.filtered_share,
        "passes_filter": result.passes,
        "effective_depth": totals.depth.tolist(),
        "effective_width": totals.width.tolist(),
        **result.details,
    }


def _over_runs(
    records: Sequence[Mapping[str, Any]], statistic: Callable[[Sequence[float]], np.floating | float]
) -> dict[str, object]:
    """A statistic of the runs' numbers."""
    values = {key: statistic([r[key] for r in records]) for key in ("seconds", "evaluations", "filtered_share")}
    found = [r["accuracy"] for r in records]
    names = found[0] if all(found) else {}
    return {"accuracy": {name: statistic([accuracy[name] for accuracy in found]) for name in names}, **values}


def _print(document: Mapping[str, Any]) -> None:
    from nngp_dag.accuracy.table import short_name

    datasets = list(document["mean"]["accuracy"])

    def cells(record: Mapping[str, Any]) -> list[str]:
        accuracy = record["accuracy"] or {}
        return [
            *(f"{accuracy[name]:.2f}" for name in datasets),
            f"{record['seconds']:.1f}",
            f"{record['evaluations']:.4g}",
            f"{100 * record['filtered_share']:.1f} %",
        ]

    rows = [[f"seed {record['seed']}", *cells(record)] for record in document["runs"]]
    rows.append(["mean", *cells(document["mean"])])
    if len(document["runs"]) > 1:
        rows.append(["deviation", *cells(document["deviation"])])
    print_table(
        f"{document['search']} on {document['space']}, filter {document['filter']}",
        ["run", *map(short_name, datasets), "seconds", "evaluated", "filtered out"],
        rows,
    )
    for record in document["runs"]:
        click.echo(f"seed {record['seed']}: {record['architecture']}")
        if record["passes_filter"] is False:
            click.echo("  Outside the filter's box: TE-NAS applies it to one removal at a time, not to what is left.")
