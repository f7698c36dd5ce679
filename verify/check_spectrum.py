"""Prove certificates about spectra again with python-flint alone: python check_spectrum.py FILE.json ROWS

FILE is a certificate of schema 2, a list of them, or a report.json: the smallest and the largest eigenvalue and the
trace of a kernel K of a DAG lie in three intervals. ROWS are numbers (little-endian float64, row by row, no header); a
certificate is of the first n rows, and names them by their SHA-256. With alpha_tu the number of skip paths from u to t,
L the linear predecessors of a node, a = alpha^2 (exact; S, b as below) or alpha (independent; S = b = 0):
  K_t = sum_u a_tu D_u + S_t S_t',  D_t = sum_L (f(K_l) - b_l b_l'),      S_t = sum_u alpha_tu m_u,  m_t = sum_L b_l,
  Theta_t = sum_u a_tu E_u,         E_t = sum_L (fdot(K_l) Theta_l + T_l),  NNGP = K_H,  NTK = K_H + Theta_H,
activation-last: b_l = beta(K_l), T_l = fdot(K_l) K_l; activation-first: b_l = 0, T_l = f(K_l). path-sum: sum_d n_d k_d,
k_d = f(k_(d-1)), n_d paths with d linear edges. Node 0: K = x.x', Theta = 0 (gaussian) or K (gaussian-trained); stem:
K = f(x.x'), Theta = fdot(x.x') x.x', S = beta. f = c E[s(g) s(g')], fdot = c E[s'(g) s'(g')], beta = sqrt(c) E[s(g)].
A is positive definite where A_11 and A_22 - A_21 inv(A_11) A_12 are: K - low and high - K are, and the quotients
v'Kv / v'v of the two vectors are at most lambda_min's high and at least lambda_max's low. All in balls.
"""

# mypy: ignore-errors
import base64
import hashlib
import json
import struct
import sys
from collections import Counter
from pathlib import Path

import flint
from flint import arb, arb_mat

ZERO, ONE, SLOPES = arb(0), arb(1), {"relu": 0.0, "leaky_relu": 0.01}
NAMES = {"method": ("exact", "independent", "path-sum"), "kernel": ("nngp", "ntk"),
         "order": ("activation-last", "activation-first"), "embedding": ("gaussian", "gaussian-trained", "stem"),
         "activation": (*SLOPES, "erf", "sin", "gelu", "identity")}  # fmt: skip
__debug__ or sys.exit("without assertions (-O, PYTHONOPTIMIZE) nothing is checked")


def angle(x, y, k):  # (q sin t + (pi - t) k) / pi and (pi - t) / pi, q = sqrt(x y), cos t = k / q
    q = (x * y).sqrt()
    if q == 0:
        return ZERO, arb(0.5)
    ends = [k / q] if 1 - (k / q) ** 2 > 0 else [arb(e).max(-ONE).min(ONE) for e in ((k / q).lower(), (k / q).upper())]
    behind = [arb.pi() - c.acos() for c in ends]
    f = [q * ((1 - c * c).nonnegative_part().sqrt() + b * c) / arb.pi() for c, b in zip(ends, behind, strict=True)]
    return f[0].union(f[-1]), (behind[0] / arb.pi()).union(behind[-1] / arb.pi())


def maps(name, x, y, k, same):  # f, fdot and beta(x); same: y = k = x. x y - k^2, s - k and s + k are never negative
    pi, e = arb.pi(), ZERO if same else (x * y - k * k).nonnegative_part()
    if name in SLOPES:
        a, (f, slope) = arb(SLOPES[name]), (k, ONE) if same else angle(x, y, k)
        bent, straight, total = (1 - a) ** 2, 2 * a, 1 + a * a
        return (bent * f + straight * k) / total, (bent * slope + straight) / total, (1 - a) * (x / pi / total).sqrt()
    if name == "erf":
        c, root = pi / (2 * (arb(2) / 3).asin()), (1 + 2 * x + 2 * y + 4 * e).sqrt()
        return 2 * c / pi * (2 * k / root).atan(), 4 * c / pi / root, ZERO
    if name == "sin":
        c, s = 1 / (1 - arb(-2).exp()), (x + y) / 2
        near, far = ONE if same else (-(s - k).nonnegative_part()).exp(), (-(s + k).nonnegative_part()).exp()
        return (c * (near - far) if s > 1 else 2 * c * (-s).exp() * k.sinh()), c * (near + far), ZERO
    if name == "gelu":
        c, d, inverse = 1 / (arb(1) / 3 + 1 / (2 * pi * arb(3).sqrt())), 1 + x + y + e, 1 / (1 + x) + 1 / (1 + y)
        half, root, mean = arb(0.25) + (k / d.sqrt()).atan() / 2 / pi, 2 * pi * d.sqrt(), x / (2 * pi * (1 + x)).sqrt()
        return c * (k * half + (e + k * k * inverse) / root), c * (half + k * (inverse + 1 / d) / root), c.sqrt() * mean
    return k, ONE, ZERO


def nodes_of(code):  # per node {d: paths from 0 with d linear edges}, {u: skip paths from u}, its linear predecessors
    rows, nodes = ["", *code.split("_")], []
    assert all(len(row) == t and set(row) <= set("012") for t, row in enumerate(rows)), "no code of a DAG"
    for t, row in enumerate(rows):
        paths, skips, linear = Counter([] if t else [0]), Counter([t]), []
        for i, op in ((i, op) for i, op in enumerate(row) if op != "0" and nodes[i][0]):
            paths.update({d + (op == "2"): n for d, n in nodes[i][0].items()})
            skips.update(nodes[i][1] if op == "1" else {})
            linear += [i] if op == "2" else []
        nodes.append((paths, skips, linear))
    assert nodes[-1][0], "no path"
    return nodes


def walk(c, nodes, output, k, x=None, y=None):  # x, y: what was returned of two rows; without them k is a row's K_in
    name, last, exact, row = c["activation"], c["order"] == "activation-last", c["method"] == "exact", x is None
    x = x or {"in": (k,)}
    y, power, through, d, e, m, nngp, theta = y or x, 1 + exact, {}, {}, {}, {}, ZERO, ZERO
    for t, (_, skips, linear) in ((t, node) for t, node in enumerate(nodes) if node[0]):
        d[t], e[t], m[t] = (sum((through[i][part] for i in linear), ZERO) for part in range(3))
        if t == 0:
            stem = maps(name, x["in"][0], y["in"][0], k, row) if c["embedding"] == "stem" else (k, ONE, ZERO)
            d[0], e[0], m[0] = stem[0], ZERO if c["embedding"] == "gaussian" else stem[1] * k, stem[2] * (row and exact)
        s = sum((n * m[u] for u, n in skips.items()), ZERO)
        met = s * s if row else x[t][1] * y[t][1]
        d[0] = d[0] - met if t == 0 else d[0]
        covariance = sum((n**power * d[u] for u, n in skips.items()), met)
        tangent = sum((n**power * e[u] for u, n in skips.items()), ZERO)
        if row:
            x[t] = covariance, s, maps(name, covariance, covariance, covariance, True)[2] if last and exact else ZERO
        f, slope, _ = maps(name, x[t][0], y[t][0], covariance, row)
        through[t] = f - x[t][2] * y[t][2], slope * (tangent + covariance) if last else slope * tangent + f, x[t][2]
        nngp, theta = nngp + output.get(t, 0) * covariance, theta + output.get(t, 0) * tangent
    return nngp if c["kernel"] == "nngp" else nngp + theta, x


def kernel(c, rows):
    n, nodes, unit, gram = rows.nrows(), nodes_of(c["code"]), c["rows"]["normalized"], rows * rows.transpose()
    assert all(c[key] in names for key, names in NAMES.items()) and isinstance(unit, bool), "another kernel"
    assert c["method"] != "exact" or c["embedding"] != "stem" or c["order"] == "activation-last", "no such network"
    output, k = {len(nodes) - 1: 1}, arb_mat(n, n)
    if c["method"] == "path-sum":
        output, nodes = nodes[-1][0], [({0: 1}, {t: 1}, [t - 1][:t]) for t in range(max(nodes[-1][0]) + 1)]
    norms = [gram[i, i].sqrt() if unit else ONE for i in range(n)]
    own = [walk(c, nodes, output, ONE if unit else gram[i, i]) for i in range(n)]
    for i in range(n):
        k[i, i] = own[i][0]
        for j in range(i):
            k[i, j] = k[j, i] = walk(c, nodes, output, gram[i, j] / (norms[i] * norms[j]), own[i][1], own[j][1])[0]
    return k


def definite(a):
    n, part = a.nrows(), lambda s, t: arb_mat(len(s), len(t), [a[i, j] for i in s for j in t])
    if n == 1:
        return a[0, 0] > 0
    first, rest = range(n // 2), range(n // 2, n)
    corner, b = part(first, first), part(first, rest)
    return definite(corner) and definite(part(rest, rest) - b.transpose() * corner.solve(b))


def proved(c, content):
    (n, d), ends = c["rows"]["shape"], [*c["lambda_min"], *c["lambda_max"], *c["trace"]]
    assert c["schema"] == 2 and c["kind"] == "spectrum" and 64 <= c["precision"] <= 4096, "another schema"
    assert hashlib.sha256(content[: 8 * n * d]).hexdigest() == c["rows"]["sha256"], "other rows"
    assert len(ends) == 6 and all(type(end) in (int, float) for end in ends), "no intervals"
    flint.ctx.prec = c["precision"]
    k = kernel(c, arb_mat(n, d, [arb(v) for v in struct.unpack(f"<{n * d}d", content[: 8 * n * d])]))
    vectors = arb_mat(2, n, [arb(v) for v in struct.unpack(f"<{2 * n}f", base64.b64decode(c["vectors"]))])
    image, squares = vectors * k * vectors.transpose(), vectors * vectors.transpose()
    least, greatest, indices = image[0, 0] / squares[0, 0], image[1, 1] / squares[1, 1], range(n)
    trace, one = sum((k[i, i] for i in indices), ZERO), arb_mat([[int(i == j) for i in indices] for j in indices])
    inside = least <= ends[1] and greatest >= ends[2] and ends[4] <= trace and trace <= ends[5]
    return inside and definite(k - one * ends[0]) and definite(one * ends[3] - k)


if __name__ == "__main__":
    content, rows, results = json.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]).read_bytes(), []
    if isinstance(content, dict) and "claims" in content:
        content = [c for claim in content["claims"] for c in claim["evidence"]["certificates"] if c["schema"] == 2]
    for c in content if isinstance(content, list) else [content]:
        results.append(proved(c, rows))
        shown = {key: c[key] for key in c if key not in ("vectors", "statement", "proved", "seconds", "id")}
        print("proved:" if results[-1] else "NOT PROVED:", json.dumps(shown))
    sys.exit(0 if results and all(results) else 1)
