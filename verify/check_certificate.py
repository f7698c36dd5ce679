"""Prove certificates of nngp-dag again with python-flint alone: python check_certificate.py FILE.json ...

A file is a certificate of schema 1, a list of them, or a report.json. Kernels are of ReLU networks (c = 2), unit rows,
x.x' = rho = 1 - v, the DAG cut down to its paths; A are the skip, L the linear predecessors of a node, f Lemma 3.2's:
  exact        K_tt = sum_{A,A} K_ss' + 2 sum_A S_s sum_L b_l + (sum_L b_l)^2 - sum_L b_l^2 + sum_L f(K_ll),
               K_tr = sum_A K_sr + S_r sum_L b_l (r < t), S_t = sum_A S_s + sum_L b_l, b_l = sqrt(K_ll(x, x) / pi)
               (activation-first: 0);
  independent  K_t = sum_A K_s + sum_L f(K_s);          path-sum  K = sum over paths of f^(number of linear edges).
K_00 = rho and S_0 = 0; after a stem f(rho) and sqrt(1 / pi). A pair of nodes is carried as k = K(x, x), the ratio
r = (k - K(x, x')) / v, its limit at v = 0 and the deficit (limit - r) / sqrt(v). A linear edge keeps k and the limit,
maps r to r s(v r / k), adds r sqrt(r / k) e(v r / k) to the deficit; s(v) = (1 - f(1 - v)) / v, e = (1 - s) / sqrt(v).
On [0, 2] s falls and e rises; r falls and v r rises in v. So the ends of a box enclose all that is in it.
"""

# mypy: ignore-errors
import json
import sys
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import flint
from flint import arb, fmpq

ZERO, SETTING = arb(0), ("code", "method", "order", "embedding")
SHOWN = ("kind", *SETTING, "rows", "side", "bound", "terms", "constant", "interval")
__debug__ or sys.exit("without assertions (-O, PYTHONOPTIMIZE) nothing is checked")


def rational(text):
    return fmpq(*map(int, text.split("/")))


def at_ends(function, ball):  # a monotone function on a ball within [0, 2]
    return function(arb(ball.lower()).max(ZERO)).union(function(arb(ball.upper()).min(arb(2))))


def s(v):
    t = 2 * (v / 2).sqrt().min(arb(1)).asin()  # arccos(1 - v)
    return arb(1) if v == 0 else 1 - (t.sin() - t * t.cos()) / (arb.pi() * v)


def e(v):
    return 2 * arb(2).sqrt() / (3 * arb.pi()) if v == 0 else (1 - s(v)) / v.sqrt()


def add(*pairs):
    return tuple(sum(parts, ZERO) for parts in zip((ZERO,) * 4, *pairs, strict=True))


def linear(pair, low, high):
    k, limit, r, deficit = pair
    least, greatest = arb(r.lower()), arb(r.upper())
    ratio = (least * at_ends(s, high * least / k)).union(greatest * at_ends(s, low * greatest / k))
    return k, limit, ratio, deficit + r * (r / k).sqrt() * at_ends(e, low.union(high) * r / k)


def predecessors(code):  # (skip, linear) predecessors of each node on a path from 0 to the last, None of others
    rows = ["", *code.split("_")]
    assert all(len(row) == t and set(row) <= set("012") for t, row in enumerate(rows)), "no code of a DAG"
    reached, useful = {0}, {len(rows) - 1}
    for t, row in enumerate(rows):
        reached |= {t for i in reached if i < t and row[i] != "0"}
    for t, row in reversed(list(enumerate(rows))):
        useful |= {i for i, op in enumerate(row) if op != "0" and t in useful}
    kept = reached & useful
    assert {0, len(rows) - 1} <= kept, "no path"
    return [[[i for i, op in enumerate(row) if i in kept and op == kind] for kind in "12"] if t in kept else None
            for t, row in enumerate(rows)]  # fmt: skip


def output(code, method, order, embedding, low, high):  # k, limit, ratio, deficit for all v in [low, high]
    assert method in ("exact", "independent", "path-sum") and embedding in ("gaussian", "stem"), "another setting"
    assert order == "activation-last" or (order == "activation-first" and embedding != "stem"), "another setting"
    start, dag, stem = (arb(1), arb(1), arb(1), ZERO), predecessors(code), embedding == "stem"
    start = linear(start, low, high) if stem else start
    if method == "path-sum":
        counts, total = [Counter([0])], (ZERO,) * 4
        for node in dag[1:]:
            sources = [(i, extra) for extra, found in enumerate(node or []) for i in found]
            counts.append(sum((Counter({d + e: n for d, n in counts[i].items()}) for i, e in sources), Counter()))
        for d in range(max(counts[-1]) + 1):
            start = linear(start, low, high) if d else start
            total = add(total, tuple(counts[-1][d] * part for part in start))
        return total
    pairs, means = {(0, 0): start}, {0: (1 / arb.pi()).sqrt() if stem else ZERO}
    for t, node in ((t, node) for t, node in enumerate(dag) if t and node):
        skips, through = node[0], [linear(pairs[i, i], low, high) for i in node[1]]
        if method == "independent":
            pairs[t, t] = add(*(pairs[i, i] for i in skips), *through)
            continue
        b = [(pairs[i, i][0] / arb.pi()).sqrt() for i in node[1]] if order == "activation-last" else []
        got, brought = sum(b, ZERO), sum((means[i] for i in skips), ZERO)
        for r, mean in means.items():
            pairs[t, r] = pairs[r, t] = add(*(pairs[i, r] for i in skips), (got * mean, ZERO, ZERO, ZERO))
        met = 2 * brought * got + got * got - sum((x * x for x in b), ZERO)
        pairs[t, t] = add(*(pairs[i, j] for i in skips for j in skips), *through, (met, ZERO, ZERO, ZERO))
        means[t] = brought + got
    return pairs[len(dag) - 1, len(dag) - 1]


def quantity(term, low, high):
    boxes = (low, high), (low, low), (high, high)
    (k, limit, _, deficit), (*_, first, _), (*_, last, _) = (output(*map(term.get, SETTING), *box) for box in boxes)
    ratio, gap = first.union(last), (low * first).union(high * last)
    smallest, other = ratio, 2 * k - gap  # lambda_min / v = min(gap, other) / v
    if low > 0 or high > 0:
        smallest = ratio.min(other / low.union(high)) if low > 0 else ratio.union(ratio.min(other.lower() / high))
    names = ("gap-ratio", "eigenvalue-ratio", "deficit", "limit", "variance", "covariance")
    value = dict(zip(names, (ratio, smallest, deficit, limit, k, k - gap), strict=True))[term["quantity"]]
    return rational(term["coefficient"]) * value / {"none": 1, "variance": k}[term["scale"]]


def inequality(c):  # constant + sum of terms > 0 on every box, and the boxes cover the interval
    (low, high), cuts = map(rational, c["interval"]), list(map(rational, c["cuts"]))
    assert c["terms"] and 0 <= low <= high <= 2, "no statement"
    boxes, constant = list(pairwise(cuts)) or [(cut, cut) for cut in cuts], arb(rational(c["constant"]))
    covers = bool(cuts) and (cuts[0], cuts[-1]) == (low, high) and all(a <= b for a, b in boxes)
    return covers and all(sum((quantity(t, arb(a), arb(b)) for t in c["terms"]), constant) > 0 for a, b in boxes)


def bound(c):  # side above: all pivots of K - t I are positive; below: a vector x with x' (K - t I) x < 0
    rows, t, at = c["rows"], rational(c["bound"]), lambda v: output(*map(c.get, SETTING), v, v)
    dot = lambda x, y: sum((a * b for a, b in zip(x, y, strict=True)), ZERO)  # noqa: E731
    assert c["side"] in ("above", "below") and rows and all(type(a) is int for row in rows for a in row), "no statement"
    m = [[at(ZERO)[0] - t for _ in rows] for _ in rows]
    for i, j in combinations(range(len(rows)), 2):
        v = 1 - dot(rows[i], rows[j]) / (arb(dot(rows[i], rows[i])) * dot(rows[j], rows[j])).sqrt()
        m[i][j] = m[j][i] = at(ZERO)[0] - at_ends(lambda v: v * at(v)[2], v)
    if c["side"] == "below":
        x = [arb(rational(entry)) for entry in c["vector"]]
        return dot(x, [dot(row, x) for row in m]) < 0
    for p, i in (pair for pair in combinations(range(len(rows)), 2) if m[pair[0]][pair[0]] > 0):
        m[i] = [a - m[i][p] / m[p][p] * b for a, b in zip(m[i], m[p], strict=True)]
    return all(m[p][p] > 0 for p in range(len(rows)))


if __name__ == "__main__":
    results = []
    for file in sys.argv[1:]:
        content = json.loads(Path(file).read_bytes())
        if isinstance(content, dict) and "claims" in content:
            content = [c for claim in content["claims"] for c in claim["evidence"]["certificates"] if c["schema"] == 1]
        for c in content if isinstance(content, list) else [content]:
            flint.ctx.prec = int(c["precision"])
            assert c["schema"] == 1 and c["activation"] == "relu", "another schema (2: check_spectrum.py)"
            results.append({"strict-inequality": inequality, "eigenvalue-bound": bound}[c["kind"]](c))
            print("proved:" if results[-1] else "NOT PROVED:", json.dumps({key: c[key] for key in SHOWN if key in c}))
    sys.exit(0 if results and all(results) else 1)
