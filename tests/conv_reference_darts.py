"""Kernels of DARTS networks, written out edge by edge over `conv_reference`: nothing shared with `nngp_dag.conv`.

Features are lists of halves: one number of a node of the reference where all channels are alike, two where the halves
of the channels differ. Options make the neighbours that are wrong.
"""

from __future__ import annotations

from conv_reference import Network


class DartsReference:
    """The kernels of two images [h, w, C] under a genotype.

    Args:
        x, y: the images.
        genotype: {"normal": [(operation, source), ...], "reduce": ...}, two edges for each of the nodes 2, 3, ...
        kinds: "normal" or "reduce" of every cell.
        concat: nodes that are set side by side.
        one_group: wrong: both halves of a factorised reduction get the mean of the two kernels.
        matrices: trained matrices of a depthwise and a 1x1 convolution together; wrong where it is not 2.
        scaled: wrong where False: nodes side by side are added up without the factor 1 / J.
    """

    def __init__(self, x, y, genotype, kinds, concat=(2, 3, 4, 5), *, one_group=False, matrices=2, scaled=True):
        self.net = Network(x, y, "activation-first")
        self.one_group, self.matrices, self.scaled = one_group, matrices, scaled
        stem = [self.net.add([(0, "conv", {"activated": False})])]
        before, last, halved = [stem], [stem], False
        for kind in kinds:
            first = self.reduced(before) if halved else [self.net.add(self.conv(before, size=1))]
            nodes = [first, [self.net.add(self.conv(last, size=1))]]
            for i in range(len(genotype[kind]) // 2):
                stride = {s: 2 if kind == "reduce" and s < 2 else 1 for s in range(len(nodes))}
                pair = [(op, nodes[s], stride[s]) for op, s in genotype[kind][2 * i : 2 * i + 2]]
                nodes.append(self.node(pair))
            before, last, halved = last, [nodes[v] for v in concat], kind == "reduce"
        self.output = last

    def shares(self, parts):
        """(node, share of the channels) of features side by side."""
        count = len(parts) if self.scaled else 1
        return [(half, 1 / (count * len(part))) for part in parts for half in part]

    def conv(self, parts, size, **options):
        """The edges of a convolution of features side by side."""
        return [(s, "conv", {"size": size, "gain": share**0.5} | options) for s, share in self.shares(parts)]

    def shifted(self, parts):
        """The edges of the two convolutions of a factorised reduction."""
        return [self.conv(parts, 1, stride=2, offset=offset) for offset in (0, 1)]

    def reduced(self, parts):
        if self.one_group:
            return [self.net.add(self.mean_of_halves(parts))]
        return [self.net.add(edges) for edges in self.shifted(parts)]

    def mean_of_halves(self, parts):
        return [
            (s, kind, given | {"gain": given["gain"] / 2**0.5})
            for edges in self.shifted(parts)
            for s, kind, given in edges
        ]

    def node(self, pair):
        """A node that adds up what (operation, features, stride) bring: every half of it by itself."""
        halves = [[], []]
        for op, source, stride in pair:
            size = 5 if op.endswith("5x5") else 3
            if op == "skip_connect" and stride == 2:
                found = [self.mean_of_halves([source])] * 2 if self.one_group else self.shifted([source])
            elif op in ("skip_connect", "avg_pool_3x3"):
                kind = ("skip", {}) if op == "skip_connect" else ("pool", {"size": 3, "stride": stride})
                found = [[(source[0], *kind)], [(source[-1], *kind)]]
            elif op == "dil_conv_3x3" or op == "dil_conv_5x5":
                found = [self.conv([source], size, stride=stride, dilation=2, matrices=self.matrices)] * 2
            else:
                assert op in ("sep_conv_3x3", "sep_conv_5x5")
                inner = self.net.add(self.conv([source], size, stride=stride, matrices=self.matrices))
                found = [self.conv([[inner]], size, matrices=self.matrices)] * 2
            for half, edges in zip(halves, found, strict=True):
                half.extend(edges)
        return [self.net.add(edges) for edges in halves]

    def readout(self, activated=False, kind="average"):
        """NNGP and NTK of the three pairs."""
        return self.net.readout(kind, self.shares(self.output), activated)
