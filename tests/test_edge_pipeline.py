# SPDX-License-Identifier: MIT
"""`edge_gradient` in whole pipelines, interior term included, against finite differences of supersampled pictures."""

import numpy as np
import pytest
import torch
from reference import images, scenes, shade
from reference.silhouettes import clip_direction, smooth_weight, window_weight

from intaglio import ops, shapes


def bumpy(level, radius, centre):
    """(vertices, triangles) of a sphere with bumps, in pixels, and the direction in which its radius grows."""
    sphere = scenes.icosphere(level)
    bumps = 1 + 0.1 * np.sin(5 * sphere.vertices[:, 0]) * np.cos(4 * sphere.vertices[:, 1] + sphere.vertices[:, 2])
    outward = (sphere.vertices * bumps[:, None]) @ scenes.rotation([1, 1, 0.3], 0.6).T
    return scenes.Shape(outward * radius + centre, sphere.triangles), outward


def texture(attributes, xp):
    """A picture of texture coordinates [...,2] -> [...,2], so smooth that it hardly changes within a pixel."""
    u, v = attributes[..., 0], attributes[..., 1]
    return xp.stack([0.6 + 0.3 * xp.sin(2 * u) * xp.cos(1.5 * v), 0.4 + 0.2 * xp.sin(2 * v + u)], -1)


def whole_pipeline(matrix, mesh, attributes, weight):
    """Gradient [V,4] of sum(weight * image), interior and edges, of a mesh textured by its attributes [V,3].

    The third attribute scales the texture, so that the parts of a mesh differ.
    """
    pos = torch.tensor(scenes.project(matrix, mesh.vertices), requires_grad=True)
    faces = torch.from_numpy(mesh.triangles)
    fragments = ops.rasterize(pos, faces, weight.shape[1:3])
    values = ops.interpolate(torch.from_numpy(attributes), fragments, faces)
    image = texture(values[..., :2], torch) * values[..., 2:]
    image = ops.edge_gradient(image, fragments, pos, faces)
    (image * torch.from_numpy(weight)).sum().backward()
    assert pos.grad is not None
    return pos.grad[0].numpy()


def shade_by(attributes, triangles):
    def shaded(triangle_id, barycentrics):
        values = shade.interpolate(attributes, triangle_id, barycentrics, triangles)
        return texture(values[..., :2], np) * values[..., 2:]

    return shaded


# The estimator's 1 %, and 1 % for 16 x 16 samples a pixel: a step of 1/4 pixel hands some 130 * 16 samples over on each
# side, 1 / sqrt(4000) of them by chance. Of the sum of what the vertices contribute: opposite sides of a shape cancel
# in the derivative, their errors do not.
PIPELINE_TOLERANCE = 0.02


def assert_pipeline_agrees(matrix, mesh, attributes, velocity, weight, step, factor=16):
    contributions = whole_pipeline(matrix, mesh, attributes, weight) * clip_direction(matrix, mesh.vertices, velocity)
    truth = images.loss_derivative(
        lambda t: scenes.project(matrix, mesh.vertices + t * velocity),
        mesh.triangles, weight, factor, shade_by(attributes, mesh.triangles), step,
    )  # fmt: skip
    assert contributions.sum() == pytest.approx(truth, abs=PIPELINE_TOLERANCE * np.abs(contributions).sum())
    return contributions.sum() / truth


@pytest.mark.parametrize("gap", [30, 5])
def test_a_bumpy_textured_sphere_before_a_textured_plane(gap):
    size = (64, 64)
    ball, outward = bumpy(3, 20.0, np.array([1.3, -0.6, 0]))
    wall = scenes.grid(6, half_side=50.0)
    mesh = scenes.join(ball, scenes.Shape(wall.vertices + np.array([0.2, 0.1, -gap]), wall.triangles))
    scale = np.where(np.arange(len(mesh.vertices)) < len(ball.vertices), 1.5, 0.5)
    attributes = np.c_[mesh.vertices[:, :2] / 20, scale]
    velocity = np.concatenate([outward, np.zeros((len(wall.vertices), 3))])
    weight = np.stack([smooth_weight(size, 1), smooth_weight(size, 2)], -1)[None]
    assert_pipeline_agrees(scenes.orthographic(size, 100), mesh, attributes, velocity, weight, step=0.25)


@pytest.mark.parametrize("parameter", ["radius", "x", "y", "z"])
def test_a_bumpy_sphere_in_perspective_that_occludes_itself_and_another(parameter):
    size = (56, 64)
    matrix = scenes.perspective(1.6, aspect=64 / 56)
    front, outward = bumpy(3, 0.8, np.array([0.2, -0.1, -3]))
    back, _ = bumpy(2, 0.9, np.array([-0.5, 0.4, -4.5]))
    mesh = scenes.join(front, back)
    scale = np.where(np.arange(len(mesh.vertices)) < len(front.vertices), 1.5, 0.6)
    attributes = np.c_[mesh.vertices[:, :2], scale]
    velocities = {"radius": outward, **dict(zip("xyz", np.eye(3)[:, None, :] + 0 * outward, strict=True))}
    velocity = np.concatenate([velocities[parameter], np.zeros_like(back.vertices)])
    weight = np.stack([smooth_weight(size, 3), smooth_weight(size, 4)], -1)[None]
    assert_pipeline_agrees(matrix, mesh, attributes, velocity, weight, step=0.015)


def test_two_spheres_that_cut_each_other():
    size = (64, 64)
    first, outward = bumpy(3, 18.0, np.array([-6.3, -0.6, 0]))
    second, _ = bumpy(3, 16.0, np.array([7.2, 3.1, 3.0]))
    mesh = scenes.join(first, second)
    scale = np.where(np.arange(len(mesh.vertices)) < len(first.vertices), 1.5, 0.5)
    attributes = np.c_[mesh.vertices[:, :2] / 20, scale]
    velocity = np.concatenate([outward, np.zeros_like(second.vertices)])
    weight = np.stack([smooth_weight(size, 5), smooth_weight(size, 6)], -1)[None]
    assert_pipeline_agrees(scenes.orthographic(size, 100), mesh, attributes, velocity, weight, step=0.25)


def test_a_floor_that_passes_under_the_camera():
    # The floor's sides run from behind the eye to the horizon: their visible part moves when the floor sinks.
    size = (96, 128)
    floor = np.array([[-1.5, -1, 3], [1.5, -1, 3], [1.5, -1, -9], [-1.5, -1, -9.0]]) @ scenes.rotation([1, 2, 3], 0.15)
    mesh = scenes.Shape(floor, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))
    attributes = np.c_[floor[:, [0, 2]] * 0.05, np.ones(4)]
    # The sides leave the picture; a weight that fades there leaves no half pixel of them to argue about.
    weight = np.stack([smooth_weight(size, 7), smooth_weight(size, 8)], -1)[None] * window_weight(size)[..., None]
    for velocity in ([0, 1.0, 0], [1.0, 0, 0], [0, 0.3, 1.0]):
        moved = np.zeros((4, 3)) + velocity
        matrix = scenes.perspective(1.2, aspect=4 / 3)
        assert_pipeline_agrees(matrix, mesh, attributes, moved, weight, step=0.05)


@pytest.mark.parametrize("parameter", ["scale", "x", "spin"])
def test_a_teapot(parameter):
    # Open borders, a spout and a handle that pass through the body, folds inside folds.
    size = (128, 160)
    teapot = shapes.teapot(4)
    vertices = np.asarray(teapot.vertices, dtype=np.float64)
    vertices = vertices - (vertices.max(axis=0) + vertices.min(axis=0)) / 2
    vertices = (vertices / np.abs(vertices).max()) @ scenes.rotation([1, 0.5, 0.1], 0.9).T
    velocities = {"scale": vertices, "x": np.eye(3)[0] + 0 * vertices, "spin": np.cross([0, 1, 0], vertices)}
    mesh = scenes.Shape(vertices + np.array([0, 0, -3]), np.asarray(teapot.triangles))
    attributes = np.c_[vertices[:, :2], np.ones(len(vertices))]
    weight = np.stack([smooth_weight(size, 3), smooth_weight(size, 4)], -1)[None]
    matrix = scenes.perspective(1.9, aspect=1.25)
    # Twice as many pixels as above, so half as many samples each serve as well.
    assert_pipeline_agrees(matrix, mesh, attributes, velocities[parameter], weight, step=0.0075, factor=8)
