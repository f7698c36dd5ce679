"""Figure 4: DAG#3 trains faster than DAG#2, and DAG#2 faster than DAG#1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nngp_dag import datasets
from nngp_dag.reading import Reading
from nngp_dag.reproduce.figure4 import CLAIMED, NAMES, PRESETS, Figure4, Panel, Preset, run_figure4
from nngp_dag.reproduce.figure4.order import Difference, paired_differences
from verify import Context, Control, Evidence, Finding, KeyValue, Lines, Series, Table, claim
from verify.papers import CONNECTIVITY

_CONFIDENCE = 0.99


def _presets(context: Context) -> list[Preset]:
    """One run for each learning rate, with the same product of learning rate and epochs."""
    sizes = context.pick(quick={"width": 64, "seeds": 64}, full={"width": 128, "seeds": 64})
    rates = context.pick(quick=(1e-2,), full=(1e-2, 1e-3))
    return [PRESETS["laptop"].changed(**sizes, learning_rate=rate, epochs=round(0.05 / rate)) for rate in rates]


@claim(
    "figure-4",
    title="Early in training DAG#3 is ahead of DAG#2, and DAG#2 of DAG#1",
    paper=CONNECTIVITY,
    source="Figure 4, Section 5.1",
    statement="The mean per-class training accuracy of the first half of training is ordered DAG#3 > DAG#2 > DAG#1,"
    " outputs as they are, and with outputs scaled to equal variance.",
    latex=r"\text{accuracy}_{\text{DAG\#3}} > \text{accuracy}_{\text{DAG\#2}} > \text{accuracy}_{\text{DAG\#1}}",
    expected="holds-conditionally",
    settings={
        "data": "digits; with --data-dir also the MNIST test set, in the full profile",
        "training": "stem, standard parameterisation, cross-entropy, SGD with batches of 128; shorter and narrower than"
        " published, at a larger learning rate (given in each reading)",
    },
    duration=25,
)
def check(context: Context) -> Evidence:
    """Paired differences over seeds, with Student's t, as published and scale-matched."""
    presets = _presets(context)
    names = ["digits"] + (["mnist-test:2000"] if context.profile == "full" and context.data_dir else [])
    findings: list[Finding] = []
    rows: list[list[object]] = []
    plots, key_values, words = [], {}, []
    controls: list[Control] = []
    for name in names:
        data = datasets.load(name, raw=True, data_dir=context.data_dir)
        for preset in presets:
            result = run_figure4(data, preset, seed=context.seed, confidence=_CONFIDENCE, evaluate=False)
            where = f"{name}, learning rate {preset.learning_rate:g}"
            words.append(f"{where}: {result.verdict}.")
            for label, panel in _panels(result):
                findings.append(_reading(f"{where}, {label}", panel, preset))
                rows += _rows(name, preset, label, panel)
                for d in panel.differences:
                    key_values[f"{where}, {label}, {d.faster} - {d.slower}"] = KeyValue(d.mean, 0.2, 0.01)
            plots += _plots(where, result)
            controls.append(_exchanged(f"{where}, as published", result.as_published, preset))
    yes = next((r for r in findings if r.holds), None)
    no = next((r for r in findings if r.holds is False), None)
    first = presets[0]
    return Evidence(
        findings,
        summary=f"{' '.join(words)} {first.seeds} seeds of width {first.width}; early accuracy,"
        f" {_CONFIDENCE:.0%} intervals of paired differences.",
        condition="The order is that of the outputs' scale: a larger output moves faster at one learning rate. With"
        " outputs scaled to equal variance DAG#1 is ahead of DAG#2.",
        inside=None if yes is None else {"reading": yes.name(), "what": yes.detail},
        outside=None if no is None else {"reading": no.name(), "what": no.detail},
        counterexample=None
        if no is None
        else {"margin": no.worst, "confirmed": f"{_CONFIDENCE:.0%} confidence interval"},
        would_decide="more seeds",
        controls=controls,
        tables=[
            Table(
                "Early accuracy: differences of neighbours in the published order",
                ["data", "learning rate", "epochs", "outputs", "difference", "mean", "low", "high", "is"],
                rows,
            )
        ],
        plots=plots,
        key_values=key_values,
        notes=[_on_learning_rates(findings, presets, len(names))],
    )


def _panels(result: Figure4) -> list[tuple[str, Panel]]:
    return [("as published", result.as_published), ("scale-matched", result.scale_matched)]


def _exchanged(label: str, panel: Panel, preset: Preset) -> Control:
    """An order with its first two exchanged, on the same networks."""
    differences = paired_differences(panel.early, NAMES, ("DAG#2", "DAG#3", "DAG#1"), _CONFIDENCE)
    detail = ", ".join(f"{d.faster} - {d.slower}: {d.mean:.3g}, {d.verdict}" for d in differences)
    finding = _reading(label, panel, preset, differences)
    return Control.rejects(f"{label}: DAG#2 > DAG#3 > DAG#1.", finding, detail)


def _reading(label: str, panel: Panel, preset: Preset, differences: Sequence[Difference] | None = None) -> Finding:
    differences = panel.differences if differences is None else differences
    verdicts = {difference.verdict for difference in differences}
    holds = False if "reversed" in verdicts else True if verdicts == {"holds"} else None
    return Finding(
        holds,
        setting=Reading.make(embedding="stem"),
        method="networks",
        label=label,
        cases=preset.seeds,
        confidence=_CONFIDENCE,
        worst=min(difference.mean for difference in differences),
        detail=f"{preset.epochs} epochs: measured {' > '.join(panel.order)}, claimed {' > '.join(CLAIMED)}; by the NTK"
        f" {' > '.join(panel.predicted_order)}",
    )


def _rows(name: str, preset: Preset, label: str, panel: Panel) -> list[list[object]]:
    start = [name, preset.learning_rate, preset.epochs, label]
    rows: list[list[object]] = [
        [*start, f"{d.faster} - {d.slower}", d.mean, *d.interval, d.verdict] for d in panel.differences
    ]
    rows.append([*start, "order, measured", " > ".join(panel.order), None, None, None])
    rows.append([*start, "order, by the NTK at initialisation", " > ".join(panel.predicted_order), None, None, None])
    return rows


def _on_learning_rates(findings: list[Finding], presets: list[Preset], data: int) -> str:
    rates = " and ".join(f"{preset.learning_rate:g}" for preset in presets)
    if len(presets) == 1:
        return (
            f"Measured at learning rate {rates} only; the full profile adds 1e-3 with ten times as many epochs. What"
            " counts is learning rate times steps: as many epochs at 1e-3 end before anything is learnt, where no order"
            " can be told."
        )
    outcomes = np.reshape([reading.holds for reading in findings], (data, len(presets), 2))
    same = bool(np.all(outcomes == outcomes[:, :1]))
    return (
        f"Learning rates {rates}, with the same product of learning rate and epochs: the verdict"
        f" {'does not depend' if same else 'depends'} on the learning rate."
    )


def _plots(where: str, result: Figure4) -> list[Lines]:
    drawn = []
    for label, panel in _panels(result):
        accuracy = panel.curves.array("class_accuracy", running=True)
        series = []
        for i, dag in enumerate(NAMES):
            mean, deviation = accuracy[:, i].mean(axis=-1), accuracy[:, i].std(axis=-1, ddof=1)
            series.append(
                Series(
                    dag,
                    [int(step) for step in panel.curves.steps[1:]],
                    mean.tolist(),
                    low=(mean - deviation).tolist(),
                    high=(mean + deviation).tolist(),
                )
            )
        drawn.append(
            Lines(
                f"{where}, outputs {label}: running accuracy, mean and deviation over seeds",
                series,
                x="step",
                y="mean per-class accuracy",
            )
        )
    return drawn
