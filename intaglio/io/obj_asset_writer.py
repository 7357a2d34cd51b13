# SPDX-License-Identifier: MIT
"""Wavefront OBJ out, with the groups, normals and materials of an asset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..picture import srgb_from_linear
from .asset import MATT, Asset, AssetMaterial, Primitive, TextureUse
from .asset_materials import is_seen_alike, layout_use
from .asset_mesh import posed_frames, posed_positions
from .errors import InputError
from .mtl_writer import material_names, one_line, save_mtl, write_lines

__all__ = ["save_obj_asset"]


def save_obj_asset(path: str | Path, asset: Asset) -> None:
    """Write what an asset shows as OBJ: what `load_asset` reads again.

    Each node with triangles becomes a group, placed in the world; materials become NAME.mtl, and their pictures files
    beside it, byte for byte. OBJ has no place for: points and lines, tangents, further uv sets and colours, the alpha
    of colours, occlusion, textures through other uv than the base colour's, skins (which are applied), cameras,
    animations.

    Raises:
        InputError: a file cannot be written.
    """
    path, asset = Path(path), _as_obj_can_hold(asset)
    is_matt = all(material is MATT for material in asset.materials)  # what faces become that name no material
    names = [] if is_matt else material_names(asset)
    lines = [f"mtllib {path.with_suffix('.mtl').name}"] if names else []
    world = asset.world_from_nodes()
    counts = np.ones(3, dtype=np.int64)  # indices begin at 1
    for k in asset.shown():
        node = asset.nodes[k]
        primitives = asset.geometries[node.geometry].primitives if node.geometry is not None else ()
        lines += [f"g {one_line(node.name)}".rstrip()] if primitives else []
        for primitive in primitives:
            triangles = primitive.triangles()
            if not len(triangles):
                continue
            place = world[k] if node.skin is None else np.eye(4)
            with np.errstate(all="ignore"):  # what is not finite is named
                positions = posed_positions(asset, world, node, world[k], primitive).astype(np.float32)
            if not np.isfinite(positions).all():
                raise InputError(path, f"node {k}: its transforms lead beyond 32 bits")
            normals = posed_frames(asset, world, node, world[k], primitive).get("NORMAL")
            if np.linalg.det(place[:3, :3]) < 0:
                triangles = triangles[:, ::-1]
            if names and primitive.material is not None:
                lines.append(f"usemtl {names[primitive.material]}")
            lines += _primitive(primitive, positions, normals, triangles, counts)
    if names:
        save_mtl(path, asset)
    write_lines(path, lines)


def _as_obj_can_hold(asset: Asset) -> Asset:
    """The same, with a material for everything, and what MTL's -s and -o can't say done to the uv.

    Of a material's textures, those that are seen through other uv than the first are left out there.
    """
    materials = [*asset.materials, AssetMaterial(name="default")]
    straight = [_straight(material) for material in materials]

    def held(primitive: Primitive) -> Primitive:
        place = len(asset.materials) if primitive.material is None else primitive.material
        attributes, use = dict(primitive.attributes), layout_use(materials[place])
        if use is not None and straight[place] is not materials[place]:
            uv = attributes.get(f"TEXCOORD_{use.uv_set}")
            attributes.pop("TEXCOORD_0", None)
            if uv is not None:
                attributes["TEXCOORD_0"] = use.transformed(uv).astype(np.float32)
        return replace(primitive, material=place, attributes=attributes)

    geometries = [replace(g, primitives=tuple(held(p) for p in g.primitives)) for g in asset.geometries]
    is_default_used = any(p.material is None for g in asset.geometries for p in g.primitives)
    return replace(asset, geometries=tuple(geometries), materials=tuple(straight if is_default_used else straight[:-1]))


def _straight(material: AssetMaterial) -> AssetMaterial:
    """The material on uv to which what the layout's texture does to them was done, if MTL has no words for that."""
    base = layout_use(material)
    if base is None or (base.uv_set, base.rotation) == (0, 0):
        return material
    uses: dict[str, Any] = {name: use for name, use in vars(material).items() if isinstance(use, TextureUse)}
    for name, use in uses.items():
        uses[name] = TextureUse(use.texture) if is_seen_alike(use, base) else None
    return replace(material, **uses)


def _primitive(
    primitive: Primitive, rows: np.ndarray, normals: np.ndarray | None, triangles: np.ndarray, counts: np.ndarray
) -> list[str]:
    """Its lines; `counts` are the next free indices of vertices, uv and normals."""
    colors, uv = (primitive.attributes.get(name) for name in ("COLOR_0", "TEXCOORD_0"))
    if colors is not None:
        rows = np.concatenate([rows, srgb_from_linear(colors[:, :3].clip(0, 1)).astype(np.float32)], axis=-1)
    lines = _rows("v", rows)
    if uv is not None:
        lines += [f"vt {u:.9g} {1 - v:.9g}" for u, v in uv.tolist()]
    if normals is not None:
        lines += _rows("vn", normals)
    form = "{0}" if uv is None and normals is None else "{0}/{1}" if normals is None else "{0}/{1}/{2}"
    if uv is None:
        form = form.replace("{1}", "")
    corners = triangles[..., None].astype(np.int64) + counts
    lines += ["f " + " ".join(form.format(*corner) for corner in face) for face in corners.tolist()]
    counts += np.array([len(rows), 0 if uv is None else len(uv), 0 if normals is None else len(normals)])
    return lines


def _rows(key: str, rows: np.ndarray) -> list[str]:
    form = key + " {:.9g}" * rows.shape[1]
    return [form.format(*row) for row in rows.tolist()]
