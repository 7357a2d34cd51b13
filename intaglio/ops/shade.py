# SPDX-License-Identifier: MIT
"""Light on the surfaces that pixels show. All planes are [B, H, W, C]; the background is 0."""

from __future__ import annotations

from intaglio.array import namespace

from .calls.shade import (
    MAP_NORMALS,
    REFLECT,
    REFLECT_ENVIRONMENT,
    SHADE_BLINN_PHONG,
    SHADE_METALLIC,
    SPHERICAL_HARMONICS,
)
from .door import Array, Door
from .geometry import Fragments, check_fragments

_PLANE = ("B", "H", "W", 3)
_VIEWER = ((4,), ("B", 4))
_LIGHTS = (("L", 12), ("B", "L", 12))
_LIGHT_REMEDY = "place, colour, axis, scale and offset: see ops.shade_metallic"


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
    return door.front.apply(MAP_NORMALS, normals, tangents, texels, scale, fragments.triangle_id)[0]


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
    door.value("lights", lights, *_LIGHTS, remedy=_LIGHT_REMEDY)
    inputs = (positions, normals, viewer, fragments.triangle_id, lights, base_color, roughness_metallic)
    return door.front.apply(SHADE_METALLIC, *inputs)[0]


def shade_blinn_phong(
    positions: Array,
    normals: Array,
    diffuse: Array,
    specular: Array,
    viewer: Array,
    lights: Array,
    fragments: Fragments,
) -> Array:
    """Direct light that surfaces after Blinn send to the viewer: [B, H, W, 3], linear; 0 on the background.

    diffuse: [B, H, W, 3], linear. Differentiable.
    specular: [B, H, W, 4], the highlight's colour and its shininess, from 0 on. Differentiable.
    Other arguments as of `shade_metallic`. Differentiable, but for the edge of the highlight where light begins to come
    from behind the surface.

    A light of colour C sends C (diffuse n l + specular (n h)^shininess), h being half way between viewer and light;
    nothing where it stands behind the surface.

    Raises ValueError on shapes and dtypes.

    Blinn: Models of Light Reflection for Computer Synthesized Pictures, SIGGRAPH 1977; Wavefront's MTL, illum 2.
    """
    door = _seen_door("shade_blinn_phong", positions, normals, viewer, fragments)
    door.value("diffuse", diffuse, _PLANE)
    door.value("specular", specular, ("B", "H", "W", 4), remedy="a colour and its shininess")
    door.value("lights", lights, *_LIGHTS, remedy=_LIGHT_REMEDY)
    inputs = (positions, normals, viewer, fragments.triangle_id, lights, diffuse, specular)
    return door.front.apply(SHADE_BLINN_PHONG, *inputs)[0]


def reflect(positions: Array, normals: Array, viewer: Array, fragments: Fragments) -> Array:
    """The unit directions in which surfaces mirror the viewer, away from them: [B, H, W, 3]; 0 on the background.

    Arguments as of `shade_metallic`, all differentiable. A surface without a normal sends the look on: -v; one at the
    viewer's very place mirrors nothing, 0.

    Raises ValueError on shapes and dtypes.

    >>> plane = np.array([[[[0.0, 0, 1]]]])
    >>> fragments = Fragments(np.int32([[[0]]]), plane[..., :2], plane[..., 0])
    >>> reflect(0 * plane, plane, np.array([3.0, 0, 4, 1]), fragments)
    array([[[[-0.6,  0. ,  0.8]]]])
    """
    door = _seen_door("reflect", positions, normals, viewer, fragments)
    return door.front.apply(REFLECT, positions, normals, viewer, fragments.triangle_id)[0]


def reflect_environment(
    positions: Array,
    normals: Array,
    base_color: Array,
    roughness_metallic: Array,
    viewer: Array,
    irradiance: Array,
    radiance: Array,
    table: Array,
    fragments: Fragments,
) -> Array:
    """Light from everywhere that metallic-roughness surfaces send to the viewer: [B, H, W, 3], linear.

    irradiance: [B, H, W, 3], what falls on the surface, over pi: L where radiance L comes from everywhere.
        Differentiable.
    radiance: [B, H, W, 3], what comes from where `reflect` points to, blurred as the surface's roughness blurs it.
        Differentiable.
    table: [n, n, 2] of `intaglio.split_sum`, as an array like the others. Not differentiable.
    Other arguments as of `shade_metallic`, all differentiable.

    It is c_diff (1 - 0.04 A - B) irradiance + (F0 A + B) radiance, with (A, B) of the table, bilinear, at the roughness
    and the cosine between normal and viewer, the first entries at 0 and the last at 1; c_diff =
    base_color (1 - metallic) and F0 goes from 0.04 to base_color as metallic goes from 0 to 1. A white dielectric in a
    white room shows white.

    Raises ValueError on shapes and dtypes.

    Karis: Real Shading in Unreal Engine 4, 2013. glTF 2.0, appendix B.
    """
    door = _seen_door("reflect_environment", positions, normals, viewer, fragments)
    door.value("base_color", base_color, _PLANE)
    door.value("roughness_metallic", roughness_metallic, ("B", "H", "W", 2))
    door.value("irradiance", irradiance, _PLANE)
    door.value("radiance", radiance, _PLANE)
    door.value("table", table, ("n", "n", 2), remedy="see split_sum_table")
    if table.shape[0] == 0:
        door.fail("table", "of at least one texel", "n = 0", "see split_sum_table")
    inputs = (positions, normals, viewer, fragments.triangle_id, base_color, roughness_metallic, irradiance, radiance)
    return door.front.apply(REFLECT_ENVIRONMENT, *inputs, namespace(table).stop_gradient(table))[0]


def spherical_harmonics(directions: Array, coefficients: Array, fragments: Fragments) -> Array:
    """A function on the sphere, given by its coefficients, at a direction each pixel: [B, H, W, 3].

    directions: [B, H, W, 3], of any length. Differentiable.
    coefficients: [9, 3] or [B, 9, 3], of real spherical harmonics in the order (l, m) = (0, 0), (1, -1), (1, 0),
        (1, 1), (2, -2) ... (2, 2): of 1, y, z, x, xy, yz, 3z^2 - 1, xz, x^2 - y^2. Orthonormal, without the
        Condon-Shortley phase. Differentiable.
    fragments: of `rasterize`; only triangle_id is read.

    Raises ValueError on shapes and dtypes.

    Ramamoorthi, Hanrahan: An Efficient Representation for Irradiance Environment Maps, SIGGRAPH 2001.
    """
    door = Door("spherical_harmonics", "directions", directions)
    check_fragments(door, fragments)
    door.value("directions", directions, _PLANE)
    door.value("coefficients", coefficients, (9, 3), ("B", 9, 3), remedy="real harmonics of degrees 0, 1 and 2")
    return door.front.apply(SPHERICAL_HARMONICS, directions, coefficients, fragments.triangle_id)[0]
