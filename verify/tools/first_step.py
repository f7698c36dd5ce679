"""The first step of gradient descent on a ReLU network of Eq. 1 of the paper `scaling`, in the limit of infinite width.

    z_0 = x,   z_t = sum over edges (s, t) of W_st relu(z_s),   W_st ~ N(0, C_st / n),   read-out ~ N(0, C_st / n^2),

for vertices 0..L + 1 of a DAG with linear edges alone; L + 1 is the output, E|x|^2 / n = 1 and x is symmetric. The step
is on (z_{L+1} - y)^2 / 2, at a rate eta for every weight but those of the read-out; Eq. 5 is its change to first order.
Everything is in rational arithmetic: verify/proofs/scaling-first-step.md derives the recursion, `step_networks` has the
networks that it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from nngp_dag.dag import Dag
from nngp_dag.paths import path_counts

__all__ = [
    "RULES",
    "FirstStep",
    "Scales",
    "by_source",
    "by_target",
    "chain",
    "complete",
    "depth_cubes",
    "fan_in",
    "first_step",
    "in_degrees",
    "plain_read_out",
    "pre_activations",
]

Scales = dict[tuple[int, int], Fraction]
"""C_st of every edge."""


def in_degrees(dag: Dag) -> list[int]:
    """The number of edges into every vertex; 1 for the input, which has none: a rule that divides by it needs a number,
    and no other keeps the scale of vertex 1.
    """
    degrees = [1] + [0] * (dag.num_nodes - 1)
    for _, t, _ in dag.edges():
        degrees[t] += 1
    return degrees


def by_target(dag: Dag) -> Scales:
    """C_st = 2 / d_in(t) (Eq. 12)."""
    degrees = in_degrees(dag)
    return {(s, t): Fraction(2, degrees[t]) for s, t, _ in dag.edges()}


def by_source(dag: Dag) -> Scales:
    """C_st = 2 / d_in(s) (Eq. 4 as it is printed)."""
    degrees = in_degrees(dag)
    return {(s, t): Fraction(2, degrees[s]) for s, t, _ in dag.edges()}


def plain_read_out(dag: Dag) -> Scales:
    """By the target, with a read-out of variance 1 / n^2 (Appendix B)."""
    last = dag.num_nodes - 1
    return {(s, t): Fraction(1) if t == last else scale for (s, t), scale in by_target(dag).items()}


RULES: Mapping[str, Callable[[Dag], Scales]] = {
    "C by the target's in-degree (Eq. 12)": by_target,
    "the same, read-out 1/n^2 (Appendix B)": plain_read_out,
    "C by the source's in-degree (Eq. 4)": by_source,
}
"""The initialisations that the paper has, by name."""


def pre_activations(dag: Dag, scales: Scales) -> list[Fraction]:
    """E|z_t|^2 / n of every vertex but the output (Eq. 11): exact at every width, not only in the limit."""
    found = [Fraction(1)]
    for t, sources in enumerate(_into(scales, dag.num_nodes)[1:-1], 1):
        found.append(sum((scales[s, t] * found[s] / 2 for s in sources), Fraction(0)))
    return found


@dataclass(frozen=True)
class FirstStep:
    """The second moments of Eq. 5 over eta^2.

    Attributes:
        hidden: E(Delta z_i)^2 of vertices 1..L.
        output: of vertex L + 1.
    """

    hidden: tuple[Fraction, ...]
    output: Fraction

    @property
    def largest(self) -> Fraction:
        """The largest of the hidden vertices."""
        return max(self.hidden)


def first_step(dag: Dag, scales: Scales) -> FirstStep:
    """The recursion: q_t = E|z_t|^2 / n, Gamma_t = n^2 E(dz_out/dz_t)^2, and Delta z_t = eta (y - z_out) v with v =
    A_t n dz_out/dz_t and a Gaussian of variance R_t, so that E(Delta z_t)^2 / eta^2 = A_t^2 Gamma_t + R_t, with

        A_t = sum over s of q_s / 2 + C_st A_s / 2,      R_t = sum over s of C_st (A_s^2 Gamma_s + R_s / 2),
        Gamma_t = (sum over hidden u of C_tu Gamma_u + C_t,out) / 2,      A_0 = R_0 = 0,
        E(Delta z_out)^2 / eta^2 = (sum over s of C_s,out A_s / 2)^2.
    """
    last = dag.num_nodes - 1
    q, gamma = pre_activations(dag, scales), _gradients(dag, scales)
    into = _into(scales, dag.num_nodes)
    a, r = [Fraction(0)], [Fraction(0)]
    for t, sources in enumerate(into[1:last], 1):
        a.append(sum((q[s] / 2 + scales[s, t] * a[s] / 2 for s in sources), Fraction(0)))
        r.append(sum((scales[s, t] * (a[s] ** 2 * gamma[s] + r[s] / 2) for s in sources), Fraction(0)))
    hidden = tuple(a[t] ** 2 * gamma[t] + r[t] for t in range(1, last))
    return FirstStep(hidden, sum((scales[s, last] * a[s] / 2 for s in into[last]), Fraction(0)) ** 2)


def _gradients(dag: Dag, scales: Scales) -> list[Fraction]:
    """Gamma_t of every vertex but the output."""
    last = dag.num_nodes - 1
    gamma = [Fraction(0)] * last + [Fraction(1)]
    for t, sources in reversed(list(enumerate(_into(scales, dag.num_nodes)))):
        for s in sources:  # gamma[t] is complete: every edge out of t has been passed
            gamma[s] += scales[s, t] * gamma[t] / 2
    return gamma


def _into(scales: Scales, vertices: int) -> list[list[int]]:
    """The sources of the edges into every vertex."""
    into: list[list[int]] = [[] for _ in range(vertices)]
    for s, t in scales:
        into[t].append(s)
    return into


def depth_cubes(dag: Dag, per_path: str) -> int:
    """The sum over paths of L_p^3, with L_p the number of `hidden` vertices on a path, or of its `relu`s by Eq. 1,
    where the input passes one too.
    """
    shift = {"hidden": 1, "relu": 0}[per_path]
    return sum(count * (edges - shift) ** 3 for edges, count in enumerate(path_counts(dag)) if edges)


# ---- families --------------------------------------------------------------------------------------------------------


def chain(length: int) -> Dag:
    """0 - 1 - ... - L - L + 1."""
    return Dag.from_edges({(t, t + 1): "linear" for t in range(length + 1)})


def complete(length: int) -> Dag:
    """Every edge among L hidden vertices, the input and the output."""
    return Dag.from_edges({(s, t): "linear" for t in range(1, length + 2) for s in range(t)})


def fan_in(branches: int) -> Dag:
    """Branches of one vertex each, that meet in one before the output: L = branches + 1."""
    middle, meet = range(1, branches + 1), branches + 1
    edges = [*((0, i) for i in middle), *((i, meet) for i in middle), (meet, meet + 1)]
    return Dag.from_edges(dict.fromkeys(edges, "linear"))
