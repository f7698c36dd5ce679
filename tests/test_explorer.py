"""The explorer: its own numbers against the library's in a browser, its address, its clicks, and its size."""

import itertools
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

from nngp_dag import Dag, InputError, explore
from nngp_dag.analysis.structure import meetings
from nngp_dag.dag import enumerate_codes
from nngp_dag.kernel.angle_curves import angle_curves
from nngp_dag.paths import path_counts, path_statistics
from nngp_dag.reading import Reading

pytestmark = pytest.mark.usefixtures("quick_compilation")

METHODS = ("exact", "independent", "path-sum")
READINGS = [
    ("activation-last", "gaussian"),
    ("activation-first", "gaussian-trained"),
    ("activation-last", "stem"),
]


@pytest.fixture(scope="module")
def page():
    return explore("2_21_112").to_html()


@pytest.fixture(scope="module")
def place(page, tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def driver(place, tmp_path_factory):
    from browser import chromium

    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        driver.get(place.as_uri())
        yield driver


def asked(driver, call):
    """The value of an expression over the page's own functions."""
    return json.loads(driver.execute_script(f"return JSON.stringify({call})"))


# ---- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("order", "embedding"), READINGS)
@pytest.mark.parametrize("code", ["2_21_112", "1_12_002", "1_11_121_2112"])
def test_curves_and_what_follows_from_them_are_the_library_s(driver, code, order, embedding):
    """Two recursions that share nothing: over pairs of nodes in the page, over skip-path counts in the library."""
    library = angle_curves(Dag.from_code(code), METHODS, Reading.make(order, embedding, "relu"))
    reading = json.dumps({"order": order, "embedding": embedding})
    page = asked(driver, f"nngp.curves('{code}', {reading})")
    for method in METHODS:
        for kernel in ("nngp", "ntk"):
            expected = getattr(library, kernel)[method]
            # acos of 1 - eps, which chains of nodes reach at an angle of 0, is off by sqrt(2 eps) = 2e-8 in fdot.
            np.testing.assert_allclose(page[method][kernel], expected, rtol=0, atol=1e-7 * expected[0])
    for method in ("exact", "independent"):
        k, path_sum = library.nngp[method], library.nngp["path-sum"]
        above = (k[0] - np.abs(k) - (path_sum[0] - path_sum))[1:-1]
        told = asked(driver, f"nngp.excess(nngp.curves('{code}', {reading}), '{method}')")
        assert told["most"] == pytest.approx(above.max(), abs=1e-6)
        assert told["fails"] == bool(above.max() > 1e-6)


def test_two_inputs_at_an_angle(driver):
    """DAG#2 by hand: Eq. 8 is 3 f, and the exact kernel 6 / pi more."""
    rho, f = 0.3, lambda r: (np.sqrt(1 - r * r) + (np.pi - np.arccos(r)) * r) / np.pi
    found = asked(driver, "nngp.pair('1_01_222', 0.3, {order: 'activation-last', embedding: 'gaussian'})")
    assert found["independent"]["nngp"]["ij"] == pytest.approx(3 * f(rho))
    assert found["exact"]["nngp"]["ij"] == pytest.approx(3 * f(rho) + 6 / np.pi)
    assert found["exact"]["nngp"]["lambda"] == pytest.approx(3 - 3 * f(rho))


def test_paths_meetings_and_neighbours_of_every_dag_of_three_layers(driver):
    """All 729 DAGs of four nodes, and some of six."""
    random = np.random.default_rng(0)
    digits = ["".join(map(str, row)) for row in [*enumerate_codes(4), *random.integers(0, 3, (60, 15))]]
    ends = [0, 1, 3, 6, 10, 15]
    codes = ["_".join(d[a:b] for a, b in itertools.pairwise(ends) if d[a:b]) for d in digits]
    program = "codes.map((c) => [nngp.pathCounts(nngp.parse(c)), nngp.shape(nngp.pathCounts(nngp.parse(c)))])"
    paths = asked(driver, f"((codes) => {program})({json.dumps(codes)})")
    for code, (counts, shape) in zip(codes, paths, strict=True):
        expected = path_statistics(Dag.from_code(code))
        assert counts == list(path_counts(Dag.from_code(code))) or not expected.num_paths
        assert shape["P"] == expected.num_paths
        assert shape["depth"] == pytest.approx(float(expected.effective_depth))
        assert shape["width"] == pytest.approx(float(expected.effective_width))
    for order, embedding in READINGS:
        reading, setting = Reading.make(order, embedding, "relu"), json.dumps({"order": order, "embedding": embedding})
        told = asked(driver, f"{json.dumps(codes)}.map((code) => nngp.meetings(code, {setting}))")
        for code, found in zip(codes, told, strict=True):
            mine = {(m["kind"], m["node"], m["count"], m.get("source"), tuple(m.get("depths", ()))) for m in found}
            theirs = meetings(Dag.from_code(code), reading)
            assert mine == {(m.kind, m.node, m.count, m.source, m.depths) for m in theirs}, code
            assert len(found) == len(theirs)
    near = asked(driver, "nngp.neighbours('2_21_112')")
    assert len(near) == len({n["code"] for n in near}) == 12
    for neighbour in near:
        changed = np.array(Dag.from_code(neighbour["code"]).ops) != np.array(Dag.from_code("2_21_112").ops)
        assert changed.sum() == 1 and path_statistics(Dag.from_code(neighbour["code"])).num_paths


# ---- the page --------------------------------------------------------------------------------------------------------


def test_clicks_change_the_dag_and_the_address_keeps_it(driver, place):
    from browser import resize

    resize(driver, 1280)
    driver.get(place.as_uri() + "#dag=1_12_002&order=activation-first&angle=90&embedding=gaussian-trained")
    code = driver.find_element("id", "code")
    assert code.get_attribute("value") == "1_12_002"
    assert driver.find_element("id", "order").get_attribute("value") == "activation-first"
    assert "Eq. 12 fails" in driver.find_element("id", "remarks").text
    driver.execute_script("document.querySelectorAll('.edge')[0].dispatchEvent(new Event('click'))")  # edge 0 to 1
    assert code.get_attribute("value") == "2_12_002"
    assert driver.current_url.endswith("#dag=2_12_002&order=activation-first&embedding=gaussian-trained&angle=90")
    driver.find_element("css selector", "#paper button").click()
    assert code.get_attribute("value") == "2_02_002"
    assert "Eq. 6-11 are exact here" in driver.find_element("id", "remarks").text
    driver.find_element("css selector", "#neighbours button").click()
    assert code.get_attribute("value") != "2_02_002"
    driver.execute_script("location.hash = 'dag=<b>&order=x&angle=999'")  # nothing of it can be used
    driver.execute_async_script("setTimeout(arguments[0], 50)")
    assert code.get_attribute("value") == "2_21_112"
    assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_typed_code_is_taken_or_explained(driver, place):
    driver.get(place.as_uri() + "#dag=2")
    code = driver.find_element("id", "code")
    code.send_keys(Keys.CONTROL, "a")
    code.send_keys("1_1")
    assert "one digit for node 1" in driver.find_element("id", "problem").text
    code.send_keys("1")
    assert driver.find_element("id", "problem").text == ""
    assert driver.current_url.endswith("#dag=1_11")


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_and_a_desk(driver, place, dark):
    from browser import overflow, resize

    for width in (400, 1280):
        resize(driver, width, dark=dark)
        driver.get(place.as_uri() + "#dag=1_11_111_1111_22222_222222_2222222")
        assert overflow(driver) <= 0


class Loads(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.addresses = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset", "action")]


def test_the_page_needs_no_network_and_is_small(page):
    assert Loads(page).addresses == []
    assert set(re.findall(r"https?://[^\s\"']+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\s*\(|url\(", page)
    assert len(page) < 60_000


def test_a_notebook_shows_it_in_a_frame():
    shown = explore(Dag.from_code("1_11"))._repr_html_()
    assert shown.startswith("<iframe ") and "data-dag=&quot;1_11&quot;" in shown and "<script" not in shown


@pytest.mark.parametrize(("dag", "message"), [("2_2", "2_2"), ("_".join("2" * i for i in range(1, 9)), "2 to 8 nodes")])
def test_what_cannot_be_drawn_is_refused(dag, message):
    with pytest.raises(InputError, match=message):
        explore(dag)
