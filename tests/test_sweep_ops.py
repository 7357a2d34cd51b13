# SPDX-License-Identifier: MIT
"""sweep_gradient in numbers that can be checked by hand (Kato et al. 2018, backward_pixel_map).

8 x 8 pixels, counted with y upwards, integers at their centres. A right-angled triangle with corners A (1.5, 1.5),
B (5.5, 1.5) and C (1.5, 5.5); its alpha is 1, the background's 0. eps is 2^-10.
"""

import numpy as np
import pytest
import torch
from reference import scenes

from intaglio import ops

SIZE = 8
EPS = 2.0**-10
CORNERS = np.array([(1.5, 1.5), (5.5, 1.5), (1.5, 5.5)])


def clip_from_pixels(corners, w=1.0) -> np.ndarray:
    ndc = (2 * np.asarray(corners) + 1 - SIZE) / SIZE
    return np.concatenate([ndc * w, np.zeros((len(ndc), 1)), np.full((len(ndc), 1), w)], axis=1)[None]


def sweep(pos_clip, pulls, triangle=(0, 1, 2)) -> np.ndarray:
    """The gradient [V,4] with respect to pos_clip of sum(pull * alpha at (x, y)), pulls being {(x, y): pull}."""
    pos_clip = torch.tensor(pos_clip, requires_grad=True)
    triangles = torch.tensor([triangle], dtype=torch.int32)
    fragments = ops.rasterize(pos_clip.detach(), triangles, (SIZE, SIZE))
    alpha = (fragments.triangle_id >= 0).to(pos_clip.dtype)[..., None]
    swept = ops.sweep_gradient(alpha, fragments, pos_clip, triangles, eps=EPS)
    assert torch.equal(swept, alpha)
    sum(pull * swept[0, SIZE - 1 - y, x, 0] for (x, y), pull in pulls.items()).backward()
    assert pos_clip.grad is not None
    return pos_clip.grad.numpy()[0]


def over(distance: float) -> float:
    return 1 / (abs(distance) + EPS)


def test_a_pixel_outside_pulls_the_edge_that_faces_it():
    # (0, 3) should become 1. In its row only the edge CA faces it, at x = 1.5; it must move 1.5 pixels to the left.
    # That is 3/8 ndc there; by the lever of row 3 on the edge from 5.5 to 1.5, 8/3 of that at C and 8/5 at A.
    grad = sweep(clip_from_pixels(CORNERS), {(0, 3): -1.0})
    expected = np.zeros((3, 2))
    expected[2, 0], expected[0, 0] = over(1.0), over(0.6)
    np.testing.assert_allclose(grad[:, :2], expected, rtol=1e-14)


def test_a_pixel_that_would_lose_does_not_pull():
    assert (sweep(clip_from_pixels(CORNERS), {(0, 3): 1.0}) == 0).all()


def test_a_pixel_inside_pushes_all_edges_over_itself():
    # (2, 3) should become 0. Row 3 meets CA at x = 1.5 and BC at x = 4; column 2 meets AB at y = 1.5 and BC at y = 5.
    grad = sweep(clip_from_pixels(CORNERS), {(2, 3): 1.0})
    expected = np.zeros((3, 2))
    expected[2, 0] = -over(8 / 3 * 0.5 / 4) + over(8 / 3 * 2 / 4)
    expected[0, 0] = -over(8 / 5 * 0.5 / 4)
    expected[1, 0] = over(8 / 5 * 2 / 4)
    expected[0, 1] = -over(8 / 7 * 1.5 / 4)
    expected[1, 1] = -over(8 * 1.5 / 4) + over(8 * 2 / 4)
    expected[2, 1] = over(8 / 7 * 2 / 4)
    np.testing.assert_allclose(grad[:, :2], expected, rtol=1e-14)


def test_the_turn_of_a_triangle_does_not_matter():
    pulls = {(0, 3): -1.0, (2, 3): 1.0, (6, 6): -2.0}
    one_way, other_way = (sweep(clip_from_pixels(CORNERS), pulls, order) for order in ((0, 1, 2), (2, 1, 0)))
    np.testing.assert_allclose(one_way, other_way, rtol=1e-14)


def test_an_edge_that_ends_just_below_the_image_is_continued_to_its_first_row():
    # The original's conversion to int: AB ends at y = -1/4 and yet acts on row 0, where it would be at x = 2.375.
    grad = sweep(clip_from_pixels([(1.75, -1.25), (2.25, -0.25), (1.5, 6.5)]), {(7, 0): -1.0})
    # As B lies between A and the row, moving A to the right takes the edge there to the left: a lever of -4.
    from_ab, from_bc = (7 - 2.375) / 4, (7 - (2.25 - 0.75 / 27)) / 4
    expected = [over(-4 * from_ab), -over(0.8 * from_ab) - over(6.75 / 6.5 * from_bc), -over(27 * from_bc)]
    np.testing.assert_allclose(grad[:, 0], expected, rtol=1e-13)


def test_positions_are_homogeneous():
    pulls = {(0, 3): -1.0, (2, 3): 1.0}
    near, far = sweep(clip_from_pixels(CORNERS), pulls), sweep(clip_from_pixels(CORNERS, w=2.0), pulls)
    np.testing.assert_allclose(far, near / 2, rtol=1e-14)
    # Moving a vertex along its own ray changes nothing.
    np.testing.assert_allclose((far * clip_from_pixels(CORNERS, w=2.0)[0]).sum(axis=1), 0, atol=1e-13)


def test_a_triangle_behind_the_eye_gets_no_gradient():
    pos_clip = clip_from_pixels(CORNERS)
    pos_clip[0, 1] = [0.5, -0.5, 0.5, -1]
    grad = sweep(pos_clip, {(x, y): pull for x in range(8) for y in range(8) for pull in (1.0, -1.0)})
    assert (grad == 0).all()


def random_scene(dtype=torch.float32):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(0), 2, 40)
    pos_clip, triangles = torch.from_numpy(pos_clip).to(dtype), torch.from_numpy(triangles)
    fragments = ops.rasterize(pos_clip, triangles, (50, 70))
    rng = np.random.default_rng(1)
    image, grad = (torch.from_numpy(rng.normal(size=(2, 50, 70, 5))).to(dtype) for _ in range(2))
    return pos_clip.requires_grad_(), triangles, fragments, image, grad


def test_the_gradient_does_not_depend_on_the_threads():
    before = ops.get_num_threads()
    pos_clip, triangles, fragments, image, grad = random_scene()
    grads = []
    for threads in (1, 2, 5):
        ops.set_num_threads(threads)
        swept = ops.sweep_gradient(image, fragments, pos_clip, triangles)
        grads.append(torch.autograd.grad(swept, pos_clip, grad)[0])
    ops.set_num_threads(before)
    assert torch.equal(grads[0], grads[1])
    assert torch.equal(grads[0], grads[2])


def test_only_the_box_that_has_a_gradient_is_looked_at():
    # The same gradient, once in an image without another and once beside a very small one everywhere.
    pos_clip, triangles, fragments, image, _ = random_scene(torch.float64)
    grad = torch.zeros_like(image)
    grad[:, 10:30, 23:41] = 1
    faint = torch.where(grad == 0, 1e-300, grad)
    sparse, dense = (
        torch.autograd.grad(ops.sweep_gradient(image, fragments, pos_clip, triangles), pos_clip, g)[0]
        for g in (grad, faint)
    )
    torch.testing.assert_close(sparse, dense, rtol=1e-12, atol=1e-12)


def test_colours_without_a_gradient_give_none():
    pos_clip, triangles, fragments, image, grad = random_scene()
    swept = ops.sweep_gradient(image, fragments, pos_clip, triangles)
    assert (torch.autograd.grad(swept, pos_clip, 0 * grad)[0] == 0).all()


def test_the_image_gets_its_own_gradient_unchanged():
    pos_clip, triangles, fragments, image, grad = random_scene()
    image.requires_grad_()
    (grad_image,) = torch.autograd.grad(ops.sweep_gradient(image, fragments, pos_clip, triangles), image, grad)
    assert torch.equal(grad_image, grad)


@pytest.mark.parametrize("eps", [0, -1e-4, float("inf"), float("nan"), "1e-4"])
def test_eps_must_be_positive(eps):
    pos_clip, triangles, fragments, image, _ = random_scene()
    with pytest.raises(
        ValueError, match=r"sweep_gradient: eps must be a positive number; got .* \(the original has 1e-4"
    ):
        ops.sweep_gradient(image, fragments, pos_clip, triangles, eps=eps)
