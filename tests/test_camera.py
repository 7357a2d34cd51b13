# SPDX-License-Identifier: MIT
import re

import numpy as np
import pytest
import torch

from intaglio.array import framework, to_numpy
from intaglio.camera import Camera, Intrinsics, Orthographic, Perspective, orbit

SIZE = (64, 64)
K = np.array([[100.0, 0, 31.5], [0, 100, 23.5], [0, 0, 1]])
IDENTITY = np.eye(3)
LENS = (-0.2, 0.05, 0.001, -0.002, 0.01)


def ndc(camera, point, size=SIZE):
    clip = camera.clip(np.array([point], dtype=np.float64), size)
    assert clip.shape == (1, 1, 4)
    return clip[0, 0, :3] / clip[0, 0, 3]


def test_look_at_sees_right_and_up_where_they_are():
    camera = Camera.look_at(eye=(0, 0, 2), fov_y_degrees=90)
    assert ndc(camera, (0, 0, 0))[:2] == pytest.approx([0, 0])
    assert ndc(camera, (2, 0, 0))[:2] == pytest.approx([1, 0])
    assert ndc(camera, (0, 1, 0))[:2] == pytest.approx([0, 0.5])


def test_w_is_the_distance_along_the_view():
    assert Camera.look_at(eye=(0, 0, 2)).clip(np.zeros((1, 3)), SIZE)[0, 0, 3] == pytest.approx(2)


def test_the_planes_of_the_pyramid_lie_at_minus_one_and_one():
    camera = Camera.look_at(eye=(0, 0, 0), at=(0, 0, -1), near=0.5, far=20)
    assert ndc(camera, (0, 0, -0.5))[2] == pytest.approx(-1)
    assert ndc(camera, (0, 0, -20))[2] == pytest.approx(1)


def test_the_field_of_view_is_vertical_and_the_aspect_follows_the_image():
    camera = Camera.look_at(eye=(0, 0, 1), fov_y_degrees=90)
    assert ndc(camera, (1, 1, 0), size=(100, 200))[:2] == pytest.approx([0.5, 1])
    assert ndc(camera, (1, 1, 0), size=(200, 100))[:2] == pytest.approx([2, 1])


def test_parallel_rays_keep_their_distance():
    camera = Camera.orthographic(eye=(0, 0, 5), half_height=2, near=1, far=9)
    assert ndc(camera, (1, 1, 0)) == pytest.approx([0.5, 0.5, 0])
    assert ndc(camera, (1, 1, 4), size=(10, 20)) == pytest.approx([0.25, 0.5, -1])


def test_orbit_starts_in_front_and_turns_to_the_right():
    assert orbit(2, 0, 0) == pytest.approx([0, 0, 2])
    assert orbit(2, 0, 90) == pytest.approx([2, 0, 0], abs=1e-12)
    assert orbit(2, 90, 0) == pytest.approx([0, 2, 0], abs=1e-12)
    assert orbit(2, 0, np.array([0.0, 180, 90, 0])).shape == (4, 3)


def test_an_opencv_camera_finds_its_pixels_at_integer_centres():
    # x right, y down, z forward; pixel (column 41, row 33) of 48 x 64 is at ndc ((2 * 41 + 1) / 64 - 1, 1 - 67 / 48).
    camera = Camera.opencv(K, IDENTITY, np.zeros(3), image_size=(48, 64))
    u, v = 31.5 + 100 * 0.095, 23.5 + 100 * 0.095
    assert (u, v) == (41, 33)
    expected = [83 / 64 - 1, 1 - 67 / 48]
    assert ndc(camera, (0.19, 0.19, 2), size=(48, 64))[:2] == pytest.approx(expected)
    assert ndc(camera, (0.19, 0.19, 2), size=(96, 128))[:2] == pytest.approx(expected)


def test_an_opencv_camera_moves_the_world_by_r_and_t():
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    moved = Camera.opencv(K, turn, (0.1, -0.2, 1), image_size=(48, 64))
    point = np.array([0.3, 0.2, 1.5])
    still = Camera.opencv(K, IDENTITY, np.zeros(3), image_size=(48, 64))
    assert ndc(moved, point) == pytest.approx(ndc(still, turn @ point + [0.1, -0.2, 1]))
    assert ndc(still, (0, 0, 0.1))[2] == pytest.approx(-1)


def test_lens_distortion_is_opencvs():
    camera = Camera.opencv(K, IDENTITY, np.zeros(3), (48, 64), distortion=LENS)
    k1, k2, p1, p2, k3 = LENS
    x, y = 0.3, -0.4
    r2 = 0.25
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    u = 31.5 + 100 * (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x))
    v = 23.5 + 100 * (y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y)
    assert ndc(camera, (3 * x, 3 * y, 3))[:2] == pytest.approx([(2 * u + 1) / 64 - 1, 1 - (2 * v + 1) / 48])


def test_a_point_beyond_the_fold_of_the_lens_stays_outside_the_picture():
    barrel = Camera.opencv(K, IDENTITY, np.zeros(3), (48, 64), distortion=(-0.3, 0, 0, 0, 0))
    # r (1 - 0.3 r^2) turns back at r = 1.05 and would bring a point at r = 1.8 to r = 0.05.
    assert abs(ndc(barrel, (1.8, 0, 1))[0]) > 1


def test_a_point_behind_a_lens_is_not_bent():
    camera = Camera.opencv(K, IDENTITY, np.zeros(3), (48, 64), distortion=LENS)
    plain = Camera.opencv(K, IDENTITY, np.zeros(3), (48, 64))
    behind = np.array([[0.3, 0.1, -1.0], [0.3, 0.1, 0.0]])
    assert camera.clip(behind, SIZE).tolist() == plain.clip(behind, SIZE).tolist()


def test_a_raw_matrix_is_applied_as_it_is():
    matrix = np.arange(16.0).reshape(4, 4)
    assert Camera.from_matrix(matrix).clip(np.array([[1.0, 2, 3]]), SIZE).tolist() == [[[11, 39, 67, 95]]]


def test_a_point_on_the_axis_of_a_lens_has_a_finite_gradient():
    lens = torch.tensor(LENS, dtype=torch.float64, requires_grad=True)
    points = torch.tensor([[0.0, 0, 1], [0, 0, 0], [0, 0, -1]], dtype=torch.float64, requires_grad=True)
    Camera.opencv(K, IDENTITY, np.zeros(3), (48, 64), distortion=lens).clip(points, SIZE).sum().backward()
    assert torch.isfinite(points.grad).all()
    assert torch.isfinite(lens.grad).all()


def test_gradients_reach_every_parameter_of_a_look_at_camera():
    def project(points, eye, at, up, fov):
        return Camera.look_at(eye, at, up, fov_y_degrees=fov).clip(points, (4, 6))

    arguments = tensors([[0.1, 0.2, 0.3], [0.4, -0.2, 0.1]], [1, 2, 3], [0.1, 0, 0], [0, 1, 0.1], 40)
    assert torch.autograd.gradcheck(project, arguments)


def test_gradients_reach_every_parameter_of_an_opencv_camera():
    def project(points, matrix, rotation, translation, lens):
        return Camera.opencv(matrix, rotation, translation, (48, 64), distortion=lens).clip(points, (4, 6))

    arguments = tensors([[0.1, 0.2, 0.3], [0.4, -0.2, 0.1]], K, IDENTITY, [0.1, 0, 2], LENS)
    assert torch.autograd.gradcheck(project, arguments)


def test_gradients_reach_orthographic_cameras_orbits_and_matrices():
    def project(points, distance, elevation, azimuth, half_height, matrix):
        camera = Camera.orthographic(orbit(distance, elevation, azimuth), half_height=half_height)
        return camera.clip(points, (4, 6)) + Camera.from_matrix(matrix).clip(points, (4, 6))

    assert torch.autograd.gradcheck(project, tensors([[0.1, 0.2, 0.3]], 2, 30, 60, 1.5, np.eye(4)))


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_batch_of_cameras_is_that_many_cameras(batch):
    eyes = np.array([[1.0, 2, 3], [-2, 1, 2], [0.5, 0.5, 3]])[:batch]
    fovs = np.array([30.0, 40, 50])[:batch]
    points = np.array([[0.1, 0.2, 0.3], [0.4, -0.2, 0.1]])
    one_by_one = [Camera.look_at(e, fov_y_degrees=f).clip(points, SIZE)[0] for e, f in zip(eyes, fovs, strict=True)]
    assert Camera.look_at(eyes, fov_y_degrees=fovs).clip(points, SIZE) == pytest.approx(np.stack(one_by_one))
    each_its_points = np.stack([points + k for k in range(batch)])
    one_by_one = [
        Camera.look_at(e, fov_y_degrees=f).clip(p, SIZE)[0] for e, f, p in zip(eyes, fovs, each_its_points, strict=True)
    ]
    assert Camera.look_at(eyes, fov_y_degrees=fovs).clip(each_its_points, SIZE) == pytest.approx(np.stack(one_by_one))


def test_a_batch_of_calibrated_cameras_is_that_many_cameras():
    rotations, translations = np.stack([IDENTITY] * 2), np.array([[0.0, 0, 1], [0, 0.1, 2]])
    lenses = np.array([LENS, np.zeros(5)])
    points = np.array([[0.1, 0.2, 0.3], [0.4, -0.2, 0.1]])
    together = Camera.opencv(np.stack([K] * 2), rotations, translations, (48, 64), distortion=lenses)
    for k in range(2):
        alone = Camera.opencv(K, rotations[k], translations[k], (48, 64), distortion=lenses[k])
        assert together.clip(points, SIZE)[k] == pytest.approx(alone.clip(points, SIZE)[0])


def test_clip_positions_take_framework_and_dtype_of_the_points():
    points = torch.zeros(1, 3)
    assert Camera.look_at((0, 0, 2)).clip(points, SIZE).dtype == torch.float32
    assert Camera.look_at(torch.tensor([0.0, 0, 2], dtype=torch.float64)).clip(points, SIZE).dtype == torch.float32
    assert Camera.look_at(torch.tensor([0.0, 0, 2])).clip(np.zeros((1, 3)), SIZE).dtype == torch.float64
    assert Camera.look_at((0, 0, 2)).clip(np.zeros((1, 3), np.float32), SIZE).dtype == np.float32


@pytest.mark.parametrize("name", ["numpy", "torch", "paddle", "jax"])
def test_whole_numbers_of_any_framework_make_cameras(name):
    whole = framework(name).from_numpy
    points = np.float32([[0.2, 0.1, -0.3]])
    expected = Camera.look_at((1, 2, 3), (0, 0, 1), fov_y_degrees=40).clip(points, (8, 10))
    camera = Camera.look_at(whole(np.array([1, 2, 3])), whole(np.array([0, 0, 1])), fov_y_degrees=whole(np.array(40)))
    np.testing.assert_allclose(to_numpy(camera.clip(whole(points), (8, 10))), expected, rtol=1e-5, atol=1e-6)


def test_a_camera_survives_torch_compile():
    @torch.compile(fullgraph=True, backend="eager")
    def project(points, eye):
        return Camera.look_at(eye).clip(points, SIZE) + fixed.clip(points, SIZE)

    fixed = Camera.look_at((0, 0, 4))
    points, eye = torch.rand(5, 3), torch.tensor([1.0, 2, 3])
    eager = Camera.look_at(eye).clip(points, SIZE) + fixed.clip(points, SIZE)
    assert torch.allclose(project(points, eye), eager)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Camera.look_at((0, 0)), "Camera: eye must be [3] or [B, 3]; got [2]"),
        (lambda: Camera.look_at((0, 0, np.nan)), "Camera: eye must be finite; got [0.0, 0.0, nan]"),
        (lambda: Camera.look_at((0, 0, 0)), "Camera: eye and at must be different places; got the same"),
        (
            lambda: Camera.look_at((0, 3, 0)),
            "Camera: up must not point along the view; got parallel directions (take (0, 0, 1) from above)",
        ),
        (
            lambda: Camera.look_at((0, 0, 1), fov_y_degrees=180),
            "Camera: fov_y_degrees must lie between 0 and 180; got 180",
        ),
        (lambda: Perspective(near=0.0), "Camera: near and far must satisfy 0 < near < far; got 0.0 and 100.0"),
        (lambda: Orthographic(near=2, far=1), "Camera: near and far must satisfy near < far; got 2 and 1"),
        (lambda: Intrinsics(K, SIZE, near=-1), "Camera: near and far must satisfy 0 < near < far; got -1 and 100.0"),
        (lambda: Orthographic(0), "Camera: half_height must be positive; got 0"),
        (
            lambda: Camera.opencv(K[:2], IDENTITY, np.zeros(3), SIZE),
            "Camera: K must be [3, 3] or [B, 3, 3]; got [2, 3]",
        ),
        (
            lambda: Camera.opencv(K, IDENTITY, np.zeros(3), SIZE, distortion=(0, 0)),
            "Camera: distortion must be [N] or [B, N] with N = 4, 5, 8 or 12; got [2]",
        ),
        (
            lambda: Camera.from_matrix(np.eye(3)),
            "Camera: clip_from_world must be [4, 4] or [B, 4, 4]; got [3, 3]",
        ),
        (
            lambda: Camera(np.eye(3), Perspective()),
            "Camera: view_from_world must be [4, 4] or [B, 4, 4]; got [3, 3]",
        ),
        (
            lambda: Camera.look_at(np.ones((2, 3))).clip(np.zeros((3, 5, 3)), SIZE),
            "Camera: batch must be that of the mesh; got 2 cameras for 3 meshes",
        ),
    ],
)
def test_bad_cameras_are_named(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def tensors(*values):
    return [torch.tensor(np.asarray(v), dtype=torch.float64, requires_grad=True) for v in values]
