"""Eq. 8-9: the kernel of DAG#2 of Figure 3."""

from __future__ import annotations

from verify import Context, Evidence, claim
from verify.claims._figure_3 import check_equation
from verify.claims._figure_3_proofs import needs_of
from verify.framework.needs import Need
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY


def _needs(reading: FindingRecord) -> list[Need]:
    return needs_of("dag-2")(reading)


@claim(
    "dag-2",
    title="DAG#2: K = 3 f(K_0), and its bound",
    paper=CONNECTIVITY,
    source="Eq. 8-9",
    statement="The NNGP of DAG#2 (1_01_222) is 3 f(K_0), and the smallest eigenvalue of two rows is 3 (1 - f(rho)).",
    latex=r"K^{(3)} = 3 f(K^{(0)}), \quad \lambda_{dag2} = 3 (1 - f(K^{(0)}_{ij}))",
    expected="holds-conditionally",
    settings={
        "rows": "64 of real data, 16 opposite to them; pairs with rho in [-1, 1)",
        "orders and embeddings": "all of the NNGP",
        "networks": "of finite width",
    },
    duration=4,
    needs=_needs,
)
def check(context: Context) -> Evidence:
    """Eq. 8-9 against exact in both orders and both embeddings, rho of both signs, and networks."""
    return check_equation(
        context,
        "dag-2",
        "Eq. 8 is the kernel in activation-first, where features behind a linear edge have mean zero. In"
        " activation-last the means of the three ReLU features multiply: on unit rows K is 3 f(K_0) plus the constant"
        " 6/pi in every entry, so that Eq. 9 stays right for two rows.",
    )
