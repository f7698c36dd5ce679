"""Images in folders: what is read, in which order, with which classes, and what is refused."""

import os
import zlib

import numpy as np
import pytest
from helpers import assert_close
from PIL import Image

from nngp_dag.errors import InputError
from nngp_dag.nas import load_images

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, size=(6, 8, 8, 3), dtype=np.uint8)


def save(pixels, path, **more):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path, **more)


def normalised(pixels):
    pixels = pixels / 255
    return (pixels - pixels.mean((0, 1, 2))) / pixels.std((0, 1, 2))


def test_sub_folders_are_classes_in_the_order_of_their_names(tmp_path):
    for i, name in enumerate(["dog/2", "dog/1", "cat/b", "cat/a", "dog/3", "cat/c"]):
        save(PIXELS[i], tmp_path / f"{name}.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    (tmp_path / "dog" / ".hidden.png").write_text("no image")
    images = load_images(tmp_path)
    assert images.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert images.x.dtype == np.float32
    assert_close(images.x, normalised(PIXELS[[3, 2, 5, 1, 0, 4]]).astype(np.float32))
    assert str(tmp_path) in images.source


def test_a_flat_folder_has_no_classes_and_grey_images_become_rgb(tmp_path):
    save(PIXELS[0], tmp_path / "b.PNG")
    save(PIXELS[1, :, :, 0], tmp_path / "a.png")
    save(np.dstack([PIXELS[2], PIXELS[3, :, :, :1]]), tmp_path / "c.png")
    images = load_images(tmp_path)
    assert images.y is None
    grey = np.repeat(PIXELS[1, :, :, :1], 3, axis=-1)
    assert_close(images.x, normalised(np.stack([grey, PIXELS[0], PIXELS[2]])).astype(np.float32))


def test_jpeg_is_read(tmp_path):
    smooth = np.linspace(0, 250, 8 * 8 * 3).reshape(8, 8, 3).astype(np.uint8)
    for name in ("a.jpg", "b.jpeg"):
        save(smooth if name < "b" else smooth[::-1], tmp_path / name, quality=95)
    images = load_images(tmp_path)
    assert np.corrcoef(images.x[0].ravel(), normalised(np.stack([smooth, smooth[::-1]]))[0].ravel())[0, 1] > 0.99


def png(path, pixels=PIXELS[0]):
    save(pixels, path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "has no images: .png, .jpg, .jpeg are read"),
        (lambda folder: (png(folder / "a.png"), png(folder / "one" / "b.png")), "images beside folders of images"),
        (lambda folder: (png(folder / "a.png"), png(folder / "b.png", PIXELS[0, :4, :4])), "b.png is 4x4, and .* 8x8"),
        (lambda folder: png(folder / "a.png", PIXELS[0, :6]), "a.png is 6x8: square images are needed"),
        (lambda folder: (folder / "a.png").write_text("no image"), "a.png: it is no PNG or JPEG image"),
        (lambda folder: (folder / "a.png").write_bytes(b""), "a.png: it is no PNG or JPEG image"),
        (lambda folder: os.mkfifo(folder / "a.png"), "a.png: it is not a regular file"),
        (lambda folder: (folder / "a.png").symlink_to(folder / "gone.png"), "a.png: No such file"),
        (lambda folder: png(folder / "a.png", np.full((8, 8, 3), 7, np.uint8)), "is constant"),
    ],
)
def test_what_is_no_set_of_images_is_refused(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(InputError, match=message):
        load_images(tmp_path)


def test_torn_and_exploding_images_are_refused(tmp_path):
    png(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"a.png: it is damaged or truncated"):
        load_images(tmp_path)
    header = bytearray(whole)
    header[16:24] = (60_000).to_bytes(4, "big") * 2  # width and height of IHDR
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(header)
    with pytest.raises(InputError, match="it unpacks to too many pixels"):
        load_images(tmp_path)
