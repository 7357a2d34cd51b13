# SPDX-License-Identifier: MIT
"""Light, layers and parts of hostile scenes: the ops on what was drawn, and those of many meshes at once."""

import numpy as np

from intaglio import ops
from intaglio.split_sum import split_sum_table
from intaglio.topology import neighbours

__all__ = ["draw_layers", "draw_light", "draw_parts"]

FEW = (-1.0, 0.0, 0.0, 0.5, 1.0)
# Beyond, products of three are no longer 32-bit numbers, and gradients neither.
POWERS = (-9.0, 9.0)
MATERIAL = (0.0, 0.0, 0.02, 0.045, 0.3, 1.0, 1.0)


def draw_light(scene, fragments, rng):
    """Every way of lighting; vectors are of any length, 0, alike or opposite, at the viewer's place or a light's."""
    batch, dtype = len(scene["pos_clip"]), scene["dtype"]
    plane = fragments.triangle_id.shape

    def numbers(*shape):
        return rng.choice(MATERIAL, shape).astype(dtype)

    viewer = _vectors(rng, _some_batch(rng, batch), 4, dtype)
    viewer[..., 3] = rng.choice((0, 1), viewer.shape[:-1])
    lights = _lights(rng, (*_some_batch(rng, batch), int(rng.integers(0, 4))), dtype)
    seen = {
        "positions": _vectors(rng, plane, 3, dtype),
        "normals": _vectors(rng, plane, 3, dtype),
        "viewer": viewer,
        "fragments": fragments,
    }
    if rng.random() < 0.3:  # looked at from its own place, or along itself
        seen["positions"][...] = viewer[..., :3].reshape(-1, 1, 1, 3)[: len(seen["positions"])]
    finish = {"base_color": numbers(*plane, 3), "roughness_metallic": numbers(*plane, 2)}
    ops.shade_metallic(**seen, **finish, lights=lights)
    specular = numbers(*plane, 4) * np.array([1, 1, 1, rng.choice((1, 100, 1e6))], dtype)
    ops.shade_blinn_phong(**seen, diffuse=numbers(*plane, 3), specular=specular, lights=lights)
    directions = ops.reflect(**seen)
    length = np.linalg.norm(directions, axis=-1)
    assert (np.isclose(length, 1, atol=1e-5) | (length == 0)).all(), "a mirrored direction is of another length"
    table = split_sum_table().astype(dtype)
    light = {"irradiance": numbers(*plane, 3), "radiance": numbers(*plane, 3), "table": table}
    ops.reflect_environment(**seen, **finish, **light)
    coefficients = rng.normal(size=(*_some_batch(rng, batch), 9, 3)).astype(dtype)
    ops.spherical_harmonics(_vectors(rng, plane, 3, dtype), coefficients, fragments)
    tangents = np.concatenate([_vectors(rng, plane, 3, dtype), rng.choice((-1, 1), (*plane, 1)).astype(dtype)], axis=-1)
    texels = rng.choice((0.0, 0.5, 0.5, 1.0), (*plane, 3)).astype(dtype)
    scale = rng.choice((0.0, 1.0, -2.0), _some_batch(rng, batch)).astype(dtype)
    ops.map_normals(seen["normals"], tangents, texels, fragments, scale)
    cube = rng.normal(size=(*_some_batch(rng, batch), 6, 4, 4, 2)).astype(dtype)
    lod = (rng.normal(size=plane) * 10.0 ** rng.integers(-2, 4)).astype(dtype)
    ops.sample_cube(ops.mip_pyramid(cube), _vectors(rng, plane, 3, dtype), filter="trilinear", lod=lod)
    ops.sample_cube(cube, _vectors(rng, plane, 3, dtype), filter="nearest")
    ops.prefilter_cube(cube, int(rng.integers(1, 4)), float(rng.choice((1e-3, 0.1, 1.0))))


def draw_layers(scene, fragments, table, rng):
    """Layers that were peeled off, laid over one another, and their edges."""
    geometry, dtype = (scene["pos_clip"], scene["triangles"]), scene["dtype"]
    layers = [fragments]
    for _ in range(int(rng.integers(0, 4))):
        layers.append(ops.rasterize(*geometry, scene["size"], behind=layers[-1]))
        _check_order(*layers[-2:])
    plane = fragments.triangle_id.shape
    colors = rng.random((*plane, len(layers), 4)).astype(dtype)
    colors[..., 3] = rng.choice((0.0, 0.5, 1.0), colors.shape[:-1])
    colors[..., 3] *= np.stack([layer.triangle_id >= 0 for layer in layers], axis=-1)
    shape = [(3,), (plane[0], 3), (*plane, 3)][rng.integers(3)]
    background = None if rng.random() < 0.3 else rng.random(shape).astype(dtype)
    image = ops.composite(colors, background=background)
    assert image.min() >= -1e-6
    assert image.max() <= 1 + 1e-6
    ops.layered_edge_gradient(image, colors, layers, *geometry, background=background, neighbours=table)


def draw_parts(scene, rng):
    """Parts of one list of triangles: empty ones, the same twice, all of it; wrong ones are refused."""
    pos_clip, triangles, size = scene["pos_clip"], scene["triangles"], scene["size"]
    if triangles.ndim == 3:
        return
    num_triangles = len(triangles)
    first = rng.integers(0, num_triangles + 1, int(rng.integers(1, 4)))
    count = rng.integers(0, num_triangles - first + 1)
    ranges = np.stack([first, count], axis=-1).astype(np.int32)
    if rng.random() < 0.1:
        ranges[rng.integers(len(ranges)), rng.integers(2)] = rng.choice((-1, num_triangles + 1, 2**31 - 1, -(2**31)))
    is_right = (ranges >= 0).all() and (ranges.astype(np.int64).sum(axis=-1) <= num_triangles).all()
    table = neighbours(triangles)
    parts = {"ranges": ranges}
    try:
        fragments = ops.rasterize(pos_clip, triangles, size, **parts)
    except ValueError:
        assert not is_right, "right ranges were refused"
        return
    assert is_right, "wrong ranges were taken"
    spans = [(a, a + n) for a, n in ranges.tolist() if n]
    last = np.tile(ranges, (len(pos_clip), 1)).sum(axis=-1)[:, None, None]
    begin = np.tile(ranges, (len(pos_clip), 1))[:, 0, None, None]
    shown = fragments.triangle_id
    assert ((shown == -1) | ((shown >= begin) & (shown < last))).all(), "a part shows triangles of another"
    ops.rasterize(pos_clip, triangles, size, behind=fragments, **parts)
    attributes = rng.normal(size=(pos_clip.shape[1], 2)).astype(scene["dtype"])
    image = ops.interpolate(attributes, fragments, triangles)
    surface = (image, fragments, pos_clip, triangles)
    ops.screen_derivatives(attributes, fragments, triangles, pos_clip, triangles, **parts)
    ops.sweep_gradient(*surface, **parts)
    overlap = any(a < d and c < b for k, (a, b) in enumerate(spans) for c, d in spans[:k] if (a, b) != (c, d))
    if overlap or rng.random() < 0.5:
        parts["neighbours"] = table
    ops.edge_gradient(*surface, **parts)
    ops.antialias(*surface, **parts)
    ops.silhouette(pos_clip, triangles, size, **parts)
    target = rng.random(shown.shape).astype(scene["dtype"])
    ops.silhouette_error(pos_clip, triangles, target, **parts)
    alone = np.concatenate([image, shown[..., None] >= 0], axis=-1, dtype=image.dtype)
    ops.layered_edge_gradient(ops.composite([alone]), [alone], [fragments], pos_clip, triangles, **parts)


def _check_order(front, behind):
    """Of two layers: the second shows something only where the first does, and nothing nearer."""
    shown = behind.triangle_id >= 0
    assert (front.triangle_id[shown] >= 0).all()
    assert (behind.depth[shown] >= front.depth[shown]).all()
    assert (behind.triangle_id[shown] != front.triangle_id[shown]).all()


def _vectors(rng, shape, width, dtype):
    """Of any length and direction, or of few numbers, so that many are 0, equal or opposite."""
    if rng.random() < 0.4:
        return rng.choice(FEW, (*shape, width)).astype(dtype)
    scale = 10.0 ** rng.uniform(*POWERS, (*shape, 1)) if rng.random() < 0.5 else 1.0
    return (rng.normal(size=(*shape, width)) * scale).astype(dtype)


def _lights(rng, shape, dtype):
    place = _vectors(rng, shape, 4, dtype)
    place[..., 3] = rng.choice((0, 1), shape)
    color = rng.choice((0.0, 1.0, 100.0), (*shape, 3))
    axis = _vectors(rng, shape, 3, dtype)
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    axis = axis / np.where(length > 0, length, 1)
    cone = np.where(rng.random((*shape, 1)) < 0.5, [0.0, 1.0], [rng.choice((1.0, 20.0, 1e4)), rng.normal()])
    return np.concatenate([place, color, axis, cone], axis=-1).astype(dtype)


def _some_batch(rng, batch):
    return (batch,) if rng.random() < 0.5 else ()
