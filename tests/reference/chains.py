# SPDX-License-Identifier: MIT
"""Every op in one call each, so that tests of manners (threads, batches, compiling, frameworks) can go over all.

A chain takes a dict of arrays of any framework and gives arrays; `inputs` makes the dict, of torch tensors. What is
floating-point is differentiable.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from intaglio import ops
from intaglio.array import namespace
from intaglio.topology import edge_ends, neighbours
from reference import scenes

Inputs = dict[str, Any]
SIZE = (40, 56)
TABLE = np.random.default_rng(1).uniform(size=(5, 5, 2))


def inputs(dtype: torch.dtype = torch.float32, batch: int = 3, level: int = 2, seed: int = 0) -> Inputs:
    values = numpy_inputs(batch, level, seed)
    return {name: torch.tensor(x, dtype=dtype if x.dtype.kind == "f" else torch.int32) for name, x in values.items()}


def numpy_inputs(batch: int = 3, level: int = 2, seed: int = 0) -> dict[str, np.ndarray]:
    """A batch of bumpy spheres, one vertex set per image and one topology; float64 and int32."""
    rng = np.random.default_rng(seed)
    sphere = scenes.icosphere(level)
    vertices = sphere.vertices * (1 + 0.1 * rng.normal(size=(batch, len(sphere.vertices), 1)))
    vertices = vertices + np.array([0.1, -0.2, -3.2]) + 0.2 * rng.normal(size=(batch, 1, 3))
    matrix = scenes.perspective(1.8, aspect=SIZE[1] / SIZE[0])
    num_triangles = len(sphere.triangles)
    starts, ends = edge_ends(sphere.triangles, len(sphere.vertices))
    return {
        "pos_clip": np.concatenate([scenes.project(matrix, v) for v in vertices]),
        "attributes": rng.normal(size=(batch, len(sphere.vertices), 3)),
        "texture": rng.normal(size=(batch, 16, 32, 3)),
        "uv": rng.uniform(-1, 2, (batch, *SIZE, 2)),
        "cube": rng.normal(size=(batch, 6, 5, 5, 3)),
        "directions": rng.normal(size=(batch, *SIZE, 3)),
        "lod": rng.uniform(-0.5, 2.5, (batch, *SIZE)),
        "face_textures": rng.normal(size=(batch, num_triangles, 2, 2, 2, 3)),
        "background": rng.normal(size=(batch, *SIZE, 3)),
        "target": rng.normal(size=(batch, *SIZE, 3)),
        "tangents": rng.normal(size=(batch, len(sphere.vertices), 4)),
        "surface": rng.uniform(0.2, 1, (batch, *SIZE, 2)),
        "viewer": rng.normal(size=(batch, 4)),
        "lights": rng.normal(size=(batch, 3, 12)) * [1, 1, 1, 0, *[1] * 8] + [0, 0, 0, 1, *[0] * 8],
        "scale": rng.normal(size=batch),
        "triangles": sphere.triangles,
        "neighbours": neighbours(sphere.triangles),
        "starts": starts,
        "ends": ends,
    }


def fragments_of(x: Inputs) -> ops.Fragments:
    return ops.rasterize(x["pos_clip"], x["triangles"], SIZE)


def image_of(x: Inputs, fragments: ops.Fragments) -> Any:
    shaded = ops.interpolate(x["attributes"], fragments, x["triangles"])
    return namespace(shaded).where((fragments.triangle_id >= 0)[..., None], shaded, x["background"])


def rasterize(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    return fragments.barycentrics, fragments.depth


def rasterize_behind(x: Inputs) -> tuple:
    fragments = ops.rasterize(x["pos_clip"], x["triangles"], SIZE, behind=fragments_of(x))
    return fragments.barycentrics, fragments.depth


def layered(x: Inputs) -> tuple:
    front = fragments_of(x)
    layers = [front, ops.rasterize(x["pos_clip"], x["triangles"], SIZE, behind=front)]
    colors = []
    for fragments, alpha in zip(layers, (0.4, 0.7), strict=True):
        # The last attribute is alpha: 0 on the background.
        colors.append(alpha * ops.interpolate(x["attributes"], fragments, x["triangles"]))
    background, table = x["background"][..., :2], x["neighbours"]
    image = ops.composite(colors, background=background)
    geometry = (layers, x["pos_clip"], x["triangles"])
    return (ops.layered_edge_gradient(image, colors, *geometry, background=background, neighbours=table),)


def interpolate(x: Inputs) -> tuple:
    return (ops.interpolate(x["attributes"], fragments_of(x), x["triangles"]),)


def screen_derivatives(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    return (ops.screen_derivatives(x["attributes"], fragments, x["triangles"], x["pos_clip"], x["triangles"]),)


def edge_gradient(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    image, table = image_of(x, fragments), x["neighbours"]
    return (ops.edge_gradient(image, fragments, x["pos_clip"], x["triangles"], neighbours=table),)


def silhouette(x: Inputs) -> tuple:
    return (ops.silhouette(x["pos_clip"], x["triangles"], SIZE, neighbours=x["neighbours"]),)


def silhouette_error(x: Inputs) -> tuple:
    target = namespace(x["target"]).stop_gradient(x["target"][..., 0])
    return (ops.silhouette_error(x["pos_clip"], x["triangles"], target, neighbours=x["neighbours"]),)


def silhouette_error_of_ranges(x: Inputs) -> tuple:
    xp, count = namespace(x["target"]), x["triangles"].shape[0] // 2
    batch = x["target"].shape[0]
    target = xp.stop_gradient(xp.reshape(xp.stack([x["target"][..., 0]] * 2, axis=1), (2 * batch, *SIZE)))
    options = {"neighbours": x["neighbours"], "ranges": [[0, count], [count, count]]}
    return (xp.reshape(ops.silhouette_error(x["pos_clip"], x["triangles"], target, **options), (batch, 2)),)


def squared_error(x: Inputs) -> tuple:
    return (ops.squared_error(x["background"], x["target"]),)


def downsample(x: Inputs) -> tuple:
    return (ops.downsample(x["background"], 4),)


def smooth(x: Inputs) -> tuple:
    return (ops.smooth(x["attributes"][0], x["starts"], x["ends"], rounds=3),)


def antialias(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    image, table = image_of(x, fragments), x["neighbours"]
    return (ops.antialias(image, fragments, x["pos_clip"], x["triangles"], neighbours=table),)


def sweep_gradient(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    return (ops.sweep_gradient(image_of(x, fragments), fragments, x["pos_clip"], x["triangles"]),)


def sample_texture(x: Inputs) -> tuple:
    sampled = ops.sample_texture(x["texture"], x["uv"])
    return sampled, ops.sample_texture(x["texture"], x["uv"], fragments=fragments_of(x))


def trilinear(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    uv = ops.interpolate(x["attributes"][..., :2], fragments, x["triangles"])
    derivatives = ops.screen_derivatives(
        x["attributes"][..., :2], fragments, x["triangles"], x["pos_clip"], x["triangles"]
    )  # fmt: skip
    levels, options = ops.mip_pyramid(x["texture"]), {"filter": "trilinear", "uv_derivatives": derivatives}
    return (
        ops.sample_texture(levels, uv, **options),
        ops.sample_texture(levels, uv, max_anisotropy=4, **options),
        ops.sample_texture(levels, uv, fragments=fragments, **options),
    )


def textured(x: Inputs) -> tuple:
    uv, pixels = x["attributes"][..., :2], SIZE
    return (ops.textured(x["pos_clip"], x["triangles"], uv, x["texture"], pixels, neighbours=x["neighbours"]),)


def textured_error(x: Inputs) -> tuple:
    uv, target = x["attributes"][..., :2], namespace(x["target"]).stop_gradient(x["target"])
    options = {"neighbours": x["neighbours"]}
    return (ops.textured_error(x["pos_clip"], x["triangles"], uv, x["texture"], target, **options),)


def culled(x: Inputs) -> tuple:
    """Every op that draws, without back faces."""
    xp, table, uv = namespace(x["target"]), x["neighbours"], x["attributes"][..., :2]
    geometry, options = (x["pos_clip"], x["triangles"]), {"neighbours": table, "cull_backfaces": True}
    target = xp.stop_gradient(x["target"])
    front = ops.rasterize(*geometry, SIZE, cull_backfaces=True)
    behind = ops.rasterize(*geometry, SIZE, behind=front, cull_backfaces=True)
    soft = ops.soft_rasterize(*geometry, SIZE, sigma=1e-3, layers=3, cull_backfaces=True)
    return (
        front.depth,
        behind.depth,
        soft.probability,
        ops.silhouette(*geometry, SIZE, **options),
        ops.silhouette_error(*geometry, target[..., 0], **options),
        ops.textured(*geometry, uv, x["texture"], SIZE, **options),
        ops.textured_error(*geometry, uv, x["texture"], target, **options),
    )


def sample_cube(x: Inputs) -> tuple:
    return (
        ops.sample_cube(x["cube"], x["directions"]),
        ops.sample_cube(ops.mip_pyramid(x["cube"]), x["directions"], filter="trilinear", lod=x["lod"]),
        ops.prefilter_cube(x["cube"], 3, 0.5),
    )


def sample_face_texture(x: Inputs) -> tuple:
    return (ops.sample_face_texture(x["face_textures"], fragments_of(x)),)


def map_normals(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    normals, tangents = (ops.interpolate(x[name], fragments, x["triangles"]) for name in ("attributes", "tangents"))
    return (ops.map_normals(normals, tangents, x["background"], fragments, x["scale"]),)


def shade_metallic(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    normals = ops.interpolate(x["attributes"], fragments, x["triangles"])
    planes = (x["background"], normals, x["target"], x["surface"])
    return (ops.shade_metallic(*planes, x["viewer"], x["lights"], fragments),)


def shade_blinn_phong(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    normals = ops.interpolate(x["attributes"], fragments, x["triangles"])
    specular = namespace(normals).concat([x["surface"], x["surface"] * 30], axis=-1)
    planes = (x["background"], normals, x["target"], specular)
    return (ops.shade_blinn_phong(*planes, x["viewer"], x["lights"], fragments),)


def reflect(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    return (ops.reflect(x["background"], x["directions"], x["viewer"], fragments),)


def reflect_environment(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    normals = ops.interpolate(x["attributes"], fragments, x["triangles"])
    planes = (x["background"], normals, x["target"], x["surface"])
    light = (x["directions"], x["directions"] * 2)
    table = namespace(normals).constant(TABLE, normals)
    return (ops.reflect_environment(*planes, x["viewer"], *light, table, fragments),)


def spherical_harmonics(x: Inputs) -> tuple:
    fragments = fragments_of(x)
    return (ops.spherical_harmonics(x["directions"], x["attributes"][:, :9], fragments),)


def soft(x: Inputs) -> tuple:
    fragments = ops.soft_rasterize(x["pos_clip"], x["triangles"], SIZE, sigma=1e-3, layers=4)
    image = ops.interpolate(x["attributes"], _layer(fragments, 0), x["triangles"])
    images = namespace(image).stack([image, image * 0.5, image * 0.25, image * 0.125], axis=3)
    color, alpha = ops.soft_blend(images, fragments, gamma=1e-2, background=x["background"][0, 0, 0])
    return color, alpha


def _layer(fragments, index: int) -> ops.Fragments:
    return ops.Fragments(*(part[:, :, :, index] for part in fragments[:3]))


CHAINS: dict[str, Callable[[Inputs], tuple]] = {
    function.__name__: function
    for function in (
        rasterize, rasterize_behind, layered, interpolate, screen_derivatives, edge_gradient, silhouette,
        silhouette_error, silhouette_error_of_ranges, antialias, sweep_gradient, sample_texture, trilinear, textured,
        textured_error, culled, sample_cube, sample_face_texture, soft, squared_error, smooth, downsample, map_normals,
        shade_metallic, shade_blinn_phong, reflect, reflect_environment, spherical_harmonics,
    )
}  # fmt: skip


def loss_of(outputs: tuple) -> torch.Tensor:
    """A smooth loss in which every output element counts differently."""
    total = outputs[0].new_zeros(())
    for output in outputs:
        ramp = torch.linspace(0.5, 1.5, output.numel(), dtype=output.dtype).reshape(output.shape)
        total = total + (ramp * output * (output + 1)).sum()
    return total


def value_and_gradients(chain: Callable[[Inputs], tuple], x: Inputs) -> tuple[tuple, Inputs]:
    """Outputs, and the gradients of loss_of(outputs) that are not None; none if the op has no gradient."""
    leaves = {name: value.detach().requires_grad_(value.is_floating_point()) for name, value in x.items()}
    outputs = chain(leaves)
    if any(output.requires_grad for output in outputs):
        loss_of(outputs).backward()
    gradients = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
    return tuple(output.detach() for output in outputs), gradients
