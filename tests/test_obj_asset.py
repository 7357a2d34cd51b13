# SPDX-License-Identifier: MIT
"""OBJ with its groups, normals and materials."""

import dataclasses

import numpy as np
import pytest

from intaglio import InputError, load, load_asset, save, save_image
from intaglio.io import mtl_asset
from intaglio.io.asset import CLAMP_TO_EDGE
from intaglio.picture import linear_from_srgb

OBJ = """mtllib all materials.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vn 0 0 9
vn 0 0 0
g left wing
usemtl dark metal
f 1/1/1 2/2/1 3/3/1
usemtl glass
f 1//1 3//1 4//2
g
f 1 2 3
g left wing
f 2 3 4
"""
MTL = """newmtl dark metal
Kd 0.5 0.5 0.5
Pr 0.25
Pm 1
Ke 0 1 0
norm -bm 0.5 bumps.png
newmtl glass
map_Kd -clamp on -s 2 4 -o 0.5 0.25 the maps/a b.png
map_Pr rough.png
map_Pm metal.png
map_Bump heights.png
d 0.5
"""


@pytest.fixture
def asset(tmp_path):
    (tmp_path / "the maps").mkdir()
    save_image(tmp_path / "the maps" / "a b.png", np.ones((1, 2, 3)))
    save_image(tmp_path / "bumps.png", np.full((1, 1, 3), [0.5, 0.5, 1.0]), linear=False)
    save_image(tmp_path / "heights.png", np.full((1, 1, 3), 0.5), linear=False)
    save_image(tmp_path / "rough.png", np.array([[0.2, 0.4]]), linear=False)
    save_image(tmp_path / "metal.png", np.array([[0.6]]), linear=False)
    (tmp_path / "all materials.mtl").write_text(MTL)
    (tmp_path / "a.obj").write_text(OBJ)
    return load_asset(tmp_path / "a.obj")


def test_groups_are_nodes_and_materials_are_primitives(asset):
    assert [node.name for node in asset.nodes] == ["left wing", ""]
    assert [[p.material for p in g.primitives] for g in asset.geometries] == [[0, 2], [2]]
    assert [[len(p.triangles()) for p in g.primitives] for g in asset.geometries] == [[1, 2], [1]]
    assert [m.name for m in asset.materials] == ["dark metal", "glass", "glass without pictures"]
    assert asset.materials[2].base_color_texture is None  # for its faces have no uv


def test_normals_become_unit_normals_where_all_corners_have_one(asset):
    whole, partly = asset.geometries[0].primitives
    assert whole.attributes["NORMAL"].tolist() == [[0, 0, 1]] * 3
    assert whole.attributes["TEXCOORD_0"].tolist() == [[0, 1], [1, 1], [1, 0]]
    assert partly.attributes.keys() == {"POSITION"}


def test_faces_with_and_without_uv_are_kept_apart(tmp_path):
    text = (
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\nf 1/1 2/1 3/1\nf 1 2 3\nf 1//1 2//1 3//1\nf 1/1/1 2/1/1 3/1/1\n"
    )
    (tmp_path / "a.obj").write_text(text)
    primitives = load_asset(tmp_path / "a.obj").geometries[0].primitives
    assert [sorted(p.attributes) for p in primitives] == [
        ["NORMAL", "POSITION", "TEXCOORD_0"],
        ["POSITION", "TEXCOORD_0"],
        ["NORMAL", "POSITION"],
        ["POSITION"],
    ]


def test_materials_become_metallic_and_rough(asset):
    metal, glass, _ = asset.materials
    assert metal.base_color == pytest.approx((*[float(linear_from_srgb(np.array(0.5)))] * 3, 1))
    assert (metal.metallic, metal.roughness, metal.emissive, metal.normal_scale) == (1, 0.25, (0, 1, 0), 0.5)
    assert asset.images[asset.textures[metal.normal_texture.texture].image].name == "bumps.png"
    assert (glass.metallic, glass.roughness, glass.alpha_mode, glass.base_color) == (1, 1, "BLEND", (1, 1, 1, 0.5))
    assert glass.normal_texture is None  # a map of heights


def test_maps_are_placed_as_v_from_the_bottom_has_it(asset):
    use = asset.materials[1].base_color_texture
    assert asset.textures[use.texture].wrap_s == CLAMP_TO_EDGE
    bottom_left = use.transformed(np.array([0.0, 1.0]))
    assert bottom_left.tolist() == [0.5, 0.75]  # the offset, 0.5 and 0.25 from the bottom
    assert (use.transformed(np.array([1.0, 0.0])) - bottom_left).tolist() == [2, -4]


def test_roughness_and_metal_share_a_picture(asset):
    image = asset.images[asset.textures[asset.materials[1].metallic_roughness_texture.texture].image]
    assert np.round(image.pixels(linear=False) * 255).tolist() == [[[255, 51, 153], [255, 102, 153]]]


def test_groups_normals_and_materials_survive_writing_and_reading(asset, tmp_path):
    save(tmp_path / "b.obj", asset)
    again = load_asset(tmp_path / "b.obj")
    assert [node.name for node in again.nodes] == [node.name for node in asset.nodes]
    for before, after in zip(asset.geometries, again.geometries, strict=True):
        for a, b in zip(before.primitives, after.primitives, strict=True):
            assert a.material == b.material
            assert a.attributes.keys() == b.attributes.keys()
            for name in a.attributes:
                assert (a.attributes[name][a.triangles()] == b.attributes[name][b.triangles()]).all()
    for before, after in zip(asset.materials, again.materials, strict=True):
        for name, value in vars(before).items():
            if name.endswith("texture") and value is not None:
                use = getattr(after, name)
                assert (use.offset, use.scale) == (value.offset, value.scale)
                pixels = [x.images[x.textures[u.texture].image].pixels() for x, u in ((asset, value), (again, use))]
                assert (pixels[0] == pixels[1]).all()
            elif not name.endswith("texture") and name not in ("extensions", "extras"):
                assert getattr(after, name) == (pytest.approx(value, abs=1e-6) if isinstance(value, tuple) else value)


def test_two_pictures_of_one_name_are_two_files(asset, tmp_path):
    images = tuple(dataclasses.replace(image, name="../x.png") for image in asset.images)
    (tmp_path / "out").mkdir()
    save(tmp_path / "out" / "b.obj", dataclasses.replace(asset, images=images))
    again = load_asset(tmp_path / "out" / "b.obj")
    assert len({image.data for image in again.images}) == len({image.data for image in asset.images})


def test_a_shininess_is_a_roughness(tmp_path):
    (tmp_path / "m.mtl").write_text("newmtl a\nNs 30\nKs 1 1 1\nnewmtl b\nNs 30\nKs 0 0 0\n")
    (tmp_path / "a.obj").write_text(OBJ.replace("all materials", "m").replace("dark metal", "a").replace("glass", "b"))
    shiny, matt = load_asset(tmp_path / "a.obj").materials
    assert shiny.roughness == pytest.approx(0.5)
    assert matt.roughness == 1


def test_an_obj_becomes_a_glb_with_all_of_it(asset, tmp_path):
    save(tmp_path / "a.glb", asset)
    again = load_asset(tmp_path / "a.glb")
    assert [material.name for material in again.materials] == [material.name for material in asset.materials]
    assert len(load(tmp_path / "a.glb").triangles) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Pr x", "m.mtl:2: Pr must be a finite number; got 'x'"),
        ("Ke -2 0 0", "m.mtl:2: Ke must be a number from 0 on, or three; got '-2 0 0'"),
        ("norm -bm x a.png", "m.mtl:2: norm -bm must be a number up to 1e+30; got 'x'"),
        ("map_Pr ../a.png", "m.mtl:2: names a file outside of its folder"),
        ("map_Pm a.png", "a.png: there is no such file"),
    ],
)
def test_a_damaged_material_is_named(tmp_path, line, message):
    (tmp_path / "m.mtl").write_text(f"newmtl x\n{line}\n")
    (tmp_path / "a.obj").write_text("mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl x\nf 1 2 3\n")
    with pytest.raises(InputError) as error:
        load_asset(tmp_path / "a.obj")
    assert str(error.value).startswith(f"{tmp_path}/{message}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("usemtl glass", "usemtl wood"), "a.obj:15: usemtl names no material of all materials.mtl: 'wood'"),
        (("4//2", "4//3"), "a.obj:15: f names normal 3 of 2"),
        (("vn 0 0 9", "vn 0 0"), "a.obj:9: vn must have 3 numbers; got '0 0'"),
        (("vn 0 0 9", "vn 0 0 1e39"), "a.obj: vn number 1 is not finite in 32 bits"),
    ],
)
def test_a_damaged_obj_is_named(asset, tmp_path, change, message):
    (tmp_path / "a.obj").write_text(OBJ.replace(*change))
    with pytest.raises(InputError) as error:
        load_asset(tmp_path / "a.obj")
    assert str(error.value).startswith(f"{tmp_path}/{message}")


TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl a\nf 1/1 2/1 3/1\n"


def test_a_library_named_a_thousand_times_is_read_once(tmp_path, monkeypatch):
    (tmp_path / "a.mtl").write_text("newmtl a\nKd 1 0 0\n")
    (tmp_path / "b.mtl").write_text("newmtl a\nKd 0 1 0\n")
    libraries = "".join(f"mtllib {'./' * (k % 9)}{name}.mtl\n" for k in range(1000) for name in "ab")
    (tmp_path / "a.obj").write_text(libraries + "mtllib a.mtl\n" + TRIANGLE)
    read, files = mtl_asset.read_mtl, []
    monkeypatch.setattr(mtl_asset, "read_mtl", lambda path, limits: files.append(path.name) or read(path, limits))
    mesh = load(tmp_path / "a.obj")
    assert files == ["b.mtl", "a.mtl"]
    assert mesh.face_textures.ravel().tolist() == [1, 0, 0]  # what stands last counts


def test_a_bump_that_many_materials_name_is_looked_at_once(tmp_path, monkeypatch):
    save_image(tmp_path / "p.png", np.ones((2, 2, 3)))
    (tmp_path / "a.mtl").write_text("".join(f"newmtl {name}\nbump p.png\n" for name in "abcdef"))
    (tmp_path / "a.obj").write_text("mtllib a.mtl\n" + TRIANGLE)
    decode, files = mtl_asset.decode_image, []
    monkeypatch.setattr(
        mtl_asset, "decode_image", lambda data, path, **how: files.append(path) or decode(data, path, **how)
    )
    load_asset(tmp_path / "a.obj")
    assert len(files) == 1


def test_a_map_of_a_hundred_thousand_options_is_read_once(tmp_path):
    save_image(tmp_path / "p.png", np.ones((2, 2, 3)))
    (tmp_path / "a.mtl").write_text(f"newmtl a\nmap_Kd {'-o 1 1 1 -bm 2 ' * 100_000}-s 2 p.png\n")
    (tmp_path / "a.obj").write_text("mtllib a.mtl\n" + TRIANGLE)
    use = load_asset(tmp_path / "a.obj").materials[0].base_color_texture
    assert use.scale == (2.0, 1.0)


def test_bumps_beyond_32_bits_are_named(tmp_path):
    (tmp_path / "a.mtl").write_text("newmtl a\nbump -bm 1e39 p.png\n")
    (tmp_path / "a.obj").write_text("mtllib a.mtl\n" + TRIANGLE)
    with pytest.raises(InputError, match=r"a.mtl:2: bump -bm must be a number up to 1e\+30; got '1e39'"):
        load(tmp_path / "a.obj")
