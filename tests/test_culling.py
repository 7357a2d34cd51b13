# SPDX-License-Identifier: MIT
"""Back faces left out: what is drawn is what would be if they were not in the list of triangles."""

import re

import numpy as np
import pytest
import torch
from reference import chains, scenes

from intaglio import ops
from intaglio.topology import neighbours

SIZE = (48, 64)
DTYPES = [torch.float32, torch.float64]


def soup(seed, count=60, near=False):
    """Single triangles of either side, none nearly edge on; `near`: many of them cut by the near plane."""
    rng = np.random.default_rng(seed)
    corners = rng.normal(size=(20 * count, 3, 3)) * [1.2, 1.0, 0.7]
    corners[..., 2] -= 1.7 if near else 4.0
    matrix = scenes.perspective(1.8, aspect=SIZE[1] / SIZE[0])
    pos_clip = scenes.project(matrix, corners.reshape(-1, 3)).reshape(-1, 3, 4)
    size = np.linalg.det(pos_clip[..., [0, 1, 3]])
    pos_clip = pos_clip[np.abs(size) > 0.2][:count]
    assert len(pos_clip) == count
    return pos_clip.reshape(1, -1, 4), np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


def is_front(pos_clip, triangles):
    """Counter-clockwise on the screen, by the sign of a homogeneous determinant (Olano, Greer 1997, section 2)."""
    return np.linalg.det(pos_clip[0][triangles][..., [0, 1, 3]]) > 0


def inputs(seed, dtype, near):
    pos_clip, triangles = soup(seed, near=near)
    front = is_front(pos_clip, triangles)
    assert 10 < front.sum() < len(front) - 10
    whole, kept = (torch.from_numpy(x) for x in (triangles, triangles[front]))
    return torch.tensor(pos_clip, dtype=dtype), whole, kept, torch.from_numpy(np.flatnonzero(front).astype(np.int32))


def renumbered(ids, places):
    return torch.where(ids >= 0, places[ids.clamp(min=0)], ids)


@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(4))
def test_rasterize_draws_the_front_faces_alone(seed, dtype, near):
    pos_clip, whole, kept, places = inputs(seed, dtype, near)
    got = ops.rasterize(pos_clip, whole, SIZE, cull_backfaces=True)
    expected = ops.rasterize(pos_clip, kept, SIZE)
    assert (expected.triangle_id >= 0).float().mean() > 0.2
    assert (ops.rasterize(pos_clip, whole, SIZE).triangle_id != got.triangle_id).any()
    for _ in range(4):
        assert torch.equal(got.triangle_id, renumbered(expected.triangle_id, places))
        assert torch.equal(got.barycentrics, expected.barycentrics)
        assert torch.equal(got.depth, expected.depth)
        got = ops.rasterize(pos_clip, whole, SIZE, behind=got, cull_backfaces=True)
        expected = ops.rasterize(pos_clip, kept, SIZE, behind=expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(4))
def test_soft_rasterize_draws_the_front_faces_alone(seed, dtype):
    pos_clip, whole, kept, places = inputs(seed, dtype, near=False)
    got = ops.soft_rasterize(pos_clip, whole, SIZE, sigma=1e-3, layers=5, cull_backfaces=True)
    expected = ops.soft_rasterize(pos_clip, kept, SIZE, sigma=1e-3, layers=5)
    assert torch.equal(got.triangle_id, renumbered(expected.triangle_id, places))
    for a, b in zip(got[1:], expected[1:], strict=True):
        assert torch.equal(a, b)


def drawn(pos_clip, triangles, **options):
    """Images and losses of each op that draws, and what goes back to the positions."""
    rng = np.random.default_rng(5)
    pos_clip = pos_clip.clone().requires_grad_()
    target = torch.tensor(rng.uniform(size=(1, *SIZE, 3)), dtype=pos_clip.dtype)
    uv = torch.tensor(rng.uniform(-1, 2, (pos_clip.shape[1], 2)), dtype=pos_clip.dtype)
    texture = torch.tensor(rng.uniform(size=(16, 16, 3)), dtype=pos_clip.dtype)
    options["neighbours"] = torch.from_numpy(neighbours(triangles.numpy()))
    ranges = [[0, len(triangles)]]
    outputs = (
        ops.silhouette(pos_clip, triangles, SIZE, **options),
        ops.silhouette_error(pos_clip, triangles, target[..., 0], supersample=2, **options),
        ops.silhouette_error(pos_clip, triangles, target[..., 0], ranges=ranges, **options),
        ops.textured(pos_clip, triangles, uv, texture, SIZE, **options),
        ops.textured_error(pos_clip, triangles, uv, texture, target, **options),
    )
    losses = [(x * target[..., :1]).sum() if x.ndim > 1 else x.sum() for x in outputs]
    grads = [torch.autograd.grad(loss, pos_clip)[0] for loss in losses]
    return [x.detach() for x in outputs], grads


@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_fused_ops_draw_the_front_faces_alone(dtype, near):
    pos_clip, whole, kept, _ = inputs(1, dtype, near)
    got, expected = drawn(pos_clip, whole, cull_backfaces=True), drawn(pos_clip, kept)
    for a, b in zip(got[0] + got[1], expected[0] + expected[1], strict=True):
        assert b.abs().max() > 0
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5 * b.abs().max().item())  # other sums, in another order
    everything = drawn(pos_clip, whole)
    assert all((a != b).any() for a, b in zip(got[0], everything[0], strict=True))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_closed_mesh_looks_the_same(dtype):
    """Bit for bit, and its gradients too: its silhouette is where front faces end."""
    sphere = scenes.icosphere(3)
    vertices = sphere.vertices * (1 + 0.1 * np.random.default_rng(2).normal(size=(len(sphere.vertices), 1)))
    pos_clip = torch.tensor(scenes.project(scenes.perspective(1.8), vertices - [0, 0.1, 3.1]), dtype=dtype)
    triangles = torch.from_numpy(sphere.triangles)
    got, expected = (drawn(pos_clip, triangles, cull_backfaces=cull) for cull in (True, False))
    for a, b in zip(got[0] + got[1], expected[0] + expected[1], strict=True):
        assert torch.equal(a, b)
    inside_out = torch.flip(triangles, [1])
    far_side, near_side = (ops.rasterize(pos_clip, x, SIZE, cull_backfaces=True) for x in (inside_out, triangles))
    seen = near_side.triangle_id >= 0
    assert seen.any()
    assert torch.equal(seen, far_side.triangle_id >= 0)
    assert (far_side.depth[seen] > near_side.depth[seen]).all()


@pytest.mark.parametrize("wrong", [1, None, "back", np.array([True])])
def test_it_is_true_or_false(wrong):
    x = chains.inputs(batch=1, level=1)
    geometry, target = (x["pos_clip"], x["triangles"]), x["target"]
    uv = x["attributes"][..., :2]
    calls = {
        "rasterize": lambda: ops.rasterize(*geometry, SIZE, cull_backfaces=wrong),
        "soft_rasterize": lambda: ops.soft_rasterize(*geometry, SIZE, cull_backfaces=wrong),
        "silhouette": lambda: ops.silhouette(*geometry, SIZE, cull_backfaces=wrong),
        "silhouette_error": lambda: ops.silhouette_error(*geometry, target[..., 0], cull_backfaces=wrong),
        "textured": lambda: ops.textured(*geometry, uv, x["texture"], SIZE, cull_backfaces=wrong),
        "textured_error": lambda: ops.textured_error(*geometry, uv, x["texture"], target, cull_backfaces=wrong),
    }
    for op, call in calls.items():
        with pytest.raises(ValueError, match=re.escape(f"{op}: cull_backfaces must be True or False; got {wrong!r}")):
            call()
