"""Data specs: named sets, the user's arrays, scaling to unit rows, and every kind of unusable input."""

import os
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nngp_dag import InputError
from nngp_dag.datasets import load, unit_rows
from nngp_dag.datasets.split import split


def refused(spec, match, **kwargs):
    """`load` refuses `spec` in one line that matches."""
    with pytest.raises(InputError, match=match) as error:
        load(spec, **kwargs)
    assert "\n" not in str(error.value)


# ---- digits ----------------------------------------------------------------------------------------------------------


def test_digits_are_scaled_flattened_and_normalised():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    raw, data = load("digits", raw=True), load("digits")
    np.testing.assert_array_equal(raw.x, images / 16)
    np.testing.assert_array_equal(raw.y, labels)
    assert data.x.dtype == np.float64 and data.y.dtype == np.int64
    np.testing.assert_allclose(data.x, images / np.linalg.norm(images, axis=1, keepdims=True), rtol=1e-15)
    assert (len(data), data.num_classes, data.image_shape, data.name) == (1797, 10, (8, 8), "digits")
    assert not data.x.flags.writeable


def test_a_number_of_rows_takes_them_in_the_order_of_a_fixed_permutation():
    whole, some, fewer = load("digits"), load("digits:300"), load("digits:20")
    order = np.random.default_rng(0).permutation(1797)[:300]
    np.testing.assert_array_equal(some.x, whole.x[order])
    np.testing.assert_array_equal(some.y, whole.y[order])
    np.testing.assert_array_equal(fewer.x, some.x[:20])
    np.testing.assert_array_equal(load("digits:1797").x, whole.x[np.random.default_rng(0).permutation(1797)])


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("digits:0", "at least 1"),
        ("digits:-3", "malformed data 'digits:-3'"),
        ("digits:", "malformed"),
        ("digits:1e3", "malformed"),
        ("digits:\u0663", "malformed"),
        ("digits:5:5", "malformed"),
        ("digits:1798", "digits has 1,797 rows"),
        ("imagenet", "unknown data 'imagenet': accepted are digits, mnist"),
        ("", "unknown data ''"),
        ("Digits", "unknown data"),
        ("rows.csv", "or the path of an .npy or .npz file"),
    ],
)
def test_malformed_specs_are_refused(spec, match):
    refused(spec, match)


def test_one_hot_labels():
    data = load("digits:50")
    hot = data.one_hot()
    assert hot.shape == (50, 10) and hot.dtype == np.float64
    np.testing.assert_array_equal(hot.argmax(axis=1), data.y)
    np.testing.assert_array_equal(hot.sum(axis=1), 1)


# ---- unit rows -------------------------------------------------------------------------------------------------------

finite_rows = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-1e3, 1e3)
)


@given(finite_rows)
def test_unit_rows_keep_directions(x):
    x[np.abs(x).max(axis=1) < 1e-3] = 1.0
    unit = unit_rows(x)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, rtol=4e-16 * x.shape[1])
    np.testing.assert_allclose(
        unit * np.linalg.norm(x, axis=1, keepdims=True), x, rtol=1e-14, atol=1e-300
    )  # below: subnormal


@pytest.mark.parametrize("scale", [1e308, 1e200, 1e-200, 1e-307])
def test_unit_rows_where_the_squared_norm_leaves_float64(scale):
    x = np.array([[0.6, 0.8], [-1.0, 0.0]])
    np.testing.assert_allclose(unit_rows(x * scale), x, rtol=1e-15)


def test_scaling_by_a_power_of_two_changes_no_bit():
    x = np.random.default_rng(1).normal(size=(50, 7))
    np.testing.assert_array_equal(unit_rows(x * 2.0**900), unit_rows(x))


def test_unit_rows_leaves_its_argument_alone():
    x = np.full((3, 2), 5.0)
    unit_rows(x)
    np.testing.assert_array_equal(x, 5.0)


# ---- the user's files ------------------------------------------------------------------------------------------------


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "int8", "uint8", ">f8", ">i4", "bool", "longdouble"]
)
def test_npy_of_any_real_type(tmp_path, rows, dtype):
    x = (10 * rows + 20).astype(dtype)
    np.save(tmp_path / "rows.npy", x)
    data = load(tmp_path / "rows.npy", raw=True)
    np.testing.assert_array_equal(data.x, x.astype(np.float64))
    assert data.x.dtype == np.float64 and data.y is None and data.num_classes is None and data.image_shape is None


def test_npy_in_fortran_order_is_normalised_by_row(tmp_path, rows):
    np.save(tmp_path / "rows.npy", np.asfortranarray(rows))
    data = load(str(tmp_path / "rows.npy"))
    np.testing.assert_allclose(data.x, rows / np.linalg.norm(rows, axis=1, keepdims=True), rtol=1e-15)


def test_npz_by_key_or_with_a_single_array(tmp_path, rows):
    np.savez(tmp_path / "key.npz", other=np.zeros(2), x=rows, y=[0, 2, 1, 1, 0])
    np.savez_compressed(tmp_path / "single.npz", anything=rows)
    data = load(tmp_path / "key.npz", raw=True)
    np.testing.assert_array_equal(data.x, rows)
    np.testing.assert_array_equal(data.y, [0, 2, 1, 1, 0])
    assert data.num_classes == 3
    np.testing.assert_array_equal(load(tmp_path / "single.npz", raw=True).x, rows)


def test_labels_that_do_not_fit_are_refused_unless_not_asked_for(tmp_path, rows):
    for y in ([0, 1], [0.5] * 5, [-1, 0, 1, 0, 1], ["a"] * 5, np.eye(5), [10**12, 0, 0, 0, 0], [np.nan] * 5):
        np.savez(tmp_path / "f.npz", x=rows, y=y)
        refused(tmp_path / "f.npz", "'y' of .*f.npz")
        assert load(tmp_path / "f.npz", labels=False).y is None


def test_without_labels_one_hot_is_refused(tmp_path, rows):
    np.save(tmp_path / "f.npy", rows)
    with pytest.raises(InputError, match="has no labels"):
        load(tmp_path / "f.npy").one_hot()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (np.zeros((0, 3)), r"is empty \(shape \(0, 3\)\)"),
        (np.zeros((3, 0)), "is empty"),
        (np.ones(3), "two dimensions"),
        (np.ones((2, 2, 2)), "two dimensions"),
        (np.float64(3), "two dimensions"),
        (np.array([["a", "b"]]), "real numbers are needed"),
        (np.ones((2, 2), complex), "real numbers are needed"),
        (np.zeros((2, 2), "M8[s]"), "real numbers are needed"),
        (np.zeros(3, [("a", "f8")]), "real numbers are needed"),
        (np.array([[1.0, 2.0], [1.0, np.nan]]), "row 1 of .* has NaN or infinite"),
        (np.array([[-np.inf, 2.0]]), "row 0 of .* has NaN or infinite"),
        (np.array([[np.longdouble("1e4000"), 1]]), "row 0 of .* has NaN or infinite"),
        (np.array([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]), "row 1 of .* is all zeros"),
    ],
)
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_unusable_arrays_are_refused(tmp_path, content, match, suffix):
    path = tmp_path / f"f.{suffix}"
    np.save(path, content) if suffix == "npy" else np.savez(path, x=content)
    refused(path, match)


def test_zero_rows_are_kept_raw(tmp_path):
    np.save(tmp_path / "f.npy", np.zeros((2, 3)))
    np.testing.assert_array_equal(load(tmp_path / "f.npy", raw=True).x, 0)


def test_files_that_are_not_what_they_claim(tmp_path, rows):
    np.save(tmp_path / "f.npy", rows)
    whole = (tmp_path / "f.npy").read_bytes()
    np.savez(tmp_path / "f.npz", x=rows)
    packed = (tmp_path / "f.npz").read_bytes()
    contents = {
        "text.npy": b"1 2 3",
        "nothing.npy": b"",
        "header.npy": whole[:20],
        "short.npy": whole[:-8],
        "nonsense.npy": whole.replace(b"descr", b"\xff\xfe\xfd(("),
        "zip.npy": packed,
        "text.npz": b"1 2 3",
        "npy.npz": whole,
        "short.npz": packed[:-30],
        "damaged.npz": packed.replace(rows.tobytes()[:16], b"\0" * 16),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, name)
    refused(tmp_path / "missing.npy", "no such file")
    refused(tmp_path / "missing" / "f.npz", "no such file")
    (tmp_path / "folder.npy").mkdir()
    refused(tmp_path / "folder.npy", "is a directory")


def test_npz_with_several_arrays_needs_a_key_x(tmp_path, rows):
    np.savez(tmp_path / "f.npz", x_train=rows, x_test=rows)
    refused(tmp_path / "f.npz", "holds x_train, x_test: an .npz needs a key 'x' or a single array")
    with zipfile.ZipFile(tmp_path / "none.npz", "w"):
        pass
    refused(tmp_path / "none.npz", "none.npz")


class Trap:
    """Leaves a mark when unpickled."""

    mark = None

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_pickles_are_not_read(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(Trap, "mark", str(tmp_path / "sprung"))
    content = np.array([[Trap()]], dtype=object)
    path = tmp_path / f"f.{suffix}"
    np.save(path, content) if suffix == "npy" else np.savez(path, x=content)
    refused(path, "Python objects")
    assert not (tmp_path / "sprung").exists()


def test_a_file_of_another_format_is_called_so(tmp_path):
    """NumPy takes whatever it does not know for a pickle; the message does not."""
    path = tmp_path / "text.npy"
    path.write_text("hello")
    refused(path, "of another format")


def test_a_file_too_large_for_memory_is_refused_by_its_header(tmp_path):
    path = tmp_path / "huge.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**5)})
        file.truncate(file.tell() + 4 * 10**11)  # a sparse file: the header's promise is kept
    refused(path, "would need about .* TiB of memory")


def test_an_unreadable_file(tmp_path, rows):
    path = tmp_path / "f.npy"
    np.save(path, rows)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads every file")
    refused(path, "cannot read .*Permission denied")


# ---- rows to learn from and rows to test on ------------------------------------------------------------------------


def test_the_last_fifth_is_held_out_or_another_data_set_serves(tmp_path):
    rows = load("digits:11")
    x, y, x_test, y_test = split(rows)
    assert len(x) == len(y) == 9 and len(x_test) == len(y_test) == 2
    assert (np.concatenate([x, x_test]) == rows.x).all() and (np.concatenate([y, y_test]) == rows.one_hot()).all()
    np.savez(tmp_path / "more.npz", x=np.eye(64)[:3], y=[0, 11, 3])
    more = load(tmp_path / "more.npz")
    x, y, x_test, y_test = split(rows, more)
    assert x is rows.x and x_test is more.x and y.shape == (11, 12) and y_test.shape == (3, 12)
    assert (y[:, :10] == rows.one_hot()).all() and (y_test == more.one_hot()).all()
    with pytest.raises(InputError, match="digits:1 has 1 rows, too few to hold some out"):
        split(load("digits:1"))
    np.savez(tmp_path / "other.npz", x=np.eye(3), y=[0, 1, 2])
    with pytest.raises(InputError, match=r"other.npz has 3 columns, but digits:11 has 64"):
        split(rows, load(tmp_path / "other.npz"))
