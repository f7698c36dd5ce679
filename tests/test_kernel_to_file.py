"""A kernel in a file is that of `kernel_fn`, whatever the squares, in bounded memory; and a failure leaves nothing."""

import errno
import tracemalloc
from collections import namedtuple

import numpy as np
import pytest

from nngp_dag import Dag, InputError, kernel_fn
from nngp_dag.kernel import kernel_to_file, to_file
from nngp_dag.wiring import Wiring

X = np.random.default_rng(0).normal(size=(37, 4))
Y = np.random.default_rng(1).normal(size=(21, 4))
DAG = Dag.from_code("2_12")
WIRING = Wiring.make("2_12", weight_scale=0.8, bias_scale=0.5, gain=[0.7, -1.2], activation="erf")
ALIKE = Wiring.make("2_12", weight_scale=0.8, bias_scale=0.5, activation="erf")

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.mark.parametrize(
    ("network", "get", "method", "side"),
    [(DAG, "ntk", "exact", 16), (WIRING, "nngp", "exact", 16), (ALIKE, "nngp", "path-sum", 37)],
)
def test_the_file_is_the_kernel(network, get, method, side, tmp_path):
    fn = kernel_fn(network, method)
    for x2 in (None, Y):
        found = kernel_to_file(network, X, tmp_path / "k.npy", x2, get, method, side=side)
        expected = np.asarray(fn(X, x2, get=get))
        assert isinstance(found, np.memmap) and found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15 * abs(expected).max())
        if x2 is None:
            assert (found == found.T).all()
            assert (np.diag(found) == np.diag(expected)).all()
    assert [file.name for file in tmp_path.iterdir()] == ["k.npy"]


def test_float32_and_a_dag_without_a_path(tmp_path):
    single = X.astype(np.float32)
    found = kernel_to_file(DAG, single, str(tmp_path / "k.npy"), side=16)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, kernel_fn(DAG)(single, get="nngp"), rtol=0, atol=4e-6)
    assert (np.asarray(kernel_to_file("0_00", X, tmp_path / "k.npy", Y)) == np.zeros((37, 21))).all()


def test_memory_is_that_of_a_few_squares(tmp_path, monkeypatch):
    x, seen, gram = np.random.default_rng(2).normal(size=(701, 4)), [], to_file.gram
    kernel_to_file(DAG, x[:130], tmp_path / "k.npy", side=64)  # compiled before anything is measured

    def counted(*args, **options):
        found = gram(*args, **options)
        seen.append(found[0].shape)
        return found

    monkeypatch.setattr(to_file, "gram", counted)
    tracemalloc.start()
    try:
        kernel_to_file(DAG, x, tmp_path / "k.npy", side=64)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == [(64, 64)] * (11 * 12 // 2)  # the upper triangle, each square once
    assert peak < 16 * 64**2 * 8 < x.shape[0] ** 2 * 8 / 4


def test_what_cannot_be_written_is_refused_before_anything_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(to_file, "gram", None)
    with pytest.raises(InputError, match=r"the folder .* does not exist"):
        kernel_to_file(DAG, X, tmp_path / "none" / "k.npy")
    with pytest.raises(InputError, match=r"must end in \.npy"):
        kernel_to_file(DAG, X, tmp_path / "k.npz")
    with pytest.raises(InputError, match="one kernel"):
        kernel_to_file(DAG, X, tmp_path / "k.npy", get="nodes")
    with pytest.raises(InputError, match="needs data"):
        kernel_to_file(DAG, X, tmp_path / "k.npy", method="neural-tangents")
    with pytest.raises(InputError, match="at least 1"):
        kernel_to_file(DAG, X, tmp_path / "k.npy", side=0)
    usage = namedtuple("usage", "total used free")(10**6, 10**6 - 37 * 37 * 8 + 1, 37 * 37 * 8 - 1)
    monkeypatch.setattr(to_file.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match=r"37 by 37 rows takes .* of disk, but only"):
        kernel_to_file(DAG, X, tmp_path / "k.npy")
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    old = np.asarray(kernel_to_file(DAG, X, tmp_path / "k.npy", side=16))
    overflowing = np.concatenate([X[:-1], 1e200 * X[-1:]])  # only the last squares show it
    with pytest.raises(InputError, match="overflows float64"):
        kernel_to_file(DAG, overflowing, tmp_path / "k.npy", side=16)

    def full(file, start, columns, i, j, values):
        if i:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(file, start, columns, i, j, values)

    put = to_file._put
    monkeypatch.setattr(to_file, "_put", full)
    with pytest.raises(InputError, match=r"cannot write .*k\.npy: No space left on device"):
        kernel_to_file(DAG, X, tmp_path / "k.npy", side=16)
    assert [file.name for file in tmp_path.iterdir()] == ["k.npy"]
    assert (np.load(tmp_path / "k.npy") == old).all()
