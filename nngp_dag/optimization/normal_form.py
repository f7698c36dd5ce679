r"""Normal forms of DAGs: what of a graph its kernels depend on, so that equal forms have equal kernels.

With alpha_tu the number of skip paths from u to t, what node t is made of are the features sent through linear edges,
and the embedding. Let w run over the distinct *values* of nodes that send features, n_uw the number of linear edges
into u from nodes of value w, and V_w, W_w, b_w the covariance, tangent and mean of such features. Then

    K_tt = sum_w p_tw V_w + M_t M_t',    Theta_tt = sum_w p_tw W_w,    M_t = sum_w q_tw b_w,
    p_tw = sum_u alpha_tu^a n_uw,        q_tw = sum_u alpha_tu n_uw,

with a = 2 for *exact* and a = 1, and no means, for *independent* (Eq. 6-11). So the map w -> (p, q) of the output node,
with the maps of the w themselves, determines both kernels on all data: it is the *value* of a node, defined by
recursion, and the value of the output node is the normal form. The q are left out where b = 0 (activation-first, odd
activations); p and q of the embedding are those of one source. Numbers of nodes, their order, nodes and edges on no
path, and which nodes copies were summed at do not enter.

Where sigma is homogeneous, f(g^2 K) = g^2 f(K) and beta(g^2 K) = g beta(K), and tangents go along: a feature sent by a
node of value (g^2 p, g q) is g times the one sent by (p, q). Values that send are then reduced to the least integral
one of their ray, and n_uw counts g^2 in p and g in q (where there are no means every factor of p will do).

*path-sum* (Eq. 12) depends on the numbers n_d of paths with d linear edges alone: its form is (n_0, n_1, ...).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.paths import path_counts
from nngp_dag.reading import PAIR_METHODS, Setting

__all__ = ["Forms", "Rules", "State", "Value", "are_proportional", "normal_form"]

Value: TypeAlias = tuple[tuple[int, int, int], ...]
"""(w, p, q) with p > 0 in ascending order of w; w = 0 is the embedding, others are numbered by `Forms`."""


@dataclass(frozen=True)
class Rules:
    """The treatment of copies and means by a kernel.

    Attributes:
        power: the exponent a of skip-path counts.
        means: features have means.
        homogeneous: values that send features are reduced along their ray.
    """

    power: int
    means: bool
    homogeneous: bool

    @classmethod
    def of(cls, setting: Setting) -> Rules:
        """The rules of a method and reading.

        Raises:
            InputError: neural-tangents, which has kernels for some DAGs only, or path-sum, which needs none.
        """
        if setting.method not in ("exact", "independent"):
            raise InputError(f"normal forms by values are those of exact and independent, got {setting.method}")
        exact, activation = setting.method == "exact", setting.activation
        means = (
            exact
            and setting.order == "activation-last"
            and any(float(activation.mean(jnp.asarray(k))) for k in (0.5, 1.0, 3.0))
        )
        return cls(2 if exact else 1, means, activation.is_homogeneous)


@dataclass(frozen=True)
class State:
    """The nodes 0..t of a DAG, as far as a kernel of later nodes can see them.

    Attributes:
        alpha: skip-path counts, int64 [t + 1, U], from each source: the embedding, then nodes with linear edges in.
        sources: per source, (p, q) of each value that it receives.
        sent: per node, (w, p, q) of what a linear edge out of it brings; None where nothing reaches it.
        num_paths: per node, the number of paths from the input.
    """

    alpha: np.ndarray
    sources: tuple[dict[int, tuple[int, int]], ...]
    sent: tuple[tuple[int, int, int] | None, ...]
    num_paths: tuple[int, ...]


@dataclass
class Forms:
    """The numbering of values met so far, under some rules. Forms of one numbering can be compared with each other.

    Attributes:
        rules: what copies and means do.
        values: the value of each number from 1 on.
    """

    rules: Rules
    values: list[Value] = field(default_factory=list)
    _numbers: dict[Value, int] = field(default_factory=dict)

    def start(self) -> State:
        """Node 0."""
        state = State(np.ones((1, 1), np.int64), ({0: (1, 1)},), (), (1,))
        return State(state.alpha, state.sources, (self._sent(self.value(state, 0)),), (1,))

    def extend(self, state: State, digits: bytes | tuple[int, ...]) -> State:
        """With the next node, whose edges from nodes 0..t are these digits (0 none, 1 skip, 2 linear)."""
        alpha = np.zeros(state.alpha.shape[1], np.int64)
        received: dict[int, tuple[int, int]] = {}
        paths = 0
        for s, digit in enumerate(digits):
            if digit:
                paths += state.num_paths[s]
            if digit == 1:
                alpha = alpha + state.alpha[s]
            elif digit == 2 and (sent := state.sent[s]) is not None:
                w, p, q = sent
                before = received.get(w, (0, 0))
                received[w] = (before[0] + p, before[1] + q)
        rows, sources = np.vstack([state.alpha, alpha]), state.sources
        if received:
            own = np.zeros((len(rows), 1), np.int64)
            own[-1] = 1
            rows, sources = np.hstack([rows, own]), (*sources, received)
        longer = State(rows, sources, state.sent, (*state.num_paths, paths))
        sent = self._sent(self.value(longer, len(state.sent)))
        return State(rows, sources, (*state.sent, sent), longer.num_paths)

    def value(self, state: State, t: int) -> Value:
        """The value of node t; empty where nothing reaches it."""
        total: dict[int, tuple[int, int]] = {}
        for count, source in zip(state.alpha[t].tolist(), state.sources, strict=True):
            if count:
                for w, (p, q) in source.items():
                    before = total.get(w, (0, 0))
                    total[w] = (before[0] + count**self.rules.power * p, before[1] + count * q)
        means = self.rules.means
        return tuple((w, p, q if means else 0) for w, (p, q) in sorted(total.items()))

    def of(self, dag: Dag) -> Value:
        """The normal form of a DAG."""
        state, place = self.start(), 0
        for t in range(1, dag.num_nodes):
            state = self.extend(state, dag.ops[place : place + t])
            place += t
        return self.value(state, dag.num_nodes - 1)

    def _sent(self, value: Value) -> tuple[int, int, int] | None:
        """(w, p, q) of the feature that a node of this value sends."""
        if not value:
            return None
        reduced, p, q = self._reduced(value) if self.rules.homogeneous else (value, 1, 1)
        if reduced not in self._numbers:
            self.values.append(reduced)
            self._numbers[reduced] = len(self.values)
        return self._numbers[reduced], p, q if self.rules.means else 0

    def _reduced(self, value: Value) -> tuple[Value, int, int]:
        """The least integral value of the ray, and the factors of p and q that lead back."""
        power = math.gcd(*(p for _, p, _ in value))
        if not self.rules.means:
            return tuple((w, p // power, 0) for w, p, _ in value), power, 0
        # The largest g with g | q and g^2 | p: a multiple of the ray's least value has factors g with this property.
        both = math.gcd(*(q for _, _, q in value))
        g = max(d for d in range(1, both + 1) if both % d == 0 and power % (d * d) == 0)
        return tuple((w, p // g**2, q // g) for w, p, q in value), g * g, g


def normal_form(dag: Dag, setting: Setting | None = None, forms: Forms | None = None) -> tuple[Any, ...]:
    """All that the kernels of a DAG depend on: DAGs with equal forms have equal NNGP and NTK on all data.

    Args:
        dag: any DAG.
        setting: exact (the default), independent or path-sum, and a reading.
        forms: the numbering of values; by default a new one, so that the result stands for itself: numbers are
            replaced by the values themselves.

    Raises:
        InputError: neural-tangents.
    """
    setting = setting or Setting()
    if setting.method not in PAIR_METHODS:
        raise InputError(f"normal forms are those of {', '.join(PAIR_METHODS)}, got {setting.method}")
    if setting.method == "path-sum":
        return tuple(path_counts(dag.pruned()))
    if forms is not None:
        return forms.of(dag)
    forms = Forms(Rules.of(setting))
    value = forms.of(dag)
    written: list[tuple[Any, ...]] = [("input",)]

    def shown(value: Value) -> tuple[Any, ...]:
        return tuple(sorted(((written[w], p, q) for w, p, q in value), key=repr))

    for found in forms.values:
        written.append(shown(found))
    return shown(value)


def are_proportional(first: Dag, second: Dag, setting: Setting | None = None) -> bool:
    """Normal forms show that all kernels of one DAG are a multiple of the other's: (r p, sqrt(r) q) for (p, q).

    Raises:
        InputError: as `normal_form`.
    """
    setting = setting or Setting()
    if setting.method == "path-sum":
        n, m = (normal_form(dag, setting) for dag in (first, second))
        return len(n) == len(m) and all(a * sum(m) == b * sum(n) for a, b in zip(n, m, strict=True))
    forms = Forms(Rules.of(setting))
    v, w = forms.of(first), forms.of(second)
    if [number for number, _, _ in v] != [number for number, _, _ in w] or not v:
        return False
    (_, p, q), (_, r, s) = v[0], w[0]
    same_powers = all(a * r == b * p for (_, a, _), (_, b, _) in zip(v, w, strict=True))
    same_means = all(a * s == b * q for (_, _, a), (_, _, b) in zip(v, w, strict=True))
    return same_powers and same_means and q * q * r == s * s * p
