# SPDX-License-Identifier: MIT
"""sample_face_texture: cubes of texels addressed by barycentrics (Kato et al. 2018)."""

import numpy as np
import pytest
import torch
from reference import agreement, scenes, shade

from intaglio import ops

TRIANGLE = np.array([[0, 1, 2]], dtype=np.int32)
SIZE = (20, 24)


def fragments_at(weights) -> ops.Fragments:
    """One row of pixels that show triangle 0 with these weights [N,2]."""
    weights = np.asarray(weights, dtype=np.float64)[None, None]
    shape = weights.shape[:3]
    return ops.Fragments(np.zeros(shape, dtype=np.int32), weights, np.zeros(shape))


def scene(dtype=np.float64, num_triangles=12):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(0), 2, num_triangles)
    return ops.rasterize(pos_clip.astype(dtype), triangles, SIZE)


def as_torch(fragments) -> ops.Fragments:
    return ops.Fragments(*(torch.from_numpy(x) for x in fragments))


@pytest.mark.parametrize("resolution", [2, 3, 4])
def test_each_vertex_sees_its_corner_of_the_cube(resolution):
    cube = np.zeros((1, resolution, resolution, resolution, 3))
    cube[0, -1, 0, 0], cube[0, 0, -1, 0], cube[0, 0, 0, -1] = np.eye(3)
    image = ops.sample_face_texture(cube, fragments_at([[1, 0], [0, 1], [0, 0]]))
    np.testing.assert_array_equal(image[0, 0], np.eye(3))


def test_a_cube_of_one_texel_is_a_constant():
    cube = np.float32([0.1, 0.2, 0.3]).reshape(1, 1, 1, 1, 3)
    image = ops.sample_face_texture(
        cube,
        ops.Fragments(
            *(x.astype(np.float32) if x.dtype == float else x for x in fragments_at([[0.3, 0.1], [1, 0], [0, 0]]))
        ),
    )
    assert (image == cube[0, 0, 0, 0]).all()


def test_the_middle_of_an_edge_mixes_both_corners_and_the_texels_between():
    # T = 2 at weights (1/2, 1/2, 0): the four texels of the cube's side k = 0, a quarter each.
    cube = np.arange(8.0).reshape(1, 2, 2, 2, 1)
    image = ops.sample_face_texture(cube, fragments_at([[0.5, 0.5]]))
    assert image[0, 0, 0, 0] == (0 + 2 + 4 + 6) / 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("resolution", "channels"), [(1, 3), (2, 3), (3, 1), (4, 5)])
def test_colours_agree_with_the_reference(resolution, channels, dtype):
    fragments = scene(dtype)
    textures = np.random.default_rng(1).normal(size=(2, 12, resolution, resolution, resolution, channels))
    got = ops.sample_face_texture(textures.astype(dtype), fragments)
    expected = shade.sample_face_texture(textures, fragments.triangle_id, fragments.barycentrics.astype(float))
    assert got.dtype == dtype
    # Per texel a weight of three factors, each rounded twice and off by eps T, and eight products.
    bound = (24 + 8 * resolution) * agreement.EPS[np.dtype(dtype)] * np.abs(textures).max()
    agreement.assert_close(got, expected, bound, "sample_face_texture")


def test_textures_without_a_batch_axis_serve_every_image():
    fragments = scene()
    textures = np.random.default_rng(1).normal(size=(12, 2, 2, 2, 3))
    np.testing.assert_array_equal(
        ops.sample_face_texture(textures, fragments),
        ops.sample_face_texture(np.stack([textures, textures]), fragments),
    )


def test_the_background_is_zero():
    fragments = scene()
    image = ops.sample_face_texture(np.ones((12, 2, 2, 2, 3)), fragments)
    np.testing.assert_allclose(image, np.broadcast_to((fragments.triangle_id >= 0)[..., None], image.shape), rtol=1e-15)


@pytest.mark.parametrize("own", [False, True])
def test_the_gradient_is_the_adjoint(own):
    # Linear in the texels: <sample(dx), g> = <dx, grad(g)> for every direction.
    fragments = as_torch(scene())
    rng = np.random.default_rng(2)
    shape = (*((2,) if own else ()), 12, 3, 3, 3, 2)
    textures = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    direction = torch.from_numpy(rng.normal(size=shape))
    grad_out = torch.from_numpy(rng.normal(size=(2, *SIZE, 2)))
    ops.sample_face_texture(textures, fragments).backward(grad_out)
    assert textures.grad is not None
    along = (ops.sample_face_texture(direction, fragments) * grad_out).sum()
    torch.testing.assert_close((textures.grad * direction).sum(), along, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("own", [False, True])
def test_the_gradient_does_not_depend_on_the_threads(own):
    before = ops.get_num_threads()
    fragments = as_torch(scene(np.float32))
    grads = []
    for threads in (1, 2, 5):
        ops.set_num_threads(threads)
        textures = torch.zeros((*((2,) if own else ()), 12, 4, 4, 4, 3), requires_grad=True)
        image = ops.sample_face_texture(textures, fragments)
        image.backward(torch.from_numpy(np.random.default_rng(3).normal(size=image.shape).astype(np.float32)))
        grads.append(textures.grad)
    ops.set_num_threads(before)
    assert torch.equal(grads[0], grads[1])
    assert torch.equal(grads[0], grads[2])


def test_a_triangle_without_texture_is_refused():
    message = r"sample_face_texture: fragments.triangle_id must be in \[-1, 3\); got .*"
    with pytest.raises(ValueError, match=message):
        ops.sample_face_texture(np.ones((3, 2, 2, 2, 3)), scene())


def test_a_cube_must_be_a_cube():
    message = (
        r"sample_face_texture: textures must be \[F, T, T, T, C\] or \[B, F, T, T, T, C\].*; got \[12, 2, 3, 2, 3\]"
    )
    with pytest.raises(ValueError, match=message):
        ops.sample_face_texture(np.ones((12, 2, 3, 2, 3)), scene())
    with pytest.raises(ValueError, match=r"textures must be of at least one texel; got T = 0"):
        ops.sample_face_texture(np.ones((12, 0, 0, 0, 3)), scene())
