# SPDX-License-Identifier: MIT
"""The metallic-roughness material under lights: glTF's formulas, what light and matter may do, and gradients."""

import numpy as np
import pytest
import torch
from reference import materials
from shading import at_random, directional, gradient_along, one_pixel, shade, shade_at

from intaglio import ops

# --- one pixel, by hand


def test_white_matt_surface_in_straight_light_shows_the_base_and_a_little_of_the_layer():
    # 1 - 0.04 of the base; of the layer 0.04 pi D V = 0.04 * 1 * (1/2) (1/2).
    np.testing.assert_allclose(shade_at(roughness=1, metallic=0), [0.96 + 0.01] * 3, rtol=1e-12)


def test_smooth_metal_in_straight_light_shows_its_colour_over_four_alpha_squared():
    # D = 1 / (pi alpha^2), V = 1 / 4; alpha = 0.25.
    got = shade_at(roughness=0.5, metallic=1, color=(1.0, 0.5, 0.0))
    np.testing.assert_allclose(got, np.array([1, 0.5, 0]) / (4 * 0.25**2), rtol=1e-12)


def test_roughness_has_a_floor():
    assert (shade_at(roughness=0.0, metallic=1) == shade_at(roughness=0.045, metallic=1)).all()
    assert (shade_at(roughness=0.05, metallic=1) < shade_at(roughness=0.045, metallic=1)).all()


@pytest.mark.parametrize("place", [(0, 0, -1, 0), (1, 0, 0, 0), (0, 0, 0, 1), (0, 0, 0, 0)])
def test_light_from_behind_beside_or_at_the_very_place_is_dark(place):
    assert (shade_at(lights=directional(place)) == 0).all()


def test_point_light_falls_off_with_the_squared_distance():
    near, far = (shade_at(lights=directional((0, 0, distance, 1))) for distance in (1, 3))
    np.testing.assert_allclose(near, 9 * far, rtol=1e-12)


def test_spot_is_bright_on_its_axis_and_dark_outside_its_cone():
    # A cone from cosine 0.8, where scale and offset give 0, to 0.9, where they give 1; half way there is a quarter.
    def at(cosine):
        axis = (np.sqrt(1 - cosine**2), 0, -cosine)
        return shade_at(lights=np.array([[0, 0, 1, 1, 1, 1, 1, *axis, 10, -8]]))[0] / shade_at()[0]

    np.testing.assert_allclose([at(x) for x in (0.7, 0.8, 0.85, 0.9, 1.0)], [0, 0, 0.25, 1, 1], atol=1e-12)


def test_lights_add_up():
    x = at_random(num_lights=3)
    one_by_one = [shade(x | {"lights": x["lights"][:, k : k + 1]}) for k in range(3)]
    np.testing.assert_allclose(sum(one_by_one), shade(x), rtol=1e-12, atol=1e-14)


def test_without_lights_it_is_dark():
    assert (shade(at_random(num_lights=0)) == 0).all()


def test_background_is_dark_and_not_read():
    x = at_random()
    hole = np.full((2, 9, 70), -1, np.int32)
    unreadable = {name: np.full_like(x[name], np.nan) for name in ("positions", "normals", "base_color")}
    assert (shade(x | unreadable, hole) == 0).all()


# --- the formulas


def test_it_is_the_reference():
    x = at_random()
    expected = materials.shade_metallic(
        *(x[name] for name in ("positions", "normals", "base_color", "roughness_metallic")),
        x["viewer"][:, None, None],
        x["lights"][:, None, None],
    )
    # The reference finds 1 - cos^2 by subtraction, which the floor of alpha^4 = 1.7e-11 magnifies.
    np.testing.assert_allclose(shade(x), expected, rtol=1e-4, atol=1e-12)
    assert (expected > 0).mean() > 0.3


def test_shared_lights_and_viewer_are_those_of_every_image():
    x = at_random()
    shared = x | {"lights": x["lights"][0], "viewer": x["viewer"][0]}
    own = x | {"lights": x["lights"][[0, 0]], "viewer": x["viewer"][[0, 0]]}
    np.testing.assert_array_equal(shade(shared), shade(own))


def directions(count, seed=0):
    """[count, 3] unit vectors of the upper half sphere."""
    v = np.random.default_rng(seed).normal(size=(count, 3))
    return materials.unit(v * np.sign(v[:, 2:]))


@pytest.mark.parametrize("metallic", [0, 0.3, 1])
@pytest.mark.parametrize("roughness", [0.05, 0.3, 1])
def test_light_may_go_the_other_way(roughness, metallic):
    there, back = directions(500, 1), directions(500, 2)
    x = one_pixel(500, roughness, metallic, (0.9, 0.5, 0.1))
    f = [shade(x | {"viewer": viewer_of(v), "lights": directional(light)}) / light[:, None, None, 2:] for v, light in
         ((there, back), (back, there))]  # fmt: skip
    np.testing.assert_allclose(f[0], f[1], rtol=1e-7, atol=1e-14)


def viewer_of(v):
    return np.concatenate([v, np.zeros((len(v), 1))], axis=1)


def hemisphere(num_turns=64, num_heights=256):
    """Unit vectors [n, 3] and their solid angles [n], denser towards the horizon and the pole."""
    nodes, weights = np.polynomial.legendre.leggauss(num_heights)
    angle = np.pi / 4 * (nodes + 1)
    turn = 2 * np.pi * (np.arange(num_turns) + 0.5) / num_turns
    angle, turn = np.meshgrid(angle, turn, indexing="ij")
    vectors = np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], axis=-1)
    solid = np.pi / 4 * weights[:, None] * np.sin(angle) * 2 * np.pi / num_turns
    return vectors.reshape(-1, 3), solid.ravel()


def reflected(roughness, metallic, color, cosine):
    """What a furnace of radiance 1 sends to a viewer at this cosine, [3]: light of intensity L dw / pi from each dw."""
    vectors, solid = hemisphere()
    x = one_pixel(1, roughness, metallic, color) | {"viewer": np.array([np.sqrt(1 - cosine**2), 0, cosine, 0])}
    lights = np.zeros((len(vectors), 12))
    lights[:, :3], lights[:, 4:7], lights[:, 11] = vectors, solid[:, None] / np.pi, 1
    return shade(x | {"lights": lights})[0, 0, 0]


@pytest.mark.parametrize("cosine", [0.05, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("roughness", [0.3, 0.6, 1.0])
def test_neither_metal_nor_layer_nor_base_sends_back_more_than_falls_on_it(roughness, cosine):
    # Base and layer together may: glTF's mixture of them is not conserving (appendix B.4.3).
    metal, layer, both = (reflected(roughness, m, [c] * 3, cosine) for m, c in ((1, 1), (0, 0), (0, 1)))
    for share, most in ((metal, 1), (layer, 1), (both - layer, 0.96)):
        assert (share <= most + 1e-3).all()  # what the sum over directions may be wrong by, for lobes this wide
        assert (share > 0).all()


@pytest.mark.parametrize("roughness", [0.3, 0.7, 1.0])
def test_metal_of_white_sends_back_what_the_split_sum_says(roughness):
    from intaglio.split_sum import split_sum_table

    column, row = 40, int(roughness * 63)
    exact = reflected(row / 63, 1, (1, 0.5, 0), column / 63)
    scale, bias = split_sum_table()[row, column]
    np.testing.assert_allclose(exact, scale * np.array([1, 0.5, 0]) + bias, atol=5e-3)


def test_rough_dielectric_is_nearly_lamberts():
    for light in directions(20):
        assert shade_at(roughness=1, lights=directional(light))[0] == pytest.approx(light[2], abs=0.06)


def test_mirror_is_brightest_where_the_light_is_mirrored():
    angle = np.radians(np.arange(10, 70, 0.25))
    viewers = np.stack([np.sin(angle), 0 * angle, np.cos(angle), 0 * angle], axis=1)
    light = directional((-np.sin(np.radians(40)), 0, np.cos(np.radians(40)), 0))
    x = one_pixel(len(angle), 0.1, 1, (1, 1, 1)) | {"viewer": viewers, "lights": light}
    assert np.degrees(angle[shade(x)[..., 0].argmax()]) == pytest.approx(40, abs=0.26)


# --- gradients

STRANGE = {
    "smooth": {"roughness_metallic": [0.0, 0.5]},
    "at the floor's rough side": {"roughness_metallic": [0.0451, 1.0]},
    "rough": {"roughness_metallic": [1.0, 0.0]},
    "metal": {"roughness_metallic": [0.4, 1.0]},
    "black": {"base_color": [0.0, 0.0, 0.0]},
    "rougher than rough": {"roughness_metallic": [1.5, 1.2]},
}
SHARED = ("viewer", "lights")


@pytest.mark.parametrize("strange", ["ordinary", *STRANGE])
@pytest.mark.parametrize("name", ["positions", "normals", "base_color", "roughness_metallic", "viewer", "lights"])
def test_gradients_are_what_differences_say(name, strange):
    x = at_random(seed=5)
    for key, value in STRANGE.get(strange, {}).items():
        x[key] = np.broadcast_to(np.array(value), x[key].shape).copy()
    for seed in range(3):
        got, expected, scale = gradient_along(ops.shade_metallic, x, name, seed)
        # Third derivatives of lobes as narrow as alpha = 0.002 times the step 1e-6 squared; the scale is of all pixels.
        assert got == pytest.approx(expected, rel=1e-5, abs=1e-6 * scale)


def test_gradients_to_shared_lights_and_viewer_are_sums_over_the_batch():
    x = at_random()
    x = x | {"lights": x["lights"][0], "viewer": x["viewer"][0]}
    for name in SHARED:
        got, expected, scale = gradient_along(ops.shade_metallic, x, name, 0)
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-8 * scale)


def extreme_inputs():
    """Every combination of places, normals, materials and lights that a formula might divide by."""
    rng = np.random.default_rng(0)
    x = at_random()
    shape = x["positions"].shape[:3]
    pick = lambda values: np.array(values, np.float64)[rng.integers(0, len(values), shape)]  # noqa: E731
    x["positions"] = pick([(0, 0, 0), (1, 2, 3), (1e-20, 0, 0), (1e8, -1e8, 1e8), (0, 0, 1e-6)])
    x["normals"] = pick([(0, 0, 0), (0, 0, 1), (0, 0, -1), (1, 0, 1e-9), (1e-20, 0, 0), (1e10, 1e10, 0), (0, -1e-6, 1)])
    x["base_color"] = pick([(0, 0, 0), (1, 1, 1), (1, 0, 100)])
    x["roughness_metallic"] = pick([(0, 0), (0, 1), (1, 0), (1, 1), (1e-10, 1), (50, -2), (0.045, 1)])
    x["viewer"] = np.array([[0, 0, 0, 1], [0, 0, 1, 0]])
    places = [(0, 0, 0, 1), (0, 0, 1, 0), (0, 0, -1, 0), (1, 2, 3, 1), (0, 0, 0, 0), (0, 0, 1e-5, 1), (-1, 0, 0, 0)]
    fields = np.array(
        [[*place, 5, 0, 5, *axis] for place in places for axis in ((0, 0, 0, 0, 1), (0, 0, -1, 1e6, -1e6))]
    )
    x["lights"] = np.stack([fields, fields])
    return x


def test_everything_is_finite_for_strange_input_in_float32():
    leaves = {name: torch.tensor(x, dtype=torch.float32, requires_grad=True) for name, x in extreme_inputs().items()}
    image = ops.shade_metallic(**leaves, fragments=foreground())
    assert image.isfinite().all()
    image.sum().backward()
    for name, leaf in leaves.items():
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all(), name


def foreground():
    ids = torch.zeros((2, 9, 70), dtype=torch.int32)
    return ops.Fragments(ids, torch.zeros((2, 9, 70, 2)), torch.zeros((2, 9, 70)))
