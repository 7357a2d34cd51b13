# SPDX-License-Identifier: MIT
"""The fused op for textured meshes: what its parts give one after the other, for images and every gradient."""

import numpy as np
import pytest
import torch
from reference import scenes

from intaglio import ops, shapes
from intaglio.topology import neighbours

SPHERE = shapes.sphere(20, 12)
SIZE = (45, 133)  # neither is a multiple of a tile
TABLE = neighbours(SPHERE.triangles)


def positions(batch=2, seed=0):
    """Spheres partly out of the image, one of them around the eye."""
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(batch, 1, 3)) * 0.4 + [0, 0, -2.5]
    vertices = (
        np.asarray(SPHERE.vertices, float) * (1 + 0.1 * rng.normal(size=(batch, len(SPHERE.vertices), 1))) + places
    )
    matrix = scenes.perspective(1.8, aspect=SIZE[1] / SIZE[0])
    return np.concatenate([scenes.project(matrix, v) for v in vertices])


def inputs(channels=3, own_uv=False, own_texture=False, texels=(37, 64), dtype=torch.float64, batch=2):
    rng = np.random.default_rng(1)
    uv = 3 * np.asarray(SPHERE.uv, float)
    uv = np.stack([uv] * batch) + rng.normal(size=(batch, 1, 2)) if own_uv else uv
    texture = rng.uniform(size=(*((batch,) if own_texture else ()), *texels, channels))
    return [torch.tensor(x, dtype=dtype, requires_grad=True) for x in (positions(batch), uv, texture)]


def composed(pos_clip, uv, texture, size=SIZE, wrap="repeat", triangles=SPHERE.triangles, table=TABLE):
    triangles, uv_triangles = torch.from_numpy(triangles), torch.from_numpy(SPHERE.uv_triangles)
    fragments = ops.rasterize(pos_clip, triangles, size)
    at = ops.interpolate(uv, fragments, uv_triangles)
    derivatives = ops.screen_derivatives(uv, fragments, uv_triangles, pos_clip, triangles)
    levels = ops.mip_pyramid(texture)
    image = ops.sample_texture(levels, at, filter="trilinear", wrap=wrap, uv_derivatives=derivatives)
    image = image * (fragments.triangle_id >= 0)[..., None]
    return ops.edge_gradient(image, fragments, pos_clip, triangles, neighbours=torch.from_numpy(table))


def fused(pos_clip, uv, texture, size=SIZE, wrap="repeat", triangles=SPHERE.triangles, table=TABLE):
    return ops.textured(
        pos_clip,
        torch.from_numpy(triangles),
        uv,
        texture,
        size,
        uv_triangles=torch.from_numpy(SPHERE.uv_triangles),
        wrap=wrap,
        neighbours=torch.from_numpy(table),
    )


def with_gradients(function, leaves, **options):
    image = function(*leaves, **options)
    weight = torch.tensor(np.random.default_rng(2).normal(size=image.shape), dtype=image.dtype)
    return [image, *torch.autograd.grad(image, leaves, weight)]


# float64: chains of some hundred roundings of 2e-16. float32: a level is rounded at 1e-7 of up to 6, and texels of
# levels differ by up to 1; gradients sum some thousand such.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-4}


def assert_same(got, expected):
    for a, b in zip(got, expected, strict=True):
        assert b.abs().max() > 0
        assert (a - b).abs().max() <= TOLERANCE[b.dtype] * b.abs().max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("wrap", ["repeat", "mirror", "clamp"])
def test_image_and_gradients_are_those_of_its_parts(wrap, dtype):
    leaves = inputs(dtype=dtype)
    assert_same(with_gradients(fused, leaves, wrap=wrap), with_gradients(composed, leaves, wrap=wrap))


@pytest.mark.parametrize("channels", [1, 2, 4, 5])
def test_any_number_of_channels(channels):
    leaves = inputs(channels)
    assert_same(with_gradients(fused, leaves), with_gradients(composed, leaves))


@pytest.mark.parametrize(("own_uv", "own_texture"), [(True, False), (False, True), (True, True)])
def test_images_may_have_uv_and_textures_of_their_own(own_uv, own_texture):
    leaves = inputs(own_uv=own_uv, own_texture=own_texture)
    assert_same(with_gradients(fused, leaves), with_gradients(composed, leaves))


@pytest.mark.parametrize("texels", [(1, 1), (1, 6), (5, 1), (16, 16), (300, 200)])
@pytest.mark.parametrize("size", [(1, 1), (33, 65), (8, 200)])
def test_any_texture_and_any_size(texels, size):
    leaves = inputs(texels=texels)
    got, expected = (with_gradients(function, leaves, size=size) for function in (fused, composed))
    for a, b in zip(got, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12 * max(b.abs().max().item(), 1))


def test_every_image_may_have_triangles_of_its_own():
    leaves = inputs()
    triangles = np.stack([SPHERE.triangles, np.roll(SPHERE.triangles, 1, axis=-1)])
    table = np.stack([neighbours(x) for x in triangles])
    got, expected = (with_gradients(f, leaves, triangles=triangles, table=table) for f in (fused, composed))
    assert_same(got, expected)


@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 1), (1, 2)])
def test_what_wants_no_gradient_costs_none(wanted):
    leaves = inputs()
    together = with_gradients(fused, leaves)[1:]
    chosen = [leaf if i in wanted else leaf.detach() for i, leaf in enumerate(leaves)]
    image = fused(*chosen)
    weight = torch.tensor(np.random.default_rng(2).normal(size=image.shape))
    for i, grad in zip(wanted, torch.autograd.grad(image, [leaves[i] for i in wanted], weight), strict=True):
        assert torch.equal(grad, together[i])


@pytest.mark.parametrize("own_texture", [False, True])
def test_results_do_not_depend_on_the_threads(own_texture):
    before = ops.get_num_threads()
    leaves, results = inputs(own_texture=own_texture, dtype=torch.float32, batch=3), []
    for threads in (1, 2, 7):
        ops.set_num_threads(threads)
        results.append(with_gradients(fused, leaves, size=(150, 200)))
    ops.set_num_threads(before)
    for other in results[1:]:
        for got, expected in zip(other, results[0], strict=True):
            assert torch.equal(got, expected)


def test_uv_may_share_the_corners_of_the_shape():
    triangles = torch.from_numpy(SPHERE.triangles)
    uv = torch.from_numpy(np.asarray(SPHERE.vertices)[:, :2].copy())
    pos_clip = torch.from_numpy(positions().astype(np.float32))
    texture = torch.rand(8, 8, 3)
    image = ops.textured(pos_clip, triangles, uv, texture, SIZE)
    assert torch.equal(image, ops.textured(pos_clip, triangles, uv, texture, SIZE, uv_triangles=triangles))
    assert image.any()


def test_an_empty_mesh_shows_nothing():
    pos_clip, uv, texture = inputs()
    none = torch.zeros((0, 3), dtype=torch.int32)
    image = ops.textured(pos_clip, none, uv, texture, SIZE)
    assert not image.any()
    assert not any(grad.any() for grad in torch.autograd.grad(image.sum(), (pos_clip, uv, texture)))


def test_huge_and_degenerate_triangles_pass():
    pos_clip = torch.tensor([[[-1e20, -1e20, 0, 1], [3e20, -1e20, 0, 1], [-1e20, 3e20, 0, 1], [0, 0, 0, 1.0]]])
    pos_clip.requires_grad_()
    triangles = torch.tensor([[0, 1, 2], [3, 3, 3], [0, 1, 1]], dtype=torch.int32)
    uv, texture = torch.rand(4, 2, requires_grad=True), torch.rand(4, 4, 3, requires_grad=True)
    image = ops.textured(pos_clip, triangles, uv, texture, (9, 9))
    image.sum().backward()
    assert all(x.isfinite().all() for x in (image, pos_clip.grad, uv.grad, texture.grad))
