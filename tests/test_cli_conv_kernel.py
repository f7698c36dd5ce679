"""`nngp-dag conv-kernel` end to end: its JSON, table and .npz file, and one clear line for everything that is wrong."""

import json
from functools import partial

import numpy as np
import pytest
from command_line import run_command
from helpers import assert_close

from nngp_dag import conv_kernel_fn
from nngp_dag.conv.images import shrunk, unit_images

pytestmark = pytest.mark.usefixtures("quick_compilation")

ARCH = "|nor_conv_1x1~0|+|avg_pool_3x3~0|none~1|+|skip_connect~0|none~1|skip_connect~2|"

EDGES = "('sep_conv_3x3', 0), ('max_pool_3x3', 1)" + ", ('skip_connect', 0), ('skip_connect', 2)" * 3
GENOTYPE = f"Genotype(normal=[{EDGES}], normal_concat=range(2, 6), reduce=[{EDGES}], reduce_concat=range(2, 6))"


@pytest.fixture
def run(capsys):
    """Runs the command line in this process: (status, stdout, stderr)."""
    return partial(run_command, capsys, "conv-kernel")


@pytest.fixture
def file(tmp_path):
    """Six images of 8 x 8 pixels in a file."""
    path = tmp_path / "images.npz"
    np.savez(path, x=np.random.default_rng(0).normal(size=(6, 8, 8, 3)))
    return path


def test_kernels_of_a_file_are_those_of_python(run, file, tmp_path):
    out = tmp_path / "kernels.npz"
    status, text, _ = run(ARCH, "--data", file, "--size", 4, "--stages", 2, "--out", out, "--json")
    assert status == 0
    document = json.loads(text)
    assert (document["n"], document["size"], document["stages"], document["order"]) == (6, 4, 2, "activation-first")
    expected = conv_kernel_fn(ARCH, stages=2)(unit_images(shrunk(np.load(file)["x"], 4)))
    kernels = np.load(out)
    for name in ("nngp", "ntk"):
        assert kernels[name].dtype == np.float64
        assert_close(kernels[name], np.asarray(getattr(expected, name)))
        assert_close(document[name]["lambda_min"], np.linalg.eigvalsh(kernels[name])[0])
        assert document[name].keys() == {"lambda_min", "lambda_max", "trace", "condition", "pair_bound", "pair"}


def test_a_genotype_of_darts_is_the_network_of_python(run, file):
    more = ("--data", file, "--size", 4, "--max-pool", "average", "--get", "nngp")
    status, text, err = run(GENOTYPE, *more, "--cells", 3, "--json")
    assert status == 0, err
    document = json.loads(text)
    assert (document["cells"], document["stages"], document["max_pool"]) == (3, None, "average")
    x = unit_images(shrunk(np.load(file)["x"], 4))
    expected = conv_kernel_fn(GENOTYPE, cells=3, max_pool="average")(x, get="nngp")
    assert_close(document["nngp"]["lambda_max"], np.linalg.eigvalsh(np.asarray(expected))[-1])
    status, text, err = run(GENOTYPE, *more, "--cells", 3)
    assert status == 0, err
    assert ", 3 cells, 6 images of 4x4" in text


def test_layer_norm_is_that_of_python(run, file):
    status, text, _ = run(ARCH, "--data", file, "--size", 2, "--stages", 1, "--normalization", "layer", "--json")
    assert status == 0
    document = json.loads(text)
    kernel = conv_kernel_fn(ARCH, stages=1, normalization="layer")(
        unit_images(shrunk(np.load(file)["x"], 2)), get="ntk"
    )
    assert document["normalization"] == "layer"
    status, text, _ = run(ARCH, "--data", file, "--size", 2, "--stages", 1, "--normalization", "layer", "--get", "ntk")
    assert status == 0 and "relu, layer norm, 1 x 1 cells" in " ".join(text.split())
    assert_close(document["ntk"]["lambda_max"], np.linalg.eigvalsh(np.asarray(kernel))[-1])


def test_raw_images_and_one_kernel_as_a_table(run, file):
    status, text, err = run(ARCH, "--data", file, "--raw", "--get", "ntk", "--stages", 1, "--readout", "flatten")
    assert status == 0, err
    assert "condition number" in text and "NTK" in text and "NNGP" not in text


def test_named_data_have_their_images(run):
    status, text, _ = run(ARCH, "--data", "digits:4", "--stages", 1, "--get", "nngp", "--json")
    assert status == 0
    assert json.loads(text)["size"] == 8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("|max_pool_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|",), "max_pool_3x3"),
        ((GENOTYPE,), "edge (1, 2) of the normal cell is max_pool_3x3"),
        ((GENOTYPE, "--max-pool", "average", "--stages", "2"), "three stages"),
        ((GENOTYPE, "--max-pool", "average", "--order", "activation-last"), "activation-first"),
        ((GENOTYPE, "--max-pool", "average", "--size", "1"), "multiples of 2"),
        ((GENOTYPE.replace("sep", "deep"),), "deep_conv_3x3"),
        ((ARCH, "--max-pool", "average"), "DARTS"),
        ((ARCH, "--size", "3"), "divide"),
        ((ARCH, "--stages", "5"), "multiples of 2"),
        ((ARCH, "--activation", "max"), "max"),
        ((ARCH, "--get", "all"), "nngp"),
        ((ARCH, "--normalization", "batch"), "no deterministic limit"),
        ((ARCH, "--normalization", "group"), "none or layer"),
        ((ARCH, "--out", "nowhere/kernels.npz"), "nowhere"),
    ],
)
def test_bad_input_is_one_line(run, file, arguments, words):
    status, out, err = run(*arguments, "--data", file)
    assert (status, out) == (2, "")
    assert err.startswith("nngp-dag: error: ") and err.count("\n") == 1 and words in err


@pytest.mark.parametrize("shape", [(4, 8, 6, 3), (4, 8), (0, 8, 8, 3)])
def test_files_of_other_shapes_are_refused(run, tmp_path, shape):
    path = tmp_path / "images.npy"
    np.save(path, np.ones(shape))
    status, out, err = run(ARCH, "--data", path)
    assert (status, out) == (2, "")
    assert "images" in err and err.count("\n") == 1
