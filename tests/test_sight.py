# SPDX-License-Identifier: MIT
import re

import numpy as np
import pytest
import torch
from frameworks import FRAMEWORKS, arrays

from intaglio.camera import Camera, orbit

SIZE = (24, 40)
K = np.array([[100.0, 2, 31.5], [0, 110, 23.5], [0, 0, 1]])
TURN = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]]) @ np.diag([1.0, -1, -1])
LENS = [-0.2, 0.05, 0.001, -0.002, 0.01, 0.1, 0.02, 0.003, 0.001, 0.002, -0.001, 0.003]


def calibrated(count=None):
    return Camera.opencv(K, TURN, (0.1, 0.2, 3), (48, 64), distortion=LENS[:count] if count else None)


CAMERAS = {
    "look_at": Camera.look_at((1, 2, 3), (0.1, 0, 0), fov_y_degrees=50),
    "orthographic": Camera.orthographic((1, 2, 3), (0.1, 0, 0), half_height=2),
    "opencv": calibrated(),
    **{f"lens of {count}": calibrated(count) for count in (4, 5, 8, 12)},
    "matrix": Camera.from_matrix(
        3 * Camera.look_at((1, 2, 3)).projection.clip_from_view(SIZE) @ Camera.look_at((1, 2, 3)).view_from_world
    ),
    "matrix of parallel rays": Camera.from_matrix(np.diag([0.5, -0.5, 0.1, 1])),
}


def centres(size):
    """[H * W, 2] of the pixels, row by row."""
    return np.stack(np.meshgrid(np.arange(size[1]) + 0.5, np.arange(size[0]) + 0.5), axis=-1).reshape(-1, 2)


def test_a_point_lands_on_its_pixel():
    camera = Camera.look_at((0, 0, 2), fov_y_degrees=90)  # half the height is 2 at the origin
    points = np.array([[0.0, 0, 0], [0, 1, 0], [-1.5, -1.5, 0]])
    assert camera.project(points, (8, 16))[0].tolist() == pytest.approx(np.array([[8.0, 4], [8, 2], [5, 7]]))


def test_a_pixel_of_opencv_is_half_a_pixel_further():
    camera = Camera.opencv(K, np.eye(3), np.zeros(3), (48, 64))
    u, v, _ = K @ (0.1, 0.05, 1)
    assert camera.project(np.array([[0.2, 0.1, 2]]), (48, 64))[0, 0] == pytest.approx([u + 0.5, v + 0.5])


def test_what_is_behind_lands_nowhere_and_has_no_gradient():
    points = torch.tensor([[0.0, 0, 1], [0, 0, 2], [0.1, 0, 3]], dtype=torch.float64, requires_grad=True)
    landed = Camera.look_at((0, 0, 2)).project(points, SIZE)[0]
    assert torch.isnan(landed).any(dim=-1).tolist() == [False, True, True]
    torch.nansum(landed).backward()
    assert torch.isfinite(points.grad).all()
    assert (points.grad[1:] == 0).all()


@pytest.mark.parametrize("name", CAMERAS)
def test_a_ray_leads_back_to_its_pixel(name):
    camera = CAMERAS[name]
    rays, viewer = camera.rays(SIZE)[0].reshape(-1, 3), camera.viewer(SIZE)[0]
    assert np.linalg.norm(rays, axis=-1) == pytest.approx(np.ones(len(rays)))
    if viewer[3]:
        points = viewer[:3] + 2.5 * rays
    else:  # parallel rays begin anywhere: from points of the plane through the origin, moved to where the pixels are
        columns, _ = np.linalg.qr(np.column_stack([viewer[:3], np.eye(3)]))
        plane = columns[:, 1:3]
        landed = camera.project(np.concatenate([np.zeros((1, 3)), plane.T]), SIZE)[0]
        points = (centres(SIZE) - landed[0]) @ np.linalg.inv(landed[1:] - landed[0]) @ plane.T + 0.7 * rays
    assert camera.project(points, SIZE)[0] == pytest.approx(centres(SIZE), abs=1e-9)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", CAMERAS)
def test_rays_of_numbers_go_where_an_array_is(name, framework):
    like = arrays(framework, {"like": np.zeros(1)})["like"]
    rays = CAMERAS[name].rays(SIZE, like)
    assert type(rays) is type(like)
    assert rays.dtype == like.dtype
    np.testing.assert_allclose(np.asarray(rays), CAMERAS[name].rays(SIZE), atol=2e-7)


def test_viewers_of_rays_that_meet_are_the_eye():
    assert CAMERAS["look_at"].viewer(SIZE).tolist() == [pytest.approx([1, 2, 3, 1])]
    assert CAMERAS["matrix"].viewer(SIZE).tolist() == [pytest.approx([1, 2, 3, 1])]
    assert calibrated(5).viewer(SIZE)[0, :3] == pytest.approx(-TURN.T @ (0.1, 0.2, 3))


def test_viewers_of_parallel_rays_are_a_direction():
    towards = np.array([0.9, 2, 3]) / np.linalg.norm([0.9, 2, 3])
    camera = CAMERAS["orthographic"]
    assert camera.viewer(SIZE)[0] == pytest.approx([*towards, 0])
    assert camera.rays((2, 3))[0].reshape(-1, 3) == pytest.approx(np.tile(-towards, (6, 1)))


def test_the_depth_tells_which_way_parallel_rays_run():
    # clip space looks along +z in itself, whichever way x and y run
    assert Camera.from_matrix(np.eye(4)).viewer(SIZE).tolist() == [[0, 0, -1, 0]]
    assert Camera.from_matrix(np.diag([-1.0, 1, 1, 1])).rays((1, 1)).tolist() == [[[[0, 0, 1]]]]


def test_a_camera_far_from_the_origin_is_not_taken_for_a_parallel_one():
    eye = np.array([4.5e6, 6e5, 300.0])
    assert Camera.look_at(eye, eye + np.array([0, 0.3, -1])).viewer(SIZE)[0] == pytest.approx([*eye, 1], rel=1e-7)


def test_batches_have_rays_and_viewers_each():
    eyes = orbit(3.0, 20, np.array([0.0, 90]))
    together = Camera.look_at(eyes)
    for k, eye in enumerate(eyes):
        alone = Camera.look_at(eye)
        assert together.viewer(SIZE)[k] == pytest.approx(alone.viewer(SIZE)[0])
        assert together.rays(SIZE)[k] == pytest.approx(alone.rays(SIZE)[0])
    lenses = np.array([LENS[:5], np.zeros(5)])
    together = Camera.opencv(K, TURN, np.zeros(3), (48, 64), distortion=lenses)
    for k, lens in enumerate(lenses):
        alone = Camera.opencv(K, TURN, np.zeros(3), (48, 64), distortion=lens)
        assert together.rays(SIZE)[k] == pytest.approx(alone.rays(SIZE)[0])


def test_gradients_of_rays_and_viewers_reach_every_parameter():
    def sight(eye, at, fov, half_height, matrix):
        cameras = [
            Camera.look_at(eye, at, fov_y_degrees=fov),
            Camera.orthographic(eye, at, half_height=half_height),
            Camera.from_matrix(matrix),
        ]
        return *(camera.viewer((2, 3)) for camera in cameras), *(camera.rays((2, 3)) for camera in cameras)

    pinhole = CAMERAS["matrix"].projection.matrix
    assert torch.autograd.gradcheck(sight, tensors([1, 2, 3], [0.1, 0, 0], 40, 1.5, pinhole))


@pytest.mark.parametrize("count", [4, 5, 8, 12])
def test_gradients_of_a_lens_reach_every_parameter(count):
    def sight(matrix, turn, translation, lens, points):
        camera = Camera.opencv(matrix, turn, translation, (48, 64), distortion=lens)
        return camera.viewer((2, 3)), camera.rays((2, 3)), camera.project(points, (2, 3))

    points = [[0.1, 0.2, 0.3], [0.4, -0.2, 0.1]]
    assert torch.autograd.gradcheck(sight, tensors(K, TURN, [0.1, 0.2, 3], LENS[:count], points))


def test_a_pixel_beyond_the_fold_of_a_lens_has_a_finite_ray():
    wide = Camera.opencv(np.diag([10.0, 10, 1]), np.eye(3), np.zeros(3), (64, 64), distortion=(-0.3, 0, 0, 0, 0))
    assert np.isfinite(wide.rays((64, 64))).all()


def test_rays_survive_torch_compile():
    def sight(eye, lens, matrix, turn, translation):
        calibrated = Camera.opencv(matrix, turn, translation, (48, 64), distortion=lens)
        cameras = Camera.look_at(eye), calibrated, fixed
        return [ask(SIZE) for camera in cameras for ask in (camera.rays, camera.viewer)]

    fixed = CAMERAS["orthographic"]
    arguments = [torch.tensor(x, dtype=torch.float32) for x in ([1.0, 2, 3], LENS[:5], K, TURN, [0.1, 0.2, 3])]
    compiled = torch.compile(sight, fullgraph=True, backend="eager")(*arguments)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(compiled, sight(*arguments), strict=True))


@pytest.mark.parametrize("size", [(0, 4), (4,), (4.0, 4), 4])
def test_bad_sizes_are_named(size):
    for ask in (CAMERAS["look_at"].rays, CAMERAS["opencv"].viewer):
        message = f"Camera: size must be (height, width) in whole pixels from 1 on; got {size!r}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            ask(size)


def tensors(*values):
    return [torch.tensor(np.asarray(v), dtype=torch.float64, requires_grad=True) for v in values]
