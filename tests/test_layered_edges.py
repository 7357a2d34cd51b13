# SPDX-License-Identifier: MIT
"""Pictures of layers that let through, and what moves when their edges move: against supersampled pictures."""

import numpy as np
import pytest
import torch
from reference import derivative, scenes
from reference.silhouettes import clip_direction, smooth_weight

from intaglio import ops
from intaglio.topology import neighbours

SIZE = (64, 64)
MATRIX = scenes.orthographic(SIZE, 100)
BACKGROUND = np.array([0.1, 0.3, 0.2])
WEIGHT = np.stack([smooth_weight(SIZE, k) for k in range(4)], -1)[None]
BALL = scenes.icosphere(2)
# Turned, so that no triangle is seen edge-on: either of its sides may count as the fold.
SPHERE = scenes.Shape(BALL.vertices @ scenes.rotation([1, 2, 0.5], 0.7).T, BALL.triangles)
NOTHING = np.zeros((1, 4))


def peeled(pos, triangles, size, count):
    found = [ops.rasterize(pos, triangles, size)]
    while len(found) < count:
        found.append(ops.rasterize(pos, triangles, size, behind=found[-1]))
    return found


def gradient(mesh, rgba, layers, *, size=SIZE, weight=WEIGHT, matrix=MATRIX):
    """[V, 4] of sum(weight * picture), every triangle having one colour and one alpha."""
    pos = torch.tensor(scenes.project(matrix, mesh.vertices), requires_grad=True)
    triangles, table = torch.from_numpy(mesh.triangles), torch.from_numpy(neighbours(mesh.triangles))
    found = peeled(pos, triangles, size, layers)
    colors = [torch.tensor(np.concatenate([rgba, NOTHING]))[fragments.triangle_id.long()] for fragments in found]
    image = ops.composite(colors, background=BACKGROUND)
    image = ops.layered_edge_gradient(
        image, colors, found, pos, triangles, background=BACKGROUND, neighbours=table
    )  # fmt: skip
    (image * torch.from_numpy(weight)).sum().backward()
    return pos.grad[0].numpy()


def picture(pos_clip, triangles, rgba, layers, factor):
    """[B, H, W, 4]: the mean over factor x factor samples, whose lists of triangles test_peeling proves."""
    found = peeled(pos_clip, triangles, (SIZE[0] * factor, SIZE[1] * factor), layers)
    image = np.zeros((*found[0].depth.shape, 4)) + np.array([*BACKGROUND, 0])
    for fragments in reversed(found):
        shown = np.concatenate([rgba, NOTHING])[fragments.triangle_id]
        image = (
            shown[..., 3:] * np.concatenate([shown[..., :3], 1 + 0 * shown[..., 3:]], -1) + (1 - shown[..., 3:]) * image
        )
    return image.reshape(len(pos_clip), SIZE[0], factor, SIZE[1], factor, 4).mean(axis=(2, 4))


def agreement(mesh, rgba, velocity, layers, step=0.25, factor=8):
    """The estimate's error, in parts of the sum of what the vertices contribute."""
    contributions = gradient(mesh, rgba, layers) * clip_direction(MATRIX, mesh.vertices, velocity)
    pictures = [
        picture(scenes.project(MATRIX, mesh.vertices + t * velocity), mesh.triangles, rgba, layers, factor)
        for t in (step, -step)
    ]
    truth = ((pictures[0] - pictures[1]) * WEIGHT).sum() / (2 * step)
    return abs(contributions.sum() - truth) / np.abs(contributions).sum()


def spheres(radii, centres, rgba):
    shapes = [
        scenes.Shape(SPHERE.vertices * r + np.array(c), SPHERE.triangles) for r, c in zip(radii, centres, strict=True)
    ]
    return scenes.join(*shapes), np.repeat(np.array(rgba), len(SPHERE.triangles), axis=0)


RED, BLUE = [0.9, 0.2, 0.1, 0.4], [0.1, 0.4, 0.9, 0.5]
STILL, GROWING, SLIDING = 0 * SPHERE.vertices, SPHERE.vertices, np.ones_like(SPHERE.vertices) * [1, 0.3, 0]
OVERLAPPING = spheres([18, 15], [(-6.3, -0.6, 20), (8.2, 3.1, -20)], [RED, BLUE])
# 1 % of the estimator, as for opaque surfaces (test_edge_gains), and 1 % of 8 x 8 samples a pixel: a step of 1/4 pixel
# hands some 110 * 16 of them over on each side, 1 / sqrt(3500) by chance, most of which the weight averages away.
# Of the sum of what the vertices contribute.
TOLERANCE = 0.02


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_two_transparent_spheres_one_before_the_other(layers):
    mesh, rgba = OVERLAPPING
    assert agreement(mesh, rgba, np.concatenate([GROWING, STILL]), layers) < TOLERANCE
    assert agreement(mesh, rgba, np.concatenate([STILL, SLIDING]), layers) < TOLERANCE


@pytest.mark.parametrize("moved", ["outer", "inner", "both"])
def test_walls_thinner_than_a_pixel(moved):
    # The edges of both sheets lie between the same two pixels: each has its own share of the change.
    mesh, rgba = spheres([20, 19.6], [(0.3, 0.2, 0)] * 2, [[0.9, 0.3, 0.3, 0.3], [0.3, 0.3, 0.8, 0.3]])
    velocity = np.concatenate([STILL if moved == "inner" else GROWING, STILL if moved == "outer" else GROWING])
    assert agreement(mesh, rgba, velocity, 4, step=0.15) < TOLERANCE


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_spheres_that_cut_each_other(layers):
    mesh, rgba = spheres([18, 16], [(-6.3, -0.6, 0), (7.2, 3.1, 3)], [RED, BLUE])
    assert agreement(mesh, rgba, np.concatenate([GROWING, STILL]), layers) < TOLERANCE


def test_two_transparent_triangles():
    # So few edges, each met by some 30 pairs, that the estimate is 3 % off, as for one opaque triangle.
    corners = [[-20, -18, 0], [22, -12, 0], [-3, 21, 0], [-15, 16, -5], [-8, -24, -5], [25, 10, -5]]
    mesh = scenes.Shape(np.array(corners, float), np.array([[0, 1, 2], [3, 4, 5]], np.int32))
    rng = np.random.default_rng(0)
    errors = [agreement(mesh, np.array([RED, BLUE]), rng.normal(size=(6, 3)) * [1, 1, 0], 2) for _ in range(3)]
    assert np.mean(errors) < 0.03


def test_what_lies_behind_something_opaque_gets_nothing():
    mesh, rgba = spheres([20, 8], [(0.3, 0.2, 30), (2.3, 1.2, -30)], [[*RED[:3], 1.0], BLUE])
    found = gradient(mesh, rgba, 4)
    assert np.abs(found[: len(SPHERE.vertices)]).max() > 0
    assert not found[len(SPHERE.vertices) :].any()


def test_one_opaque_layer_gets_the_gradient_of_edge_gradient():
    mesh, rgba = spheres([18], [(0.3, 0.2, 0)], [[*RED[:3], 1.0]])
    pos = torch.tensor(scenes.project(MATRIX, mesh.vertices), requires_grad=True)
    triangles, table = torch.from_numpy(mesh.triangles), torch.from_numpy(neighbours(mesh.triangles))
    fragments = ops.rasterize(pos, triangles, SIZE)
    shown = np.concatenate([rgba, [[*BACKGROUND, 0]]])[fragments.triangle_id.numpy()]
    image = ops.edge_gradient(torch.from_numpy(shown), fragments, pos, triangles, neighbours=table)
    (image * torch.from_numpy(WEIGHT)).sum().backward()
    for layers in (1, 3):  # 300 pairs at most, each a sum of four products
        scale = float(pos.grad.abs().max())
        np.testing.assert_allclose(gradient(mesh, rgba, layers), pos.grad[0], rtol=0, atol=1200 * 2.0**-52 * scale)


def test_a_texture_that_runs_on_behind_is_no_edge():
    # Two quads behind one another, larger than the picture, of colours that differ from triangle to triangle.
    grid = scenes.grid(6, half_side=50.0)
    mesh = scenes.join(*(scenes.Shape(grid.vertices + np.array([0, 0, z]), grid.triangles) for z in (5, -5)))
    rgba = np.random.default_rng(0).uniform(0.2, 0.8, (len(mesh.triangles), 4))
    assert not gradient(mesh, rgba, 2).any()


def test_a_crowd_of_clipped_triangles_has_finite_gradients():
    pos_clip, triangles = scenes.random_crossing_triangles(np.random.default_rng(0), batch=2, num_triangles=30)
    pos = torch.tensor(pos_clip, requires_grad=True)
    found = peeled(pos, torch.from_numpy(triangles), (24, 31), 5)
    colors = torch.rand(2, 24, 31, 5, 4, dtype=torch.float64)
    image = ops.composite(colors, background=np.random.default_rng(1).uniform(size=(2, 24, 31, 3)))
    out = ops.layered_edge_gradient(image, colors, found, pos, torch.from_numpy(triangles), background=(0, 0, 1))
    out.square().sum().backward()
    assert torch.isfinite(pos.grad).all()
    assert pos.grad.abs().max() > 0


# --- composite


def test_a_stack_of_panes_by_hand():
    red, half, opaque = [1, 0, 0, 0.25], [0, 1, 0, 0.5], [0, 0, 1, 1.0]
    layers = np.array([red, half, opaque])[:, None, None, None, :]
    # 1/4 red; of the rest 1/2 green: 3/8; the rest blue: 3/8.
    np.testing.assert_array_equal(ops.composite(list(layers))[0, 0, 0], [0.25, 0.375, 0.375, 1])
    np.testing.assert_array_equal(
        ops.composite(list(layers[:2]), background=(1, 1, 1))[0, 0, 0], [0.625, 0.75, 0.375, 0.625]
    )
    stacked = np.moveaxis(layers, 0, 3)
    np.testing.assert_array_equal(ops.composite(list(layers)), ops.composite(stacked))


def over(colors, background):
    """Analytic: from the back to the front."""
    color, alpha = background + 0 * colors[..., 0, :-1], 0 * colors[..., 0, -1:]
    for k in range(colors.shape[3])[::-1]:
        a = colors[..., k, -1:]
        color, alpha = a * colors[..., k, :-1] + (1 - a) * color, a + (1 - a) * alpha
    return np.concatenate([color, alpha], axis=-1)


@pytest.mark.parametrize("shape", [(2, 3, 5, 4, 4), (1, 2, 2, 1, 4), (1, 1, 1, 7, 2)])
@pytest.mark.parametrize("of_background", ["one", "image", "pixel"])
def test_composite_and_its_gradient(shape, of_background):
    rng = np.random.default_rng(0)
    colors, weight = rng.uniform(0, 1, shape), rng.normal(size=(*shape[:3], shape[4]))
    colors[0, 0, 0, 0, -1] = 1  # opaque: nothing is divided by what it lets through
    background = rng.uniform(0, 1, {"one": (), "image": shape[:1], "pixel": shape[:3]}[of_background] + (shape[4] - 1,))
    broadcast = {"one": ..., "image": (slice(None), None, None), "pixel": ...}[of_background]
    np.testing.assert_allclose(
        ops.composite(colors, background=background), over(colors, background[broadcast]), atol=1e-14
    )
    x, b = torch.tensor(colors, requires_grad=True), torch.tensor(background, requires_grad=True)
    (ops.composite(x, background=b) * torch.from_numpy(weight)).sum().backward()
    for _ in range(3):
        to_x, to_b = rng.normal(size=shape), rng.normal(size=background.shape)
        of_x = derivative.complex_step(lambda c: (over(c, background[broadcast]) * weight).sum(), colors, to_x)
        of_b = derivative.complex_step(lambda c: (over(colors, c[broadcast]) * weight).sum(), background, to_b)
        assert (x.grad.numpy() * to_x).sum() == pytest.approx(of_x, rel=1e-12, abs=1e-12)
        assert (b.grad.numpy() * to_b).sum() == pytest.approx(of_b, rel=1e-12, abs=1e-12)


ONE = np.ones((1, 2, 2, 4))
FRAGMENTS = ops.Fragments(np.zeros((1, 2, 2), np.int32), np.zeros((1, 2, 2, 2)), np.zeros((1, 2, 2)))
GEOMETRY = (np.zeros((1, 3, 4)), np.int32([[0, 1, 2]]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.composite([]), r"composite: colors must hold at least one layer; got none "),
        (
            lambda: ops.composite(ONE),
            r"composite: colors must be \[B, H, W, K, C\]; got \[1, 2, 2, 4\] \(a colour and an",
        ),
        (
            lambda: ops.composite([ONE, ONE[:, :1]]),
            r"composite: colors\[1\] must be \[B, H, W, C\] with .* got \[1, 1, 2, 4\]",
        ),
        (
            lambda: ops.composite([ONE[..., :1]]),
            r"composite: colors must be at least one layer of a colour and an alpha; got 1 layers of 1 channels",
        ),
        (
            lambda: ops.composite([ONE], background=(1, 1)),
            r"composite: background must be \[3\] or \[B, 3\] or \[B, H, W, 3\]",
        ),
        (
            lambda: ops.layered_edge_gradient(ONE, [ONE], [FRAGMENTS] * 2, *GEOMETRY),
            r"layered_edge_gradient: layers must be 1 to 32 Fragments, as many as the 1 layers of colors; got 2",
        ),
        (
            lambda: ops.layered_edge_gradient(ONE, [ONE] * 33, [FRAGMENTS] * 33, *GEOMETRY),
            r"layered_edge_gradient: layers must be 1 to 32 Fragments, as many as the 33 layers of colors; got 33",
        ),
        (
            lambda: ops.layered_edge_gradient(ONE, [ONE], FRAGMENTS.depth, *GEOMETRY),
            r"layered_edge_gradient: layers must be a list of Fragments; got ndarray",
        ),
    ],
)
def test_what_makes_no_layers_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
