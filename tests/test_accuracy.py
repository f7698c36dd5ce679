"""Readers of benchmark files, on files of the publishers' form that these tests make."""

import bz2
import json
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from nngp_dag import InputError, accuracy, spaces
from nngp_dag.accuracy.nats import TEST_SETS, safe_load

CELLS = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|skip_connect~2|",
    "|avg_pool_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|",
    "|nor_conv_1x1~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|",
]


def write_csv(path, rows, header="architecture,cifar10,cifar100"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


# ---- CSV -----------------------------------------------------------------------------------------------------------


def test_csv(tmp_path) -> None:
    file = write_csv(tmp_path / "a.csv", [f"{cell},{90 + i},{60.5 + i}" for i, cell in enumerate(CELLS)])
    benchmark = accuracy.read("nasbench201", file)
    assert [benchmark.space.write(a) for a in benchmark.architectures] == CELLS
    assert {name: values.tolist() for name, values in benchmark.accuracy.items()} == {
        "cifar10": [90, 91, 92],
        "cifar100": [60.5, 61.5, 62.5],
    }
    assert benchmark.parameterised.tolist() == [2, 1, 2]
    assert list(accuracy.read("nasbench201", file, datasets=["cifar100"]).accuracy) == ["cifar100"]
    assert len(benchmark.fixed(2)) == 2
    with pytest.raises(InputError, match="1 to 2"):
        benchmark.fixed(4)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (f"{CELLS[0]},nan,50", "line 3: the accuracy on cifar10 is nan"),
        (f"{CELLS[0]},90,", "line 3: the accuracy on cifar100 is no number"),
        (f"{CELLS[0]},9_0,50", "line 3: the accuracy on cifar10 is no number: '9_0'"),
        (f"{CELLS[0]},٩٠,50", "line 3: the accuracy on cifar10 is no number"),
        (f"{CELLS[0]},101,50", "line 3.*0 to 100"),
        (f"{CELLS[0]},-1,50", "line 3.*0 to 100"),
        (f"{CELLS[0]},90", "line 3: expected 3 columns"),
        (f"{CELLS[0]},90,50,7", "line 3: expected 3 columns"),
        (f"{CELLS[1]},90,50", "line 3: duplicate of .*line 2"),
        (f"{CELLS[0].replace('nor_conv_3x3', 'conv')},90,50", "line 3: unknown NAS-Bench-201 operation 'conv'"),
        ("|none~0|,90,50", "line 3: malformed"),
    ],
)
def test_bad_csv_rows_are_named_and_can_be_skipped(tmp_path, row: str, words: str) -> None:
    file = write_csv(tmp_path / "bad.csv", [f"{CELLS[1]},90,60", row, f"{CELLS[2]},91,61"])
    with pytest.raises(InputError, match=words) as caught:
        accuracy.read("nasbench201", file)
    assert "\n" not in str(caught.value)
    skipped = accuracy.read("nasbench201", file, skip_bad=True)
    assert (len(skipped), skipped.num_bad) == (2, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("cell_name,acc\nx,1\n", "no column architecture"),
        ("architecture\nx\n", "no column of accuracies"),
        ("architecture,a,a\nx,1,2\n", "twice"),
        ("", "no column"),
        ("architecture,a\n", "no usable architecture"),
        (b"\xff\xfe\x00", "cannot read"),
    ],
)
def test_bad_csv_files(tmp_path, content, words: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=words):
        accuracy.read("nasbench201", file)


def test_files_that_are_no_benchmark(tmp_path) -> None:
    with pytest.raises(InputError, match="no such"):
        accuracy.read("nasbench201", tmp_path / "none.csv")
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(InputError, match="unknown kind"):
        accuracy.read("nasbench201", tmp_path / "x.txt")


# ---- NDS -----------------------------------------------------------------------------------------------------------


def nds_entry(space, genes, error: float, depth: int = 20) -> dict:
    """An entry as in the publisher's files."""
    cells = []
    for op, node, concat in zip(*space.edges(genes), strict=True):
        from nngp_dag.spaces.genotype import OPERATIONS

        cells.append(([[OPERATIONS[o], int(v)] for o, v in zip(op.ravel(), node.ravel(), strict=True)], concat))
    genotype = {
        "normal": cells[0][0],
        "normal_concat": [int(i) + 2 for i in np.flatnonzero(cells[0][1])],
        "reduce": cells[1][0],
        "reduce_concat": [int(i) + 2 for i in np.flatnonzero(cells[1][1])],
    }
    return {
        "net": {"genotype": genotype, "width": 16, "depth": depth, "aux": False, "drop_prob": 0.0},
        "optim": {"lr": 0.1, "wd": 0.0005},
        "params": 1.5,
        "train_ep_top1": [80.0, 20.0],
        "test_ep_top1": [90.0, error],
        "min_test_top1": error,
    }


@pytest.mark.parametrize("name", ["nds-darts", "nasnet", "amoeba", "pnas", "enas"])
def test_nds(tmp_path, name: str) -> None:
    space = spaces.get(name)
    genes = space.sample(12, np.random.default_rng(0))
    entries = [nds_entry(space, g, 5.0 + i) for i, g in enumerate(genes)]
    file = tmp_path / "x.json"
    for content in (entries, {"top": entries[:5], "mid": entries[5:]}):
        file.write_text(json.dumps(content))
        benchmark = accuracy.read(name, file)
        np.testing.assert_array_equal(benchmark.architectures, genes)
        np.testing.assert_allclose(benchmark.accuracy["cifar10"], 95.0 - np.arange(12))


def test_nds_union_of_files(tmp_path) -> None:
    files = []
    for name in ("nds-darts", "nasnet"):
        space = spaces.get(name)
        entries = [nds_entry(space, g, 6.0) for g in space.sample(5, np.random.default_rng(1))]
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps(entries))
    benchmark = accuracy.read("nds", files)
    assert len(benchmark) == 10
    for name, part in (("nds-darts", slice(5)), ("nasnet", slice(5, 10))):
        alone = accuracy.read(name, files[name == "nasnet"])
        np.testing.assert_array_equal(benchmark.totals.paths[part], alone.totals.paths)
        np.testing.assert_array_equal(benchmark.totals.length[part], alone.totals.length)


def test_equal_cells_in_networks_of_other_size_are_no_duplicates(tmp_path) -> None:
    space = spaces.get("enas")
    (genes,) = space.sample(1, np.random.default_rng(0))
    file = tmp_path / "x.json"
    file.write_text(json.dumps([nds_entry(space, genes, 5.0, depth) for depth in (8, 20)]))
    assert len(accuracy.read("enas", file)) == 2
    file.write_text(json.dumps([nds_entry(space, genes, 5.0, 8)] * 2))
    with pytest.raises(InputError, match=r"entry 1: duplicate of .*entry 0"):
        accuracy.read("enas", file)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda e: e["net"].pop("genotype"), "entry 0: no genotype"),
        (lambda e: e.pop("test_ep_top1"), "entry 0: no test errors"),
        (lambda e: e["test_ep_top1"].append(None), "entry 0: the last test error is no number"),
        (lambda e: e["test_ep_top1"].append(10**400), "entry 0: the accuracy on cifar10 is no number: '-999"),
        (lambda e: e["test_ep_top1"].append(float("nan")), "entry 0: the accuracy on cifar10 is nan"),
        (lambda e: e["net"]["genotype"].pop("reduce"), "entry 0: a genotype needs the cell 'reduce'"),
        (lambda e: e["net"]["genotype"]["normal"].pop(), "entry 0: the normal cell has 9 edges"),
        (lambda e: e["net"]["genotype"]["normal"][0].__setitem__(0, "magic"), "entry 0: unknown operation 'magic'"),
    ],
)
def test_damaged_nds_entries_are_named(tmp_path, damage, words: str) -> None:
    space = spaces.get("enas")
    entries = [nds_entry(space, g, 5.0) for g in space.sample(2, np.random.default_rng(0))]
    damage(entries[0])
    file = tmp_path / "x.json"
    file.write_text(json.dumps(entries))
    with pytest.raises(InputError, match=words):
        accuracy.read("enas", file)
    assert accuracy.read("enas", file, skip_bad=True).num_bad == 1


@pytest.mark.parametrize("content", ["{", "3", "[]", "[3]", "{}", '"x"', "[" * 100_000])
def test_json_that_is_no_benchmark(tmp_path, content: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(InputError):
        accuracy.read("enas", file)


# ---- NAS-Bench-101 -------------------------------------------------------------------------------------------------


def test_nasbench101_exports(tmp_path) -> None:
    space = spaces.get("nasbench101")
    genes = space.sample(6, np.random.default_rng(0))
    cells = [json.loads(space.write(g)) for g in genes]
    listed = [{**cell, "final_test_accuracy": 0.9 + i / 100, "epochs": 108} for i, cell in enumerate(cells)]
    contents = {
        "list.json": json.dumps(listed),
        "hashes.json": json.dumps({f"{i:032x}": entry for i, entry in enumerate(listed)}),
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
        benchmark = accuracy.read("nasbench101", tmp_path / name)
        np.testing.assert_array_equal(benchmark.architectures, genes)
        np.testing.assert_allclose(benchmark.accuracy["final_test_accuracy"], 90 + np.arange(6))
    file = tmp_path / "x.csv"
    quoted = [
        ",".join('"' + json.dumps(c[k]).replace('"', '""') + '"' for k in c) + f",{90 + i}" for i, c in enumerate(cells)
    ]
    write_csv(file, quoted, "module_adjacency,module_operations,test_accuracy")
    np.testing.assert_array_equal(accuracy.read("nasbench101", file).architectures, genes)
    write_csv(file, ['[[0,"x"]],"[]",90'], "module_adjacency,module_operations,test_accuracy")
    with pytest.raises(InputError):
        accuracy.read("nasbench101", file)
    (tmp_path / "bare.json").write_text(json.dumps(cells))
    with pytest.raises(InputError, match="entry 0: no accuracy"):
        accuracy.read("nasbench101", tmp_path / "bare.json")


# ---- NATS-Bench ----------------------------------------------------------------------------------------------------


def nats_archive(folder, cells) -> dict[str, np.ndarray]:
    """A NATS-Bench topology folder, written by the publisher's own classes; returns the mean test accuracies."""
    from nats_bench.api_utils import ArchResults, ResultsCount

    folder.mkdir()
    rng = np.random.default_rng(0)
    truth = {name: np.zeros(len(cells)) for name in TEST_SETS}
    for i, cell in enumerate(cells):
        results = ArchResults(i, cell)
        for name, split in TEST_SETS.items():
            accuracies = rng.uniform(50, 90, size=3)
            truth[name][i] = accuracies.mean()
            for seed, value in zip((777, 888, 999), accuracies, strict=True):
                one = ResultsCount(name, None, {"199": 99.0}, {"199": 0.1}, 1.0, 10.0, {}, seed, 200, None)
                one.train_acc1es = one.train_acc5es = one.train_losses = one.train_times = dict.fromkeys(
                    range(200), 1.0
                )
                epochs = [f"{split}@{epoch}" for epoch in range(200)]
                accuracy_at = {epoch: float(value) - 199 + e for e, epoch in enumerate(epochs)}
                one.update_eval(accuracy_at, dict.fromkeys(epochs, 0.5), dict.fromkeys(epochs, 1.0))
                results.update(name, seed, one)
        with bz2.open(folder / f"{i:06d}.pickle.pbz2", "wb") as file:
            pickle.dump({"200": results.state_dict()}, file)
    with bz2.open(folder / "meta.pickle.pbz2", "wb") as file:
        pickle.dump({"meta_archs": cells, "total_archs": len(cells)}, file)
    return truth


def test_nats_bench(tmp_path) -> None:
    pytest.importorskip("nats_bench")
    truth = nats_archive(tmp_path / "NATS-tss-v1_0-3ffb9-simple", CELLS)
    benchmark = accuracy.read("nasbench201", tmp_path / "NATS-tss-v1_0-3ffb9-simple")
    assert [benchmark.space.write(a) for a in benchmark.architectures] == CELLS
    for name, values in truth.items():
        np.testing.assert_allclose(benchmark.accuracy[name], values)


def test_nats_bench_never_runs_a_pickle(tmp_path) -> None:
    nats_bench = pytest.importorskip("nats_bench.api_topology")
    original = nats_bench.pickle_load

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    folder = tmp_path / "evil"
    folder.mkdir()
    with bz2.open(folder / "meta.pickle.pbz2", "wb") as file:
        pickle.dump({"meta_archs": CELLS, "x": Evil()}, file)
    with pytest.raises(InputError, match="refusing to unpickle"):
        accuracy.read("nasbench201", folder)
    assert not (tmp_path / "ran").exists()
    assert nats_bench.pickle_load is original


def test_nats_bench_folder_that_is_none(tmp_path) -> None:
    pytest.importorskip("nats_bench")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="not a NATS-Bench"):
        accuracy.read("nasbench201", tmp_path / "empty")
    (tmp_path / "x.pickle.pbz2").write_bytes(b"not bzip2")
    with pytest.raises(InputError):
        accuracy.read("nasbench201", tmp_path / "x.pickle.pbz2")


def test_safe_load_takes_containers_and_numbers(tmp_path) -> None:
    content = OrderedDict(a=[1, 2.5, {"x"}], b=np.float64(3.5))
    with bz2.open(tmp_path / "f.pbz2", "wb") as file:
        pickle.dump(content, file)
    assert safe_load(tmp_path / "f") == safe_load(tmp_path / "f.pbz2") == content
