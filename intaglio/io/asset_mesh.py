# SPDX-License-Identifier: MIT
"""One mesh of all that an asset shows: placed, posed, painted."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..mesh import Mesh
from .asset import (
    Asset,
    AssetMaterial,
    Geometry,
    Node,
    Primitive,
)
from .asset_materials import Cover, covered, layout_use
from .errors import InputError
from .limits import Limits
from .welding import weld

__all__ = ["mesh_of", "posed_positions"]

PART = 1024  # vertices that placing one takes as long as
ALONE = "load_asset(path).geometries has the parts"


class Part(NamedTuple):
    """A primitive in its place. uv: [V, 2], transformed, or None. colors: [V, 3 or 4] or None.

    frames: "NORMAL" [V, 3] and "TANGENT" [V, 4] in the world, where it has them.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray | None
    uv: np.ndarray | None
    material: AssetMaterial
    frames: dict[str, np.ndarray]


def mesh_of(asset: Asset, limits: Limits) -> Mesh:
    """See `Asset.mesh`."""
    path = Path(asset.name or "the asset")
    parts = _parts(asset, path, limits)
    if not parts:
        raise InputError(path, "shows no triangles", remedy="load_asset(path) holds what else there is")
    first_vertex = np.cumsum([0] + [len(part.vertices) for part in parts])
    first_face = np.cumsum([0] + [len(part.triangles) for part in parts])
    vertices = np.concatenate([part.vertices for part in parts])
    triangles = np.concatenate([part.triangles + first for part, first in zip(parts, first_vertex, strict=False)])
    colors = _colors(parts)
    rows, welded = weld(vertices if colors is None else np.concatenate([vertices, colors], axis=-1))
    covers = []
    for part, first in zip(parts, first_face, strict=False):
        uv = None if part.uv is None else part.uv[part.triangles]
        covers.append(Cover(np.arange(first, first + len(part.triangles)), part.material, uv))
    arrays = covered(path, asset, covers, len(triangles), limits, ALONE)
    if "uv" not in arrays and all(part.uv is not None for part in parts):
        uv = np.concatenate([part.uv for part in parts if part.uv is not None])
        arrays |= {"uv": uv, "uv_triangles": triangles.astype(np.int32)}
    vertex_colors = None if colors is None else rows[:, 3:]
    for name, field in (("NORMAL", "normal"), ("TANGENT", "tangent")):
        if all(name in part.frames for part in parts):
            found = np.concatenate([part.frames[name] for part in parts]).astype(np.float32)
            arrays |= {f"{field}s": found, f"{field}_triangles": triangles.astype(np.int32)}
    double_sided = any(part.material.double_sided for part in parts)
    return Mesh(rows[:, :3], welded[triangles], vertex_colors=vertex_colors, double_sided=double_sided, **arrays)


def posed_positions(asset: Asset, world: np.ndarray, node: Node, place: np.ndarray, primitive: Primitive) -> np.ndarray:
    """[V, 3] float64, world space: morphed, then bent by the skin, or else put where the node is (`place` [4, 4])."""
    positions = primitive.attributes["POSITION"].astype(np.float64)
    weights = node.weights or asset.geometries[node.geometry or 0].weights
    for weight, target in zip(weights, primitive.targets, strict=False):
        if weight and "POSITION" in target:
            positions += weight * target["POSITION"]
    points = np.concatenate([positions, np.ones((len(positions), 1))], axis=-1)
    bends = _bends(asset, world, node, primitive)
    return points @ place.T[:, :3] if bends is None else np.einsum("nij,nj->ni", bends, points)


def posed_frames(
    asset: Asset, world: np.ndarray, node: Node, place: np.ndarray, primitive: Primitive
) -> dict[str, np.ndarray]:
    """ "NORMAL" and "TANGENT" as `posed_positions` places them, where the primitive has both finite and not 0."""
    attributes, frames = primitive.attributes, {}
    weights = node.weights or asset.geometries[node.geometry or 0].weights
    with np.errstate(all="ignore"):  # what is not finite is left out
        bends = _bends(asset, world, node, primitive)
        turns = place[None, :3, :3] if bends is None else bends[:, :, :3]
        columns = [np.cross(turns[..., (k + 1) % 3], turns[..., (k + 2) % 3]) for k in range(3)]  # of the cofactors
        side = np.where((turns[..., 0] * columns[0]).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
        for name, matrix in (("NORMAL", np.stack(columns, axis=-1) * side[..., None]), ("TANGENT", turns)):
            if name not in attributes:
                continue
            vectors = attributes[name][:, :3].astype(np.float64)
            for weight, target in zip(weights, primitive.targets, strict=False):
                if weight and name in target:
                    vectors = vectors + weight * target[name][:, :3]
            vectors = np.einsum("nij,nj->ni", np.broadcast_to(matrix, (len(vectors), 3, 3)), vectors)
            vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
            if np.isfinite(vectors).all():
                frames[name] = vectors
    if "TANGENT" in frames:
        frames["TANGENT"] = np.concatenate([frames["TANGENT"], attributes["TANGENT"][:, 3:] * side], axis=-1)
    return frames


def _bends(asset: Asset, world: np.ndarray, node: Node, primitive: Primitive) -> np.ndarray | None:
    """[V, 3, 4], where its skin takes each vertex; None without one."""
    if node.skin is None or "JOINTS_0" not in primitive.attributes:
        return None
    skin = asset.skins[node.skin]
    used = np.unique(np.concatenate(_joint_sets(primitive), axis=None))  # of many, that thousands of parts may share
    bones = world[[skin.joints[joint] for joint in used.tolist()]]
    if skin.inverse_bind is not None:
        bones = bones @ skin.inverse_bind[used]
    bends = np.zeros((len(primitive.attributes["POSITION"]), 3, 4))
    for k in range(len(primitive.attributes)):
        joints, shares = (primitive.attributes.get(f"{name}_{k}") for name in ("JOINTS", "WEIGHTS"))
        if joints is None or shares is None:
            break
        for joint, share in zip(joints.T, shares.T, strict=True):
            bends += share[:, None, None] * bones[np.searchsorted(used, joint), :3]
    return bends


def _joint_sets(primitive: Primitive) -> list[np.ndarray]:
    return [values for name, values in primitive.attributes.items() if name.startswith("JOINTS_")]


def _cost(primitive: Primitive, *, is_bent: bool) -> int:
    """Its vertices, each counted once more for every morph target, and for every joint where there is a skin."""
    num_joints = 4 * len(_joint_sets(primitive)) if is_bent else 0
    return len(primitive.attributes["POSITION"]) * (1 + len(primitive.targets) + num_joints)


def _check_sizes(asset: Asset, path: Path, limits: Limits) -> None:
    """That what is shown keeps to the limits, before any of it is made: a few nodes may show much, many times.

    Raises:
        InputError: it does not.
    """
    sizes: dict[tuple[int, bool], np.ndarray] = {}
    total = np.zeros(3, dtype=np.int64)
    for k in asset.shown():
        node = asset.nodes[k]
        if node.geometry is None:
            continue
        is_bent = node.skin is not None
        key = (node.geometry, is_bent)
        if key not in sizes:
            made = [(p, num) for p in asset.geometries[node.geometry].primitives if (num := p.num_triangles)]
            costs = (_cost(p, is_bent=is_bent) for p, _ in made)
            sizes[key] = np.array([len(made), sum(costs), sum(num for _, num in made)])
        total = total + sizes[key]
        num_parts, num_vertices, num_triangles = total.tolist()
        limits.check_vertices(path, num_vertices)
        limits.check_triangles(path, num_triangles)
        if num_parts > max(limits.max_vertices // PART, PART):
            remedy = f"one for each {PART} vertices of max_vertices at most; {ALONE}"
            raise InputError(path, f"shows too many parts: {num_parts}", remedy=remedy)


def _parts(asset: Asset, path: Path, limits: Limits) -> list[Part]:
    world = asset.world_from_nodes()
    parts: list[Part] = []
    _check_sizes(asset, path, limits)
    for k in asset.shown():
        node = asset.nodes[k]
        geometry = asset.geometries[node.geometry] if node.geometry is not None else Geometry()
        for primitive in geometry.primitives:
            triangles = primitive.triangles()
            if not len(triangles):
                continue
            with np.errstate(all="ignore"):  # what is not finite is named
                vertices = posed_positions(asset, world, node, world[k], primitive).astype(np.float32)
                is_mirrored = np.linalg.det(world[k, :3, :3]) < 0 and node.skin is None
            if not np.isfinite(vertices).all():
                raise InputError(path, f"its transforms lead beyond 32 bits at node {k}")
            if is_mirrored:
                triangles = triangles[:, ::-1]
            material = asset.materials[primitive.material] if primitive.material is not None else AssetMaterial()
            colors = primitive.attributes.get("COLOR_0")
            colors = colors if colors is None or material.alpha_mode != "OPAQUE" else colors[:, :3]
            frames = posed_frames(asset, world, node, world[k], primitive)
            parts.append(Part(vertices, triangles, colors, _uv(path, k, primitive, material), material, frames))
    return parts


def _uv(path: Path, node: int, primitive: Primitive, material: AssetMaterial) -> np.ndarray | None:
    use = layout_use(material)
    uv = primitive.attributes.get(f"TEXCOORD_{use.uv_set if use else 0}")
    if uv is None or use is None:
        return uv
    with np.errstate(all="ignore"):
        moved = use.transformed(uv).astype(np.float32)
    if not np.isfinite(moved).all():
        raise InputError(path, f"a texture transform leads beyond 32 bits at node {node}")
    return moved


def _colors(parts: list[Part]) -> np.ndarray | None:
    """[V, 3], or [V, 4] with alpha, if any part has some; white for the others."""
    given = [part.colors for part in parts if part.colors is not None]
    if not given:
        return None
    found = np.ones((sum(len(part.vertices) for part in parts), max(colors.shape[1] for colors in given)), np.float32)
    start = 0
    for part in parts:
        if part.colors is not None:
            found[start : start + len(part.vertices), : part.colors.shape[1]] = part.colors
        start += len(part.vertices)
    return found
