// The page: a drawing that is clicked, a curve, tables. Every state is a fragment of the address.
(() => {
  const PAPER = { "DAG#1": "2_02_002", "DAG#2": "1_01_222", "DAG#3": "2_21_112" };
  const OPS = ["zero", "skip", "linear"], LOOKS = { exact: "exact", independent: "Eq. 6-11", "path-sum": "Eq. 12 (paths)" };
  const MAX_NODES = 8, NS = "http://www.w3.org/2000/svg";
  const $ = (id) => document.getElementById(id);
  const DEFAULT = { dag: document.body.dataset.dag, order: "activation-last", embedding: "gaussian", kernel: "nngp", angle: "60" };
  const CHOICES = { order: ["activation-last", "activation-first"], embedding: ["gaussian", "gaussian-trained", "stem"], kernel: ["nngp", "ntk", "gap"] };
  let state = { ...DEFAULT };

  function element(name, attributes = {}, ...children) {
    const made = name === "svg" || attributes.svg ? document.createElementNS(NS, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (key !== "svg" && value !== false) made.setAttribute(key, value);
    made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
    return made;
  }
  const svg = (name, attributes, ...children) => element(name, { ...attributes, svg: true }, ...children);
  const shown = (x) => (x === 0 ? "0" : Math.abs(x) < 1e-12 ? "0" : Number(x.toPrecision(4)).toString());
  const times = (x, of) => (of ? `× ${shown(x / of)}` : "–");

  // ---- state and address -----------------------------------------------------------------------------------------

  function accepted(name, value) {
    if (name === "dag") { const op = nngp.parse(value); return op !== null && op.length > 1 && op.length <= MAX_NODES; }
    if (name === "angle") return /^\d{1,3}$/.test(value) && +value <= 180;
    return name in CHOICES && CHOICES[name].includes(value);
  }

  function fromAddress() {
    const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    state = { ...DEFAULT };
    for (const [name, value] of Object.entries(given)) if (accepted(name, value)) state[name] = value;
    if (state.order !== "activation-last" && state.embedding === "stem") state.embedding = "gaussian-trained";
    draw();
  }

  function address() {
    const changed = Object.entries(state).filter(([name, value]) => name === "dag" || value !== DEFAULT[name]);
    return "#" + new URLSearchParams(changed);
  }

  function set(changes) {
    state = { ...state, ...changes };
    if (state.order !== "activation-last" && state.embedding === "stem") state.embedding = "gaussian-trained";
    try { history.replaceState(null, "", address()); } catch { /* a page inside a notebook has no address */ }
    draw();
  }

  function cycle(s, t) {
    const op = nngp.parse(state.dag);
    op[t][s] = (op[t][s] + 1) % 3;
    set({ dag: nngp.toCode(op) });
    document.querySelector(`button[data-edge="${s},${t}"]`).focus();
  }

  function resizeTo(n) {
    const op = nngp.parse(state.dag).slice(0, n);
    while (op.length < n) op.push(Array.from({ length: op.length }, (_, s) => (s === op.length - 1 ? 2 : 0)));
    set({ dag: nngp.toCode(op) });
  }

  // ---- the drawing -------------------------------------------------------------------------------------------------

  function drawDag(op, met) {
    const n = op.length, on = nngp.onPath(op), unit = 110, r = 17, X = (i) => 40 + unit * i;
    const bend = (s, t) => (t === s + 1 ? 0 : (0.34 + 0.05 * (t - s - 1)) * (t - s) * unit * (s % 2 ? 1 : -1));
    const tall = Math.max(40, ...op.flatMap((row, t) => row.map((_, s) => Math.abs(bend(s, t)) / 2)));
    const root = element("svg", { viewBox: `0 0 ${80 + unit * (n - 1)} ${2 * tall + 50}`, role: "group", "aria-label": `DAG ${state.dag}: click an edge` });
    const y = tall + 25;
    for (let t = 1; t < n; t++) for (let s = 0; s < t; s++) {
      const kind = OPS[op[t][s]], h = bend(s, t), mid = [(X(s) + X(t)) / 2, y + h];
      const to = (x, toX, toY) => { const d = Math.hypot(toX - x, toY - y); return [x + r * (toX - x) / d, y + r * (toY - y) / d]; };
      const [ax, ay] = to(X(s), mid[0], mid[1]), [bx, by] = to(X(t), mid[0], mid[1]);
      const path = `M${ax} ${ay} Q${mid[0]} ${mid[1]} ${bx} ${by}`;
      const a = Math.atan2(by - mid[1], bx - mid[0]), tip = (d) => `${bx - 11 * Math.cos(a + d)},${by - 11 * Math.sin(a + d)}`;
      const group = svg("g", { class: `edge ${kind}${on[s] && on[t] ? "" : " off"}` },
        svg("title", {}, `edge ${s} to ${t}: ${kind}`), svg("path", { d: path, class: "hit" }), svg("path", { d: path, class: "line" }),
        svg("polygon", { points: `${bx},${by} ${tip(0.35)} ${tip(-0.35)}` }));
      group.addEventListener("click", () => cycle(s, t));
      root.append(group);
    }
    for (let i = 0; i < n; i++) {
      const kinds = met.filter((m) => m.node === i).map((m) => m.kind);
      root.append(svg("g", { class: `node${on[i] ? "" : " off"}${kinds.some((k) => k !== "depths") ? " meets" : ""}` },
        svg("circle", { cx: X(i), cy: y, r }), svg("text", { x: X(i), y: y + 5 }, i)));
    }
    $("dag").replaceChildren(root);
    const rows = [];
    for (let t = 1; t < n; t++) {
      const cells = Array.from({ length: t }, (_, s) => {
        const kind = OPS[op[t][s]], button = element("button", { type: "button", class: `op ${kind}`, "data-edge": `${s},${t}`, "aria-label": `edge ${s} to ${t}: ${kind}; change it` }, `${s}→${t} ${kind}`);
        button.addEventListener("click", () => cycle(s, t));
        return button;
      });
      rows.push(element("div", {}, ...cells));
    }
    $("edges").replaceChildren(...rows);
  }

  // ---- the curve ---------------------------------------------------------------------------------------------------

  function drawCurve(found) {
    const W = 520, H = 300, L = 50, B = 40, gap = state.kernel === "gap", kernel = state.kernel === "ntk" ? "ntk" : "nngp";
    const values = Object.fromEntries(Object.entries(found).map(([name, c]) => [name, c[kernel].map((k) => (gap ? c[kernel][0] - Math.abs(k) : k))]));
    const all = Object.values(values).flat(), low = Math.min(0, ...all), high = Math.max(1e-9, ...all);
    const X = (x) => L + (W - L - 20) * x / 180, Y = (v) => H - B - (H - B - 14) * (v - low) / (high - low);
    const name = { nngp: "NNGP K", ntk: "NTK K + Θ", gap: "λ of two rows, K(x,x) − |K(x,x′)|" }[state.kernel];
    const root = element("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${name} over the angle between two unit inputs, by method` });
    const step = 10 ** Math.floor(Math.log10((high - low) / 2)), each = (high - low) / step > 8 ? 2 * step : step;
    for (let v = Math.ceil(low / each) * each; v <= high + 1e-12; v += each) {
      root.append(svg("line", { class: "grid", x1: L, x2: W - 20, y1: Y(v), y2: Y(v) }), svg("text", { class: "tick", x: L - 6, y: Y(v) + 4, "text-anchor": "end" }, shown(v)));
    }
    for (let x = 0; x <= 180; x += 45) root.append(svg("line", { class: "grid", x1: X(x), x2: X(x), y1: 14, y2: H - B }), svg("text", { class: "tick", x: X(x), y: H - B + 16, "text-anchor": "middle" }, `${x}°`));
    root.append(svg("text", { class: "tick", x: (L + W) / 2, y: H - 6, "text-anchor": "middle" }, "angle between the inputs"));
    for (const [method, ys] of Object.entries(values)) {
      root.append(svg("path", { class: `curve ${method}`, d: "M" + ys.map((v, i) => `${X(i).toFixed(1)} ${Y(v).toFixed(1)}`).join("L") }));
    }
    root.append(svg("line", { class: "here", x1: X(+state.angle), x2: X(+state.angle), y1: 14, y2: H - B }));
    $("curve").replaceChildren(root);
    $("legend").replaceChildren(...Object.entries(LOOKS).map(([method, words]) => element("span", {}, element("svg", { viewBox: "0 0 36 8", "aria-hidden": "true" }, svg("path", { class: `curve ${method}`, d: "M0 4L36 4" })), words)));
  }

  // ---- words and tables ----------------------------------------------------------------------------------------------

  const sub = (base, index) => [element("i", {}, base), element("sub", {}, index)];
  const remark = (level, title, ...words) => element("li", { class: level }, element("b", {}, title + ". "), ...words);

  function told(m) {
    if (m.kind === "copies") return `At node ${m.node}, ${m.count} equal copies of what node ${m.source} receives meet: ${m.count ** 2} times its variance, which Eq. 6-11 take for ${m.count} times.`;
    if (m.kind === "means") return `At node ${m.node} the means of ${m.count} features meet and multiply, which Eq. 6-11 leave out.`;
    return `A linear edge leaves node ${m.node}, which paths of ${m.depths.join(", ")} linear edges reach: f of their sum is not the sum of their f.`;
  }

  function remarks(met, found, P) {
    if (!P) return [remark("warning", "No path", "No path leads from the input to the output: all kernels are zero.")];
    const wrong = met.filter((m) => m.kind !== "depths"), deep = met.filter((m) => m.kind === "depths"), list = [];
    list.push(wrong.length ? remark("warning", "Eq. 6-11 are not the kernel of wide networks", wrong.map(told).join(" ")) : remark("good", "Eq. 6-11 are exact here", "No copies and no means meet."));
    list.push(deep.length ? remark("warning", "The kernel is not a sum over paths", deep.map(told).join(" ")) : remark("good", "By Eq. 6-11 the kernel is the sum over paths", "No linear edge leaves a node that paths of different depths reach."));
    for (const method of ["exact", "independent"]) {
      const e = nngp.excess(found, method), who = method === "exact" ? "the exact kernel" : "Eq. 6-11";
      list.push(e.fails ? remark("warning", `Eq. 12 fails for ${who}`, `The smallest eigenvalue of two unit rows is above it between ${e.from}° and ${e.to}°, by ${shown(e.most)} at ${e.at}°.`) : remark("good", `Eq. 12 bounds ${who}`, "At every angle of whole degrees."));
    }
    return list;
  }

  function table(id, head, rows) {
    const cell = (content) => element("td", {}, content);
    $(id).replaceChildren(element("thead", {}, element("tr", {}, ...head.map((h) => element("th", {}, ...[h].flat())))), element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell)))));
  }

  function drawTables(reading) {
    const rho = Math.cos(+state.angle * Math.PI / 180), values = nngp.pair(state.dag, rho, reading);
    const lambda = () => sub("λ", "min");
    const row = ([name, v]) => [LOOKS[name], ...["nngp", "ntk"].flatMap((k) => [v[k].ii, v[k].ij, v[k].lambda].map(shown))];
    table("values", ["", ...["NNGP", "NTK"].flatMap((k) => [[`${k} `, ...sub("K", "ii")], sub("K", "ij"), lambda()])], Object.entries(values).map(row));
    const mine = values.exact.nngp, list = nngp.neighbours(state.dag).map((other) => ({ ...other, v: nngp.pair(other.code, rho, reading).exact.nngp, P: nngp.shape(nngp.pathCounts(nngp.parse(other.code))).P }));
    list.sort((a, b) => b.v.lambda - a.v.lambda);
    const load = (code) => {
      const button = element("button", { type: "button", class: "code" }, code);
      button.addEventListener("click", () => set({ dag: code }));
      return button;
    };
    table("neighbours", ["edge", "DAG", lambda(), [...lambda(), " / scale"], "paths"], list.map(({ edge: [s, t], op, code, v, P }) =>
      [`${s}→${t} ${OPS[op]}`, load(code), times(v.lambda, mine.lambda), times(v.lambda / v.ii, mine.lambda / mine.ii), P]));
  }

  function draw() {
    const op = nngp.parse(state.dag), reading = { order: state.order, embedding: state.embedding }, counts = nngp.pathCounts(op);
    const { P, depth, width } = nngp.shape(counts), met = nngp.meetings(state.dag, reading), found = nngp.curves(state.dag, reading);
    document.title = `DAG ${state.dag}`;
    $("link").href = address();
    if ($("code") !== document.activeElement) $("code").value = state.dag;
    for (const name of ["order", "embedding", "kernel"]) $(name).value = state[name];
    $("embedding").querySelector("[value=stem]").disabled = state.order !== "activation-last";
    [$("nodes").value, $("angle").value, $("angle-shown").textContent] = [op.length, state.angle, `${state.angle}°, ρ = ${Math.cos(+state.angle * Math.PI / 180).toFixed(3)}`];
    drawDag(op, met);
    drawCurve(found);
    const fact = (value, words) => element("li", {}, element("b", {}, value), element("span", {}, words));
    $("facts").replaceChildren(fact(P, "paths P"), fact(shown(depth), "effective depth d̄"), fact(shown(width), "effective width m̄"));
    const paths = counts.flatMap((n, d) => (n ? [sub("n", d), ` = ${n}, `] : [])).flat().slice(0, -1);
    const last = counts.filter(Boolean).length ? ` = ${counts[counts.length - 1]}.` : "none.";
    $("paths").replaceChildren("Paths by number of linear edges: ", ...paths, last);
    $("remarks").replaceChildren(...remarks(met, found, P));
    drawTables(reading);
    $("problem").textContent = "";
  }

  // ---- controls ------------------------------------------------------------------------------------------------------

  for (const name of ["order", "embedding", "kernel", "angle"]) $(name).addEventListener("input", (event) => set({ [name]: event.target.value }));
  $("nodes").addEventListener("input", (event) => resizeTo(+event.target.value));
  $("code").addEventListener("input", (event) => {
    const code = event.target.value.trim();
    if (accepted("dag", code)) set({ dag: code });
    else $("problem").textContent = `a code has one digit for node 1, two for node 2, and so on, of 0, 1 and 2, as 2_21_112; up to ${MAX_NODES} nodes`;
  });
  $("code").addEventListener("blur", () => { $("code").value = state.dag; $("problem").textContent = ""; });
  for (const [name, code] of Object.entries(PAPER)) {
    const button = element("button", { type: "button" }, name);
    button.addEventListener("click", () => set({ dag: code }));
    $("paper").append(button);
  }
  $("link").hidden = location.protocol === "about:"; // inside a notebook there is no address
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
})();
