# SPDX-License-Identifier: MIT
"""What surfaces mirror, and how much they reflect of light from everywhere."""

import numpy as np
import pytest
import torch
from reference import materials
from shading import IDS, SIZE, at_random, fragments_of, gradient_along

from intaglio import ops
from intaglio.split_sum import split_sum_table

WHOLE = fragments_of(np.zeros(SIZE, np.int32))
PIXEL = fragments_of(np.zeros((1, 1, 1), np.int32))


def seen(seed=0):
    x = at_random(seed=seed)
    return {name: x[name] for name in ("positions", "normals", "viewer")}


def surroundings(seed=0, size=7):
    rng = np.random.default_rng(seed)
    surface = {name: at_random(seed=seed)[name] for name in ("base_color", "roughness_metallic")}
    light = {name: rng.uniform(0, 2, (*SIZE, 3)) for name in ("irradiance", "radiance")}
    return seen(seed) | surface | light | {"table": rng.uniform(0, 1, (size, size, 2))}


def by_images(x):
    return x | {"viewer": x["viewer"][:, None, None]}


# --- directions


def test_a_mirror_below_shows_what_is_across():
    down, up = np.zeros((1, 1, 1, 3)), np.array([[[[0, 5.0, 0]]]])
    mirrored = ops.reflect(down, up, np.array([3.0, 4, 0, 1]), PIXEL)
    np.testing.assert_allclose(mirrored[0, 0, 0], [-0.6, 0.8, 0], atol=1e-15)


def test_parallel_rays_leave_a_plane_parallel():
    x = seen() | {"normals": np.broadcast_to([0.0, 0, 1], (*SIZE, 3)), "viewer": np.array([0, 0.6, 0.8, 0])}
    np.testing.assert_allclose(ops.reflect(**x, fragments=WHOLE), np.broadcast_to([0, -0.6, 0.8], (*SIZE, 3)))


def test_directions_are_those_of_the_reference():
    np.testing.assert_allclose(
        ops.reflect(**seen(), fragments=WHOLE), materials.reflect(**by_images(seen())), atol=1e-14
    )


def test_the_background_mirrors_nothing():
    assert (ops.reflect(**seen(), fragments=fragments_of(IDS))[IDS < 0] == 0).all()


@pytest.mark.parametrize("name", ["positions", "normals", "viewer"])
def test_gradients_of_directions_are_what_differences_say(name):
    for seed in range(3):
        got, expected, scale = gradient_along(ops.reflect, seen(seed), name, seed)
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale)  # 1e-16 / 1e-6, and short normals bend most


# --- light from everywhere


def test_a_white_dielectric_in_a_white_room_is_white():
    ones = np.ones((*SIZE, 3))
    x = surroundings() | {
        "base_color": ones,
        "irradiance": ones,
        "radiance": ones,
        "table": split_sum_table().astype(float),
    }
    x["roughness_metallic"][..., 1] = 0
    np.testing.assert_allclose(ops.reflect_environment(**x, fragments=WHOLE), 1, rtol=1e-14)


def test_a_metal_reflects_what_the_table_says_of_its_colour():
    # The middle texel of a table: roughness and cosine 1/2.
    table = np.zeros((3, 3, 2))
    table[1, 1] = 0.7, 0.1
    color, plane = np.array([1, 0.5, 0]), np.ones((1, 1, 1, 3))
    normal, viewer = plane * [0, 0, 1], np.array([0.75**0.5, 0, 0.5, 0])
    got = ops.reflect_environment(
        plane, normal, plane * color, plane[..., :2] * [0.5, 1], viewer, 5 * plane, 2 * plane, table, PIXEL
    )
    np.testing.assert_allclose(got[0, 0, 0], 2 * (0.7 * color + 0.1))


@pytest.mark.parametrize("size", [1, 2, 7])
def test_light_is_that_of_the_reference(size):
    x = surroundings(size=size)
    expected = materials.reflect_environment(**by_images(x))
    np.testing.assert_allclose(ops.reflect_environment(**x, fragments=WHOLE), expected, rtol=1e-12, atol=1e-14)


INPUTS = ["positions", "normals", "base_color", "roughness_metallic", "viewer", "irradiance", "radiance"]


@pytest.mark.parametrize("name", INPUTS)
def test_gradients_of_light_are_what_differences_say(name):
    x = surroundings(seed=2)
    for seed in range(3):
        got, expected, scale = gradient_along(ops.reflect_environment, x, name, seed)
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale)


@pytest.mark.parametrize(("end", "inwards"), [(0.0, 1e-6), (1.0, -1e-6)])
def test_the_gradient_of_roughness_at_its_ends_is_that_from_within(end, inwards):
    x = {name: torch.tensor(value) for name, value in surroundings(seed=4).items()}
    roughness = torch.tensor(end, dtype=torch.float64, requires_grad=True)

    def image(roughness):
        surface = torch.stack([roughness.expand(SIZE), x["roughness_metallic"][..., 1]], dim=-1)
        fragments = fragments_of(torch.zeros(SIZE, dtype=torch.int32))
        return ops.reflect_environment(**{**x, "roughness_metallic": surface}, fragments=fragments).sum()

    image(roughness).backward()
    difference = (image(torch.tensor(end + inwards, dtype=torch.float64)) - image(roughness)) / inwards
    assert abs(difference) > 1
    assert roughness.grad.item() == pytest.approx(difference.item(), rel=1e-6)


def test_strange_surfaces_stay_finite():
    x = {name: torch.tensor(value, dtype=torch.float32) for name, value in surroundings().items()}
    x["normals"][0], x["positions"][1, :4] = 0, x["viewer"][0, :3]
    x["roughness_metallic"][:, 4:, :, 0] = torch.tensor([-3.0, 7.0]).repeat(35)
    leaves = {name: value.requires_grad_(name != "table") for name, value in x.items()}
    image = ops.reflect_environment(**leaves, fragments=fragments_of(torch.zeros(SIZE, dtype=torch.int32)))
    image.sum().backward()
    assert image.isfinite().all()
    assert all(leaf.grad.isfinite().all() for leaf in leaves.values() if leaf.grad is not None)
    assert leaves["table"].grad is None
