# SPDX-License-Identifier: MIT
"""The materials of an asset as the one material of a mesh: what differs from place to place becomes a map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..material import AnyMaterial, Material, Unlit
from .asset import CLAMP_TO_EDGE, MIRRORED_REPEAT, REPEAT, Asset, AssetMaterial, Texture, TextureUse
from .errors import InputError
from .limits import Limits
from .painting import Surface, painted

__all__ = ["Cover", "covered", "is_seen_alike", "layout_use"]

Picture = Callable[[TextureUse, bool], np.ndarray | None]  # (use, linear) -> [H, W, 3 or 4]
WRAPS = {REPEAT: "repeat", MIRRORED_REPEAT: "mirror", CLAMP_TO_EDGE: "clamp"}
FLAT = np.array([0.5, 0.5, 1.0], dtype=np.float32)


class Cover(NamedTuple):
    """Faces [n] of a mesh and their material.

    uv: [n, 3, 2] as the layout's texture sees them, or None. moved: whether those are not the mesh's own.
    """

    faces: np.ndarray
    material: AssetMaterial
    uv: np.ndarray | None
    moved: bool = False


def covered(
    path: Path, asset: Asset, covers: list[Cover], num_faces: int, limits: Limits, remedy: str
) -> dict[str, Any]:
    """The arrays and the material of a mesh whose faces the covers share; pictures and textures are the asset's.

    Raises:
        InputError: the pictures are too large for one; `path` and `remedy` are what it says.
    """
    surfaces = _surfaces(asset, covers, _Pictures(asset, path, limits, remedy))
    material, surfaces = _material_of([cover.material for cover in covers], surfaces)
    arrays = painted(path, num_faces, surfaces, limits, remedy)
    if material is None:
        return arrays
    maps = {f"{name}_texture": picture for name, picture in arrays.pop("maps", {}).items()}
    return arrays | {"material": replace(material, **maps)}


def layout_use(material: AssetMaterial) -> TextureUse | None:
    """The texture whose uv become the mesh's: the base colour's, or the first that there is."""
    m = material
    uses = (m.base_color_texture, m.metallic_roughness_texture, m.normal_texture, m.occlusion_texture)
    return next((use for use in (*uses, m.emissive_texture) if use is not None), None)


class _Finishes:
    """What each material says besides colour, as maps [h, w, C], of one texel where it is the same everywhere.

    A map is left out where it is seen through other uv than those of `layout_use`: a mesh has one set.
    """

    def __init__(self, picture: Picture, take: Callable[[int], None]) -> None:
        self._picture, self._take = picture, take
        self._found: dict[tuple[int, bool], dict[str, np.ndarray]] = {}

    def __call__(self, material: AssetMaterial, has_uv: bool) -> dict[str, np.ndarray]:
        key = (id(material), has_uv)
        if key not in self._found:
            self._found[key] = self._maps(material, has_uv)
            self._take(max(x.shape[0] * x.shape[1] for x in self._found[key].values()))  # its own, of shared pictures
        return self._found[key]

    def _maps(self, m: AssetMaterial, has_uv: bool) -> dict[str, np.ndarray]:
        def picture(use: TextureUse | None, linear: bool = False) -> np.ndarray | None:
            if use is None or not has_uv or not is_seen_alike(use, base):
                return None
            return self._picture(use, linear)

        base = layout_use(m)
        rough, normal = picture(m.metallic_roughness_texture), picture(m.normal_texture)
        occlusion, emissive = picture(m.occlusion_texture), picture(m.emissive_texture, True)
        maps: dict[str, np.ndarray] = {
            "metallic_roughness": np.array([[[m.roughness, m.metallic]]], np.float32),
            "normal": FLAT[None, None],
            "occlusion": np.ones((1, 1, 1), dtype=np.float32),
            "emissive": np.array([[m.emissive]], np.float32),
        }
        if rough is not None:
            maps["metallic_roughness"] = rough[..., 1:3] * maps["metallic_roughness"]
        if normal is not None:
            maps["normal"] = 0.5 + (normal[..., :3] - 0.5) * np.array([m.normal_scale, m.normal_scale, 1], np.float32)
        if occlusion is not None:
            maps["occlusion"] = 1 + np.float32(m.occlusion_strength) * (occlusion[..., :1] - 1)
        if emissive is not None:
            maps["emissive"] = emissive[..., :3] * maps["emissive"]
        return maps


def _material_of(materials: list[AssetMaterial], surfaces: list[Surface]) -> tuple[AnyMaterial | None, list[Surface]]:
    """The material of a mesh that the surfaces cover, but for its maps; and the surfaces with the maps it needs.

    Where they are all alike a number does. What a matt mesh is written as becomes a mesh without a material.
    """
    alpha_mode = _alpha_mode_of(materials)
    cutoff = next((m.alpha_cutoff for m in materials if m.alpha_mode == "MASK"), 0.5)
    if all(m.unlit for m in materials):
        return Unlit(alpha_mode=alpha_mode, alpha_cutoff=cutoff), surfaces
    first = surfaces[0].maps
    even = {
        name for name, x in first.items() if x.shape[:2] == (1, 1) and all(_same(s.maps[name], x) for s in surfaces)
    }
    roughness, metallic = first["metallic_roughness"][0, 0].tolist() if "metallic_roughness" in even else (1.0, 1.0)
    emissive = tuple(first["emissive"][0, 0].tolist()) if "emissive" in even else (1.0, 1.0, 1.0)
    surfaces = [replace(s, maps={name: x for name, x in s.maps.items() if name not in even}) for s in surfaces]
    is_matt = (roughness, metallic, *emissive) == (1.0, 0.0, 0.0, 0.0, 0.0)
    if len(even) == len(first) and is_matt and alpha_mode != "mask":  # what has alpha blends without one
        return None, surfaces
    material = Material(
        roughness=roughness, metallic=metallic, emissive=emissive, alpha_mode=alpha_mode, alpha_cutoff=cutoff
    )
    return material, surfaces


def _color_of(material: AssetMaterial, picture: np.ndarray | None, alpha_mode: str) -> tuple[tuple[float, ...], Any]:
    """The colour that multiplies the picture, and the picture, both with alpha unless all materials are opaque."""
    if alpha_mode == "opaque":
        picture = picture if picture is None or picture.shape[-1] == 3 else picture[..., :3]
        return tuple(material.base_color[:3]), picture
    color = tuple(material.base_color)
    if material.alpha_mode == "OPAQUE":
        color = (*color[:3], 1.0)
    if picture is None:
        return color, None
    if picture.shape[-1] == 3 or material.alpha_mode == "OPAQUE":
        picture = np.concatenate([picture[..., :3], np.ones_like(picture[..., :1])], axis=-1)
    if material.alpha_mode == "MASK" and alpha_mode == "blend":
        is_shown = picture[..., 3:] * color[3] >= material.alpha_cutoff
        return (*color[:3], 1.0), np.concatenate([picture[..., :3], is_shown], axis=-1, dtype=np.float32)
    return color, picture


def _alpha_mode_of(materials: list[AssetMaterial]) -> str:
    """The alpha mode that serves them all."""
    modes = {m.alpha_mode for m in materials}
    return "blend" if "BLEND" in modes else "mask" if "MASK" in modes else "opaque"


def is_seen_alike(use: TextureUse, base: TextureUse | None) -> bool:
    if base is None:
        return False
    return (use.uv_set, use.offset, use.rotation, use.scale) == (base.uv_set, base.offset, base.rotation, base.scale)


def _same(x: np.ndarray, y: np.ndarray) -> bool:
    return x.shape == y.shape and bool((x == y).all())


def _surfaces(asset: Asset, covers: list[Cover], pictures: _Pictures) -> list[Surface]:
    finishes = _Finishes(pictures, pictures.allowance())
    are_unlit = all(cover.material.unlit for cover in covers)
    alpha_mode = _alpha_mode_of([cover.material for cover in covers])
    colored: dict[tuple[int, bool], tuple] = {}
    surfaces = []
    for cover in covers:
        use, base = layout_use(cover.material), cover.material.base_color_texture
        uv = cover.uv if use is not None else None
        key = (id(cover.material), uv is not None)
        if key not in colored:
            picture = pictures(base, True) if base and uv is not None else None
            colored[key] = _color_of(cover.material, picture, alpha_mode)
        color, picture = colored[key]
        texture = asset.textures[use.texture] if use else Texture()
        wraps = (WRAPS[texture.wrap_s], WRAPS[texture.wrap_t])
        maps = {} if are_unlit else finishes(cover.material, uv is not None)
        surfaces.append(Surface(cover.faces, color, picture, uv, wraps, cover.moved, maps))
    return surfaces


class _Pictures:
    """The asset's pictures, decoded once for each meaning."""

    def __init__(self, asset: Asset, path: Path, limits: Limits, remedy: str) -> None:
        self._asset, self._path, self._limits, self._remedy = asset, path, limits, remedy
        self._found: dict[tuple[int, bool], np.ndarray] = {}
        self._take = self.allowance()

    def allowance(self) -> Callable[[int], None]:
        """What counts pixels, and raises InputError when they are more than the limits allow together."""
        num_pixels = 0

        def take(count: int) -> None:
            nonlocal num_pixels
            num_pixels += count
            if num_pixels > self._limits.max_pixels:
                raise InputError(self._path, "has too many and too large pictures", remedy=self._remedy)

        return take

    def __call__(self, use: TextureUse, linear: bool) -> np.ndarray | None:
        index = self._asset.textures[use.texture].image
        if index is None:
            return None
        image = self._asset.images[index]
        if (index, linear) not in self._found:
            self._take(image.height * image.width)
            self._found[index, linear] = image.pixels(linear=linear)
        return self._found[index, linear]
