# SPDX-License-Identifier: MIT
"""What the tests ask of a visibility op: the gradient that it alone gives to positions."""

import torch

from intaglio import neighbours, ops
from reference import scenes
from reference.silhouettes import clip_direction, exact_derivative, mask_colors


def grad_pos_clip(
    pos_clip, triangles, colors, weight, *, op=ops.edge_gradient, dtype=torch.float64, positions=None
):  # fmt: skip
    """Gradient [V,4] of sum(weight * image) through the op alone; colors [F+1,C], background last."""
    pos = torch.tensor(pos_clip, dtype=dtype, requires_grad=True)
    faces = torch.from_numpy(triangles)
    fragments = ops.rasterize(pos, faces, weight.shape)
    image = torch.tensor(colors, dtype=dtype)[fragments.triangle_id.long()]
    table = torch.from_numpy(neighbours(triangles, positions))
    image = op(image, fragments, pos, faces, neighbours=table)
    (image * torch.tensor(weight, dtype=dtype)[..., None]).sum().backward()
    assert pos.grad is not None
    return pos.grad[0].double().numpy()


def gain(matrix, shape, velocity, weight, **options):
    """Estimated over exact derivative of a convex mask's weighted area as its vertices move with `velocity`."""
    pos_clip = scenes.project(matrix, shape.vertices)
    direction = clip_direction(matrix, shape.vertices, velocity)
    grad = grad_pos_clip(pos_clip, shape.triangles, mask_colors(shape.triangles), weight, **options)
    return (grad * direction).sum() / exact_derivative(pos_clip, direction, weight)
