# SPDX-License-Identifier: MIT
"""glTF and GLB: everything comes back, everything awkward is read."""

import base64
import dataclasses
import os

import numpy as np
import pytest
from assets import CORNERS, SQUARE, SQUARE_UV, data_uri, picture, rich_asset, write_awkward

from intaglio import load, load_asset, save, shapes
from intaglio.io.asset import CLAMP_TO_EDGE, Asset, AssetMaterial, Geometry, Node, Primitive, Texture, TextureUse
from intaglio.mesh import Mesh

RED, BLUE = [1, 0, 0], [0, 0, 1]


def plain(value):
    """Dataclasses and arrays as something that == compares."""
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.tolist())
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple | list) else value


def one_square(material=None, texture=None, image=None, node=None, **attributes):
    return Asset(
        nodes=(node or Node(geometry=0),),
        geometries=(Geometry(primitives=(Primitive({"POSITION": SQUARE} | attributes, CORNERS, material=0),)),),
        materials=(material or AssetMaterial(),),
        textures=(texture,) if texture else (),
        images=(image,) if image else (),
    )


@pytest.mark.parametrize("ending", ["glb", "gltf"])
def test_everything_survives_writing_and_reading(tmp_path, ending):
    asset = rich_asset()
    save(tmp_path / f"rich.{ending}", asset)
    again = load_asset(tmp_path / f"rich.{ending}")
    expected, found = plain(asset), plain(again)
    assert found.pop("extensions_used") == ["KHR_materials_ior", "KHR_materials_unlit", "KHR_texture_transform"]
    for key in ("name", "generator", "changes", "extensions_used"):
        expected.pop(key), found.pop(key, None)
    assert found == expected
    assert sorted(os.listdir(tmp_path)) == (["rich.bin", "rich.gltf"] if ending == "gltf" else ["rich.glb"])


def test_writing_what_was_read_changes_no_byte(tmp_path):
    save(tmp_path / "a.glb", rich_asset())
    save(tmp_path / "b.glb", load_asset(tmp_path / "a.glb"))
    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "b.glb").read_bytes()


def test_a_joint_without_weight_is_written_as_none(tmp_path):
    joints, weights = np.uint16([[1, 1, 0, 0]] * 4), np.float32([[1, 0, 0, 0]] * 4)
    primitive = Primitive({"POSITION": SQUARE, "JOINTS_0": joints, "WEIGHTS_0": weights}, CORNERS)
    save(tmp_path / "a.glb", Asset(geometries=(Geometry((primitive,)),)))
    again = load_asset(tmp_path / "a.glb").geometries[0].primitives[0]
    assert again.attributes["JOINTS_0"].tolist() == [[1, 0, 0, 0]] * 4


@pytest.mark.parametrize("ending", ["glb", "gltf"])
def test_a_mesh_survives_writing_and_reading(tmp_path, ending):
    sphere = shapes.sphere(8, 5)
    rng = np.random.default_rng(0)
    colors, texture = rng.random((len(sphere.vertices), 3), dtype=np.float32), rng.integers(0, 2, (4, 6, 3))
    mesh = sphere.replace(vertex_colors=colors, texture=texture.astype(np.float32))
    save(tmp_path / f"a.{ending}", mesh)
    again = load(tmp_path / f"a.{ending}")
    for name in ("vertices", "vertex_colors"):
        assert (getattr(again, name)[again.triangles] == getattr(mesh, name)[mesh.triangles]).all()
    uv_triangles = mesh.triangles if mesh.uv_triangles is None else mesh.uv_triangles
    assert (again.uv[again.uv_triangles] == mesh.uv[uv_triangles]).all()
    assert (again.texture == mesh.texture).all()


def test_a_seam_of_the_uv_is_no_seam_of_the_mesh(tmp_path):
    uv = np.random.default_rng(0).random((36, 2), dtype=np.float32)
    cube = Mesh(shapes.cube().vertices, shapes.cube().triangles, uv=uv, uv_triangles=np.arange(36).reshape(12, 3))
    save(tmp_path / "a.glb", cube)
    assert len(load_asset(tmp_path / "a.glb").geometries[0].primitives[0].attributes["POSITION"]) == 36
    again = load(tmp_path / "a.glb")
    assert len(again.vertices) == 8
    assert (again.uv[again.uv_triangles] == uv.reshape(12, 3, 2)).all()


def test_interleaved_normalized_sparse_and_missing_data_are_read(tmp_path):
    asset = load_asset(write_awkward(tmp_path / "a.gltf"))
    primitive = asset.geometries[0].primitives[0]
    assert primitive.attributes["POSITION"].tolist() == SQUARE.tolist()
    assert primitive.attributes["TEXCOORD_0"].tolist() == SQUARE_UV.tolist()
    assert primitive.attributes["COLOR_0"][1:3].tolist() == pytest.approx(np.array([[0, 0.2, 0, 1], [0, 0, 0.4, 1]]))
    assert primitive.targets[0]["POSITION"].tolist() == np.zeros((4, 3)).tolist()
    assert primitive.triangles().tolist() == [[0, 1, 3], [1, 2, 3]]
    assert asset.images[0].pixels().tolist() == [[RED, BLUE]]


def test_the_most_negative_integers_are_minus_one():
    from intaglio.io.gltf.accessors import normalized

    assert normalized(np.int8([-128, -127, 0, 127])).tolist() == [-1, -1, 0, 1]


def test_matrices_of_bytes_have_padded_columns(tmp_path):
    def change(root):
        columns = bytes([1, 2, 3, 9, 4, 5, 6, 9, 7, 8, 9, 9]) * 4
        root["buffers"].append({"uri": data_uri(columns), "byteLength": 48})
        root["bufferViews"].append({"buffer": 2, "byteLength": 48})
        root["accessors"].append({"bufferView": 4, "componentType": 5121, "count": 4, "type": "MAT3"})
        root["meshes"][0]["primitives"][0]["attributes"]["_TURN"] = 5

    primitive = load_asset(write_awkward(tmp_path / "a.gltf", change)).geometries[0].primitives[0]
    assert primitive.attributes["_TURN"].tolist() == [[1, 2, 3, 4, 5, 6, 7, 8, 9]] * 4


def test_files_beside_the_asset_are_read_by_their_encoded_names(tmp_path):
    def change(root):
        data = root["buffers"][1]["uri"].partition(",")[2]
        (tmp_path / "a b.bin").write_bytes(base64.b64decode(data))
        root["buffers"][1]["uri"] = "a%20b.bin"

    assert load(write_awkward(tmp_path / "a.gltf", change)).texture.tolist() == [[RED, BLUE]]


def test_nodes_place_what_they_hold():
    turn = (0.0, 0.0, float(np.sqrt(0.5)), float(np.sqrt(0.5)))
    child = Node(geometry=0, translation=(1.0, 0.0, 0.0), scale=(2.0, 2.0, 2.0))
    square = one_square()
    asset = dataclasses.replace(square, nodes=(Node(children=(1,), rotation=turn), child))
    # x becomes y: (1, 0, 0), twice as large and one to the right, stands at (0, 3, 0)
    assert asset.mesh().vertices == pytest.approx(np.array([[0, 1, 0], [0, 3, 0], [-2, 3, 0], [-2, 1, 0]]), abs=1e-6)


def test_a_mirrored_node_keeps_its_outside_outside():
    mirrored = one_square(node=Node(geometry=0, scale=(-1.0, 1.0, 1.0))).mesh()
    assert mirrored.face_normals().tolist() == [[0, 0, 1]] * 2


def test_joints_bend_what_they_hold_and_weights_morph_it():
    asset = rich_asset()
    nodes = list(asset.nodes)
    nodes[5] = dataclasses.replace(nodes[5], translation=(0.0, 1.0, 4.0))  # the knee moves out by 4
    skinned = dataclasses.replace(asset, nodes=tuple(nodes), scenes=(), scene=None)
    only = dataclasses.replace(skinned, nodes=tuple(Node() if k < 3 else n for k, n in enumerate(nodes)))
    # z of the upper corners: half of the morph's 1, then three quarters of the knee's 4
    assert only.mesh().vertices[:, 2].tolist() == [0, 0, 3.5, 3.5]


def test_only_the_shown_scene_is_in_the_mesh():
    asset = rich_asset()
    assert len(asset.mesh().triangles) == 6
    assert list(asset.shown()) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match=r"^the asset: shows no triangles \(load_asset\(path\) holds"):
        dataclasses.replace(asset, scene=1).mesh()


def test_the_lower_left_quarter_turned_by_a_right_angle():
    """The example of KHR_texture_transform's text."""
    use = TextureUse(0, offset=(0.0, 1.0), rotation=np.pi / 2, scale=(0.5, 0.5))
    assert use.transformed(np.array([[0, 0], [1, 0], [0, 1]])) == pytest.approx(np.array([[0, 1], [0, 0.5], [0.5, 1]]))


def test_a_base_colour_tints_its_texture():
    material = AssetMaterial(base_color=(1.0, 0.5, 0.5, 1.0), base_color_texture=TextureUse(0))
    mesh = one_square(material, Texture(0), picture([255, 255, 255], [0, 0, 255]), TEXCOORD_0=SQUARE_UV).mesh()
    assert mesh.texture.tolist() == [[[1, 0.5, 0.5], [0, 0, 0.5]]]
    assert mesh.uv[mesh.uv_triangles][0].tolist() == SQUARE_UV[:3].tolist()


def test_a_clamped_texture_is_clamped_in_the_mesh_too():
    material, texture = AssetMaterial(base_color_texture=TextureUse(0)), Texture(0, CLAMP_TO_EDGE, CLAMP_TO_EDGE)
    uv = np.float32([[-1, 0.5], [2, 0.5], [2, 0.5], [-1, 0.5]])
    mesh = one_square(material, texture, picture([255, 0, 0], [0, 0, 255]), TEXCOORD_0=uv).mesh()
    assert mesh.texture[1, 1:7].tolist() == [RED, RED, RED, BLUE, BLUE, BLUE]


def test_plain_colours_become_those_of_faces():
    mesh = one_square(AssetMaterial(base_color=(1.0, 0.5, 0.0, 1.0))).mesh()
    assert mesh.face_textures.reshape(-1, 3).tolist() == [[1, 0.5, 0]] * 2


def test_strips_and_fans_are_taken_apart():
    strip = Primitive({"POSITION": np.zeros((5, 3), np.float32)}, mode=5)
    assert strip.triangles().tolist() == [[0, 1, 2], [1, 3, 2], [2, 3, 4]]
    assert dataclasses.replace(strip, mode=6).triangles().tolist() == [[1, 2, 0], [2, 3, 0], [3, 4, 0]]
    assert dataclasses.replace(strip, mode=4).triangles().tolist() == [[0, 1, 2]]
    assert dataclasses.replace(strip, mode=1).triangles().tolist() == []


def test_other_kinds_of_file_are_assets_of_one_geometry(tmp_path):
    save(tmp_path / "cube.stl", shapes.cube())
    assert len(load_asset(tmp_path / "cube.stl").geometries[0].primitives[0].triangles()) == 12
    save(tmp_path / "rich.ply", rich_asset())
    assert len(load(tmp_path / "rich.ply").triangles) == 6


def test_an_empty_mesh_is_no_gltf(tmp_path):
    with pytest.raises(ValueError, match=r"^save: mesh must have triangles; got none$"):
        save(tmp_path / "a.glb", Mesh(SQUARE, np.zeros((0, 3), dtype=np.int32)))
