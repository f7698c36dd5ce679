"""`analyze` and `compare`: their numbers against the library's, what they refuse, and how they show themselves."""

import base64
import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner

import nngp_dag
from nngp_dag import Dag, InputError, Wiring, analyze, compare, kernel_fn
from nngp_dag.analysis.nodes import node_dag, node_kernels
from nngp_dag.analysis.tables import path_rows, shown
from nngp_dag.cli.analyze import command
from nngp_dag.datasets import load
from nngp_dag.kernel.angle_curves import angle_curves
from nngp_dag.paths import path_statistics
from nngp_dag.reading import METHODS, Reading
from nngp_dag.spectrum import spectrum

pytestmark = pytest.mark.usefixtures("quick_compilation")

DATA = "digits:24"
DAG1, DAG2, DAG3 = "2_02_002", "1_01_222", "2_21_112"


@pytest.fixture(scope="module")
def x():
    return load(DATA).x


@pytest.fixture(scope="module")
def analysis():
    return analyze(DAG3, DATA, width=48, seeds=8)


@pytest.fixture(scope="module")
def comparison():
    return compare({"DAG#1": DAG1, "DAG#2": DAG2, "DAG#3": DAG3}, DATA)


# ---- numbers ---------------------------------------------------------------------------------------------------------


def test_nothing_is_computed_before_it_is_looked_at():
    fresh = analyze(DAG3, DATA)
    assert set(vars(fresh)) == {"dag", "data", "x", "reading", "width", "seeds", "seed", "wiring"}
    assert fresh.paths.num_paths == 4
    assert "exact" not in vars(fresh)


def test_kernels_are_those_of_kernel_fn(analysis, x):
    dag = Dag.from_code(DAG3)
    assert list(analysis.kernels) == ["exact", "independent", "path-sum"]
    assert set(analysis.kernels) | set(analysis.unavailable) == set(METHODS)
    for method, kernel in analysis.kernels.items():
        for mine, direct in zip(kernel, kernel_fn(dag, method)(x), strict=True):
            np.testing.assert_allclose(mine, np.asarray(direct), rtol=1e-13)
    with pytest.raises(InputError) as refusal:
        kernel_fn(dag, "neural-tangents", "activation-last")
    assert analysis.unavailable["neural-tangents"] == str(refusal.value)


def test_differences_and_spectra(analysis):
    exact, path_sum = analysis.kernels["exact"].ntk, analysis.kernels["path-sum"].ntk
    expected = np.linalg.norm(path_sum - exact) / np.linalg.norm(exact)
    assert analysis.differences["path-sum"]["ntk"] == pytest.approx(expected)
    assert analysis.differences["exact"] == {"nngp": 0.0, "ntk": 0.0}
    assert analysis.spectra["independent"]["nngp"].lambda_min == pytest.approx(
        np.linalg.eigvalsh(analysis.kernels["independent"].nngp)[0]
    )


@pytest.mark.parametrize("size", [4, 9])
def test_the_kernel_of_a_node_is_that_of_the_dag_up_to_it(x, size):
    # Nine nodes take the other way of computing, in padded sizes.
    edges = {(s, t): "linear" if t == s + 1 else "skip" for t in range(1, size) for s in range(t) if t - s < 3}
    dag = Dag.from_edges(edges)
    kernels = node_kernels(dag, x, Reading())
    assert list(kernels) == list(range(size))
    np.testing.assert_allclose(kernels[0], x @ x.T, rtol=1e-12, atol=1e-15)
    for t in (2, size - 1):
        up_to = Dag(t + 1, dag.ops[: t * (t + 1) // 2])
        np.testing.assert_allclose(kernels[t], kernel_fn(up_to)(x, get="nngp"), rtol=1e-11)


def test_node_dag_copies_one_node():
    dag = Dag.from_code(DAG3)
    assert node_dag(dag, 1).to_code() == "2_00_010"
    assert node_dag(dag, 3) == dag
    assert node_dag(dag, 2, 6).pruned() == Dag.from_code("2_21_001").pruned()


def test_nodes_of_an_unpruned_dag_have_their_own_numbers(x):
    dag = Dag.from_edges({(0, 1): "linear", (0, 2): "linear", (2, 3): "skip"})
    assert list(node_kernels(dag, x, Reading())) == [0, 2, 3]
    assert node_kernels(Dag.from_code("0"), x, Reading()) == {}


def test_neighbours_are_all_single_changes_with_their_own_figures(analysis, x):
    found = analysis.neighbours
    codes = {n.dag.to_code() for n in found}
    own = analysis.dag.to_array()
    every = {Dag.from_array(np.where(np.arange(6) == e, op, own)) for e in range(6) for op in range(3)}
    assert codes == {d.to_code() for d in every if path_statistics(d).num_paths} - {DAG3}
    assert [n.statistics["nngp_lambda_min"] for n in found] == sorted(
        (n.statistics["nngp_lambda_min"] for n in found), reverse=True
    )
    best = found[0]
    direct = kernel_fn(best.dag)(x)
    assert best.statistics["nngp_lambda_min"] == pytest.approx(spectrum(direct.nngp).lambda_min, rel=1e-9)
    assert best.statistics["ntk_lambda_min_scale_free"] == pytest.approx(spectrum(direct.ntk).scale_free.lambda_min)
    assert best.ratio("n_paths") == best.statistics["n_paths"] / 4


def test_angle_curves_follow_the_kernels_and_eq_12():
    curves = angle_curves(Dag.from_code("2_11_002"), ("exact", "path-sum"))
    circle = np.stack([np.cos(curves.angles), np.sin(curves.angles)], axis=1)
    direct = kernel_fn(Dag.from_code("2_11_002"))(circle[:1], circle)
    np.testing.assert_allclose(curves.nngp["exact"], direct.nngp[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(curves.ntk["exact"], direct.ntk[0], rtol=1e-12, atol=1e-12)
    excess, rho = curves.eq_12_excess()
    assert excess == pytest.approx(0.1, abs=0.02)  # 6 % of a gap of 1.7, near the opposite input
    assert rho < -0.99
    assert angle_curves(Dag.from_code(DAG1), ("exact", "path-sum")).eq_12_excess()[0] == pytest.approx(0, abs=1e-12)


def test_digits_are_proved_where_that_is_cheap(analysis, x):
    from nngp_dag.analysis import proved
    from nngp_dag.spectrum import certified, certified_digits

    text, page, document = str(analysis), " ".join(Page(analysis.to_html()).text), analysis.to_dict(finite=False)
    for name, found in certified(Dag.from_code(DAG3), x).items():
        low, high = found.lambda_min
        assert analysis.proved.spectra[name].lambda_min == (low, high)
        assert low - 1e-12 < analysis.exact_spectra[name].lambda_min < high + 1e-12
        for interval in (found.lambda_min, found.lambda_max, found.condition):
            assert high - low < 1e-9
            assert certified_digits(interval) in text
            assert certified_digits(interval) in page
        assert document["methods"]["exact"][name]["certified"] == found.summary()
        assert "certified" not in document["methods"]["independent"][name]
    # Where it is not cheap or not possible the plain figures stand alone, and why is said where there is room.
    for other, reason in (
        (analyze(DAG3, DATA, activation="tanh"), "accepted are relu"),
        (analyze(DAG3, np.eye(400)), "400 rows"),
        (analyze(Wiring.make(DAG3, weight_scale=1.5), DATA), "not of wirings"),
    ):
        assert not other.proved.spectra
        assert proved.proved_words(other.proved, "nngp") == ""
        assert reason in other.proved.summary("ntk")["reason"]
    copies = analyze("1", np.ones((3, 2))).proved  # one row three times: lambda_min is zero
    assert copies.summary("nngp")["proved"] is False
    assert "not told from zero" in proved.proved_words(copies, "nngp")


def test_networks_judge_the_methods_by_the_same_rows(analysis):
    assert analysis.networks.nngp.mean.shape == (12, 12)
    found = analysis.agreement["nngp"]
    assert not found["neural-tangents"].available
    mean, exact = analysis.networks.nngp.mean, analysis.kernels["exact"].nngp[:12, :12]
    assert found["exact"].relative_error == pytest.approx(np.linalg.norm(mean - exact) / np.linalg.norm(exact))
    assert found["independent"].relative_error > 3 * found["exact"].relative_error


def remark_titles(dag, **options):
    return {remark.title: remark.level for remark in analyze(dag, DATA, **options).remarks}


def test_remarks_say_what_applies(analysis):
    titles = [remark.title for remark in analysis.remarks]
    assert any(title.startswith("independent and path-sum are off by") for title in titles)
    assert "Eq. 12 is exceeded" in titles
    assert [remark.level for remark in analysis.remarks] == sorted(
        (remark.level for remark in analysis.remarks), key=("warning", "note", "good").index
    )
    chain = remark_titles(DAG1)
    assert chain["independent and path-sum are exact here"] == "good"
    assert chain["Eq. 12 bounds lambda_min here"] == "good"
    assert "scale" not in chain
    mixed = remark_titles("2_11_002", order="activation-first")
    assert mixed["independent is exact here"] == "good"
    assert any(title.startswith("path-sum is off by") for title in mixed)
    assert "neural-tangents does not apply" not in mixed


def test_remarks_on_data_and_pruning():
    dag = Dag.from_edges({(0, 1): "linear", (0, 2): "skip"})
    titles = {remark.title: remark.text for remark in analyze(dag, 2 * load("digits:70").x).remarks}
    assert "Node 1 lies on no path" in titles["pruned"]
    assert "2 to 2" in titles["rows are not of unit norm"]
    assert "lambda_min of the NNGP and NTK is below its resolution" in titles  # 70 rows of length 64, no linear edge
    (nothing,) = analyze("0_01", DATA).remarks
    assert nothing.title == "no path"


# ---- comparison ------------------------------------------------------------------------------------------------------


def test_comparison_orders_by_both_scales(comparison, x):
    assert comparison["DAG#2"].code == DAG2
    with pytest.raises(KeyError):
        comparison["DAG#4"]
    values = {name: comparison.spectra["nngp"][name] for name in comparison.labels}
    (sentence,) = comparison.sentences()
    raw = " > ".join(sorted(values, key=lambda name: -values[name].lambda_min))
    free = " > ".join(sorted(values, key=lambda name: -values[name].scale_free.lambda_min))
    assert raw != free
    assert f"By λ_min of the NNGP: {raw}." in sentence
    assert f"By scale: {free}." in sentence
    rows = dict(comparison.rows())
    assert rows["DAG#3"][1:4] == ["4", 1.25, 2.4]
    assert all(len(cells) == len(comparison.COLUMNS) - 1 for cells in rows.values())
    assert comparison.to_dict()["dags"][0]["nngp"]["lambda_min"] == pytest.approx(values["DAG#1"].lambda_min)


@pytest.mark.parametrize(
    ("dags", "message"),
    [
        ([], "nothing to compare"),
        ("2_02", "expected several DAGs"),
        (["2", "2"], "2 is given twice"),
        (["2", "0"], "0 has no path"),
        ([7], "expected a Dag"),
    ],
)
def test_what_compare_refuses(dags, message):
    with pytest.raises(InputError, match=message):
        compare(dags, DATA)


@pytest.mark.parametrize(
    ("dag", "data", "options", "message"),
    [
        ("2_0", DATA, {}, "node 2 needs 2 digits"),
        (3.5, DATA, {}, "expected a Dag, a code"),
        ("2", "nowhere", {}, "unknown data"),
        ("2", [[1.0, 2.0]], {}, "at least 2 rows"),
        ("2", np.array([[1.0], [np.nan]]), {}, "finite"),
        ("2", DATA, {"order": "sideways"}, "unknown order"),
        ("2", DATA, {"seeds": 3}, "seeds at least 4"),
        ("2", DATA, {"embedding": "stem", "order": "activation-first"}, "stem"),
    ],
)
def test_what_analyze_refuses(dag, data, options, message):
    with pytest.raises(InputError, match=message):
        analyze(dag, data, **options)


def test_dags_come_in_any_form(x):
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_edge(0, 1, op="linear")
    assert analyze({(0, 1): "linear"}, x).code == analyze(graph, x).code == "2"


# ---- looks -----------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Tags that are open, pictures, and everything that would be fetched."""

    def __init__(self, html):
        super().__init__()
        self.open, self.images, self.fetched, self.text = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.fetched += [v for k, v in attrs if k in ("src", "href") and not v.startswith("data:")]
        if tag == "img":
            self.images.append(named)
        if tag not in ("img", "meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_needs_nothing_else(analysis):
    from PIL import Image

    html = analysis.to_html(page=True)
    page = Page(html)
    assert not page.open
    assert page.fetched == []
    assert "script" not in html
    assert html.startswith("<!DOCTYPE html>")
    assert len(page.images) == 4
    assert all(image["alt"] for image in page.images)
    pngs = [image["src"] for image in page.images if "image/png" in image["src"]]
    for png in pngs:
        Image.open(io.BytesIO(base64.b64decode(png.partition(",")[2]))).verify()
    text = " ".join(page.text)
    assert all(method in text for method in METHODS)
    assert text.count("rejected") > 1 and "accepted" not in text
    assert f"nngp_dag {nngp_dag.__version__}" in text
    assert len(html) < 150_000


def test_the_fragment_stands_in_a_notebook(analysis):
    fragment = analysis._repr_html_()
    assert fragment.startswith('<div class="nngp-dag">')
    assert Page(fragment).fetched == []
    assert "<body" not in fragment


def test_text_of_the_terminal(analysis, capsys):
    print(analysis)
    text = capsys.readouterr().out
    assert repr(analysis) in text
    assert max(map(len, text.splitlines())) <= 110
    assert "4 paths (1 of depth 0, 1 of depth 1, 2 of depth 2)" in text
    assert shown(analysis.exact_spectra["nngp"].lambda_min) in text


def test_a_dag_without_a_path_has_a_page_without_kernels():
    page = Page(analyze("0_00", DATA).to_html())
    text = " ".join(page.text)
    assert "all kernels are zero" in text
    assert "The four methods" not in text
    assert len(page.images) == 1


def test_a_large_dag_is_drawn_pruned_or_named():
    from nngp_dag.analysis import panels

    def words(dag):
        figure = panels.panel_figure(panels.drawing, analyze(dag, DATA))
        return [text.get_text() for text in figure.axes[0].texts]

    chain = {(t, t + 1): "skip" for t in range(44)}
    assert words(Dag.from_edges(chain)) == ["45 nodes:\ntoo many to draw"]
    idle = Dag.from_edges({(0, 1): "skip", (1, 44): "linear"})
    assert words(idle) == ["0", "1", "2"]


def test_comparison_page(comparison):
    page = Page(comparison.to_html(page=True))
    assert not page.open
    assert page.fetched == []
    assert len(page.images) == 3 + 2
    assert "DAG#3" in " ".join(page.text)


def test_labels_are_shown_as_they_are():
    html = compare({"<script>alert(1)</script>": "2"}, DATA).to_html()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_long_lists_of_paths_are_thinned():
    counts = [0, *range(1, 101)]
    rows = path_rows(counts)
    assert len(rows) == 12
    assert rows[0] == (1, 1)
    assert rows[-1] == (100, 100)


# ---- command ---------------------------------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(command, [*map(str, arguments)], standalone_mode=False)


def test_command_prints_json_and_writes_a_page(tmp_path, analysis):
    out = tmp_path / "dag.html"
    result = run(DAG3, "--data", DATA, "--json", "--no-networks", "--out", out)
    assert result.exception is None
    document = json.loads(result.stdout, parse_constant=pytest.fail)
    assert document["code"] == DAG3
    assert document["n"] == 24
    assert document["paths"] == {"0": 1, "1": 1, "2": 2}
    assert document["networks"] is None
    assert document["methods"]["neural-tangents"]["available"] is False
    assert document["methods"]["exact"]["nngp"]["lambda_min"] == pytest.approx(
        analysis.exact_spectra["nngp"].lambda_min
    )
    assert list(document["nodes"]) == ["0", "1", "2", "3"]
    assert Page(out.read_text(encoding="utf-8")).fetched == []
    assert [path.name for path in tmp_path.iterdir()] == ["dag.html"]


def test_command_compares_several(tmp_path):
    result = run(DAG1, DAG2, "--data", DATA, "--json")
    assert [entry["code"] for entry in json.loads(result.stdout)["dags"]] == [DAG1, DAG2]


def test_command_refuses_before_it_computes(tmp_path):
    for arguments, message in (
        ([DAG3, "--out", tmp_path / "missing" / "a.html"], "does not exist"),
        ([DAG3, "--out", tmp_path], "is a directory"),
        (["2_0"], "node 2 needs"),
        ([DAG3, "--data", "digits:0"], "malformed data"),
    ):
        result = run(*arguments)
        assert isinstance(result.exception, InputError)
        assert message in str(result.exception)
    assert list(tmp_path.iterdir()) == []
