# SPDX-License-Identifier: MIT
"""`textured_error`: the loss and the gradients of the ops that it stands for, without their images."""

import numpy as np
import pytest
import torch
from test_textured import SIZE, SPHERE, TABLE, inputs

from intaglio import ops
from intaglio.topology import neighbours


def target_like(leaves, size=SIZE):
    pos_clip, _, texture = leaves
    rng = np.random.default_rng(3)
    return torch.tensor(rng.uniform(size=(len(pos_clip), *size, texture.shape[-1])), dtype=texture.dtype)


def options(wrap="repeat", triangles=SPHERE.triangles, table=TABLE):
    uv_triangles = torch.from_numpy(SPHERE.uv_triangles)
    return torch.from_numpy(triangles), {
        "uv_triangles": uv_triangles, "wrap": wrap, "neighbours": torch.from_numpy(table)
    }  # fmt: skip


def fused(leaves, target, **given):
    triangles, given = options(**given)
    pos_clip, uv, texture = leaves
    return ops.textured_error(pos_clip, triangles, uv, texture, target, **given)


def composed(leaves, target, **given):
    triangles, given = options(**given)
    pos_clip, uv, texture = leaves
    image = ops.textured(pos_clip, triangles, uv, texture, tuple(target.shape[1:3]), **given)
    return torch.stack([ops.squared_error(a, b) for a, b in zip(image, target, strict=True)])


def with_gradients(function, leaves, target, weight=None, **given):
    error = function(leaves, target, **given)
    weight = torch.ones_like(error) if weight is None else weight.to(error)
    return [error.detach(), *torch.autograd.grad((error * weight).sum(), leaves)]


def assert_same_bits(got, expected):
    """Sums of gradients are made in one order; errors are sums of some thousand, cut into other slices."""
    eps = torch.finfo(got[0].dtype).eps
    torch.testing.assert_close(got[0], expected[0], rtol=100 * eps, atol=0)
    for a, b in zip(got[1:], expected[1:], strict=True):
        assert b.abs().max() > 0
        assert torch.equal(a, b)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("wrap", ["repeat", "mirror", "clamp"])
def test_it_is_textured_and_squared_error_in_one(wrap, dtype):
    leaves = inputs(dtype=dtype)
    target = target_like(leaves)
    got, expected = (with_gradients(function, leaves, target, wrap=wrap) for function in (fused, composed))
    assert_same_bits(got, expected)


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_number_of_channels(channels, dtype):
    leaves = inputs(channels, dtype=dtype)
    target = target_like(leaves)
    got, expected = (with_gradients(function, leaves, target) for function in (fused, composed))
    assert_same_bits(got, expected)


@pytest.mark.parametrize(("own_uv", "own_texture"), [(True, False), (False, True), (True, True)])
def test_views_may_have_uv_and_textures_of_their_own(own_uv, own_texture):
    leaves = inputs(own_uv=own_uv, own_texture=own_texture, batch=3)
    target = target_like(leaves)
    got, expected = (with_gradients(function, leaves, target) for function in (fused, composed))
    assert_same_bits(got, expected)


@pytest.mark.parametrize(("own_uv", "own_texture"), [(False, False), (True, False), (True, True)])
def test_errors_may_count_differently(own_uv, own_texture):
    leaves, weight = inputs(own_uv=own_uv, own_texture=own_texture, batch=3), torch.tensor([1.0, -2.0, 0.3])
    target = target_like(leaves)
    got, expected = (with_gradients(function, leaves, target, weight) for function in (fused, composed))
    for a, b in zip(got, expected, strict=True):  # weighted before or after they are added up: some hundred roundings
        torch.testing.assert_close(a, b, rtol=0, atol=1e-13 * float(b.abs().max()))


@pytest.mark.parametrize("texels", [(1, 1), (1, 6), (5, 1), (16, 16), (300, 200)])
@pytest.mark.parametrize("size", [(1, 1), (33, 65), (8, 200), (131, 64)])
def test_any_texture_and_any_size(texels, size):
    leaves = inputs(texels=texels, dtype=torch.float32)
    target = target_like(leaves, size)
    got, expected = (with_gradients(function, leaves, target) for function in (fused, composed))
    torch.testing.assert_close(got[0], expected[0], rtol=1e-5, atol=0)
    assert all(torch.equal(a, b) for a, b in zip(got[1:], expected[1:], strict=True))


def test_every_view_may_have_triangles_of_its_own():
    leaves = inputs()
    triangles = np.stack([SPHERE.triangles, np.roll(SPHERE.triangles, 1, axis=-1)])
    given = {"triangles": triangles, "table": np.stack([neighbours(x) for x in triangles])}
    target = target_like(leaves)
    got, expected = (with_gradients(function, leaves, target, **given) for function in (fused, composed))
    assert_same_bits(got, expected)


@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 1), (1, 2)])
def test_what_wants_no_gradient_changes_no_other(wanted):
    leaves = inputs(dtype=torch.float32)
    target = target_like(leaves)
    together = with_gradients(fused, leaves, target)[1:]
    chosen = [leaf if i in wanted else leaf.detach() for i, leaf in enumerate(leaves)]
    grads = torch.autograd.grad(fused(chosen, target).sum(), [leaves[i] for i in wanted])
    for i, grad in zip(wanted, grads, strict=True):
        torch.testing.assert_close(grad, together[i], rtol=1e-5, atol=1e-5 * float(together[i].abs().max()))


@pytest.mark.parametrize("leaf", ["pos_clip", "uv", "texture"])
def test_the_gradient_is_the_slope_of_the_loss(leaf):
    # Two triangles that reach beyond the image, so that no edge but their common one is seen, whose colours agree; a
    # texel is larger than a pixel, so that the level of detail, which has no gradient, stays 0.
    rng = np.random.default_rng(4)
    corners = [[-3, -2, 0, 1], [4, -3, 0, 1.5], [3.5, 4, 0, 0.9], [-3, 3, 0, 1.2]]
    at = {
        "pos_clip": torch.tensor([corners], dtype=torch.float64),
        "uv": torch.tensor([[0, 0], [1.9, 0.1], [2, 2.2], [-0.1, 1.8]], dtype=torch.float64),
        "texture": torch.tensor(rng.uniform(size=(5, 4, 3))),
    }
    triangles = torch.tensor([[0, 1, 2], [0, 2, 3]], dtype=torch.int32)
    target = torch.tensor(rng.uniform(size=(1, 70, 83, 3)))

    def loss(**moved):
        given = {**at, **moved}
        return ops.textured_error(given["pos_clip"], triangles, given["uv"], given["texture"], target).sum()

    x = at[leaf].clone().requires_grad_()
    (grad,) = torch.autograd.grad(loss(**{leaf: x}), x)
    step = 1e-6 * torch.tensor(rng.normal(size=x.shape))
    if leaf == "pos_clip":
        step[..., 2] = 0
    difference = loss(**{leaf: at[leaf] + step}) - loss(**{leaf: at[leaf] - step})
    # Of a loss of some thousand, rounded at 1e-12, differences are 1e-3; the third derivative adds 1e-12 of that, and
    # the few pixels in which a texel border is crossed 1e-6 times the jump of their slope.
    torch.testing.assert_close(difference, 2 * (grad * step).sum(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("own_texture", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_results_do_not_depend_on_the_threads(own_texture, batch):
    before = ops.get_num_threads()
    leaves, results = inputs(own_texture=own_texture, dtype=torch.float32, batch=batch), []
    target = target_like(leaves, (150, 200))
    try:
        for threads in (1, 2, 3, 7):
            ops.set_num_threads(threads)
            results.append(with_gradients(fused, leaves, target, torch.linspace(1, 2, batch)))
    finally:
        ops.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(got, expected) for got, expected in zip(other, results[0], strict=True))


def test_nothing_is_left_of_what_was_drawn_before():
    leaves = inputs(dtype=torch.float32, batch=3)
    for size, channels in [((200, 130), 3), ((64, 130), 3), ((64, 130), 1), ((200, 130), 3), ((300, 300), 3)]:
        leaves = inputs(channels, dtype=torch.float32, batch=3)
        target = target_like(leaves, size)
        got, expected = (with_gradients(function, leaves, target) for function in (fused, composed))
        assert_same_bits(got, expected)


def test_backward_may_run_twice():
    leaves = inputs(dtype=torch.float32)
    error = fused(leaves, target_like(leaves)).sum()
    first, second = (torch.autograd.grad(error, leaves, retain_graph=True) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_functional_gradients_are_the_same():
    leaves = inputs(dtype=torch.float32)
    target = target_like(leaves)
    expected = with_gradients(fused, leaves, target)[1:]
    got = torch.func.grad(lambda *x: fused(x, target).sum(), argnums=(0, 1, 2))(*(x.detach() for x in leaves))
    assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))


def test_numpy_gets_the_errors():
    leaves = inputs(dtype=torch.float32)
    target, (triangles, given) = target_like(leaves), options()
    pos_clip, uv, texture = (x.detach().numpy() for x in leaves)
    given = {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in given.items()}
    got = ops.textured_error(pos_clip, triangles.numpy(), uv, texture, target.numpy(), **given)
    np.testing.assert_array_equal(got, fused(leaves, target).detach().numpy())


def test_an_empty_mesh_differs_by_the_target_alone():
    leaves = inputs(dtype=torch.float64)
    target = target_like(leaves)
    error = ops.textured_error(leaves[0], torch.zeros((0, 3), dtype=torch.int32), *leaves[1:], target)
    torch.testing.assert_close(error, target.square().sum((1, 2, 3)), rtol=1e-13, atol=0)
    assert not any(grad.any() for grad in torch.autograd.grad(error.sum(), leaves))


def test_no_views_have_no_errors():
    pos_clip, uv, texture = (x.detach().requires_grad_() for x in inputs(dtype=torch.float32))
    none = pos_clip.detach()[:0].requires_grad_()
    error = fused((none, uv, texture), torch.zeros(0, 8, 8, 3))
    assert error.shape == (0,)
    grads = torch.autograd.grad(error.sum(), (none, uv, texture))
    assert [x.shape for x in grads] == [x.shape for x in (none, uv, texture)]
    assert not any(x.any() for x in grads)


def test_huge_and_degenerate_triangles_pass():
    pos_clip = torch.tensor([[[-1e20, -1e20, 0, 1], [3e20, -1e20, 0, 1], [-1e20, 3e20, 0, 1], [0, 0, 0, 1.0]]])
    pos_clip.requires_grad_()
    triangles = torch.tensor([[0, 1, 2], [3, 3, 3], [0, 1, 1]], dtype=torch.int32)
    uv, texture = torch.rand(4, 2, requires_grad=True), torch.rand(4, 4, 3, requires_grad=True)
    error = ops.textured_error(pos_clip, triangles, uv, texture, torch.zeros(1, 9, 9, 3)).sum()
    error.backward()
    assert all(x.isfinite().all() for x in (error, pos_clip.grad, uv.grad, texture.grad))
