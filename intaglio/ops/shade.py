# SPDX-License-Identifier: MIT
"""Light on the surfaces that pixels show. All planes are [B, H, W, C]; the background is 0."""

from __future__ import annotations

from . import calls
from .door import Array, Door
from .geometry import Fragments, check_fragments

_PLANE = ("B", "H", "W", 3)
_VIEWER = ((4,), ("B", 4))
_LIGHTS = (("L", 12), ("B", "L", 12))


def _seen_door(op: str, positions: Array, normals: Array, viewer: Array, fragments: Fragments) -> Door:
    door = Door(op, "positions", positions)
    check_fragments(door, fragments)
    door.value("positions", positions, _PLANE)
    door.value("normals", normals, _PLANE)
    door.value("viewer", viewer, *_VIEWER, remedy="(x, y, z, 1), or (direction towards it, 0); see Camera.viewer")
    return door


def map_normals(normals: Array, tangents: Array, texels: Array, fragments: Fragments, scale: Array) -> Array:
    """Unit normals from a map in tangent space: [B, H, W, 3].

    normals: [B, H, W, 3] as interpolated, world space, not made unit again. Differentiable.
    tangents: [B, H, W, 4] as interpolated; the fourth is the sign of the bitangent, sign cross(normal, tangent).
        Differentiable.
    texels: [B, H, W, 3] sampled from the map, from 0 to 1; (1/2, 1/2, 1) leaves the normal. Differentiable.
    fragments: of `rasterize`; only triangle_id is read.
    scale: [] or [B], of the first two components. Differentiable.

    Where normals, tangents and texels cancel there is no normal: 0.

    Raises ValueError on shapes and dtypes.

    Mikkelsen: mikktspace.h, 2011, the rule for pixels. glTF 2.0, 3.9.3.
    """
    door = Door("map_normals", "normals", normals)
    check_fragments(door, fragments)
    door.value("normals", normals, _PLANE)
    door.value("tangents", tangents, ("B", "H", "W", 4), remedy="the fourth is the bitangent's sign")
    door.value("texels", texels, _PLANE)
    door.value("scale", scale, (), ("B",))
    return door.front.apply(calls.MAP_NORMALS, normals, tangents, texels, scale, fragments.triangle_id)[0]


def shade_metallic(
    positions: Array,
    normals: Array,
    base_color: Array,
    roughness_metallic: Array,
    viewer: Array,
    lights: Array,
    fragments: Fragments,
) -> Array:
    """Direct light that metallic-roughness surfaces send to the viewer: [B, H, W, 3], linear; 0 on the background.

    positions: [B, H, W, 3] in world space. Differentiable.
    normals: [B, H, W, 3] in world space, outward to the side that is seen; their length does not matter, and where it
        is 0 the surface is dark. Differentiable.
    base_color: [B, H, W, 3], linear. Differentiable.
    roughness_metallic: [B, H, W, 2], each from 0 to 1. Roughness below 0.045 counts as 0.045. Differentiable.
    viewer: [4] or [B, 4], (x, y, z, 1) or (direction towards the viewer, 0), as `Camera.viewer` gives. Differentiable.
    lights: [L, 12] or [B, L, 12]. Differentiable, but for what tells points from directions:
        0-3   place (x, y, z, 1), or direction towards the light (x, y, z, 0), of any length
        4-6   colour times intensity
        7-9   unit axis along which a spot shines
        10-11 scale and offset of its cone: clamp(cosine * scale + offset, 0, 1)^2 of the light; 0 and 1 for no cone
        Light from a point falls off with the squared distance, down to a distance of 1e-4.
    fragments: of `rasterize`; only triangle_id is read.

    A white matt surface that faces light of intensity 1 shows nearly 1: outgoing light is pi f intensity cosine.

    Raises ValueError on shapes and dtypes.

    >>> ones = np.ones((1, 1, 1, 3))
    >>> straight = np.array([[0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1.0]])
    >>> fragments = Fragments(np.int32([[[0]]]), ones[..., :2], ones[..., 0])
    >>> surface = dict(positions=0 * ones, normals=ones * [0, 0, 1], base_color=ones, viewer=np.array([0, 0, 1.0, 0]))
    >>> shade_metallic(**surface, roughness_metallic=ones[..., :2] * [1, 0], lights=straight, fragments=fragments)
    array([[[[0.97, 0.97, 0.97]]]])

    glTF 2.0, appendix B: GGX (Walter et al. 2007) with separable masking (Heitz 2014), Schlick's Fresnel term (1994).
    """
    door = _seen_door("shade_metallic", positions, normals, viewer, fragments)
    door.value("base_color", base_color, _PLANE)
    door.value("roughness_metallic", roughness_metallic, ("B", "H", "W", 2))
    door.value("lights", lights, *_LIGHTS)
    inputs = (positions, normals, viewer, fragments.triangle_id, lights, base_color, roughness_metallic)
    return door.front.apply(calls.SHADE_METALLIC, *inputs)[0]
