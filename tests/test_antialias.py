# SPDX-License-Identifier: MIT
"""`antialias`: the picture against exact coverage, the gradient against the picture and against the line integral."""

import numpy as np
import pytest
import torch
from reference import scenes, walk
from reference.agreement import assert_close
from reference.derivative import central
from reference.estimators import gain, grad_pos_clip
from reference.silhouettes import mask_colors, rectangle, smooth_weight, sphere_in_pixels

from intaglio import ops
from intaglio.topology import neighbours


def mask_of(pos_clip, triangles, size):
    """Antialiased mask [H,W] of NumPy arrays."""
    fragments = ops.rasterize(pos_clip, triangles, size)
    mask = (fragments.triangle_id >= 0).astype(pos_clip.dtype)[..., None]
    return ops.antialias(mask, fragments, pos_clip, triangles)[0, ..., 0]


def ball(size, radius):
    """(pos_clip, triangles) of a round mask."""
    shape, _ = sphere_in_pixels(4, radius)
    return scenes.project(scenes.orthographic((size, size), 2 * size), shape.vertices), shape.triangles


# --- the picture


@pytest.mark.parametrize("right", [3.05, 3.3, 3.5, 3.6, 3.95, 4.0])
def test_an_upright_edge_leaves_its_coverage(right):
    row = mask_of(*rectangle(-4, -4, right, 12, (8, 8)), (8, 8))[4]
    expected = np.clip(right - np.arange(8), 0, 1)
    np.testing.assert_allclose(row, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("top", [2.05, 2.5, 2.75])
def test_a_level_edge_leaves_its_coverage(top):
    column = mask_of(*rectangle(-4, top, 12, 12, (8, 8)), (8, 8))[:, 4]
    np.testing.assert_allclose(column, np.clip(np.arange(8) + 1 - top, 0, 1), rtol=0, atol=1e-12)


def disc_coverage(size, centre, radius, factor=32):
    y, x = ((np.arange(n * factor) + 0.5) / factor for n in size)
    inside = (x[None, :] - centre[0]) ** 2 + (y[:, None] - centre[1]) ** 2 <= radius**2
    return inside.reshape(size[0], factor, size[1], factor).mean(axis=(1, 3))


@pytest.mark.parametrize("low", [0, 10, 20, 30, 40, 50, 60, 70, 80])
def test_a_disc_is_blended_by_coverage_at_every_angle(low):
    # Along the dominant axis the blend is the exact area of a strip through the pixel's centre. It misses what the edge
    # cuts off through the pixel's other sides: t^2 / 2 or (1 - t)^2 / 2 at 45 degrees, whose RMS over t is 0.056.
    # Four discs give 60 to 90 pixels per ten degrees, so the sample's RMS may be 10 % higher. Where the dominant axis
    # changes, at 45 degrees, one pixel of each quadrant may be blended by neither axis or by both, and be off by up to
    # 1/2: with a random offset, by 1/6 in the mean square's root; 16 of 85 pixels add 0.08.
    errors = []
    for radius in (19.3, 21.1, 22.7, 24.2):
        pos_clip, triangles = ball(64, radius)
        coverage = disc_coverage((64, 64), (32.3, 32.2), radius)
        y, x = np.mgrid[:64, :64] + 0.5
        angle = np.degrees(np.arctan2(np.abs(y - 32.2), np.abs(x - 32.3)))
        chosen = (coverage > 0) & (coverage < 1) & (angle >= low) & (angle < low + 10)
        errors.append((mask_of(pos_clip, triangles, (64, 64)) - coverage)[chosen])
    errors = np.concatenate(errors)
    assert len(errors) >= 60
    assert np.sqrt(np.mean(errors**2)) <= (np.hypot(0.056, 0.08) if low == 40 else 0.056) * 1.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_stay_within_the_colours_around(dtype):
    rng = np.random.default_rng(0)
    pos_clip, triangles = scenes.random_triangles(rng, batch=2, num_triangles=40)
    pos_clip = pos_clip.astype(dtype)
    fragments = ops.rasterize(pos_clip, triangles, (32, 40))
    image = rng.uniform(size=(2, 32, 40, 2)).astype(dtype)
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    around = np.stack([image, padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]])
    result = ops.antialias(image, fragments, pos_clip, triangles)
    rounding = 8 * np.finfo(dtype).eps
    assert (result >= around.min(axis=0) - rounding).all()
    assert (result <= around.max(axis=0) + rounding).all()
    assert not np.array_equal(result, image)


def test_inside_a_surface_nothing_is_blended():
    # Two triangles of one plane, in different colours: their common edge is none of the silhouette.
    pos_clip, quad = rectangle(-4, -4, 12, 12, (8, 8))
    fragments = ops.rasterize(pos_clip, quad, (8, 8))
    image = fragments.triangle_id[..., None].astype(float)
    np.testing.assert_array_equal(ops.antialias(image, fragments, pos_clip, quad), image)


@pytest.mark.parametrize("seed", range(6))
def test_scenes_agree_with_the_reference(seed):
    rng = np.random.default_rng(seed)
    size = (36, 44)
    shapes = []
    for index in range(3):  # one behind the other, never through each other
        sphere = scenes.icosphere(int(rng.integers(0, 2)))
        turned = sphere.vertices @ scenes.rotation(rng.normal(size=3), rng.uniform(0, 3)).T * rng.uniform(0.5, 1)
        shapes.append(
            scenes.Shape(turned + rng.normal(size=3) * [0.5, 0.5, 0] - [0, 0, 4 + 2.5 * index], sphere.triangles)
        )
    mesh = scenes.join(*shapes)
    pos_clip = scenes.project(scenes.perspective(1.7, aspect=44 / 36), mesh.vertices)
    fragments = ops.rasterize(pos_clip, mesh.triangles, size)
    image = rng.normal(size=(1, *size, 2))
    got = ops.antialias(image, fragments, pos_clip, mesh.triangles)[0]
    expected = walk.antialias(
        image[0], fragments.triangle_id[0], fragments.depth[0], pos_clip[0], mesh.triangles,
        walk.neighbour_table(mesh.triangles),
    )  # fmt: skip
    assert (expected != image[0]).any(axis=-1).sum() >= 30
    # The walk decides on a grid of 1/256 pixel; the crossing it finds is computed from the positions themselves.
    assert_close(got, expected, 1e-9, "antialias")


# --- the gradient


@pytest.mark.parametrize("size", [64, 160])
@pytest.mark.parametrize("level", range(6))
def test_a_growing_sphere_has_gain_one(level, size):
    shape, outward = sphere_in_pixels(level, radius=23 * size / 64)
    matrix = scenes.orthographic((size, size), 2 * size)
    got = gain(matrix, shape, outward, smooth_weight((size, size)), op=ops.antialias)
    assert got == pytest.approx(1, abs=0.01)


def scene_in_torch(seed=1):
    rng = np.random.default_rng(seed)
    sphere = scenes.icosphere(1)
    front = sphere.vertices + np.array([0.2, 0.1, -3])
    back = sphere.vertices * 1.3 + np.array([-0.4, 0.2, -5.5])
    mesh = scenes.join(scenes.Shape(front, sphere.triangles), scenes.Shape(back, sphere.triangles))
    pos_clip = scenes.project(scenes.perspective(1.6), mesh.vertices)
    return rng, pos_clip, mesh.triangles, rng.normal(size=(1, 32, 32, 2)), rng.normal(size=(1, 32, 32, 2))


def test_the_gradient_of_positions_is_the_derivative_of_the_picture():
    rng, pos_clip, triangles, image, weight = scene_in_torch()
    fragments = ops.rasterize(pos_clip, triangles, (32, 32))
    pos = torch.tensor(pos_clip, requires_grad=True)
    in_torch = ops.Fragments(*(torch.from_numpy(x) for x in fragments))
    out = ops.antialias(torch.from_numpy(image), in_torch, pos, torch.from_numpy(triangles))
    (out * torch.from_numpy(weight)).sum().backward()
    for _ in range(5):
        direction = rng.normal(size=pos_clip.shape)
        # Coverage and colours stay, only the places of the crossings move; 1e-7 moves none past a vertex or 1/2.
        moved = central(lambda p: ops.antialias(image, fragments, p, triangles), pos_clip, direction, 1e-7)
        assert (pos.grad.numpy() * direction).sum() == pytest.approx((moved * weight).sum(), rel=1e-5)


def test_the_gradient_of_the_image_is_the_adjoint():
    rng, pos_clip, triangles, image, weight = scene_in_torch()
    fragments = ops.rasterize(torch.from_numpy(pos_clip), torch.from_numpy(triangles), (32, 32))
    leaf = torch.tensor(image, requires_grad=True)
    geometry = fragments, torch.from_numpy(pos_clip), torch.from_numpy(triangles)
    (ops.antialias(leaf, *geometry) * torch.from_numpy(weight)).sum().backward()
    direction = rng.normal(size=image.shape)
    forward = ops.antialias(torch.from_numpy(direction), *geometry).numpy()  # linear in the image
    assert (leaf.grad.numpy() * direction).sum() == pytest.approx((forward * weight).sum(), abs=1e-11)


def test_what_is_hidden_gets_no_gradient():
    sphere = scenes.icosphere(2)
    wall = scenes.grid(1, half_side=25.0)
    mesh = scenes.join(
        scenes.Shape(sphere.vertices * 15, sphere.triangles),
        scenes.Shape(wall.vertices + np.array([0.4, 0.7, 20]), wall.triangles),
    )
    pos_clip = scenes.project(scenes.orthographic((64, 64), 64), mesh.vertices)
    weight = smooth_weight((64, 64))
    grad = grad_pos_clip(pos_clip, mesh.triangles, mask_colors(mesh.triangles), weight, op=ops.antialias)
    assert not grad[: len(sphere.vertices)].any()
    assert grad[len(sphere.vertices) :].any()


def test_a_seam_is_no_edge():
    cube = scenes.cube()
    vertices = cube.vertices @ scenes.rotation([1, 2, 0.5], 0.8).T + np.array([0, 0, -4])
    welded = scenes.project(scenes.perspective(1.5), vertices)
    split_of = cube.triangles.reshape(-1)
    seams = np.arange(36, dtype=np.int32).reshape(12, 3)
    fragments = ops.rasterize(welded, cube.triangles, (48, 48))
    image = np.random.default_rng(0).normal(size=(1, 48, 48, 3))
    table = neighbours(seams, vertices[split_of])
    np.testing.assert_array_equal(
        ops.antialias(image, fragments, np.ascontiguousarray(welded[:, split_of]), seams, neighbours=table),
        ops.antialias(image, fragments, welded, cube.triangles),
    )
