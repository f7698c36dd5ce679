"""One training run in PyTorch as a plain loop: what the benchmark `training` compares with."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from nngp_dag.dag import Dag, Op


class DagNetwork(nn.Module):
    """Stem, DAG (activation-last, Kaiming initialisation) and readout, one module a linear edge."""

    def __init__(self, dag: Dag, inputs: int, width: int, classes: int) -> None:
        super().__init__()
        self.edges = list(dag.pruned().edges())
        self.num_nodes = dag.pruned().num_nodes
        self.stem = nn.Linear(inputs, width)
        self.linear = nn.ModuleDict({f"{s}_{t}": nn.Linear(width, width) for s, t, op in self.edges if op != Op.SKIP})
        self.readout = nn.Linear(width, classes)
        for layer in [self.stem, *self.linear.values(), self.readout]:
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        nodes: list[torch.Tensor | int] = [torch.relu(self.stem(x))] + [0] * (self.num_nodes - 1)
        for s, t, op in self.edges:
            nodes[t] = nodes[t] + (nodes[s] if op == Op.SKIP else torch.relu(self.linear[f"{s}_{t}"](nodes[s])))
        return self.readout(nodes[-1])


class Run:
    """One network and its optimiser; a call makes steps of SGD on the cross-entropy, in the order of the rows."""

    def __init__(self, dag: Dag, width: int, x: np.ndarray, y: np.ndarray, batch: int, rate: float, seed: int) -> None:
        torch.manual_seed(seed)
        self.network = DagNetwork(dag, x.shape[1], width, int(y.max()) + 1)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=rate)
        self.rows, self.labels, self.batch = torch.from_numpy(x), torch.from_numpy(y).long(), batch

    def __call__(self, steps: int) -> list[float]:
        """The loss of every step before its update."""
        losses = []
        for step in range(steps):
            chosen = slice(step * self.batch, (step + 1) * self.batch)
            loss = nn.functional.cross_entropy(self.network(self.rows[chosen]), self.labels[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return losses
