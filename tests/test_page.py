# SPDX-License-Identifier: MIT
"""The page of a mesh holds the mesh and nothing foreign; browser.py tests what it looks like."""

import base64
import html
import io
import json
import re

import numpy as np
import pytest
from frameworks import DIFFERENTIATING
from PIL import Image

from intaglio import Mesh, shapes
from intaglio.page import PAGE

KINDS = {"vertices": "<f4", "normals": "<i2", "triangles": "<u4", "colors": "u1", "uv": "<f4", "uv_triangles": "<u4"}


def scene(mesh):
    """What the page is given, its arrays decoded."""
    found = json.loads(re.search(r"^const SCENE = (.*);$", mesh.to_html(), re.MULTILINE)[1])
    arrays = {name: np.frombuffer(base64.b64decode(x), KINDS[name]) for name, x in found.items() if name in KINDS}
    return found | arrays


def test_a_page_holds_the_mesh_bit_for_bit():
    mesh = shapes.teapot()
    found = scene(mesh)
    assert (found["vertices"].reshape(-1, 3) == mesh.vertices).all()
    assert (found["triangles"].reshape(-1, 3) == mesh.triangles).all()
    # Rounded to 1 / 32767, half of that for each of three components.
    assert np.abs(found["normals"].reshape(-1, 3) / 32767 - mesh.vertex_normals()).max() <= 0.51 / 32767
    assert found["caption"] == "1177 vertices, 2256 triangles, numpy"


def test_the_camera_is_as_far_away_as_the_mesh_is_large():
    mesh = shapes.cube()
    found = scene(mesh.replace(vertices=mesh.vertices * 10 + np.float32([1, 2, 3])))
    assert found["centre"] == [1, 2, 3]
    assert found["radius"] == pytest.approx(10 * 3**0.5)


def test_colours_and_textures_are_in_srgb():
    cube = shapes.cube()
    colors = np.full((8, 3), 0.2140, dtype=np.float32)
    texture = np.full((2, 5, 3), 0.2140, dtype=np.float32)
    found = scene(cube.replace(vertex_colors=colors, texture=texture))
    assert set(found["colors"].tolist()) <= {127, 128}
    with Image.open(io.BytesIO(base64.b64decode(found["texture"]))) as picture:
        assert picture.size == (5, 2)
        assert set(np.asarray(picture).ravel().tolist()) <= {127, 128}
    assert (found["uv"].reshape(-1, 2) == cube.uv).all()
    assert (found["uv_triangles"].reshape(-1, 3) == cube.uv_triangles).all()


def test_face_textures_become_a_texture():
    cube = shapes.cube()
    red = np.zeros((12, 2, 2, 2, 3), dtype=np.float32) + np.float32([1, 0, 0])
    found = scene(Mesh(cube.vertices, cube.triangles, face_textures=red))
    assert len(found["uv"]) == 12 * 3 * 2
    with Image.open(io.BytesIO(base64.b64decode(found["texture"]))) as picture:
        assert np.asarray(picture)[0, 0].tolist() == [255, 0, 0]


def test_of_a_batch_the_first_is_shown():
    cube = shapes.cube()
    batch = cube.replace(vertices=np.stack([cube.vertices, 2 * cube.vertices]))
    assert (scene(batch)["vertices"] == cube.vertices.ravel()).all()
    assert scene(batch)["caption"].startswith("2 x 8 vertices")


@pytest.mark.parametrize("framework", DIFFERENTIATING)
def test_a_mesh_of_tensors_is_shown_like_one_of_arrays(framework):
    torus = shapes.torus().replace(vertex_colors=np.full((48 * 24, 3), 0.5, dtype=np.float32))
    found, expected = scene(torus.to(framework)), scene(torus)
    for name in ("vertices", "triangles", "colors"):
        assert (found[name] == expected[name]).all()
    assert np.abs(found["normals"].astype(int) - expected["normals"]).max() <= 1


def test_a_mesh_of_one_side_says_so():
    cube = shapes.cube()
    assert [scene(cube.replace(double_sided=x))["double_sided"] for x in (False, True)] == [False, True]
    assert scene(cube.replace(double_sided=False))["caption"].endswith("single-sided")


def test_a_mesh_without_triangles_has_a_page():
    empty = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    assert scene(empty)["radius"] == 1


def test_nothing_is_fetched():
    page = PAGE.read_text()
    assert not re.search(
        r"https?:|//[a-z]|\bfetch\b|\bimport\b|@import|XMLHttp|WebSocket|\ssrc=|\shref=", re.sub(r"// .*", "", page)
    )


def test_a_notebook_gets_the_page_in_a_frame():
    mesh = shapes.cube()
    inside = re.fullmatch(r'<iframe srcdoc="([^"]*)" style="[^"]*"></iframe>', mesh._repr_html_())[1]
    assert html.unescape(inside) == mesh.to_html()


def test_a_mesh_too_large_for_a_notebook_is_shown_as_text(monkeypatch):
    monkeypatch.setattr("intaglio.page.FRAMED_AT_MOST", 20_000)
    assert shapes.cube()._repr_html_() is not None
    assert shapes.teapot()._repr_html_() is None


def test_positions_that_are_not_finite_are_refused():
    cube = shapes.cube()
    with pytest.raises(ValueError, match=r"^Mesh.to_html: vertices must be finite; got NaN or infinity \(.*\)$"):
        cube.replace(vertices=cube.vertices * np.float32(np.nan)).to_html()
