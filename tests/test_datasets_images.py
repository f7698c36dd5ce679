"""MNIST and CIFAR-10: the original formats in a folder, the restricted unpickler, downloads from a loopback server."""

import functools
import gzip
import hashlib
import http.server
import io
import os
import pickle
import struct
import tarfile
import threading

import numpy as np
import pytest

from nngp_dag import InputError
from nngp_dag.datasets import cifar, download, load


def refused(match, call, *args, **kwargs):
    with pytest.raises(InputError, match=match) as error:
        call(*args, **kwargs)
    assert "\n" not in str(error.value)


# ---- files in the original formats -----------------------------------------------------------------------------------


def idx_bytes(array):
    """An IDX file of unsigned bytes."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def python2_pickle(batch):
    """A batch as the publisher's Python 2 wrote it: protocol 2, byte strings, an array of NumPy 1."""

    def string(value):
        return b"T" + struct.pack("<I", len(value)) + value

    pixels = batch[b"data"]
    out = [b"\x80\x02}", string(b"data"), b"cnumpy.core.multiarray\n_reconstruct\n"]
    out += [b"cnumpy\nndarray\n", b"K\x00\x85", string(b"b"), b"\x87R"]
    out += [b"(K\x01", b"M" + struct.pack("<H", pixels.shape[0]), b"M" + struct.pack("<H", pixels.shape[1]), b"\x86"]
    out += [b"cnumpy\ndtype\n", string(b"u1"), b"K\x00K\x01\x87R"]
    out += [
        b"(K\x03",
        string(b"|"),
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
        b"\x89",
        string(pixels.tobytes()),
        b"tbs",
    ]
    out += [string(b"labels"), b"](", *(b"K" + bytes([label]) for label in batch[b"labels"]), b"es."]
    return b"".join(out)


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return rng.integers(1, 256, (12, 28, 28), dtype=np.uint8), rng.integers(0, 10, 12, dtype=np.uint8)


@pytest.fixture
def batches():
    rng = np.random.default_rng(1)
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    return {
        name: {b"data": rng.integers(1, 256, (4, 3072), dtype=np.uint8), b"labels": rng.integers(0, 10, 4).tolist()}
        for name in names
    }


def write_mnist(folder, images, *, zipped=True, split="train", separator="-"):
    folder.mkdir(parents=True, exist_ok=True)
    for kind, array in zip((f"images{separator}idx3", f"labels{separator}idx1"), images, strict=True):
        data = idx_bytes(array)
        path = folder / f"{split}-{kind}-ubyte{'.gz' * zipped}"
        path.write_bytes(gzip.compress(data) if zipped else data)


def write_archive(path, batches, write=python2_pickle):
    with tarfile.open(path, "w:gz") as archive:
        for name, batch in batches.items():
            data = batch if isinstance(batch, bytes) else write(batch)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("place", "separator"), [("", "-"), ("", "."), ("MNIST/raw", "-")])
def test_mnist_from_a_folder(tmp_path, images, zipped, place, separator):
    write_mnist(tmp_path / place, images, zipped=zipped, separator=separator)
    data = load("mnist", data_dir=tmp_path, raw=True)
    np.testing.assert_array_equal(data.x, images[0].reshape(12, 784) / 255)
    np.testing.assert_array_equal(data.y, images[1])
    assert (data.num_classes, data.image_shape) == (10, (28, 28))
    np.testing.assert_allclose(np.linalg.norm(load("mnist:5", data_dir=tmp_path).x, axis=1), 1, rtol=1e-15)
    refused("no t10k-images-idx3-ubyte", load, "mnist-test", data_dir=tmp_path)


def test_damaged_idx_files_are_refused(tmp_path, images):
    x, y = idx_bytes(images[0]), idx_bytes(images[1])
    write_mnist(tmp_path, images)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    for content, match in [
        (x[:-1], "truncated: 9,407 of 9,408 bytes"),
        (x + b"\0", "bytes after its 12 items"),
        (y, "not an IDX file of unsigned bytes in 3 dimensions"),
        (x[:9], "not an IDX file"),
        (b"", "not an IDX file"),
        (b"<html>" * 99, "not an IDX file"),
        (x.replace(struct.pack(">I", 28), struct.pack(">I", 14), 1), "declares shape"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 28, 28), "declares shape"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 0, 28, 28), "declares shape"),
        (idx_bytes(images[0][:11]), "holds 11 images, but .* holds 12 labels"),
        (gzip.compress(x)[:-9], r"damaged or truncated \(gzip\)"),
        (gzip.compress(x)[:-8] + b"01234567", r"damaged or truncated \(gzip\)"),
    ]:
        path.write_bytes(content)
        refused(match, load, "mnist", data_dir=tmp_path)
    write_mnist(tmp_path, (images[0], images[1] + 10))
    refused("MNIST's are 0..9", load, "mnist", data_dir=tmp_path)
    refused("no such data folder", load, "mnist", data_dir=tmp_path / "missing")
    refused("no such data folder", load, "cifar10", data_dir=path)


def test_a_black_image_is_a_zero_row(tmp_path, images):
    images[0][3] = 0
    write_mnist(tmp_path, images)
    refused("row 3 of mnist is all zeros", load, "mnist", data_dir=tmp_path)
    assert len(load("mnist", data_dir=tmp_path, raw=True)) == 12


def test_real_mnist(shared_data):
    data = load("mnist-test", data_dir=shared_data)
    assert data.x.shape == (10000, 784)
    np.testing.assert_array_equal(np.bincount(data.y), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    some = load("mnist-test:100", data_dir=shared_data)
    np.testing.assert_array_equal(some.x, data.x[np.random.default_rng(0).permutation(10000)[:100]])
    # The recorded sums are of the publisher's gzipped files; the content inside has sums of its own.
    with gzip.open(shared_data / "t10k-images-idx3-ubyte.gz") as file:
        content = hashlib.sha256(file.read()).hexdigest()
    assert content == "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"


@pytest.mark.parametrize("write", [python2_pickle, *(functools.partial(pickle.dumps, protocol=p) for p in (2, 3, 4))])
def test_cifar_from_batches_and_from_the_archive(tmp_path, batches, write):
    inner = tmp_path / "outer" / "cifar-10-batches-py"
    inner.mkdir(parents=True)
    for name, batch in batches.items():
        (inner / name).write_bytes(write(batch))
    (tmp_path / "packed").mkdir()
    write_archive(tmp_path / "packed" / cifar.ARCHIVE, batches, write)
    train = [batches[f"data_batch_{i}"] for i in range(1, 6)]
    for folder in (inner, inner.parent, tmp_path / "packed"):
        data = load("cifar10", data_dir=folder, raw=True)
        np.testing.assert_array_equal(data.x, np.concatenate([b[b"data"] for b in train]) / 255)
        np.testing.assert_array_equal(data.y, np.concatenate([b[b"labels"] for b in train]))
        assert (data.image_shape, data.num_classes) == ((3, 32, 32), 10)
        np.testing.assert_array_equal(load("cifar10-test", data_dir=folder).y, batches["test_batch"][b"labels"])
    (inner / "data_batch_3").unlink()
    refused("data_batch_3 missing", load, "cifar10", data_dir=inner)
    refused("neither data_batch_1", load, "cifar10", data_dir=tmp_path)


def test_real_cifar_images_survive_the_format(tmp_path, shared_data):
    with np.load(shared_data / "cifar10_subset.npz") as subset:
        x, y = subset["x_test"], subset["y_test"]
    (tmp_path / "test_batch").write_bytes(
        python2_pickle({b"data": x.transpose(0, 3, 1, 2).reshape(1000, 3072), b"labels": y.tolist()})
    )
    data = load("cifar10-test", data_dir=tmp_path, raw=True)
    np.testing.assert_array_equal(data.x.reshape(-1, *data.image_shape).transpose(0, 2, 3, 1), x / 255)
    np.testing.assert_array_equal(data.y, y)


# ---- pickles with anything else in them ------------------------------------------------------------------------------


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


class ArraySubclass(np.ndarray):
    pass


def test_a_pickle_that_runs_code_does_not_run(tmp_path, batches):
    mark = tmp_path / "sprung"
    for function, args in [(os.mkdir, (str(mark),)), (eval, (f"__import__('os').mkdir({str(mark)!r})",))]:
        for protocol in (2, 4, 5):
            trap = pickle.dumps(batches["test_batch"] | {b"more": Calls(function, *args)}, protocol=protocol)
            refused("refers to .*which no CIFAR-10 batch needs: refused", cifar.read_batch, trap, "test_batch")
    assert not mark.exists()


@pytest.mark.parametrize(
    "content",
    [
        Calls(np.load, "x"),
        Calls(getattr, "x", "upper"),
        Calls(bytearray, 10**9),
        np.ones((4, 3072)),
        np.ones((4, 3072), np.int8),
        np.empty((4, 3072), object),
        np.ones((4, 3072), np.uint8).view(ArraySubclass),
        np.ma.ones((4, 3072), np.uint8),
        np.float64(1),
    ],
)
def test_names_and_types_that_no_batch_needs(batches, content):
    for protocol in (2, 4):
        trap = pickle.dumps(batches["test_batch"] | {b"data": content}, protocol=protocol)
        refused("which no CIFAR-10 batch needs: refused", cifar.read_batch, trap, "test_batch")


def test_another_codec_is_refused(batches):
    # A codec name leads to `encodings`, which imports a module of that name.
    trap = b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R."
    refused("refers to another codec", cifar.read_batch, trap, "b")


@pytest.mark.parametrize(
    "change",
    [
        {b"data": None},
        {b"data": np.ones((4, 3071), np.uint8)},
        {b"data": np.ones((0, 3072), np.uint8), b"labels": []},
        {b"data": np.ones(12288, np.uint8)},
        {b"labels": [0, 1, 2]},
        {b"labels": [0, 1, 2, 10]},
        {b"labels": [0, 1, 2, -1]},
        {b"labels": [0, 1, 2, 2.0]},
        {b"labels": [0, 1, 2, True]},
        {b"labels": "0123"},
    ],
)
def test_batches_with_other_content(batches, change):
    refused("not a CIFAR-10 batch", cifar.read_batch, pickle.dumps(batches["test_batch"] | change, protocol=4), "b")


def test_damaged_batches_and_archives(tmp_path, batches):
    whole = python2_pickle(batches["test_batch"])
    assert cifar.read_batch(whole, "b")[0].shape == (4, 3, 32, 32)
    for damaged in (
        whole[:-1],
        whole[:5000],
        b"",
        b"hello",
        pickle.dumps([1, 2]),
        whole.replace(b"M\x04\x00", b"M\x05\x00", 1),
    ):
        refused("not a CIFAR-10 batch", cifar.read_batch, damaged, "b")
    path = tmp_path / cifar.ARCHIVE
    write_archive(path, batches)
    packed = path.read_bytes()
    for content, match in [
        (packed[: len(packed) // 2], "damaged or truncated"),
        (b"", "damaged or truncated"),
        (gzip.compress(b"no tar" * 500), "damaged or truncated"),
    ]:
        path.write_bytes(content)
        refused(match, load, "cifar10", data_dir=tmp_path)
    write_archive(path, {"data_batch_1": batches["data_batch_1"]})
    refused("does not hold data_batch_2, data_batch_3", load, "cifar10", data_dir=tmp_path)
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("cifar-10-batches-py/test_batch")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    refused("does not hold test_batch", load, "cifar10-test", data_dir=tmp_path)


# ---- downloads -------------------------------------------------------------------------------------------------------


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`; a path in `broken` ends halfway through what its header promises."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.broken, self.requests = {}, set(), []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if self.path in self.server.broken else data)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("NNGP_DAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def published(server, images, monkeypatch):
    """MNIST's training set on two hosts of which the first does not have it; returns its contents by file name."""
    contents = {
        "train-images-idx3-ubyte.gz": gzip.compress(idx_bytes(images[0])),
        "train-labels-idx1-ubyte.gz": gzip.compress(idx_bytes(images[1])),
    }
    for name, content in contents.items():
        server.files[f"/mirror/{name}"] = content
        urls = (f"{server.url}publisher/{name}", f"{server.url}mirror/{name}")
        file = download.RemoteFile(name, urls, hashlib.sha256(content).hexdigest())
        monkeypatch.setitem(download.REMOTE, name, file)
    return contents


def cached(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_download_once_then_from_the_cache(tmp_path, server, published, images):
    data = load("mnist:7")
    order = np.random.default_rng(0).permutation(12)[:7]
    np.testing.assert_array_equal(data.y, images[1][order])
    assert cached(tmp_path) == sorted(published) and len(server.requests) == 4
    np.testing.assert_array_equal(load("mnist:7").x, data.x)
    assert len(server.requests) == 4


def test_a_damaged_file_in_the_cache_is_downloaded_again(tmp_path, server, published):
    load("mnist")
    path = tmp_path / "cache" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1])
    assert len(load("mnist")) == 12
    path.write_bytes(b"damaged")
    server.files.clear()
    refused("HTTP status 404", load, "mnist")
    assert path.read_bytes() == b"damaged"  # whoever put it there: it is replaced by what is whole, or stays


def test_wrong_content_is_refused_and_leaves_nothing(tmp_path, server, published):
    server.files = {path: content[:-1] + b"?" for path, content in server.files.items()}
    refused("404; 127.0.0.1:.* not have the recorded checksum.*--data-dir", load, "mnist")
    assert cached(tmp_path) == []


def test_a_broken_connection_leaves_nothing(tmp_path, server, published):
    server.broken = set(server.files)
    refused("the connection broke off|checksum", load, "mnist")
    assert cached(tmp_path) == []


def test_no_server(tmp_path, server, published, monkeypatch):
    for name, file in list(download.REMOTE.items()):
        monkeypatch.setitem(download.REMOTE, name, download.RemoteFile(name, ("http://127.0.0.1:9/x",), file.sha256))
    refused(r"cannot download train-images-idx3-ubyte.gz \(127.0.0.1:9: no connection\)", load, "mnist")
    assert cached(tmp_path) == []


@pytest.mark.parametrize("kind", ["good", "trap", "truncated"])
def test_downloaded_archives_are_read_as_carefully(tmp_path, server, batches, monkeypatch, kind):
    if kind == "trap":
        batches["data_batch_2"] = pickle.dumps(Calls(os.mkdir, str(tmp_path / "sprung")))
    write_archive(tmp_path / "made.tar.gz", batches)
    content = (tmp_path / "made.tar.gz").read_bytes()
    if kind == "truncated":
        content = content[: len(content) // 2]
    server.files["/c"] = content
    file = download.RemoteFile(cifar.ARCHIVE, (server.url + "c",), hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(download.REMOTE, cifar.ARCHIVE, file)
    if kind == "good":
        assert load("cifar10").x.shape == (20, 3072)
        assert cached(tmp_path) == [cifar.ARCHIVE]
        return
    refused("mkdir, which no CIFAR-10 batch needs" if kind == "trap" else "damaged or truncated", load, "cifar10")
    assert cached(tmp_path) == [] and not (tmp_path / "sprung").exists()


def test_a_cache_that_cannot_be_written(tmp_path, server, published, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NNGP_DAG_CACHE", str(tmp_path / "file" / "cache"))
    refused("cache|Not a directory", load, "mnist")


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_an_archive_that_unpacks_to_more_than_cifar_is_not_unpacked(tmp_path, kind):
    """A member of a TiB, or a header that long, which tarfile would read whole; only its first blocks are there."""
    member = tarfile.TarInfo("huge")
    member.type, member.size = kind, 2**40
    with gzip.open(tmp_path / "cifar-10-python.tar.gz", "wb") as packed:
        packed.write(member.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    refused("unpacks to more than CIFAR-10's archive", load, "cifar10", data_dir=tmp_path)
