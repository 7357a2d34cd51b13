# SPDX-License-Identifier: MIT
"""The reference and the assertions themselves: each is held against something simpler, and sees a planted fault."""

import numpy as np
import pytest
import torch
from reference import agreement, edges, images, raster, scenes, shade, sweep, walk
from reference.derivative import central, complex_step, gradient

from intaglio import neighbours, ops

# --- derivatives


def test_the_complex_step_is_exact():
    point, direction = np.array([0.3, -1.2]), np.array([2.0, 0.5])
    function = lambda x: np.array([x[0] ** 2 * x[1], np.sin(x[1]) / x[0]])  # noqa: E731
    slope = np.array(
        [2 * 0.3 * -1.2 * 2 + 0.3**2 * 0.5, np.cos(-1.2) / 0.3 * 0.5 - np.sin(-1.2) / 0.09 * 2]
    )  # fmt: skip
    np.testing.assert_allclose(complex_step(function, point, direction), slope, rtol=1e-15)
    np.testing.assert_allclose(central(function, point, direction), slope, rtol=1e-8)


def test_the_gradient_lists_every_element():
    assert gradient(lambda x: (x**2).sum(), np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [[2, 4], [6, 8]]


# --- assertions


@pytest.mark.parametrize("fault", [1.1e-3, -1.1e-3, np.nan, np.inf])
def test_assert_close_sees(fault):
    expected = np.zeros((2, 3))
    got = expected.copy()
    got[1, 2] = fault
    with pytest.raises(AssertionError, match=r"thing: 1 of 6 differ; first at \(1, 2\)"):
        agreement.assert_close(got, expected, 1e-3, "thing")


def test_assert_close_sees_another_shape():
    with pytest.raises(AssertionError, match="shape"):
        agreement.assert_close(np.zeros(3), np.zeros((1, 3)), 1.0, "thing")


def test_a_scene_all_in_doubt_proves_nothing():
    # Every edge of this fan passes through the only pixel's centre.
    pos_clip = np.array([[[0, 0, 0, 1], [1, 0, 0, 1], [0, 1, 0, 1], [-1, 0, 0, 1]]], dtype=np.float32)
    triangles = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    got = ops.rasterize(pos_clip, triangles, (1, 1))
    with pytest.raises(AssertionError, match=r"100\.0% of the scene is in doubt"):
        agreement.assert_fragments_agree(got, pos_clip, triangles, (1, 1))


# --- edges


def shoelace(corners):
    following = np.roll(corners, -1, axis=0)
    return (corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).sum() / 2


@pytest.mark.parametrize("order", [1, -1])
def test_the_line_integral_of_one_is_the_derivative_of_the_area(order):
    corners = np.array([(3.2, 4.1), (17.7, 2.3), (15.1, 18.9), (6.5, 12.2)])[::order]
    expected = np.sign(shoelace(corners)) * gradient(shoelace, corners)
    np.testing.assert_allclose(edges.polygon_gradient(corners, np.ones((20, 20))), expected, rtol=1e-12)


def test_the_line_integral_counts_nothing_outside_the_image():
    # A square of which only the right side crosses the image: 4 rows, weight 2.
    corners = np.array([(-9.0, -9.0), (2.5, -9.0), (2.5, 13.0), (-9.0, 13.0)])
    grad = edges.polygon_gradient(corners, np.full((4, 4), 2.0))
    assert grad[:, 0].sum() == pytest.approx(8)
    assert grad[:, 1].tolist() == [0, 0, 0, 0]


def test_the_line_integral_agrees_with_many_samples():
    rng = np.random.default_rng(0)
    size = (24, 24)
    corners = np.array([(4.3, 5.2), (19.7, 8.1), (9.2, 20.3)])
    weight = rng.uniform(0.5, 1.5, size)
    triangle = np.array([[0, 1, 2]])

    def pos_clip(points):
        return np.c_[points * [2 / 24, -2 / 24] + [-1, 1], np.zeros(3), np.ones(3)][None]

    direction = rng.normal(size=corners.shape)
    direction /= np.abs(direction).max()
    got = (edges.polygon_gradient(corners, weight) * direction).sum()
    truth = images.loss_derivative(
        lambda t: pos_clip(corners + t * direction), triangle, weight[None, ..., None], 64,
        lambda ids, weights: (ids >= 0).astype(float)[..., None], step=0.05,
    )  # fmt: skip
    # The weight jumps from pixel to pixel: some 45 crossings, each off by up to the step's share of a jump, 0.05 / 2.
    assert got == pytest.approx(truth, abs=0.05 / 2 * np.sqrt(45))


def test_the_hull_is_the_silhouette_of_a_convex_body():
    points = np.array([(0, 0), (4, 0), (4, 3), (0, 3), (2, 1), (1, 2), (2, 0)])
    assert sorted(edges.convex_hull(points.astype(float)).tolist()) == [0, 1, 2, 3]


# --- walks


@pytest.mark.parametrize("shape", [scenes.icosphere(2), scenes.cube(), scenes.grid(4)])
def test_the_neighbour_tables_agree(shape):
    np.testing.assert_array_equal(walk.neighbour_table(shape.triangles), neighbours(shape.triangles))
    split = shape.vertices[shape.triangles].reshape(-1, 3)
    seams = np.arange(len(split), dtype=np.int32).reshape(-1, 3)
    np.testing.assert_array_equal(walk.neighbour_table(seams, split), neighbours(seams, split))


def test_an_edge_of_three_triangles_is_a_border_in_both_tables():
    triangles = np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4]], dtype=np.int32)
    assert walk.neighbour_table(triangles).tolist() == np.full((3, 3), -1).tolist()
    np.testing.assert_array_equal(walk.neighbour_table(triangles), neighbours(triangles))


def gain_with(table, level=4):
    """Gain of a growing sphere's mask when edge_gradient is handed this table."""
    sphere = scenes.icosphere(level)
    outward = sphere.vertices @ scenes.rotation([1, 2, 3], 0.7).T
    matrix = scenes.orthographic((64, 64), 128)
    pos = torch.tensor(scenes.project(matrix, outward * 23), requires_grad=True)
    faces = torch.from_numpy(sphere.triangles)
    fragments = ops.rasterize(pos, faces, (64, 64))
    mask = (fragments.triangle_id >= 0).to(pos.dtype)[..., None]
    ops.edge_gradient(
        mask, fragments, pos, faces, neighbours=torch.from_numpy(table(sphere.triangles))
    ).sum().backward()
    direction = (scenes.project(matrix, outward * 24) - scenes.project(matrix, outward * 23))[0]
    hull = edges.convex_hull(outward[:, :2])
    return (pos.grad[0].numpy() * direction).sum() / (2 * abs(shoelace(outward[hull, :2])) * 23)


def test_the_gain_sees_a_surface_cut_into_triangles():
    # Without neighbours the walk ends at the triangle that the pixel shows: the rule of the field that loses 2 %.
    assert gain_with(neighbours) == pytest.approx(1, abs=0.01)
    assert gain_with(lambda triangles: np.full(triangles.shape, -1, np.int32)) < 0.99


def test_the_gain_sees_a_table_of_the_wrong_edges():
    assert abs(gain_with(lambda triangles: np.roll(neighbours(triangles), 1, axis=1)) - 1) > 0.01


# --- the rest


def test_the_reference_blends_a_half_plane_by_coverage():
    pos_clip = np.array([[[-3, -3, 0, 1], [-0.175, -3, 0, 1], [-0.175, 3, 0, 1], [-3, 3, 0, 1]]])
    quad = np.array([[0, 1, 2], [0, 2, 3]])
    fragments = raster.rasterize(pos_clip, quad, (8, 8))
    mask = (fragments.triangle_id[0] >= 0).astype(float)[..., None]
    blended = walk.antialias(
        mask, fragments.triangle_id[0], fragments.depth[0], pos_clip[0], quad, walk.neighbour_table(quad)
    )  # fmt: skip
    np.testing.assert_allclose(blended[4, :, 0], [1, 1, 1, 0.3, 0, 0, 0, 0], atol=1e-12)


def test_the_reference_samples_a_checker_half_way():
    checker = np.array([[[[0.0], [1.0]], [[1.0], [0.0]]]])
    assert shade.sample_level(checker, np.array([[[(0.5, 0.5)]]]), "bilinear", "clamp").item() == 0.5
    assert shade.wrap_index(np.array([-3, -1, 0, 2, 3, 5]), 3, "mirror").tolist() == [2, 0, 0, 2, 2, 0]


def test_the_sweep_reference_is_silent_without_a_gradient():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(0), batch=1, num_triangles=3)
    ids = raster.rasterize(pos_clip, triangles, (8, 8)).triangle_id
    image = (ids >= 0).astype(float)[..., None]
    assert not sweep.sweep_gradient(image, np.zeros_like(image), ids, pos_clip, triangles).any()
