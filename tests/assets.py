# SPDX-License-Identifier: MIT
"""Assets that hold a little of everything, and a glTF written by hand with all that is awkward to read."""

import base64
import json

import numpy as np

from intaglio.io.asset import (
    CLAMP_TO_EDGE,
    Animation,
    Asset,
    AssetCamera,
    AssetMaterial,
    Channel,
    Described,
    Geometry,
    Image,
    Node,
    Primitive,
    SceneRoots,
    Skin,
    Texture,
    TextureUse,
)
from intaglio.picture import png_bytes

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.float32)
SQUARE_UV = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], dtype=np.float32)
CORNERS = np.array([0, 1, 2, 0, 2, 3], dtype=np.uint32)


def picture(*colors, **described):
    pixels = np.array([colors], dtype=np.uint8)
    return Image(data=png_bytes(pixels), height=1, width=len(colors), **described)


def noted(name):
    return {name: Described(extras={"of": name})}


def rich_asset():
    """Two geometries of several primitives, a skin, morph targets, two cameras, an animation, every material map."""
    square = {
        "POSITION": SQUARE,
        "NORMAL": np.tile(np.float32([0, 0, 1]), (4, 1)),
        "TANGENT": np.tile(np.float32([1, 0, 0, 1]), (4, 1)),
        "TEXCOORD_0": SQUARE_UV,
        "TEXCOORD_1": SQUARE_UV * np.float32(0.5),
        "COLOR_0": np.float32([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 0.5], [1, 1, 1, 0.25]]),
        "_HEAT": np.uint8([[1], [2], [3], [4]]),
        "_TURN": np.arange(36, dtype=np.uint8).reshape(4, 9),
        "_BEND": np.arange(36, dtype=np.uint16).reshape(4, 9),
    }
    bent = {
        "POSITION": SQUARE,
        "JOINTS_0": np.uint16([[0, 0, 0, 0]] * 2 + [[0, 1, 0, 0]] * 2),
        "WEIGHTS_0": np.float32([[1, 0, 0, 0], [1, 0, 0, 0], [0.25, 0.75, 0, 0], [0.25, 0.75, 0, 0]]),
    }
    smile = {"POSITION": np.float32([[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1]])}
    inverse_bind = np.stack([np.eye(4, dtype=np.float32)] * 2)
    inverse_bind[1, 1, 3] = -1
    metal = AssetMaterial(
        name="metal",
        base_color=(0.5, 0.25, 1.0, 0.75),
        base_color_texture=TextureUse(
            0, offset=(0.25, 0.5), rotation=0.5, scale=(2.0, 0.5), inside=noted("KHR_texture_transform"), extras=[1]
        ),
        metallic=0.25,
        roughness=0.75,
        metallic_roughness_texture=TextureUse(1, uv_set=1),
        normal_texture=TextureUse(1),
        normal_scale=0.5,
        occlusion_texture=TextureUse(1),
        occlusion_strength=0.5,
        emissive=(0.5, 0.0, 0.125),
        emissive_texture=TextureUse(0),
        alpha_mode="MASK",
        alpha_cutoff=0.25,
        extensions={"KHR_materials_ior": {"ior": 1.25}},
        inside=noted("pbrMetallicRoughness"),
    )
    rotation = (0.0, 0.0, float(np.sqrt(0.5)), float(np.sqrt(0.5)))
    times = np.float32([0, 1])
    return Asset(
        nodes=(
            Node(name="root", children=(1, 2), translation=(1.0, 2.0, 3.0), rotation=rotation, scale=(2.0, 2.0, 2.0)),
            Node(name="square", geometry=0, extras={"note": ["é", 1]}),
            Node(name="eye", camera=0, matrix=np.diag([1.0, -1.0, 1.0, 1.0])),
            Node(name="avatar", geometry=1, skin=0, weights=(0.5,)),
            Node(name="hip", children=(5,)),
            Node(name="knee", translation=(0.0, 1.0, 0.0)),
            Node(name="plan", camera=1),
        ),
        geometries=(
            Geometry(
                name="square",
                primitives=(
                    Primitive(square, CORNERS, material=0),
                    Primitive({"POSITION": SQUARE + 1}, material=1, mode=5),
                    Primitive({"POSITION": SQUARE}, mode=0),
                ),
            ),
            Geometry(primitives=(Primitive(bent, CORNERS, targets=(smile,)),), weights=(0.0,), extras={"names": "s"}),
        ),
        materials=(metal, AssetMaterial(name="flat", unlit=True, double_sided=True, alpha_mode="BLEND")),
        textures=(
            Texture(0, name="t", inside={"sampler": Described(name="smooth", extras={"by": "hand"})}),
            Texture(1, CLAMP_TO_EDGE, CLAMP_TO_EDGE, 9728, 9987),
        ),
        images=(picture([255, 0, 0], [0, 0, 255], name="colours"), picture([128, 128, 255])),
        skins=(Skin(joints=(4, 5), inverse_bind=inverse_bind, skeleton=4, name="bones"),),
        cameras=(
            AssetCamera(fov_y=0.75, aspect=1.5, near=0.5, name="lens", inside=noted("perspective")),
            AssetCamera(x_half=2.0, y_half=1.0, near=0.0, far=10.0, inside=noted("orthographic")),
        ),
        animations=(
            Animation(
                name="step",
                channels=(
                    Channel(
                        5,
                        "translation",
                        times,
                        np.float32([[0, 1, 0], [0, 2, 0]]),
                        "STEP",
                        extras=3,
                        inside=noted("target") | noted("sampler"),
                    ),
                    Channel(3, "weights", times, np.float32([[0], [0], [0], [1], [0], [0]]), "CUBICSPLINE"),
                ),
            ),
        ),
        scenes=(SceneRoots(nodes=(0, 3, 4), name="stage"), SceneRoots(nodes=(6,))),
        scene=0,
        copyright="nobody",
        inside={"asset": Described(extras={"author": "somebody", "license": "CC0"})},
    )


def data_uri(data, kind="application/octet-stream"):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def awkward_gltf():
    """JSON: interleaved and normalized attributes, a sparse accessor, one without a view, data URIs, a quad strip.

    Positions are those of SQUARE as normalized shorts, the fourth of which a sparse accessor puts right.
    """
    places = np.round(SQUARE * 32767).astype("<i2")
    places[3] = 0
    uv = np.round(SQUARE_UV * 65535).astype("<u2")
    colors = np.uint8([[255, 0, 0, 255], [0, 51, 0, 255], [0, 0, 102, 255], [255, 255, 255, 255]])
    rows = b"".join(  # 6 + 2 of padding, 4, 4
        p.tobytes() + b"\7\7" + t.tobytes() + c.tobytes() for p, t, c in zip(places, uv, colors, strict=True)
    )
    gap = b"\3\0\0\0" + np.array([0, 32767, 0], "<i2").tobytes()
    strip = bytes([0, 1, 3, 2])
    image = png_bytes(np.array([[[255, 0, 0], [0, 0, 255]]], dtype=np.uint8))
    return {
        "asset": {"version": "2.0"},
        "extensionsUsed": ["KHR_mesh_quantization"],
        "extensionsRequired": ["KHR_mesh_quantization"],
        "buffers": [
            {"uri": data_uri(rows + gap), "byteLength": 74},
            {"uri": data_uri(strip + image), "byteLength": 4 + len(image)},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": 64, "byteStride": 16, "target": 34962},
            {"buffer": 0, "byteOffset": 64, "byteLength": 10},
            {"buffer": 1, "byteLength": 4, "target": 34963},
            {"buffer": 1, "byteOffset": 4, "byteLength": len(image)},
        ],
        "accessors": [
            {
                "bufferView": 0, "componentType": 5122, "normalized": True, "count": 4, "type": "VEC3",
                "min": [0, 0, 0], "max": [32767, 32767, 0],
                "sparse": {
                    "count": 1,
                    "indices": {"bufferView": 1, "componentType": 5121},
                    "values": {"bufferView": 1, "byteOffset": 4},
                },
            },
            {"bufferView": 0, "byteOffset": 8, "componentType": 5123, "normalized": True, "count": 4, "type": "VEC2"},
            {"bufferView": 0, "byteOffset": 12, "componentType": 5121, "normalized": True, "count": 4, "type": "VEC4"},
            {"bufferView": 2, "componentType": 5121, "count": 4, "type": "SCALAR"},
            {"componentType": 5126, "count": 4, "type": "VEC3", "min": [0, 0, 0], "max": [0, 0, 0]},
        ],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "textures": [{"source": 0}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "meshes": [
            {
                "primitives": [
                    {
                        "attributes": {"POSITION": 0, "TEXCOORD_0": 1, "COLOR_0": 2},
                        "indices": 3, "material": 0, "mode": 5, "targets": [{"POSITION": 4}],
                    }
                ]
            }
        ],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    }  # fmt: skip


def write_awkward(path, change=lambda root: None):
    root = awkward_gltf()
    change(root)
    path.write_text(json.dumps(root))
    return path
