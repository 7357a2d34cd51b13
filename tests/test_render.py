# SPDX-License-Identifier: MIT
import re

import numpy as np
import pytest
import torch

from intaglio import shapes
from intaglio.camera import Camera, orbit
from intaglio.light import AmbientLight, DirectionalLight, PointLight
from intaglio.losses import silhouette_iou, squared_error
from intaglio.mesh import Mesh
from intaglio.rendering import compare_silhouette, render, render_silhouette

# Looks at the square from -1 to 1, which fills its picture; pixel centres of 4 x 4 lie at +-0.25 and +-0.75.
FRONT = Camera.orthographic(eye=(0, 0, 2), near=1, far=3)
BACK = Camera.orthographic(eye=(0, 0, -2), near=1, far=3)
SIZE = (4, 4)
CENTRES = np.array([-0.75, -0.25, 0.25, 0.75])
PLAIN = (AmbientLight(),)
TEAPOT = shapes.teapot(3).normalized()
VIEW = Camera.look_at(orbit(2.7, 30, 20))


def test_a_square_that_fills_the_picture_is_seen_everywhere():
    color, alpha, depth, normals, triangle_id = render(shapes.plane(), FRONT, SIZE, lights=PLAIN)
    assert color.tolist() == np.ones((1, 4, 4, 3)).tolist()
    assert alpha.tolist() == np.ones((1, 4, 4)).tolist()
    assert depth == pytest.approx(np.zeros((1, 4, 4)), abs=1e-6)  # midway between the planes
    assert normals == pytest.approx(np.broadcast_to([0, 0, 1], (1, 4, 4, 3)))
    assert triangle_id[0].tolist() == [[1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]]


def test_nothing_is_seen_where_nothing_is():
    color, alpha, depth, normals, triangle_id = render(half_square(), FRONT, SIZE, background=(0.1, 0.2, 0.3))
    right = (0, slice(None), slice(2, None))
    assert color[right] == pytest.approx(np.broadcast_to([0.1, 0.2, 0.3], (4, 2, 3)))
    assert (alpha[right] == 0).all()
    assert (depth[right] == 1).all()
    assert (normals[right] == 0).all()
    assert (triangle_id[right] == -1).all()
    assert alpha[0, :, :2].min() == 1


@pytest.mark.parametrize("shading", ["flat", "smooth"])
def test_a_face_is_lit_by_the_cosine_from_the_side_it_is_seen_from(shading):
    lights = (AmbientLight(intensity=0.25), DirectionalLight((0, 3, 4), intensity=0.5))
    assert render(shapes.plane(), FRONT, SIZE, lights=lights, shading=shading).color == pytest.approx(0.25 + 0.5 * 0.8)
    from_behind = render(shapes.plane(), BACK, SIZE, lights=lights, shading=shading)
    assert from_behind.color == pytest.approx(0.25)
    assert from_behind.normals == pytest.approx(np.broadcast_to([0, 0, -1], (1, 4, 4, 3)))


def test_a_point_light_is_worked_out_at_each_pixel_when_smooth_and_at_each_middle_when_flat():
    light = PointLight((0, 0, 2), intensity=4)
    smooth = render(shapes.plane(), FRONT, SIZE, lights=[light], shading="smooth").color[0, ..., 0]
    squared = CENTRES[None] ** 2 + CENTRES[:, None] ** 2 + 4
    assert smooth == pytest.approx(4 * 2 / squared**1.5)
    flat = render(shapes.plane(), FRONT, SIZE, lights=[light]).color
    squared = 2 * (1 / 3) ** 2 + 4
    assert flat == pytest.approx(4 * 2 / squared**1.5)


@pytest.mark.parametrize("shading", ["flat", "smooth"])
def test_each_view_of_a_batch_can_have_its_own_light(shading):
    places = np.array([[1.0, 2, 3], [3, 2, 1], [-2, 1, 2]])
    directions = places[::-1].copy()
    views = Camera.look_at(np.stack([orbit(2.7, 30, 20)] * 3))
    lights = (PointLight(places, intensity=np.array([1.0, 2, 3])), DirectionalLight(directions, color=np.abs(places)))
    together = render(TEAPOT, views, (16, 16), lights=lights, shading=shading).color
    for k in range(3):
        alone = (PointLight(places[k], intensity=1.0 + k), DirectionalLight(directions[k], color=np.abs(places[k])))
        assert together[k] == pytest.approx(
            render(TEAPOT, VIEW, (16, 16), lights=alone, shading=shading).color[0], abs=1e-5
        )


def test_vertex_colours_are_interpolated():
    plane = shapes.plane()
    mesh = plane.replace(vertex_colors=(plane.vertices + 1) / 2)
    color = render(mesh, FRONT, SIZE, lights=PLAIN).color[0]
    assert color[..., 0] == pytest.approx(np.broadcast_to((CENTRES + 1) / 2, (4, 4)))
    assert color[..., 1] == pytest.approx(np.broadcast_to((1 - CENTRES[:, None]) / 2, (4, 4)))


def test_the_first_texel_is_seen_at_the_top_left():
    texture = np.random.default_rng(0).random((4, 4, 3), dtype=np.float32)
    color = render(shapes.plane().replace(texture=texture), FRONT, SIZE, lights=PLAIN).color[0]
    assert color == pytest.approx(texture, abs=1e-6)


def test_a_texture_does_not_reach_the_background():
    mesh = Mesh(half_square().vertices, half_square().triangles, uv=shapes.plane().uv, texture=np.ones((1, 1, 3)))
    assert render(mesh, FRONT, SIZE, lights=PLAIN).color[0, :, 2:].max() == 0


def test_face_textures_colour_their_faces():
    textures = np.zeros((2, 1, 1, 1, 3), dtype=np.float32)
    textures[0, ..., 0], textures[1, ..., 2] = 1, 0.5
    shown = render(shapes.plane().replace(face_textures=textures), FRONT, SIZE, lights=PLAIN)
    expected = np.array([[1, 0, 0], [0, 0, 0.5]])[shown.triangle_id]
    assert shown.color == pytest.approx(expected)


def test_colours_multiply():
    mesh = shapes.plane().replace(
        vertex_colors=np.full((4, 3), 0.5), face_textures=np.full((2, 1, 1, 1, 3), 0.5), texture=np.full((1, 1, 3), 0.5)
    )
    assert render(mesh, FRONT, SIZE, lights=[AmbientLight(intensity=0.5)]).color == pytest.approx(0.5**4)


def test_smooth_normals_of_a_sphere_point_away_from_its_centre():
    camera = Camera.orthographic(eye=(0, 0, 3))
    shown = render(shapes.icosphere(4), camera, (33, 33), shading="smooth")
    seen = shown.alpha[0] == 1
    x = np.broadcast_to((2 * np.arange(33) + 1) / 33 - 1, (33, 33))
    expected = np.stack([x, -x.T], axis=-1)
    assert np.abs(shown.normals[0, ..., :2] - expected)[seen].max() < 0.05  # an edge is 0.07 long
    assert np.linalg.norm(shown.normals[0], axis=-1)[seen] == pytest.approx(1)
    flat = render(shapes.icosphere(4), camera, (33, 33)).normals
    assert np.abs(flat - shown.normals)[0][seen].max() < 0.1


def test_supersampling_averages_colour_and_alpha_and_picks_one_sample_of_the_rest():
    # Two pixels across, samples at +-0.25 and +-0.75; the mesh ends at x = 0.5.
    mesh = shapes.plane().replace(vertices=shapes.plane().vertices * [0.75, 1, 1] - [0.25, 0, 0])
    shown = render(mesh, FRONT, (2, 2), lights=PLAIN, supersample=2, background=(0, 0, 1))
    assert shown.alpha.tolist() == [[[1, 0.5], [1, 0.5]]]
    assert shown.color[0, 0].tolist() == [[1, 1, 1], [0.5, 0.5, 1]]
    assert shown.depth == pytest.approx(0, abs=1e-6)
    assert shown.triangle_id.min() == 0
    assert shown.normals.shape == (1, 2, 2, 3)
    assert render_silhouette(mesh, FRONT, (2, 2), supersample=2).tolist() == shown.alpha.tolist()


def test_three_samples_a_pixel_are_those_of_a_picture_three_times_as_large():
    large = render(TEAPOT, VIEW, (30, 60), visibility=None)
    small = render(TEAPOT, VIEW, (10, 20), visibility=None, supersample=3)
    blocks = large.color.reshape(1, 10, 3, 20, 3, 3)
    assert small.color == pytest.approx(blocks.mean(axis=(2, 4)), abs=1e-6)
    assert (small.triangle_id == large.triangle_id[:, 1::3, 1::3]).all()
    assert (small.depth == large.depth[:, 1::3, 1::3]).all()


@pytest.mark.parametrize("shading", ["flat", "smooth"])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_batch_of_views_is_that_many_views(batch, shading):
    eyes = orbit(2.7, 30, np.linspace(0, 200, batch))
    backgrounds = np.linspace(0, 1, batch * 3).reshape(batch, 3)
    together = render(TEAPOT, Camera.look_at(eyes), (16, 24), shading=shading, background=backgrounds)
    for k in range(batch):
        alone = render(TEAPOT, Camera.look_at(eyes[k]), (16, 24), shading=shading, background=backgrounds[k])
        for a, b in zip(together, alone, strict=True):
            assert a[k] == pytest.approx(b[0], abs=1e-5)


def test_a_batch_of_meshes_is_that_many_meshes():
    vertices = np.stack([TEAPOT.vertices * scale for scale in (1, 0.5, 0.8)])
    together = render(TEAPOT.replace(vertices=vertices), VIEW, (16, 24))
    for k in range(3):
        alone = render(TEAPOT.replace(vertices=vertices[k]), VIEW, (16, 24))
        for a, b in zip(together, alone, strict=True):
            assert a[k] == pytest.approx(b[0], abs=1e-5)


@pytest.mark.parametrize("shading", ["flat", "smooth"])
def test_numpy_and_torch_draw_the_same_picture(shading):
    with_numpy = render(TEAPOT, VIEW, (32, 32), shading=shading, supersample=2)
    with_torch = render(TEAPOT.to("torch"), VIEW, (32, 32), shading=shading, supersample=2)
    for a, b in zip(with_numpy, with_torch, strict=True):
        assert a == pytest.approx(b.numpy(), abs=1e-5)


def test_an_empty_mesh_is_the_background():
    empty = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    for mesh in (empty, empty.to("torch")):
        for shading in ("flat", "smooth"):
            shown = render(mesh, VIEW, SIZE, shading=shading, background=(0.5, 0, 1))
            assert shown.color.tolist() == np.broadcast_to([0.5, 0, 1], (1, 4, 4, 3)).tolist()
            assert shown.triangle_id.max() == -1
        assert render_silhouette(mesh, VIEW, SIZE).max() == 0


@pytest.mark.parametrize("visibility", ["edge", "antialias", "sweep", "soft", None])
def test_every_visibility_draws_and_all_but_none_moves_silhouettes(visibility):
    mesh = TEAPOT.to("torch")
    vertices = mesh.vertices.clone().requires_grad_()
    target = render_silhouette(mesh.replace(vertices=vertices.detach() * 0.9), VIEW, (32, 32))
    for supersample in (1, 2):
        vertices.grad = None
        moved = mesh.replace(vertices=vertices)
        shown = render(moved, VIEW, (32, 32), visibility=visibility, supersample=supersample)
        alpha = render_silhouette(moved, VIEW, (32, 32), visibility=visibility, supersample=supersample)
        assert shown.color.shape == (1, 32, 32, 3)
        if visibility != "antialias":  # whose blend at a pixel depends on all that meets there, colours too
            assert torch.allclose(shown.alpha, alpha, atol=1e-6)
        (squared_error(alpha, target) + squared_error(shown.alpha, target)).backward()
        if visibility is None:
            assert vertices.grad is None or vertices.grad.abs().max() == 0
        else:
            # To fit what is smaller, the mesh has to shrink: descent moves vertices inwards.
            assert (vertices.grad * vertices.detach()).sum() > 0


@pytest.mark.parametrize("views", [1, 3])
@pytest.mark.parametrize("supersample", [1, 2])
def test_comparing_a_silhouette_is_rendering_and_comparing_it(views, supersample):
    mesh, target = shapes.icosphere(2).to("torch"), torch.rand(views, 24, 32)
    camera = Camera.look_at(np.array([[0.1 * k, 0.2, 4] for k in range(views)]))
    results = []
    for compared in (True, False):
        vertices = mesh.vertices.clone().requires_grad_()
        moved = mesh.replace(vertices=vertices)
        if compared:
            loss = compare_silhouette(moved, camera, target, supersample=supersample).sum()
        else:
            loss = squared_error(render_silhouette(moved, camera, (24, 32), supersample=supersample), target)
        loss.backward()
        results.append((loss.detach(), vertices.grad))
    torch.testing.assert_close(results[0], results[1], rtol=1e-5, atol=1e-4)


def test_one_target_may_serve_all_views():
    camera, target = Camera.look_at(np.array([[0.0, 0, 4], [0.0, 4, 0.1]])), np.zeros((9, 9), np.float32)
    error = compare_silhouette(shapes.icosphere(2), camera, target)
    each = compare_silhouette(shapes.icosphere(2), camera, np.stack([target, target]))
    assert error.tolist() == each.tolist()
    assert error.shape == (2,)


def test_a_target_that_is_no_picture_is_named():
    with pytest.raises(ValueError, match=r"^compare_silhouette: target must be \[H, W\] or \[B, H, W\]; got \[4\]$"):
        compare_silhouette(TEAPOT, VIEW, np.zeros(4, np.float32))


def test_a_step_along_the_gradient_brings_a_silhouette_closer():
    mesh = shapes.icosphere(2).to("torch")
    target = render_silhouette(mesh.replace(vertices=mesh.vertices * 0.8), VIEW, (32, 32), supersample=2)
    scale = torch.ones((), requires_grad=True)
    optimizer = torch.optim.Adam([scale], lr=0.01)
    for _ in range(80):
        optimizer.zero_grad()
        moved = mesh.replace(vertices=mesh.vertices * scale)
        loss = silhouette_iou(render_silhouette(moved, VIEW, (32, 32), supersample=2), target)
        loss.backward()
        optimizer.step()
    assert scale.item() == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("shading", ["flat", "smooth"])
def test_gradients_of_shading_agree_with_differences(shading):
    # The mesh reaches beyond the picture on all sides, so that no silhouette moves within it.
    plane = shapes.plane(2)
    bumps = np.array([[0, 0, 0.1], [0.1, 0, 0], [0, 0.1, 0.05]] * 3)
    vertices = plane.vertices * 1.7 + bumps

    def draw(vertices, colors, textures, texture, ambient, direction, place, background):
        mesh = plane.replace(vertices=vertices, vertex_colors=colors, face_textures=textures, texture=texture)
        lights = (AmbientLight(ambient), DirectionalLight(direction), PointLight(place))
        options = {"lights": lights, "shading": shading, "background": background, "supersample": 2, "visibility": None}
        return render(mesh, Camera.look_at((0.1, 0.2, 1.5)), (3, 2), **options).color

    rng = np.random.default_rng(0)
    # Faces of one colour each: face textures pass no gradient to positions.
    textures = rng.random((8, 1, 1, 1, 3)).repeat(2, 1).repeat(2, 2).repeat(2, 3)
    arguments = [vertices, rng.random((9, 3)), textures, rng.random((5, 4, 3)),
                 [0.1, 0.2, 0.3], [1.0, 0.5, 2.0], [0.2, 0.1, 2.0], [0.3, 0.2, 0.1]]  # fmt: skip
    arguments = [torch.tensor(np.asarray(a), dtype=torch.float64, requires_grad=True) for a in arguments]
    assert torch.autograd.gradcheck(draw, arguments, eps=1e-7, atol=1e-5)


def test_a_gradient_reaches_camera_lights_and_colours_of_a_numpy_mesh():
    eye = torch.tensor([0.5, 1.0, 2.5], requires_grad=True)
    color = torch.ones(3, requires_grad=True)
    background = torch.zeros(3, requires_grad=True)
    shown = render(TEAPOT, Camera.look_at(eye), (16, 16), lights=[AmbientLight(color)], background=background)
    shown.color.sum().backward()
    assert eye.grad.abs().max() > 0
    assert color.grad.tolist() == pytest.approx([shown.alpha.sum().item()] * 3)
    assert background.grad.tolist() == pytest.approx([256 - shown.alpha.sum().item()] * 3)
    light = torch.ones(3, requires_grad=True)
    render(TEAPOT, VIEW, (16, 16), lights=[AmbientLight(light)]).color.sum().backward()
    assert light.grad.min() > 0


def test_the_picture_is_the_same_with_and_without_gradients():
    mesh = TEAPOT.to("torch")
    tracked = mesh.replace(vertices=mesh.vertices.clone().requires_grad_())
    for a, b in zip(render(mesh, VIEW, (32, 32)), render(tracked, VIEW, (32, 32)), strict=True):
        assert torch.equal(a, b)
    with torch.no_grad():
        assert torch.equal(render(tracked, VIEW, (32, 32)).color, render(mesh, VIEW, (32, 32)).color)


def test_functional_gradients_are_those_of_backward():
    mesh = TEAPOT.to("torch")
    target = torch.zeros(1, 16, 16)

    def loss(vertices):
        return squared_error(render_silhouette(mesh.replace(vertices=vertices), VIEW, (16, 16)), target)

    vertices = mesh.vertices.clone().requires_grad_()
    loss(vertices).backward()
    assert torch.equal(torch.func.grad(loss)(mesh.vertices), vertices.grad)
    assert vertices.grad.abs().max() > 0


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # dynamo's own doing
@pytest.mark.parametrize("tracked", [True, False])
def test_a_render_survives_torch_compile(tracked):
    mesh = TEAPOT.to("torch")
    vertices = mesh.vertices.requires_grad_(tracked)
    eager = render(mesh.replace(vertices=vertices), VIEW, (16, 16), shading="smooth", supersample=2)

    @torch.compile(fullgraph=True, backend="eager")
    def draw(vertices):
        return render(mesh.replace(vertices=vertices), VIEW, (16, 16), shading="smooth", supersample=2)

    for a, b in zip(draw(vertices), eager, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (0, 4)}, "size must be (height, width) in whole pixels from 1 on; got (0, 4)"),
        ({"size": 4}, "size must be (height, width) in whole pixels from 1 on; got 4"),
        ({"size": (4.0, 4)}, "size must be (height, width) in whole pixels from 1 on; got (4.0, 4)"),
        ({"supersample": 0}, "supersample must be a whole number from 1 on; got 0"),
        (
            {"visibility": "sharp"},
            "visibility must be one of 'edge', 'antialias', 'sweep', 'soft', None; got 'sharp'",
        ),
        ({"shading": "phong"}, "shading must be one of 'flat', 'smooth' or None; got 'phong'"),
        (
            {"background": (0, 0)},
            "background must be one of [3], [1, 3], [4, 4, 3], [1, 4, 4, 3], or an EnvironmentLight; got [2]",
        ),
        (
            {"background": np.zeros((2, 3))},
            "background must be one of [3], [1, 3], [4, 4, 3], [1, 4, 4, 3], or an EnvironmentLight; got [2, 3]",
        ),
        (
            {"texture_filter": "cubic"},
            "texture_filter must be one of 'nearest', 'bilinear', 'trilinear', 'anisotropic'; got 'cubic'",
        ),
        (
            {"texture_filter": "trilinear", "visibility": "soft"},
            "texture_filter must be one of 'nearest', 'bilinear'; got 'trilinear'",
        ),
    ],
)
def test_bad_arguments_are_named(options, message):
    arguments = {"size": SIZE} | options
    with pytest.raises(ValueError, match=f"^{re.escape('render: ' + message)}$"):
        render(TEAPOT, VIEW, **arguments)
    if not {"shading", "background", "texture_filter"} & options.keys():
        with pytest.raises(ValueError, match=f"^{re.escape('render_silhouette: ' + message)}$"):
            render_silhouette(TEAPOT, VIEW, **arguments)


def half_square():
    """The left half of the picture that FRONT sees."""
    plane = shapes.plane()
    return Mesh(plane.vertices * [0.5, 1, 1] - [0.5, 0, 0], plane.triangles)


@pytest.mark.parametrize("draw", [render, render_silhouette])
def test_what_is_no_mesh_or_camera_is_named(draw):
    with pytest.raises(
        ValueError, match=rf"^{draw.__name__}: camera must be a Camera; got int \(see intaglio.Camera\)$"
    ):
        draw(TEAPOT, 3, (8, 8))
    with pytest.raises(ValueError, match=rf"^{draw.__name__}: mesh must be a Mesh or a Pack; got str \(see "):
        draw("teapot", VIEW, (8, 8))
