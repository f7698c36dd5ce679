"""The papers whose statements this project tries: one entry a paper, which its claims name (`@claim(paper=...)`)."""

from __future__ import annotations

from verify.framework.paper import Paper

__all__ = ["CONNECTIVITY", "SCALING"]

CONNECTIVITY = Paper(
    "connectivity",
    "Deep Architecture Connectivity Matters for Its Convergence: A Fine-Grained Analysis",
    "Chen, Huang, Gong, Hanin and Wang, NeurIPS 2022",
    "https://arxiv.org/abs/2205.05662",
)

SCALING = Paper(
    "scaling",
    "Principled Architecture-aware Scaling of Hyperparameters",
    "Chen, Wu, Wang and Hanin, ICLR 2024",
    "https://arxiv.org/abs/2402.17440",
)
