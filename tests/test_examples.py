# SPDX-License-Identifier: MIT
"""Every example runs, smaller than it is meant, and does what it says."""

import runpy
from pathlib import Path

import pytest

from intaglio import load_obj

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_and_tested_here(path):
    assert len(path.read_text().splitlines()) <= 40
    assert f'example("{path.stem}")' in Path(__file__).read_text()


def test_draw_writes_a_gif(tmp_path):
    example("draw")(str(tmp_path / "draw.gif"), size=32, num_frames=4)
    assert (tmp_path / "draw.gif").read_bytes().startswith(b"GIF89a")


def test_fit_shape_comes_near_the_square(tmp_path):
    assert example("fit_shape")(str(tmp_path / "square.obj"), size=64) > 0.99
    assert len(load_obj(tmp_path / "square.obj").triangles) == 2256


def test_fit_texture_lowers_the_loss(tmp_path):
    losses = example("fit_texture")(str(tmp_path / "painted.obj"), size=64, num_steps=20)
    assert losses[-1] < 0.9 * losses[0], "most of it is the background's, which has no texels"
    assert load_obj(tmp_path / "painted.obj").texture is not None


def test_fit_camera_finds_the_eye():
    assert example("fit_camera")(size=64) < 0.01 * 2.732


def test_recover_material_shows_unseen_views_as_they_are():
    assert example("recover_material")(size=24, num_steps=300) > 35
