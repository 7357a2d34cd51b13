# SPDX-License-Identifier: MIT
"""Normals from maps in tangent space."""

import numpy as np
import pytest
import torch
from reference import materials
from shading import SIZE, fragments_of, gradient_along

from intaglio import ops


def mapped(texel, scale=1.0, sign=1.0, normal=(0, 0, 1.0), tangent=(1.0, 0, 0)):
    """The normal of one pixel."""
    planes = (np.array(v, np.float64).reshape(1, 1, 1, -1) for v in (normal, (*tangent, sign), texel))
    return ops.map_normals(*planes, fragments_of(np.zeros((1, 1, 1), np.int32)), np.array(scale))[0, 0, 0]


def test_the_colour_of_flat_maps_leaves_the_normal():
    np.testing.assert_array_equal(mapped((0.5, 0.5, 1), normal=(0, 0.6, 0.8)), [0, 0.6, 0.8])


def test_red_leans_along_the_tangent_and_green_along_the_bitangent():
    # 2 * 0.9 - 1 = 0.8, the other side of a triangle with sides 3, 4 and 5.
    np.testing.assert_allclose(mapped((0.9, 0.5, 0.8)), [0.8, 0, 0.6], atol=1e-15)
    np.testing.assert_allclose(mapped((0.5, 0.9, 0.8)), [0, 0.8, 0.6], atol=1e-15)


def test_the_fourth_component_of_the_tangent_turns_the_bitangent():
    np.testing.assert_allclose(mapped((0.5, 0.9, 0.8), sign=-1), [0, -0.8, 0.6], atol=1e-15)


def test_scale_is_of_what_lies_across_before_the_normal_is_unit():
    np.testing.assert_allclose(mapped((0.9, 0.5, 0.8), scale=0.0), [0, 0, 1])
    # (0.6, 0.8) with the first times 4 / 3 has equal sides.
    np.testing.assert_allclose(mapped((0.8, 0.5, 0.9), scale=4 / 3), [0.5**0.5, 0, 0.5**0.5], atol=1e-15)


def test_without_a_tangent_the_normal_stays():
    np.testing.assert_allclose(mapped((0.9, 0.2, 0.8), tangent=(0, 0, 0)), [0, 0, 1])


def test_without_normal_and_tangent_there_is_none():
    assert (mapped((0.9, 0.2, 0.8), normal=(0, 0, 0), tangent=(0, 0, 0)) == 0).all()


def inputs():
    rng = np.random.default_rng(3)
    return {
        "normals": rng.normal(size=(*SIZE, 3)),
        "tangents": rng.normal(size=(*SIZE, 4)),
        "texels": rng.uniform(size=(*SIZE, 3)),
        "scale": np.array(0.7),
    }


def test_it_is_the_reference():
    x = inputs()
    got = ops.map_normals(**x, fragments=fragments_of(np.zeros(SIZE, np.int32)))
    np.testing.assert_allclose(got, materials.map_normals(**x), atol=1e-14)


def test_every_image_may_have_its_own_scale():
    x, fragments = inputs(), fragments_of(np.zeros(SIZE, np.int32))
    both = ops.map_normals(**x | {"scale": np.array([0.2, 2.0])}, fragments=fragments)
    for image, scale in enumerate((0.2, 2.0)):
        np.testing.assert_array_equal(
            both[image], ops.map_normals(**x | {"scale": np.array(scale)}, fragments=fragments)[image]
        )


@pytest.mark.parametrize("name", ["normals", "tangents", "texels", "scale", "scale of each"])
def test_gradients_are_what_differences_say(name):
    x = inputs()
    if name == "scale of each":
        x["scale"] = np.array([0.5, 1.5])
    got, expected, scale = gradient_along(ops.map_normals, x, name.partition(" ")[0], 0)
    # Steps of 1e-6 and roundings of 1e-16 / 1e-6; vectors that nearly cancel bend the most.
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale)


def test_gradients_are_finite_where_there_is_no_normal():
    x = {name: torch.zeros(np.shape(value), requires_grad=True) for name, value in inputs().items()}
    image = ops.map_normals(**x, fragments=fragments_of(torch.zeros(SIZE, dtype=torch.int32)))
    image.sum().backward()
    assert all(leaf.grad is not None and leaf.grad.isfinite().all() for leaf in x.values())
