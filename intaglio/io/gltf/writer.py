# SPDX-License-Identifier: MIT
"""glTF out: GLB in one file, or .gltf with a .bin beside it; pictures lie in the buffer, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ..asset import Animation, Asset, AssetCamera, Geometry, Node, Primitive, Skin, Texture
from ..atomic import write_atomically
from .container import join_glb
from .materials import json_inside, json_of_description, json_of_material
from .packing import ELEMENTS, VERTICES, Packing
from .tangents import with_tangents

__all__ = ["json_of_asset", "write_gltf"]

GENERATOR = "intaglio"
LARGEST_SHORT = 65535  # itself restarts a strip


def write_gltf(path: str | Path, asset: Asset) -> None:
    """Write an asset as .glb or .gltf, whole or not at all; what `read_gltf` reads again, bit for bit.

    Numbers that were normalized integers are written as floats. Tangents are added where a normal map lacks them.

    Raises:
        InputError: `path` cannot be written to.
    """
    path = Path(path)
    packing = Packing()
    root = json_of_asset(asset, packing)
    binary = bytes(packing.data)
    is_glb = path.suffix.lower() == ".glb"
    if binary:
        root |= {"bufferViews": packing.views, "buffers": [{"byteLength": len(binary)}]}
        if packing.accessors:
            root["accessors"] = packing.accessors
        if not is_glb:
            root["buffers"][0]["uri"] = quote(path.with_suffix(".bin").name)
    text = json.dumps(root, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    data = join_glb(text, binary) if is_glb else text
    if binary and not is_glb:
        write_atomically(path.with_suffix(".bin"), lambda aside: aside.write_bytes(binary))
    write_atomically(path, lambda aside: aside.write_bytes(data))


def json_of_asset(asset: Asset, packing: Packing) -> dict[str, Any]:
    """All but what is said of the buffers, which `packing` holds then."""
    asset = with_tangents(asset)
    head = {"version": "2.0", "generator": asset.generator or GENERATOR} | json_inside(asset, "asset")
    if asset.copyright:
        head["copyright"] = asset.copyright
    described = json_of_description(asset)
    described.pop("name", None)  # the file's
    root: dict[str, Any] = {"asset": head} | described
    if asset.scene is not None:
        root["scene"] = asset.scene
    samplers: list[dict[str, Any]] = []
    lists = {
        "scenes": [json_of_description(s) | _some(nodes=list(s.nodes)) for s in asset.scenes],
        "nodes": [_node(node) for node in asset.nodes],
        "meshes": [_geometry(geometry, packing) for geometry in asset.geometries],
        "materials": [json_of_material(material) for material in asset.materials],
        "textures": [_texture(texture, samplers) for texture in asset.textures],
        "images": [
            {"bufferView": packing.add_bytes(image.data), "mimeType": image.mime_type} | json_of_description(image)
            for image in asset.images
        ],
        "skins": [_skin(skin, packing) for skin in asset.skins],
        "cameras": [_camera(camera) for camera in asset.cameras],
        "animations": [_animation(animation, packing) for animation in asset.animations if animation.channels],
        "samplers": samplers,
    }
    root |= {key: found for key, found in lists.items() if found}
    used = sorted(_extensions(root))
    required = [name for name in asset.extensions_required if name in used]
    return root | _some(extensionsUsed=used, extensionsRequired=required)


def _some(**fields: Any) -> dict[str, Any]:
    """Those that say something: glTF has no empty lists."""
    return {key: value for key, value in fields.items() if value not in (None, [], {}, "")}


def _extensions(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_extensions, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    own = set(value["extensions"]) if isinstance(value.get("extensions"), dict) else set()
    return own.union(*(_extensions(inner) for key, inner in value.items() if key != "extras"))


def _node(node: Node) -> dict[str, Any]:
    place: dict[str, Any] = {}
    plain = Node()
    if node.matrix is not None:
        place["matrix"] = node.matrix.T.reshape(-1).tolist()
    else:
        for key in ("translation", "rotation", "scale"):
            if tuple(getattr(node, key)) != getattr(plain, key):
                place[key] = list(getattr(node, key))
    refers = {"mesh": node.geometry, "skin": node.skin, "camera": node.camera}
    there = {key: index for key, index in refers.items() if index is not None}
    return json_of_description(node) | place | there | _some(children=list(node.children), weights=list(node.weights))


def _geometry(geometry: Geometry, packing: Packing) -> dict[str, Any]:
    primitives = [_primitive(primitive, packing) for primitive in geometry.primitives]
    return json_of_description(geometry) | {"primitives": primitives} | _some(weights=list(geometry.weights))


def _primitive(primitive: Primitive, packing: Packing) -> dict[str, Any]:
    found: dict[str, Any] = {"attributes": _attributes(primitive.attributes, packing)}
    if primitive.indices is not None:
        indices = primitive.indices
        narrow = indices.astype(np.uint16 if indices.max(initial=0) < LARGEST_SHORT else np.uint32)
        found["indices"] = packing.add(narrow, ELEMENTS)
    if primitive.material is not None:
        found["material"] = primitive.material
    if primitive.mode != Primitive().mode:
        found["mode"] = primitive.mode
    found |= _some(targets=[_attributes(target, packing) for target in primitive.targets])
    return json_of_description(primitive) | found


def _attributes(attributes: dict[str, np.ndarray], packing: Packing) -> dict[str, int]:
    found = {}
    for name, values in attributes.items():
        if name.startswith("JOINTS"):
            weights = attributes.get(name.replace("JOINTS", "WEIGHTS"))
            if weights is not None:
                values = np.where(weights == 0, 0, values)  # who moves nothing is nobody, the specification says
            values = values.astype(np.uint8 if values.max(initial=0) < 256 else np.uint16)
        elif values.dtype == np.uint32:  # which is for indices alone
            values = values.astype(np.uint16 if values.max(initial=0) <= LARGEST_SHORT else np.float32)
        found[name] = packing.add(values, VERTICES, bounds=name == "POSITION")
    return found


def _texture(texture: Texture, samplers: list[dict[str, Any]]) -> dict[str, Any]:
    plain = Texture()
    wraps = {"wrapS": texture.wrap_s, "wrapT": texture.wrap_t}
    how = json_inside(texture, "sampler") | {key: value for key, value in wraps.items() if value != plain.wrap_s}
    how |= _some(magFilter=texture.mag_filter, minFilter=texture.min_filter)
    found = json_of_description(texture)
    if texture.image is not None:
        found["source"] = texture.image
    if how:
        if how not in samplers:
            samplers.append(how)
        found["sampler"] = samplers.index(how)
    return found


def _skin(skin: Skin, packing: Packing) -> dict[str, Any]:
    found: dict[str, Any] = {"joints": list(skin.joints)}
    if skin.inverse_bind is not None:
        columns = skin.inverse_bind.astype(np.float32).transpose(0, 2, 1).reshape(-1, 16)
        found["inverseBindMatrices"] = packing.add(columns)
    if skin.skeleton is not None:
        found["skeleton"] = skin.skeleton
    return json_of_description(skin) | found


def _camera(camera: AssetCamera) -> dict[str, Any]:
    planes = {"znear": camera.near} | _some(zfar=camera.far)
    if camera.fov_y is not None:
        lens = json_inside(camera, "perspective") | {"yfov": camera.fov_y} | _some(aspectRatio=camera.aspect) | planes
        return json_of_description(camera) | {"type": "perspective", "perspective": lens}
    lens = json_inside(camera, "orthographic") | {"xmag": camera.x_half, "ymag": camera.y_half} | planes
    return json_of_description(camera) | {"type": "orthographic", "orthographic": lens}


def _animation(animation: Animation, packing: Packing) -> dict[str, Any]:
    channels: list[dict[str, Any]] = []
    samplers: list[dict[str, Any]] = []
    for channel in animation.channels:
        target = json_inside(channel, "target") | {"path": channel.path}
        if channel.node is not None:
            target["node"] = channel.node
        channels.append(json_of_description(channel) | {"sampler": len(samplers), "target": target})
        sampler = json_inside(channel, "sampler") | {
            "input": packing.add(channel.times, bounds=True),
            "output": packing.add(channel.values),
        }
        if channel.interpolation != "LINEAR":
            sampler["interpolation"] = channel.interpolation
        samplers.append(sampler)
    return json_of_description(animation) | {"channels": channels, "samplers": samplers}
