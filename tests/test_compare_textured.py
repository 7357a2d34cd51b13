# SPDX-License-Identifier: MIT
"""`compare_textured`: the loss and the gradients of `render` and a sum of squares."""

import numpy as np
import pytest
import torch

from intaglio import AmbientLight, Camera, Unlit, compare_textured, pack, render, shapes

SIZE = (50, 70)
SPHERE = shapes.sphere(16, 8).replace(texture=np.random.default_rng(0).uniform(size=(16, 32, 3)).astype(np.float32))
ONE = Camera.look_at((0.5, 1, 3))
TWO = Camera.look_at(np.array([[0.5, 1, 3], [-2, 0.3, 2.5]]))


def leaves(batch=(), dtype=torch.float64):
    rng = np.random.default_rng(1)
    vertices = SPHERE.vertices + 0.02 * rng.normal(size=(*batch, *SPHERE.vertices.shape))
    values = (vertices, SPHERE.uv, SPHERE.texture)
    return [torch.tensor(np.asarray(x), dtype=dtype, requires_grad=True) for x in values]


def mesh_of(values, **changes):
    return SPHERE.replace(vertices=values[0], uv=values[1], texture=values[2], **changes)


def by_picture(mesh, camera, target):
    image = render(mesh, camera, SIZE, lights=[AmbientLight()], texture_filter="trilinear").color
    return ((image - target) ** 2).sum(dim=(1, 2, 3))


@pytest.mark.parametrize("material", [None, Unlit()])
@pytest.mark.parametrize(("camera", "batch"), [(ONE, ()), (TWO, ()), (ONE, (2,)), (TWO, (2,))])
def test_it_is_render_and_a_sum_of_squares(camera, batch, material):
    values = leaves(batch)
    views = 2 if camera is TWO or batch else 1
    target = torch.tensor(np.random.default_rng(2).uniform(size=(views, *SIZE, 3)))
    mesh = mesh_of(values, material=material)
    got, expected = compare_textured(mesh, camera, target), by_picture(mesh, camera, target)
    torch.testing.assert_close(got, expected, rtol=1e-12, atol=0)  # some thousand roundings of 1e-16
    grads = [torch.autograd.grad(error.sum(), values) for error in (got, expected)]
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11 * float(b.abs().max()))


def test_one_target_serves_all_views():
    target = np.random.default_rng(2).uniform(size=(*SIZE, 3)).astype(np.float32)
    np.testing.assert_array_equal(
        compare_textured(SPHERE, TWO, target), compare_textured(SPHERE, TWO, np.stack([target] * 2))
    )


BAD = {
    "a grey target": (
        lambda target: compare_textured(SPHERE, ONE, target[..., 0]),
        "compare_textured: target must be [H, W, 3] or [B, H, W, 3]; got [50, 70]",
    ),
    "no texture": (
        lambda target: compare_textured(shapes.cube().replace(texture=None), ONE, target),
        "compare_textured: mesh.texture must be [H, W, 3] or [B, H, W, 3]; got none "
        "(render it, and compare the picture)",
    ),
    "a colour besides": (
        lambda target: compare_textured(SPHERE.replace(material=Unlit(base_color=(1, 0, 0))), ONE, target),
        "compare_textured: mesh must be coloured by its texture alone; got more: vertex_colors, face_textures or a "
        "material (render it, and compare the picture)",
    ),
    "several meshes": (
        lambda target: compare_textured(pack([SPHERE, SPHERE]), ONE, target),
        "compare_textured: mesh must be a Mesh; got a Pack (render it, and compare the picture)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    call, message = BAD[case]
    with pytest.raises(ValueError) as error:  # noqa: PT011
        call(np.zeros((*SIZE, 3), np.float32))
    assert str(error.value) == message
