# SPDX-License-Identifier: MIT
"""What is wrong with a glTF is named: the file, the place in it, what, and the remedy."""

import json
import struct

import numpy as np
import pytest
from assets import rich_asset, write_awkward

from intaglio import InputError, Limits, load, load_asset, save, save_image
from intaglio.io import painting


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
        ("asset.minVersion", "2.5", "needs glTF 2.5 (export it as 2.0)"),
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
        ("materials.0.alphaCutoff", 1e39, "materials[0]: alphaCutoff must be a finite number from 0 to 1e+30; got 1"),
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
    with pytest.raises(InputError, match=r"has too many vertices: 1008 \(max_vertices is 1000\)$"):
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


def test_a_million_escaped_quotes_are_read_once(tmp_path):
    (tmp_path / "a.gltf").write_bytes(b'{"' + rb"\"" * 1_000_000)
    with pytest.raises(InputError, match="its JSON is damaged: Unterminated string"):
        load(tmp_path / "a.gltf")


@pytest.mark.parametrize("text", [r'"[\\"', r'"\"[[[["', r'"\\\"[["', r'"\\", "["'])
def test_brackets_in_texts_are_no_levels(tmp_path, text):
    deep = "[" * 62 + text + "]" * 62
    (tmp_path / "a.gltf").write_text('{"a": ' + deep + "}")
    with pytest.raises(InputError, match=r"is no glTF 2\.0"):
        load(tmp_path / "a.gltf")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('"extras": {"a": [1e999]}', "a.gltf: extras must hold finite numbers"),
        ('"extensions": {"A": {"a": 1e999}}', "a.gltf: extensions must hold finite numbers"),
        (r'"extras": "\ud800"', "its JSON is damaged: 'utf-8' codec can't encode character"),
    ],
)
def test_what_could_not_be_written_again_is_named(tmp_path, extra, message):
    (tmp_path / "a.gltf").write_text('{"asset": {"version": "2.0"}, ' + extra + "}")
    with pytest.raises(InputError) as error:
        load_asset(tmp_path / "a.gltf")
    assert message in str(error.value)


def test_a_pair_of_surrogates_is_a_character(tmp_path):
    (tmp_path / "a.gltf").write_text(r'{"asset": {"version": "2.0", "copyright": "\ud83d\ude00"}}')
    assert load_asset(tmp_path / "a.gltf").copyright == "\U0001f600"


def test_what_thousands_name_is_there_once(tmp_path):
    """Primitives of one accessor, channels of one sampler: integers that become others do so once."""

    def change(root):
        root["accessors"] += [
            {"bufferView": 2, "componentType": 5121, "count": 1, "type": "VEC4"},  # as joints
            {"componentType": 5126, "count": 1, "type": "VEC3"},
            {"componentType": 5120, "count": 1, "type": "VEC3"},
            {"componentType": 5126, "count": 1, "type": "SCALAR"},
        ]
        primitive = {"attributes": {"POSITION": 6, "JOINTS_0": 5}}
        root["meshes"] = [{"primitives": [primitive] * 2}]
        channel = {"sampler": 0, "target": {"node": 0, "path": "translation"}}
        root["animations"] = [{"samplers": [{"input": 8, "output": 7}], "channels": [channel] * 2}]

    asset = load_asset(write_awkward(tmp_path / "a.gltf", change))
    first, second = asset.geometries[0].primitives
    assert all(first.attributes[name] is second.attributes[name] for name in ("POSITION", "JOINTS_0"))
    one, other = asset.animations[0].channels
    assert one.values is other.values


def test_a_file_under_many_names_is_read_once(tmp_path, monkeypatch):
    (tmp_path / "a.bin").write_bytes(bytes(100))
    num_read = []
    monkeypatch.setattr(
        "intaglio.io.gltf.accessors.read_bytes", lambda file, limits, named: num_read.append(file) or bytes(100)
    )

    def change(root):
        root["buffers"] += [{"uri": f"{'./' * k}a.bin", "byteLength": 100 - k} for k in range(4)]
        root["bufferViews"] += [{"buffer": 2 + k, "byteLength": 12} for k in range(4)]
        root["accessors"] += [
            {"bufferView": 4 + k, "componentType": 5126, "count": 1, "type": "VEC3"} for k in range(4)
        ]
        root["meshes"] += [{"primitives": [{"attributes": {"POSITION": 5 + k}} for k in range(4)]}]

    load_asset(write_awkward(tmp_path / "a.gltf", change))
    assert len(num_read) == 1


def test_morph_targets_that_are_all_the_same_count(tmp_path):
    path = write_awkward(tmp_path / "a.gltf", put(f"{PRIMITIVE}.targets", [{"POSITION": 4}] * 1000))
    with pytest.raises(InputError, match=r"has too many vertices: 204 \(max_vertices is 200\)$"):
        load_asset(path, limits=Limits(max_vertices=200))


def test_primitives_that_share_their_indices_count(tmp_path):
    """Whether anything shows them or not: `info` looks at all."""

    def change(root):
        root["accessors"].append({"componentType": 5125, "type": "SCALAR", "count": 3000})
        root["meshes"] = [{"primitives": [{"attributes": {"POSITION": 0}, "indices": len(root["accessors"]) - 1}] * 9}]
        root["meshes"] *= 3
        root["nodes"] = []
        del root["scenes"], root["scene"]

    path = write_awkward(tmp_path / "a.gltf", change)
    with pytest.raises(InputError, match=r"has too many triangles: 21000 \(twice max_vertices, 20000, at most\)$"):
        load_asset(path, limits=Limits(max_vertices=10000))
    assert len(load_asset(path, limits=Limits(max_vertices=13500)).geometries) == 3


def test_joints_count_for_the_vertices_that_they_bend(tmp_path):
    def change(root):
        root["accessors"] += [{"componentType": 5121, "type": "VEC4", "count": 4}]
        root["accessors"] += [{"componentType": 5126, "type": "VEC4", "count": 4}]
        joints, weights = len(root["accessors"]) - 2, len(root["accessors"]) - 1
        sets = {f"JOINTS_{k}": joints for k in range(10)} | {f"WEIGHTS_{k}": weights for k in range(10)}
        root["meshes"] = [{"primitives": [{"attributes": {"POSITION": 0, **sets}}]}]
        root["skins"] = [{"joints": [0]}]
        root["nodes"] = [{}] + [{"mesh": 0, "skin": 0}] * 2
        root["scenes"] = [{"nodes": [0, 1, 2]}]

    path = write_awkward(tmp_path / "a.gltf", change)
    with pytest.raises(InputError, match=r"has too many vertices: 328 \(max_vertices is 200\)$"):
        load(path, limits=Limits(max_vertices=200))


def test_many_nodes_of_many_primitives_are_refused_before_they_are_placed(tmp_path):
    """A hundred kilobytes that show nine million parts."""

    def change(root):
        root["meshes"][0]["primitives"] = [{"attributes": {"POSITION": 0}}] * 3000
        root["nodes"] = [{"mesh": 0}] * 3000
        del root["scenes"], root["scene"]

    path = write_awkward(tmp_path / "a.gltf", change)
    with pytest.raises(
        InputError, match=r"shows too many parts: 33000 \(one for each 1024 vertices of max_vertices at"
    ):
        load(path)


def test_materials_that_share_a_picture_count_each(tmp_path):
    """Each has maps of its own, as large as the picture."""
    save_image(tmp_path / "p.png", np.ones((16, 16, 3)))

    def change(root):
        root["images"] = [{"uri": "p.png"}]
        root["materials"] = [{"pbrMetallicRoughness": {"metallicRoughnessTexture": {"index": 0}}} for _ in range(8)]
        primitive = root["meshes"][0]["primitives"][0]
        root["meshes"][0]["primitives"] = [primitive | {"material": k} for k in range(8)]

    path = write_awkward(tmp_path / "a.gltf", change)
    assert load(path).material is not None
    with pytest.raises(InputError, match="has too many and too large pictures"):
        load(path, limits=Limits(max_pixels=7 * 256))


def test_surfaces_that_share_a_tile_hold_it_once(tmp_path, monkeypatch):
    tinted = painting._tinted
    made = []
    monkeypatch.setattr(painting, "_tinted", lambda surface: made.append(surface) or tinted(surface))

    def change(root):
        root["materials"] = [
            {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "baseColorFactor": [red, 1, 1, 1]}}
            for red in (0.5, 0.25)
        ]
        primitive = root["meshes"][0]["primitives"][0]
        root["meshes"][0]["primitives"] = [primitive | {"material": k % 2} for k in range(100)]

    load(write_awkward(tmp_path / "a.gltf", change))
    assert len(made) == 2


def test_bumps_beyond_32_bits_are_named(tmp_path):
    path = write_awkward(tmp_path / "a.gltf", put("materials.0.normalTexture", {"index": 0, "scale": 1e39}))
    with pytest.raises(
        InputError, match=r"materials\[0\].normalTexture: scale must be a finite number from -1e\+30 to 1e\+30"
    ):
        load(path)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("file:///etc/passwd", "uri leads to another place"),
        ("//etc/passwd", "uri leads to another place"),
        ("%2e%2e/a.bin", "names a file outside of its folder"),
        ("..\\a.bin", "names a file outside of its folder"),
        ("%5C..%5C..%5Ca.bin", "names a file outside of its folder"),
        ("a/../../a.bin", "names a file outside of its folder"),
        ("C:\\a.bin", "there is no such file"),
    ],
)
def test_no_spelling_leads_out_of_the_folder(tmp_path, uri, message):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.bin").write_bytes(bytes(100))
    with pytest.raises(InputError, match=message):
        load(write_awkward(tmp_path / "in" / "a.gltf", put("buffers.0.uri", uri)))
