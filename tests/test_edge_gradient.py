# SPDX-License-Identifier: MIT
"""`edge_gradient` by hand, against the exact line integral along visible edges, and against the reference walk."""

import numpy as np
import pytest
import torch
from reference import edges, scenes, walk
from reference.agreement import assert_close
from reference.estimators import grad_pos_clip
from reference.silhouettes import (
    clip_direction,
    exact_derivative,
    mask_colors,
    rectangle,
    smooth_weight,
    sphere_in_pixels,
    window_weight,
)

from intaglio import ops
from intaglio.topology import neighbours

# --- closed forms


def test_a_half_plane_gains_its_height_per_pixel():
    # The right side of a bright half plane crosses 8 rows; a step of 1 in ndc is 4 pixels.
    pos_clip, quad = rectangle(-4, -4, 3.3, 12, (8, 8))
    grad = grad_pos_clip(pos_clip, quad, mask_colors(quad), np.ones((8, 8)))
    assert grad[[1, 2], 0].sum() == pytest.approx(8 * 4, rel=1e-12)
    assert grad[[0, 3], 0].tolist() == [0, 0]
    assert grad[:, 1:3].tolist() == [[0, 0]] * 4


def test_a_rectangle_grows_by_its_sides():
    # 4 rows and 5 columns of pixel centres lie inside; sides are 4 and 5 pixels long.
    pos_clip, quad = rectangle(1.25, 2.25, 6.25, 6.25, (8, 8))
    grad = grad_pos_clip(pos_clip, quad, mask_colors(quad), np.ones((8, 8)))
    left, right = grad[[0, 3], 0].sum(), grad[[1, 2], 0].sum()
    bottom, top = grad[[0, 1], 1].sum(), grad[[2, 3], 1].sum()
    assert [left, right, bottom, top] == pytest.approx([-16, 16, -20, 20], rel=1e-12)


@pytest.mark.parametrize(("right", "column"), [(3.3, 3), (3.6, 3), (3.9, 3), (4.2, 4)])
def test_the_crossed_pixel_is_the_one_that_counts(right, column):
    pos_clip, quad = rectangle(-4, -4, right, 12, (8, 8))
    for other in range(8):
        weight = np.zeros((8, 8))
        weight[5, other] = 1
        grad = grad_pos_clip(pos_clip, quad, mask_colors(quad), weight)
        assert grad[[1, 2], 0].sum() == pytest.approx(4 if other == column else 0)


def test_the_vertex_near_the_crossing_gets_the_larger_share():
    # The right side runs over 16 rows from 4 above the image; row 5's centre is 9.5 / 16 of the way down.
    pos_clip, quad = rectangle(-4, -4, 3.3, 12, (8, 8))
    weight = np.zeros((8, 8))
    weight[5, 3] = 1
    grad = grad_pos_clip(pos_clip, quad, mask_colors(quad), weight)
    assert grad[[1, 2], 0] == pytest.approx([4 * 9.5 / 16, 4 * 6.5 / 16], rel=1e-12)


def test_a_brighter_background_turns_the_sign():
    pos_clip, quad = rectangle(1.25, 2.25, 6.25, 6.25, (8, 8))
    bright, dark = (
        grad_pos_clip(pos_clip, quad, colors, np.ones((8, 8))) for colors in ([[1], [1], [0.0]], [[0], [0], [1.0]])
    )
    np.testing.assert_array_equal(bright, -dark)


def test_scaling_homogeneous_coordinates_changes_nothing():
    # (x, y, z, w) and its double are the same image, so the gradient is orthogonal to pos_clip. The walk sees the
    # sphere's outline, 14 pixels from the centre, on a grid of 1/256 pixel.
    sphere = scenes.icosphere(2)
    pos_clip = scenes.project(scenes.perspective(1.7), sphere.vertices + np.array([0.2, 0.1, -3]))
    grad = grad_pos_clip(pos_clip, sphere.triangles, mask_colors(sphere.triangles), smooth_weight((48, 48)))
    assert abs((grad * pos_clip[0]).sum()) <= np.abs(grad * pos_clip[0]).sum() / (14 * 256)


# The published figures, of a NumPy re-creation of the rule with its own losses. Sixty triangles a radius know the RMS
# to about 1 / sqrt(60) = 13 %; this smooth weight asks less of the rule, so the figures are met with room.
@pytest.mark.parametrize(
    ("circumradius", "published"), [(1.5, 0.52), (3, 0.183), (6, 0.054), (12, 0.022), (24, 0.010), (40, 0.009)]
)
def test_isolated_triangles_come_as_close_as_published(circumradius, published):
    rng = np.random.default_rng(int(circumradius * 10))
    size = (int(2.5 * circumradius) + 8,) * 2
    triangle = np.array([[0, 1, 2]], dtype=np.int32)
    squared_error = squared_truth = 0.0
    for seed in range(60):
        angles = rng.uniform(0, 2 * np.pi) + np.array([0, 2, 4]) * np.pi / 3 + rng.uniform(-0.5, 0.5, 3)
        corners = circumradius * np.stack([np.cos(angles), np.sin(angles)], 1) + rng.uniform(-0.5, 0.5, 2)
        pos_clip = np.c_[corners * [2 / size[1], 2 / size[0]], np.zeros(3), np.ones(3)][None]
        weight = smooth_weight(size, seed)
        got = grad_pos_clip(pos_clip, triangle, mask_colors(triangle), weight)[:, :2] * [2 / size[1], -2 / size[0]]
        truth = edges.polygon_gradient(edges.pixels_from_clip(pos_clip[0], size), weight)
        squared_error += ((got - truth) ** 2).sum()
        squared_truth += (truth**2).sum()
    assert np.sqrt(squared_error / squared_truth) <= published


# --- surfaces that cross


@pytest.mark.parametrize("angle", [0, 20, 30, 45, 60, 90, 135])
def test_a_plane_slid_through_another_moves_their_line_at_a_known_speed(angle):
    # Plane A is z = h, plane B rises by 0.7 per pixel along n: they meet on n . (x, y) = 2.3 + h / 0.7.
    size, rise = (64, 64), 0.7
    n = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    flat = scenes.grid(1, half_side=80.0)
    tilted = flat.vertices + np.outer(rise * (flat.vertices[:, :2] @ n - 2.3), [0, 0, 1])
    mesh = scenes.join(flat, scenes.Shape(tilted, flat.triangles))
    matrix = scenes.orthographic(size, 200)
    weight = window_weight(size)
    colors = np.array([[0.2], [0.2], [0.9], [0.9], [0.0]])
    grad = grad_pos_clip(scenes.project(matrix, mesh.vertices), mesh.triangles, colors, weight)
    got = (grad[:4] * clip_direction(matrix, flat.vertices, np.array([0, 0, 1.0]))).sum()

    along = np.array([-n[1], n[0]])
    ends = np.array([2.3 * n - 60 * along, 2.3 * n + 60 * along]) * [1, -1] + 32
    length_integral = np.linalg.norm(np.sum(edges.segment_gradient(*ends, weight), axis=0))
    # At 45 degrees every row crosses at the same place between two centres: a Riemann sum of about 60 terms over a
    # window whose second difference is below (2 / 32)^2, so 0.4 %.
    assert got == pytest.approx((0.2 - 0.9) * length_integral / rise, rel=0.005)
    # Slid together, or along themselves, nothing changes.
    for velocity in np.eye(3):
        together = (grad * clip_direction(matrix, mesh.vertices, velocity)).sum()
        sideways = (grad[:4] * clip_direction(matrix, flat.vertices, velocity)).sum()
        if velocity[2]:
            assert abs(together) <= 1e-9 * abs(got)
        else:
            assert abs(sideways) <= 1e-9 * abs(got)


# --- occlusion


def test_what_is_hidden_gets_no_gradient():
    sphere, _ = sphere_in_pixels(3, radius=15)
    wall = scenes.grid(1, half_side=25.0)
    mesh = scenes.join(sphere, scenes.Shape(wall.vertices + np.array([0.4, 0.7, 20]), wall.triangles))
    colors = np.array([[1.0]] * len(sphere.triangles) + [[0.5], [0.5]] + [[0.0]])
    pos_clip = scenes.project(scenes.orthographic((64, 64), 64), mesh.vertices)
    grad = grad_pos_clip(pos_clip, mesh.triangles, colors, smooth_weight((64, 64)))
    assert not grad[: len(sphere.vertices)].any()
    assert grad[len(sphere.vertices) :].any()


@pytest.mark.parametrize("seed", range(5))
def test_an_occluder_moves_over_a_textured_background(seed):
    # A flat convex outline before a picture: dL = integral of weight * (c_inside - c_outside) (n . dx).
    rng = np.random.default_rng(seed)
    size = (48, 56)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 7)) + np.arange(7) * 1e-3
    outline = np.c_[14 * np.cos(angles), 14 * np.sin(angles), np.zeros(7)]
    triangles = np.array([(0, k, k + 1) for k in range(1, 6)], dtype=np.int32)
    pos_clip = scenes.project(scenes.orthographic(size, 10), outline)
    picture = smooth_weight(size, seed + 10)
    weight = smooth_weight(size, seed)

    pos = torch.tensor(pos_clip, requires_grad=True)
    fragments = ops.rasterize(pos, torch.from_numpy(triangles), size)
    seen = (fragments.triangle_id >= 0)[..., None]
    image = torch.where(seen, 3.0, torch.from_numpy(picture)[None, ..., None])
    image = ops.edge_gradient(image, fragments, pos, torch.from_numpy(triangles))
    (image * torch.from_numpy(weight)[..., None]).sum().backward()
    direction = clip_direction(scenes.orthographic(size, 10), outline, outline / 14)
    truth = exact_derivative(pos_clip, direction, weight * (3.0 - picture))
    # The colours are taken at pixel centres, up to half a pixel from the edge: (0.5 / 56 * 5) * 0.4 / 2 = 1 %.
    assert (pos.grad[0].numpy() * direction).sum() == pytest.approx(truth, rel=0.02)


# --- agreement with the reference walk, pair by pair


def rough_spheres(seed, size):
    rng = np.random.default_rng(seed)
    shapes = []
    for index in range(3):
        sphere = scenes.icosphere(int(rng.integers(0, 2)))
        vertices = sphere.vertices * (1 + 0.1 * rng.normal(size=(len(sphere.vertices), 1))) * rng.uniform(0.5, 1)
        vertices = vertices @ scenes.rotation(rng.normal(size=3), rng.uniform(0, 3)).T
        place = rng.normal(size=3) * [0.5, 0.5, 0] - [0, 0, 4 + 2.5 * index]  # one behind the other, never through
        shapes.append(scenes.Shape(vertices + place, sphere.triangles))
    mesh = scenes.join(*shapes)
    return scenes.project(scenes.perspective(1.7, aspect=size[1] / size[0]), mesh.vertices), mesh.triangles, rng


@pytest.mark.parametrize("seed", range(8))
def test_every_pair_of_pixels_agrees_with_the_reference_walk(seed):
    size = (40, 48)
    pos_clip, triangles, rng = rough_spheres(seed, size)
    colors = rng.normal(size=(len(triangles) + 1, 2))
    weight = rng.normal(size=(*size, 2))
    pos = torch.tensor(pos_clip, requires_grad=True)
    fragments = ops.rasterize(pos, torch.from_numpy(triangles), size)
    image = torch.from_numpy(colors)[fragments.triangle_id.long()]
    (ops.edge_gradient(image, fragments, pos, torch.from_numpy(triangles)) * torch.from_numpy(weight)).sum().backward()
    expected = walk.edge_gradient(
        image[0].numpy(), weight, fragments.triangle_id[0].numpy(), fragments.depth[0].detach().numpy(),
        pos_clip[0], triangles, walk.neighbour_table(triangles),
    )  # fmt: skip
    assert expected.counts["edges"] >= 40
    assert expected.counts["crossings"] == 0
    assert np.median(expected.tolerance) <= 0.01 * np.abs(expected.grad_pos_clip).max()
    assert_close(pos.grad[0].numpy(), expected.grad_pos_clip, expected.tolerance + 1e-9, "grad_pos_clip")


# --- the op's manners


def small_scene():
    sphere = scenes.icosphere(1)
    pos_clip = scenes.project(scenes.perspective(1.5), sphere.vertices + np.array([0, 0, -3]))
    return pos_clip, sphere.triangles


def test_forward_is_the_identity():
    pos_clip, triangles = small_scene()
    fragments = ops.rasterize(pos_clip, triangles, (16, 16))
    image = np.random.default_rng(0).normal(size=(1, 16, 16, 3))
    np.testing.assert_array_equal(ops.edge_gradient(image, fragments, pos_clip, triangles), image)


def test_the_image_receives_its_gradient_unchanged():
    pos_clip, triangles = (torch.from_numpy(x) for x in small_scene())
    fragments = ops.rasterize(pos_clip, triangles, (16, 16))
    image = torch.randn(1, 16, 16, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(1, 16, 16, 3, dtype=torch.float64)
    (ops.edge_gradient(image, fragments, pos_clip, triangles) * weight).sum().backward()
    assert torch.equal(image.grad, weight)


def test_equal_colours_have_no_edge():
    pos_clip, triangles = small_scene()
    colors = np.ones((len(triangles) + 1, 1))
    assert not grad_pos_clip(pos_clip, triangles, colors, smooth_weight((32, 32))).any()


def test_a_cube_with_seams_gets_the_gradient_of_a_welded_one():
    cube = scenes.cube()
    vertices = cube.vertices @ scenes.rotation([1, 2, 0.5], 0.8).T + np.array([0, 0, -4])
    matrix = scenes.perspective(1.5)
    welded = scenes.project(matrix, vertices)
    split_of = cube.triangles.reshape(-1)  # every corner its own vertex
    seams = np.arange(36, dtype=np.int32).reshape(12, 3)
    colors, weight = mask_colors(seams), smooth_weight((64, 64))
    expected = grad_pos_clip(welded, cube.triangles, colors, weight)
    got = grad_pos_clip(welded[:, split_of], seams, colors, weight, positions=vertices[split_of])
    gathered = np.zeros_like(expected)
    np.add.at(gathered, split_of, got)
    # The same terms in another order of summation: 300 pairs at most.
    np.testing.assert_allclose(gathered, expected, rtol=0, atol=300 * 2.0**-52 * np.abs(expected).max())


def test_the_table_is_built_when_it_is_not_given():
    pos_clip, triangles = (torch.from_numpy(x) for x in small_scene())

    def grad(table):
        pos = pos_clip.clone().requires_grad_()
        fragments = ops.rasterize(pos, triangles, (32, 32))
        image = (fragments.triangle_id >= 0).double()[..., None]
        ops.edge_gradient(image, fragments, pos, triangles, neighbours=table).square().sum().backward()
        return pos.grad

    assert torch.equal(grad(None), grad(neighbours(triangles)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_silhouette_is_the_mask_and_its_edges_in_one(dtype):
    pos_clip, triangles, _ = rough_spheres(3, (40, 48))
    faces = torch.from_numpy(triangles)
    table = torch.from_numpy(neighbours(triangles))
    weight = torch.tensor(smooth_weight((40, 48)), dtype=dtype)[..., None]
    results = []
    for is_one_op in (True, False):
        pos = torch.tensor(pos_clip, dtype=dtype, requires_grad=True)
        if is_one_op:
            image = ops.silhouette(pos, faces, (40, 48), neighbours=table)
        else:
            fragments = ops.rasterize(pos, faces, (40, 48))
            mask = (fragments.triangle_id >= 0).to(dtype)[..., None]
            image = ops.edge_gradient(mask, fragments, pos, faces, neighbours=table)
        (image * weight).sum().backward()
        results.append((image.detach(), pos.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
