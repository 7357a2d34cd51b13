# SPDX-License-Identifier: MIT
"""`sweep_gradient` is the backward pass of Kato et al. 2018: by hand for one edge, by the reference for scenes."""

import numpy as np
import pytest
import torch
from reference import scenes, sweep
from reference.agreement import assert_close

from intaglio import ops

# In the original's pixel coordinates (y up, centres at integers, 8 x 8): (1.5, 1.5), (5.5, 1.5), (1.5, 5.5).
CORNERS = np.array([(1.5, 1.5), (5.5, 1.5), (1.5, 5.5)])
TRIANGLE = np.array([[0, 1, 2]], dtype=np.int32)
EPS = 1e-4


def clip(corners, size=8):
    return np.c_[(2 * corners + 1 - size) / size, np.zeros(len(corners)), np.ones(len(corners))][None]


def grad_pos_clip(pos_clip, triangles, grad_image, colors=None, size=None, **options):
    """Gradient [B,V,4] for an upstream gradient [B,H,W,C]; colours [F+1,C] of triangles, the background's last."""
    pos = torch.tensor(pos_clip, requires_grad=True)
    faces = torch.from_numpy(triangles)
    fragments = ops.rasterize(pos, faces, grad_image.shape[1:3])
    colors = torch.ones(len(triangles) + 1, 1, dtype=pos.dtype) if colors is None else torch.tensor(colors)
    if colors.shape[1] == 1:
        colors[-1] = 0
    image = colors.to(pos.dtype)[fragments.triangle_id.long()]
    out = ops.sweep_gradient(image, fragments, pos, faces, **options)
    assert torch.equal(out, image)
    out.backward(torch.tensor(grad_image, dtype=pos.dtype))
    return pos.grad.numpy(), image.numpy(), fragments.triangle_id.numpy()


def one_hot(column, row_from_below, value, size=8):
    grad = np.zeros((1, size, size, 1))
    grad[0, size - 1 - row_from_below, column, 0] = value
    return grad


def test_a_pixel_outside_pulls_the_edge_by_its_distance():
    # Pixel (3, 0) lies 1.5 below the lower edge and would like to be covered: dL = -1. The edge reaches it when its
    # left corner moves by (4 / 2.5) * -1.5 pixels, its right one by (4 / 1.5) * -1.5; a pixel is 1/4 in ndc.
    grad, _, _ = grad_pos_clip(clip(CORNERS), TRIANGLE, one_hot(3, 0, -1.0))
    expected = np.zeros((1, 3, 4))
    expected[0, 0, 1] = 1 / (0.6 + EPS)
    expected[0, 1, 1] = 1 / (1.0 + EPS)
    expected[0, :2, 3] = 0.5 * expected[0, :2, 1]  # -y of the corners, which are at ndc y = -1/2, w = 1
    np.testing.assert_allclose(grad, expected, rtol=1e-12, atol=1e-12)


def test_a_pixel_that_would_lose_does_not_push():
    grad, _, _ = grad_pos_clip(clip(CORNERS), TRIANGLE, one_hot(3, 0, 1.0))
    assert not grad.any()


def test_eps_keeps_the_distance_from_zero():
    grad, _, _ = grad_pos_clip(clip(CORNERS), TRIANGLE, one_hot(3, 0, -1.0), eps=0.4)
    assert grad[0, :2, 1].tolist() == pytest.approx([1 / (0.6 + 0.4), 1 / (1.0 + 0.4)], rel=1e-12)


def test_the_gradient_passes_through_the_perspective_division():
    # The corners' w doubles: the same picture, half the gradient in x and y, and the rest in w.
    near = grad_pos_clip(clip(CORNERS), TRIANGLE, one_hot(3, 0, -1.0))[0][0]
    far = grad_pos_clip(2 * clip(CORNERS), TRIANGLE, one_hot(3, 0, -1.0))[0][0]
    np.testing.assert_allclose(far[:, :2], near[:, :2] / 2, rtol=1e-12)
    ndc = clip(CORNERS)[0, :, :2]
    np.testing.assert_allclose(far[:, 3], -(far[:, :2] * ndc).sum(axis=1), rtol=1e-12)
    assert not far[:, 2].any()


def test_both_orientations_pull_alike():
    forward, turned = (
        grad_pos_clip(clip(CORNERS), triangle, one_hot(3, 0, -1.0))[0]
        for triangle in (TRIANGLE, TRIANGLE[:, [0, 2, 1]])
    )
    np.testing.assert_allclose(forward, turned, rtol=1e-12)


def test_occluders_are_ignored():
    # The 2018 rule sweeps under a nearer triangle as if it were not there.
    cover = np.array([(-0.5, -0.6), (7.5, -0.6), (3.2, 0.6)])
    pos_clip = np.concatenate([clip(CORNERS), clip(cover) - [0, 0, 0.5, 0]], axis=1)
    triangles = np.array([[0, 1, 2], [3, 4, 5]], dtype=np.int32)
    grad, image, ids = grad_pos_clip(pos_clip, triangles, one_hot(3, 0, -1.0), colors=[[1.0], [0.5], [0.0]])
    assert ids[0, 7, 3] == 1
    assert image[0, 7, 3, 0] == 0.5
    assert grad[0, :2, 1].tolist() == pytest.approx([0.5 / (0.6 + EPS), 0.5 / (1.0 + EPS)], rel=1e-12)


@pytest.mark.parametrize("size", [(24, 24), (17, 30), (1, 9)])
@pytest.mark.parametrize("channels", [1, 4])
def test_scenes_agree_with_the_reference(channels, size):
    rng = np.random.default_rng(channels)
    pos_clip, triangles = scenes.random_triangles(rng, batch=2, num_triangles=6)
    colors = rng.normal(size=(len(triangles) + 1, channels))
    grad_image = rng.normal(size=(2, *size, channels))
    got, image, ids = grad_pos_clip(pos_clip, triangles, grad_image, colors=colors)
    expected = sweep.sweep_gradient(image, grad_image, ids, pos_clip, triangles, EPS)
    assert np.abs(expected).max() > 1
    # The same few thousand terms, each at most gain / eps, in another order of summation.
    tolerance = 5e3 * 2.0**-52 * np.abs(grad_image).max() * np.abs(colors).max() * 2 * channels / EPS
    assert_close(got, expected, tolerance, "grad_pos_clip")


def test_edges_that_end_just_before_the_first_line_agree_with_the_reference():
    # The original converts an edge's end to int, so one that ends in (-1, 0) still touches line 0.
    rng = np.random.default_rng(5)
    corners = np.stack([rng.uniform([-4, 0], [-0.1, 9], (12, 2)), rng.uniform([-0.9, 0], [-0.1, 9], (12, 2)),
                        rng.uniform([1, 0], [9, 9], (12, 2))], axis=1)  # fmt: skip
    pos_clip = np.concatenate([clip(triangle) for triangle in corners.reshape(12, 3, 2)], axis=1)
    triangles = np.arange(36, dtype=np.int32).reshape(12, 3)
    pos_clip[0, :, 2] = np.repeat(rng.uniform(-0.9, 0.9, 12), 3)
    grad_image = rng.normal(size=(1, 8, 8, 1))
    got, image, ids = grad_pos_clip(pos_clip, triangles, grad_image, colors=rng.normal(size=(13, 1)))
    expected = sweep.sweep_gradient(image, grad_image, ids, pos_clip, triangles, EPS)
    assert_close(got, expected, 5e3 * 2.0**-52 * 20 / EPS, "grad_pos_clip")


def test_a_closed_mesh_agrees_with_the_reference():
    rng = np.random.default_rng(3)
    sphere = scenes.icosphere(1)
    pos_clip = scenes.project(scenes.perspective(1.6), sphere.vertices + np.array([0.1, -0.1, -3]))
    grad_image = rng.normal(size=(1, 28, 28, 1))
    got, image, ids = grad_pos_clip(pos_clip, sphere.triangles, grad_image)
    expected = sweep.sweep_gradient(image, grad_image, ids, pos_clip, sphere.triangles, EPS)
    assert_close(got, expected, 5e3 * 2.0**-52 * 4 / EPS, "grad_pos_clip")


def test_the_reference_sees_a_wrong_gate():
    # Planted fault: without the gate, pixels that would lose push back.
    rng = np.random.default_rng(3)
    pos_clip, triangles = scenes.random_triangles(rng, batch=1, num_triangles=4)
    grad_image = rng.normal(size=(1, 16, 16, 1))
    got, image, ids = grad_pos_clip(pos_clip, triangles, grad_image)
    ungated = sweep.sweep_gradient(image, grad_image, ids, pos_clip, triangles, EPS)
    ungated -= sweep.sweep_gradient(image, -grad_image, ids, pos_clip, triangles, EPS)
    with pytest.raises(AssertionError, match="grad_pos_clip"):
        assert_close(got, ungated, 1e-6, "grad_pos_clip")


def test_triangles_behind_the_eye_stay_finite():
    pos_clip, triangles = scenes.random_crossing_triangles(np.random.default_rng(0), batch=2, num_triangles=8)
    grad, _, _ = grad_pos_clip(pos_clip, triangles, np.random.default_rng(1).normal(size=(2, 20, 20, 1)))
    assert np.isfinite(grad).all()
