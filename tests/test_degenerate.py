# SPDX-License-Identifier: MIT
"""Meshes that no one would draw on purpose: every op stays finite, forward and backward, in float32."""

import jax
import numpy as np
import pytest
import torch
from reference import chains, scenes

from intaglio import neighbours, ops
from intaglio.topology import edge_ends


def duplicates(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 12)
    return pos, np.concatenate([triangles, triangles[::-1], triangles[:, ::-1]])


def slivers(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 40)
    pos = pos.reshape(2, -1, 3, 4)
    pos[:, :, 2] = (pos[:, :, 0] + pos[:, :, 1]) / 2 + 10.0 ** rng.uniform(-9, -3, (2, 40, 1)) * rng.normal(
        size=(2, 40, 4)
    )
    return pos.reshape(2, -1, 4), triangles


def points_and_lines(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 20)
    return pos, np.concatenate([triangles[:, [0, 0, 0]], triangles[:, [0, 1, 0]], triangles])


def huge(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 12)
    scale = 10.0 ** rng.uniform(0, 15, (2, 12, 1, 1))
    pos = pos.reshape(2, 12, 3, 4) * np.concatenate([scale, scale, np.ones_like(scale), np.ones_like(scale)], -1)
    return pos.reshape(2, -1, 4), triangles


def through_the_eye(rng):
    return scenes.random_crossing_triangles(rng, 2, 16)


def nearly_no_w(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 16)
    pos[..., 3] *= 10.0 ** rng.uniform(-30, 0, pos.shape[:2]) * rng.choice([-1, 0, 1, 1, 1], pos.shape[:2])
    return pos, triangles


def on_one_plane(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 16)
    pos[..., 2] = 0.25 * pos[..., 3]
    return pos, triangles


def tangled(rng):
    # Few vertices, many triangles: edges of many triangles, folds upon folds, vertices used twice.
    pos, _ = scenes.random_triangles(rng, 2, 4)
    return pos, rng.integers(0, 12, (40, 3))


MESHES = [duplicates, slivers, points_and_lines, huge, through_the_eye, nearly_no_w, on_one_plane, tangled]
NAMES = [name for name in chains.CHAINS if name not in ("sample_texture", "squared_error", "downsample")]


def inputs_of(pos_clip, triangles, rng):
    triangles = triangles.astype(np.int32)
    x = chains.inputs(batch=2)
    x["pos_clip"] = torch.tensor(pos_clip, dtype=torch.float32)
    x["attributes"] = torch.tensor(rng.normal(size=(2, pos_clip.shape[1], 3)), dtype=torch.float32)
    x["face_textures"] = torch.tensor(rng.normal(size=(len(triangles), 2, 2, 2, 3)), dtype=torch.float32)
    x["triangles"] = torch.from_numpy(np.ascontiguousarray(triangles))
    x["neighbours"] = torch.from_numpy(neighbours(x["triangles"].numpy()))
    x["starts"], x["ends"] = edge_ends(x["triangles"], x["attributes"].shape[-2])
    return x


# A walk over a tangle may go in circles; it is cut short and counted, aloud.
CUT_SHORT = "gave up after 4096 triangles within one pixel; their gradient may be wrong"


@pytest.mark.filterwarnings(f"ignore:.*{CUT_SHORT}:RuntimeWarning")
@pytest.mark.parametrize("make", MESHES)
@pytest.mark.parametrize("name", NAMES)
def test_odd_meshes_stay_finite(name, make):
    rng = np.random.default_rng(0)
    x = inputs_of(*make(rng), rng)
    outputs, gradients = chains.value_and_gradients(chains.CHAINS[name], x)
    for output in outputs:
        assert torch.isfinite(output).all()
    for gradient in gradients.values():
        assert torch.isfinite(gradient).all()


def test_a_walk_that_is_cut_short_is_reported():
    rng = np.random.default_rng(0)
    with pytest.warns(RuntimeWarning, match=rf"^edge_gradient backward: \d+ pixel pairs {CUT_SHORT}$"):
        chains.value_and_gradients(chains.edge_gradient, inputs_of(*tangled(rng), rng))


def test_jax_reports_it_from_a_thread_of_its_own():
    rng = np.random.default_rng(0)
    x = {name: jax.numpy.array(value.numpy()) for name, value in inputs_of(*tangled(rng), rng).items()}
    pull = jax.jit(jax.grad(lambda pos: (chains.edge_gradient(x | {"pos_clip": pos})[0] ** 2).sum()))
    with pytest.warns(RuntimeWarning, match=rf"^edge_gradient backward: \d+ pixel pairs {CUT_SHORT}$"):
        jax.block_until_ready(pull(x["pos_clip"]))


# --- what fuzzing found

TRIANGLE = np.float32([[[-0.9, -0.8, 0.1, 1], [0.9, -0.7, 0.2, 1.5], [0.1, 0.9, 0.3, 2]]])
ONE = np.int32([[0, 1, 2]])


@pytest.mark.parametrize("scale", [1e-38, 1e-25, 1e-12, 1e12, 1e30])
def test_what_is_seen_does_not_depend_on_the_scale_of_clip_space(scale):
    # Products of three such numbers vanish in float32, or overflow; weights and slopes were NaN.
    plain, scaled = ops.rasterize(TRIANGLE, ONE, (9, 9)), ops.rasterize(TRIANGLE * np.float32(scale), ONE, (9, 9))
    eps = 64 * np.finfo(np.float32).eps  # and 1e-38 has lost two of its digits
    eps = 1e-4 if scale == 1e-38 else eps
    np.testing.assert_array_equal(scaled.triangle_id, plain.triangle_id)
    np.testing.assert_allclose(scaled.barycentrics, plain.barycentrics, atol=eps)
    attributes = np.float32([[0, 0], [1, 0], [0, 1]])
    slopes = [ops.screen_derivatives(attributes, plain, ONE, TRIANGLE * np.float32(s), ONE) for s in (1, scale)]
    np.testing.assert_allclose(slopes[1], slopes[0], atol=eps)
    soft = [ops.soft_rasterize(TRIANGLE * np.float32(s), ONE, (9, 9), layers=1) for s in (1, scale)]
    if scale < 1e30:  # where z / w and x / w are exact enough
        np.testing.assert_allclose(soft[1].barycentrics, soft[0].barycentrics, atol=8 * eps)


def test_a_vertex_in_the_plane_of_the_eye_has_no_swept_gradient():
    # Its gradient of 0 was divided by its w of 0.
    pos_clip = torch.tensor([[[-1, -1, 0, 1], [1, -1, 0, 1], [0, 1, 0, 0]]], dtype=torch.float32, requires_grad=True)
    triangles = torch.from_numpy(ONE)
    fragments = ops.rasterize(pos_clip.detach(), triangles, (8, 8))
    assert (fragments.triangle_id >= 0).any()
    image = (fragments.triangle_id >= 0).float()[..., None]
    ops.sweep_gradient(image, fragments, pos_clip, triangles).square().sum().backward()
    assert pos_clip.grad.isfinite().all()


def test_gradients_through_a_triangle_without_measurable_area_are_zero():
    # Of corners at 1e-20 and less beside one of ordinary size the quotients overflowed.
    corners = [[0.4, 0.2, 0.1, 0.42], [1e-20, -2e-20, 0, 3e-20], [2e-19, 1e-19, 0, 1e-19]]
    pos_clip = torch.tensor([corners], dtype=torch.float32, requires_grad=True)
    fragments = ops.rasterize(pos_clip, torch.from_numpy(ONE), (16, 16))
    (fragments.barycentrics.sum() + fragments.depth.sum()).backward()
    assert pos_clip.grad.isfinite().all()


def test_gradients_of_depth_are_finite_however_large_clip_space_is():
    # Depth is a quotient of products of three, which overflow long before products of two.
    for scale in 10.0 ** np.arange(10, 37, 2):
        pos_clip = torch.tensor(TRIANGLE * np.float32(scale), requires_grad=True)
        ops.rasterize(pos_clip, torch.from_numpy(ONE), (9, 9)).depth.sum().backward()
        assert pos_clip.grad.isfinite().all()


def test_soft_weights_far_from_the_eye_are_finite():
    # One over a w of 1e32 times a small weight vanished, and 0 was divided by 0.
    soft = ops.soft_rasterize(TRIANGLE * np.float32([1e31, 1e31, 1e36, 1e36]), ONE, (9, 9), layers=1)
    assert (soft.triangle_id >= 0).any()
    assert np.isfinite(soft.barycentrics).all()


def test_a_textured_triangle_without_measurable_area_has_a_colour():
    # Its sum of edge functions had no inverse, and uv were NaN.
    corners = [[1.92e-31, 1.82e-31, 1.9e-32, 1.52e-31], [-2.33e-14, -3.45e-14, 0, 3.64e-14], [-2e-39, 3e-39, 0, 3e-39]]
    uv, texture = np.float32([[0, 0], [1, 0], [0, 1]]), np.ones((4, 4, 3), np.float32)
    image = ops.textured(np.float32([corners]), ONE, uv, texture, (2, 2))
    assert image.any()
    assert np.isfinite(image).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("roughness", [1e-6, 1e-3, 0.02, 0.1])
def test_a_lobe_between_the_texels_of_a_small_cube_gathers_some(roughness, dtype):
    # It reached none, and 0 was divided by 0; in float32 its peak was infinite besides.
    for from_size in (1, 2, 3, 4, 7, 32):
        for size in (1, 2, 5, 8):
            light = ops.prefilter_cube(np.ones((6, from_size, from_size, 1), dtype), size, roughness)
            np.testing.assert_allclose(light, 1, atol=64 * np.finfo(dtype).eps)  # sums of 64 lanes and their quotient


def test_a_narrow_lobe_shows_the_cube_itself():
    # It ends sqrt(2) / 8 aside, at 1e-4 of its peak. Next texels lie at least 1 / 8 aside, towards the edges, where
    # the distance squared is half as much and the lobe four times as high; there are eight of them.
    cube = np.random.default_rng(0).random((6, 8, 8, 3))
    np.testing.assert_allclose(ops.prefilter_cube(cube, 8, 1e-3), cube, atol=8 * 4e-4)
