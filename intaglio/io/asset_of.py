# SPDX-License-Identifier: MIT
"""A mesh as an asset of one geometry, as glTF can hold it: one index for place, colour and uv together."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..material import AnyMaterial, Material, Unlit
from ..mesh import Mesh
from ..picture import plain_bytes, png_bytes, srgb_bytes
from .asset import Asset, AssetMaterial, Geometry, Image, Node, Primitive, SceneRoots, Texture, TextureUse
from .one_mesh import check_one_mesh, with_one_texture

__all__ = ["asset_of"]


def asset_of(writer: str, mesh: Mesh) -> Asset:
    """The asset of one mesh: its material, or a matt one; both sides drawn; face textures are drawn into a texture.

    Raises:
        ValueError: the mesh is a batch, has no triangles, or both a texture and face textures; `writer` says so.
    """
    mesh = check_one_mesh(writer, mesh)
    if not len(mesh.triangles):
        raise ValueError(f"{writer}: mesh must have triangles; got none")
    texture, uv, uv_triangles = with_one_texture(writer, mesh)
    triangles = mesh.triangles
    attributes = {"POSITION": mesh.vertices.astype(np.float32)}
    if mesh.vertex_colors is not None:
        attributes["COLOR_0"] = mesh.vertex_colors.clip(0, 1).astype(np.float32)
    if uv is not None and uv_triangles is not None:
        uv = uv.astype(np.float32)
        if not (len(uv) == len(mesh.vertices) and np.array_equal(uv_triangles, triangles)):
            pairs = np.stack([triangles, uv_triangles], axis=-1).reshape(-1, 2).astype(np.int64)
            keys, corners = np.unique(pairs[:, 0] * len(uv) + pairs[:, 1], return_inverse=True)
            vertex, uv_index = keys // len(uv), keys % len(uv)
            attributes = {name: values[vertex] for name, values in attributes.items()}
            uv, triangles = uv[uv_index], corners.reshape(-1, 3)
        attributes["TEXCOORD_0"] = uv
    pictures = _Pictures(writer)
    material = _material(mesh.material, pictures, pictures.use(texture))
    primitive = Primitive(attributes=attributes, indices=triangles.reshape(-1).astype(np.uint32), material=0)
    return Asset(
        nodes=(Node(geometry=0),),
        geometries=(Geometry(primitives=(primitive,)),),
        materials=(material,),
        textures=tuple(Texture(image=k) for k in range(len(pictures.images))),
        images=tuple(pictures.images),
        scenes=(SceneRoots(nodes=(0,)),),
        scene=0,
    )


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
    shared: dict[str, Any] = {"double_sided": True, "base_color_texture": texture, "metallic": 0.0}
    if material is None:
        return AssetMaterial(**shared)
    color = tuple(float(x) for x in material.base_color)
    shared |= {
        "base_color": color if len(color) == 4 else (*color, 1.0),
        "alpha_mode": material.alpha_mode.upper(),
        "alpha_cutoff": material.alpha_cutoff,
        "unlit": isinstance(material, Unlit),
    }
    if not isinstance(material, Material):
        return AssetMaterial(**shared)
    rough, occlusion = material.metallic_roughness_texture, material.occlusion_texture
    if rough is not None:
        rough = np.concatenate([np.ones_like(rough[..., :1]), rough], axis=-1)
    return AssetMaterial(
        **shared
        | {
            "metallic": float(material.metallic),
            "roughness": float(material.roughness),
            "metallic_roughness_texture": pictures.use(rough, linear=False),
            "normal_texture": pictures.use(material.normal_texture, linear=False),
            "normal_scale": float(material.normal_scale),
            "occlusion_texture": pictures.use(None if occlusion is None else occlusion[..., 0], linear=False),
            "occlusion_strength": float(material.occlusion_strength),
            "emissive": tuple(float(x) for x in material.emissive),
            "emissive_texture": pictures.use(material.emissive_texture),
        }
    )
