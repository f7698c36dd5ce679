"""Arrays judged by their headers: what lies, is encrypted, is a pickle or unpacks to too much is refused unread."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from nngp_dag.datasets import load
from nngp_dag.errors import InputError
from nngp_dag.nas.images import load_images
from nngp_dag.support import array_files, memory
from nngp_dag.support.array_files import open_arrays

ROWS = np.random.default_rng(0).standard_normal((4, 3))


def header(shape, descr="<f8", fortran=False):
    content = io.BytesIO()
    declared = {"descr": descr, "fortran_order": fortran, "shape": shape}
    np.lib.format.write_array_header_1_0(content, declared)
    return content.getvalue()


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(f"{name}.npy", content)
    return path


def encrypted(path):
    """An archive whose directory says that it is encrypted."""
    content = bytearray(archive(path, x=header((4, 3)) + ROWS.tobytes()).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    path.write_bytes(content)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("dtype", ["<f8", ">f4", "|u1", "?", "<i2"])
def test_arrays_are_read_as_numpy_reads_them(tmp_path, kind, order, dtype):
    array = np.asarray(10 * np.random.default_rng(1).random((5, 3, 2)), dtype, order=order)
    path = tmp_path / f"f.{kind}"
    if kind == "npy":
        np.save(path, array)
    else:
        np.savez_compressed(path, array)
    with open_arrays(path, "") as arrays:
        (name,) = arrays.names
        assert (arrays.header(name).shape, arrays.header(name).dtype) == (array.shape, array.dtype)
        found = arrays.read(name)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype and found.flags.f_contiguous == array.flags.f_contiguous


CRAFTED = {
    "declares 286 GiB, holds nothing": lambda p: archive(p, x=header((10**6, 38400))),
    "unpacks to less": lambda p: archive(p, x=header((4, 3)) + bytes(10)),
    "unpacks to more": lambda p: archive(p, x=header((4, 3)) + bytes(2**20)),
    "a side below zero": lambda p: archive(p, x=header((4, 3)).replace(b"(4, 3)", b"(-4,3)") + bytes(96)),
    "a side that is a truth value": lambda p: archive(p, x=header((True, 3)) + bytes(24)),
    "sides beyond integers": lambda p: archive(p, x=header((0, 10**40))),
    "a header within a header": lambda p: archive(p, x=b"\x93NUMPY\x01\0" + struct.pack("<H", 9000) + b"(" * 9000),
    "a header of 2 GiB": lambda p: archive(p, x=b"\x93NUMPY\x02\0" + struct.pack("<I", 2**31) + bytes(10)),
    "a header of another version": lambda p: archive(p, x=header((4, 3)).replace(b"NUMPY\x01", b"NUMPY\x07")),
    "no array": lambda p: archive(p, x=b"hello"),
    "a pickle": lambda p: p.write_bytes(pickle.dumps({"x": 1})),
    "objects": lambda p: np.savez(p, x=np.array([[1, None]], dtype=object)),
    "text": lambda p: np.savez(p, x=np.array([["a", "b"]])),
    "dates": lambda p: np.savez(p, x=np.zeros((2, 2), "M8[s]")),
    "records": lambda p: np.savez(p, x=np.zeros((2, 2), [("a", "f8")])),
    "encrypted": encrypted,
}


@pytest.mark.parametrize("read", [load, load_images], ids=["rows", "images"])
@pytest.mark.parametrize("make", CRAFTED.values(), ids=CRAFTED)
def test_an_archive_that_is_not_what_it_seems_is_refused_in_a_line(tmp_path, make, read, monkeypatch):
    path = tmp_path / "f.npz"
    make(path)
    monkeypatch.setattr(array_files, "_entries", lambda *_: pytest.fail("it was read"))
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_reasons(tmp_path):
    path = tmp_path / "f.npz"
    for make, reason in (
        ("encrypted", "it is encrypted"),
        ("objects", "Python objects"),
        ("unpacks to less", "declares"),
    ):
        CRAFTED[make](path)
        with pytest.raises(InputError, match=reason):
            load(path)


@pytest.mark.parametrize("read", [load, load_images], ids=["rows", "images"])
def test_a_bomb_is_refused_by_its_size_unpacked(tmp_path, monkeypatch, read):
    """8 MiB of zeros that are 8 KiB packed, where 1 MiB is left."""
    shape = (2**10, 2**10) if read is load else (2**9, 3, 26, 26)
    path = archive(tmp_path / "f.npz", x=header(shape) + bytes(8 * int(np.prod(shape))))
    assert path.stat().st_size < 2**14
    monkeypatch.setattr(memory, "available_memory", lambda: 2**20)
    monkeypatch.setattr(array_files, "_entries", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(InputError, match=r"would need about .* of memory, but only 1.0 MiB"):
        read(path)


def test_labels_are_judged_by_their_header_too(tmp_path):
    path = archive(tmp_path / "f.npz", x=header((4, 3)) + ROWS.tobytes(), y=header((2**40,), "<i8"))
    with pytest.raises(InputError, match=r"'y' declares the shape \(1099511627776,\)"):
        load(path)
    assert load(path, labels=False).y is None


def test_a_name_that_stands_twice(tmp_path):
    path = tmp_path / "f.npz"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("x.npy", header((4, 3)) + ROWS.tobytes())
        packed.writestr("x", "other")
    with pytest.raises(InputError, match="holds 'x' twice"):
        load(path)


def test_a_checksum_that_does_not_fit(tmp_path):
    path = tmp_path / "f.npz"
    np.savez(path, x=ROWS)
    content = path.read_bytes()
    path.write_bytes(content.replace(ROWS.tobytes()[:8], b"\0" * 8))
    with pytest.raises(InputError, match="damaged"):
        load(path)
