# SPDX-License-Identifier: MIT
"""A mesh as an asset of one geometry, as glTF can hold it: one index for place, colour and uv together."""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh
from ..picture import png_bytes, srgb_bytes
from .asset import Asset, AssetMaterial, Geometry, Image, Node, Primitive, SceneRoots, Texture, TextureUse
from .one_mesh import check_one_mesh, with_one_texture

__all__ = ["asset_of"]


def asset_of(writer: str, mesh: Mesh) -> Asset:
    """The asset of one mesh: a matt material, both sides drawn; face textures are drawn into a texture.

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
    material = AssetMaterial(metallic=0.0, double_sided=True)
    images: tuple[Image, ...] = ()
    if texture is not None:
        height, width = texture.shape[:2]
        images = (Image(data=png_bytes(srgb_bytes(texture, writer)), height=height, width=width),)
        material = AssetMaterial(metallic=0.0, double_sided=True, base_color_texture=TextureUse(0))
    primitive = Primitive(attributes=attributes, indices=triangles.reshape(-1).astype(np.uint32), material=0)
    return Asset(
        nodes=(Node(geometry=0),),
        geometries=(Geometry(primitives=(primitive,)),),
        materials=(material,),
        textures=(Texture(image=0),) if images else (),
        images=images,
        scenes=(SceneRoots(nodes=(0,)),),
        scene=0,
    )
