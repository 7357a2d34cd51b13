# SPDX-License-Identifier: MIT
"""All that a file of several things holds, as plain data. Names and meanings are those of glTF 2.0, the richest kind.

Khronos, glTF 2.0 Specification, https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html

Things refer to each other by their place in the tuples of the asset. Arrays are NumPy's. Nothing here is
differentiable: `Asset.mesh` gives what can be rendered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .limits import Limits

if TYPE_CHECKING:
    from ..mesh import Mesh
    from .cameras import Views

__all__ = [
    "Animation",
    "Asset",
    "AssetCamera",
    "AssetMaterial",
    "Channel",
    "Geometry",
    "Image",
    "Node",
    "Primitive",
    "SceneRoots",
    "Skin",
    "Texture",
    "TextureUse",
]  # fmt: skip

POINTS, LINES, LINE_LOOP, LINE_STRIP, TRIANGLES, TRIANGLE_STRIP, TRIANGLE_FAN = range(7)
REPEAT, MIRRORED_REPEAT, CLAMP_TO_EDGE = 10497, 33648, 33071


@dataclass(frozen=True, eq=False, kw_only=True)
class Described:
    """What anything may carry besides: a name, and raw JSON that its maker noted (`extras`) or added (`extensions`).

    inside: the same of what stands within it and is no thing of its own, by glTF's name of that.
    """

    name: str = ""
    extras: Any = None
    extensions: dict[str, Any] = field(default_factory=dict)
    inside: dict[str, Described] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Primitive(Described):
    """Points, lines or triangles of one material.

    attributes: "POSITION" [V, 3], "NORMAL" [V, 3], "TANGENT" [V, 4], "TEXCOORD_0" [V, 2] (from the top left),
        "COLOR_0" [V, 3 or 4] (linear), "WEIGHTS_0" [V, 4], all float32; "JOINTS_0" [V, 4] uint16; and names that begin
        with an underscore.
    indices: [N] uint32 into them, or None for 0, 1, 2 ...
    material: or None for glTF's default, white and rough.
    mode: 4 for triangles; 5 and 6 for strips and fans; 0 to 3 for points and lines.
    targets: morph targets, each some attributes' differences.
    """

    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    indices: np.ndarray | None = None
    material: int | None = None
    mode: int = TRIANGLES
    targets: tuple[dict[str, np.ndarray], ...] = ()

    @property
    def num_triangles(self) -> int:
        """How many `triangles` gives."""
        count = len(self.attributes["POSITION"] if self.indices is None else self.indices)
        if self.mode == TRIANGLES:
            return count // 3
        return max(count - 2, 0) if self.mode in (TRIANGLE_STRIP, TRIANGLE_FAN) else 0

    def triangles(self) -> np.ndarray:
        """[F, 3] int32, strips and fans taken apart; none of points and lines."""
        order = self.indices
        if order is None:
            order = np.arange(len(self.attributes["POSITION"]), dtype=np.int32)
        order = order.astype(np.int32)
        last = max(len(order) - 2, 0)
        k = np.arange(last)
        if self.mode == TRIANGLES:
            return order[: len(order) // 3 * 3].reshape(-1, 3)
        if self.mode == TRIANGLE_STRIP:  # every second is turned over
            return np.stack([order[k], order[k + 1 + k % 2], order[k + 2 - k % 2]], axis=-1)
        if self.mode == TRIANGLE_FAN:
            return np.stack([order[k + 1], order[k + 2], np.repeat(order[:1], last)], axis=-1)
        return np.zeros((0, 3), dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Geometry(Described):
    """Primitives that are placed together; what glTF calls a mesh. `weights` are those of the morph targets."""

    primitives: tuple[Primitive, ...] = ()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Image(Described):
    """A PNG or JPEG file, byte for byte."""

    data: bytes = b""
    mime_type: str = "image/png"
    height: int = 0
    width: int = 0

    def pixels(self, *, linear: bool = True) -> np.ndarray:
        """[H, W, 3 or 4] float32. linear: False for normals, roughness and all else that is no colour.

        Raises:
            InputError: the picture is damaged.
        """
        from .images import decode_image

        return decode_image(self.data, self.name or "a picture", linear=linear, max_pixels=self.height * self.width)


@dataclass(frozen=True, eq=False)
class Texture(Described):
    """An image (None where only an extension names one), and how it is sampled; numbers are OpenGL's.

    What its "sampler" carries is `inside` it.
    """

    image: int | None = None
    wrap_s: int = REPEAT
    wrap_t: int = REPEAT
    mag_filter: int | None = None
    min_filter: int | None = None


@dataclass(frozen=True, eq=False)
class TextureUse(Described):
    """A texture in a material: which uv it takes, and KHR_texture_transform's numbers (radians, counter-clockwise)."""

    texture: int
    uv_set: int = 0
    offset: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)

    def transformed(self, uv: np.ndarray) -> np.ndarray:
        """[..., 2] -> [..., 2]: scaled, turned, moved."""
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        turn = np.array([[cos, sin], [-sin, cos]])
        return (uv.astype(np.float64) * self.scale) @ turn.T + self.offset


@dataclass(frozen=True, eq=False)
class AssetMaterial(Described):
    """Metallic and rough; factors are linear and multiply the textures. `inside`: "pbrMetallicRoughness"."""

    base_color: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    base_color_texture: TextureUse | None = None
    metallic: float = 1.0
    roughness: float = 1.0
    metallic_roughness_texture: TextureUse | None = None
    normal_texture: TextureUse | None = None
    normal_scale: float = 1.0
    occlusion_texture: TextureUse | None = None
    occlusion_strength: float = 1.0
    emissive: tuple[float, ...] = (0.0, 0.0, 0.0)
    emissive_texture: TextureUse | None = None
    alpha_mode: str = "OPAQUE"
    alpha_cutoff: float = 0.5
    double_sided: bool = False
    unlit: bool = False


# What a mesh without a material is written as: other formats know no metal unless it is named.
MATT = AssetMaterial(metallic=0.0, double_sided=True)


@dataclass(frozen=True, eq=False)
class AssetCamera(Described):
    """Looks down its node's -z. Perspective with `fov_y` (radians), else orthographic with half sizes.

    `inside`: "perspective" or "orthographic".
    """

    fov_y: float | None = None
    aspect: float | None = None
    x_half: float | None = None
    y_half: float | None = None
    near: float = 0.1
    far: float | None = None


@dataclass(frozen=True, eq=False)
class Node(Described):
    """A place, and what stands there. `matrix` [4, 4] (parent_from_node), or else the three others."""

    children: tuple[int, ...] = ()
    matrix: np.ndarray | None = None
    translation: tuple[float, ...] = (0.0, 0.0, 0.0)
    rotation: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)  # x, y, z, w
    scale: tuple[float, ...] = (1.0, 1.0, 1.0)
    geometry: int | None = None
    skin: int | None = None
    camera: int | None = None
    weights: tuple[float, ...] = ()

    def parent_from_node(self) -> np.ndarray:
        """[4, 4] float64."""
        if self.matrix is not None:
            return self.matrix.astype(np.float64)
        x, y, z, w = self.rotation
        turn = np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                         [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                         [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])  # fmt: skip
        result = np.eye(4)
        result[:3, :3] = turn * self.scale
        result[:3, 3] = self.translation
        return result


@dataclass(frozen=True, eq=False)
class Skin(Described):
    """joints: nodes. inverse_bind: [J, 4, 4] float32, joint_from_geometry at rest; None for identities."""

    joints: tuple[int, ...] = ()
    inverse_bind: np.ndarray | None = None
    skeleton: int | None = None


@dataclass(frozen=True, eq=False)
class Channel(Described):
    """What moves one property ("translation", "rotation", "scale", "weights") of one node.

    times: [K] float32 seconds. values: [K, ...] float32; three for each time where `interpolation` is CUBICSPLINE.
    inside: "target" and "sampler".
    """

    node: int | None
    path: str
    times: np.ndarray
    values: np.ndarray
    interpolation: str = "LINEAR"


@dataclass(frozen=True, eq=False)
class Animation(Described):
    """Channels that run together."""

    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, eq=False)
class SceneRoots(Described):
    """The nodes that one of the asset's scenes begins with."""

    nodes: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Asset(Described):
    """Everything in a file. `scene` is the one to show; `changes` tells what reading converted, in words.

    `inside`: "asset", where authors and licences are often noted.

    Example:
        >>> asset = intaglio.load_asset("robot.glb")
        >>> asset.materials[0].roughness, asset.nodes[0].name, asset.mesh()
    """

    nodes: tuple[Node, ...] = ()
    geometries: tuple[Geometry, ...] = ()
    materials: tuple[AssetMaterial, ...] = ()
    textures: tuple[Texture, ...] = ()
    images: tuple[Image, ...] = ()
    skins: tuple[Skin, ...] = ()
    cameras: tuple[AssetCamera, ...] = ()
    animations: tuple[Animation, ...] = ()
    scenes: tuple[SceneRoots, ...] = ()
    scene: int | None = None
    extensions_used: tuple[str, ...] = ()
    extensions_required: tuple[str, ...] = ()
    copyright: str = ""
    generator: str = ""
    changes: tuple[str, ...] = ()

    def roots(self) -> tuple[int, ...]:
        """The nodes that the shown scene begins with; all without parents where there is no scene."""
        if self.scenes:
            return self.scenes[self.scene or 0].nodes
        children = {child for node in self.nodes for child in node.children}
        return tuple(k for k in range(len(self.nodes)) if k not in children)

    def shown(self) -> Iterator[int]:
        """The nodes of the shown scene, parents first."""
        ahead = list(reversed(self.roots()))
        while ahead:
            node = ahead.pop()
            yield node
            ahead += reversed(self.nodes[node].children)

    def world_from_nodes(self) -> np.ndarray:
        """[N, 4, 4] float64, of all nodes, shown or not; infinite or NaN where transforms lead beyond all numbers."""
        children = {child for node in self.nodes for child in node.children}
        world = np.zeros((len(self.nodes), 4, 4))
        ahead = [(k, np.eye(4)) for k in range(len(self.nodes)) if k not in children]
        while ahead:
            k, world_from_parent = ahead.pop()
            with np.errstate(all="ignore"):
                world[k] = world_from_parent @ self.nodes[k].parent_from_node()
            ahead += [(child, world[k]) for child in self.nodes[k].children]
        return world

    def mesh(self, *, limits: Limits | None = None) -> Mesh:
        """All triangles of the shown scene as one mesh: NumPy, float32, world space, as it stands at rest.

        Transforms, skins and morph weights are applied; vertices that coincide in place and colour become one. Base
        colours and their textures (with KHR_texture_transform) become `texture`, packed into one where there are
        several, or `face_textures` of one texel where there are none; COLOR_0 becomes `vertex_colors`, the materials
        one `material`, whose maps hold what differs between them; normals and tangents are kept where every part has
        some. It is `double_sided` if one of the materials that it shows is: glTF's are not unless they say so.
        A mesh has no place for: points and lines, other uv and colour sets, cameras, animations. They stay in the
        asset.

        Raises:
            InputError: there are no triangles, a picture is damaged, or the mesh would exceed `limits`.
        """
        from .asset_mesh import mesh_of  # which needs all of the above

        return mesh_of(self, limits or Limits())

    def views(self, *, far: float = 100.0) -> Views:
        """The cameras of the shown scene, each named after its node, in world space.

        Other arguments:
            far: the far plane of those that say none.

        Raises:
            InputError: a transform has no inverse.
        """
        from .cameras.assets import views_of_asset  # which needs all of the above

        return views_of_asset(self, self.name or "an asset", far)
