# SPDX-License-Identifier: MIT
"""Pictures and renderings show themselves in notebooks: as PNG, in sRGB, batches side by side."""

import io

import numpy as np
import pytest
from frameworks import DIFFERENTIATING
from PIL import Image

from intaglio import Camera, Picture, Rendering, render, render_silhouette, shapes
from intaglio.array import framework


def shown(x):
    """The pixels that a notebook gets."""
    with Image.open(io.BytesIO(x._repr_png_())) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture)


def grey(value, height=128, width=128):
    return np.full((height, width), value, dtype=np.float32)


def test_a_fifth_of_the_light_is_shown_as_middle_grey():
    assert set(shown(Picture(grey(0.2140))).ravel().tolist()) <= {127, 128}


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_pictures_in_greys_in_colours_and_with_alpha_keep_their_channels(channels):
    assert shown(Picture(np.zeros((130, 140, *channels)))).shape == (130, 140, *channels)


def test_a_batch_is_shown_in_rows_and_columns():
    batch = np.stack([grey(k / 4) for k in range(5)])
    sheet = shown(Picture(batch))
    assert sheet.shape == (2 * 128, 3 * 128)
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    bytes_of = [shown(Picture(image))[0, 0] for image in batch]
    assert [sheet[128 * row, 128 * column] for row, column in places] == bytes_of
    assert sheet[128:, 256:].max() == 0, "what is left over is black"


def test_small_pictures_are_shown_enlarged_by_a_whole_number():
    image = np.zeros((10, 20))
    image[3, 4] = 1
    pixels = shown(Picture(image))
    assert pixels.shape == (60, 120)
    assert pixels[18:24, 24:30].min() == 255
    assert (pixels > 0).sum() == 36


def test_a_picture_stays_what_it_was():
    image = grey(1)
    picture = Picture(image)
    image[:] = 0
    assert shown(picture).min() == 255


@pytest.mark.parametrize("name", DIFFERENTIATING)
def test_tensors_show_themselves(name):
    assert shown(Picture(framework(name).from_numpy(np.ones((128, 128, 3), dtype=np.float32)))).min() == 255


def test_a_rendering_shows_its_colours():
    camera = Camera.look_at((0, 1, 3))
    rendering = render(shapes.cube(), camera, (150, 140), background=(0.2, 0.4, 0.6))
    assert (shown(rendering) == shown(Picture(rendering.color[0]))).all()
    assert isinstance(rendering, Rendering)


def test_a_silhouette_of_one_view_is_one_picture():
    alpha = render_silhouette(shapes.cube(), Camera.look_at((0, 1, 3)), (150, 140))
    assert shown(Picture(alpha)).shape == (150, 140)
    assert repr(Picture(alpha)) == "Picture(150 x 140)"


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros(3), r"got \[3\]"),
        (np.zeros((2, 3, 4, 5)), r"got \[3, 4, 5\]"),
        (np.full((2, 2), np.nan), "must be finite; got NaN or infinity"),
    ],
)
def test_what_is_no_picture_is_refused(image, text):
    with pytest.raises(ValueError, match=f"^Picture: image must be .*{text}|^Picture: image {text}"):
        Picture(image)
