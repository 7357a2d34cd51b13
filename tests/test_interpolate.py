# SPDX-License-Identifier: MIT
"""Attributes at pixels, their screen derivatives, and the gradients of rasterize and interpolate."""

import numpy as np
import pytest
import torch
from reference import agreement, raster, scenes, shade
from reference.derivative import central, complex_step, gradient

from intaglio import ops

TRIANGLE = np.array([[0, 1, 2]], dtype=np.int32)
SIZE = (20, 24)


def scene(seed=0, batch=2, num_triangles=12):
    return scenes.random_triangles(np.random.default_rng(seed), batch, num_triangles)


def crossing_scene(seed=0):
    return scenes.random_crossing_triangles(np.random.default_rng(seed), batch=2, num_triangles=6)


def grad_of(loss, *inputs):
    """Gradients of loss(*inputs), NumPy in and out, float64."""
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    loss(*tensors).backward()
    return [x.grad.numpy() for x in tensors]


# --- forward


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_attributes_agree_with_the_reference(channels, dtype):
    pos_clip, triangles = scene()
    attributes = np.random.default_rng(1).normal(size=(2, pos_clip.shape[1], channels)).astype(dtype)
    fragments = ops.rasterize(pos_clip.astype(dtype), triangles, SIZE)
    got = ops.interpolate(attributes, fragments, triangles)
    expected = shade.interpolate(attributes.astype(float), fragments.triangle_id, fragments.barycentrics, triangles)
    assert got.dtype == dtype
    # Three products and two sums of terms below max |attribute|, the third weight itself rounded twice.
    agreement.assert_close(got, expected, 8 * agreement.EPS[np.dtype(dtype)] * np.abs(attributes).max(), "interpolate")


def test_attributes_without_a_batch_axis_serve_every_image():
    pos_clip, triangles = scene()
    attributes = np.random.default_rng(1).normal(size=(pos_clip.shape[1], 2))
    fragments = ops.rasterize(pos_clip, triangles, SIZE)
    np.testing.assert_array_equal(
        ops.interpolate(attributes, fragments, triangles),
        ops.interpolate(np.stack([attributes, attributes]), fragments, triangles),
    )


def test_an_attribute_has_its_own_triangles():
    # Two triangles side by side share an edge of the shape, but not their uv.
    pos_clip = np.array([[[-1, -1, 0, 1], [1, -1, 0, 1], [1, 1, 0, 1], [-1, 1, 0, 1]]], dtype=np.float64)
    fragments = ops.rasterize(pos_clip, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32), (8, 8))
    uv_triangles = np.array([[0, 0, 0], [1, 1, 1]], dtype=np.int32)
    image = ops.interpolate(np.array([[5.0], [7.0]]), fragments, uv_triangles)
    np.testing.assert_array_equal(image[..., 0], np.where(fragments.triangle_id == 0, 5.0, 7.0))


def test_own_topologies_interpolate_their_own_corners():
    pos_clip, triangles = scene()
    both = np.stack([triangles, triangles[::-1]])
    attributes = np.random.default_rng(1).normal(size=(2, pos_clip.shape[1], 2))
    fragments = ops.rasterize(pos_clip, both, SIZE)
    got = ops.interpolate(attributes, fragments, both)
    expected = shade.interpolate(attributes, fragments.triangle_id, fragments.barycentrics, both)
    agreement.assert_close(got, expected, 8 * 2.0**-52 * np.abs(attributes).max(), "interpolate")


def test_the_background_is_zero():
    pos_clip, triangles = scene()
    fragments = ops.rasterize(pos_clip, triangles, SIZE)
    image = ops.interpolate(np.ones((pos_clip.shape[1], 1)), fragments, triangles)
    np.testing.assert_allclose(image[..., 0], fragments.triangle_id >= 0, rtol=4e-16)


# --- screen derivatives


def test_screen_derivatives_of_a_ramp_are_its_slope():
    # uv runs from 0 to 1 over 16 columns and down 8 rows, on a quad parallel to the screen.
    pos_clip = np.array([[[-1, -1, 0, 1], [1, -1, 0, 1], [1, 1, 0, 1], [-1, 1, 0, 1]]], dtype=np.float64)
    quad = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], dtype=np.float64)
    fragments = ops.rasterize(pos_clip, quad, (8, 16))
    derivatives = ops.screen_derivatives(uv, fragments, quad, pos_clip, quad)
    np.testing.assert_allclose(derivatives, np.broadcast_to([[1 / 16, 0], [0, 1 / 8]], (1, 8, 16, 2, 2)), atol=1e-15)


@pytest.mark.parametrize("make", [scene, crossing_scene])
def test_screen_derivatives_agree_with_differences_across_the_plane(make):
    pos_clip, triangles = make()
    attributes = np.random.default_rng(1).normal(size=(2, pos_clip.shape[1], 2))
    fragments = ops.rasterize(pos_clip, triangles, SIZE)
    got = ops.screen_derivatives(attributes, fragments, triangles, pos_clip, triangles)
    # Moving the image by d pixels moves every corner's ndc by the opposite: x -> x - 2 d / W * w.
    inside = (shade.weights3(fragments.barycentrics) > 0).all(axis=-1) & (fragments.triangle_id >= 0)
    for axis, (ndc_axis, shift) in enumerate([(0, -2 / SIZE[1]), (1, 2 / SIZE[0])]):
        direction = np.zeros_like(pos_clip)
        direction[..., ndc_axis] = shift * pos_clip[..., 3]

        def image(corners):
            weights, _ = raster.attributes_of_position(corners, triangles, fragments.triangle_id)
            return shade.interpolate(attributes, fragments.triangle_id, weights, triangles)

        expected = complex_step(image, pos_clip, direction)
        scale = np.abs(expected).max(axis=-1)[inside]
        # Cancelling cofactors: condition up to 1e4 in these scenes, times 1e-16, times a hundred operations.
        error = np.abs(got[..., axis] - expected).max(axis=-1)[inside]
        assert (error <= 1e-10 * np.maximum(scale, 1)).all()
    assert (got[fragments.triangle_id < 0] == 0).all()


# --- gradients: against the complex step through the reference, element by element


@pytest.mark.parametrize("make", [scene, crossing_scene])
@pytest.mark.parametrize("output", ["barycentrics", "depth"])
def test_the_gradient_of_rasterize_agrees_with_the_reference(output, make):
    pos_clip, triangles = make()
    weight = np.random.default_rng(2).normal(size=(2, *SIZE, 2) if output == "barycentrics" else (2, *SIZE))
    fragments = ops.rasterize(pos_clip, triangles, SIZE)

    def loss(pos):
        return (getattr(ops.rasterize(pos, torch.from_numpy(triangles), SIZE), output) * torch.from_numpy(weight)).sum()

    def reference_loss(pos):
        values = raster.attributes_of_position(pos, triangles, fragments.triangle_id)
        return (values[output == "depth"] * weight).sum()

    (got,) = grad_of(loss, pos_clip)
    expected = gradient(reference_loss, pos_clip)
    # Both are exact up to rounding; the scale of each corner's gradient is that of its largest component.
    scale = np.abs(expected).max(axis=-1, keepdims=True)
    agreement.assert_close(got, expected, 1e-9 * (1 + scale), "grad_pos_clip")


@pytest.mark.parametrize("make", [scene, crossing_scene])
def test_the_gradient_of_rasterize_agrees_with_central_differences(make):
    pos_clip, triangles = make()
    rng = np.random.default_rng(3)
    weights = rng.normal(size=(2, *SIZE, 2)), rng.normal(size=(2, *SIZE))
    direction = rng.normal(size=pos_clip.shape)
    fragments = ops.rasterize(pos_clip, triangles, SIZE)
    # Pixels of slivers curve too strongly for differences: leave out where half the step changes the answer.
    step = 1e-6

    def values(pos):
        moved = ops.rasterize(pos, triangles, SIZE)
        return np.concatenate([moved.barycentrics, moved.depth[..., None]], axis=-1)

    full, half = (central(values, pos_clip, direction, h) for h in (step, step / 2))
    smooth = (np.abs(full - half) <= 1e-6 * (1 + np.abs(full))).all(axis=-1)
    smooth &= ops.rasterize(pos_clip + step * direction, triangles, SIZE).triangle_id == fragments.triangle_id
    smooth &= ops.rasterize(pos_clip - step * direction, triangles, SIZE).triangle_id == fragments.triangle_id
    assert smooth.mean() > 0.95

    def loss(pos):
        moved = ops.rasterize(pos, torch.from_numpy(triangles), SIZE)
        barycentrics = (moved.barycentrics * torch.from_numpy(weights[0] * smooth[..., None])).sum()
        return barycentrics + (moved.depth * torch.from_numpy(weights[1] * smooth)).sum()

    (got,) = grad_of(loss, pos_clip)
    expected = (half[..., :2] * (weights[0] * smooth[..., None])).sum() + (half[..., 2] * weights[1] * smooth).sum()
    # Per pixel the difference is off by 1e-6 / 3 at most (the halved step's error is a third of the change).
    assert abs((got * direction).sum() - expected) <= 1e-6 * np.abs(half).sum() + 1e-6


def test_the_gradient_of_interpolate_agrees_with_the_reference():
    pos_clip, triangles = scene()
    rng = np.random.default_rng(4)
    attributes = rng.normal(size=(2, pos_clip.shape[1], 3))
    weight = rng.normal(size=(2, *SIZE, 3))
    fragments = ops.rasterize(pos_clip, triangles, SIZE)

    def loss(attributes, barycentrics):
        torch_fragments = ops.Fragments(
            torch.from_numpy(fragments.triangle_id), barycentrics, torch.from_numpy(fragments.depth)
        )
        image = ops.interpolate(attributes, torch_fragments, torch.from_numpy(triangles))
        return (image * torch.from_numpy(weight)).sum()

    grad_attributes, grad_barycentrics = grad_of(loss, attributes, fragments.barycentrics)
    image = lambda a, b: shade.interpolate(a, fragments.triangle_id, b, triangles)  # noqa: E731
    for _ in range(5):
        direction = rng.normal(size=attributes.shape)
        # Linear: the image of the direction is the derivative. Sums of at most 1e4 terms of order 1.
        expected = (image(direction, fragments.barycentrics) * weight).sum()
        assert (grad_attributes * direction).sum() == pytest.approx(expected, abs=1e-10)
        direction = rng.normal(size=fragments.barycentrics.shape)
        expected = (complex_step(lambda b: image(attributes, b), fragments.barycentrics, direction) * weight).sum()
        assert (grad_barycentrics * direction).sum() == pytest.approx(expected, abs=1e-10)


def test_interpolate_and_its_gradient_are_adjoint():
    pos_clip, triangles = scene()
    rng = np.random.default_rng(5)
    fragments = ops.rasterize(torch.from_numpy(pos_clip), torch.from_numpy(triangles), SIZE)
    attributes = rng.normal(size=(pos_clip.shape[1], 3))  # shared by the batch: its gradient sums over images
    weight = torch.from_numpy(rng.normal(size=(2, *SIZE, 3)))
    (got,) = grad_of(lambda a: (ops.interpolate(a, fragments, torch.from_numpy(triangles)) * weight).sum(), attributes)
    direction = rng.normal(size=attributes.shape)
    forward = ops.interpolate(torch.from_numpy(direction), fragments, torch.from_numpy(triangles))
    assert (got * direction).sum() == pytest.approx(float((forward * weight).sum()), abs=1e-10)


def test_float32_gradients_are_those_of_float64_rounded():
    sphere = scenes.icosphere(2)
    pos_clip = scenes.project(scenes.perspective(1.7), sphere.vertices + np.array([0.1, -0.2, -3]))
    triangles = torch.from_numpy(sphere.triangles)
    weight = np.random.default_rng(6).normal(size=(1, 32, 32, 3))

    def grad(dtype):
        pos = torch.tensor(pos_clip, dtype=dtype, requires_grad=True)
        colors = torch.tensor(sphere.vertices, dtype=dtype, requires_grad=True)
        image = ops.interpolate(colors, ops.rasterize(pos, triangles, (32, 32)), triangles)
        (image * torch.tensor(weight, dtype=dtype)).sum().backward()
        return pos.grad.double().numpy(), colors.grad.double().numpy()

    for got, expected in zip(grad(torch.float32), grad(torch.float64), strict=True):
        # Triangles of about 3 pixels: edge functions lose a factor 32 / 3, squared for their ratio; 50 operations.
        assert np.abs(got - expected).max() <= 50 * 100 * 2.0**-23 * np.abs(expected).max()
