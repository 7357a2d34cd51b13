# SPDX-License-Identifier: MIT
import re

import numpy as np
import pytest
import torch

from intaglio import AmbientLight, Mesh, compare_silhouette, render, render_silhouette, shapes
from intaglio.camera import Camera, Fisheye, Panorama
from intaglio.environment import EnvironmentLight

SIZE = (24, 40)
K = np.array([[100.0, 2, 31.5], [0, 110, 23.5], [0, 0, 1]])
AHEAD = np.diag([1.0, -1, -1])  # OpenCV's axes at the world's: the camera looks down -z
LENSES = {"ideal": None, "barrel": (-0.05, 0.01, -0.002, 0.0003), "pincushion": (0.05, -0.01, 0.002, -0.0003)}
LIT = (AmbientLight(),)


def fisheye(lens=None, focal=10.0, size=(48, 64), **options):
    K = np.array([[focal, 0, size[1] / 2 - 0.5], [0, focal, size[0] / 2 - 0.5], [0, 0, 1]])
    return Camera.fisheye(K, AHEAD, np.zeros(3), size, distortion=lens, **options)


def centres(size):
    return np.stack(np.meshgrid(np.arange(size[1]) + 0.5, np.arange(size[0]) + 0.5), axis=-1)


def boxes():
    """Cubes on all sides of the origin, and [F] which triangle belongs to which."""
    places = np.array([[3, 0, 0.2], [-3, 0.3, 0], [0.2, 3, 0], [0, -3, 0.4], [0.1, 0, 3], [0, 0.2, -3], [2, 1, -2]])
    cube = shapes.cube()
    vertices = np.concatenate([0.7 * cube.vertices + place for place in places])
    triangles = np.concatenate([cube.triangles + k * len(cube.vertices) for k in range(len(places))])
    return Mesh(vertices.astype(np.float64), triangles)


def room(dtype=np.float64):
    """A cube around the origin, seen from inside, its colours smooth but for its edges."""
    cube = shapes.cube().subdivided() if hasattr(shapes.cube(), "subdivided") else shapes.cube()
    colors = 0.5 + 0.4 * np.sin(cube.vertices @ np.array([[1.0, 0.3, 0.2], [0.1, 1.1, -0.4], [0.3, -0.2, 0.9]]))
    return Mesh((5 * cube.vertices).astype(dtype), cube.triangles, vertex_colors=colors.astype(dtype))


# --- where points land


def test_a_point_at_the_side_of_a_fisheye_is_a_quarter_turn_from_its_middle():
    camera = fisheye(focal=10)  # middle at (32, 24), 10 pixels a radian
    points = np.array([[0.0, 0, -1], [3, 0, 0], [0, 2, 0], [0.1, 0, 1e9]])
    quarter = 10 * np.pi / 2
    assert camera.project(points, (48, 64))[0] == pytest.approx(
        np.array([[32, 24], [32 + quarter, 24], [32, 24 - quarter], [32 + 2 * quarter, 24]]), abs=1e-7
    )


def test_kannala_and_brandts_polynomial_is_opencvs():
    # a ray 1 radian off the axis, towards right and down: theta_d = 1 + k1 + k2 + k3 + k4
    lens = (0.1, -0.02, 0.003, -0.0004)
    point = np.array([[0.6 * np.sin(1), -0.8 * np.sin(1), -np.cos(1)]])
    camera = Camera.fisheye(K, AHEAD, np.zeros(3), (48, 64), distortion=lens)
    x, y = np.array([0.6, 0.8]) * (1 + sum(lens))
    expected = [100 * x + 2 * y + 31.5 + 0.5, 110 * y + 23.5 + 0.5]
    assert camera.project(point, (48, 64))[0, 0] == pytest.approx(expected)
    assert camera.project(point, (96, 128))[0, 0] == pytest.approx(2 * np.array(expected))


def test_a_panorama_has_up_at_the_top_ahead_in_the_middle_and_right_to_the_right():
    camera = Camera.panorama((0, 0, 0), (0, 0, -1))
    points = np.array([[0.0, 0, -2], [3, 0, 0], [-1, 0, 0], [0, 5, 0], [0, -5, 0], [0, 1, -1], [1e-9, 0, 1]])
    landed = camera.project(points, (180, 360))[0]
    assert landed == pytest.approx(
        np.array([[180, 90], [270, 90], [90, 90], [180, 0], [180, 180], [180, 45], [360, 90]]), abs=1e-6
    )
    assert camera.rays((1, 4))[0, 0] == pytest.approx(
        np.array([[-1, 0, 1], [-1, 0, -1], [1, 0, -1], [1, 0, 1]]) / np.sqrt(2)
    )


def test_what_a_fisheye_does_not_show_lands_nowhere():
    narrow = fisheye(fov_degrees=180)
    points = np.array([[0.0, 0, 0], [1, 0, -0.01], [1, 0, 0.01], [0, 0, 1]])
    assert np.isnan(narrow.project(points, SIZE)[0]).any(axis=-1).tolist() == [True, False, True, True]
    # theta - 0.2 theta^3 turns back at 1.29
    folding = fisheye(lens=(-0.2, 0, 0, 0))
    off = np.array([1.2, 1.35, 3.0])[:, None]
    beyond = np.concatenate([np.sin(off), 0 * off, -np.cos(off)], axis=-1)
    assert np.isnan(folding.project(beyond, SIZE)[0]).any(axis=-1).tolist() == [False, True, True]


def test_a_panorama_has_no_place_for_its_eye():
    assert np.isnan(Camera.panorama((1, 2, 3)).project(np.array([[1.0, 2, 3]]), SIZE)).all()


WIDE = {name: fisheye(lens, focal=12.0) for name, lens in LENSES.items()}
WIDE |= {"narrow": fisheye(fov_degrees=150), "panorama": Camera.panorama((0.3, 0.2, 0.1), (1, 2, 3))}


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("size", [(24, 40), (5, 3), (1, 1)])
def test_a_ray_leads_back_to_its_pixel(name, size):
    camera = WIDE[name]
    rays, eye = camera.rays(size)[0], camera.viewer(size)[0, :3]
    is_seen = (rays != 0).any(axis=-1)
    assert np.linalg.norm(rays[is_seen], axis=-1) == pytest.approx(np.ones(is_seen.sum()))
    assert camera.project(eye + 2.5 * rays[is_seen], size)[0] == pytest.approx(centres(size)[is_seen], abs=1e-9)
    assert is_seen.mean() > 0.15


def test_gradients_reach_every_parameter_of_a_fisheye():
    def sight(matrix, turn, translation, lens, points):
        camera = Camera.fisheye(matrix, turn, translation, (48, 64), distortion=lens)
        return camera.viewer((2, 3)), camera.rays((2, 3)), camera.project(points, (2, 3))

    turn = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]]) @ AHEAD
    points = [[0.1, 0.2, 0.3], [0.4, -0.2, 5.1], [4, 0, 3]]
    assert torch.autograd.gradcheck(sight, tensors(K, turn, [0.1, 0.2, 3], LENSES["barrel"], points))


def test_gradients_reach_the_place_of_a_panorama():
    def sight(eye, at, points):
        camera = Camera.panorama(eye, at)
        return camera.viewer((2, 3)), camera.rays((2, 3)), camera.project(points, (2, 3))

    assert torch.autograd.gradcheck(sight, tensors([1, 2, 3], [0.1, 0, 0], [[0.1, 0.2, 0.3], [0.4, -0.2, 5.1]]))


def test_on_the_axis_gradients_are_finite():
    points = torch.tensor([[0.0, 0, -1], [0, 0, 0], [0, 0, 1], [0, 1, 0]], dtype=torch.float64, requires_grad=True)
    for camera in (fisheye(LENSES["barrel"]), Camera.panorama((0, 0, 0), (0, 0, -1))):
        landed = camera.project(points, SIZE)
        (grad,) = torch.autograd.grad(torch.nansum(landed), points)
        assert torch.isfinite(grad).all()
    focal = torch.tensor(K, requires_grad=True)
    rays = Camera.fisheye(focal, AHEAD, np.zeros(3), (3, 3)).rays((3, 3))
    assert torch.isfinite(torch.autograd.grad(rays.sum(), focal)[0]).all()


def test_a_batch_of_fisheyes_is_that_many_fisheyes():
    lenses, places = np.array([LENSES["barrel"], LENSES["pincushion"]]), np.array([[0.0, 0, 1], [0.1, 0.2, 3]])
    points = np.array([[0.1, 0.2, 0.3], [0.4, -0.2, 0.1]])
    together = Camera.fisheye(K, AHEAD, places, (48, 64), distortion=lenses)
    for k in range(2):
        alone = Camera.fisheye(K, AHEAD, places[k], (48, 64), distortion=lenses[k])
        assert together.project(points, SIZE)[k] == pytest.approx(alone.project(points, SIZE)[0])
        assert together.rays(SIZE)[k] == pytest.approx(alone.rays(SIZE)[0])
        assert together.viewer(SIZE)[k] == pytest.approx(alone.viewer(SIZE)[0])


# --- pictures


def traced(mesh, eye, rays):
    """[H, W] the nearest triangle along each ray, -1 for none, and [H, W] its distance.

    Moller & Trumbore, Fast, Minimum Storage Ray/Triangle Intersection, 1997.
    """
    a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
    ab, ac = b - a, c - a
    directions = rays.reshape(-1, 1, 3)
    across = np.cross(directions, ac)
    with np.errstate(divide="ignore", invalid="ignore"):
        det = (ab * across).sum(-1)
        u = ((eye - a) * across).sum(-1) / det
        side = np.cross(eye - a, ab)
        v = (directions * side).sum(-1) / det
        t = (ac * side).sum(-1) / det
    t = np.where((u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0), t, np.inf)
    nearest = t.argmin(axis=-1)
    distance = t[np.arange(len(t)), nearest]
    found = np.where(np.isfinite(distance), nearest, -1)
    return found.reshape(rays.shape[:2]), distance.reshape(rays.shape[:2])


def surely(mesh, eye, rays, within):
    """[H, W] triangles as `traced` along rays, -2 where others `within` so much of them meet another."""
    ids, distance = traced(mesh, eye, rays)
    for shift in np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]):
        for sign in (1, -1):
            ids = np.where(traced(mesh, eye, rays + sign * within * shift)[0] == ids, ids, -2)
    return ids, distance


@pytest.mark.parametrize("camera", [Camera.panorama((0.1, 0, 0), (1, 0.3, -2)), fisheye(LENSES["barrel"], focal=22.0)])
def test_a_picture_shows_what_rays_meet(camera):
    size, mesh = (60, 120), boxes()
    rays, eye = camera.rays(size)[0], camera.viewer(size)[0, :3]
    texel = 2 / camera.projection.cube_size(size)  # the nearest one's middle is within 0.71 of that
    ids, distance = surely(mesh, eye, rays, within=texel)
    seen = render(mesh, camera, size, lights=LIT)
    is_inside = (ids > -2) & (rays != 0).any(axis=-1)
    assert is_inside.mean() > 0.4
    assert (seen.triangle_id[0] == ids)[is_inside].all()
    covered = is_inside & (ids >= 0)
    assert seen.alpha[0][is_inside] == pytest.approx(1.0 * (ids >= 0)[is_inside], abs=1e-6)
    normals = mesh.face_normals()[ids]
    assert seen.normals[0][covered] == pytest.approx(normals[covered])  # seen from outside
    # The depth is that of the texel's middle: it changes by the angle to it over the slant at which the face is seen.
    slant = -np.sum(normals * rays, axis=-1)[covered]
    off = np.abs(seen.depth[0][covered] / distance[covered] - 1)
    assert (off < 1.5 * texel / slant)[slant > 0.2].all()
    assert (seen.depth[0][is_inside & (ids < 0)] == 100).all()


def test_outside_of_the_circle_is_the_background():
    camera = fisheye(fov_degrees=150)
    seen = render(room(), camera, (48, 64), background=(0.2, 0.4, 0.6))
    is_dark = (camera.rays((48, 64))[0] == 0).all(axis=-1)
    assert 0 < is_dark.sum() < is_dark.size
    assert seen.alpha[0] == pytest.approx(1.0 - is_dark, abs=1e-6)
    assert seen.color[0][is_dark] == pytest.approx(np.tile([0.2, 0.4, 0.6], (is_dark.sum(), 1)))
    assert (seen.triangle_id[0][is_dark] == -1).all()
    assert (seen.normals[0][is_dark] == 0).all()


def test_a_panorama_of_an_environment_is_its_image():
    image = np.random.default_rng(0).random((16, 32, 3))
    nothing = Mesh(np.array([[0.0, 0, 200], [1, 0, 200], [0, 1, 200]]), [[0, 1, 2]])  # beyond the far plane
    camera = Camera(np.eye(4), Panorama())
    seen = render(nothing, camera, (16, 32), background=EnvironmentLight(image))
    assert seen.color[0] == pytest.approx(image, abs=1e-6)  # the float32 of the environment
    assert (seen.alpha == 0).all()
    outside = render(nothing, fisheye(fov_degrees=90), (48, 64), background=EnvironmentLight(image))
    assert (outside.color[0, 0, 0] == 0).all()
    assert (outside.color[0, 24, 32] > 0).all()


def test_the_rim_of_a_circle_is_as_smooth_as_everything_else():
    camera = fisheye(fov_degrees=150)
    alpha = render_silhouette(room(), camera, (48, 64), supersample=4)[0]
    shares = render(room(), camera, (48, 64), supersample=4, background=(1, 0, 0))
    assert shares.alpha[0] == pytest.approx(alpha)
    assert alpha.sum() == pytest.approx(
        np.pi * (10 * np.radians(75)) ** 2, rel=0.005
    )  # 8600 samples, 330 of them at the rim
    assert len(np.unique(alpha.round(3))) > 5


@pytest.mark.parametrize("which", ["K", "view", "background"])
def test_whatever_is_not_numpys_leads(which):
    matrix, view, background = np.array([[10.0, 0, 15.5], [0, 10, 11.5], [0, 0, 1]]), np.eye(4), np.ones(3)
    parts = {"K": matrix, "view": view, "background": background}
    parts[which] = torch.tensor(parts[which], requires_grad=True)
    camera = Camera(parts["view"], Fisheye(parts["K"], (24, 32), fov_degrees=120))
    color = render(boxes(), camera, (24, 32), background=parts["background"]).color
    assert torch.autograd.grad(color.sum(), parts[which])[0].abs().sum() > 0
    if which != "background":
        alpha = render_silhouette(boxes(), camera, (24, 32))
        assert torch.autograd.grad(alpha.sum(), parts[which])[0].abs().sum() > 0


def test_a_narrow_fisheye_shows_what_a_pinhole_shows():
    # Within 4 degrees of the axis theta and its tangent differ by 0.2 %: a twentieth of a pixel at the border.
    matrix = np.array([[400.0, 0, 23.5], [0, 400, 15.5], [0, 0, 1]])
    mesh = Mesh(0.15 * boxes().vertices[-8:] @ np.diag([1, 1, 0.1]) + (-0.25, -0.1, -3), boxes().triangles[:12])
    pictures = [make(matrix, AHEAD, np.zeros(3), (32, 48)) for make in (Camera.opencv, Camera.fisheye)]
    straight, wide = (render_silhouette(mesh, camera, (32, 48), supersample=4) for camera in pictures)
    assert straight.sum() > 100
    assert np.abs(straight - wide).max() < 0.5  # two filters of one edge
    assert wide.sum() == pytest.approx(straight.sum(), rel=0.01)


def test_every_visibility_and_batches_are_drawn():
    eyes = np.array([[0.0, 0, 0], [0.3, 0.1, 0]])
    cameras = Camera.panorama(eyes, eyes + np.array([0, 0, -1.0]))
    for visibility in ("edge", "antialias", "sweep", "soft", None):
        together = render_silhouette(boxes(), cameras, (16, 32), visibility=visibility)
        for k in range(2):
            alone = Camera.panorama(eyes[k], eyes[k] + np.array([0, 0, -1.0]))
            assert together[k] == pytest.approx(render_silhouette(boxes(), alone, (16, 32), visibility=visibility)[0])
    meshes = boxes()
    meshes = meshes.replace(vertices=np.stack([meshes.vertices, meshes.vertices + 0.1]))
    assert render(meshes, Camera.panorama((0, 0, 0), (0, 0, -1)), (8, 16)).color.shape == (2, 8, 16, 3)


def test_a_silhouette_is_the_alpha_and_is_compared_as_it_is_drawn():
    camera, target = WIDE["barrel"], np.full(SIZE, 0.25)
    alpha = render_silhouette(boxes(), camera, SIZE, supersample=2)
    assert alpha == pytest.approx(render(boxes(), camera, SIZE, supersample=2).alpha)
    expected = ((alpha - 0.25) ** 2).sum(axis=(1, 2))
    assert compare_silhouette(boxes(), camera, target, supersample=2) == pytest.approx(expected)


def test_the_cube_is_as_fine_as_the_picture():
    for camera, size in (
        (Camera.panorama((0, 0, 1)), (64, 128)),
        (fisheye(), (96, 128)),
        (WIDE["pincushion"], (50, 60)),
    ):
        side = camera.projection.cube_size(size)
        # How far a pixel's corners are from its middle, in texels where these are coarsest: at the middle of a face.
        rays = camera.rays(size)[0]
        is_seen = ((rays != 0).any(axis=-1)) & (-rays[..., 2] > -0.9)
        step = np.linalg.norm(rays[:, 1:] - rays[:, :-1], axis=-1)[is_seen[:, 1:] & is_seen[:, :-1]]
        assert 2 / side <= step.max() * 1.01
    assert Panorama(face_size=7).cube_size((1000, 2000)) == 7
    assert Fisheye(K, (48, 64), face_size=7).cube_size((1000, 2000)) == 7


def test_a_wide_picture_survives_torch_compile():
    def seen(vertices, matrix):
        camera = Camera(view, Fisheye(matrix, (24, 32), face_size=16))
        return render_silhouette(cubes.replace(vertices=vertices), camera, (24, 32), visibility=None)

    cubes, view = boxes().to("torch"), torch.eye(4, dtype=torch.float64)
    matrix = torch.tensor([[10.0, 0, 15.5], [0, 10, 11.5], [0, 0, 1]], dtype=torch.float64)
    compiled = torch.compile(seen, fullgraph=True, backend="eager")(cubes.vertices, matrix)
    assert torch.allclose(compiled, seen(cubes.vertices, matrix))


# --- gradients of pictures


def weights(shape):
    return torch.tensor(np.random.default_rng(1).normal(size=shape))


def central(function, x, step):
    """Central differences of a scalar function of a tensor."""
    grad = torch.zeros_like(x)
    for k in range(x.numel()):
        delta = torch.zeros_like(x)
        delta.view(-1)[k] = step
        grad.view(-1)[k] = (function(x + delta) - function(x - delta)) / (2 * step)
    return grad


def smooth_loss(matrix, turn, translation, lens, vertices):
    """Of a picture without silhouettes: the inside of a room, all of it in view."""
    mesh = room().replace(vertices=vertices, vertex_colors=torch.tensor(room().vertex_colors))
    camera = Camera(
        Camera.fisheye(matrix, turn, translation, (20, 24)).view_from_world,
        Fisheye(matrix, (20, 24), lens, face_size=64),
    )
    color = render(mesh, camera, (20, 24), lights=LIT).color
    return (weights(color.shape) * color).sum()


@pytest.mark.parametrize("wanted", range(5))
def test_gradients_of_a_smooth_picture_agree_with_central_differences(wanted):
    matrix = [[7.0, 0.1, 11.3], [0, 7.2, 9.6], [0, 0, 1]]
    turn = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]]) @ AHEAD
    arguments = tensors(matrix, turn, [0.1, 0.2, 0.3], [0.02, -0.003, 0.001, -0.0001], room().vertices)
    (grad,) = torch.autograd.grad(smooth_loss(*arguments), arguments[wanted])

    def function(x):
        return smooth_loss(*(x if k == wanted else y.detach() for k, y in enumerate(arguments)))

    # Bilinear lookups have kinks every texel, whose slopes differ by the second difference of the colours, a 60th of
    # the first; a short step meets few of them.
    expected = central(function, arguments[wanted].detach(), 1e-6)
    assert torch.allclose(grad, expected, rtol=0.02, atol=1e-3 * float(expected.abs().max()))


def test_silhouettes_in_a_panorama_pull_at_vertices():
    camera = Camera.panorama((0, 0, 0), (0.3, 0.5, -1))  # askew, so that outlines cross the samples one by one
    vertices = torch.tensor(boxes().vertices)
    scale = torch.ones(7, 1, dtype=torch.float64).requires_grad_()
    middle = vertices.reshape(7, 8, 3).mean(dim=1, keepdim=True)

    def grown(scale):
        moved = middle + scale[:, None] * (vertices.reshape(7, 8, 3) - middle)
        mesh = Mesh(moved.reshape(-1, 3), boxes().triangles)
        return render_silhouette(mesh, camera, (48, 96), supersample=8).sum()

    (grad,) = torch.autograd.grad(grown(scale), scale)
    expected = central(grown, scale.detach(), 0.05)
    # Pixels look at a texel with weights that differ by a third from one to the next; over outlines of 60 texels that
    # makes 4 %, and what moves for the difference lies on others than where it is now.
    assert torch.allclose(grad, expected, rtol=0.08)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: fisheye(lens=(0.1, 0.2)),
            "Camera: distortion must be [N] or [B, N] with N = 4; got [2]",
        ),
        (lambda: fisheye(fov_degrees=0), "Camera: fov_degrees must lie between 0 and 360; got 0"),
        (lambda: Panorama(near=0), "Camera: near and far must satisfy 0 < near < far; got 0 and 100.0"),
        (
            lambda: Camera.panorama((0, 0, 1)).clip(np.zeros((1, 3)), SIZE),
            "Camera: projection must be one that a matrix makes; got Panorama (project and rays say where points land; "
            "render draws it by way of a cube)",
        ),
    ],
)
def test_bad_cameras_are_named(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def tensors(*values):
    return [torch.tensor(np.asarray(v), dtype=torch.float64, requires_grad=True) for v in values]
