# SPDX-License-Identifier: MIT
"""Cameras whose pictures are mirror images: rows that count from the bottom, columns from the right."""

import numpy as np
import pytest

from intaglio import (
    AmbientLight,
    BlinnPhong,
    Camera,
    DirectionalLight,
    Material,
    PointLight,
    bake_texture,
    pack,
    render,
    render_normals,
    shapes,
    visible_triangles,
)

SIZE = (40, 48)
K = np.array([[50.0, 0, 24.3], [0, 47.0, 18.9], [0, 0, 1]])
POSE = np.array([[1.0, 0, 0, 0.1], [0, -1, 0, 0.2], [0, 0, -1, 3]])
LIGHTS = [DirectionalLight((0.3, 0.5, 1)), PointLight((2, 1, 2)), AmbientLight(intensity=0.1)]
BALL = shapes.icosphere(2)
AXES = {"columns": 0, "rows": 1}


def camera(*mirrored, raw=False):
    """As seen from +z; mirrored along these axes."""
    matrix = K.copy()
    for axis in (AXES[name] for name in mirrored):
        matrix[axis] = (SIZE[1 - axis] - 1) * matrix[2] - matrix[axis]
    if raw:
        return Camera.from_projection(matrix @ POSE, SIZE, in_front=(0, 0, 0))
    return Camera.opencv(matrix, POSE[:, :3], POSE[:, 3], SIZE)


def mirrored(image, *names):
    return np.flip(image, [2 - AXES[name] for name in names]) if names else image


def assert_alike(got, expected):
    """But for samples on an edge, which another triangle has in the mirror."""
    difference = np.abs(got - expected).reshape(-1, *got.shape[1:3], got.size // np.prod(got.shape[:3])).max(axis=-1)
    assert (difference > 1e-4).mean() < 0.01
    assert np.abs(expected).max() > 0.3


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("names", [("columns",), ("rows",), ("columns", "rows")])
@pytest.mark.parametrize("double_sided", [True, False])
@pytest.mark.parametrize(
    ("material", "shading"),
    [(None, "flat"), (None, "smooth"), (Material(metallic=0.2), "smooth"), (BlinnPhong(), "flat")],
)
def test_the_picture_is_the_mirror_image(names, raw, double_sided, material, shading):
    mesh = BALL.replace(material=material, double_sided=double_sided)
    options = {"lights": LIGHTS, "shading": shading}
    expected = render(mesh, camera(raw=raw), SIZE, **options)
    got = render(mesh, camera(*names, raw=raw), SIZE, **options)
    for name in ("color", "alpha", "normals", "depth"):
        assert_alike(mirrored(getattr(got, name), *names), getattr(expected, name))


def test_handedness():
    assert Camera.look_at((0, 0, 3)).handedness(SIZE) == 1
    for raw in (False, True):
        found = [camera(*names, raw=raw).handedness(SIZE).tolist() for names in ((), ("rows",), ("columns", "rows"))]
        assert found == [[1], [-1], [1]]
    assert Camera.stack([camera(), camera("columns")]).handedness(SIZE).tolist() == [1, -1]


def test_batches_and_packs_of_both_kinds():
    cameras = Camera.stack([camera(), camera("columns")])
    meshes = [BALL, shapes.cube().replace(double_sided=False)]
    alone = [
        render(mesh, x, SIZE, lights=LIGHTS).color
        for mesh, x in zip(meshes, (camera(), camera("columns")), strict=True)
    ]
    assert_alike(render(pack(meshes), cameras, SIZE, lights=LIGHTS).color, np.concatenate(alone))
    both = render(BALL, cameras, SIZE, lights=LIGHTS).color
    assert_alike(mirrored(both[1:], "columns"), both[:1])
    of_all = render(pack(meshes), cameras, SIZE, lights=LIGHTS, product=True).color
    assert_alike(of_all[1, 1][None], alone[1])
    assert_alike(render_normals(BALL, camera("rows"), SIZE), mirrored(render_normals(BALL, camera(), SIZE), "rows"))


def test_what_is_seen_is_the_same():
    front = BALL.replace(double_sided=False, uv=0.5 + BALL.vertices[:, :2] / 2)
    plain, turned = (visible_triangles(front, x, SIZE)[0] for x in (camera(), camera("rows", raw=True)))
    assert plain.sum() > 50
    assert (plain != turned).sum() <= 4  # slivers between samples
    picture = np.random.default_rng(0).uniform(size=(1, *SIZE, 3)).astype(np.float32)
    baked = [
        bake_texture(front, image, [x], size=(32, 32)).texture
        for x, image in ((camera(), picture), (camera("rows"), mirrored(picture, "rows")))
    ]
    assert np.median(np.abs(baked[1] - baked[0])) < 1e-4
