# SPDX-License-Identifier: MIT
"""MTL's materials as glTF's: metallic and rough, their pictures byte for byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..picture import png_bytes
from .asset import CLAMP_TO_EDGE, MATT, REPEAT, Asset, AssetMaterial, Image, Texture, TextureUse
from .errors import InputError
from .images import decode_image, image_size
from .limits import Limits, read_bytes
from .mtl_text import SHAPE_ALONE, Entries, Map, find_libraries, read_mtl
from .obj_text import NONE, ObjText

__all__ = ["MtlAssets"]

ROUGH, METAL = 1, 2  # channels of glTF's picture of both


class MtlAssets:
    """Materials, textures and images of an OBJ's libraries; `by_name` says where each material is."""

    def __init__(self, path: Path, libraries: list[tuple[int, str]], limits: Limits) -> None:
        self.materials: list[AssetMaterial] = []
        self.textures: list[Texture] = []
        self.images: list[Image] = []
        self.by_name: dict[str | None, int] = {}
        self._limits, self._folder = limits, path.parent
        self._plain: dict[int, int] = {}
        self._colors: list[tuple[float, float, float]] = []
        self._files: dict[tuple[Path, ...], int] = {}
        self._normal_maps: dict[Path, bool] = {}
        self._places: dict[tuple[int, int], int] = {}
        for library in find_libraries(path, libraries):
            for name, entries in read_mtl(library, limits).items():
                self.by_name[name] = len(self.materials)
                self.materials.append(self._material(name, entries))
                self._colors.append(entries.color("Kd") or (1.0, 1.0, 1.0))

    def asset(self) -> Asset:
        """The library by itself."""
        return Asset(materials=tuple(self.materials), textures=tuple(self.textures), images=tuple(self.images))

    def places(self, path: Path, found: ObjText) -> np.ndarray:
        """[P], where the material of each of the OBJ's polygons is; those that name none are matt."""
        places: dict[str | None, int] = dict.fromkeys([None] if found.libraries else found.materials, NONE)
        places |= self.by_name
        for line, name in zip(found.lines, found.materials, strict=True):
            if name not in places:
                what = f"usemtl names no material of {found.libraries[-1][1]}: {name!r}"
                raise InputError(path, what, line=line, remedy=SHAPE_ALONE)
        chosen = np.array([places[name] for name in found.materials])
        if (chosen == NONE).any():
            chosen[chosen == NONE] = len(self.materials)
            self.materials.append(MATT)
        return chosen

    def plain(self, place: int) -> int:
        """The material without its pictures, for faces without uv; `place` itself where it has none."""
        if not any(isinstance(value, TextureUse) for value in vars(self.materials[place]).values()):
            return place
        if place not in self._plain:
            material = self.materials[place]
            textures: dict[str, Any] = {name: None for name in vars(material) if name.endswith("_texture")}
            color = (*self._colors[place], material.base_color[3])
            name = f"{material.name} without pictures"
            self.materials.append(replace(material, name=name, base_color=color, **textures))
            self._plain[place] = len(self.materials) - 1
        return self._plain[place]

    def _material(self, name: str, entries: Entries) -> AssetMaterial:
        maps = {key: entries.map(key, self._folder) for key in ("map_Kd", "map_Ke", "map_Pr", "map_Pm")}
        color = entries.color("Kd") if maps["map_Kd"] is None else None
        opacity = _unit(entries.number("d", 1 - _unit(entries.number("Tr", 0.0))))
        glow = entries.color("Ke", is_light=True)
        if maps["map_Ke"] is not None and not any(glow or ()):
            glow = (1.0, 1.0, 1.0)
        bumps = [entries.map(key, self._folder) for key in ("norm", "map_Bump", "bump")]
        bump = next((b for b in bumps if b is not None and self._is_normal_map(b)), None)
        both = maps["map_Pr"] or maps["map_Pm"]
        return AssetMaterial(
            name=name,
            base_color=(*(color or (1.0, 1.0, 1.0)), opacity),
            base_color_texture=self._use(maps["map_Kd"]),
            metallic=1.0 if maps["map_Pm"] else _unit(entries.number("Pm", 0.0)),
            roughness=1.0 if maps["map_Pr"] else _roughness(entries),
            metallic_roughness_texture=self._use(both, self._both(maps["map_Pr"], maps["map_Pm"]) if both else None),
            normal_texture=self._use(bump),
            normal_scale=bump.strength if bump else 1.0,
            emissive=glow or (0.0, 0.0, 0.0),
            emissive_texture=self._use(maps["map_Ke"]),
            alpha_mode="BLEND" if opacity < 1 else "OPAQUE",
            double_sided=True,
        )

    def _use(self, seen: Map | None, image: int | None = None) -> TextureUse | None:
        """How a map is used; `image` in place of its own file. v counts from the top from here on."""
        if seen is None:
            return None
        wrap = CLAMP_TO_EDGE if seen.clamp else REPEAT
        source = self._image(seen) if image is None else image
        place = self._places.setdefault((source, wrap), len(self.textures))
        if place == len(self.textures):
            self.textures.append(Texture(source, wrap, wrap))
        offset = (seen.offset[0], 1 - seen.scale[1] - seen.offset[1])
        return TextureUse(place, offset=offset, scale=seen.scale)

    def _image(self, seen: Map) -> int:
        file = seen.file.resolve()  # however it is spelled
        if (file,) not in self._files:
            data = read_bytes(file, self._limits, seen.named)
            height, width, mime_type = image_size(data, file, max_pixels=self._limits.max_pixels)
            self._files[(file,)] = self._add(Image(data, mime_type, height, width, name=file.name))
        return self._files[(file,)]

    def _add(self, image: Image) -> int:
        self.images.append(image)
        return len(self.images) - 1

    def _pixels(self, seen: Map) -> np.ndarray:
        data = read_bytes(seen.file, self._limits, seen.named)
        return decode_image(data, seen.file, linear=False, max_pixels=self._limits.max_pixels)[..., :3]

    def _is_normal_map(self, seen: Map) -> bool:
        """Not a map of heights, which is grey."""
        if seen.file not in self._normal_maps:
            pixels = self._pixels(seen)
            self._normal_maps[seen.file] = bool((pixels != pixels[..., :1]).any())
        return self._normal_maps[seen.file]

    def _both(self, rough: Map | None, metal: Map | None) -> int:
        """One picture of roughness (green) and metal (blue), as large as the first of them."""
        key = tuple(seen.file if seen else Path() for seen in (rough, metal))
        if key not in self._files:
            channels = {k: self._pixels(m)[..., 0] for k, m in ((ROUGH, rough), (METAL, metal)) if m is not None}
            height, width = next(iter(channels.values())).shape
            pixels = np.full((height, width, 3), 255, dtype=np.uint8)
            for channel, values in channels.items():
                rows, columns = (np.arange(n) * m // n for n, m in zip((height, width), values.shape, strict=True))
                pixels[..., channel] = np.round(values[rows[:, None], columns] * 255)
            self._files[key] = self._add(Image(png_bytes(pixels), "image/png", height, width))
        return self._files[key]


def _roughness(entries: Entries) -> float:
    """Pr, or what gives Blinn and Phong's highlight of exponent Ns its width, if there is one (Ks; illum from 2 on).

    Walter et al., Microfacet Models for Refraction, 2007, section 5.2: Ns = 2 / alpha^2 - 2; alpha = roughness^2.
    """
    rough = entries.number("Pr", None)
    if rough is None and any(entries.color("Ks") or ()) and (entries.number("illum", None) or 2) >= 2:
        shine = entries.number("Ns", None)
        rough = 1.0 if shine is None else (2 / (max(shine, 0.0) + 2)) ** 0.25
    return _unit(1.0 if rough is None else rough)


def _unit(value: float | None) -> float:
    return float(np.clip(value or 0.0, 0, 1))
