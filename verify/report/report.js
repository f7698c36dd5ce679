// Without this script every claim is open, and the chips filter: here are collapsing, searching, and printing.
const claims = [...document.querySelectorAll("details.claim")];
const entries = new Map([...document.querySelectorAll("nav li")].map((item) => [item.dataset.id, item]));
const search = document.getElementById("search"), expand = document.getElementById("expand");
const texts = new Map(claims.map((claim) => [claim, claim.textContent.toLowerCase()]));
let before = [];

const setOpen = (open) => claims.forEach((claim) => { claim.open = open; });

function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const claim of claims) {
    const found = words.every((word) => texts.get(claim).includes(word));
    claim.toggleAttribute("data-off", !found);
    entries.get(claim.id).toggleAttribute("data-off", !found);
    shown += found;
  }
  document.getElementById("shown").textContent = words.length ? `${shown} of ${claims.length}` : "";
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target || !claims.includes(target)) return;
  document.getElementById("only-all").checked = true;
  search.value = "";
  show();
  target.open = true;
  target.scrollIntoView();
}

document.querySelector(".tools").hidden = false;
if (window.matchMedia("(max-width: 60rem)").matches) document.querySelector("nav details").open = false;
setOpen(false);
search.addEventListener("input", show);
expand.addEventListener("click", () => {
  const open = expand.textContent === "Expand all";
  setOpen(open);
  expand.textContent = open ? "Collapse all" : "Expand all";
});
window.addEventListener("hashchange", openTarget);
window.addEventListener("beforeprint", () => { before = claims.map((claim) => claim.open); setOpen(true); });
window.addEventListener("afterprint", () => claims.forEach((claim, i) => { claim.open = before[i]; }));
const watch = new IntersectionObserver((seen) => seen.forEach((entry) =>
  entries.get(entry.target.id).classList.toggle("is-here", entry.isIntersecting)), { rootMargin: "-15% 0px -70%" });
claims.forEach((claim) => watch.observe(claim));
openTarget();
