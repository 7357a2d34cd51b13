# SPDX-License-Identifier: MIT
"""What is wrong with a glTF is named: the file, the place in it, what, and the remedy."""

import json
import struct

import numpy as np
import pytest
from assets import rich_asset, write_awkward

from intaglio import InputError, Limits, load, load_asset, save, save_image


def put(place, value):
    """A change of the JSON: `place` is a path through it, "a.0.b"."""

    def change(root):
        *way, last = [int(key) if key.isdigit() else key for key in place.split(".")]
        for key in way:
            root = root[key]
        if value is None:
            del root[last]
        else:
            root[last] = value

    return change


PRIMITIVE = "meshes.0.primitives.0"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("asset.version", "1.0", "is no glTF 2.0: asset.version must be 2.0 (convert it)"),
        ("asset", [], "asset must be an object; got []"),
        ("extensionsRequired", ["KHR_draco_mesh_compression"], "needs the extension 'KHR_draco_mesh_compression' (exp"),
        ("nodes", {}, "nodes must be a list; got {}"),
        ("nodes.0", 1, "nodes[0] must be an object; got 1"),
        ("nodes.0.mesh", 1, "nodes[0]: mesh must be a whole number from 0 to 0; got 1"),
        ("nodes.0.mesh", True, "nodes[0]: mesh must be a whole number from 0 to 0; got True"),
        ("nodes.0.mesh", 0.5, "nodes[0]: mesh must be a whole number from 0 to 0; got 0.5"),
        ("nodes.0.children", [0], "nodes[0]: stands below itself"),
        ("nodes.0.children", [0, 0], "nodes[0]: children names one thing twice"),
        ("nodes.0.matrix", [1, 2], "nodes[0]: matrix must hold 16 numbers; got 2"),
        ("nodes.0.translation", [1, 2, "3"], "nodes[0]: translation must be a finite number; got '3'"),
        ("nodes.0.scale", [1, 2, 10**400], "nodes[0]: scale must be a finite number; got a number of too many digits"),
        ("nodes.0.name", 5, "nodes[0]: name must be text; got 5"),
        ("nodes.0.weights", [0, 0], "nodes[0]: has 2 weights for 1 morph targets"),
        ("nodes.0.skin", 0, "nodes[0]: skin must be left out, for there is none; got 0"),
        ("scene", 3, "scene must be a whole number from 0 to 0; got 3"),
        ("meshes.0.primitives", [], "meshes[0]: has no primitives"),
        (PRIMITIVE + ".attributes", None, "meshes[0].primitives[0]: has no attributes"),
        (PRIMITIVE + ".attributes", {"COLOR_0": 2}, "meshes[0].primitives[0]: has no POSITION"),
        (PRIMITIVE + ".attributes.HEAT", 0, "meshes[0].primitives[0].attributes: names what is no attribute: 'HEAT'"),
        (PRIMITIVE + ".attributes.COLOR_0", 3, "meshes[0].primitives[0].attributes: COLOR_0 must have 3 or 4 numbers"),
        (PRIMITIVE + ".mode", 7, "meshes[0].primitives[0]: mode must be a whole number from 0 to 6; got 7"),
        (PRIMITIVE + ".indices", 0, "meshes[0].primitives[0]: indices must be unsigned integers, one each; got 3 of"),
        (PRIMITIVE + ".targets.0.NORMAL", 9, "meshes[0].primitives[0].targets: NORMAL must be a whole number from 0"),
        ("accessors.0.count", 3, "accessors[0].sparse.indices: indices must rise, and stay below 3"),
        ("accessors.0.count", 5, "accessors[0]: its 5 elements end at byte 70 of a view of 64 (is it a whole g"),
        ("accessors.0.count", 10**15, "accessors[0]: unpacks to too many bytes (max_ratio is 100, bey"),
        ("accessors.4.count", 10**7, "accessors[4]: unpacks to too many bytes (max_ratio is 100, bey"),
        ("accessors.1.componentType", 5124, "accessors[1]: componentType must be one of 5120, 5121, 5122, 5123"),
        ("accessors.1.type", None, "accessors[1]: has no type"),
        ("accessors.0.sparse.values", None, "accessors[0].sparse: must have indices and values"),
        ("accessors.0.sparse.indices.bufferView", 7, "accessors[0].sparse.indices: bufferView must be a whole number"),
        ("bufferViews.0.byteLength", 75, "bufferViews[0]: ends at byte 75 of a buffer of 74 (is it a whole glT"),
        ("bufferViews.0.byteStride", 2, "bufferViews[0]: byteStride must be at least 6 here; got 2"),
        ("buffers.0.byteLength", 75, "buffers[0]: declares 75 bytes; got 74 (is it a whole glTF file?)"),
        ("buffers.0.uri", None, "buffers[0]: has neither a uri nor a binary chunk (is it a whole glTF file?)"),
        ("buffers.0.uri", "data:;base64,%%%", "buffers[0]: uri is a data URI whose base64 is damaged"),
        ("buffers.0.uri", "data:none", "buffers[0]: uri is a data URI without data"),
        ("buffers.0.uri", "https://x.org/a.bin", "buffers[0]: uri leads to another place: 'https://x.org/a.bin' (copy"),
        ("buffers.0.uri", "../a.bin", "buffers[0]: names a file outside of its folder: "),
        ("buffers.0.uri", "..%2Fa.bin", "buffers[0]: names a file outside of its folder: "),
        ("buffers.0.uri", "/etc/passwd", "buffers[0]: names a file outside of its folder: /etc/passwd"),
        ("buffers.0.uri", "%00", "buffers[0]: names what no file can be called: '\\x00'"),
        ("images.0.bufferView", None, "images[0]: has neither a uri nor a bufferView"),
        ("images.0.bufferView", 2, "images[0]: is not a PNG or JPEG picture (convert it to PNG)"),
        ("textures.0.source", 1, "textures[0]: source must be a whole number from 0 to 0; got 1"),
        ("materials.0.alphaMode", "GLASS", "materials[0]: alphaMode must be one of OPAQUE, MASK, BLEND; got 'GLASS'"),
        ("materials.0.doubleSided", 1, "materials[0]: doubleSided must be true or false; got 1"),
        ("materials.0.pbrMetallicRoughness.metallicFactor", 2, "materials[0].pbrMetallicRoughness: metallicFac"),
        ("cameras", [{"type": "perspective"}], "cameras[0]: must have a type, and an object of that name"),
        ("skins", [{"joints": []}], "skins[0]: has no joints"),
    ],
)  # fmt: skip
def test_a_damaged_gltf_is_named(tmp_path, place, value, message):
    path = write_awkward(tmp_path / "a.gltf", put(place, value))
    with pytest.raises(InputError) as error:
        load_asset(path)
    assert str(error.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its JSON is damaged: Expecting value"),
        ("[]", "its JSON is no object (is it a whole glTF file?)"),
        ('{"a": NaN}', "its JSON is damaged: NaN is no number"),
        ('{"a": ' + "[" * 64 + "]" * 64 + "}", "its JSON is nested deeper than 64 levels"),
        ("[" * 1_000_000, "its JSON is nested deeper than 64 levels"),
        ('{"a": "' + "[" * 100 + '"}', "is no glTF 2.0: asset.version must be 2.0 (convert it)"),
        ('{"a": ' + "9" * 5000 + "}", "its JSON is damaged: Exceeds the limit"),
    ],
)
def test_damaged_json_is_named(tmp_path, text, message):
    (tmp_path / "a.gltf").write_text(text)
    with pytest.raises(InputError) as error:
        load(tmp_path / "a.gltf")
    assert str(error.value).startswith(f"{tmp_path / 'a.gltf'}: {message}")


def test_a_glb_cut_anywhere_is_named(tmp_path):
    save(tmp_path / "a.glb", rich_asset())
    data = (tmp_path / "a.glb").read_bytes()
    for size in range(0, len(data), 97):
        (tmp_path / "cut.glb").write_bytes(data[:size])
        with pytest.raises(InputError, match=r"cut.glb: "):
            load(tmp_path / "cut.glb")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"glTF" + struct.pack("<II", 1, 20) + b" " * 8, "is a GLB of version 1 (version 2 is read)"),
        (b"glTF" + struct.pack("<II", 2, 24) + b" " * 8, "declares 24 bytes; got 20 (is it a whole glTF file?)"),
        (b"glTF" + struct.pack("<II", 2, 12), "is a GLB of 12 bytes (is it a whole glTF file?)"),
        (b"glTF" + struct.pack("<IIII", 2, 20, 0, 7), "is a GLB whose first chunk is no JSON"),
        (b"glTF" + struct.pack("<IIII", 2, 20, 4, 0x4E4F534A), "declares a chunk of 4 bytes at byte 12; got 0"),
    ],
)
def test_a_damaged_glb_is_named(tmp_path, data, message):
    (tmp_path / "a.glb").write_bytes(data)
    with pytest.raises(InputError) as error:
        load(tmp_path / "a.glb")
    assert str(error.value) == f"{tmp_path / 'a.glb'}: {message}"


def test_an_animation_out_of_order_is_named(tmp_path):
    save(tmp_path / "a.gltf", rich_asset())
    root = json.loads((tmp_path / "a.gltf").read_text())
    samplers = root["animations"][0]["samplers"]
    samplers[0]["input"] = samplers[0]["output"]
    (tmp_path / "a.gltf").write_text(json.dumps(root))
    with pytest.raises(InputError, match=r"animations\[0\].samplers\[0\]: input must hold times as floats, from 0 on"):
        load_asset(tmp_path / "a.gltf")


def test_a_link_leads_out_of_no_folder(tmp_path):
    save_image(tmp_path / "secret.png", np.ones((1, 1, 3)))
    (tmp_path / "asset").mkdir()
    (tmp_path / "asset" / "link.png").symlink_to(tmp_path / "secret.png")
    path = write_awkward(tmp_path / "asset" / "a.gltf", put("images.0", {"uri": "link.png"}))
    with pytest.raises(InputError, match=r"a.gltf: images\[0\]: names a file outside of its folder"):
        load(path)


def test_what_is_too_large_is_named(tmp_path):
    path = write_awkward(tmp_path / "a.gltf")
    for limits, message in [
        (Limits(max_bytes=1000), r"is too large: \d+ bytes \(max_bytes is 1000\)$"),
        (Limits(max_vertices=3), r"has too many vertices: 4 \(max_vertices is 3\)$"),
        (Limits(max_pixels=1), r"images\[0\]: is too large a picture \(1 pixels at most\)$"),
    ]:
        with pytest.raises(InputError, match=message):
            load(path, limits=limits)


def test_a_thousand_copies_of_one_geometry_count(tmp_path):
    def change(root):
        root["nodes"] = [{"mesh": 0}] * 1000
        root["scenes"] = [{"nodes": list(range(1000))}]

    path = write_awkward(tmp_path / "a.gltf", change)
    with pytest.raises(InputError, match=r"has too many vertices: 1004 \(max_vertices is 1000\)$"):
        load(path, limits=Limits(max_vertices=1000))


def test_many_pictures_of_the_same_bytes_count(tmp_path, monkeypatch):
    monkeypatch.setattr("intaglio.io.gltf.accessors.FREE_BYTES", 0)
    path = write_awkward(tmp_path / "a.gltf", put("images", [{"bufferView": 3}] * 1000))
    with pytest.raises(InputError, match=r"images\[\d+\]: unpacks to too many bytes \(max_ratio is 1, beyond"):
        load(path, limits=Limits(max_ratio=1))


def test_transforms_beyond_all_numbers_are_named(tmp_path):
    path = write_awkward(tmp_path / "a.gltf", put("nodes.0.scale", [1e300, 1, 1]))
    with pytest.raises(InputError, match=r"a.gltf: its transforms lead beyond 32 bits at node 0$"):
        load(path)


def test_products_of_transforms_beyond_all_numbers_are_named(tmp_path):
    def change(root):
        huge = {"scale": [1e300, 1e300, 1e300], "translation": [1e300, 0, 0]}
        root["nodes"] = [huge | {"children": [1]}, huge | {"mesh": 0}]

    with pytest.raises(InputError, match=r"a.gltf: its transforms lead beyond 32 bits at node 1$"):
        load(write_awkward(tmp_path / "a.gltf", change))
