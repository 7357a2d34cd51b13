# SPDX-License-Identifier: MIT
"""A mesh as an asset of one geometry, as glTF can hold it: one index for place, colour and uv together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..material import AnyMaterial, Material, Unlit, normal_mapped
from ..mesh import Mesh, groups_of_tangents, triangles_of
from ..picture import plain_bytes, png_bytes, srgb_bytes
from ..tangents import tangents as find_tangents
from .asset import MATT, Asset, AssetMaterial, Geometry, Image, Node, Primitive, SceneRoots, Texture, TextureUse
from .one_mesh import check_one_mesh, with_one_texture

__all__ = ["asset_of", "material_asset"]


def asset_of(writer: str, mesh: Mesh) -> Asset:
    """The asset of one mesh: its material, or a matt one, of as many sides; face textures are drawn into a texture.

    Raises:
        ValueError: the mesh is a batch, has no triangles, or both a texture and face textures; `writer` says so.
    """
    mesh = check_one_mesh(writer, mesh)
    if not len(mesh.triangles):
        raise ValueError(f"{writer}: mesh must have triangles; got none")
    texture, uv, uv_triangles = with_one_texture(writer, mesh)
    values = {"POSITION": (mesh.vertices, mesh.triangles)}
    if mesh.vertex_colors is not None:
        values["COLOR_0"] = (mesh.vertex_colors.clip(0, 1), mesh.triangles)
    if uv is not None and uv_triangles is not None:
        values["TEXCOORD_0"] = (uv, uv_triangles)
    values |= _frames(mesh)
    attributes, triangles = _indexed_alike(values)
    material = mesh.material
    if material is None and any(x is not None and x.shape[-1] == 4 for x in (mesh.vertex_colors, texture)):
        material = Material(roughness=1.0, metallic=0.0, alpha_mode="blend")
    primitive = Primitive(attributes=attributes, indices=triangles.reshape(-1).astype(np.uint32), material=0)
    return replace(
        material_asset(writer, material, texture, double_sided=mesh.double_sided),
        nodes=(Node(geometry=0),),
        geometries=(Geometry(primitives=(primitive,)),),
        scenes=(SceneRoots(nodes=(0,)),),
        scene=0,
    )


def material_asset(
    writer: str, material: AnyMaterial | None, texture: np.ndarray | None, *, double_sided: bool = True
) -> Asset:
    """The asset of a mesh's one material and its pictures alone. A Blinn-Phong material has no place in it."""
    pictures = _Pictures(writer)
    materials = (replace(_material(material, pictures, pictures.use(texture)), double_sided=double_sided),)
    textures = tuple(Texture(image=k) for k in range(len(pictures.images)))
    return Asset(materials=materials, textures=textures, images=tuple(pictures.images))


def _frames(mesh: Mesh) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Normals, and tangents where there are some or a normal map asks for them; with their triangles."""
    has_map = normal_mapped(mesh.material) is not None
    normals = mesh.normals
    if normals is None and (has_map or mesh.tangents is not None):
        normals = mesh.vertex_normals()
    if normals is None:
        return {}
    frames = {"NORMAL": (_unit(normals), triangles_of(mesh, "normals"))}
    if mesh.tangents is not None:
        tangents = np.concatenate([_unit(mesh.tangents[:, :3]), np.sign(mesh.tangents[:, 3:])], axis=-1)
        frames["TANGENT"] = (tangents, triangles_of(mesh, "tangents"))
    elif has_map:
        groups = groups_of_tangents(mesh, is_smooth=True)
        frames["TANGENT"] = (find_tangents(mesh.vertices, mesh.uv, normals, groups), groups.triangles)
    return frames


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Of length 1, as glTF wants them; those of none point along x."""
    vectors = vectors.astype(np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 0, vectors / np.where(length > 0, length, 1), [1.0, 0, 0])


def _indexed_alike(
    values: dict[str, tuple[np.ndarray, np.ndarray]],
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values [N, C] with triangles [F, 3] of their own -> float32 values by one index, and that: [F, 3]."""
    triangles = values["POSITION"][1]
    tables = {id(table): table for _, table in values.values() if not np.array_equal(table, triangles)}
    key = triangles.reshape(-1).astype(np.int64)
    for table in tables.values():
        flat = table.reshape(-1)
        key = np.unique(key * (int(flat.max()) + 1) + flat, return_inverse=True)[1]
    if not tables:
        return {name: x.astype(np.float32) for name, (x, _) in values.items()}, triangles
    _, first, corners = np.unique(key, return_index=True, return_inverse=True)
    attributes = {name: x[table.reshape(-1)[first]].astype(np.float32) for name, (x, table) in values.items()}
    return attributes, corners.reshape(-1, 3)


class _Pictures:
    """Images as they are asked for, each seen through a texture of its own number."""

    def __init__(self, writer: str) -> None:
        self.images: list[Image] = []
        self._writer = writer

    def use(self, picture: np.ndarray | None, *, linear: bool = True) -> TextureUse | None:
        """linear: False for what is no colour."""
        if picture is None:
            return None
        height, width = picture.shape[:2]
        data = png_bytes((srgb_bytes if linear else plain_bytes)(picture, self._writer))
        self.images.append(Image(data=data, height=height, width=width))
        return TextureUse(len(self.images) - 1)


def _material(material: AnyMaterial | None, pictures: _Pictures, texture: TextureUse | None) -> AssetMaterial:
    matt = replace(MATT, base_color_texture=texture)
    if material is None:
        return matt
    color = tuple(float(x) for x in material.base_color)
    colored = replace(
        matt,
        base_color=color if len(color) == 4 else (*color, 1.0),
        alpha_mode=material.alpha_mode.upper(),
        alpha_cutoff=material.alpha_cutoff,
        unlit=isinstance(material, Unlit),
    )
    if not isinstance(material, Material):
        return colored
    rough, occlusion = material.metallic_roughness_texture, material.occlusion_texture
    if rough is not None:
        rough = np.concatenate([np.ones_like(rough[..., :1]), rough], axis=-1)
    return replace(
        colored,
        metallic=float(material.metallic),
        roughness=float(material.roughness),
        metallic_roughness_texture=pictures.use(rough, linear=False),
        normal_texture=pictures.use(material.normal_texture, linear=False),
        normal_scale=float(material.normal_scale),
        occlusion_texture=pictures.use(None if occlusion is None else occlusion[..., 0], linear=False),
        occlusion_strength=float(material.occlusion_strength),
        emissive=tuple(float(x) for x in material.emissive),
        emissive_texture=pictures.use(material.emissive_texture),
    )
