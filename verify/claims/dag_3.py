"""Eq. 10-11: the kernel of DAG#3 of Figure 3."""

from __future__ import annotations

from verify import Context, Evidence, claim
from verify.claims._figure_3 import check_equation
from verify.claims._figure_3_proofs import needs_of
from verify.framework.needs import Need
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY


def _needs(reading: FindingRecord) -> list[Need]:
    return needs_of("dag-3")(reading)


@claim(
    "dag-3",
    title="DAG#3: K = K_0 + f(K_0) + f(2 f(K_0)), and its bound",
    paper=CONNECTIVITY,
    source="Eq. 10-11",
    statement="The NNGP of DAG#3 (2_21_112) is K_0 + f(K_0) + f(2 f(K_0)), and the smallest eigenvalue of two rows is"
    " 4 minus its off-diagonal.",
    latex=r"K^{(3)} = K^{(0)} + f(K^{(0)}) + f(2 f(K^{(0)})), \quad \lambda_{dag3} = 4 - \tilde f(K^{(0)}_{ij})",
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
    """Eq. 10-11 against exact in both orders and both embeddings, rho of both signs, and networks."""
    return check_equation(
        context,
        "dag-3",
        "Eq. 10 is the kernel in activation-first, where features behind a linear edge have mean zero. In"
        " activation-last two ReLU features meet at node 2, and what their means add passes through f, so that Eq. 11"
        " fails with Eq. 10. Where Eq. 10 is right, Eq. 11 is right as long as its off-diagonal f~ is not negative: for"
        " rho below -0.725 lambda_min is 4 - |f~|, in the paper's own recursion too.",
    )
