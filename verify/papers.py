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
    open=[
        (
            "Figures 2, 3, 5, 6 and 7: estimated learning rates correlate with the best ones of a grid by .68 to .96.",
            "The graphs, the grids and the rates that were found are not given, and each point is a training on"
            " CIFAR-10 or ImageNet. What Eq. 8 says of the first step is tried by scaling-eq-8, with the correlation of"
            " its rates and the exact ones over all small DAGs.",
        ),
        (
            "Section 4.3, Figures 4, 8 and 9: architectures of NAS-Bench-201 trained at scaled rates are more accurate,"
            " and rank otherwise.",
            "It needs the training of the architectures, with batch normalisation, for 200 epochs on three data sets.",
        ),
        (
            "Eq. 9: with convolutions rates also go as the inverse of the kernel size q.",
            "The output of such a network and its loss are not defined (one number, or one a pixel), and neither is the"
            " initialisation: Section 3.2's variance C / n is that of q = 1.",
        ),
        (
            "The best learning rate is the largest at which the first step changes pre-activations by order 1.",
            "A heuristic about training, not a statement about the first step.",
        ),
    ],
)
