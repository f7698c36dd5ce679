r"""All DAGs of up to six nodes, one of each normal form: what a search over a complete space has to evaluate.

The first n - 1 nodes are a tree of 3^((n-1)(n-2)/2) states (59,049 for six nodes); the 3^(n-1) choices of the last
node's edges are one array operation each. A normal form is one row of integers, (w, p, q) packed in 64 bits, sorted.
Classes are found block by block, by a hash whose agreement is checked entry by entry, so that memory stays within a
few hundred MiB. The sum of the sizes of all classes is 3^E, all DAGs of the space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.dag import Dag, num_edges
from nngp_dag.errors import InputError
from nngp_dag.optimization.normal_form import Forms, Rules, State, Value
from nngp_dag.paths import path_counts_array
from nngp_dag.reading import PAIR_METHODS, Setting
from nngp_dag.support.distinct import row_hashes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["MAX_NODES", "Limits", "Quotient", "codes_of", "quotient"]

MAX_NODES = 6
"""Nodes up to which every DAG is looked at: seven have 3^21."""

_BLOCK = 1 << 19
_ID_BITS, _P_BITS, _Q_BITS = 24, 24, 16


@dataclass(frozen=True)
class Limits:
    """Limits of a DAG's cost, after pruning.

    Attributes:
        max_linear_edges: linear edges on paths from input to output; None for any number.
        max_paths: paths from input to output; None for any number.

    Raises:
        InputError: a negative number.
    """

    max_linear_edges: int | None = None
    max_paths: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("max_linear_edges", self.max_linear_edges), ("max_paths", self.max_paths)):
            if value is not None and value < 0:
                raise InputError(f"{name.replace('_', ' ')} must be 0 or more, got {value}")

    def allow(self, dag: Dag) -> bool:
        """True where a DAG has a path and keeps within the limits."""
        from nngp_dag.paths import path_statistics

        pruned, paths = dag.pruned(), path_statistics(dag).num_paths
        return paths > 0 and bool(self.allowed(np.array(pruned.num_linear), np.array(paths)))

    def allowed(self, num_linear: np.ndarray, num_paths: np.ndarray) -> np.ndarray:
        """Where both numbers keep within the limits, bool."""
        ok = np.ones(np.broadcast_shapes(num_linear.shape, num_paths.shape), bool)
        if self.max_linear_edges is not None:
            ok &= num_linear <= self.max_linear_edges
        return ok if self.max_paths is None else ok & (num_paths <= self.max_paths)


@dataclass(frozen=True, eq=False)
class Quotient:
    """The classes of DAGs of n nodes with equal normal forms; the class without a path is left out.

    Attributes:
        num_nodes: n.
        total: 3^E, all DAGs.
        without_path: those with no path from input to output, whose kernels are zero.
        index: of each class the DAG with the fewest linear edges, then edges, then the first code, as its place in the
            order of codes, int64 [C].
        size: number of DAGs of each class, int64 [C].
        num_linear: linear edges of that DAG, int64 [C].
        keys: the normal form of each class, int64 [C, n]: in each entry that is not 0 a value's number, p and q.
        values: the values by number from 1 on; 0 is the embedding (`normal_form.Forms`).
        beyond: DAGs with a path that the limits leave out.
    """

    num_nodes: int
    total: int
    without_path: int
    index: np.ndarray
    size: np.ndarray
    num_linear: np.ndarray
    keys: np.ndarray
    values: tuple[Value, ...]
    beyond: int = 0

    def __len__(self) -> int:
        return len(self.index)

    def codes(self) -> np.ndarray:
        """The DAG of each class as a flat code, int8 [C, E]."""
        return codes_of(self.index, self.num_nodes)

    def weights(self, places: np.ndarray | slice) -> tuple[csr_array, csr_array]:
        """The p and the q of some classes, as sparse float64 matrices [A, 1 + number of values]."""
        from scipy.sparse import csr_array

        keys = self.keys[places]
        row, column = np.nonzero(keys)
        entries = keys[row, column]
        number = (entries >> (_P_BITS + _Q_BITS)) - 1
        shape = len(keys), 1 + len(self.values)
        p, q = (entries >> _Q_BITS) & (2**_P_BITS - 1), entries & (2**_Q_BITS - 1)
        return tuple(csr_array((a.astype(np.float64), (row, number)), shape=shape) for a in (p, q))


def quotient(
    num_nodes: int,
    setting: Setting | None = None,
    limits: Limits | None = None,
    on_step: Callable[[int], None] = lambda done: None,
) -> Quotient:
    """The classes of all DAGs of this many nodes with equal normal forms, hence equal kernels.

    Args:
        num_nodes: 2 to 6.
        setting: exact (the default), independent or path-sum, and a reading.
        limits: which DAGs are looked at.
        on_step: told the number of DAGs done.

    Raises:
        InputError: another number of nodes, or neural-tangents.
    """
    setting, limits = setting or Setting(), limits or Limits()
    if not 2 <= num_nodes <= MAX_NODES:
        raise InputError(f"complete spaces have 2 to {MAX_NODES} nodes, got {num_nodes}")
    if setting.method not in PAIR_METHODS:
        raise InputError(f"normal forms are those of {', '.join(PAIR_METHODS)}, got {setting.method}")
    forms = None if setting.method == "path-sum" else Forms(Rules.of(setting))
    blocks = _by_paths(num_nodes) if forms is None else _by_values(num_nodes, forms)
    found: list[_Classes] = []
    done = without_path = beyond = 0
    for keys, num_paths in blocks:
        codes = codes_of(np.arange(done, done + len(keys)), num_nodes)
        linear, edges = (codes == 2).sum(axis=1), (codes > 0).sum(axis=1)
        has_path = num_paths > 0
        # The pruned form of a DAG is in its class, so that counts of all edges serve where the least is taken.
        chosen = has_path & limits.allowed(linear, num_paths)
        rank = (linear << 40) + (edges << 32) + np.arange(done, done + len(keys))
        found = _merged([*found, _classes(keys[chosen], rank[chosen], np.ones(int(chosen.sum()), np.int64))])
        without_path += int((~has_path).sum())
        beyond += int((has_path & ~chosen).sum())
        done += len(keys)
        on_step(done)
    whole = _joined(found)
    order = np.argsort(whole.rank & (2**32 - 1))
    rank, size, keys = whole.rank[order], whole.size[order], whole.keys[order]
    values = [((d - 1, 1, 0),) for d in range(1, num_nodes)] if forms is None else forms.values
    return Quotient(num_nodes, done, without_path, rank & (2**32 - 1), size, rank >> 40, keys, tuple(values), beyond)


def codes_of(index: np.ndarray, num_nodes: int) -> np.ndarray:
    """Flat codes int8 [A, E] of places [A] in the order of codes (`enumerate_codes`)."""
    rest = np.asarray(index, dtype=np.int64)
    codes = np.empty((len(rest), num_edges(num_nodes)), np.int8)
    for e in range(codes.shape[1] - 1, -1, -1):
        rest, codes[:, e] = np.divmod(rest, 3)
    return codes


# ---- normal forms as rows of integers --------------------------------------------------------------------------------


def _by_values(num_nodes: int, forms: Forms) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """In the order of codes: rows of normal forms, int64 [B, n], and numbers of paths [B]."""
    choices = _digits(num_nodes - 1)
    skip, linear, any_edge = (a.astype(np.int64) for a in (choices == 1, choices == 2, choices > 0))
    keys, paths, held = [], [], 0
    for state in _prefixes(forms, forms.start(), num_nodes - 1):
        keys.append(_rows(state, forms.rules, skip, linear, num_nodes))
        paths.append(any_edge @ np.array(state.num_paths))
        held += len(choices)
        if held >= _BLOCK:
            yield np.concatenate(keys), np.concatenate(paths)
            keys, paths, held = [], [], 0
    if keys:
        yield np.concatenate(keys), np.concatenate(paths)


def _digits(length: int) -> np.ndarray:
    """All choices of so many edges in the order of codes, int64 [3^length, length]."""
    return np.indices((3,) * length).reshape(length, -1).T


def _prefixes(forms: Forms, state: State, nodes: int) -> Iterator[State]:
    """All states of so many nodes that go on from this one, in the order of codes."""
    have = len(state.num_paths)
    if have == nodes:
        yield state
        return
    for digits in _digits(have).tolist():
        yield from _prefixes(forms, forms.extend(state, tuple(digits)), nodes)


def _rows(state: State, rules: Rules, skip: np.ndarray, linear: np.ndarray, width: int) -> np.ndarray:
    """The values of all children of a state, for their skip and linear edges [B, n - 1]: packed, sorted [B, width]."""
    sent = [(s, *found) for s, found in enumerate(state.sent) if found is not None]
    ids = sorted({w for source in state.sources for w in source} | {w for _, w, _, _ in sent})
    place = {w: i for i, w in enumerate(ids)}
    from_sources, from_nodes = np.zeros((2, len(state.sources), len(ids)), np.int64), None
    for u, source in enumerate(state.sources):
        for w, weights in source.items():
            from_sources[:, u, place[w]] = weights
    from_nodes = np.zeros((2, len(state.num_paths), len(ids)), np.int64)
    for s, w, p, q in sent:
        from_nodes[:, s, place[w]] = p, q
    alpha = skip @ state.alpha
    p = alpha**rules.power @ from_sources[0] + linear @ from_nodes[0]
    q = alpha @ from_sources[1] + linear @ from_nodes[1] if rules.means else np.zeros_like(p)
    if max(ids) >> (_ID_BITS - 1) or p.max(initial=0) >> _P_BITS or q.max(initial=0) >> _Q_BITS:
        raise InputError("normal forms of these DAGs have larger numbers than rows have room for")
    packed = _packed(np.array(ids), p, q)
    rows = np.zeros((len(skip), max(width, len(ids))), np.int64)
    rows[:, : len(ids)] = np.where(p > 0, packed, 0)
    rows.sort(axis=1)
    return rows[:, -width:]


def _packed(numbers: np.ndarray, p: np.ndarray, q: np.ndarray | int) -> np.ndarray:
    return (numbers + 1 << (_P_BITS + _Q_BITS)) + (p << _Q_BITS) + q


def _by_paths(num_nodes: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """In the order of codes: n_d as weights of links d = 0..H of a chain, packed [B, n], and their sums [B]."""
    total = 3 ** num_edges(num_nodes)
    for start in range(0, total, _BLOCK):
        codes = codes_of(np.arange(start, min(start + _BLOCK, total)), num_nodes)
        counts = path_counts_array(codes)
        yield np.where(counts > 0, _packed(np.arange(num_nodes), counts, 0), 0), counts.sum(axis=1)


# ---- classes of rows -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Classes:
    """Distinct rows [C, n], of each the least rank and the number of rows that it stands for."""

    keys: np.ndarray
    rank: np.ndarray
    size: np.ndarray


def _merged(parts: list[_Classes]) -> list[_Classes]:
    """Parts of growing size, the last ones joined while they are as large as those before them."""
    while len(parts) > 1 and len(parts[-1].rank) >= len(parts[-2].rank) // 2:
        parts = [*parts[:-2], _joined(parts[-2:])]
    return parts


def _joined(parts: list[_Classes]) -> _Classes:
    return _classes(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("keys", "rank", "size")))


def _classes(keys: np.ndarray, rank: np.ndarray, size: np.ndarray) -> _Classes:
    """The distinct rows among keys [A, n]: sorted by a hash, and by the rows themselves where two share one."""
    hashes = row_hashes(keys)
    order = np.lexsort((rank, hashes))
    same = hashes[order][1:] == hashes[order][:-1]
    if (same & (keys[order][1:] != keys[order][:-1]).any(axis=1)).any():
        order = np.lexsort((rank, *keys.T))
        same = (keys[order][1:] == keys[order][:-1]).all(axis=1)
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), bool), ~same]))
    sizes = np.add.reduceat(size[order], first) if len(first) else size[:0]
    return _Classes(keys[order[first]], rank[order[first]], sizes)
