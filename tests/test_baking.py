# SPDX-License-Identifier: MIT
"""Textures from views: a colour known at every place comes back, and nothing is taken from where it is not seen."""

import re

import numpy as np
import pytest
import torch
from reference.derivative import central

from intaglio import Camera, Mesh, bake_texture, ops, orbit, render_normals, shapes, visible_triangles
from intaglio.picture import plain_bytes

FRONT = Camera.orthographic((0, 0, 2), half_height=1)
BACK = Camera.orthographic((0, 0, -2), half_height=1)
RED, BLUE = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
GRID = np.array([[0, 1, 2], [2, 1, 3]])
UNIT = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float64)  # of a square: top left, bottom left, ...


def square(depth=0.0, half=1.0, uv=UNIT):
    """In a plane z = depth, seen from +z as its texture is."""
    return Mesh(np.concatenate([(2 * UNIT - 1) * [half, -half], np.full((4, 1), depth)], -1), GRID, uv=uv)


def joined(*meshes):
    first = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])[:-1]
    triangles = np.concatenate([mesh.triangles + k for mesh, k in zip(meshes, first, strict=True)])
    return Mesh(np.concatenate([m.vertices for m in meshes]), triangles, uv=np.concatenate([m.uv for m in meshes]))


def plain(color, size=(32, 32), views=1):
    return np.broadcast_to(color, (views, *size, 3)).copy()


def around(count, distance=2.7):
    """Views spread over the sphere along a spiral."""
    k = np.arange(count)
    eyes = orbit(np.full(count, distance), np.degrees(np.arcsin(1 - (2 * k + 1) / count)), 137.5 * k % 360)
    return Camera.look_at(eyes, fov_y_degrees=50)


def color_of(places):
    return 0.5 + 0.4 * np.sin(3 * places + [0, 1, 2])


def pictures_of(mesh, camera, size, color=color_of):
    """Colours by place, and coverage: pictures that no texture was needed for."""
    fragments = ops.rasterize(camera.clip(mesh.vertices, size), mesh.triangles, size)
    covered = (fragments.triangle_id >= 0)[..., None]
    return color(ops.interpolate(mesh.vertices, fragments, mesh.triangles)) * covered, covered[..., 0]


# --- what comes back


def test_a_known_colour_comes_back_from_views_around():
    mesh = shapes.sphere(64, 32)
    camera = around(16)
    images, _ = pictures_of(mesh, camera, (160, 160))
    baked = bake_texture(mesh, images, camera, size=(64, 128))
    seen = baked.weight > 0
    assert seen.mean() > 1 - 1.5 / 32  # half of the first and of the last of 32 rings belongs to no triangle
    expected = color_of(places_of(mesh, (64, 128)))
    error = np.abs(baked.texture - expected)[seen]
    # A bilinear lookup is off by spacing^2 / 8 times the second derivative, 0.4 * 9, along either axis. Pixels are
    # 2.7 * 2 tan(25) / 160 = 0.016 apart, on a surface seen at a cosine of 0.5 twice that; at 0.1, ten times.
    assert np.sqrt((error**2).mean()) < 2 * 0.032**2 / 8 * 3.6
    assert error.max() < 2 * 0.16**2 / 8 * 3.6


def places_of(mesh, size):
    """[h, w, 3] the place that each texel shows, by drawing the mesh flat."""
    table = mesh.uv_triangles if mesh.uv_triangles is not None else mesh.triangles
    flat = np.concatenate([2 * mesh.uv - 1, np.zeros_like(mesh.uv)], -1) * [1, -1, 1, 1] + [0, 0, 0, 1]
    fragments = ops.rasterize(flat[None].astype(mesh.vertices.dtype), table, size)
    return ops.interpolate(mesh.vertices, fragments, mesh.triangles)[0]


def test_a_square_seen_straight_is_its_picture():
    image = np.random.default_rng(0).random((1, 8, 8, 3))
    baked = bake_texture(square(), image, FRONT, size=(8, 8), margin=0)
    np.testing.assert_allclose(baked.texture, image[0], atol=1e-12)
    assert (baked.weight > 0).all()


def test_views_count_by_the_cosine():
    # Straight on, red; from 60 degrees aside, blue, which at a sharpness of 4 counts as a sixteenth.
    aside = Camera.orthographic((2 * np.sqrt(3), 0, 2), half_height=1, far=20)
    images = np.concatenate([plain(RED), plain(BLUE)])
    for sharpness, share in ((4, 1 / 17), (0, 1 / 2), (1, 1 / 3)):
        texture = bake_texture(square(), images, [FRONT, aside], size=(16, 16), sharpness=sharpness, margin=0).texture
        np.testing.assert_allclose(texture[4:12, 4:12], np.broadcast_to(share * BLUE + (1 - share) * RED, (8, 8, 3)))


def test_cameras_are_one_of_a_batch_or_several():
    mesh, camera = shapes.sphere(16, 8), around(4)
    images, _ = pictures_of(mesh, camera, (32, 32))
    eyes = orbit(np.full(4, 2.7), np.degrees(np.arcsin(1 - (2 * np.arange(4) + 1) / 4)), 137.5 * np.arange(4) % 360)
    several = [Camera.look_at(eye, fov_y_degrees=50) for eye in eyes]
    one, other = (bake_texture(mesh, images, cameras, size=(16, 32)) for cameras in (camera, several))
    np.testing.assert_allclose(one.texture, other.texture, atol=1e-5)


# --- what is not seen


def test_what_is_hidden_takes_nothing_from_what_hides_it():
    # A red square before a smaller blue one: the picture is all red.
    near, far = square(0.5, 0.9, UNIT * [0.5, 1]), square(-0.5, 0.6, UNIT * [0.5, 1] + [0.5, 0])
    baked = bake_texture(joined(near, far), plain(RED), FRONT, size=(32, 64))
    assert (baked.weight[:, :31] > 0).all()
    assert (baked.weight[:, 33:] == 0).all()
    assert visible_triangles(joined(near, far), FRONT, (32, 32)).tolist() == [[True, True, False, False]]


def test_the_sides_of_a_thin_sheet_have_each_its_own_colour():
    back = square(-1e-4, uv=UNIT * [0.5, 1] + [0.5, 0])
    sheet = joined(square(0, uv=UNIT * [0.5, 1]), back.replace(triangles=back.triangles[:, ::-1].copy()))
    baked = bake_texture(sheet, np.concatenate([plain(RED), plain(BLUE)]), [FRONT, BACK], size=(16, 32))
    np.testing.assert_allclose(baked.texture[:, :16], np.broadcast_to(RED, (16, 16, 3)), atol=1e-12)
    np.testing.assert_allclose(baked.texture[:, 16:], np.broadcast_to(BLUE, (16, 16, 3)), atol=1e-12)


def test_a_single_sheet_is_seen_from_behind_too():
    image = np.random.default_rng(0).random((1, 8, 8, 3))
    baked = bake_texture(square(), image, BACK, size=(8, 8), margin=0)
    np.testing.assert_allclose(baked.texture, image[0, :, ::-1], atol=1e-12)


@pytest.mark.parametrize(
    "camera",
    [
        Camera.look_at((0, 0, 2), (0, 0, 5)),  # the mesh is behind it
        Camera.look_at((0, 0, 2), far=1),  # beyond what it shows
        Camera.look_at((0, 9, 2), (0, 9, 0)),  # beside what it shows
        Camera.look_at((0, 9, 0.1), (0, 0, 0)),  # too oblique
    ],
)
def test_a_view_that_does_not_see_the_mesh_says_nothing(camera):
    baked = bake_texture(square(), plain(RED), camera, size=(8, 8))
    assert not baked.weight.any()
    assert not baked.texture.any()


def test_pictures_beyond_their_masks_count_for_nothing():
    image, mask = plain(RED), np.zeros((1, 32, 32))
    image[:, :, 16:], mask[:, :, :16] = BLUE, 1
    baked = bake_texture(square(), image, FRONT, masks=mask, size=(32, 32))
    assert (baked.weight[:, :16] > 0).all()
    assert not baked.weight[:, 17:].any()
    np.testing.assert_allclose(baked.texture, np.broadcast_to(RED, (32, 32, 3)), atol=1e-12)  # and the rest is filled


def test_what_no_view_sees_takes_the_colour_of_the_surface_around_it():
    # Two strips side by side in space but apart on the texture, whose blue half ends where the unseen begins.
    columns = 8
    x = np.linspace(-1, 1, columns + 1)
    vertices = np.stack([np.tile(x, 2), np.repeat([1.0, -1], columns + 1), np.zeros(2 * columns + 2)], -1)
    left = np.arange(columns)
    below = left + columns + 1
    triangles = np.concatenate([np.stack([left, below, left + 1], -1), np.stack([left + 1, below, below + 1], -1)])
    quad = np.array([[0.1, 0.1], [0.1, 0.9], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]])
    order = np.random.default_rng(0).permutation(columns)
    uv = np.concatenate([np.add(quad[k : k + 3], [0, order[i]]) / [1, columns] for k in (0, 3) for i in range(columns)])
    mesh = Mesh(vertices, triangles, uv=uv, uv_triangles=np.arange(len(uv)).reshape(-1, 3))
    image, mask = plain(RED), np.zeros((1, 32, 32))
    image[:, :, 8:16], mask[:, :, :16] = BLUE, 1
    baked = bake_texture(mesh, image, FRONT, masks=mask, size=(columns * 8, 8), margin=0)
    for i in range(columns):
        middle = baked.texture[8 * order[i] + 4, 4]
        np.testing.assert_allclose(middle, RED if i < 2 else BLUE, atol=1e-12)
        assert (baked.weight[8 * order[i] + 4, 4] > 0) == (i < 4)


# --- the texture beyond the charts


def test_no_foreign_colour_lies_beside_a_chart():
    mesh = shapes.sphere(12, 6)
    mesh = mesh.replace(uv=mesh.uv * 0.3 + 0.35)  # an island in the middle
    images, _ = pictures_of(mesh, around(12), (64, 64), lambda places: 0 * places + RED)
    baked = bake_texture(mesh, images, around(12), size=(48, 48))
    # Means of equal colours, weighed in some order: a few dozen roundings.
    np.testing.assert_allclose(baked.texture, np.broadcast_to(RED, (48, 48, 3)), atol=64 * 1.2e-7)
    assert not baked.weight[:10].any()


def test_lookups_at_the_edge_of_a_chart_continue_it():
    # The halves of a square lie apart on the texture, their edges between texels. The picture is a ramp, which bilinear
    # lookups give back exactly where the texels beside the charts go on with it.
    uv = np.concatenate([UNIT[GRID[0]] * 0.43 + 0.03, UNIT[GRID[1]] * 0.43 + 0.52])
    mesh = Mesh(square().vertices, GRID, uv=uv, uv_triangles=np.arange(6).reshape(2, 3))
    ramp = np.broadcast_to(((np.arange(64) + 0.5) / 64)[None, None, :, None], (1, 64, 64, 3))
    texture = bake_texture(mesh, ramp, FRONT, size=(32, 32), margin=0).texture
    along = np.linspace(0.2, 0.8, 13)[:, None]
    for low, high in ((1, 2), (4, 3)):  # the diagonal, from the bottom left to the top right, in either chart
        edge = uv[low] + along * (uv[high] - uv[low])
        found = ops.sample_texture(texture, edge[None, None])[0, 0, :, 0]
        np.testing.assert_allclose(found, along[:, 0], atol=1e-9)


def test_uv_beyond_the_texture_wraps_around():
    image = np.random.default_rng(0).random((1, 8, 8, 3))
    plainly = bake_texture(square(), image, FRONT, size=(8, 8), margin=0)
    moved = bake_texture(square(uv=UNIT - (-3, 2)), image, FRONT, size=(8, 8), margin=0)
    np.testing.assert_allclose(moved.texture, plainly.texture, atol=1e-12)
    halfway = bake_texture(square(uv=UNIT - (0.5, 0)), image, FRONT, size=(8, 8), margin=0)
    np.testing.assert_allclose(halfway.texture, np.roll(plainly.texture, 4, axis=1), atol=1e-12)
    assert np.isfinite(bake_texture(square(uv=UNIT * 1e6), image, FRONT, size=(8, 8)).texture).all()


def test_of_triangles_that_share_texels_one_that_is_seen_has_them():
    for order in (1, -1):
        mesh = joined(*[square(0.5, 0.9), square(-0.5, 0.6)][::order])
        baked = bake_texture(mesh, plain(RED), FRONT, size=(8, 8))
        assert (baked.weight > 0).all()


def test_smallest_sizes_and_no_triangles():
    baked = bake_texture(square(), plain(RED, (1, 1)), FRONT, size=(1, 1))
    assert baked.texture.tolist() == [[[1, 0, 0]]]
    empty = Mesh(np.zeros((0, 3)), np.zeros((0, 3), int), uv=np.zeros((0, 2)))
    baked = bake_texture(empty, plain(RED, (3, 5)), FRONT, size=(2, 3))
    assert not baked.texture.any()
    assert baked.texture.shape == (2, 3, 3)
    assert visible_triangles(empty, FRONT, (4, 4)).shape == (1, 0)


def test_pictures_have_any_number_of_channels_and_one_view_needs_no_batch():
    assert bake_texture(square(), np.ones((6, 5, 1)), FRONT, size=(4, 4)).texture.shape == (4, 4, 1)
    assert bake_texture(square(), np.ones((6, 5, 4)), FRONT, masks=np.ones((6, 5)), size=(4, 4)).texture.all()


def test_the_result_follows_the_pictures():
    mesh = square()
    baked = bake_texture(mesh, torch.rand(1, 8, 8, 3), FRONT, size=(4, 4))
    assert isinstance(baked.texture, torch.Tensor)
    assert isinstance(baked.weight, torch.Tensor)
    assert isinstance(mesh.replace(texture=baked.texture).vertices, torch.Tensor)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mesh": Mesh(np.eye(3), [[0, 1, 2]])}, "mesh must have uv; got none"),
        ({"mesh": 3}, "mesh must be a Mesh; got int"),
        ({"mesh": Mesh(np.zeros((2, 4, 3)), GRID, uv=UNIT)}, "mesh must be one mesh; got a batch of 2"),
        ({"cameras": []}, "cameras must be a Camera, or a list of them; got 0 of another kind"),
        ({"cameras": FRONT.view_from_world}, "cameras must be a Camera, or a list of them; got ndarray"),
        ({"cameras": [FRONT, BACK]}, "images must be as many as cameras; got 1 for 2 cameras"),
        ({"images": np.zeros((8, 8))}, "images must be [N, H, W, C]; got [8, 8]"),
        ({"images": plain([np.nan, 0, 0])}, "images must be finite; got NaN or infinity"),
        ({"masks": np.ones((1, 8, 9))}, "masks must be [1, 32, 32]; got [1, 8, 9]"),
        ({"size": 64}, "size must be (height, width) in whole texels from 1 on; got 64"),
        ({"size": (0, 8)}, "size must be (height, width) in whole texels from 1 on; got (0, 8)"),
        ({"sharpness": -1}, "sharpness must be a number from 0 on; got -1"),
        ({"margin": 1.5}, "margin must be a whole number of pixels from 0 on; got 1.5"),
    ],
)
def test_what_cannot_be_baked_is_named(change, message):
    arguments = {"mesh": square(), "images": plain(RED), "cameras": FRONT, "size": (8, 8)} | change
    with pytest.raises(ValueError, match="^bake_texture: " + re.escape(message)):
        bake_texture(arguments.pop("mesh"), arguments.pop("images"), arguments.pop("cameras"), **arguments)


# --- which triangles are seen


def test_two_triangles_of_a_cube_are_seen_straight_on():
    camera = Camera.look_at(orbit(np.full(2, 4.0), [0, 20], [0, 30]))
    seen = visible_triangles(shapes.cube(), camera, (64, 64))
    assert seen.dtype == bool
    assert seen.sum(axis=-1).tolist() == [2, 6]


def test_a_triangle_between_samples_is_found_by_more_of_them():
    small = square(half=0.02)
    assert not visible_triangles(small, FRONT, (16, 16)).any()
    assert visible_triangles(small, FRONT, (16, 16), supersample=9).all()


def test_a_batch_of_meshes_has_a_view_each():
    vertices = np.stack([square().vertices, square().vertices - [9, 0, 0]])
    assert visible_triangles(Mesh(vertices, GRID), FRONT, (8, 8)).tolist() == [[True, True], [False, False]]


# --- normals


def test_normals_of_a_sphere_are_its_places():
    mesh, camera = shapes.icosphere(4), Camera.look_at((1, 2, 2))
    normals = render_normals(mesh, camera, (48, 48), shading="smooth", visibility=None)
    fragments = ops.rasterize(camera.clip(mesh.vertices, (48, 48)), mesh.triangles, (48, 48))
    places = ops.interpolate(mesh.vertices, fragments, mesh.triangles)
    covered = fragments.triangle_id >= 0
    # Normals of vertices are means over faces 5 degrees apart, symmetric but at 12 vertices: a tenth of that is plenty.
    np.testing.assert_allclose(normals[covered], places[covered], atol=0.01)
    assert not normals[~covered].any()


def test_in_view_space_what_faces_the_camera_points_to_z():
    eye = orbit(3, 35, 70)
    towards = eye / np.linalg.norm(eye)
    right = np.cross([0, 1, 0], towards)
    up = np.cross(towards, right)
    mesh = Mesh(np.stack([-right - up, right - up, up]), [[0, 1, 2]])
    for flipped in (False, True):  # both sides face the viewer
        turned = mesh.replace(triangles=mesh.triangles[:, ::-1].copy()) if flipped else mesh
        normals = render_normals(turned, Camera.look_at(eye), (32, 32), space="view")
        np.testing.assert_allclose(normals[0, 16, 16], [0, 0, 1], atol=1e-12)
    picture = plain_bytes(0.5 + 0.5 * normals[0], "test")
    assert np.abs(picture[16, 16].astype(int) - [128, 128, 255]).max() <= 1
    assert picture[0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize("shading", ["flat", "smooth"])
@pytest.mark.parametrize("space", ["world", "view"])
def test_gradients_of_normals_agree_with_central_differences(space, shading):
    mesh, camera = shapes.icosphere(1), Camera.look_at((0.3, 0.5, 2.5))
    rng = np.random.default_rng(0)
    vertices = mesh.vertices * (1 + 0.1 * rng.normal(size=(len(mesh.vertices), 1)))
    direction, step = rng.normal(size=vertices.shape), 1e-6

    def normals_of(vertices):
        return render_normals(
            mesh.replace(vertices=vertices), camera, (24, 24), space=space, shading=shading, visibility=None
        )

    moved = central(normals_of, vertices, direction, step)
    weight = rng.normal(size=moved.shape) * (np.abs(moved) < 1e3)  # not where another triangle comes to be seen
    leaf = torch.tensor(vertices, requires_grad=True)
    (normals_of(leaf) * torch.tensor(weight)).sum().backward()
    # Normals of edges of 0.5 have third derivatives below 1e3, over 600 pixels.
    assert (leaf.grad.numpy() * direction).sum() == pytest.approx(
        (moved * weight).sum(), abs=step**2 * 1e3 * 600 + 1e-6
    )


def test_the_gradient_at_silhouettes_comes_by_choice():
    leaf = torch.tensor(square(half=0.7).vertices, requires_grad=True)
    mesh = Mesh(leaf, GRID)
    render_normals(mesh, FRONT, (16, 16), visibility="edge")[..., 2].sum().backward()
    # The normal stays (0, 0, 1), but there is more of it when the square widens: area * 64 pixels, 4 * 0.7 per unit.
    widening = (leaf.grad.numpy()[:, :2] * np.sign(leaf.detach().numpy()[:, :2])).sum()
    assert widening == pytest.approx(64 * 4 * 2 * 0.7, rel=0.15)  # edges are felt at whole rows of pixels: 1 in 11


def test_samples_are_averaged():
    normals = render_normals(square(half=0.75), FRONT, (5, 5), supersample=8, visibility=None)
    fine = render_normals(square(half=0.75), FRONT, (40, 40), visibility=None)
    np.testing.assert_allclose(normals[0], fine[0].reshape(5, 8, 5, 8, 3).mean(axis=(1, 3)), atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"space": "clip"}, "space must be 'world' or 'view'; got 'clip'"),
        ({"shading": "round"}, "shading must be one of 'flat', 'smooth' or None; got 'round'"),
        ({"visibility": "soft"}, "visibility must not be 'soft'"),
        ({"supersample": 0}, "supersample must be a whole number from 1 on; got 0"),
    ],
)
def test_what_normals_cannot_be_is_named(options, message):
    with pytest.raises(ValueError, match="^render_normals: " + re.escape(message)):
        render_normals(square(), FRONT, (4, 4), **options)
