"""report.html: what its first screen says, that it works without scripts, and in a browser filters and fits."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from docs.claims import write_claims
from verify.framework.claim import discover
from verify.report.counts import counted
from verify.report.findings import lines, smallest_counterexample, sum_up
from verify.report.html import html_report
from verify.report.order import in_order, short_source

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = (
    "table-2",
    "dag-2",
    "eq-12-identity",
    "eq-12",
    "lemma-3.3",
    "theorem-3.1-frozen-read-out",
    "order-dag-123-data",
)
ORDER = (
    "theorem-3.1-frozen-read-out",
    "lemma-3.3",
    "dag-2",
    "order-dag-123-data",
    "eq-12-identity",
    "eq-12",
    "table-2",
)
"""The same in the paper's order; of one place they come as they are."""


@pytest.fixture(scope="module")
def document():
    """A run of seven claims, of which only their recorded evidence is known."""
    recorded = json.loads((ROOT / "docs" / "evidence.json").read_text(encoding="utf-8"))
    claims, known = [], discover()
    for name in CLAIMS:
        evidence = {"certificates": [], "key_values": {}, **recorded["claims"][name]["evidence"]} | {"certificates": []}
        claim = known[name]
        words = {key: getattr(claim, key) for key in ("id", "title", "source", "statement", "latex", "settings")}
        verdict = recorded["claims"][name]["verdict"]
        claims.append(
            words
            | {"paper": claim.paper.name, "verdict": verdict, "expected": verdict, "as_expected": True, "seed": 0}
            | {"seconds": 1.0, "evidence": evidence, "error": None}
        )
    paper = known["eq-12"].paper
    papers = [{"name": paper.name, "title": paper.title, "reference": paper.reference, "url": paper.url}]
    run = {key: recorded[key] for key in ("schema", "profile", "seed", "data", "started", "versions")}
    rest = {
        "jobs": 2,
        "seconds": 60.0,
        "hardware": {},
        "resumed": [],
        "passed": True,
        "unexpected": [],
        "baseline": None,
    }
    return run | rest | {"papers": papers, "claims": claims}


@pytest.fixture(scope="module")
def page(document):
    return html_report(document)


class Reader(HTMLParser):
    """Elements with their attributes, and the text that is shown."""

    def __init__(self, html):
        super().__init__()
        self.found, self.words, self._hidden = [], "", 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self._hidden += tag in ("script", "style", "title")

    def handle_endtag(self, tag):
        self._hidden -= tag in ("script", "style", "title")

    def handle_data(self, data):
        self.words += "" if self._hidden else data

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_the_first_screen_has_the_paper_the_tally_and_what_was_found(page, document):
    words = " ".join(Reader(page[: page.index('<div class="frame">')]).words.split())
    paper = document["papers"][0]
    assert paper["title"] in words and paper["reference"] in words
    assert sum_up(document) == (
        "Of 7 claims: 1 true as stated, 2 true only under a condition that is not in the statement, 3 false in every"
        " reading and 1 undecided."
    )
    assert sum_up(document) in words
    assert "7 claims, profile quick" in words and "What the verdicts mean" in words
    for tally in ("all 7", "3 refuted", "2 holds-conditionally", "1 certified", "1 inconclusive"):
        assert tally in words


def test_the_smallest_counterexample_is_proved_and_drawn(page, document):
    found = smallest_counterexample(document["claims"])
    assert (found.claim["id"], found.code) == ("eq-12-identity", "1_12_002")  # not "1", which networks alone show
    assert "interval arithmetic" in found.facts["confirmed"]
    drawn = page[page.index("The smallest counterexample") :]
    assert '<title id="' in drawn[:1500] and "DAG 1_12_002" in drawn[:1500]
    without = [claim for claim in document["claims"] if claim["verdict"] != "refuted"]
    assert smallest_counterexample(without) is None


def test_claims_stand_in_the_paper_s_order(page, document):
    assert tuple(claim["id"] for claim in in_order(document["claims"])) == ORDER
    cards = [a["id"] for a in Reader(page).all("details") if "claim" in a.get("class", "").split()]
    assert tuple(cards) == ORDER
    assert all("open" in a for a in Reader(page).all("details") if "claim" in a.get("class", "").split())
    found = [name for line in lines(document) for name in (claim["id"] for claim in line.claims)]
    assert sorted(found) == sorted(CLAIMS)
    assert short_source("Section 4: Eq. 12 'precisely'") == "Section 4" and short_source("my note") == "my note"


def test_lists_of_counts_become_tables(page):
    settings = ["exact, activation-last, stem", "exact, activation-last, gaussian", "independent, a, b"]
    text = "DAGs: 4 nodes: 45 in independent, a, b, 1,128 in exact, activation-last, gaussian, 7 in exact,"
    part = counted(f"{text} activation-last, stem. More.", settings)
    assert part.before == "DAGs: 4 nodes" and part.after == "More."
    assert part.rows == [("independent, a, b", "45"), (settings[1], "1,128"), (settings[0], "7")]
    same = "617 (independent, a, b), 534 (exact, activation-last, stem), 340 of 662 (exact, activation-last, gaussian)"
    assert [count for _, count in counted(same, settings).rows] == ["617", "534", "340 of 662"]
    assert counted("45 in independent, a, b", settings) == ("45 in independent, a, b", [], "")
    assert page.count('<th>reading</th><th class="n">number</th>') >= 2


def test_mathematics_is_set_on_the_page(page):
    words = Reader(page).words
    for raw in ("lambda_", "K^(", "K_i", "f^d", "rho", " sum_", ">="):
        assert raw not in words, raw
    assert "λ" in words and "<math" in page


def test_drawings_have_names_and_formulas_are_no_pictures(page):
    drawings = Reader(page).all("svg")
    assert len(drawings) >= 5
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in drawings)
    identifiers = [a["id"] for _, a in Reader(page).found if "id" in a]
    assert len(identifiers) == len(set(identifiers))


def test_the_script_is_short_and_the_page_needs_nothing_else(page):
    script = page[page.index("<script>") : page.index("</script>")]
    assert len(script.splitlines()) <= 61
    loads = [a for tag, a in Reader(page).found if tag in ("link", "img", "script") and (a.get("src") or a.get("href"))]
    assert not loads


def test_pages_of_claims_set_mathematics_too(tmp_path):
    evidence = json.loads((ROOT / "docs" / "evidence.json").read_text(encoding="utf-8"))
    evidence["claims"] = {"order-dag-123": evidence["claims"]["order-dag-123"]}  # no other's pictures are drawn
    (tmp_path / "evidence.json").write_text(json.dumps(evidence), encoding="utf-8")
    page = str(write_claims(tmp_path / "evidence.json")[Path("claims/order-dag-123.md")])
    assert "λ<sub>DAG\\#1</sub>" in page and "lambda_dag1" not in page


# ---- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(page, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def shown(driver):
    program = "return [...document.querySelectorAll('.claim')].filter((c) => c.offsetParent).map((c) => c.id)"
    return driver.execute_script(program)


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    browser = pytest.importorskip("browser")
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def test_it_filters_searches_opens_and_prints(driver, place):
    from browser import resize

    resize(driver, 1280)
    driver.get(place.as_uri())
    opened = "return [...document.querySelectorAll('.claim')].map((claim) => claim.open)"
    assert driver.execute_script(opened) == [False] * 7
    driver.find_element("css selector", "label[for=only-refuted]").click()
    assert shown(driver) == [ORDER[0], "eq-12-identity", "eq-12"]
    driver.find_element("id", "search").send_keys("identity")
    assert shown(driver) == ["eq-12-identity"]
    driver.execute_script("location.hash = 'dag-2'")
    driver.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 0))")
    assert len(shown(driver)) == 7 and driver.execute_script(opened) == [name == "dag-2" for name in ORDER]
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert driver.execute_script(opened) == [True] * 7
    driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    driver.find_element("id", "expand").click()
    assert driver.execute_script(opened) == [True] * 7
    assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_and_a_desk(driver, place, dark):
    from browser import overflow, resize

    for width in (400, 1280):
        resize(driver, width, dark=dark)
        driver.get(place.as_uri())
        driver.find_element("id", "expand").click()
        assert overflow(driver) <= 0


def test_without_scripts_claims_are_open_and_the_chips_filter(place, tmp_path):
    from browser import chromium

    with chromium(tmp_path, script=False) as driver:
        driver.get(place.as_uri())
        assert all(card.get_attribute("open") for card in driver.find_elements("css selector", ".claim"))
        driver.find_element("css selector", "label[for=only-certified]").click()
        cards = driver.find_elements("css selector", ".claim")
        assert [card.get_attribute("id") for card in cards if card.is_displayed()] == ["lemma-3.3"]
        assert not driver.find_element("id", "search").is_displayed()
