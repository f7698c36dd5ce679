// Infinite-width kernels of one DAG of ReLU layers on two unit inputs: plain functions, no page.
// K and T (theta) are written out over all pairs of nodes, as the definitions are; `d` is an input with itself,
// `c` the two inputs with each other. Edges: 0 none, 1 skip, 2 linear.
const nngp = (() => {
  const PI = Math.PI;
  const zeros = (n) => Array.from({ length: n }, () => new Array(n).fill(0));

  // ---- DAGs ------------------------------------------------------------------------------------------------------

  function parse(code) { // op[t][s] for s < t; null where the text is no code
    const rows = String(code).trim().split("_");
    if (!rows.every((row, i) => row.length === i + 1 && /^[012]+$/.test(row))) return null;
    return [[], ...rows.map((row) => [...row].map(Number))];
  }

  const toCode = (op) => op.slice(1).map((row) => row.join("")).join("_");

  function onPath(op) { // nodes on some path from input to output
    const n = op.length, from = new Array(n).fill(false), to = new Array(n).fill(false);
    from[0] = to[n - 1] = true;
    for (let t = 1; t < n; t++) for (let s = 0; s < t; s++) if (op[t][s] && from[s]) from[t] = true;
    for (let t = n - 1; t > 0; t--) for (let s = 0; s < t; s++) if (op[t][s] && to[t]) to[s] = true;
    return from.map((reached, i) => reached && to[i] && from[n - 1]);
  }

  function pruned(op) { // {op, names}: without what no path uses; null where there is no path
    const names = onPath(op).flatMap((on, i) => (on ? [i] : []));
    return names.length ? { op: names.map((t, j) => names.slice(0, j).map((s) => op[t][s])), names } : null;
  }

  const into = (op, t, kind) => op[t].flatMap((o, s) => (o === kind ? [s] : []));

  function pathCounts(op, end = op.length - 1) { // n_d: a polynomial per node
    const counts = [[1]];
    for (let t = 1; t <= end; t++) {
      const sum = [];
      op[t].forEach((o, s) => o && counts[s].forEach((n, d) => {
        const depth = d + (o === 2);
        sum[depth] = (sum[depth] || 0) + n;
      }));
      counts.push(Array.from(sum, (n) => n || 0));
    }
    return counts[end];
  }

  function shape(counts) { // P, effective depth and width (Definition 4.1)
    const total = counts.reduce((a, n) => a + n, 0), sum = counts.reduce((a, n, d) => a + n * d, 0);
    const depth = total ? sum / total : 0;
    return { P: total, depth, width: depth ? (total - counts[0]) / depth : 0 };
  }

  // ---- dual maps of ReLU, c = 2 ------------------------------------------------------------------------------------

  const angle = (k, v) => Math.acos(Math.max(-1, Math.min(1, v ? k / v : 0)));
  const f = (k, v) => { // k the covariance, v the variance of both
    const a = angle(k, v);
    return v * (Math.sin(a) + (PI - a) * Math.cos(a)) / PI;
  };
  const fdot = (k, v) => (PI - angle(k, v)) / PI;
  const beta = (v) => Math.sqrt(v / PI);

  function start(rho, embedding) { // K, theta and mean of node 0
    if (embedding === "stem") return { K: f(rho, 1), T: fdot(rho, 1) * rho, S: beta(1) };
    return { K: rho, T: embedding === "gaussian-trained" ? rho : 0, S: 0 };
  }

  const tangent = (k, v, th, last) => fdot(k, v) * th + (last ? fdot(k, v) * k : f(k, v));

  // ---- the three methods: {nngp, ntk} of a pair of correlation rho, for a DAG that is pruned -----------------------

  function exact(op, rho, { order, embedding }) {
    const n = op.length, last = order === "activation-last", S = new Array(n).fill(0);
    const [one, pair] = [start(1, embedding), start(rho, embedding)];
    const K = { d: zeros(n), c: zeros(n) }, T = { d: zeros(n), c: zeros(n) };
    [K.d[0][0], K.c[0][0], T.d[0][0], T.c[0][0], S[0]] = [one.K, pair.K, one.T, pair.T, one.S];
    for (let t = 1; t < n; t++) {
      const A = into(op, t, 1), L = into(op, t, 2), b = L.map((l) => (last ? beta(K.d[l][l]) : 0));
      const bs = b.reduce((a, x) => a + x, 0), As = A.reduce((a, s) => a + S[s], 0);
      for (const m of ["d", "c"]) {
        for (let r = 0; r < t; r++) {
          K[m][t][r] = K[m][r][t] = A.reduce((a, s) => a + K[m][s][r], 0) + bs * S[r];
          T[m][t][r] = T[m][r][t] = A.reduce((a, s) => a + T[m][s][r], 0);
        }
        let k = 2 * As * bs + bs * bs - b.reduce((a, x) => a + x * x, 0), th = 0;
        for (const s of A) for (const r of A) { k += K[m][s][r]; th += T[m][s][r]; }
        for (const l of L) {
          k += f(K[m][l][l], K.d[l][l]);
          th += tangent(K[m][l][l], K.d[l][l], T[m][l][l], last);
        }
        [K[m][t][t], T[m][t][t]] = [k, th];
      }
      S[t] = As + bs;
    }
    const k = K.c[n - 1][n - 1];
    return { nngp: k, ntk: k + T.c[n - 1][n - 1] };
  }

  function independent(op, rho, { order, embedding }) { // Eq. 6-11
    const last = order === "activation-last", nodes = [{ d: start(1, embedding), c: start(rho, embedding) }];
    for (let t = 1; t < op.length; t++) {
      const node = { d: { K: 0, T: 0 }, c: { K: 0, T: 0 } };
      for (const m of ["d", "c"]) op[t].forEach((o, s) => {
        const { K, T } = nodes[s][m], v = nodes[s].d.K;
        node[m].K += o === 1 ? K : o === 2 ? f(K, v) : 0;
        node[m].T += o === 1 ? T : o === 2 ? tangent(K, v, T, last) : 0;
      });
      nodes.push(node);
    }
    const { K, T } = nodes[op.length - 1].c;
    return { nngp: K, ntk: K + T };
  }

  function pathSum(op, rho, { order, embedding }) { // Eq. 12: a chain of each depth, as often as there are paths
    const last = order === "activation-last";
    let { K, T } = start(rho, embedding), v = start(1, embedding).K, nngpSum = 0, ntkSum = 0;
    for (const n of pathCounts(op)) {
      nngpSum += n * K;
      ntkSum += n * (K + T);
      [K, T, v] = [f(K, v), tangent(K, v, T, last), f(v, v)];
    }
    return { nngp: nngpSum, ntk: ntkSum };
  }

  const METHODS = { exact, independent, "path-sum": pathSum };

  // ---- of a DAG ----------------------------------------------------------------------------------------------------

  function skipPaths(op) { // alpha[t][u]: skip paths from u to t, and 1 from a node to itself
    const n = op.length, alpha = zeros(n);
    for (let t = 0; t < n; t++) {
      for (const s of t ? into(op, t, 1) : []) for (let u = 0; u <= s; u++) alpha[t][u] += alpha[s][u];
      alpha[t][t] += 1;
    }
    return alpha;
  }

  function meetings(code, { order, embedding }) { // what meets at a node that is used, against an assumption
    const found = [], part = pruned(parse(code));
    if (!part) return found;
    const { op, names } = part, n = op.length, alpha = skipPaths(op);
    const linear = op.map((row) => row.filter((o) => o === 2).length);
    for (let t = 0; t < n; t++) {
      const isTail = op.some((row) => row[t] === 2);
      if (t !== n - 1 && !isTail) continue;
      for (let u = 0; u < t; u++) {
        if (alpha[t][u] > 1 && (u === 0 || linear[u])) {
          found.push({ kind: "copies", node: names[t], source: names[u], count: alpha[t][u] });
        }
      }
      const means = alpha[t].reduce((a, x, u) => a + x * (linear[u] + (u === 0 && embedding === "stem")), 0);
      if (order === "activation-last" && means > 1) found.push({ kind: "means", node: names[t], count: means });
      const counts = pathCounts(op, t), depths = counts.flatMap((m, d) => (m ? [d] : []));
      if (isTail && t && depths.length > 1) found.push({ kind: "depths", node: names[t], count: shape(counts).P, depths });
    }
    return found;
  }

  function pair(code, rho, reading) { // by method: nngp and ntk, each {ii, ij, lambda}: the 2x2 kernel of two unit inputs
    const part = pruned(parse(code)), result = {};
    for (const [name, method] of Object.entries(METHODS)) {
      const [ii, ij] = part ? [method(part.op, 1, reading), method(part.op, rho, reading)] : [{ nngp: 0, ntk: 0 }, { nngp: 0, ntk: 0 }];
      result[name] = Object.fromEntries(["nngp", "ntk"].map((kernel) =>
        [kernel, { ii: ii[kernel], ij: ij[kernel], lambda: ii[kernel] - Math.abs(ij[kernel]) }]));
    }
    return result;
  }

  function curves(code, reading, degrees = Array.from({ length: 181 }, (_, i) => i)) {
    const part = pruned(parse(code));
    return Object.fromEntries(Object.entries(METHODS).map(([name, method]) => {
      const values = degrees.map((x) => (part ? method(part.op, Math.cos(x * PI / 180), reading) : { nngp: 0, ntk: 0 }));
      return [name, { nngp: values.map((v) => v.nngp), ntk: values.map((v) => v.ntk) }];
    }));
  }

  function excess(found, method) { // where lambda_min of two rows is above P - sum_d n_d f^d(rho) (Eq. 12), by degrees
    const K = found[method].nngp, sum = found["path-sum"].nngp, by = [];
    for (let i = 1; i < K.length - 1; i++) by.push(K[0] - Math.abs(K[i]) - (sum[0] - sum[i]));
    const most = Math.max(...by), at = by.indexOf(most) + 1, small = 1e-9 * Math.max(1, sum[0]);
    const failing = by.flatMap((x, i) => (x > small ? [i + 1] : []));
    return { most, at, fails: failing.length > 0, from: failing[0], to: failing[failing.length - 1] };
  }

  function neighbours(code) { // one edge changed, those with a path
    const op = parse(code), found = [];
    for (let t = 1; t < op.length; t++) for (let s = 0; s < t; s++) for (let o = 0; o < 3; o++) {
      if (o === op[t][s]) continue;
      const other = op.map((row) => [...row]);
      other[t][s] = o;
      if (pruned(other)) found.push({ edge: [s, t], op: o, code: toCode(other) });
    }
    return found;
  }

  return { parse, toCode, onPath, pruned, pathCounts, shape, meetings, pair, curves, excess, neighbours };
})();
