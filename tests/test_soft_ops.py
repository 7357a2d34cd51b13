# SPDX-License-Identifier: MIT
"""soft_rasterize and soft_blend (Liu et al. 2019), by hand, at their limits, and by central differences."""

import math

import numpy as np
import pytest
import torch
from reference import scenes
from reference.derivative import central

from intaglio import ops

TRIANGLE = np.array([[0, 1, 2]], dtype=np.int32)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def clip(*corners, w=1.0) -> np.ndarray:
    """Corners (x, y, z) in ndc -> pos_clip [1,V,4]."""
    return np.array([[(x * w, y * w, z * w, w) for x, y, z in corners]])


# Everything left of x = 0, as far as the image goes.
LEFT_HALF = clip((0, -9, 0), (0, 9, 0), (-9, 0, 0))


# --- soft_rasterize


def test_probability_falls_with_the_square_of_the_distance():
    # 4 columns, centres at x = -3/4, -1/4, 1/4, 3/4.
    soft = ops.soft_rasterize(LEFT_HALF, TRIANGLE, (1, 4), sigma=0.25, layers=1)
    expected = [sigmoid(2.25), sigmoid(0.25), sigmoid(-0.25), sigmoid(-2.25)]
    np.testing.assert_allclose(soft.probability[0, 0, :, 0], expected, rtol=1e-15)


def test_a_triangle_reaches_to_a_probability_of_one_in_ten_thousand():
    reach = math.sqrt(math.log(1e4 - 1))  # times sqrt(sigma)
    for sigma, reached in [((0.75 / reach) ** 2 * 1.01, True), ((0.75 / reach) ** 2 * 0.99, False)]:
        soft = ops.soft_rasterize(LEFT_HALF, TRIANGLE, (1, 4), sigma=sigma, layers=1)
        assert (soft.triangle_id[0, 0, 3, 0] == 0) == reached
        assert (soft.probability[0, 0, 3, 0] > 0.9e-4) == reached


def test_distance_is_to_the_nearest_point_of_the_outline():
    # Beyond the tip at the origin: the point (3/4, 0) is 3/4 from the corner, though near the lines of both edges.
    tip = clip((0, 0, 0), (-9, -1, 0), (-9, 1, 0))
    soft = ops.soft_rasterize(tip, TRIANGLE, (1, 4), sigma=0.25, layers=1)
    np.testing.assert_allclose(soft.probability[0, 0, 3, 0], sigmoid(-2.25), rtol=1e-15)


def test_layers_are_ordered_by_depth_and_ties_by_index():
    corners = [(x, y, z) for z in (0.5, -0.5, 0.5, 0.0) for x, y, _ in ((0, -9, 0), (0, 9, 0), (-9, 0, 0))]
    triangles = np.arange(12, dtype=np.int32).reshape(4, 3)
    soft = ops.soft_rasterize(clip(*corners), triangles, (1, 4), layers=5)
    assert soft.triangle_id[0, 0, 0].tolist() == [1, 3, 0, 2, -1]
    assert soft.depth[0, 0, 0].tolist() == [-0.5, 0, 0.5, 0.5, 1]
    nearest = ops.soft_rasterize(clip(*corners), triangles, (1, 4), layers=3)
    assert nearest.triangle_id[0, 0, 0].tolist() == [1, 3, 0]


def test_places_without_a_triangle_say_so():
    soft = ops.soft_rasterize(LEFT_HALF, TRIANGLE, (1, 4), sigma=1e-4, layers=2)
    assert soft.triangle_id[0, 0, 3].tolist() == [-1, -1]
    assert soft.barycentrics[0, 0, 3].tolist() == [[0, 0], [0, 0]]
    assert soft.depth[0, 0, 3].tolist() == [1, 1]
    assert soft.probability[0, 0, 3].tolist() == [0, 0]


def test_inside_it_is_what_rasterize_sees():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(0), 2, 12)
    hard = ops.rasterize(pos_clip, triangles, (20, 24))
    soft = ops.soft_rasterize(pos_clip, triangles, (20, 24), sigma=1e-9, layers=1)
    # With hardly any reach the nearest layer is the visible triangle, but for pixels that snapping decides.
    same = soft.triangle_id[..., 0] == hard.triangle_id
    assert same.mean() > 0.99
    same &= hard.triangle_id >= 0
    np.testing.assert_allclose(soft.barycentrics[..., 0, :][same], hard.barycentrics[same], atol=1e-10)
    np.testing.assert_allclose(soft.depth[..., 0][same], hard.depth[same], atol=1e-10)


def test_outside_it_the_weights_are_clamped_to_the_triangle():
    soft = ops.soft_rasterize(LEFT_HALF, TRIANGLE, (1, 4), sigma=0.25, layers=1)
    # Right of the edge from vertex 0 to vertex 1, half-way between them: their weights are a half each.
    np.testing.assert_allclose(soft.barycentrics[0, 0, 2:, 0], [[0.5, 0.5], [0.5, 0.5]], rtol=1e-15)


@pytest.mark.parametrize("z", [-1.5, 1.5])
def test_what_is_beyond_the_near_or_far_plane_is_left_out(z):
    beyond = clip((0, -9, z), (0, 9, z), (-9, 0, z))
    assert (ops.soft_rasterize(beyond, TRIANGLE, (1, 4), layers=1).triangle_id == -1).all()


def test_a_corner_behind_the_eye_leaves_the_triangle_out():
    behind = LEFT_HALF.copy()
    behind[0, 2] = [9, 0, 0, -1]
    assert (ops.soft_rasterize(behind, TRIANGLE, (1, 4), layers=1).triangle_id == -1).all()
    behind[0, 2] = [-1e-300, 0, 0, 5e-324]
    assert (ops.soft_rasterize(behind, TRIANGLE, (1, 4), layers=1).triangle_id == -1).all()


def test_no_triangles_give_an_empty_picture():
    soft = ops.soft_rasterize(LEFT_HALF, TRIANGLE[:0], (3, 4), layers=2)
    assert (soft.triangle_id == -1).all()
    assert (soft.probability == 0).all()


def test_layers_side_by_side_are_fragments():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(0), 2, 12)
    soft = ops.soft_rasterize(pos_clip, triangles, (5, 6), sigma=1e-2, layers=3)
    attributes = np.random.default_rng(1).normal(size=(pos_clip.shape[1], 2))
    wide = ops.interpolate(attributes, soft.as_fragments(), triangles).reshape(2, 5, 6, 3, 2)
    one = ops.Fragments(soft.triangle_id[..., 1], soft.barycentrics[..., 1, :], soft.depth[..., 1])
    np.testing.assert_array_equal(wide[..., 1, :], ops.interpolate(attributes, one, triangles))


def soft_scene():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(0), 2, 12)
    return pos_clip, triangles, {"size": (20, 24), "sigma": 1e-2, "layers": 4}


@pytest.mark.parametrize("output", ["barycentrics", "depth", "probability"])
def test_vertices_move_the_layers_as_differences_say(output):
    pos_clip, triangles, options = soft_scene()
    rng = np.random.default_rng(3)
    leaf = torch.tensor(pos_clip, requires_grad=True)
    values = getattr(ops.soft_rasterize(leaf, torch.from_numpy(triangles), **options), output)
    weight = rng.normal(size=values.shape)
    values.backward(torch.from_numpy(weight))
    assert leaf.grad is not None
    for _ in range(8):
        direction = rng.normal(size=pos_clip.shape)
        kept = [ops.soft_rasterize(pos_clip + h * direction, triangles, **options).triangle_id for h in (-1e-7, 1e-7)]
        assert (kept[0] == kept[1]).all()
        expected = central(
            lambda x: (getattr(ops.soft_rasterize(x, triangles, **options), output) * weight).sum(),
            pos_clip, direction, step=1e-7,
        )  # fmt: skip
        # Sums of some thousand terms below 10, rounded to 1e-16 each, over 1e-7; nearest points that change their kind.
        assert (leaf.grad.numpy() * direction).sum() == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_results_do_not_depend_on_the_threads():
    before = ops.get_num_threads()
    pos_clip, triangles, _ = soft_scene()
    results = []
    for threads in (1, 2, 5):
        ops.set_num_threads(threads)
        leaf = torch.tensor(pos_clip, dtype=torch.float32, requires_grad=True)
        soft = ops.soft_rasterize(leaf, torch.from_numpy(triangles), (50, 70), sigma=1e-3, layers=3)
        image = soft.barycentrics.detach().requires_grad_()
        color, alpha = ops.soft_blend(image, soft, gamma=0.1, background=(1, 2))
        (color.square().sum() + alpha.square().sum()).backward()
        results.append((*soft, color, alpha, leaf.grad, image.grad))
    ops.set_num_threads(before)
    for other in results[1:]:
        for got, expected in zip(other, results[0], strict=True):
            assert torch.equal(got, expected)


# --- soft_blend


def layers_of(depth, probability) -> ops.SoftFragments:
    """One pixel of these layers."""
    depth, probability = (np.asarray(x, dtype=np.float64).reshape(1, 1, 1, -1) for x in (depth, probability))
    return ops.SoftFragments(np.zeros(depth.shape, dtype=np.int32), np.zeros((*depth.shape, 2)), depth, probability)


def test_a_layer_and_the_background_share_by_probability_and_depth():
    # Nearness 1/2 against the background's 1/1000, gamma 1/2.
    color, alpha = ops.soft_blend(
        np.full((1, 1, 1, 1, 1), 7.0), layers_of([0], [0.75]), gamma=0.5, background=[3.0]
    )  # fmt: skip
    layer, rest = 0.75 * math.exp(1), math.exp(0.002)
    np.testing.assert_allclose(color.item(), (7 * layer + 3 * rest) / (layer + rest), rtol=1e-14)
    assert alpha.item() == 0.75


def test_of_two_layers_the_nearer_wins_where_gamma_is_small():
    image = np.array([5.0, 9.0]).reshape(1, 1, 1, 2, 1)
    soft = layers_of([0, 0.2], [0.5, 0.5])
    color, alpha = ops.soft_blend(image, soft, gamma=1e-3, background=[0.0])
    assert color.item() == pytest.approx(5, abs=1e-12)
    assert alpha.item() == 0.75
    # Nearness 0.5 and 0.4: at gamma = 0.1 / ln 2 the nearer counts twice.
    color, _ = ops.soft_blend(image, soft, gamma=0.1 / math.log(2), background=[0.0])
    weights = np.array([2.0, 1.0]) * 0.5 * 2**4
    rest = 2**0.01
    np.testing.assert_allclose(color.item(), (weights @ [5, 9]) / (weights.sum() + rest), rtol=1e-13)


def test_layers_without_probability_are_none():
    image = np.array([5.0, 1e300]).reshape(1, 1, 1, 2, 1)
    color, alpha = ops.soft_blend(image, layers_of([0, -1], [1, 0]), background=[3.0])
    assert color.item() == pytest.approx(5, abs=1e-12)
    assert alpha.item() == 1
    color, alpha = ops.soft_blend(image, layers_of([1, 1], [0, 0]), background=[3.0])
    assert (color.item(), alpha.item()) == (3, 0)


def blend_scene():
    rng = np.random.default_rng(4)
    return {
        "image": rng.normal(size=(2, 3, 4, 5, 3)),
        "depth": rng.uniform(-1, 1, (2, 3, 4, 5)),
        "probability": rng.uniform(0.01, 0.99, (2, 3, 4, 5)),
        "background": rng.normal(size=(2, 3)),
    }


def blend(image, depth, probability, background):
    xp = torch if isinstance(image, torch.Tensor) else np
    soft = ops.SoftFragments(xp.zeros(depth.shape, dtype=xp.int32), None, depth, probability)
    return ops.soft_blend(image, soft, gamma=0.2, background=background)


@pytest.mark.parametrize("name", ["image", "depth", "probability", "background"])
def test_the_blend_changes_as_differences_say(name):
    inputs = blend_scene()
    rng = np.random.default_rng(5)
    leaves = {key: torch.tensor(value, requires_grad=key == name) for key, value in inputs.items()}
    color, alpha = blend(**leaves)
    weights = [rng.normal(size=x.shape) for x in (color, alpha)]
    sum((x * torch.from_numpy(w)).sum() for x, w in zip((color, alpha), weights, strict=True)).backward()

    def loss(x):
        return sum((y * w).sum() for y, w in zip(blend(**(inputs | {name: x})), weights, strict=True))

    for _ in range(4):
        direction = rng.normal(size=inputs[name].shape)
        expected = central(loss, inputs[name], direction, step=1e-6)
        assert (leaves[name].grad.numpy() * direction).sum() == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_a_background_may_be_numbers_a_colour_each_or_an_image():
    inputs = blend_scene()
    inputs["background"] = (0.1, 0.2, 0.3)
    expected, _ = blend(**inputs)
    for shape in ((3,), (2, 3), (2, 3, 4, 3)):
        inputs["background"] = np.broadcast_to([0.1, 0.2, 0.3], shape)
        np.testing.assert_allclose(blend(**inputs)[0], expected, rtol=1e-15)


# --- the door


@pytest.mark.parametrize("sigma", [0, -1.0, float("nan"), float("inf"), None])
def test_sigma_must_be_positive(sigma):
    with pytest.raises(ValueError, match=r"^soft_rasterize: sigma must be a positive number; got .* \(in squared ndc"):
        ops.soft_rasterize(LEFT_HALF, TRIANGLE, (1, 4), sigma=sigma)


@pytest.mark.parametrize("layers", [0, 257, 1.5])
def test_layers_must_be_few_and_at_least_one(layers):
    with pytest.raises(ValueError, match=r"^soft_rasterize: layers must be a whole number from 1 to 256; got "):
        ops.soft_rasterize(LEFT_HALF, TRIANGLE, (1, 4), layers=layers)


def test_an_image_without_layers_is_refused():
    message = r"^soft_blend: image must be \[B, H, W, K, C\]; got \[1, 1, 1, 3\] \(the colour of every layer\)"
    with pytest.raises(ValueError, match=message):
        ops.soft_blend(np.ones((1, 1, 1, 3)), layers_of([0], [1]), background=(0, 0, 0))


def test_a_background_of_other_channels_is_refused():
    message = (
        r"^soft_blend: background must be \[C\] or \[B, C\] or \[B, H, W, C\] with .*C = 3 from image.*; got \[2\]"
    )
    with pytest.raises(ValueError, match=message):
        ops.soft_blend(np.ones((1, 1, 1, 1, 3)), layers_of([0], [1]), background=(0, 0))


def test_fragments_are_not_soft_fragments():
    hard = ops.rasterize(LEFT_HALF, TRIANGLE, (1, 1))
    with pytest.raises(ValueError, match=r"^soft_blend: soft_fragments must be SoftFragments; got Fragments"):
        ops.soft_blend(np.ones((1, 1, 1, 1, 3)), hard, background=(0, 0, 0))
