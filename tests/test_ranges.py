# SPDX-License-Identifier: MIT
"""Meshes of any sizes in one list: each image shows a range of it, as if its mesh were alone."""

import numpy as np
import pytest
import torch
from frameworks import FRAMEWORKS, arrays, evaluate
from reference import scenes

from intaglio import ops
from intaglio.array import namespace
from intaglio.topology import neighbours

SIZE = (32, 48)
MATRIX = scenes.perspective(1.6, aspect=SIZE[1] / SIZE[0])
MESHES = [scenes.icosphere(2), scenes.cube(), scenes.grid(5), scenes.icosphere(0)]


def placed(mesh, k):
    vertices = mesh.vertices @ scenes.rotation([1, 2, 0.5], 0.7 * k + 0.3).T
    return vertices + np.array([0.2 * k - 0.3, 0.1 * k - 0.1, -3.5])


VERTICES = [placed(mesh, k) for k, mesh in enumerate(MESHES)]
SHAPES = [scenes.Shape(v, mesh.triangles) for v, mesh in zip(VERTICES, MESHES, strict=True)]
LIST = scenes.join(*SHAPES)
COUNTS = np.array([len(mesh.triangles) for mesh in MESHES])
FIRSTS = np.cumsum(COUNTS) - COUNTS
RANGES = np.stack([FIRSTS, COUNTS], axis=1)
FIRST_VERTICES = np.cumsum([0] + [len(v) for v in VERTICES])


def clip(vertices, turns=(0.0,)):
    """pos_clip [P, V, 4], the world turned about the depth axis for each row."""
    return np.concatenate([scenes.project(MATRIX, vertices @ scenes.rotation([0, 0, 1], turn).T) for turn in turns])


def shaded(fragments, triangles, colors, background=0.25):
    xp = namespace(colors)
    color = ops.interpolate(colors, fragments, triangles)
    return xp.where((fragments.triangle_id >= 0)[..., None], color, xp.zeros_like(color) + background)


def rasterize(x, **ranges):
    fragments = ops.rasterize(x["pos_clip"], x["triangles"], SIZE, **ranges)
    return fragments.barycentrics, fragments.depth, fragments.triangle_id


def screen_derivatives(x, **ranges):
    fragments = ops.rasterize(x["pos_clip"], x["triangles"], SIZE, **ranges)
    arguments = (x["colors"], fragments, x["triangles"], x["pos_clip"], x["triangles"])
    return (ops.screen_derivatives(*arguments, **ranges),)


def on_surface(op, *tables):
    def chain(x, **ranges):
        fragments = ops.rasterize(x["pos_clip"], x["triangles"], SIZE, **ranges)
        image = shaded(fragments, x["triangles"], x["colors"])
        options = ranges | {name: x[name] for name in tables}
        return (op(image, fragments, x["pos_clip"], x["triangles"], **options),)

    return chain


def silhouette(x, **ranges):
    return (ops.silhouette(x["pos_clip"], x["triangles"], SIZE, neighbours=x["neighbours"], **ranges),)


def silhouette_error(x, **ranges):
    images = ops.rasterize(x["pos_clip"], x["triangles"], (1, 1), **ranges).depth.shape[0]
    xp = namespace(x["pos_clip"])
    target = xp.constant(
        np.broadcast_to(np.linspace(0, 1, SIZE[0] * SIZE[1]).reshape(SIZE), (images, *SIZE)), x["colors"]
    )
    table = x["neighbours"]
    return (ops.silhouette_error(x["pos_clip"], x["triangles"], target, neighbours=table, **ranges),)


def soft(x, **ranges):
    found = ops.soft_rasterize(x["pos_clip"], x["triangles"], SIZE, sigma=1e-3, layers=4, **ranges)
    return found.barycentrics, found.depth, found.probability, found.triangle_id


CHAINS = {
    "rasterize": rasterize,
    "screen_derivatives": screen_derivatives,
    "edge_gradient": on_surface(ops.edge_gradient, "neighbours"),
    "antialias": on_surface(ops.antialias, "neighbours"),
    "sweep_gradient": on_surface(ops.sweep_gradient),
    "silhouette": silhouette,
    "silhouette_error": silhouette_error,
    "soft": soft,
}


def inputs_of(shape, turns):
    colors = np.random.default_rng(len(shape.vertices)).uniform(0, 1, (len(shape.vertices), 3))
    table = neighbours(shape.triangles)
    return {
        "pos_clip": clip(shape.vertices, turns),
        "colors": colors,
        "triangles": shape.triangles,
        "neighbours": table,
    }


def inputs_of_list(turns):
    alone = [inputs_of(shape, turns) for shape in SHAPES]
    table = [np.where(x["neighbours"] >= 0, x["neighbours"] + f, -1) for x, f in zip(alone, FIRSTS, strict=True)]
    colors = np.concatenate([x["colors"] for x in alone])
    return inputs_of(LIST, turns) | {"colors": colors, "neighbours": np.concatenate(table).astype(np.int32)}


def weighted(outputs, images):
    """A loss whose every image and element counts differently; `images` are the places of its images in the batch."""
    total = 0
    for output in outputs:
        if output.is_floating_point():
            count = output[0].numel()
            ramp = torch.linspace(0.5, 1.5, count, dtype=output.dtype).reshape(output.shape[1:])
            weight = torch.tensor(images, dtype=output.dtype).reshape(-1, *(1,) * (output.ndim - 1)) + 1
            total = total + (weight * ramp * output * (output + 1)).sum()
    return total


def value_and_gradient(chain, x, images, dtype, **ranges):
    x = arrays("torch", x, dtype)
    x["pos_clip"].requires_grad_()
    outputs = chain(x, **ranges)
    loss = weighted(outputs, images)
    if loss.requires_grad:
        loss.backward()
    grad = x["pos_clip"].grad
    return [y.detach().numpy() for y in outputs], None if grad is None else grad.numpy()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("turns", [(0.0,), (0.0, 0.4, -1.1)], ids=["each by its own", "product"])
@pytest.mark.parametrize("name", CHAINS)
def test_a_range_gives_the_bits_of_its_mesh_alone(name, turns, dtype):
    chain, num_ranges = CHAINS[name], len(MESHES)
    everything = range(len(turns) * num_ranges)
    found, gradient = value_and_gradient(chain, inputs_of_list(turns), everything, dtype, ranges=RANGES)
    for r, shape in enumerate(SHAPES):
        places = list(everything)[r::num_ranges]
        alone, own_gradient = value_and_gradient(chain, inputs_of(shape, turns), places, dtype)
        for got, expected in zip(found, alone, strict=True):
            if expected.dtype == np.int32:
                expected = np.where(expected >= 0, expected + FIRSTS[r], -1)
            np.testing.assert_array_equal(got[r::num_ranges], expected)
        if own_gradient is not None:
            assert np.abs(own_gradient).max() > 0
            of_mesh = gradient[:, FIRST_VERTICES[r] : FIRST_VERTICES[r + 1]]
            np.testing.assert_array_equal(of_mesh, own_gradient)
    assert (gradient is None) == (name == "screen_derivatives")


@pytest.mark.parametrize("name", sorted(CHAINS.keys() - {"screen_derivatives"}))
def test_images_of_one_row_add_their_gradients(name):
    # The first mesh in three overlapping ranges: of all, of a half, and of all again. In float64 sums hardly round.
    count = int(COUNTS[0])
    ranges = np.array([[0, count], [count // 4, count // 2], [0, count]])
    x = inputs_of(SHAPES[0], (0.0, 0.4))
    _, together = value_and_gradient(CHAINS[name], x, range(6), np.float64, ranges=ranges)
    expected = np.zeros_like(together)
    for row, turn in enumerate((0.0, 0.4)):
        for r in range(3):
            one = inputs_of(SHAPES[0], (turn,))
            expected[row] += value_and_gradient(CHAINS[name], one, [3 * row + r], np.float64, ranges=ranges[r : r + 1])[
                1
            ][0]
    np.testing.assert_allclose(together, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("name", CHAINS)
def test_the_number_of_threads_changes_no_bit(name):
    results = []
    for threads in (1, 3):
        before = ops.get_num_threads()
        ops.set_num_threads(threads)
        results.append(
            value_and_gradient(CHAINS[name], inputs_of_list((0.0, 0.4)), range(8), np.float32, ranges=RANGES)
        )
        ops.set_num_threads(before)
    for one, other in zip(results[0][0], results[1][0], strict=True):
        np.testing.assert_array_equal(one, other)
    if results[0][1] is not None:
        np.testing.assert_array_equal(results[0][1], results[1][1])


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", CHAINS)
def test_ranges_in_every_framework(name, framework):
    def chain(x):
        return CHAINS[name](x, ranges=x["ranges"])

    values = inputs_of_list((0.0, 0.4)) | {"ranges": RANGES.astype(np.int32)}
    wanted = [] if framework == "numpy" or name == "screen_derivatives" else ["pos_clip"]
    expected = evaluate("torch", chain, values, wanted)
    found = evaluate(framework, chain, values, wanted)
    for got, same in zip(found.outputs, expected.outputs, strict=True):
        np.testing.assert_array_equal(got, same)
    for key in wanted:  # sums of cotangents in another order: 16 roundings
        scale = np.abs(expected.gradients[key]).max()
        np.testing.assert_allclose(found.gradients[key], expected.gradients[key], rtol=0, atol=16 * 2.0**-23 * scale)


def test_a_range_without_triangles_shows_nothing():
    x = inputs_of(SHAPES[1], (0.0,))
    fragments = ops.rasterize(x["pos_clip"], x["triangles"], SIZE, ranges=[[12, 0], [0, 12], [5, 0]])
    assert (fragments.triangle_id >= 0).any(axis=(1, 2)).tolist() == [False, True, False]
    assert ops.rasterize(x["pos_clip"], x["triangles"], SIZE, ranges=np.zeros((0, 2), int)).depth.shape == (0, *SIZE)


def test_a_neighbour_outside_of_the_range_counts_as_none():
    # A square of two triangles, of which one is shown: its diagonal is a border then, and moves.
    square = np.array([[[-0.7, -0.7, 0, 1], [0.7, -0.7, 0, 1], [0.7, 0.7, 0, 1], [-0.7, 0.7, 0, 1]]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)

    def gradient(triangles, **options):
        pos = torch.tensor(square, requires_grad=True)
        table = torch.from_numpy(neighbours(triangles))
        alpha = ops.silhouette(pos, torch.from_numpy(triangles), (16, 16), neighbours=table, **options)
        (alpha[..., 0] * torch.linspace(0, 1, 256, dtype=torch.float64).reshape(16, 16)).sum().backward()
        return pos.grad

    assert torch.equal(gradient(triangles, ranges=[[0, 1]]), gradient(triangles[:1]))


def test_meshes_in_one_place_are_not_joined():
    # Two copies of a sphere, each its own range: welded across them, every edge would have four triangles.
    twice = scenes.join(SHAPES[0], SHAPES[0])
    count = len(SHAPES[0].triangles)
    ranges = [[0, count], [count, count]]

    def gradient(shape, **options):
        pos = torch.tensor(clip(shape.vertices), requires_grad=True)
        ops.silhouette(pos, torch.from_numpy(shape.triangles), SIZE, **options).square().sum().backward()
        return pos.grad[0]

    once = gradient(SHAPES[0])
    assert torch.equal(gradient(twice, ranges=ranges), torch.cat([once, once]))


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (
            [[0, 13]],
            r"rasterize: ranges must be \(first triangle, count\) within the 12 triangles; got \(0, 13\) in row 0 ",
        ),
        ([[0, 5], [-1, 2]], r"rasterize: ranges must be .* got \(-1, 2\) in row 1 "),
        ([[2**31 - 1, 2**31 - 1]], r"rasterize: ranges must be .* got \(2147483647, 2147483647\)"),
        ([[3, -1]], r"rasterize: ranges must be .* got \(3, -1\)"),
        ([[0, 2**31]], r"rasterize: ranges must be below 2\^31; got 2147483648 "),
        ([[0.0, 5.0]], r"rasterize: ranges must be integers; got float64 "),
        ([0, 5], r"rasterize: ranges must be \[R, 2\]; got \[2\] \(the first triangle and the count of each\)"),
    ],
)
def test_ranges_outside_of_the_list_are_refused(ranges, message):
    x = inputs_of(SHAPES[1], (0.0,))
    with pytest.raises(ValueError, match=message):
        ops.rasterize(x["pos_clip"], x["triangles"], SIZE, ranges=ranges)


def test_ranges_of_several_lists_are_refused():
    x = inputs_of(SHAPES[1], (0.0, 0.4))
    both = np.stack([x["triangles"], x["triangles"]])
    with pytest.raises(
        ValueError, match=r"rasterize: triangles must be \[F, 3\]; got \[2, 12, 3\] \(ranges are of one list"
    ):
        ops.rasterize(x["pos_clip"], both, SIZE, ranges=[[0, 2]])


def test_as_many_images_as_rows_times_ranges_are_expected():
    x = inputs_of(SHAPES[1], (0.0, 0.4))
    fragments = ops.rasterize(x["pos_clip"], x["triangles"], SIZE, ranges=[[0, 2]])
    image = np.zeros((2, *SIZE, 1))
    with pytest.raises(
        ValueError, match=r"edge_gradient: ranges must be \[R, 2\] with P x R = 2 from .*; got 2 x 2 \("
    ):
        ops.edge_gradient(image, fragments, x["pos_clip"], x["triangles"], ranges=[[0, 2], [2, 2]])


def test_fragments_of_another_range_are_refused():
    x = arrays("torch", inputs_of(SHAPES[1], (0.0,)), np.float64)
    fragments = ops.rasterize(x["pos_clip"], x["triangles"], SIZE, ranges=[[0, 12]])
    pos = x["pos_clip"].requires_grad_()
    image = torch.rand(1, *SIZE, 1, dtype=torch.float64)
    out = ops.edge_gradient(image, fragments, pos, x["triangles"], neighbours=x["neighbours"], ranges=[[2, 3]])
    with pytest.raises(
        ValueError, match=r"edge_gradient backward: fragments.triangle_id must be -1 or in \[2, 5\); got"
    ):
        out.square().sum().backward()


def test_overlapping_ranges_need_a_table():
    x = inputs_of(SHAPES[1], (0.0,))
    message = r"silhouette: neighbours must be given where ranges overlap; got None \(build one: "
    with pytest.raises(ValueError, match=message):
        ops.silhouette(x["pos_clip"], x["triangles"], SIZE, ranges=[[0, 6], [4, 4]])
