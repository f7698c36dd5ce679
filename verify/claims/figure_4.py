"""Figure 4: DAG#3 trains faster than DAG#2, and DAG#2 faster than DAG#1."""

from __future__ import annotations

from typing import Any

from nngp_dag import datasets
from nngp_dag.figure4 import CLAIMED, NAMES, PRESETS, Figure4, Panel, run_figure4
from verify import Context, Evidence, KeyFigure, Reading, claim

_CONFIDENCE = 0.99


@claim(
    "figure-4",
    title="Early in training DAG#3 is ahead of DAG#2, and DAG#2 of DAG#1",
    source="Figure 4, Section 5.1",
    statement="The mean per-class training accuracy of the first half of training is ordered DAG#3 > DAG#2 > DAG#1,"
    " outputs as they are, and"
    " with outputs scaled to equal variance.",
    latex=r"\text{accuracy}_{\text{DAG\#3}} > \text{accuracy}_{\text{DAG\#2}} > \text{accuracy}_{\text{DAG\#1}}",
    expected="holds-conditionally",
    settings={
        "data": "digits; with --data-dir also the MNIST test set, in the full profile",
        "training": "stem, standard parameterisation, cross-entropy, SGD with batches of 128; shorter and narrower"
        " than published",
    },
)
def check(context: Context) -> Evidence:
    """Paired differences over seeds, with Student's t, as published and scale-matched."""
    preset = context.pick(
        quick=PRESETS["laptop"].changed(seeds=10, epochs=12, width=96),
        full=PRESETS["laptop"].changed(seeds=30, width=256),
    )
    names = ["digits"] + (["mnist-test:2000"] if context.profile == "full" and context.data_dir else [])
    readings, rows, figures, key_figures, words = [], [], [], {}, []
    for name in names:
        data = datasets.load(name, raw=True, data_dir=context.data_dir)
        result = run_figure4(data, preset, seed=context.seed, confidence=_CONFIDENCE)
        words.append(f"On {name}: {result.verdict}.")
        for label, panel in (("as published", result.as_published), ("scale-matched", result.scale_matched)):
            readings.append(_reading(name, label, panel, preset.seeds))
            for difference in panel.differences:
                rows.append(
                    [
                        name,
                        label,
                        f"{difference.faster} - {difference.slower}",
                        difference.mean,
                        *difference.interval,
                        difference.verdict,
                    ]
                )
                key_figures[f"{name}, {label}, {difference.faster} - {difference.slower}"] = KeyFigure(
                    difference.mean, 0.2, 0.01
                )
            rows.append([name, label, "order, measured", " > ".join(panel.order), None, None, None])
            rows.append(
                [
                    name,
                    label,
                    "order, by the NTK at initialisation",
                    " > ".join(panel.predicted_order),
                    None,
                    None,
                    None,
                ]
            )
        figures += _figures(name, result)
    yes = next((r for r in readings if r.holds), None)
    no = next((r for r in readings if r.holds is False), None)
    return Evidence(
        readings,
        summary=f"{' '.join(words)} {preset.seeds} seeds of width {preset.width}, {preset.epochs} epochs, learning"
        f" rate {preset.learning_rate:g};"
        f" early accuracy, {_CONFIDENCE:.0%} intervals of paired differences.",
        condition="The order is that of the outputs' scale (1, 3 and 4 paths, and means): a larger output moves faster"
        " at one learning rate. With"
        " outputs scaled to equal variance another order is measured, given in the table.",
        inside=None if yes is None else {"reading": yes.name(), "what": yes.detail},
        outside=None if no is None else {"reading": no.name(), "what": no.detail},
        counterexample=None
        if no is None
        else {"margin": no.worst, "confirmed": f"{_CONFIDENCE:.0%} confidence interval"},
        would_decide="more seeds",
        tables=[
            {
                "title": "Early accuracy: differences of neighbours in the published order",
                "columns": ["data", "outputs", "difference", "mean", "low", "high", "is"],
                "rows": rows,
            }
        ],
        figures=figures,
        key_figures=key_figures,
    )


def _reading(name: str, label: str, panel: Panel, seeds: int) -> Reading:
    verdicts = {difference.verdict for difference in panel.differences}
    holds = False if "reversed" in verdicts else True if verdicts == {"holds"} else None
    return Reading(
        holds,
        order="activation-last",
        embedding="stem",
        method="networks",
        label=f"{name}, {label}",
        cases=seeds,
        confidence=_CONFIDENCE,
        worst=min(difference.mean for difference in panel.differences),
        detail=f"measured {' > '.join(panel.order)}, claimed {' > '.join(CLAIMED)}; by the NTK"
        f" {' > '.join(panel.predicted_order)}",
    )


def _figures(name: str, result: Figure4) -> list[dict[str, Any]]:
    drawn = []
    for label, panel in (("as published", result.as_published), ("scale-matched", result.scale_matched)):
        accuracy = panel.curves.array("class_accuracy")
        series = []
        for i, dag in enumerate(NAMES):
            mean, deviation = accuracy[:, i].mean(axis=-1), accuracy[:, i].std(axis=-1, ddof=1)
            series.append(
                {
                    "label": dag,
                    "x": [int(step) for step in panel.curves.steps],
                    "y": mean.tolist(),
                    "low": (mean - deviation).tolist(),
                    "high": (mean + deviation).tolist(),
                }
            )
        drawn.append(
            {
                "kind": "lines",
                "title": f"{name}, outputs {label}: accuracy, mean and deviation over seeds",
                "x": "step",
                "y": "mean per-class accuracy",
                "series": series,
            }
        )
    return drawn
