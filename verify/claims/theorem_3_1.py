"""Theorem 3.1: the residual of a wide network falls at least as fast as the smallest eigenvalue of the NNGP says."""

from __future__ import annotations

import numpy as np

from verify import Context, Evidence, KeyValue, Lines, Series, Table, claim
from verify.claims._theorem_3_1 import COLUMNS, MeasuredReading, TrainedCase, at_infinite_width, infinite, measure
from verify.papers import CONNECTIVITY
from verify.tools.residual_bound import DECAY, spread_rows

_CASES = (
    TrainedCase("all weights trained, eta = 1 / 2 lambda_max", "relu", "all weights"),
    TrainedCase("all weights trained, the theorem's eta", "relu", "all weights", theorem_rate=True),
    TrainedCase("read-out alone trained, eta = 1 / 2 lambda_max", "relu", "the read-out"),
    TrainedCase("all weights trained, eta = 1 / 2 lambda_max", "erf", "all weights"),
)


@claim(
    "theorem-3.1",
    title="Gradient descent converges linearly, at the rate of the NNGP's smallest eigenvalue",
    paper=CONNECTIVITY,
    source="Theorem 3.1, Eq. 3",
    statement="For a wide network and a small learning rate, ||y - u(k)||^2 <= (1 - eta lambda_min(K) / 2)^k ||y -"
    " u(0)||^2.",
    latex=r"\|y - u(k)\|_2^2 \le \Big(1 - \frac{\eta \lambda_{\min}(K^{(H)})}{2}\Big)^k \|y - u(0)\|_2^2",
    expected="holds",
    settings={
        "DAGs": "the three of Figure 3 and three others; at infinite width all of four nodes",
        "data": "3 unit rows in random directions; the residual starts along the slowest direction of the kernel that"
        " it follows, where the bound is tightest",
        "training": "full-batch gradient descent until the bound has fallen by 10; G fixed",
    },
    duration=9,
)
def check(context: Context) -> Evidence:
    """Every step of every seed against the bound, with all weights or the read-out trained; all DAGs in the limit."""
    x = spread_rows(context.rng(), 3, 32)
    width, seeds = context.pick(quick=(96, 3), full=(512, 5))
    first = int(context.rng().integers(2**30))
    measured = [measure(case, x, width, range(first, first + seeds)) for case in _CASES]
    failing, total, _ = at_infinite_width(x, "all weights")
    published = measured[0]
    factors = published.runs.spectra.largest_factor(published.runs.rates)
    return Evidence(
        [*(found.finding() for found in measured), infinite("all weights", failing, total)],
        summary=f"The bound holds at each step of {len(factors)} DAGs and {seeds} seeds of width {width} until it has"
        f" fallen by {DECAY:g}, and at infinite width for all {total} DAGs. It is true of the slowest direction with"
        f" {factors.min():.1f} to {factors.max():.1f} times lambda_min, and not with twice that.",
        condition="The read-out is trained (alone or with all else): the residual then follows a kernel that contains"
        " the NNGP. With a frozen one see theorem-3.1-frozen-read-out.",
        counterexample={"margin": published.runs.slack, "confirmed": "networks"},
        would_decide="more steps",
        controls=[found.control for found in measured],
        tables=[
            Table(
                "Guaranteed decay a step, and the largest multiple F of lambda_min for which the bound is true of the"
                " slowest direction at infinite width",
                COLUMNS,
                [row for found in measured for row in found.rows()],
            )
        ],
        plots=[_curves(published)],
        key_values={
            f"F, {dag.to_code()}": KeyValue(f) for dag, f in zip(published.runs.spectra.dags, factors, strict=True)
        },
        notes=[_looseness(measured[2]), _order_of_the_guarantee(measured[1])],
    )


def _looseness(read_out: MeasuredReading) -> str:
    factors = read_out.runs.spectra.largest_factor(read_out.runs.rates)
    return (
        "How loose the bound is: at infinite width F = 4 mu / lambda_min - O(eta), mu the smallest eigenvalue of what"
        f" is followed. The read-out alone has mu = lambda_min (F = {factors.min():.2f} to {factors.max():.2f}): Eq. 3"
        " takes a square root of the decay and then half of it. What else is lost is NTK against NNGP."
    )


def _order_of_the_guarantee(theorem: MeasuredReading) -> str:
    found, guaranteed = theorem.runs.spectra, theorem.runs.rates * theorem.runs.spectra.nngp_min / 2
    rates = ", ".join(f"DAG#{i + 1} {rate:.2g}" for i, rate in enumerate(guaranteed[:3]))
    raw = ", ".join(f"{value:.2f}" for value in found.nngp_min[:3])
    ratio = ", ".join(f"{value:.2f}" for value in (found.nngp_min / found.paths)[:3])
    return (
        "With the theorem's own eta the guaranteed decay goes with (lambda_min / P)^2, free of the scale that P"
        f" brings: {rates} a step, where lambda_min is {raw} and lambda_min / P is {ratio}."
    )


def _curves(found: MeasuredReading) -> Lines:
    """Residuals of the three DAGs of Figure 3 with their bounds."""
    series = []
    for i in range(3):
        steps, relative = list(range(found.runs.residuals.shape[-1])), found.runs.residuals[i]
        mean, low, high = (np.maximum(of(relative, axis=0), 1e-14).tolist() for of in (np.mean, np.min, np.max))
        series.append(Series(f"DAG#{i + 1}, mean over seeds", steps, mean, low=low, high=high))
        series.append(Series(f"DAG#{i + 1}, bound", steps, np.maximum(found.runs.bound()[i], 1e-14).tolist()))
    title = "||y - u(k)||^2 over its start, along the slowest direction, with the bound"
    return Lines(title, series, x="step", y="relative residual", yscale="log")
