"""A literal, slow transcription of the DARTS network of a genotype, edge by edge as its text says."""

from __future__ import annotations

from nas_oracle import Layers, numpy_of, pool

KINDS = ["sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"]


class Network(Layers):
    """The network of a genotype {normal: [(operation, source), ...], reduce: ...}, two edges a node."""

    def factorized_reduce(self, x, name, index=None):
        x = self.relu(x)
        xp = numpy_of(x)
        shifted = xp.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))[:, 1:, 1:]
        views = [x, shifted]
        names = [f"{name}.convs.{i}" for i in (0, 1) if f"{name}.convs.{i}.kernel" in self.values]
        if len(names) == 1:
            views = views[1:]
        parts = [self.conv(view, own, index, stride=2) for view, own in zip(views, names, strict=True)]
        return self.norm(xp.concatenate(parts, axis=-1), f"{name}.norm", index)

    def relu_conv_bn(self, x, name):
        return self.norm(self.conv(self.relu(x, block=True), f"{name}.conv"), f"{name}.norm")

    def depthwise_separable(self, x, name, index, stride, dilation):
        z = self.conv(self.relu(x), f"{name}.depthwise", index, stride, dilation, groups=x.shape[-1])
        return self.norm(self.conv(z, f"{name}.pointwise", index), f"{name}.norm", index)

    def operation(self, x, operation, name, index, stride):
        if operation == "none":
            return 0 * x[:, ::stride, ::stride]
        if operation == "skip_connect":
            return x if stride == 1 else self.factorized_reduce(x, f"{name}.reduce", index)
        if "pool" in operation:
            return pool(x, operation[:3], stride)
        place = 0 if operation.endswith("3x3") else 1
        if operation.startswith("dil"):
            return self.depthwise_separable(x, f"{name}.dilated.{place}", index, stride, 2)
        x = self.depthwise_separable(x, f"{name}.separable.{place}.first", index, stride, 1)
        return self.depthwise_separable(x, f"{name}.separable.{place}.second", index, 1, 1)

    def edge(self, x, operation, cell, reduction, source, target):
        """Weights of an edge lie in stacks: all edges by target, or those from inputs and from nodes apart."""
        every = [(s, t) for t in range(2, 6) for s in range(t)]
        if not reduction:
            return self.operation(x, operation, f"cells.{cell}.edges", every.index((source, target)), 1)
        same = [(s, t) for s, t in every if (s < 2) == (source < 2)]
        name = f"cells.{cell}.{'outer' if source < 2 else 'inner'}"
        return self.operation(x, operation, name, same.index((source, target)), 2 if source < 2 else 1)

    def __call__(self, x, genotype):
        self.relus, self.outputs = [], {}
        spec = self.spec
        if spec.stem:
            x = self.norm(self.conv(x, "stem.0"), "stem.1")
        kinds = []
        for stage in range(spec.stages):
            kinds += ["reduce"] * (stage > 0)
            kinds += ["normal"] * (0 if spec.bare_end and stage == spec.stages - 1 else spec.cells)
        before = last = x
        for cell, kind in enumerate(kinds):
            halved = cell > 0 and kinds[cell - 1] == "reduce"
            prepare = self.factorized_reduce if halved else self.relu_conv_bn
            nodes = [prepare(before, f"cells.{cell}.first"), self.relu_conv_bn(last, f"cells.{cell}.second")]
            for i in range(4):
                edges = genotype[kind][2 * i : 2 * i + 2]
                nodes.append(
                    sum(self.edge(nodes[source], op, cell, kind == "reduce", source, i + 2) for op, source in edges)
                )
            before, last = last, numpy_of(x).concatenate(nodes[2:], axis=-1)
        if spec.last_relu:
            last = self.relu(self.norm(last, "norm"))
        return self.classify(last)
