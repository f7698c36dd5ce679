"""Theorem 3.1 with a frozen read-out: the residual then follows a kernel that need not contain the NNGP."""

from __future__ import annotations

from verify import Context, Evidence, KeyValue, Table, claim
from verify.claims._theorem_3_1 import COLUMNS, TrainedCase, at_infinite_width, infinite, measure
from verify.papers import CONNECTIVITY
from verify.tools.residual_bound import spread_rows


@claim(
    "theorem-3.1-frozen-read-out",
    title="The bound of Theorem 3.1 where the read-out is not trained",
    paper=CONNECTIVITY,
    source="Theorem 3.1, Eq. 3",
    statement="||y - u(k)||^2 <= (1 - eta lambda_min(K) / 2)^k ||y - u(0)||^2 for every DAG of a wide network, also"
    " where gradient descent trains all weights but the read-out.",
    latex=r"\|y - u(k)\|_2^2 \le \Big(1 - \frac{\eta \lambda_{\min}(K^{(H)})}{2}\Big)^k \|y - u(0)\|_2^2",
    expected="refuted",
    settings={
        "DAGs": "six, by networks; at infinite width all of four nodes",
        "data": "3 unit rows in random directions; the residual starts along the slowest direction",
        "training": "full-batch gradient descent at the theorem's eta until the bound has fallen by 10; G and a fixed",
    },
    duration=4,
)
def check(context: Context) -> Evidence:
    """Every step of every seed against the bound by networks; at infinite width all DAGs."""
    x = spread_rows(context.rng(), 3, 32)
    width, seeds = context.pick(quick=(96, 3), full=(512, 5))
    first = int(context.rng().integers(2**30))
    case = TrainedCase("read-out frozen, the theorem's eta", "relu", "all but the read-out", theorem_rate=True)
    measured = measure(case, x, width, range(first, first + seeds))
    failing, total, smallest = at_infinite_width(x, case.trained)
    sound = measured.keeping()
    return Evidence(
        [measured.finding(), infinite(case.trained, failing, total)],
        summary=f"{measured.finding().detail}. At infinite width {failing} of {total} DAGs fail, the smallest"
        f" {smallest} (the input itself, of which nothing is trained).",
        condition="4 lambda_min(NTK - NNGP) >= lambda_min(NNGP): the residual follows NTK - NNGP, to which copies of"
        " the input by skip edges add nothing, while they add to the NNGP. With a trained read-out it is always true.",
        counterexample={
            "DAG": smallest,
            "margin": measured.runs.slack,
            "confirmed": "networks of 1_11_211, and the eigenvalues of the reference recursion",
        },
        controls=[sound],
        tables=[Table("Networks", COLUMNS, measured.rows())],
        key_values={"DAGs that fail at infinite width": KeyValue(failing)},
    )
