"""Prove certificates about spectra again with python-flint alone: python check_spectrum.py FILE.json ROWS.npy

FILE is a certificate of schema 2 or a list of them: the smallest and the largest eigenvalue of a kernel K of a DAG lie
in two intervals. ROWS are the float64 rows that it names by their SHA-256. With alpha_tu the number of skip paths from
u to t, L the linear predecessors of a node, a = alpha^2 (exact; S, b as below) or alpha (independent; S = b = 0):
  K_t = sum_u a_tu D_u + S_t S_t',  D_t = sum_L (f(K_l) - b_l b_l'),      S_t = sum_u alpha_tu m_u,  m_t = sum_L b_l,
  Theta_t = sum_u a_tu E_u,         E_t = sum_L (fdot(K_l) Theta_l + T_l),  NNGP = K_H,  NTK = K_H + Theta_H,
activation-last: b_l = beta(K_l), T_l = fdot(K_l) K_l; activation-first: b_l = 0, T_l = f(K_l). path-sum: sum_d n_d k_d,
k_d = f(k_(d-1)), n_d paths with d linear edges. Node 0: K = x.x', Theta = 0 (gaussian) or K (gaussian-trained); stem:
K = f(x.x'), Theta = fdot(x.x') x.x', S = beta. f = c E[s(g) s(g')], fdot = c E[s'(g) s'(g')], beta = sqrt(c) E[s(g)].
A is positive definite where A_11 and A_22 - A_21 inv(A_11) A_12 are: K - low and high - K are, and the quotients
v'Kv / v'v of the two vectors are at most lambda_min's high and at least lambda_max's low. All in balls.
"""

# mypy: ignore-errors
import ast
import base64
import hashlib
import json
import struct
import sys
from collections import Counter
from pathlib import Path

import flint
from flint import arb, arb_mat

ZERO, ONE = arb(0), arb(1)
if not __debug__:
    sys.exit("without assertions (-O, PYTHONOPTIMIZE) nothing is checked")


def load_rows(file):  # a float64 .npy file, row by row
    content = Path(file).read_bytes()
    assert content[:6] == b"\x93NUMPY", "no .npy file"
    start = 10 if content[6] == 1 else 12
    end = start + struct.unpack("<H" if content[6] == 1 else "<I", content[8:start])[0]
    head, body = ast.literal_eval(content[start:end].decode()), content[end:]
    assert head["descr"] == "<f8" and not head["fortran_order"] and len(head["shape"]) == 2, "no float64 rows"
    return head["shape"], hashlib.sha256(body).hexdigest(), [arb(v) for v in struct.unpack(f"<{len(body) // 8}d", body)]


def angle(x, y, k):  # (q sin t + (pi - t) k) / pi and (pi - t) / pi, q = sqrt(x y), cos t = k / q
    q = (x * y).sqrt()
    if q == 0:
        return ZERO, arb(0.5)
    ends = [k / q] if 1 - (k / q) ** 2 > 0 else [arb(e).max(-ONE).min(ONE) for e in ((k / q).lower(), (k / q).upper())]
    behind = [arb.pi() - c.acos() for c in ends]
    f = [q * ((1 - c * c).nonnegative_part().sqrt() + b * c) / arb.pi() for c, b in zip(ends, behind, strict=True)]
    return f[0].union(f[-1]), (behind[0] / arb.pi()).union(behind[-1] / arb.pi())


def leaky(a):
    total = 1 + a * a

    def maps(x, y, k, same):
        f, slope = (k, ONE) if same else angle(x, y, k)
        return ((1 - a) ** 2 * f + 2 * a * k) / total, ((1 - a) ** 2 * slope + 2 * a) / total

    return maps, lambda x: (1 - a) * (x / (arb.pi() * total)).sqrt()


def erf(x, y, k, same):
    c = arb.pi() / (2 * (arb(2) / 3).asin())
    root = (1 + 2 * x + 2 * y + 4 * excess(x, y, k, same)).sqrt()
    return 2 * c / arb.pi() * (2 * k / root).atan(), 4 * c / arb.pi() / root


def sin(x, y, k, same):
    c, s = 2 / (1 - arb(-2).exp()), (x + y) / 2
    near, far = ONE if same else (-(s - k).nonnegative_part()).exp(), (-(s + k).nonnegative_part()).exp()
    return (
        (c * (near - far) / 2, c * (near + far) / 2)
        if s > 1
        else (c * (-s).exp() * k.sinh(), c * (-s).exp() * k.cosh())
    )


def gelu(x, y, k, same):
    c, tau, e = 1 / (arb(1) / 3 + 1 / (2 * arb.pi() * arb(3).sqrt())), 2 * arb.pi(), excess(x, y, k, same)
    d, inverse = 1 + x + y + e, 1 / (1 + x) + 1 / (1 + y)
    half = arb(0.25) + (k / d.sqrt()).atan() / tau
    f = k * half + (e + k * k * inverse) / (tau * d.sqrt())
    return c * f, c * (half + k * (inverse + 1 / d) / (tau * d.sqrt()))


def excess(x, y, k, same):  # never negative
    return ZERO if same else (x * y - k * k).nonnegative_part()


def maps_of(name):
    none, c = lambda x: ZERO, 1 / (arb(1) / 3 + 1 / (2 * arb.pi() * arb(3).sqrt()))
    mean = lambda x: c.sqrt() * x / (2 * arb.pi() * (1 + x)).sqrt()  # noqa: E731
    table = {"relu": leaky(ZERO), "leaky_relu": leaky(arb(0.01)), "erf": (erf, none), "sin": (sin, none)}
    return {**table, "gelu": (gelu, mean), "identity": (lambda x, y, k, same: (k, ONE), none)}[name]


def nodes_of(code):  # per node on a path: {d: paths with d linear edges}, {u: skip paths}, linear predecessors
    rows, useful, nodes = ["", *code.split("_")], {code.count("_") + 1}, []
    assert all(len(row) == t and set(row) <= set("012") for t, row in enumerate(rows)), "no code of a DAG"
    for t, row in reversed(list(enumerate(rows))):
        useful |= {i for i, op in enumerate(row) if op != "0" and t in useful}
    for t, row in enumerate(rows):
        paths, skips, linear = Counter([] if t else [0]), Counter([t]), []
        for i, op in ((i, op) for i, op in enumerate(row) if op != "0" and nodes[i]):
            paths.update({d + (op == "2"): n for d, n in nodes[i][0].items()})
            skips.update(nodes[i][1] if op == "1" else {})
            linear += [i] if op == "2" else []
        nodes.append((paths, skips, linear) if paths and t in useful else None)
    assert nodes[-1], "no path"
    return nodes


def walk(c, nodes, output, k, x=None, y=None):  # x, y: what was returned of two rows; without them k is a row's K_in
    (maps, beta), last, exact, row = maps_of(c["activation"]), c["order"] == "activation-last", c["exact"], x is None
    x = x or {"in": (k,)}
    y, stem, d, e, m, through, nngp, theta = y or x, c["embedding"] == "stem", {}, {}, {}, {}, ZERO, ZERO
    for t, (_, skips, linear) in ((t, node) for t, node in enumerate(nodes) if node):
        d[t], e[t], m[t] = (sum((through[i][part] for i in linear), ZERO) for part in range(3))
        if t == 0:
            d[0], slope = maps(x["in"][0], y["in"][0], k, row) if stem else (k, ONE)
            e[0] = ZERO if c["embedding"] == "gaussian" else slope * k
            m[0] = beta(k) if row and stem and exact else ZERO
        s = sum((n * m[u] for u, n in skips.items()), ZERO)
        met = s * s if row else x[t][1] * y[t][1]
        d[0] = d[0] - met if t == 0 else d[0]
        covariance = sum((n ** c["power"] * d[u] for u, n in skips.items()), met)
        tangent = sum((n ** c["power"] * e[u] for u, n in skips.items()), ZERO)
        if row:
            x[t] = covariance, s, beta(covariance) if last and exact else ZERO
        f, slope = maps(x[t][0], y[t][0], covariance, row)
        slope_term = slope * (tangent + covariance) if last else slope * tangent + f
        through[t] = f - x[t][2] * y[t][2], slope_term, x[t][2]
        nngp, theta = nngp + output.get(t, 0) * covariance, theta + output.get(t, 0) * tangent
    return nngp if c["kernel"] == "nngp" else nngp + theta, x


def kernel(c, shape, rows):
    (n, d), nodes = shape, nodes_of(c["code"])
    assert c["method"] in ("exact", "independent", "path-sum") and c["kernel"] in ("nngp", "ntk"), "another kernel"
    assert c["order"] in ("activation-last", "activation-first"), "another order"
    assert c["embedding"] in ("gaussian", "gaussian-trained", "stem"), "another embedding"
    assert c["method"] != "exact" or c["embedding"] != "stem" or c["order"] == "activation-last", "no such network"
    output, c = {len(nodes) - 1: 1}, {**c, "exact": c["method"] == "exact", "power": 1 + (c["method"] == "exact")}
    if c["method"] == "path-sum":
        output, nodes = nodes[-1][0], [(0, {t: 1}, [t - 1][:t]) for t in range(max(nodes[-1][0]) + 1)]
    gram = (lambda x: x * x.transpose())(arb_mat(n, d, rows))
    norms = [gram[i, i].sqrt() if c["rows"]["normalized"] else ONE for i in range(n)]
    assert all(norm > 0 for norm in norms), "a row of zeros"
    own = [walk(c, nodes, output, ONE if c["rows"]["normalized"] else gram[i, i]) for i in range(n)]
    k = arb_mat(n, n)
    for i in range(n):
        k[i, i] = own[i][0]
        for j in range(i):
            k[i, j] = k[j, i] = walk(c, nodes, output, gram[i, j] / (norms[i] * norms[j]), own[i][1], own[j][1])[0]
    return k


def part(a, rows, columns):
    return arb_mat(len(rows), len(columns), [a[i, j] for i in rows for j in columns])


def definite(a):
    n, half = a.nrows(), a.nrows() // 2
    if n == 1:
        return a[0, 0] > 0
    first, second = range(half), range(half, n)
    b = part(a, first, second)
    corner = part(a, first, first)
    try:
        return definite(corner) and definite(part(a, second, second) - b.transpose() * corner.solve(b))
    except ZeroDivisionError:  # balls that are too wide to solve with
        return False


def proved(c, shape, checksum, rows):
    assert c["schema"] == 2 and c["kind"] == "spectrum" and 64 <= c["precision"] <= 4096, "another schema"
    assert c["rows"]["sha256"] == checksum and c["rows"]["shape"] == list(shape), "other rows"
    assert isinstance(c["rows"]["normalized"], bool), "normalized is true or false"
    assert all(type(end) in (int, float) for name in ("lambda_min", "lambda_max") for end in c[name]), "no numbers"
    flint.ctx.prec = c["precision"]
    k, n = kernel(c, shape, rows), shape[0]
    (low, least), (most, high) = c["lambda_min"], c["lambda_max"]
    vectors = arb_mat(2, n, [arb(v) for v in struct.unpack(f"<{2 * n}f", base64.b64decode(c["vectors"]))])
    image, squares = vectors * k * vectors.transpose(), vectors * vectors.transpose()
    quotients = [image[i, i] / squares[i, i] for i in range(2)]
    unit = arb_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])
    return quotients[0] <= least and quotients[1] >= most and definite(k - unit * low) and definite(unit * high - k)


if __name__ == "__main__":
    content, data = json.loads(Path(sys.argv[1]).read_bytes()), load_rows(sys.argv[2])
    results = []
    for c in content if isinstance(content, list) else [content]:
        results.append(proved(c, *data))
        shown = {key: c[key] for key in c if key not in ("vectors", "statement", "proved", "seconds", "id")}
        print("proved:" if results[-1] else "NOT PROVED:", json.dumps(shown))
    sys.exit(0 if results and all(results) else 1)
