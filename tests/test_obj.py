# SPDX-License-Identifier: MIT
import os
import re
import time

import numpy as np
import pytest

from intaglio import shapes
from intaglio.atlas import bake_face_textures
from intaglio.io import InputError, Limits, load_image, load_obj, save_image, save_obj
from intaglio.material import Material
from intaglio.mesh import Mesh
from intaglio.picture import linear_from_srgb

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"
SQUARE_UV = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


@pytest.fixture
def read(tmp_path):
    def read(text, **other_files):
        for name, content in other_files.items():
            (tmp_path / f"{name}.mtl").write_text(content)
        (tmp_path / "mesh.obj").write_text(text)
        return load_obj(tmp_path / "mesh.obj")

    return read


def picture(path, *rows):
    save_image(path, np.array(rows, dtype=np.float32))


@pytest.mark.parametrize(
    "faces",
    [
        "f 1 2 3 4",
        "f 1/1 2/2 3/3 4/4",
        "f 1//1 2//1 3//1 4//1",
        "f 1/1/1 2/2/1 3/3/1 4/4/1",
        "f -4 -3 -2 -1",
        "f 1/-4 2/-3/9 3/-2 4/-1",
    ],
)
def test_every_form_of_face_is_read_and_polygons_become_fans(read, faces):
    mesh = read(SQUARE + SQUARE_UV + "vn 0 0 1\n" + faces)
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    if "/" in faces and "//" not in faces:
        assert mesh.uv_triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_a_concave_polygon_loses_ears_until_it_is_triangles(read):
    dart = "v 0 0 0\nv 4 0 0\nv 1 1 0\nv 0 4 0\n"  # the fan of the second corner would reach outside
    mesh = read(dart + "f 2 3 4 1")
    areas = [np.cross(b - a, c - a)[2] / 2 for a, b, c in mesh.vertices[mesh.triangles].astype(float)]
    assert sorted(areas) == [2, 2]


def test_a_polygon_that_crosses_itself_and_one_of_many_corners_become_some_triangles(read, monkeypatch):
    assert len(read(SQUARE + "f 1 3 2 4").triangles) == 2
    spiral = [(k * np.cos(k), k * np.sin(k)) for k in np.linspace(1, 20, 200)]
    spiral += [(k * 0.9 * np.cos(k), k * 0.9 * np.sin(k)) for k in np.linspace(20, 1, 200)]
    text = "".join(f"v {x} {y} 0\n" for x, y in spiral) + "f " + " ".join(map(str, range(1, 401)))
    areas = [np.cross(b - a, c - a)[2] for a, b, c in read(text).vertices.astype(float)[read(text).triangles]]
    assert min(areas) >= -1e-4
    monkeypatch.setattr("intaglio.io.polygons.MOST_LOOKS", 1000)
    assert len(read(text).triangles) == 398


def test_v_is_counted_from_the_top_of_the_picture(read):
    assert read(SQUARE + SQUARE_UV + "f 1/1 2/2 3/3").uv.tolist() == [[0, 1], [1, 1], [1, 0], [0, 0]]


def test_comments_blank_lines_continued_lines_and_foreign_words_are_passed_over(read):
    mesh = read(
        "# made by hand\r\n\r\no thing\r\ng part\r\ns off\r\n"
        + SQUARE
        + "l 1 2\r\nvp 1\r\nf 1 2 \\\r\n 3 # the only one\r\n"
    )
    assert mesh.triangles.tolist() == [[0, 1, 2]]


def test_an_index_below_zero_counts_back_from_where_it_stands(read):
    assert read("v 0 0 0\nv 1 0 0\nv 1 1 0\nf -3 -2 -1\nv 0 1 0\nf -4 -2 -1\n").triangles.tolist() == [
        [0, 1, 2],
        [0, 2, 3],
    ]


def test_vertex_colours_are_read_as_srgb(read):
    mesh = read("v 0 0 0 1 0 0.5\nv 1 0 0 0 0 1\nv 1 1 0\nf 1 2 3")
    assert mesh.vertex_colors == pytest.approx(np.array([[1, 0, 0.21404], [0, 0, 1], [1, 1, 1]]), abs=1e-5)


def test_plain_materials_colour_their_faces(read):
    materials = "newmtl deep #1 red\nKd 1 0 0\nnewmtl grey\nKd 0.5 0.5 0.5\n"
    mesh = read(
        "mtllib colours.mtl\n" + SQUARE + "f 1 2 4\nusemtl deep #1 red\nf 2 3 4\nusemtl grey\nf 1 2 3",
        colours=materials,
    )
    assert mesh.face_textures.shape == (3, 1, 1, 1, 3)
    assert mesh.face_textures.reshape(3, 3) == pytest.approx(np.array([[1, 1, 1], [1, 0, 0], [0.21404] * 3]), abs=1e-5)


def test_one_picture_becomes_the_texture_whatever_its_name(read, tmp_path):
    (tmp_path / "the maps").mkdir()
    picture(tmp_path / "the maps" / "a b.png", [RED, BLUE])
    materials = "newmtl m\nKd 0.5 0.5 0.5\nmap_Kd -clamp on -s 1 1 1 -o 0 0 the maps\\a b.png\n"
    mesh = read("mtllib my colours.mtl\nusemtl m\n" + SQUARE + SQUARE_UV + "f 1/1 2/2 3/3", **{"my colours": materials})
    assert mesh.texture.tolist() == [[list(RED), list(BLUE)]]
    assert mesh.face_textures is None


def test_several_materials_are_packed_into_one_picture(read, tmp_path):
    picture(tmp_path / "red.png", [RED] * 3, [RED] * 3)
    picture(tmp_path / "blue.png", [BLUE])
    materials = "newmtl r\nmap_Kd red.png\nnewmtl b\nmap_Kd blue.png\nnewmtl g\nKd 0 1 0\n"
    faces = "usemtl r\nf 1/1 2/2 3/3\nusemtl b\nf 1/1 3/3 4/4\nusemtl g\nf 1/1 2/2 4/4\nusemtl r\nf 1 2 4\n"
    mesh = read("mtllib m.mtl\n" + SQUARE + SQUARE_UV + faces, m=materials)
    height, width = mesh.texture.shape[:2]
    seen = []
    for corners in mesh.uv[mesh.uv_triangles]:
        texels = {tuple(mesh.texture[int(v * height - 1e-3), int(u * width - 1e-3)].tolist()) for u, v in corners}
        assert len(texels) == 1
        seen.append(texels.pop())
    assert seen == [RED, BLUE, (0, 1, 0), (1, 1, 1)]


def test_materials_can_be_left_alone(tmp_path):
    (tmp_path / "mesh.obj").write_text("mtllib missing.mtl\nusemtl m\n" + SQUARE + "f 1 2 3")
    assert load_obj(tmp_path / "mesh.obj", materials=False).triangles.tolist() == [[0, 1, 2]]


def test_positions_and_triangles_survive_writing_and_reading(tmp_path):
    mesh = shapes.teapot()
    save_obj(tmp_path / "teapot.obj", mesh)
    again = load_obj(tmp_path / "teapot.obj")
    assert (again.vertices == mesh.vertices).all()
    assert (again.triangles == mesh.triangles).all()
    assert os.listdir(tmp_path) == ["teapot.obj"]


def test_colours_and_textures_survive_writing_and_reading(tmp_path):
    sphere = shapes.sphere(8, 5)
    rng = np.random.default_rng(0)
    texture = linear_from_srgb(rng.integers(0, 256, (4, 6, 3)) / 255).astype(np.float32)
    colors = rng.random((len(sphere.vertices), 3), dtype=np.float32)
    save_obj(tmp_path / "sphere.obj", sphere.replace(texture=texture, vertex_colors=colors))
    again = load_obj(tmp_path / "sphere.obj")
    assert again.texture == pytest.approx(texture, abs=1e-6)
    assert again.vertex_colors == pytest.approx(colors, abs=1e-6)
    assert again.uv[again.uv_triangles] == pytest.approx(sphere.uv[sphere.uv_triangles], abs=1e-7)
    assert sorted(os.listdir(tmp_path)) == ["sphere.mtl", "sphere.obj", "sphere.png"]


@pytest.mark.parametrize("resolution", [1, 2, 4])
def test_face_textures_are_written_as_a_picture_of_their_faces(tmp_path, resolution):
    cube = shapes.cube()
    textures = np.random.default_rng(0).random((12, *[resolution] * 3, 3), dtype=np.float32)
    save_obj(tmp_path / "cube.obj", Mesh(cube.vertices, cube.triangles, face_textures=textures))
    again = load_obj(tmp_path / "cube.obj")
    height, width = again.texture.shape[:2]
    last = resolution - 1
    for face, corners in enumerate(again.uv[again.uv_triangles]):
        column, row = corners[:, 0] * width - 0.5, corners[:, 1] * height - 0.5
        assert column == pytest.approx(column.round(), abs=1e-3)  # corners lie at texel centres
        texels = again.texture[row.round().astype(int), column.round().astype(int)]
        expected = textures[face, [last, 0, 0], [0, last, 0], [0, 0, last]]
        assert texels == pytest.approx(
            expected, abs=0.01
        )  # one of 255 steps, at most 2.4 times as wide in linear light


def test_a_tile_repeats_its_face_around_it():
    texture, uv, _ = bake_face_textures(np.stack([np.full((2, 2, 2, 3), k, dtype=np.float32) for k in (1, 2, 3)]))
    assert texture.shape == (12, 12, 3)
    assert (texture[:6, :6] == 1).all()
    assert (texture[:6, 6:] == 2).all()
    assert (texture[6:, :6] == 3).all()
    assert uv.min() > 0


def test_a_hundred_thousand_faces_are_read_in_a_second_or_two(tmp_path):
    save_obj(tmp_path / "large.obj", shapes.sphere(320, 160))
    start = time.perf_counter()
    assert len(load_obj(tmp_path / "large.obj").triangles) == 101_760
    assert time.perf_counter() - start < 8  # 0.6 s on a quiet core


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "", "holds no faces (is it a whole OBJ file?)"),
        ("\0\1\2 binary", "", "holds no faces (is it a whole OBJ file?)"),
        ("v 0 0\n", ":1", "v must have 3, 4, 6 or 7 numbers; got '0 0'"),
        ("v 0 0 x\n", ":1", "v must have 3, 4, 6 or 7 numbers; got '0 0 x'"),
        (SQUARE + "vt\nf 1 2 3", ":5", "vt must have 1, 2 or 3 numbers; got ''"),
        (SQUARE + "f 1 2", ":5", "f must have at least 3 corners; got 2 (is it a whole OBJ file?)"),
        (SQUARE + "f 1 2 5", ":5", "f names vertex 5 of 4"),
        (SQUARE + "f 1/1 2/2 3/3", ":5", "f names texture coordinate 1 of 0"),
        ("v 0 0 nan\nv 0 0 0\nv 0 0 1\nf 1 2 3", "", "v number 1 is not finite in 32 bits"),
        ("v 0 0 1\nv 0 1e39 0\nv 0 0 1\nf 1 2 3", "", "v number 2 is not finite in 32 bits"),
        (SQUARE + "vt inf 0\nf 1 2 3", "", "vt number 1 is not finite in 32 bits"),
        ("v 0 0 0 255 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3", "", "v number 1 has a colour outside of 0 to 1"),
        (SQUARE + "mtllib no.mtl\nf 1 2 3", None, "no.mtl: there is no such file (load_obj(..., materials=False)"),
        (SQUARE + "mtllib ../x.mtl\nf 1 2 3", ":5", "names a file outside of its folder"),
        (SQUARE + "mtllib /etc/passwd\nf 1 2 3", ":5", "names a file outside of its folder: /etc/passwd"),
        (SQUARE + "mtllib \0.mtl\nf 1 2 3", ":5", "names what no file can be called: '\\x00.mtl'"),
        (SQUARE + f"mtllib {'x' * 5000}\nf 1 2 3", ":5", "names what no file can be called: 'xxx"),
        (SQUARE + "mtllib m.mtl\nusemtl x\nf 1 2 3", ":7", "usemtl names no material of m.mtl: 'x' (load_obj("),
    ],
)  # fmt: skip
def test_a_damaged_obj_is_named(read, tmp_path, text, place, message):
    with pytest.raises(InputError) as error:
        read(text, m="newmtl y\n")
    if place is None:
        assert message in str(error.value)
    else:
        assert str(error.value).startswith(f"{tmp_path / 'mesh.obj'}{place}: {message}")


@pytest.mark.parametrize("corner", ["0", "-5", "a", "1/x", "1.5", "/1", "99999999999999999999", "1/0", "1/-1"])
def test_a_damaged_corner_is_named(read, tmp_path, corner):
    what = "f must have corners v, v/vt, v//vn or v/vt/vn, counted from 1, or back from -1"
    message = f"{tmp_path / 'mesh.obj'}:5: {what}; got {corner!r}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(SQUARE + f"f 1 2 {corner}")


@pytest.mark.parametrize(
    ("materials", "place", "message"),
    [
        ("Kd 1 1 1", "m.mtl:1", "Kd stands before the first newmtl"),
        ("newmtl x\nKd 1 1", "m.mtl:2", "Kd must be a number from 0 on, or three; got '1 1'"),
        ("newmtl x\nKd 1 1 -2", "m.mtl:2", "Kd must be a number from 0 on, or three; got '1 1 -2'"),
        ("newmtl x\nmap_Kd", "m.mtl:2", "map_Kd names no file"),
        ("newmtl x\nmap_Kd -t 2 a.png", "m.mtl:2", "map_Kd -t is not supported (bake it into the texture"),
        ("newmtl x\nmap_Kd missing.png", "missing.png", "there is no such file"),
        ("newmtl x\nmap_Kd ../secret.png", "m.mtl:2", "names a file outside of its folder: "),
        ("newmtl x\nmap_Kd link.png", "m.mtl:2", "names a file outside of its folder: "),
        ("newmtl x\nmap_Kd m.mtl", "m.mtl", "is not a PNG or JPEG picture (convert it to PNG)"),
    ],
)  # fmt: skip
def test_a_damaged_mtl_is_named(tmp_path, materials, place, message):
    folder = tmp_path / "asset"
    folder.mkdir()
    picture(tmp_path / "secret.png", [RED])
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "m.mtl").write_text(materials)
    (folder / "mesh.obj").write_text("mtllib m.mtl\nusemtl x\n" + SQUARE + SQUARE_UV + "f 1/1 2/2 3/3")
    with pytest.raises(InputError) as error:
        load_obj(folder / "mesh.obj")
    assert str(error.value).startswith(f"{folder / place}: {message}")


def test_a_picture_that_repeats_is_packed_as_often(read, tmp_path):
    picture(tmp_path / "red.png", [RED, BLUE])
    text = "mtllib m.mtl\n" + SQUARE + "vt 1.25 0\nvt 2.75 0\nvt 1.25 1\nusemtl r\nf 1/1 2/2 3/3\nusemtl g\nf 1 2 3\n"
    mesh = read(text, m="newmtl r\nmap_Kd red.png\nnewmtl g\nKd 0 1 0\n")
    assert mesh.texture[1, 1:5].tolist() == [list(RED), list(BLUE)] * 2
    columns = mesh.uv[mesh.uv_triangles][0, :, 0] * mesh.texture.shape[1] - 1
    assert columns == pytest.approx([0.5, 3.5, 0.5], abs=1e-5)


def test_a_picture_can_be_scaled_and_moved(read, tmp_path):
    picture(tmp_path / "column.png", [RED], [BLUE])  # v from the bottom: blue to 1/2, red to 1
    text = "mtllib m.mtl\nusemtl x\n" + SQUARE + SQUARE_UV + "f 1/1 2/2 3/3\n"
    mesh = read(text, m="newmtl x\nmap_Kd -s 1 0.25 -o 0 0.5 column.png\n")
    rows = mesh.uv[mesh.uv_triangles][0, :, 1] * mesh.texture.shape[0] - 1
    assert rows == pytest.approx([1, 1, 0.5], abs=1e-6)  # v 0.5, 0.5, 0.75 from the bottom, of two rows


def test_a_clamped_picture_is_not_repeated(read, tmp_path):
    picture(tmp_path / "red.png", [RED, BLUE])
    text = "mtllib m.mtl\nusemtl x\n" + SQUARE + "vt 0 0\nvt 2 0\nvt 2 1\nf 1/1 2/2 3/3\n"
    assert read(text, m="newmtl x\nmap_Kd -clamp on red.png\n").texture[1, 1:5].tolist() == [
        list(RED),
        list(BLUE),
        list(BLUE),
        list(BLUE),
    ]


def test_a_picture_that_repeats_too_often_is_named(read, tmp_path):
    picture(tmp_path / "red.png", [RED])
    text = "mtllib m.mtl\n" + SQUARE + "vt 0 0\nvt 1e30 0\nvt 1 1\nusemtl r\nf 1/1 2/2 3/3\nusemtl g\nf 1 2 3\n"
    message = "mesh.obj: has too many and too large pictures to pack into one (load_obj("
    with pytest.raises(InputError, match=re.escape(message)):
        read(text, m="newmtl r\nmap_Kd red.png\nnewmtl g\nKd 0 1 0\n")


def test_a_missing_obj_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.obj: there is no such file$"):
        load_obj(tmp_path / "none.obj")
    with pytest.raises(InputError, match=f"^{re.escape(str(tmp_path))}: cannot be read: Is a directory$"):
        load_obj(tmp_path)


def test_a_file_too_large_is_named(read, tmp_path):
    read(SQUARE + "f 1 2 3\n")
    for limits, message in [
        (Limits(max_bytes=10), "is too large: 40 bytes (max_bytes is 10)"),
        (Limits(max_vertices=3), "has too many vertices: 4 (max_vertices is 3)"),
    ]:
        with pytest.raises(InputError, match=f"mesh.obj: {re.escape(message)}$"):
            load_obj(tmp_path / "mesh.obj", limits=limits)


def test_what_cannot_be_written_is_named(tmp_path):
    cube = shapes.cube()
    batch = cube.replace(vertices=np.stack([cube.vertices] * 2))
    with pytest.raises(ValueError, match=r"^save_obj: mesh must be one mesh; got a batch \(take "):
        save_obj(tmp_path / "a.obj", batch)
    both = cube.replace(texture=np.ones((1, 1, 3)), face_textures=np.ones((12, 1, 1, 1, 3)))
    with pytest.raises(ValueError, match=r"^save_obj: mesh must have a texture or face textures; got both$"):
        save_obj(tmp_path / "a.obj", both)
    with pytest.raises(InputError, match=r"a.ply: meshes are written as OBJ \(end the name in .obj\)$"):
        save_obj(tmp_path / "a.ply", cube)
    with pytest.raises(InputError, match=r"a.obj: cannot be written: No such file or directory \(choose"):
        save_obj(tmp_path / "missing" / "a.obj", cube)
    assert os.listdir(tmp_path) == []


def test_pictures_written_with_a_mesh_can_be_read_alone(tmp_path):
    save_obj(tmp_path / "plane.obj", shapes.plane().replace(texture=np.ones((2, 3, 3))))
    assert load_image(tmp_path / "plane.png").shape == (2, 3, 3)


def test_normals_of_corners_come_back(tmp_path):
    cube = shapes.cube()
    each = np.repeat(np.arange(12, dtype=np.int32)[:, None], 3, axis=1)
    for mesh in (cube, cube.replace(uv=None, uv_triangles=None)):
        save_obj(tmp_path / "a.obj", mesh.replace(normals=cube.face_normals(), normal_triangles=each))
        again = load_obj(tmp_path / "a.obj")
        np.testing.assert_array_equal(again.normals[again.normal_triangles], cube.face_normals()[each])


def test_normals_that_some_corner_lacks_are_left_out(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 0 1\nf 1//1 2//1 3//1\nf 1 2 3\n")
    assert load_obj(tmp_path / "a.obj").normals is None


def test_what_shines_becomes_the_meshs_material(read, tmp_path):
    text = "mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nusemtl steel\nf 1 2 3\nusemtl glow\nf 2 4 3\n"
    mesh = read(text, m="newmtl steel\nKd 1 1 1\nPr 0.25\nPm 1\nnewmtl glow\nKd 1 1 1\nPr 0.25\nPm 1\nKe 0 0 0\n")
    assert (mesh.material.roughness, mesh.material.metallic) == (0.25, 1.0)
    assert mesh.triangles.tolist() == [[0, 1, 2], [1, 3, 2]]


def test_a_highlight_that_is_not_seen_leaves_a_mesh_matt(read):
    text = "mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl a\nf 1 2 3\n"
    assert read(text, m="newmtl a\nKd 1 1 1\nNs 96\nKs 0 0 0\nillum 2\n").material is None
    assert read(text, m="newmtl a\nKd 1 1 1\nNs 96\nKs 0.5 0.5 0.5\nillum 1\n").material is None
    assert read(text, m="newmtl a\nKd 1 1 1\nNs 30\nKs 0.5 0.5 0.5\nillum 2\n").material.roughness == pytest.approx(0.5)


def test_a_material_and_its_maps_survive_an_obj(tmp_path):
    rough = np.linspace(0.2, 1, 2 * 2 * 2, dtype=np.float32).reshape(2, 2, 2)
    bumps = np.full((2, 2, 3), (0.25, 0.5, 1), np.float32)
    material = Material(
        roughness=0.5, metallic=0.75, metallic_roughness_texture=rough, normal_texture=bumps, emissive=(0.0, 1.0, 0.0)
    )
    plane = Mesh(
        np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0]]),
        np.int32([[0, 1, 2]]),
        uv=np.float32([[0, 1], [1, 1], [0, 0]]),
        texture=np.linspace(0, 1, 12, dtype=np.float32).reshape(2, 2, 3),
        material=material,
    )
    save_obj(tmp_path / "a.obj", plane)
    again = load_obj(tmp_path / "a.obj")
    assert again.uv.tolist() == plane.uv.tolist()
    assert again.texture == pytest.approx(plane.texture, abs=0.005)  # half a step of 8-bit sRGB, at its steepest
    found = again.material
    assert found.metallic_roughness_texture == pytest.approx(rough * np.float32([0.5, 0.75]), abs=0.5 / 255 + 1e-6)
    assert found.normal_texture == pytest.approx(bumps, abs=0.5 / 255 + 1e-6)
    assert found.emissive == (0.0, 1.0, 0.0)


def test_a_mark_of_utf_8_hides_no_line(tmp_path):
    (tmp_path / "m.mtl").write_text("newmtl red\nKd 1 0 0\n", encoding="utf-8-sig")
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nmtllib m.mtl\nusemtl red\nf 1 2 3\n"
    (tmp_path / "mesh.obj").write_text(text, encoding="utf-8-sig")
    mesh = load_obj(tmp_path / "mesh.obj")
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert mesh.face_textures.ravel().tolist() == [1, 0, 0]


def test_text_in_utf_16_is_named(tmp_path):
    (tmp_path / "mesh.obj").write_text(SQUARE + "f 1 2 3\n", encoding="utf-16")
    with pytest.raises(InputError, match=r"mesh.obj: is text in UTF-16 \(save it as UTF-8\)"):
        load_obj(tmp_path / "mesh.obj")
