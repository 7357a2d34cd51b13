# SPDX-License-Identifier: MIT
"""Light from all around: where it comes from, what rough surfaces mirror of it, what matt ones gather."""

import re

import numpy as np
import pytest
import torch

from intaglio import Camera, EnvironmentLight, Material, SphericalHarmonicsLight, ops, orbit, render, shapes
from intaglio.environment import harmonics
from intaglio.ops import cube_directions, prefilter_cube

RNG = np.random.default_rng(0)
UP, AHEAD, RIGHT = [0.0, 1, 0], [0.0, 0, -1], [1.0, 0, 0]


def directions_of(height, width):
    """[H, W, 3]: the middles of a panorama's pixels."""
    polar = (np.arange(height)[:, None] + 0.5) / height * np.pi
    azimuth = ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    x, z = np.sin(polar) * np.sin(azimuth), -np.sin(polar) * np.cos(azimuth)
    return np.stack([x, np.broadcast_to(np.cos(polar), x.shape), z], axis=-1)


def radiance(light, *directions):
    return light.radiance(np.array(directions, np.float64)[None, None])[0, 0]


def test_a_panorama_is_up_ahead_and_to_the_right_where_it_is_said_to_be():
    image = np.zeros((4, 8, 3))
    image[0], image[1:3, 3:5], image[1:3, 5:7] = [1, 0, 0], [0, 1, 0], [0, 0, 1]
    light = EnvironmentLight(image)
    assert radiance(light, UP, AHEAD, RIGHT) == pytest.approx(np.eye(3))
    assert radiance(light, [0, -1, 0], [0, 0, 1], [-1, 0, 0]) == pytest.approx(np.zeros((3, 3)))


def test_a_panorama_has_no_seam_and_goes_on_over_the_poles():
    light = EnvironmentLight(directions_of(64, 128))
    near_seam = [[s * 1e-3, y, 1] for s in (-1, 1) for y in (-0.5, 0.0, 0.7)]
    near_poles = [[0.01 * np.cos(a), s, 0.01 * np.sin(a)] for a in (0.3, 2.0, 4.0) for s in (-1, 1)]
    for direction in near_seam + near_poles:
        expected = np.array(direction) / np.linalg.norm(direction)
        # Second order: (pi / 64)^2 / 8 = 3e-4, doubled in two dimensions; near poles the azimuth's steps are the same.
        assert radiance(light, direction)[0] == pytest.approx(expected, abs=2e-3)


def test_turning_by_a_right_angle_brings_what_was_ahead_to_the_left():
    image = RNG.uniform(size=(8, 16, 3))
    ahead, turned = EnvironmentLight(image), EnvironmentLight(image, rotation_degrees=90)
    assert radiance(turned, [-1, 0.3, 0.2]) == pytest.approx(radiance(ahead, [-0.2, 0.3, -1]))
    for plain, other in zip(ahead.prefiltered(), turned.prefiltered(), strict=True):
        assert other[1] == pytest.approx(plain[5], abs=1e-6)  # -x shows what -z did
    rolled = EnvironmentLight(np.roll(image, -4, axis=1))
    assert turned.irradiance_coefficients() == pytest.approx(rolled.irradiance_coefficients())


def test_light_that_is_the_same_everywhere_stays_so():
    light = EnvironmentLight(np.full((32, 64, 3), 0.7), intensity=2.0)
    for level in light.prefiltered():
        assert level == pytest.approx(np.full(level.shape, 1.4))
    expected = np.zeros((9, 3))
    expected[0] = 1.4 * np.sqrt(4 * np.pi)
    # Midpoints of 32 rows: (pi / 32)^2 / 24 of the second derivative.
    assert light.irradiance_coefficients() == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("height", [64, 100])
def test_a_sun_of_one_pixel_keeps_its_light_wherever_it_stands(height):
    polar = np.arange(height + 1) / height * np.pi
    for row in (0, 1, 5, height // 4, height // 2, height - 1):
        for column in RNG.integers(0, 2 * height, 3):
            image = np.zeros((height, 2 * height, 3))
            image[row, column] = 1
            cube = EnvironmentLight(image).prefiltered()[0]
            edges = 2 * np.arange(cube.shape[1] + 1) / cube.shape[1] - 1
            corner = np.arctan2(edges[:, None] * edges, np.sqrt(edges[:, None] ** 2 + edges**2 + 1))
            area = np.diff(np.diff(corner, axis=0), axis=1)
            sent = (np.cos(polar[row]) - np.cos(polar[row + 1])) * np.pi / height
            # A hat that is sampled at 0.64 of its half width along both axes sums to 0.87 to 1.1 of its area, squared.
            assert 0.75 < (cube[..., 0] * area).sum() / sent < 1.22


@pytest.mark.parametrize(("source", "size"), [(16, 4), (21, 10)])
def test_the_lobe_is_that_of_the_integral(source, size):
    cube, roughness = RNG.uniform(size=(6, source, source, 2)), 0.6
    found = prefilter_cube(cube, size, roughness)
    light, mirrored = (x.reshape(-1, 3) / np.linalg.norm(x.reshape(-1, 3), axis=-1, keepdims=True)
                       for x in (cube_directions(source), cube_directions(size)))  # fmt: skip
    place = cube_directions(source)
    area = (1 / np.linalg.norm(place, axis=-1) ** 3).reshape(-1)  # to first order, and alike for all but a thousandth
    halfway = light[None] + mirrored[:, None]
    halfway /= np.linalg.norm(halfway, axis=-1, keepdims=True)
    n_h, n_l = (halfway * mirrored[:, None]).sum(-1), (mirrored @ light.T).clip(0)
    weight = n_l / ((n_h**2 * (roughness**4 - 1) + 1) ** 2) * area
    expected = (weight @ cube.reshape(-1, 2)) / weight.sum(axis=1, keepdims=True)
    # What is left out beyond a ten-thousandth of the peak weighs 100 alpha^2 at most of the whole, 1 percent at most.
    assert found.reshape(-1, 2) == pytest.approx(expected, abs=0.01)


def test_filtering_forth_and_back_is_adjoint():
    for source, size, roughness in ((8, 4, 0.3), (8, 8, 1.0), (8, 5, 0.7), (19, 11, 0.4)):
        x = torch.tensor(RNG.normal(size=(2, 6, source, source, 3)), requires_grad=True)
        y = torch.tensor(RNG.normal(size=(2, 6, size, size, 3)))
        out = prefilter_cube(x, size, roughness)
        (back,) = torch.autograd.grad((out * y).sum(), x)
        assert (back * x).sum().item() == pytest.approx((out * y).sum().item(), rel=1e-12)


def test_the_number_of_threads_changes_no_bit():
    cube = RNG.normal(size=(6, 16, 16, 3)).astype(np.float32)
    before = ops.get_num_threads()
    try:
        results = []
        for count in (1, 2, 3):
            ops.set_num_threads(count)
            results.append(prefilter_cube(cube, 8, 0.4).tobytes())
    finally:
        ops.set_num_threads(before)
    assert len(set(results)) == 1


def test_a_function_of_second_degree_is_gathered_exactly():
    coefficients = RNG.normal(size=(9, 3))
    directions = directions_of(256, 512)
    light = EnvironmentLight(harmonics(directions) @ coefficients)
    gathered = coefficients * np.repeat([1, 2 / 3, 1 / 4], [1, 3, 5])[:, None]
    assert light.irradiance_coefficients() == pytest.approx(gathered, abs=1e-3)
    normal = np.array([0.48, 0.6, -0.64])
    cosine = (directions @ normal).clip(0)
    area = np.sin((np.arange(256)[:, None] + 0.5) / 256 * np.pi) * (np.pi / 256) ** 2
    brute = ((harmonics(directions) @ coefficients) * (cosine * area)[..., None]).sum(axis=(0, 1)) / np.pi
    assert harmonics(normal) @ light.irradiance_coefficients() == pytest.approx(brute, abs=2e-3)
    assert SphericalHarmonicsLight(coefficients).irradiance_coefficients() == pytest.approx(gathered)


def test_harmonics_are_orthonormal():
    area = np.sin((np.arange(256)[:, None] + 0.5) / 256 * np.pi) * (np.pi / 256) ** 2
    basis = harmonics(directions_of(256, 512))
    product = np.einsum("hwi,hwj,hw->ij", basis, basis, np.broadcast_to(area, (256, 512)))
    assert product == pytest.approx(np.eye(9), abs=1e-3)


@pytest.mark.parametrize("name", ["image", "intensity", "rotation"])
def test_gradients_are_those_of_central_differences(name):
    x = {
        "image": torch.tensor(RNG.uniform(size=(16, 32, 3))),
        "intensity": torch.tensor(1.3, dtype=torch.float64),
        "rotation": torch.tensor(20.0, dtype=torch.float64),
    }
    directions = torch.tensor(RNG.normal(size=(1, 5, 7, 3)))

    def loss(value):
        light = EnvironmentLight(*({**x, name: value}.values()))
        levels = light.prefiltered()
        parts = [light.radiance(directions), light.irradiance_coefficients(), *levels]
        return sum((part * (1 + torch.arange(part.numel()).reshape(part.shape) % 5)).sum() for part in parts)

    value = x[name].clone().requires_grad_()
    (grad,) = torch.autograd.grad(loss(value), value)
    direction, step = torch.tensor(RNG.normal(size=tuple(x[name].shape))), 1e-6
    with torch.no_grad():
        expected = float(loss(x[name] + step * direction) - loss(x[name] - step * direction)) / (2 * step)
    assert float((grad * direction).sum()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("material", [None, Material(metallic=0.5, roughness=0.4)])
def test_numbers_of_a_framework_go_with_a_panorama_of_numpy(material):
    image = np.random.default_rng(8).uniform(size=(16, 32, 3)).astype(np.float32)
    intensity, turn = torch.tensor(1.5, requires_grad=True), torch.tensor(30.0, requires_grad=True)
    ball, camera = shapes.icosphere(2).replace(material=material), Camera.look_at((0, 0.3, 3))
    expected, got = (
        render(ball, camera, (24, 32), lights=[light], background=light).color
        for light in (EnvironmentLight(image, 1.5, 30.0), EnvironmentLight(image, intensity, turn))
    )
    np.testing.assert_allclose(got.detach(), expected, rtol=0, atol=1e-5)
    gradients = torch.autograd.grad(got.square().sum(), (intensity, turn))
    assert gradients[0].item() == pytest.approx(2 * np.square(expected).sum() / 1.5, rel=1e-3)
    assert gradients[1] != 0


def test_what_was_found_is_kept_but_not_while_it_is_differentiated():
    image = torch.rand(16, 32, 3)
    light = EnvironmentLight(image)
    assert light.prefiltered() is light.prefiltered()
    tracked = EnvironmentLight(image.clone().requires_grad_())
    assert tracked.prefiltered() is not tracked.prefiltered()
    with torch.no_grad():  # a parameter changes between two looks at it
        before = tracked.prefiltered()[0].clone()
        tracked.image.mul_(2)
        assert torch.equal(tracked.prefiltered()[0], 2 * before)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: EnvironmentLight(np.zeros((4, 8))),
            "EnvironmentLight: image must be [H, W, 3] or [B, H, W, 3]; got [4, 8]",
        ),
        (
            lambda: EnvironmentLight(np.zeros((4, 8, 3)), np.zeros((1, 2))),
            "EnvironmentLight: intensity must be a number or [B]; got [1, 2]",
        ),
        (
            lambda: EnvironmentLight(np.zeros((4, 8, 3)), 1.0, np.zeros(2)),
            "EnvironmentLight: rotation_degrees must be a number; got [2]",
        ),
        (
            lambda: SphericalHarmonicsLight(np.zeros((4, 3))),
            "SphericalHarmonicsLight: coefficients must be [9, 3] or [B, 9, 3]; got [4, 3]",
        ),
        (
            lambda: prefilter_cube(np.zeros((6, 4, 4, 3)), 2, 0.0),
            "prefilter_cube: roughness must be a number above 0, at most 1; got 0.0 (a mirror shows the cube itself)",
        ),
        (
            lambda: prefilter_cube(np.zeros((6, 4, 4, 3)), 0, 0.5),
            "prefilter_cube: size must be a whole number from 1 to 16384; got 0 (texels along a face)",
        ),
    ],
)
def test_bad_lights_are_named(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize("roughness", [0.05, 0.3, 0.6, 1.0])
def test_harmonics_are_mirrored_as_blurred_as_their_panorama(roughness):
    coefficients = np.zeros((9, 3))
    coefficients[[0, 1, 3, 4, 6]] = [[3.5] * 3, [0.9, 0.2, -0.3], [0.3, -0.5, 0.5], [0.1, -0.3, 0.3], [0.4, 0.3, -0.2]]
    panorama = harmonics(directions_of(64, 128)) @ coefficients
    mirror = Material(base_color=(1.0, 1.0, 1.0), roughness=roughness)
    ball, camera = shapes.icosphere(3).replace(material=mirror), Camera.look_at(orbit(3.0, 20, 40))
    smooth, filtered = (
        render(ball, camera, (32, 32), lights=[light], shading="smooth").color
        for light in (SphericalHarmonicsLight(coefficients), EnvironmentLight(panorama))
    )
    # Between the cube's texels and levels light is interpolated: its second derivative, 6 of degree 2's 0.5, over 8
    # times the squared pitch of 32 texels a face, and the levels' as much again, leave about 0.01.
    np.testing.assert_allclose(smooth, filtered, atol=0.012)
