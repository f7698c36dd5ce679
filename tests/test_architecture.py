"""The order of packages, no circles among packages or modules, functions that fit on a page, and types that say so."""

import ast
import re
from pathlib import Path

import pytest
from import_graph import Arrow, cycles, import_graph, modules

ROOT = Path(__file__).parents[1]
PATHS = {**modules(ROOT, "nngp_dag"), **modules(ROOT, "verify")}
GRAPH = import_graph(PATHS)

SPLIT = {"verify", "nngp_dag", "nngp_dag.finite", "nngp_dag.nas", "nngp_dag.reproduce"}
"""Packages whose entries are nodes of their own; the package's name stands for its __init__."""

ORDER = """
nngp_dag.errors
nngp_dag.support, nngp_dag.theme, nngp_dag.canonical, nngp_dag.networkx_edges
nngp_dag.dag
nngp_dag.paths, nngp_dag.activations
nngp_dag.reading
nngp_dag.wiring
nngp_dag.kernel
nngp_dag.prediction, nngp_dag.proofs, nngp_dag.signal
nngp_dag.spectrum, nngp_dag.matrix_free
nngp_dag.finite, nngp_dag.finite.network
nngp_dag.finite.montecarlo, nngp_dag.finite.training, nngp_dag.finite.convergence
nngp_dag.datasets, nngp_dag.spaces
nngp_dag.conv
nngp_dag.accuracy, nngp_dag.plots, nngp_dag.explorer
nngp_dag.optimization
nngp_dag.nas.image_folder
nngp_dag.nas.images
nngp_dag.nas.networks
nngp_dag.nas.scores
nngp_dag.nas.search
nngp_dag.nas, nngp_dag.analysis
nngp_dag.reproduce, nngp_dag.reproduce.figure4, nngp_dag.reproduce.figure5, nngp_dag.reproduce.tables
nngp_dag.reproduce.exact_nasbench201
nngp_dag
verify.framework
verify, verify.report, verify.baseline, verify.papers, verify.work
verify.tools, verify.session, verify.recheck, verify.check_certificate, verify.check_spectrum
verify.mutation, nngp_dag.pytest_plugin
verify.claims
nngp_dag.cli
nngp_dag.__main__, verify.__main__
"""
"""From the bottom to the top: a package imports what stands in lines above its own, and nothing else."""

EXCEPTIONS = {
    (
        "verify.framework.claim",
        "verify.claims",
    ): "`discover` imports the claims, which register themselves, when called",
}
"""Arrows from module to module that may lead upwards, and why."""

LAYERS = {node.strip(): level for level, line in enumerate(ORDER.strip().splitlines()) for node in line.split(",")}


def node(module):
    """The package, or entry of a package that is split, that a module belongs to."""
    parts = module.split(".")
    length = 1
    while ".".join(parts[:length]) in SPLIT and length < len(parts):
        length += 1
    return ".".join(parts[:length])


def arrows():
    """The arrows between nodes, each with the imports behind it."""
    found = {}
    for arrow in sorted(GRAPH):
        pair = node(arrow.source), node(arrow.target)
        if pair[0] != pair[1] and (arrow.source, arrow.target) not in EXCEPTIONS:
            found.setdefault(pair, []).append(arrow)
    return found


def test_every_package_has_its_place_in_the_order():
    assert {node(module) for module in PATHS} == LAYERS.keys()


def test_arrows_between_packages_lead_to_lower_layers():
    upwards = {pair: found for pair, found in arrows().items() if LAYERS[pair[1]] >= LAYERS[pair[0]]}
    assert not upwards, "\n".join(
        f"{arrow.source} imports {arrow.target}" for found in upwards.values() for arrow in found
    )


def test_there_is_no_circle_of_packages():
    assert cycles(arrows()) == []


@pytest.mark.parametrize(
    "times", [("import",), ("import", "call"), ("import", "call", "types")], ids=["import", "call", "types"]
)
def test_there_is_no_circle_of_modules_hidden_in_functions_or_annotations(times):
    pairs = [(a.source, a.target) for a in GRAPH if a.time in times and (a.source, a.target) not in EXCEPTIONS]
    assert cycles(pairs) == []


def test_exceptions_are_still_needed():
    assert EXCEPTIONS.keys() <= {(arrow.source, arrow.target) for arrow in GRAPH}


def test_the_documentation_lists_the_packages_in_this_order():
    text = (ROOT / "docs" / "how-to" / "where.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \|", text[: text.index("## Additions")], flags=re.M)
    listed = [re.findall(r"`([\w.]+)`", row) for row in rows]
    doors = {*SPLIT, "nngp_dag.__main__", "verify.__main__"}
    assert {name for names in listed for name in names} == LAYERS.keys() - doors
    levels = [max(LAYERS[name] for name in names) for names in listed]
    assert levels == sorted(levels)


# ---- the graph itself ------------------------------------------------------------------------------------------------


def test_imports_are_told_apart_by_when_they_run(tmp_path):
    (tmp_path / "p" / "q").mkdir(parents=True)
    files = {
        "__init__": "from p.a import f",
        "a": "import typing\nfrom p import b\nif typing.TYPE_CHECKING:\n    import p.q.c\nelse:\n    import p.d\n",
        "b": "import os\nclass C:\n    import p.d\n    def f(self):\n        from p.q.c import g\n        import p\n",
        "d": "",
        "q/__init__": "",
        "q/c": "try:\n    from p.a import name\nfinally:\n    pass\n",
    }
    for name, text in files.items():
        (tmp_path / "p" / f"{name}.py").write_text(text)
    graph = import_graph(modules(tmp_path, "p"))
    assert graph == {
        Arrow("p", "p.a", "import"),
        Arrow("p.a", "p.b", "import"),
        Arrow("p.a", "p.q.c", "types"),
        Arrow("p.a", "p.d", "import"),
        Arrow("p.b", "p.d", "import"),
        Arrow("p.b", "p.q.c", "call"),
        Arrow("p.b", "p", "call"),
        Arrow("p.q.c", "p.a", "import"),
    }
    pairs = {
        time: [(a.source, a.target) for a in graph if a.time in time] for time in (("import",), ("import", "call"))
    }
    assert cycles(pairs["import",]) == []
    assert cycles(pairs["import", "call"]) == [["p", "p.a", "p.b", "p.q.c"]]
    assert cycles([("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "c"), ("e", "a")]) == [["a", "b"], ["c", "d"]]


# ---- size and types --------------------------------------------------------------------------------------------------


def test_functions_fit_on_a_page():
    """Docstring and body; the decorators that declare options or a claim's words are counted with neither."""
    long = [
        f"{module}.{item.name}: {lines} lines"
        for module, path in PATHS.items()
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (lines := (item.end_lineno or 0) - item.lineno + 1) >= 60
    ]
    assert not long


def test_few_types_are_left_open():
    library = [path for module, path in PATHS.items() if module.startswith("nngp_dag")]
    assert sum(len(re.findall(r"\bAny\b", path.read_text(encoding="utf-8"))) for path in library) < 250


# ---- names -----------------------------------------------------------------------------------------------------------


SHARED_CLASS_NAMES: dict[str, str] = {}
"""Names of public classes that several modules may define, and why."""


def public_classes(paths):
    """By name of a class at the top level of a module, without an underscore: the modules that define it."""
    found = {}
    for module, path in paths.items():
        for item in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(item, ast.ClassDef) and not item.name.startswith("_"):
                found.setdefault(item.name, []).append(module)
    return found


def test_names_of_public_classes_are_unique():
    found = public_classes(PATHS)
    shared = {name: sorted(modules) for name, modules in found.items() if len(modules) > 1}
    assert {name: modules for name, modules in shared.items() if name not in SHARED_CLASS_NAMES} == {}
    assert SHARED_CLASS_NAMES.keys() <= shared.keys()


def test_classes_of_one_name_are_found(tmp_path):
    for module, text in {
        "a": "class C: ...\nclass _D: ...\n",
        "b": "class C:\n    class E: ...\nclass _D: ...\n",
    }.items():
        (tmp_path / f"{module}.py").write_text(text)
    assert public_classes({name: tmp_path / f"{name}.py" for name in "ab"}) == {"C": ["a", "b"]}
