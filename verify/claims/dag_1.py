"""Eq. 6-7: the kernel of DAG#1 of Figure 3."""

from __future__ import annotations

from verify import Context, Evidence, claim
from verify.claims._figure_3 import check_equation
from verify.claims._figure_3_proofs import needs_of
from verify.framework.needs import Need
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY


def _needs(reading: FindingRecord) -> list[Need]:
    return needs_of("dag-1")(reading)


@claim(
    "dag-1",
    title="DAG#1: K = f(f(f(K_0))), and its bound",
    paper=CONNECTIVITY,
    source="Eq. 6-7",
    statement="The NNGP of DAG#1 (2_02_002) is f^3(K_0), and the smallest eigenvalue of two rows is 1 - f^3(rho).",
    latex=r"K^{(3)} = f(f(f(K^{(0)}))), \quad \lambda_{dag1} = 1 - f^3(K^{(0)}_{ij})",
    expected="holds",
    settings={
        "rows": "64 of real data, 16 opposite to them; pairs with rho in [-1, 1)",
        "orders and embeddings": "all of the NNGP",
        "networks": "of finite width",
    },
    duration=10,
    needs=_needs,
)
def check(context: Context) -> Evidence:
    """Eq. 6-7 against exact in both orders and both embeddings, rho of both signs, and networks."""
    return check_equation(
        context,
        "dag-1",
        "none needed: no sum occurs in a chain",
    )
