"""The NAS-Bench-201 network and the NAS-WOT score in PyTorch, as released: what the benchmark `nas` compares with."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from nngp_dag.spaces.nasbench201 import OPERATIONS


class ReluConvBN(nn.Module):
    def __init__(self, inputs, outputs, size, stride=1):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(self.relu(x)))


class Zero(nn.Module):
    def forward(self, x):
        return x.mul(0.0)


def operation(name, channels):
    if name == "none":
        return Zero()
    if name == "skip_connect":
        return nn.Identity()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return ReluConvBN(channels, channels, 3 if name.endswith("3x3") else 1)


class Cell(nn.Module):
    def __init__(self, genes, channels):
        super().__init__()
        self.edges = nn.ModuleList(operation(OPERATIONS[gene], channels) for gene in genes)

    def forward(self, x):
        nodes, edge = [x], 0
        for t in range(1, 4):
            parts = []
            for s in range(t):
                parts.append(self.edges[edge](nodes[s]))
                edge += 1
            nodes.append(sum(parts))
        return nodes[-1]


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.a, self.b = ReluConvBN(inputs, outputs, 3, 2), ReluConvBN(outputs, outputs, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x):
        return self.shortcut(x) + self.b(self.a(x))


class Network(nn.Module):
    def __init__(self, genes, channels=16, cells=5, classes=10):
        super().__init__()
        layers = [nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)]
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                layers.append(Residual(width // 2, width))
            layers += [Cell(genes, width) for _ in range(cells)]
        self.body = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(width, classes)

    def forward(self, x):
        return self.classifier(self.body(x))


def wot(genes, x: np.ndarray) -> float:
    """One NAS-WOT score: build the network, run it on images [N, 3, h, w], gather the codes of every ReLU."""
    network = Network(genes).train()
    kernel = np.zeros((len(x), len(x)))

    def hook(module, inputs, output):
        nonlocal kernel
        code = (inputs[0].reshape(len(x), -1) > 0).float()
        kernel = kernel + (code @ code.t()).numpy() + ((1 - code) @ (1 - code).t()).numpy()

    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(hook)
    with torch.no_grad():
        network(torch.from_numpy(x))
    return float(np.linalg.slogdet(kernel)[1])
