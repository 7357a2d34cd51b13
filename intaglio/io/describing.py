# SPDX-License-Identifier: MIT
"""An asset in words, for people; and what in it breaks the rules of glTF.

Names are a stranger's: `printable` (errors.py) makes the lines fit for a terminal.
"""

from __future__ import annotations

import numpy as np

from .asset import TRIANGLES, Asset, AssetMaterial, Primitive, TextureUse

__all__ = ["counted", "described_asset", "faults", "oddities"]

MODES = ("points", "lines", "line loops", "line strips", "triangles", "triangle strips", "triangle fans")
# Of 8-bit normals and weights; the Khronos validator draws its lines closer, at 32-bit numbers.
UNIT_SLACK, SUM_SLACK = 0.02, 0.02


def described_asset(asset: Asset) -> list[str]:
    """What is inside, one thing a line."""
    primitives = [p for g in asset.geometries for p in g.primitives]
    shown = list(asset.shown())
    lines = [f"{counted(len(asset.nodes), 'node')}, {len(shown)} shown; {counted(len(asset.scenes), 'scene')}"]
    for k, geometry in enumerate(asset.geometries):
        for primitive in geometry.primitives:
            lines.append(f"geometry {_called(k, geometry.name)}: {_primitive(primitive)}")
    if primitives:
        lines.append(f"together: {sum(len(p.attributes['POSITION']) for p in primitives)} vertices, "
                     f"{sum(len(p.triangles()) for p in primitives)} triangles; {_bounds(primitives)}")  # fmt: skip
    lines += [f"material {_called(k, m.name)}: {_material(m)}" for k, m in enumerate(asset.materials)]
    for k, image in enumerate(asset.images):
        kind, size = image.mime_type.partition("/")[2].upper(), f"{image.height} x {image.width}"
        lines.append(f"image {_called(k, image.name)}: {kind}, {size}, {len(image.data)} bytes")
    lines += [
        f"skin {_called(k, skin.name)}: {counted(len(skin.joints), 'joint')}" for k, skin in enumerate(asset.skins)
    ]
    for k, camera in enumerate(asset.cameras):
        kind = "orthographic" if camera.fov_y is None else f"perspective, {np.degrees(camera.fov_y):.1f} degrees high"
        lines.append(f"camera {_called(k, camera.name)}: {kind}")
    for k, animation in enumerate(asset.animations):
        lines.append(f"animation {_called(k, animation.name)}: {counted(len(animation.channels), 'channel')}")
    if asset.extensions_used:
        lines.append(f"extensions: {', '.join(asset.extensions_used)}")
    if asset.copyright:
        lines.append(f"copyright: {asset.copyright}")
    notes = asset.inside["asset"].extras if "asset" in asset.inside else None
    if isinstance(notes, dict):  # where Sketchfab puts authors and licences
        lines += [f"{key[:40]}: {value[:200]}" for key, value in notes.items() if isinstance(value, str)]
    return lines


def faults(asset: Asset) -> list[str]:
    """What glTF forbids although it can be read."""
    found = []
    for where, primitive in _places(asset):
        attributes = primitive.attributes
        for name in ("NORMAL", "TANGENT"):
            if name in attributes:
                length = np.linalg.norm(attributes[name][:, :3].astype(np.float64), axis=-1)
                wrong = int((np.abs(length - 1) > UNIT_SLACK).sum())
                found += [f"{where}: {wrong} of {len(length)} {name} are not of length 1"] if wrong else []
        weights = [values for name, values in attributes.items() if name.startswith("WEIGHTS_")]
        if weights:
            sums = np.concatenate(weights, axis=-1).astype(np.float64).sum(axis=-1)
            wrong = int((np.abs(sums - 1) > SUM_SLACK).sum() + sum(int((w < 0).sum()) for w in weights))
            found += [f"{where}: {wrong} WEIGHTS are negative or do not sum to 1"] if wrong else []
        count = len(attributes["POSITION"]) if primitive.indices is None else len(primitive.indices)
        if primitive.mode == TRIANGLES and count % 3:
            found.append(f"{where}: {count} corners make no whole triangles")
        if primitive.material is not None:
            sets = {use.uv_set for use in _uses(asset.materials[primitive.material])}
            missing = sorted(k for k in sets if f"TEXCOORD_{k}" not in attributes)
            found += [f"{where}: its material needs TEXCOORD_{k}" for k in missing]
    for k, node in enumerate(asset.nodes):
        if abs(float(np.linalg.norm(node.rotation)) - 1) > UNIT_SLACK:
            found.append(f"node {_called(k, node.name)}: its rotation is no unit quaternion")
    return found


def oddities(asset: Asset) -> list[str]:
    """What is allowed, and seldom meant."""
    found = []
    for where, primitive in _places(asset):
        triangles = primitive.triangles()
        at = primitive.attributes["POSITION"].astype(np.float64)[triangles]
        area = np.linalg.norm(np.cross(at[:, 1] - at[:, 0], at[:, 2] - at[:, 0]), axis=-1)
        flat = int((area == 0).sum())
        found += [f"{where}: {flat} of {len(triangles)} triangles have no area"] if flat else []
        unused = len(at) and len(primitive.attributes["POSITION"]) - len(np.unique(triangles))
        found += [f"{where}: {unused} vertices belong to no triangle"] if unused else []
    used = {node.geometry for node in asset.nodes}
    found += [
        f"geometry {_called(k, g.name)}: no node shows it" for k, g in enumerate(asset.geometries) if k not in used
    ]
    return found


def _places(asset: Asset) -> list[tuple[str, Primitive]]:
    return [
        (f"geometry {_called(k, geometry.name)}, primitive {n}", primitive)
        for k, geometry in enumerate(asset.geometries)
        for n, primitive in enumerate(geometry.primitives)
    ]


def _called(number: int, name: str) -> str:
    return f'{number} "{name[:80]}"' if name else f"{number}"


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _primitive(primitive: Primitive) -> str:
    count = len(primitive.attributes["POSITION"])
    shape = f"{count} vertices, {len(primitive.triangles())} triangles"
    if primitive.mode != TRIANGLES:
        shape += f" ({MODES[primitive.mode]})"
    targets = f"; {counted(len(primitive.targets), 'morph target')}" if primitive.targets else ""
    material = f"; material {primitive.material}" if primitive.material is not None else ""
    names = ", ".join(name[:40] for name in primitive.attributes)
    return f"{shape}; {names}{targets}{material}"


def _bounds(primitives: list[Primitive]) -> str:
    positions = [p.attributes["POSITION"] for p in primitives]
    low = np.min([p.min(axis=0) for p in positions], axis=0)
    high = np.max([p.max(axis=0) for p in positions], axis=0)
    spans = (f"{axis} {a:.4g} to {b:.4g}" for axis, a, b in zip("xyz", low.tolist(), high.tolist(), strict=True))
    return f"before transforms {', '.join(spans)}"


def _material(material: AssetMaterial) -> str:
    color = " ".join(f"{value:.3g}" for value in material.base_color)
    parts = [f"base colour {color}", f"metallic {material.metallic:.3g}", f"roughness {material.roughness:.3g}"]
    if any(material.emissive):
        parts.append(f"emissive {' '.join(f'{value:.3g}' for value in material.emissive)}")
    for name in ("base_color", "metallic_roughness", "normal", "occlusion", "emissive"):
        use = getattr(material, f"{name}_texture")
        if use is not None:
            parts.append(f"{name.replace('_', ' ')} texture {use.texture}")
    parts += [material.alpha_mode.lower()] if material.alpha_mode != "OPAQUE" else []
    parts += ["double-sided"] if material.double_sided else []
    parts += ["unlit"] if material.unlit else []
    return ", ".join(parts)


def _uses(material: AssetMaterial) -> list[TextureUse]:
    return [value for value in vars(material).values() if isinstance(value, TextureUse)]
