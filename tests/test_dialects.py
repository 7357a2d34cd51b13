# SPDX-License-Identifier: MIT
"""Files as other programs write them, and what strangers' names, numbers and pictures must not do."""

import io
import json
import warnings

import numpy as np
import pytest
from PIL import Image as Pillow

from intaglio import InputError, Material, load, load_asset, ops, save, save_image, shapes
from intaglio.cli import main
from intaglio.io import Limits, save_stl
from intaglio.io.asset import Asset, AssetMaterial, Geometry, Image, Node, Primitive, SceneRoots, Texture, TextureUse
from intaglio.io.painting import LARGEST_SIDE
from intaglio.picture import linear_from_srgb, png_bytes

RED, GREEN = np.uint8([[[255, 0, 0]]]), np.uint8([[[0, 255, 0]]])
TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\n"


def obj(folder, mtl="", use="usemtl x", vertices=TRIANGLE, face="f 1/1 2/2 3/3"):
    (folder / "m.mtl").write_text(mtl)
    (folder / "a.obj").write_text(f"mtllib m.mtl\n{vertices}{use}\n{face}\n")
    return folder / "a.obj"


def material_of(folder, *lines):
    (material,) = load_asset(obj(folder, "\n".join(["newmtl x", *lines]))).materials
    return material


def square(image=None, name="x", geometry=None, **described):
    """An asset of a triangle, painted with an image."""
    attributes = {"POSITION": np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0]]), "TEXCOORD_0": np.zeros((3, 2), np.float32)}
    primitive = Primitive(attributes=attributes, material=0)
    painted = AssetMaterial(name=name, base_color_texture=TextureUse(0) if image else None, **described)
    return Asset(
        nodes=(Node(geometry=0, name=name),),
        geometries=(geometry or Geometry((primitive,)),),
        scenes=(SceneRoots((0,)),),
        scene=0,
        materials=(painted,),
        textures=(Texture(0),) if image else (),
        images=(image,) if image else (),
    )


# --- OBJ and MTL


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("Kd 0.5", "base_color", (*linear_from_srgb(np.full(3, 0.5)), 1.0)),
        ("Kd 1.0000001 1 3", "base_color", (1, 1, 1, 1)),
        ("Kd spectral a.rfl", "base_color", (1, 1, 1, 1)),
        ("Ke 10 5 0", "emissive", (10, 10 * linear_from_srgb(np.float64(0.5)), 0)),
        ("d 0.25", "base_color", (1, 1, 1, 0.25)),
        ("d -halo 0.25", "base_color", (1, 1, 1, 0.25)),
        ("Tr 0.25", "base_color", (1, 1, 1, 0.75)),
        ("Ns nan", "roughness", 1.0),
        ("Ks 1.5 1.5 1.5\nNs 0", "roughness", 1.0),
    ],
)
def test_what_programs_say_of_a_material(tmp_path, line, name, value):
    assert getattr(material_of(tmp_path, line), name) == pytest.approx(value)


def test_names_keep_their_spaces(tmp_path):
    save_image(tmp_path / "my  picture -s 1.png", np.ones((1, 1, 3)))
    mtl = "newmtl two  words\nmap_Kd -s 1 1 1 my  picture -s 1.png"
    asset = load_asset(obj(tmp_path, mtl, "g a  b\nusemtl two  words"))
    assert (asset.materials[0].name, asset.images[0].name) == ("two  words", "my  picture -s 1.png")
    assert asset.nodes[0].name == "a  b"


@pytest.mark.parametrize("name", ["a\\", "-s 1 2", "-clamp on x", "two  spaces", "#", "a/../b", ""])
def test_what_is_written_under_any_name_is_read_again(tmp_path, name):
    image = Image(data=png_bytes(RED), name=f"{name}.png", height=1, width=1)
    save(tmp_path / "a.obj", square(image, name))
    np.testing.assert_allclose(load(tmp_path / "a.obj").texture, [[[1, 0, 0]]])


def test_pictures_of_one_export_replace_no_others(tmp_path):
    (tmp_path / "texture.png").write_bytes(b"a photograph")
    for name, color in (("a", RED), ("b", GREEN)):
        save(tmp_path / f"{name}.obj", square(Image(data=png_bytes(color), name="texture", height=1, width=1)))
    np.testing.assert_allclose(load(tmp_path / "a.obj").texture, [[[1, 0, 0]]])
    np.testing.assert_allclose(load(tmp_path / "b.obj").texture, [[[0, 1, 0]]])
    assert (tmp_path / "texture.png").read_bytes() == b"a photograph"
    again = load_asset(tmp_path / "a.obj")
    save(tmp_path / "a.obj", again)
    assert load_asset(tmp_path / "a.obj").images[0].name == again.images[0].name


def test_a_picture_is_read_once_however_it_is_spelled(tmp_path):
    (tmp_path / "d").mkdir()
    save_image(tmp_path / "a.png", np.ones((1, 1, 3)))
    mtl = "".join(f"newmtl x{k}\nmap_Kd {'d/../' * k}a.png\n" for k in range(4))
    assert len(load_asset(obj(tmp_path, mtl, "usemtl x0")).images) == 1


@pytest.mark.parametrize("ending", ["obj", "glb"])
def test_a_tint_and_a_strong_glow_survive(tmp_path, ending):
    mesh = shapes.cube()
    texture = np.full((2, 2, 3), 0.5, np.float32)
    material = Material(base_color=(0.5, 0.25, 1.0), emissive=(5.0, 2.5, 0.0))
    save(tmp_path / f"a.{ending}", mesh.replace(texture=texture, material=material))
    again = load(tmp_path / f"a.{ending}")
    np.testing.assert_allclose(again.texture[0, 0], [0.25, 0.125, 0.5], atol=4e-3)
    np.testing.assert_allclose(again.material.emissive, [5, 2.5, 0], rtol=1e-5)


def test_normals_are_bent_with_what_they_stand_on(tmp_path):
    normal = np.float32([[0, 0, 1]] * 3)
    attributes = {"POSITION": np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0]]), "NORMAL": normal}
    target = {"NORMAL": np.float32([[0, 1, -1]] * 3)}
    geometry = Geometry((Primitive(attributes=attributes, material=0, targets=(target,)),), weights=(1.0,))
    asset = square(geometry=geometry)
    save(tmp_path / "a.obj", asset)
    np.testing.assert_allclose(load(tmp_path / "a.obj").normals, asset.mesh().normals[:1].repeat(3, axis=0), atol=1e-6)
    np.testing.assert_allclose(asset.mesh().normals[0], [0, 1, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("vertex", "color"),
    [("1 0 0 1 0.5 0 0", (0.5, 0, 0)), ("1 0 0 0.5 0 0 1", (0.5, 0, 0)), ("1 0 0 1.0001 0 0", (1, 0, 0))],
)
def test_a_weight_or_an_alpha_beside_a_colour(tmp_path, vertex, color):
    path = obj(tmp_path, use="", vertices=f"v {vertex}\n" * 3, face="f 1 2 3")
    path.write_text(path.read_text().replace("mtllib m.mtl\n", ""))
    np.testing.assert_allclose(load(path).vertex_colors[0], linear_from_srgb(np.array(color)), atol=1e-6)


def test_normals_that_are_none_are_passed_over(tmp_path):
    path = obj(tmp_path, "newmtl x", vertices=TRIANGLE + "vn nan nan nan\n", face="f 1/1/1 2/2/1 3/3/1")
    assert load(path).normals is None
    assert "NORMAL" not in load_asset(path).geometries[0].primitives[0].attributes


# --- PLY


def ply(
    path, *, comment="", vertex="", rows=("0 0 0", "1 0 0", "0 1 0"), face="3 0 1 2", texcoord="", index="uchar int"
):
    text = f"ply\nformat ascii 1.0\n{comment}element vertex 3\n"
    text += "".join(f"property float {name}\n" for name in ("x", "y", "z", *vertex.split()))
    text += f"element face 1\nproperty list {index} vertex_indices\n{texcoord}end_header\n"
    path.write_text(text + "\n".join([*rows, face]) + "\n")
    return path


@pytest.mark.parametrize(("face", "named"), [("3 0 nan 2", "nan"), ("3 0 1.5 2", "1.5"), ("3 0 inf 2", "inf")])
def test_a_face_names_vertices_by_whole_numbers(tmp_path, face, named):
    with pytest.raises(InputError, match=f"face 0 names vertex {named} of 3"):
        load(ply(tmp_path / "a.ply", face=face, index="uchar float"))


def test_normals_of_a_ply_that_are_none_are_passed_over(tmp_path):
    rows = ("0 0 0 0 0 1", "1 0 0 0 0 1", "0 1 0 nan nan nan")
    assert load(ply(tmp_path / "a.ply", vertex="nx ny nz", rows=rows)).normals is None


def test_a_ply_of_several_pictures_is_refused(tmp_path):
    comment = "comment TextureFile a.png\ncomment TextureFile b.png\n"
    uv = ("0 0 0 0 0", "1 0 0 1 0", "0 1 0 0 1")
    with pytest.raises(InputError, match="names 2 pictures, of which one is read"):
        load(ply(tmp_path / "a.ply", comment=comment, vertex="s t", rows=uv))


def test_the_picture_of_a_ply_keeps_to_the_limits(tmp_path):
    save_image(tmp_path / "a.png", np.random.default_rng(0).uniform(size=(40, 40, 3)))
    uv = ("0 0 0 0 0", "1 0 0 1 0", "0 1 0 0 1")
    path = ply(tmp_path / "a.ply", comment="comment TextureFile a.png\n", vertex="s t", rows=uv)
    assert load(path).texture.shape == (40, 40, 3)
    with pytest.raises(InputError, match="max_bytes is 1000"):
        load(path, limits=Limits(max_bytes=1000))


# --- glTF


def test_pictures_of_several_frames_are_written_as_what_they_are(tmp_path):
    frames = [Pillow.fromarray(np.repeat(np.repeat(c, 8, 0), 8, 1)) for c in (RED, GREEN)]
    for kind, expected in (("MPO", "image/jpeg"), ("PNG", "image/png")):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        path = tmp_path / f"a.{'png' if kind == 'PNG' else 'jpg'}"
        path.write_bytes(file.getvalue())
        (image,) = load_asset(obj(tmp_path, f"newmtl x\nmap_Kd {path.name}")).images
        assert image.mime_type == expected


def test_a_picture_that_only_an_extension_asks_for_is_kept(tmp_path):
    sound = Image(data=png_bytes(RED), height=1, width=1)
    other = Image(data=b"RIFF....WEBP", mime_type="image/webp")
    asset = square(sound)
    texture = Texture(0, extensions={"EXT_texture_webp": {"source": 1}})
    save(tmp_path / "a.glb", Asset(**{**vars(asset), "images": (sound, other), "textures": (texture,)}))
    again = load_asset(tmp_path / "a.glb")
    assert [(x.mime_type, x.data) for x in again.images] == [("image/png", sound.data), ("image/webp", other.data)]
    np.testing.assert_allclose(again.mesh().texture, [[[1, 0, 0]]])
    save(tmp_path / "a.glb", Asset(**{**vars(asset), "images": (other,), "textures": (Texture(0),)}))
    with pytest.raises(InputError, match="is not a PNG or JPEG picture"):
        load_asset(tmp_path / "a.glb")


# --- writing


@pytest.mark.parametrize("ending", ["obj", "ply", "stl", "glb", "gltf"])
def test_what_is_not_finite_replaces_nothing(tmp_path, ending):
    cube = shapes.cube()
    save(tmp_path / f"a.{ending}", cube)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    vertices = cube.vertices.copy()
    vertices[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"vertices must be finite; got \[.*nan.*\] in row 2"):
        save(tmp_path / f"a.{ending}", cube.replace(vertices=vertices))
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("ending", ["obj", "ply", "stl"])
def test_an_asset_that_leads_beyond_all_numbers_replaces_nothing(tmp_path, ending):
    save(tmp_path / f"a.{ending}", shapes.cube())
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    asset = square(Image(data=png_bytes(RED), height=1, width=1))
    far = Asset(**{**vars(asset), "nodes": (Node(geometry=0, scale=(1e38, 1e38, 1), translation=(3e38, 3e38, 0)),)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match="beyond 32 bits"):
            save(tmp_path / f"a.{ending}", far)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_long_normals_of_a_ply_are_shortened_without_a_word(tmp_path):
    rows = ("0 0 0 0 0 1e30", "1 0 0 0 0 1e30", "0 1 0 0 0 1e30")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asset = load_asset(ply(tmp_path / "a.ply", vertex="nx ny nz", rows=rows))
    assert asset.geometries[0].primitives[0].attributes["NORMAL"].tolist() == [[0, 0, 1]] * 3


def test_colours_declared_as_large_integers_are_bytes(tmp_path):
    for kind, full in (("int", 255), ("short", 255), ("uchar", 255), ("ushort", 65535)):
        path = ply(
            tmp_path / "a.ply", vertex="red green blue", rows=[f"{p} {full} 0 0" for p in ("0 0 0", "1 0 0", "0 1 0")]
        )
        text = path.read_text()
        for name in ("red", "green", "blue"):
            text = text.replace(f"property float {name}", f"property {kind} {name}")
        path.write_text(text)
        assert load(path).vertex_colors.tolist() == [[1, 0, 0]] * 3


def test_a_comment_may_speak_of_the_end_and_a_binary_end_with_a_newline(tmp_path):
    save(tmp_path / "a.ply", shapes.cube())
    data = (tmp_path / "a.ply").read_bytes().replace(b"1.0\n", b"1.0\ncomment no end_header yet\n", 1)
    for end in (b"", b"\n", b"\r\n"):
        (tmp_path / "b.ply").write_bytes(data + end)
        assert len(load(tmp_path / "b.ply").triangles) == 12
    (tmp_path / "b.ply").write_bytes(data + b"\r\nx")
    with pytest.raises(InputError, match="has 3 bytes more than its header declares"):
        load(tmp_path / "b.ply")


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: "\ufeff" + text, lambda text: text.replace("solid ", "solid " + 2000 * "x")]
)
def test_text_stl_of_other_programs(tmp_path, change):
    save_stl(tmp_path / "a.stl", shapes.cube(), text=True)
    (tmp_path / "b.stl").write_text(change((tmp_path / "a.stl").read_text()), encoding="utf-8")
    assert len(load(tmp_path / "b.stl").triangles) == 12
    (tmp_path / "b.stl").write_text("solid x\nendsolid x\n")
    with pytest.raises(InputError, match="holds no triangles"):
        load(tmp_path / "b.stl")


def test_no_text_of_a_file_reaches_the_terminal_raw(tmp_path, capsys):
    asset = square(name="\x1b[31mred")
    path = tmp_path / "a.glb"
    save(path, Asset(**{**vars(asset), "copyright": "\x1b]0;title\x07", "extensions_used": ()}))
    assert main(["info", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "?]0;title?" in shown
    with pytest.raises(InputError) as error:
        load(obj(tmp_path, "newmtl x", use="usemtl \x1b[31mred"))
    assert "\x1b" not in str(error.value)


@pytest.mark.parametrize("ending", ["ply", "glb", "obj"])
def test_alpha_of_vertices_survives_where_it_has_a_place(tmp_path, ending):
    colors = np.random.default_rng(0).uniform(size=(8, 4)).astype(np.float32)
    cube = shapes.cube()
    save(tmp_path / f"a.{ending}", cube.replace(uv=None, vertex_colors=colors, material=Material(alpha_mode="blend")))
    again = load(tmp_path / f"a.{ending}")
    order = [np.flatnonzero((again.vertices == place).all(axis=1))[0] for place in cube.vertices]
    np.testing.assert_allclose(again.vertex_colors[order], colors[:, : 3 if ending == "obj" else 4], atol=1e-6)


def test_strips_of_a_ply_become_triangles_that_face_one_way(tmp_path):
    """As Stanford's zippered scans have them: one list, in which -1 begins the next strip."""
    header = ["ply", "format ascii 1.0", "element vertex 6", *(f"property float {axis}" for axis in "xyz")]
    header += ["element tristrips 2", "property list int int vertex_indices", "end_header"]
    places = [f"{k // 2} {k % 2} 0" for k in range(6)]
    path = tmp_path / "a.ply"
    path.write_text("\n".join([*header, *places, "9 0 2 1 3 -1 3 2 5 4", "3 5 3 4", ""]))
    mesh = load(path)
    assert mesh.triangles.tolist() == [[0, 2, 1], [1, 2, 3], [3, 2, 5], [5, 2, 4], [5, 3, 4]]
    x, y = mesh.vertices[mesh.triangles].astype(np.float64)[..., :2].transpose(2, 0, 1)
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    assert area.tolist() == [1, 1, 1, 1, 1]


def test_lines_of_an_obj_go_on_after_a_backslash_but_comments_do_not(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("# from C:\\scans\\\nv 0 0 0\nv 1 \\\n 0 0\nv 0 1 0\nf 1 \\\r\n2 3\nf 1 2 9\n")
    with pytest.raises(InputError, match=r"a\.obj:8: f names vertex 9 of 3$"):
        load(path)
    path.write_text(path.read_text().replace("f 1 2 9\n", ""))
    assert load(path).vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]


def test_lines_of_an_obj_may_end_as_on_very_old_systems(tmp_path):
    (tmp_path / "a.obj").write_bytes(b"v 0 0 0\rv 1 0 0\rv 0 1 0\rf 1 2 3\r")
    assert len(load(tmp_path / "a.obj").triangles) == 1


@pytest.mark.parametrize("kind", ["obj", "ply", "gltf"])
def test_a_picture_that_is_missing_is_said_to_be_named_by_its_file(tmp_path, kind):
    mesh = shapes.plane().replace(texture=np.zeros((2, 2, 3), np.float32))
    save(tmp_path / f"a.{kind}", mesh)
    if kind == "gltf":
        root = json.loads((tmp_path / "a.gltf").read_text())
        root["images"] = [{"uri": "a.png"}]
        (tmp_path / "a.gltf").write_text(json.dumps(root))
    else:
        (tmp_path / "a.png").unlink()
    named = {"obj": r"a\.mtl:\d+ names", "ply": r"a\.ply names", "gltf": r"a\.gltf names: images\[0\]"}[kind]
    with pytest.raises(InputError, match=rf"a\.png: there is no such file \(which {named}\)$"):
        load(tmp_path / f"a.{kind}")


def test_many_pictures_become_one_that_can_be_sampled(tmp_path):
    """One under the other they would be 20,560 texels high."""
    names = [f"p{k}" for k in range(40)]
    colors = np.random.default_rng(0).integers(0, 256, (40, 3), dtype=np.uint8)
    for k, (name, color) in enumerate(zip(names, colors, strict=True)):
        height, width = (512, 8 + 16 * k) if k % 3 else (16, 700)
        Pillow.fromarray(np.full((height, width, 3), color)).save(tmp_path / f"{name}.png")
    mtl = "".join(f"newmtl {name}\nmap_Kd {name}.png\n" for name in names)
    faces = "\n".join(f"usemtl {name}\nf 1/1 2/2 3/3" for name in names)
    mesh = load(obj(tmp_path, mtl, use="", face=faces))
    assert max(mesh.texture.shape) <= LARGEST_SIDE == ops.MAX_SIZE
    assert mesh.texture.shape[0] * mesh.texture.shape[1] < 2 * 40 * 512 * 330  # no more than twice what is in it
    for corners in (mesh.uv[mesh.uv_triangles], mesh.uv[mesh.uv_triangles].mean(axis=1, keepdims=True)):
        found = ops.sample_texture(mesh.texture[None], corners[None].astype(np.float32))[0]
        expected = linear_from_srgb(colors / 255)[:, None].repeat(found.shape[1], axis=1)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_ply_may_be_painted_with_light(tmp_path):
    save(tmp_path / "a.ply", shapes.plane().replace(texture=np.zeros((2, 2, 3), np.float32)))
    light = np.full((2, 2, 3), 4, np.float32)
    save_image(tmp_path / "a.hdr", light)
    (tmp_path / "a.hdr").replace(tmp_path / "a.png")  # its bytes tell
    np.testing.assert_array_equal(load(tmp_path / "a.ply").texture, light)
