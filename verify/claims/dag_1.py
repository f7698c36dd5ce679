"""Eq. 6-7: the kernel of DAG#1 of Figure 3."""

from __future__ import annotations

from verify import Context, Evidence, claim
from verify.claims._figure_3 import check_equation


@claim(
    "dag-1",
    title="DAG#1: K = f(f(f(K_0))), and its bound",
    source="Eq. 6-7",
    statement="The NNGP of DAG#1 (2_02_002) is f^3(K_0), and the smallest eigenvalue of two rows is 1 - f^3(rho).",
    latex=r"K^{(3)} = f(f(f(K^{(0)}))), \quad \lambda_{dag1} = 1 - f^3(K^{(0)}_{ij})",
    expected="holds",
    settings={"data": "64 rows of real data", "orders and embeddings": "all", "networks": "of finite width"},
    duration=10,
)
def check(context: Context) -> Evidence:
    """Eq. 6-7 against exact in both orders and all embeddings, and against networks."""
    return check_equation(
        context,
        "dag-1",
        "none needed: no sum occurs in a chain",
    )
