# SPDX-License-Identifier: MIT
"""`soft_rasterize` and `soft_blend`: by hand, against the reference of SoftRas, and every gradient."""

import numpy as np
import pytest
import torch
from reference import scenes, soft
from reference.agreement import EPS, assert_close
from reference.derivative import complex_step, gradient

from intaglio import ops

# Over the left half of the image: its right side is the line x = 0.
HALF = np.array([[[-100, -100, 0, 1], [0, -100, 0, 1], [0, 100, 0, 1]]], dtype=np.float64)
TRIANGLE = np.array([[0, 1, 2]], dtype=np.int32)
SIZE = (14, 18)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def scene(seed=0, num_triangles=10, batch=2):
    return scenes.random_triangles(np.random.default_rng(seed), batch, num_triangles)


# --- by hand


def test_the_probability_falls_with_the_squared_distance_from_the_edge():
    # Centres of 8 columns lie 1/8, 3/8, ... from the line x = 0.
    got = ops.soft_rasterize(HALF, TRIANGLE, (1, 8), sigma=0.5, layers=1).probability[0, 0, :, 0]
    distance = np.array([-7, -5, -3, -1, 1, 3, 5, 7]) / 8
    np.testing.assert_allclose(got, sigmoid(-np.sign(distance) * distance**2 / 0.5), rtol=1e-12)


def test_beyond_its_reach_a_triangle_is_not_there():
    # The floor of 1e-4 is at d^2 = sigma * ln(9999): between 3/8 and 5/8 for sigma = 0.03.
    got = ops.soft_rasterize(HALF, TRIANGLE, (1, 8), sigma=0.03, layers=1)
    assert 3 / 8 < np.sqrt(0.03 * np.log(9999)) < 5 / 8
    assert got.triangle_id[0, 0, :, 0].tolist() == [0, 0, 0, 0, 0, 0, -1, -1]
    assert got.probability[0, 0, 6:].tolist() == [[0], [0]]
    assert got.depth[0, 0, 6:].tolist() == [[1], [1]]


def test_one_layer_shows_the_nearest_and_two_show_both():
    pos_clip = np.concatenate([HALF + np.array([0, 0, depth, 0]) for depth in (0.5, -0.5, 0.0)], axis=1)
    triangles = np.arange(9, dtype=np.int32).reshape(3, 3)
    for layers, expected in ((1, [1]), (2, [1, 2]), (3, [1, 2, 0]), (4, [1, 2, 0, -1])):
        assert ops.soft_rasterize(pos_clip, triangles, (1, 8), layers=layers).triangle_id[0, 0, 0].tolist() == expected


def test_equal_depths_come_in_the_order_of_triangles():
    triangles = np.concatenate([TRIANGLE] * 3)
    assert ops.soft_rasterize(HALF, triangles, (1, 8), layers=2).triangle_id[0, 0, 0].tolist() == [0, 1]


def layers_of(probability, depth):
    """SoftFragments of one pixel with these layers."""
    shape = (1, 1, 1, len(probability))
    return ops.SoftFragments(
        np.zeros(shape, np.int32), np.zeros((*shape, 2)), np.reshape(depth, shape), np.reshape(probability, shape)
    )  # fmt: skip


def test_coverage_is_what_no_layer_leaves():
    _, alpha = ops.soft_blend(np.zeros((1, 1, 1, 2, 1)), layers_of([0.5, 0.75], [0.0, 0.0]), background=(0,))
    assert alpha.item() == 1 - 0.5 * 0.25


def test_colours_are_weighted_by_probability_and_nearness():
    # Depths -1, 0, 1 are nearness 1, 1/2, 0; with gamma 1/2 the weights are 0.5 e^2, 0.75 e, and e^0.002 behind.
    image = np.array([[[[[4.0], [8.0]]]]])
    color, _ = ops.soft_blend(image, layers_of([0.5, 0.75], [-1.0, 0.0]), gamma=0.5, background=(16.0,))
    weights = np.array([0.5 * np.e**2, 0.75 * np.e, np.exp(0.002)])
    assert color.item() == pytest.approx(weights @ [4, 8, 16] / weights.sum(), rel=1e-14)


def test_a_sharp_gamma_shows_the_nearest_layer():
    image = np.array([[[[[4.0], [8.0]]]]])
    color, _ = ops.soft_blend(image, layers_of([0.9, 0.9], [0.3, -0.3]), gamma=1e-4, background=(16.0,))
    assert color.item() == pytest.approx(8, rel=1e-14)


def test_a_pixel_that_nothing_reaches_shows_the_background():
    color, alpha = ops.soft_blend(np.zeros((1, 1, 1, 2, 3)), layers_of([0.0, 0.0], [1.0, 1.0]), background=(1, 2, 3))
    assert color[0, 0, 0].tolist() == [1, 2, 3]
    assert alpha.item() == 0


def test_numbers_for_a_background_are_taken_in_the_precision_of_the_image():
    color, _ = ops.soft_blend(np.zeros((1, 1, 1, 2, 1)), layers_of([0.0, 0.0], [1.0, 1.0]), background=(0.1,))
    assert color.item() == 0.1


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 5, 4, 3)])
def test_backgrounds_of_every_shape_are_taken(shape):
    background = np.random.default_rng(0).normal(size=shape)
    empty = ops.soft_rasterize(np.zeros((2, 0, 4)), np.zeros((0, 3), np.int32), (5, 4), layers=2)
    color, _ = ops.soft_blend(np.zeros((2, 5, 4, 2, 3)), empty, background=background)
    whole = background if len(shape) != 2 else background[:, None, None, :]
    np.testing.assert_array_equal(color, np.broadcast_to(whole, (2, 5, 4, 3)))


# --- against the reference


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sigma", [1e-4, 1e-2, 0.3])
@pytest.mark.parametrize("layers", [1, 3, 16])
def test_scenes_agree_with_the_reference(layers, sigma, dtype):
    pos_clip, triangles = scene()
    pos_clip = pos_clip.astype(dtype)
    got = ops.soft_rasterize(pos_clip, triangles, SIZE, sigma=sigma, layers=layers)
    exact = pos_clip.astype(np.float64)
    expected_id = soft.nearest_layers(exact, triangles, SIZE, sigma, layers)
    # Depths of random planes seldom lie within rounding of each other, nor pixels on the edge of the reach.
    assert (got.triangle_id != expected_id).mean() <= (0 if dtype == np.float64 else 2e-3)
    barycentrics, depth, probability = soft.values_of(exact, triangles, got.triangle_id, sigma)
    # sigmoid(d^2 / sigma) turns a relative error of d^2 into at most 0.28 of it where |d^2 / sigma| = 1.5, and d^2 into
    # at most 1e-4 * 9.2 of it at the floor; d^2 is a difference of coordinates below 4, squared, a dozen roundings.
    d_error = 12 * 4 * EPS[np.dtype(dtype)]
    reach = np.sqrt(sigma * np.log(9999))
    assert_close(got.probability, probability, 0.28 * 2 * d_error * max(reach, 1) / sigma + 1e-12, "probability")
    # Slivers lose digits: weights are compared where the triangle is at least a pixel high.
    area = np.abs(twice_area(exact, triangles))
    sound = (got.triangle_id >= 0) & (area[np.arange(2)[:, None, None, None], got.triangle_id] > 0.05)
    condition = 4 * 4 / 0.05
    assert sound.sum() >= 50
    assert_close(got.barycentrics[sound], barycentrics[sound], condition * d_error, "barycentrics")
    assert_close(got.depth[sound], depth[sound], condition * d_error, "depth")
    none = got.triangle_id < 0
    assert not got.barycentrics[none].any()
    assert (got.depth[none] == 1).all()
    assert not got.probability[none].any()


def twice_area(pos_clip, triangles):
    """[B,F] in ndc."""
    corners = (pos_clip[..., :2] / pos_clip[..., 3:])[:, triangles]
    return soft.cross(corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0])


@pytest.mark.parametrize("gamma", [1e-4, 1e-2, 1.0])
def test_blends_agree_with_the_reference(gamma):
    rng = np.random.default_rng(1)
    pos_clip, triangles = scene()
    layers = ops.soft_rasterize(pos_clip, triangles, SIZE, sigma=1e-2, layers=5)
    image = rng.normal(size=(2, *SIZE, 5, 3))
    background = rng.normal(size=3)
    color, alpha = ops.soft_blend(image, layers, gamma=gamma, background=background)
    expected = soft.blend(image, layers.probability, layers.depth, background, gamma)
    # exp(x / gamma) has a relative error of |x| / gamma roundings; x is at most 1.
    assert_close(color, expected[0], 20 * 2.0**-52 * (1 + 1 / gamma) * np.abs(image).max(), "color")
    assert_close(alpha, expected[1], 20 * 2.0**-52, "alpha")


def test_with_many_layers_and_little_blur_it_is_the_hard_picture():
    sphere = scenes.icosphere(2)
    pos_clip = scenes.project(scenes.perspective(1.8), sphere.vertices + np.array([0.1, 0, -3]))
    hard = ops.rasterize(pos_clip, sphere.triangles, (32, 32))
    blurred = ops.soft_rasterize(pos_clip, sphere.triangles, (32, 32), sigma=1e-9, layers=4)
    inside = (hard.barycentrics > 0.02).all(axis=-1) & (hard.barycentrics.sum(axis=-1) < 0.98)
    np.testing.assert_array_equal(blurred.triangle_id[..., 0][inside], hard.triangle_id[inside])
    np.testing.assert_allclose(blurred.depth[..., 0][inside], hard.depth[inside], rtol=1e-12)
    np.testing.assert_allclose(blurred.probability[..., 0][inside], 1, atol=1e-6)


# --- gradients


def grad_of(loss, *inputs):
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    loss(*tensors).backward()
    return [x.grad.numpy() for x in tensors]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_gradients_of_positions_agree_with_the_reference(index):
    pos_clip, triangles = scene(num_triangles=6, batch=1)
    sigma = 0.02
    layers = ops.soft_rasterize(pos_clip, triangles, SIZE, sigma=sigma, layers=3)
    part = (layers.barycentrics, layers.depth, layers.probability)[index]
    weight = np.random.default_rng(2).normal(size=part.shape)

    def loss(pos):
        soft_fragments = ops.soft_rasterize(pos, torch.from_numpy(triangles), SIZE, sigma=sigma, layers=3)
        return (soft_fragments[index + 1] * torch.from_numpy(weight)).sum()

    def reference_loss(pos):
        return (soft.values_of(pos, triangles, layers.triangle_id, sigma)[index] * weight).sum()

    (got,) = grad_of(loss, pos_clip)
    expected = gradient(reference_loss, pos_clip)
    scale = np.abs(expected).max(axis=-1, keepdims=True)
    assert (scale > 0).any()
    assert_close(got, expected, 1e-9 * (1 + scale), "grad_pos_clip")


@pytest.mark.parametrize("gamma", [1e-2, 1.0])
def test_gradients_of_the_blend_agree_with_the_reference(gamma):
    rng = np.random.default_rng(3)
    pos_clip, triangles = scene()
    layers = ops.soft_rasterize(pos_clip, triangles, SIZE, sigma=1e-2, layers=4)
    image, background = rng.normal(size=(2, *SIZE, 4, 3)), rng.normal(size=3)
    weights = rng.normal(size=(2, *SIZE, 3)), rng.normal(size=(2, *SIZE))
    point = (image, layers.probability, layers.depth, background)

    def loss(image, probability, depth, background):
        given = ops.SoftFragments(
            torch.from_numpy(layers.triangle_id), torch.from_numpy(layers.barycentrics), depth, probability
        )  # fmt: skip
        color, alpha = ops.soft_blend(image, given, gamma=gamma, background=background)
        return (color * torch.from_numpy(weights[0])).sum() + (alpha * torch.from_numpy(weights[1])).sum()

    def reference_loss(image, probability, depth, background):
        color, alpha = soft.blend(image, probability, depth, background, gamma)
        return (color * weights[0]).sum() + (alpha * weights[1]).sum()

    for index, got in enumerate(grad_of(loss, *point)):
        for _ in range(3):
            direction = rng.normal(size=point[index].shape)
            if index in (1, 2):
                direction[layers.triangle_id < 0] = 0
            expected = complex_step(
                lambda x, i=index: reference_loss(*point[:i], x, *point[i + 1 :]), point[index], direction
            )  # fmt: skip
            # Sums of a few thousand terms of order 1 / gamma.
            assert (got * direction).sum() == pytest.approx(expected, rel=1e-10, abs=1e-9 / gamma)


def test_a_triangle_is_drawn_towards_what_it_does_not_cover():
    # The use of soft visibility: a gradient across a gap, where every local rule is silent.
    pos = torch.tensor([[[-0.9, -0.3, 0, 1], [-0.4, -0.3, 0, 1], [-0.6, 0.3, 0, 1]]], requires_grad=True)
    layers = ops.soft_rasterize(pos, torch.from_numpy(TRIANGLE), (16, 16), sigma=0.1, layers=1)
    _, alpha = ops.soft_blend(torch.zeros(1, 16, 16, 1, 1), layers, background=(0,))
    (1 - alpha[0, :, 9]).square().sum().backward()  # a column 0.6 to the right of it should be covered
    assert (pos.grad[0, :, 0] <= 0).all()
    assert pos.grad[0, 1, 0] < -1e-3
