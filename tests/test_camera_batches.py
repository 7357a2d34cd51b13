# SPDX-License-Identifier: MIT
import re

import numpy as np
import pytest
import torch

from intaglio import camera_path, turntable
from intaglio.camera import Camera, Perspective, orbit

SIZE = (48, 64)
K = np.array([[100.0, 2, 31.5], [0, 110, 23.5], [0, 0, 1]])
AHEAD = np.diag([1.0, -1, -1])
POINTS = np.array([[0.1, 0.2, 0.3], [0.4, -0.2, 0.1]])


def calibrated(z, image_size=SIZE, distortion=None):
    scale = np.diag([image_size[1] / SIZE[1], image_size[0] / SIZE[0], 1])
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    resized = np.linalg.inv(shift) @ scale @ shift @ K
    return Camera.opencv(resized, AHEAD, (0, 0, z), image_size, distortion=distortion)


PAIRS = {
    "perspective": (Camera.look_at((0, 0, 2), fov_y_degrees=40), Camera.look_at((1, 1, 2))),
    "orthographic": (Camera.orthographic((0, 0, 2)), Camera.orthographic((1, 1, 2), half_height=3)),
    "sizes": (calibrated(3), calibrated(4, (20, 32))),
    "lenses": (calibrated(3), calibrated(4, distortion=(0.1, 0.02, 0.001, 0.002))),
    "longer lenses": (
        calibrated(3, distortion=(0.1, 0.02, 0.001, 0.002)),
        calibrated(3, distortion=(0.1, 0.02, 0.001, 0.002, 0.01, 0.1, 0.2, 0.3)),
    ),
    "fisheyes": (
        Camera.fisheye(K, AHEAD, (0, 0, 3), SIZE),
        Camera.fisheye(K, AHEAD, (0, 0, 4), SIZE, distortion=(0.1, 0, 0, 0)),
    ),
    "panoramas": (Camera.panorama((0, 0, 2)), Camera.panorama((1, 1, 2))),
    "matrices": (Camera.from_matrix(np.eye(4)), Camera.from_matrix(np.diag([1.0, 2, 3, 4]))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_stack_is_its_cameras_and_gives_them_back(name):
    cameras = PAIRS[name]
    stack = Camera.stack(cameras)
    assert len(stack) == 2
    for k, camera in enumerate(cameras):
        expected = camera.project(POINTS, SIZE)[0]
        assert stack.project(POINTS, SIZE)[k] == pytest.approx(expected)
        assert stack[k].project(POINTS, SIZE)[0] == pytest.approx(expected)
        assert stack[k].view_from_world.shape == (4, 4)
    assert [len(part) for part in (stack[:1], stack[[1, 0, 1]], stack[-1], stack[5:])] == [1, 3, 1, 0]
    assert stack[[1, 0, 1]].project(POINTS, SIZE)[2] == pytest.approx(cameras[1].project(POINTS, SIZE)[0])
    assert [len(camera) for camera in stack] == [1, 1]


def test_batches_are_stacked_one_behind_the_other():
    eyes = orbit(3.0, 20, np.array([0.0, 90]))
    stack = Camera.stack([Camera.look_at(eyes, fov_y_degrees=50), Camera.look_at((0, 0, 2), fov_y_degrees=30)])
    assert len(stack) == 3
    assert stack.viewer(SIZE)[:2, :3] == pytest.approx(eyes)
    assert stack.projection.fov_y_degrees.tolist() == [50, 50, 30]


def test_a_camera_without_a_batch_is_one():
    camera = Camera.look_at((0, 0, 2))
    assert len(camera) == 1
    assert camera[0] is camera
    with pytest.raises(IndexError, match=re.escape("Camera: index must lie within a batch of 1; got 1")):
        camera[1]


def test_what_a_batch_shares_stays_as_it_is():
    cameras = Camera.look_at(orbit(3.0, 20, np.array([0.0, 90])), fov_y_degrees=50)
    assert cameras[1].projection.fov_y_degrees == 50


def test_gradients_pass_through_a_stack():
    eye = torch.tensor([1.0, 2, 3], dtype=torch.float64, requires_grad=True)
    stack = Camera.stack([Camera.look_at((0, 0, 2)), Camera.look_at(eye)])
    stack[1].project(POINTS, SIZE).sum().backward()
    assert (eye.grad != 0).all()


@pytest.mark.parametrize(
    ("cameras", "message"),
    [
        ([], "Camera: stack must get at least one camera; got none"),
        (
            [Camera.look_at((0, 0, 2)), Camera.panorama((0, 0, 2))],
            "Camera: stack must get projections of one kind; got Perspective and Panorama (camera 1)",
        ),
        (
            [Camera(np.eye(4), Perspective()), Camera(np.eye(4), Perspective(near=0.2))],
            "Camera: stack must get one near for all; got 0.1 and 0.2 (camera 1)",
        ),
    ],
)
def test_what_cannot_be_stacked_is_named(cameras, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Camera.stack(cameras)


# --- turntables


def test_a_turntable_goes_once_around():
    cameras = turntable(4, distance=2, elevation_degrees=30, at=(1, 2, 3))
    assert len(cameras) == 4
    level, height = 2 * np.cos(np.pi / 6), 1
    around = np.array([[0, height, level], [level, height, 0], [0, height, -level], [-level, height, 0]])
    assert cameras.viewer(SIZE)[:, :3] == pytest.approx(around + np.array([1, 2, 3]))
    assert cameras.project(np.array([[1.0, 2, 3]]), (10, 20))[:, 0] == pytest.approx(np.array([[10, 5]] * 4))


def test_a_turntable_may_rise_and_recede():
    cameras = turntable(2, distance=np.array([2.0, 4]), elevation_degrees=np.array([0.0, 45]), azimuth_degrees=90)
    half = np.sqrt(8)
    assert cameras.viewer(SIZE)[:, :3] == pytest.approx(np.array([[2, 0, 0], [-half, half, 0]]))


@pytest.mark.parametrize("count", [0, -1, 2.5])
def test_a_turntable_has_a_whole_number_of_cameras(count):
    with pytest.raises(ValueError, match=re.escape(f"turntable: count must be a whole number from 1 on; got {count}")):
        turntable(count)


# --- ways through cameras


def keys():
    places = [((0, 0, 2), 40), ((2, 1, 0), 50), ((0, 0, -3), 60), ((-2, 0, 0), 30)]
    return Camera.stack([Camera.look_at(eye, fov_y_degrees=fov) for eye, fov in places])


@pytest.mark.parametrize(("count", "closed", "step"), [(4, False, 1), (7, False, 2), (12, True, 3)])
def test_a_way_meets_its_keys(count, closed, step):
    way = camera_path(keys(), count, closed=closed)
    assert len(way) == count
    assert way[::step].view_from_world[:4] == pytest.approx(keys().view_from_world)
    assert way[::step].projection.fov_y_degrees[:4] == pytest.approx(keys().projection.fov_y_degrees)


def test_a_way_is_smooth_and_its_axes_are_at_right_angles():
    way = camera_path(keys(), 400, closed=True)
    turns = way.view_from_world[:, :3, :3]
    assert turns @ turns.swapaxes(1, 2) == pytest.approx(np.tile(np.eye(3), (400, 1, 1)))
    eyes = way.viewer(SIZE)[:, :3]
    steps = np.roll(eyes, -1, axis=0) - eyes
    bends = np.linalg.norm(np.roll(steps, -1, axis=0) - steps, axis=-1)
    # Catmull and Rom's second derivative is at most some 20 here, at steps of 1 / 100; a corner would be a whole step.
    assert bends.max() < 20 / 100**2
    assert np.linalg.norm(steps, axis=-1).max() > 0.02


def test_between_two_keys_the_way_is_straight():
    way = camera_path(keys()[:2], 3)
    assert way.viewer(SIZE)[1, :3] == pytest.approx([1, 0.5, 1])
    assert way.projection.fov_y_degrees[1] == pytest.approx(45)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: camera_path(keys()[0], 3), "camera_path: keys must be a batch of at least 2 cameras; got 1 (see "
         "Camera.stack)"),
        (lambda: camera_path(keys(), 1), "camera_path: count must be a whole number from 2 on; got 1"),
    ],
)  # fmt: skip
def test_bad_ways_are_named(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


# --- matrices that lead to pixels


def sees(camera, points, P):
    """The clip positions of world positions that the camera shows where P says, in pixels with integer centres."""
    landed = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ P.T
    expected = landed[:, :2] / landed[:, 2:] + 0.5
    assert camera.project(points, SIZE)[0] == pytest.approx(expected)
    clip = camera.clip(points, SIZE)[0]
    assert (np.abs(clip[:, 2]) < clip[:, 3]).all()
    return clip


POSE = np.concatenate([AHEAD, [[0.1], [0.2], [3.0]]], axis=1)


@pytest.mark.parametrize("scale", [1, -1, 1e-6, -250])
def test_a_matrix_to_pixels_may_have_any_scale_and_its_depth_is_the_worlds(scale):
    P = K @ POSE
    clip = sees(Camera.from_projection(scale * P, SIZE), POINTS, P)
    assert clip[:, 3] == pytest.approx((POINTS @ AHEAD.T + POSE[:, 3])[:, 2])
    assert clip == pytest.approx(Camera.opencv(K, AHEAD, POSE[:, 3], SIZE).clip(POINTS, SIZE)[0])


def test_a_matrix_need_not_factor_into_a_sane_k():
    P = np.array([[90.0, 31, 12, 70], [-8, -70, 25, 66], [0.3, -0.2, -0.9, 2.5]])  # a skew of 13 degrees
    sees(Camera.from_projection(P, SIZE), POINTS, P)


def test_what_lies_in_front_tells_the_sides_of_a_mirrored_picture_apart():
    P = np.array([[1.0, 0, 0], [0, -1, 47], [0, 0, 1]]) @ K @ POSE  # rows count from the bottom
    clip = Camera.from_projection(P, SIZE).clip(POINTS, SIZE)[0]
    assert (clip[:, 3] < 0).all()
    sees(Camera.from_projection(P, SIZE, in_front=(0, 0, 0)), POINTS, P)
    sees(Camera.from_projection(-P, SIZE, in_front=(0, 0, 0)), POINTS, P)


@pytest.mark.parametrize("scale", [1, -2])
def test_a_matrix_of_parallel_rays_has_its_depth_along_them(scale):
    P = np.array([[10.0, 0, 0, 31.5], [0, -10, 0, 23.5], [0, 0, 0, 1]])  # x right, y up: looks along -z
    camera = Camera.from_projection(scale * P, SIZE, near=-2, far=2)
    clip = sees(camera, POINTS, P)
    assert clip[:, 2] == pytest.approx(-POINTS[:, 2] / 2)
    assert camera.viewer(SIZE).tolist() == [[0, 0, 1, 0]]


def test_a_batch_of_matrices_may_mix_both():
    P = np.stack([K @ POSE, [[10.0, 0, 0, 31.5], [0, -10, 0, 23.5], [0, 0, 0, 1]]])
    together = Camera.from_projection(P, SIZE, near=0.5, far=9)
    for k in range(2):
        alone = Camera.from_projection(P[k], SIZE, near=0.5, far=9)
        assert together.clip(POINTS, SIZE)[k] == pytest.approx(alone.clip(POINTS, SIZE)[0])


def test_gradients_reach_a_matrix_to_pixels():
    def project(P):
        return Camera.from_projection(P, SIZE).clip(torch.tensor(POINTS), SIZE)

    assert torch.autograd.gradcheck(project, torch.tensor(K @ POSE, requires_grad=True))
