# SPDX-License-Identifier: MIT
"""Images, textures and materials of a glTF, in and out of JSON."""

from __future__ import annotations

import math
from mimetypes import guess_type
from typing import Any

from ..asset import CLAMP_TO_EDGE, MIRRORED_REPEAT, REPEAT, AssetMaterial, Described, Image, Texture, TextureUse
from ..errors import InputError
from ..images import image_size
from ..mtl_text import STRONGEST
from .accessors import Buffers
from .fields import Fields

__all__ = ["described", "json_inside", "json_of_description", "json_of_material", "read_image", "read_material",
           "read_texture"]  # fmt: skip

TRANSFORM, UNLIT, STRENGTH = "KHR_texture_transform", "KHR_materials_unlit", "KHR_materials_emissive_strength"
WRAPS = (CLAMP_TO_EDGE, MIRRORED_REPEAT, REPEAT)
MAG_FILTERS = (9728, 9729)
MIN_FILTERS = (9728, 9729, 9984, 9985, 9986, 9987)
# Extensions that point into buffers would point elsewhere after writing.
POINTERS = ("bufferView", "accessor", "indices", "attributes")


def described(fields: Fields, known: tuple[str, ...] = (), **inside: Fields | None) -> dict[str, Any]:
    """name, extras and unknown extensions, which are kept as they are unless they point into buffers.

    inside: what stands within and may carry the same.
    """
    extensions = fields.object("extensions")
    for key in ("extras", "extensions"):
        if key in fields.raw and not _is_finite(fields.raw[key]):
            fields.fail(f"{key} must hold finite numbers")
    kept = {} if extensions is None else {k: v for k, v in extensions.raw.items() if k not in known}
    within = {key: described(fields) for key, fields in inside.items() if fields is not None}
    return {
        "name": fields.text("name"),
        "extras": fields.raw.get("extras"),
        "extensions": {k: v for k, v in kept.items() if not _points_into_buffers(v)},
        "inside": {key: Described(**found) for key, found in within.items() if any(found.values())},
    }


def json_of_description(thing: Described, **extensions: Any) -> dict[str, Any]:
    """The JSON that `described` read, with extensions added."""
    found: dict[str, Any] = {"name": thing.name} if thing.name else {}
    if thing.extras is not None:
        found["extras"] = thing.extras
    if thing.extensions or extensions:
        found["extensions"] = {**thing.extensions, **extensions}
    return found


def json_inside(thing: Described, key: str) -> dict[str, Any]:
    """The JSON of what stands within it."""
    return json_of_description(thing.inside.get(key, Described()))


def read_image(fields: Fields, buffers: Buffers, heads: dict[bytes, tuple[int, int, str]], *, is_seen: bool) -> Image:
    """An image whose head is sound; its pixels are decoded when they are asked for.

    heads: what was found at the head of each file so far; many images may share one. is_seen: whether a texture shows
    it. What only an extension asks for may be of any kind; it is kept as it is.
    """
    if "uri" in fields.raw:
        data = buffers.fetch(fields, fields.text("uri"))
    elif "bufferView" in fields.raw:
        view = buffers.view(fields.whole("bufferView", below=len(buffers.views)))
        buffers.spend(fields, len(view))
        data = bytes(view)
    else:
        fields.fail("has neither a uri nor a bufferView")
    try:
        if data not in heads:
            heads[data] = image_size(data, f"{fields.path}: {fields.at}", max_pixels=buffers.limits.max_pixels)
        height, width, mime_type = heads[data]
    except InputError:
        mime_type = fields.text("mimeType") or guess_type(fields.text("uri"))[0] or ""
        if is_seen or mime_type in ("image/png", "image/jpeg", ""):
            raise
        height = width = 0
    return Image(data=data, mime_type=mime_type, height=height, width=width, **described(fields))


def read_texture(fields: Fields, samplers: list[Fields], num_images: int) -> Texture:
    sampler = fields.place("sampler", len(samplers))
    how = samplers[sampler] if sampler is not None else Fields(fields.path, fields.at, {})
    return Texture(
        image=fields.place("source", num_images),
        wrap_s=how.choice("wrapS", WRAPS, REPEAT),
        wrap_t=how.choice("wrapT", WRAPS, REPEAT),
        mag_filter=how.choice("magFilter", MAG_FILTERS),
        min_filter=how.choice("minFilter", MIN_FILTERS),
        **described(fields, sampler=how),
    )


def read_material(fields: Fields, num_textures: int) -> AssetMaterial:
    empty = Fields(fields.path, fields.at, {})
    rough = fields.object("pbrMetallicRoughness") or empty
    extensions = fields.object("extensions") or empty

    glow = extensions.object(STRENGTH)
    strength = 1.0 if glow is None else glow.number("emissiveStrength", 1.0, 0, STRONGEST)

    def use(holder: Fields, key: str) -> TextureUse | None:
        return _read_use(holder.object(key), num_textures)

    return AssetMaterial(
        base_color=rough.numbers("baseColorFactor", 4, (1.0, 1.0, 1.0, 1.0), 0, 1),
        base_color_texture=use(rough, "baseColorTexture"),
        metallic=rough.number("metallicFactor", 1.0, 0, 1),
        roughness=rough.number("roughnessFactor", 1.0, 0, 1),
        metallic_roughness_texture=use(rough, "metallicRoughnessTexture"),
        normal_texture=use(fields, "normalTexture"),
        normal_scale=(fields.object("normalTexture") or empty).number("scale", 1.0, -STRONGEST, STRONGEST),
        occlusion_texture=use(fields, "occlusionTexture"),
        occlusion_strength=(fields.object("occlusionTexture") or empty).number("strength", 1.0, 0, 1),
        emissive=tuple(strength * x for x in fields.numbers("emissiveFactor", 3, (0.0, 0.0, 0.0), 0, 1)),
        emissive_texture=use(fields, "emissiveTexture"),
        alpha_mode=fields.choice("alphaMode", ("OPAQUE", "MASK", "BLEND"), "OPAQUE"),
        alpha_cutoff=fields.number("alphaCutoff", 0.5, 0, STRONGEST),
        double_sided=fields.flag("doubleSided"),
        unlit=UNLIT in extensions.raw,
        **described(fields, (UNLIT, STRENGTH), pbrMetallicRoughness=rough),
    )


def json_of_material(material: AssetMaterial) -> dict[str, Any]:
    """Only what differs from glTF's defaults."""
    plain = AssetMaterial()
    rough = json_inside(material, "pbrMetallicRoughness")
    if material.base_color != plain.base_color:
        rough["baseColorFactor"] = list(material.base_color)
    _add_use(rough, "baseColorTexture", material.base_color_texture)
    if material.metallic != plain.metallic:
        rough["metallicFactor"] = material.metallic
    if material.roughness != plain.roughness:
        rough["roughnessFactor"] = material.roughness
    _add_use(rough, "metallicRoughnessTexture", material.metallic_roughness_texture)
    found: dict[str, Any] = {"pbrMetallicRoughness": rough} if rough else {}
    _add_use(found, "normalTexture", material.normal_texture, scale=material.normal_scale)
    _add_use(found, "occlusionTexture", material.occlusion_texture, strength=material.occlusion_strength)
    _add_use(found, "emissiveTexture", material.emissive_texture)
    strength = max(1.0, *material.emissive)
    if material.emissive != plain.emissive:
        found["emissiveFactor"] = [x / strength for x in material.emissive]
    if material.alpha_mode != plain.alpha_mode:
        found["alphaMode"] = material.alpha_mode
    if material.alpha_mode == "MASK":
        found["alphaCutoff"] = material.alpha_cutoff
    if material.double_sided:
        found["doubleSided"] = True
    extensions: dict[str, Any] = {UNLIT: {}} if material.unlit else {}
    if strength > 1:
        extensions[STRENGTH] = {"emissiveStrength": strength}
    return json_of_description(material, **extensions) | found


def _read_use(fields: Fields | None, num_textures: int) -> TextureUse | None:
    if fields is None:
        return None
    extensions = fields.object("extensions")
    moved = (extensions and extensions.object(TRANSFORM)) or Fields(fields.path, fields.at, {})
    offset, scale = moved.numbers("offset", 2, (0.0, 0.0)), moved.numbers("scale", 2, (1.0, 1.0))
    uv_set = moved.whole("texCoord", below=64, default=fields.whole("texCoord", below=64, default=0))
    return TextureUse(
        texture=fields.whole("index", below=num_textures),
        uv_set=uv_set,
        offset=(offset[0], offset[1]),
        rotation=moved.number("rotation", 0.0),
        scale=(scale[0], scale[1]),
        **described(fields, (TRANSFORM,), KHR_texture_transform=moved),
    )


def _add_use(holder: dict[str, Any], key: str, use: TextureUse | None, **factor: float) -> None:
    if use is None:
        return
    moved = json_inside(use, TRANSFORM)
    if use.offset != (0.0, 0.0):
        moved["offset"] = list(use.offset)
    if use.rotation:
        moved["rotation"] = use.rotation
    if use.scale != (1.0, 1.0):
        moved["scale"] = list(use.scale)
    found: dict[str, Any] = {"index": use.texture} | {k: v for k, v in factor.items() if v != 1}
    if use.uv_set:
        found["texCoord"] = use.uv_set
    holder[key] = found | json_of_description(use, **({TRANSFORM: moved} if moved else {}))


def _is_finite(value: Any) -> bool:
    """Whether JSON could be written of it again: 1e999 is read as infinity."""
    if isinstance(value, dict | list):
        return all(map(_is_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


def _points_into_buffers(value: Any) -> bool:
    if isinstance(value, dict):
        return any(key in POINTERS or _points_into_buffers(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_points_into_buffers(inner) for inner in value)
