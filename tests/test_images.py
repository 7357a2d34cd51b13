# SPDX-License-Identifier: MIT
import os
import re

import numpy as np
import pytest
from PIL import Image

from intaglio.io import InputError, load_image, save_image, write_atomically
from intaglio.picture import linear_from_srgb, srgb_bytes, srgb_from_linear


def test_every_byte_survives_reading_and_writing(tmp_path):
    source = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=-1)
    Image.fromarray(source).save(tmp_path / "in.png")
    save_image(tmp_path / "out.png", load_image(tmp_path / "in.png"))
    assert (np.asarray(Image.open(tmp_path / "out.png")) == source).all()


def test_middle_grey_of_a_file_is_about_a_fifth_of_the_light():
    assert linear_from_srgb(np.array(0.5)) == pytest.approx(0.21404, abs=1e-5)
    assert srgb_from_linear(np.array(0.21404)) == pytest.approx(0.5, abs=1e-5)


def test_alpha_stays_linear(tmp_path):
    image = np.full((2, 3, 4), 128 / 255)
    save_image(tmp_path / "a.png", image)
    assert np.asarray(Image.open(tmp_path / "a.png"))[0, 0].tolist() == [188, 188, 188, 128]
    assert load_image(tmp_path / "a.png")[0, 0, 3] == pytest.approx(128 / 255)


def test_light_beyond_white_is_white():
    assert srgb_bytes(np.array([[[-1.0, 0, 2]]]), "").tolist() == [[[0, 0, 255]]]


def test_bytes_are_the_nearest_ones():
    linear = np.linspace(0, 1, 100_001)
    exact = srgb_from_linear(linear) * 255
    assert np.abs(srgb_bytes(linear[None], "")[0] - exact).max() < 0.5 + 0.05


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16", "RGB", "RGBA"])
def test_pictures_of_every_kind_are_read(tmp_path, mode):
    white = Image.new("L", (3, 2), 255)
    picture = Image.new(mode, (3, 2), 65535) if mode == "I;16" else white.convert(mode)
    picture.save(tmp_path / "white.png")
    image = load_image(tmp_path / "white.png")
    assert image.shape == (2, 3, 4 if mode in ("LA", "RGBA") else 3)
    assert image.dtype == np.float32
    assert image.min() == 1


def test_tensors_and_greys_are_written(tmp_path):
    import torch

    save_image(tmp_path / "grey.png", torch.ones(2, 2, requires_grad=True))
    assert load_image(tmp_path / "grey.png").tolist() == np.ones((2, 2, 3)).tolist()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")

    def fails_halfway(aside):
        aside.write_text("half")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match=r"^stop$"):
        write_atomically(path, fails_halfway)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["kept.txt"]


def test_a_write_replaces_the_old_file(tmp_path):
    path = tmp_path / "new.txt"
    path.write_text("old")
    write_atomically(path, lambda aside: aside.write_text("new"))
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["new.txt"]


def test_an_unwritable_place_is_named(tmp_path):
    path = tmp_path / "missing" / "a.png"
    remedy = "choose a folder that exists and is writable"
    message = f"{path}: cannot be written: No such file or directory ({remedy})"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        save_image(path, np.ones((2, 2, 3)))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.png", None, "there is no such file"),
        ("text.png", b"hello", "is not a PNG or JPEG picture (convert it to PNG)"),
        ("picture.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "is not a PNG or JPEG picture (convert it to PNG)"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"^{re.escape(f'{tmp_path / name}: {message}')}$"):
        load_image(tmp_path / name)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_truncated_picture_is_named(tmp_path, share, ending):
    path = tmp_path / f"cut.{ending}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    damaged = r"is damaged: .* \(was it copied completely\?\)"
    with pytest.raises(InputError, match=rf"^{re.escape(str(path))}: ({damaged}|is not a PNG or JPEG picture .*)$"):
        load_image(path)


def test_a_picture_that_would_fill_the_memory_is_named(tmp_path, monkeypatch):
    Image.new("L", (100, 100)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9_000)
    with pytest.raises(InputError, match=r"bomb.png: is too large a picture \(9000 pixels at most\)$"):
        load_image(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((1, 2, 2, 3)), "got [1, 2, 2, 3] (take one image of a batch: image[0])"),
        (np.zeros((2, 2, 2)), "got [2, 2, 2]"),
        (np.zeros((0, 2, 3)), "got [0, 2, 3]"),
    ],
)
def test_images_of_other_shapes_are_named(tmp_path, image, message):
    message = f"save_image: image must be [H, W], [H, W, 3] or [H, W, 4]; {message}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        save_image(tmp_path / "a.png", image)
    assert os.listdir(tmp_path) == []


def test_images_that_are_not_finite_and_other_endings_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"^save_image: image must be finite; got NaN or infinity$"):
        save_image(tmp_path / "a.png", np.full((2, 2, 3), np.nan))
    with pytest.raises(
        InputError, match=r"a.jpg: pictures are written as PNG, HDR or PFM \(end the name in .png, .hdr or .pfm\)$"
    ):
        save_image(tmp_path / "a.jpg", np.ones((2, 2, 3)))


def test_what_never_ends_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a.png: is no ordinary file$"):
        load_image(tmp_path / "a.png")
