# SPDX-License-Identifier: MIT
"""Animations are read back by Pillow; frames are plain colours, so that every format keeps them."""

import os
import re
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from intaglio.io import InputError
from intaglio.io.animation import Animation, save_animation
from intaglio.picture import linear_from_srgb

RED, GREEN, BLUE = np.eye(3)
SHAPE = (6, 8)


def plain(color, shape=SHAPE):
    return np.broadcast_to(np.float32(color), (*shape, 3))


def colors_in(path):
    """The colour in the middle of every frame, and how long each shows in ms."""
    found = []
    with Image.open(path) as picture:
        assert picture.info["loop"] == 0, "0 repeats forever"
        for number in range(picture.n_frames):
            picture.seek(number)
            found.append((picture.convert("RGB").getpixel((4, 3)), picture.info["duration"]))
    return found


def test_a_gif_shows_its_frames_in_order_and_repeats_forever(tmp_path):
    path = tmp_path / "colors.gif"
    save_animation(path, map(plain, (RED, GREEN, BLUE, GREEN)))
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 255, 0)]
    assert colors_in(path) == [(color, 40) for color in colors], "25 frames a second"


def test_a_gif_keeps_the_colours_of_a_frame_with_few(tmp_path):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(4, 0).repeat(4, 1)
    save_animation(tmp_path / "ramp.gif", [linear_from_srgb(ramp / 255)[..., None].repeat(3, axis=-1)])
    with Image.open(tmp_path / "ramp.gif") as picture:
        shown = np.asarray(picture.convert("L"))
    # Pillow looks up the palette for cells of 4 x 4 x 4 colours at once.
    np.testing.assert_allclose(shown.astype(int), ramp, atol=4)


def test_a_webp_repeats_forever_too(tmp_path):
    save_animation(tmp_path / "colors.webp", map(plain, (RED, BLUE)), frames_per_second=10)
    (red, duration), (blue, _) = colors_in(tmp_path / "colors.webp")
    # Lossy coding stores half-size colours in 8 bits of YCbCr: a few steps of 255 off.
    np.testing.assert_allclose([red, blue], [(255, 0, 0), (0, 0, 255)], atol=6)
    assert duration == 100


def test_png_is_a_numbered_sequence(tmp_path):
    save_animation(tmp_path / "colors.png", map(plain, (RED, GREEN, BLUE)))
    assert sorted(os.listdir(tmp_path)) == ["colors-0000.png", "colors-0001.png", "colors-0002.png"]
    with Image.open(tmp_path / "colors-0002.png") as picture:
        assert picture.getpixel((0, 0)) == (0, 0, 255)


def test_one_png_keeps_its_name(tmp_path):
    save_animation(tmp_path / "red.png", [plain(RED)])
    assert os.listdir(tmp_path) == ["red.png"]


@pytest.mark.parametrize("shape", [(6, 8), (5, 7)])
def test_mp4_is_left_to_ffmpeg_in_even_sizes(tmp_path, monkeypatch, shape):
    sent = []

    def write_frames(path, size, **options):
        assert (size, options["fps"]) == ((8, 6), 25), "width first"
        with open(path, "wb") as file:
            while True:
                sent.append((yield))
                file.write(sent[-1].tobytes())

    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", SimpleNamespace(write_frames=write_frames))
    save_animation(tmp_path / "colors.mp4", [plain(RED, shape), plain(BLUE, shape)])
    assert [frame[-1, -1].tolist() for frame in sent] == [[255, 0, 0], [0, 0, 255]]
    assert os.listdir(tmp_path) == ["colors.mp4"]


def test_mp4_without_ffmpeg_names_the_package_before_any_frame(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    text = "colors.mp4: needs imageio-ffmpeg, which is not there (pip install 'intaglio[video]')"
    with pytest.raises(InputError, match=re.escape(text)):
        Animation(tmp_path / "colors.mp4")


def test_another_ending_is_refused(tmp_path):
    text = "a.avi: is no animation's name (end it in .gif, .webp, .png, .mp4)"
    with pytest.raises(InputError, match=re.escape(text)):
        Animation(tmp_path / "a.avi")


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        ([(1, 6, 8, 3)], "Animation.add: image must be [H, W, 3]; got [1, 6, 8, 3]"),
        ([(6, 8)], "Animation.add: image must be [H, W, 3]; got [6, 8]"),
        ([(6, 8, 3), (6, 9, 3)], "Animation.add: image must be [6, 8, 3] as before; got [6, 9, 3]"),
        ([], "Animation: there must be at least one frame; got none"),
    ],
)
def test_frames_are_pictures_of_one_size(tmp_path, shapes, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        save_animation(tmp_path / "a.gif", map(np.zeros, shapes))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_what_raises_half_way_leaves_the_older_file(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"older")

    def frames():
        yield plain(RED)
        yield plain(GREEN)
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="the caller's own"):
        save_animation(path, frames())
    assert path.read_bytes() == b"older"
    assert os.listdir(tmp_path) == [f"a.{ending}"]


def test_a_folder_that_is_missing_is_reported_however_many_frames_follow(tmp_path):
    with pytest.raises(InputError, match=r"a\.gif: cannot be written: No such file or directory"):
        save_animation(tmp_path / "missing" / "a.gif", (plain(RED) for _ in range(100)))


def test_a_frame_that_is_not_finite_is_reported(tmp_path):
    with pytest.raises(ValueError, match="must be finite"):
        save_animation(tmp_path / "a.gif", [plain(RED), plain([np.nan] * 3)])
    assert os.listdir(tmp_path) == []


def test_no_thread_is_left(tmp_path):
    save_animation(tmp_path / "a.gif", [plain(RED)] * 40)
    assert "animation" not in [thread.name for thread in threading.enumerate()]
