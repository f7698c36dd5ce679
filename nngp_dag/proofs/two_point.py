r"""Two-point kernels of whole DAGs in ball arithmetic (ReLU, two unit rows with x.x' = rho = 1 - v).

Both inputs have the same variances and means at every node, which do not depend on v. What depends on v is the gap of a
pair of nodes, K_st(x, x) - K_st(x, x'), in which all terms made of means cancel. It is carried as a *ratio* r_st = gap
/ v, so that the end rho -> 1, where every gap vanishes, is a point like any other:

    exact:        r_tr = sum_{s in A} r_sr,   r_tt = sum_{s,s' in A} r_ss' + sum_{l in L} r_ll s(v r_ll / k_ll),
    independent:  r_t = sum_{s in A} r_s + sum_{l in L} r_l s(v r_l / k_l),
    path-sum:     r = sum_d n_d r_d,  r_{d+1} = r_d s(v r_d),

with r_00 = 1 (or s(v) after a stem), s the gap factor (`relu`), and k_t, S_t by the recursions of the kernel with f(k,
k, k) = k. One step r s(v r / k) = (k / v) (1 - f(1 - v r / k)) increases in r and decreases in v, so every ratio
decreases in v, while every gap v r increases (f does): on a box of v the values at its two ends, each a ball of its
own, enclose all others. Beside it goes the *deficit* (r(0) - r(v))
/ sqrt(v), which a linear edge increases by r sqrt(r / k) e(v r / k), e the deficit factor; it decides comparisons whose
limits at v = 0 agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb, fmpq

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError, unknown
from nngp_dag.paths import path_counts
from nngp_dag.proofs.relu import deficit_factor, feature_mean, gap_factor
from nngp_dag.reading import Setting

__all__ = ["CERTIFIABLE_EMBEDDINGS", "CERTIFIABLE_METHODS", "TwoPoint", "two_point"]

CERTIFIABLE_METHODS = ("exact", "independent", "path-sum")
CERTIFIABLE_EMBEDDINGS = ("gaussian", "stem")


@dataclass(frozen=True)
class TwoPoint:
    """The NNGP of two unit rows for every v in [low, high], each field a ball that holds all its values there.

    Attributes:
        variance: K(x, x) = K(x', x').
        limit: the ratio's limit at v = 0.
        ratio: (K(x, x) - K(x, x')) / v.
        deficit: (limit - ratio) / sqrt(v).
        ratio_at_low, ratio_at_high: the ratio at the two ends.
    """

    low: fmpq
    high: fmpq
    variance: arb
    limit: arb
    ratio: arb
    deficit: arb
    ratio_at_low: arb
    ratio_at_high: arb

    @property
    def gap(self) -> arb:
        """K(x, x) - K(x, x'); it increases in v."""
        return (arb(self.low) * self.ratio_at_low).union(arb(self.high) * self.ratio_at_high)

    @property
    def covariance(self) -> arb:
        """K(x, x')."""
        return self.variance - self.gap

    @property
    def eigenvalue_ratio(self) -> arb:
        """lambda_min / v = min(gap, 2 K(x, x) - gap) / v."""
        other = 2 * self.variance - self.gap
        if self.low > 0:
            return self.ratio.min(other / arb(self.low).union(arb(self.high)))
        least = other.lower() / arb(self.high) if self.high > 0 else self.ratio.upper()
        return self.ratio.min(arb(least).union(arb(self.ratio.upper()).max(arb(least))))


@dataclass(frozen=True)
class _Pair:
    """A pair of nodes (or a node): covariance at one input, and limit, ratio and deficit of the gap."""

    variance: arb
    limit: arb
    ratio: arb
    deficit: arb

    def __add__(self, other: _Pair) -> _Pair:
        return _Pair(
            self.variance + other.variance,
            self.limit + other.limit,
            self.ratio + other.ratio,
            self.deficit + other.deficit,
        )

    def plus(self, variance: arb) -> _Pair:
        """With a constant added to both covariances."""
        return _Pair(self.variance + variance, self.limit, self.ratio, self.deficit)


_Through = Callable[[_Pair], _Pair]


def two_point(dag: Dag, low: fmpq, high: fmpq | None = None, setting: Setting | None = None) -> TwoPoint:
    """The two-point ReLU kernel of a DAG for all v = 1 - rho in [low, high], rigorously enclosed.

    Args:
        dag: any DAG with a path from input to output.
        low: a rational, 0 <= low.
        high: a rational, low <= high <= 2; without it, the point low.
        setting: of method `exact`, `independent` or `path-sum`, embedding `gaussian` (S_0 = 0) or `stem`, and ReLU;
            only `exact` depends on the order. By default exact, and the default reading.

    Raises:
        InputError: another method, embedding or activation, v outside [0, 2], or a DAG without a path.
    """
    setting = setting or Setting()
    for kind, value, accepted in (
        ("method", setting.method, CERTIFIABLE_METHODS),
        ("embedding", setting.embedding, CERTIFIABLE_EMBEDDINGS),
        ("activation", setting.activation.name, ("relu",)),
    ):
        if value not in accepted:
            raise unknown(kind, value, accepted, "of a certificate")
    if setting.activation != Setting().activation:
        raise InputError("the activation called relu is not the library's own, so nothing is proved of it")
    high = low if high is None else high
    if not 0 <= low <= high <= 2:
        raise InputError(f"v = 1 - rho lies in [0, 2], got [{low}, {high}]")
    pruned = dag.pruned()
    if not path_counts(pruned):
        raise InputError(f"{dag.to_code()} has no path from input to output: its kernel is zero")

    end = _end(pruned, arb(low), arb(high), setting)
    first, last = end, end
    if low < high:
        first, last = (_end(pruned, arb(v), arb(v), setting) for v in (low, high))
    return TwoPoint(
        low, high, end.variance, end.limit, first.ratio.union(last.ratio), end.deficit, first.ratio, last.ratio
    )


def _end(pruned: Dag, low: arb, high: arb, setting: Setting) -> _Pair:
    """The output node for all v in [low, high]."""

    def through(pair: _Pair) -> _Pair:
        return _linear(pair, low, high)

    start = _Pair(arb(1), arb(1), arb(1), arb(0))
    mean = arb(0)
    if setting.embedding == "stem":
        start, mean = through(start), feature_mean(arb(1))
    if setting.method == "path-sum":
        return _path_sum(path_counts(pruned), start, through)
    if setting.method == "independent":
        return _independent(pruned, start, through)
    return _exact(pruned, start, mean, setting.order == "activation-last", through)


def _linear(pair: _Pair, low: arb, high: arb) -> _Pair:
    """The kernel after a linear edge out of a node with this one, for all v in [low, high]."""
    k, r = pair.variance, pair.ratio
    least, greatest = arb(r.lower()), arb(r.upper())
    ratio = (least * gap_factor(high * least / k)).union(greatest * gap_factor(low * greatest / k))
    deficit = pair.deficit + r * (r / k).sqrt() * deficit_factor(low.union(high) * r / k)
    return _Pair(k, pair.limit, ratio, deficit)


_NOTHING = _Pair(arb(0), arb(0), arb(0), arb(0))


def _path_sum(counts: tuple[int, ...], start: _Pair, through: _Through) -> _Pair:
    total, chain = _NOTHING, start
    for d, count in enumerate(counts):
        chain = through(chain) if d else chain
        total += _Pair(count * chain.variance, count * chain.limit, count * chain.ratio, count * chain.deficit)
    return total


def _independent(dag: Dag, start: _Pair, through: _Through) -> _Pair:
    nodes = [start]
    for t in range(1, dag.num_nodes):
        total = _NOTHING
        for s in range(t):
            op = dag.op(s, t)
            if op is not Op.ZERO:
                total += nodes[s] if op is Op.SKIP else through(nodes[s])
        nodes.append(total)
    return nodes[-1]


def _exact(dag: Dag, start: _Pair, mean: arb, activation_last: bool, through: _Through) -> _Pair:
    n = dag.num_nodes
    pairs = [[_NOTHING] * n for _ in range(n)]
    pairs[0][0] = start
    means = [mean]
    for t in range(1, n):
        skips = [s for s in range(t) if dag.op(s, t) is Op.SKIP]
        linears = [s for s in range(t) if dag.op(s, t) is Op.LINEAR]
        features = [feature_mean(pairs[s][s].variance) if activation_last else arb(0) for s in linears]
        received, brought = sum(features, arb(0)), sum((means[s] for s in skips), arb(0))
        for r in range(t):
            pairs[t][r] = pairs[r][t] = sum((pairs[s][r] for s in skips), _NOTHING.plus(received * means[r]))
        squares = sum((b * b for b in features), arb(0))
        met = 2 * brought * received + received * received - squares
        total = sum((pairs[s][u] for s in skips for u in skips), _NOTHING.plus(met))
        pairs[t][t] = sum((through(pairs[s][s]) for s in linears), total)
        means.append(brought + received)
    return pairs[-1][-1]
