# SPDX-License-Identifier: MIT
"""Wavefront MTL out: the materials of an asset, their pictures beside it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..picture import plain_bytes, png_bytes, srgb_bytes, srgb_from_linear
from .asset import CLAMP_TO_EDGE, MATT, Asset, AssetMaterial, Image, TextureUse
from .atomic import write_atomically
from .mtl_asset import METAL, ROUGH

__all__ = ["material_names", "one_line", "save_mtl", "write_lines"]


def save_mtl(path: Path, asset: Asset) -> list[str]:
    """Write an asset's materials beside the OBJ `path`; returns their names.

    MTL has no place for occlusion, alpha in pictures, alpha cut-offs, and texture transforms that turn. Pictures are
    named after the OBJ, so that they replace no others; one that is tinted is written in its tint.

    Raises:
        InputError: a file cannot be written.
    """
    names = material_names(asset)
    pictures = _Pictures(path, asset)
    text = [line for m, name in zip(asset.materials, names, strict=True) for line in _material(m, name, pictures)]
    write_lines(path.with_suffix(".mtl"), text)
    return names


def write_lines(path: Path, lines: list[str]) -> None:
    text = "\n".join([*lines, ""])
    write_atomically(path, lambda aside: aside.write_text(text, encoding="utf-8", newline="\n"))


def one_line(name: str) -> str:
    return " ".join(name.split()).rstrip("\\")  # which would join the next line to it


def material_names(asset: Asset) -> list[str]:
    """What `usemtl` calls an asset's materials, each one once; OBJ knows them by nothing else."""
    names: list[str] = []
    for k, material in enumerate(asset.materials):
        name = one_line(material.name) or "material"
        names.append(name if name not in names else f"{name} {k}")
    return names


class _Pictures:
    """The images of an asset as files beside an OBJ, each written when it is first named."""

    def __init__(self, path: Path, asset: Asset) -> None:
        self.path, self.asset = path, asset
        self._written: dict[str, bytes] = {}

    def image(self, use: TextureUse | None) -> Image | None:
        """The image of a texture."""
        place = self.asset.textures[use.texture].image if use is not None else None
        return self.asset.images[place] if place is not None else None

    def line(self, key: str, use: TextureUse | None, options: str = "") -> list[str]:
        """The line of a map, its file written."""
        image = self.image(use)
        if use is None or image is None:
            return []
        ending = ".jpg" if image.mime_type == "image/jpeg" else ".png"
        return [self._map(key, use, options, self._named(image, use) + ending, image.data)]

    def tinted(self, key: str, use: TextureUse | None, color: tuple[float, ...]) -> list[str]:
        """The line of a map in colours times a colour: of those who read MTL some multiply them, and some do not."""
        image = self.image(use)
        if use is None or image is None or color[:3] == (1.0, 1.0, 1.0):
            return self.line(key, use)
        pixels = image.pixels()
        pixels[..., :3] *= np.array(color[:3], np.float32)
        return [self._map(key, use, "", f"{self._named(image, use)}-tinted.png", png_bytes(srgb_bytes(pixels, "save")))]

    def channel(self, key: str, use: TextureUse | None, channel: int, factor: float) -> list[str]:
        """The line of a map that is one channel of a texture times a factor, as a grey picture."""
        image = self.image(use)
        if use is None or image is None:
            return []
        grey = png_bytes(plain_bytes(factor * image.pixels(linear=False)[..., channel], "save"))
        return [self._map(key, use, "", f"{self._stem(use)}-{key}.png", grey)]

    def _named(self, image: Image, use: TextureUse) -> str:
        """After the OBJ and the image."""
        stem = one_line(re.sub(r"[^\w. -]", "_", Path(image.name).stem)).strip(". ")
        if stem == self.path.stem or stem.startswith(f"{self.path.stem}-"):
            return stem
        return f"{self.path.stem}-{stem}" if stem else self._stem(use)

    def _stem(self, use: TextureUse) -> str:
        return self.path.stem + (f"-{use.texture}" if use.texture else "")

    def _map(self, key: str, use: TextureUse, options: str, name: str, data: bytes) -> str:
        file = self.path.with_name(name)
        while self._written.get(file.name, data) != data:  # another picture of that name
            file = file.with_name(f"{file.stem}-{len(self._written)}{file.suffix}")
        if file.name not in self._written:
            write_atomically(file, lambda aside: aside.write_bytes(data))
            self._written[file.name] = data
        texture = self.asset.textures[use.texture]
        if texture.wrap_s == CLAMP_TO_EDGE:
            options += " -clamp on"
        if (use.scale, use.offset) != ((1.0, 1.0), (0.0, 0.0)):
            u, v = use.offset[0], 1 - use.scale[1] - use.offset[1]  # counted from the bottom
            options += f" -s {use.scale[0]:.9g} {use.scale[1]:.9g} 1 -o {u:.9g} {v:.9g} 0"
        return f"{key}{options} {file.name}"


def _material(material: AssetMaterial, name: str, pictures: _Pictures) -> list[str]:
    is_painted = pictures.image(material.base_color_texture) is not None
    color = [1.0] * 3 if is_painted else srgb_from_linear(np.array(material.base_color[:3]).clip(0, 1)).tolist()
    times = max(1.0, *material.emissive)
    glow = (times * srgb_from_linear(np.array(material.emissive).clip(0, None) / times)).tolist()
    both = material.metallic_roughness_texture
    lines = [f"newmtl {name}", "Kd {:.9g} {:.9g} {:.9g}".format(*color)]
    lines += [f"d {material.base_color[3]:.9g}"] if material.alpha_mode == "BLEND" else []
    if (material.roughness, material.metallic) != (MATT.roughness, MATT.metallic):
        lines += [f"Pr {material.roughness:.9g}", f"Pm {material.metallic:.9g}"]
    lines += ["Ke {:.9g} {:.9g} {:.9g}".format(*glow)] if any(glow) else []
    lines += pictures.tinted("map_Kd", material.base_color_texture, material.base_color)
    lines += pictures.line("map_Ke", material.emissive_texture)
    bump = "" if material.normal_scale == 1 else f" -bm {material.normal_scale:.9g}"
    lines += pictures.line("norm", material.normal_texture, bump)
    lines += pictures.channel("map_Pr", both, ROUGH, material.roughness)
    return lines + pictures.channel("map_Pm", both, METAL, material.metallic)
