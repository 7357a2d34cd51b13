# SPDX-License-Identifier: MIT
"""Surfaces after Blinn under lights."""

import numpy as np
import pytest
import torch
from reference import materials
from shading import SIZE, at_random, directional, fragments_of, gradient_along, one_pixel

from intaglio import ops

WHOLE = fragments_of(np.zeros(SIZE, np.int32))


def at_one(lights, diffuse=(1.0, 1, 1), specular=(0.0, 0, 0, 1), viewer=(0.0, 0, 1, 0)):
    x = one_pixel(1, 0, 0, 1)
    planes = (
        x["positions"],
        x["normals"],
        np.reshape(diffuse, (1, 1, 1, 3)) * 1.0,
        np.reshape(specular, (1, 1, 1, 4)) * 1.0,
    )
    fragments = fragments_of(np.zeros((1, 1, 1), np.int32))
    return ops.shade_blinn_phong(*planes, np.array(viewer), lights, fragments)[0, 0, 0]


def blinn(num_lights=4, seed=0):
    x = at_random(num_lights, seed)
    specular = np.concatenate([x["base_color"], 30 * x["roughness_metallic"][..., :1]], axis=-1)
    diffuse = x["base_color"][..., ::-1].copy()
    seen = {name: x[name] for name in ("positions", "normals", "viewer", "lights")}
    return seen | {"diffuse": diffuse, "specular": specular}


def test_diffuse_light_goes_with_the_cosine():
    np.testing.assert_allclose(at_one(directional((0.6, 0, 0.8)), (1, 0.5, 0)), [0.8, 0.4, 0])


def test_the_highlight_is_the_power_of_the_cosine_half_way():
    # Light at 90 - 36.87 degrees from the viewer, half of it: cos^2 = (1 + 0.6) / 2 = 0.8.
    light = directional((0.8, 0, 0.6))
    np.testing.assert_allclose(at_one(light, (0, 0, 0), (1, 0.5, 0, 4)), 0.8**2 * np.array([1, 0.5, 0]))


def test_there_is_no_highlight_from_behind():
    assert (at_one(directional((1, 0, -1e-3)), specular=(1, 1, 1, 0.5)) == 0).all()


def test_it_is_the_reference():
    x = blinn()
    images = x | {name: x[name][:, None, None] for name in ("viewer", "lights")}
    expected = materials.shade_blinn_phong(**images)
    np.testing.assert_allclose(ops.shade_blinn_phong(**x, fragments=WHOLE), expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", ["positions", "normals", "diffuse", "specular", "viewer", "lights"])
def test_gradients_are_what_differences_say(name):
    for seed in range(3):
        got, expected, scale = gradient_along(ops.shade_blinn_phong, blinn(seed=seed), name, seed)
        assert got == pytest.approx(expected, rel=1e-5, abs=1e-6 * scale)  # steps of 1e-6 in powers up to 30


@pytest.mark.parametrize("shininess", [0.0, 0.3, -5.0, 1e5])
def test_strange_surfaces_stay_finite(shininess):
    x = blinn()
    x["specular"][..., 3], x["normals"][0, :3], x["positions"][1] = shininess, 0, x["lights"][1, 1, :3]
    leaves = {name: torch.tensor(value, dtype=torch.float32, requires_grad=True) for name, value in x.items()}
    image = ops.shade_blinn_phong(**leaves, fragments=fragments_of(torch.zeros(SIZE, dtype=torch.int32)))
    image.sum().backward()
    assert image.isfinite().all()
    for leaf in leaves.values():
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all()
