# SPDX-License-Identifier: MIT
import os
import re

import numpy as np
import pytest

from intaglio import InputError, Limits, load, save, shapes
from intaglio.io import load_ply, save_image, save_ply
from intaglio.mesh import Mesh
from intaglio.picture import linear_from_srgb

FORMS = ["ascii", "binary_little_endian", "binary_big_endian"]
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.float32)
HEADER = """ply
format ascii 1.0
comment by hand
element vertex 4
property float x
property float y
property double z
{vertex}element face 1
property list uchar int vertex_indices
{face}end_header
"""
ROWS = "0 0 0\n1 0 0\n1 1 0\n0 1 0\n"


@pytest.fixture
def read(tmp_path):
    def read(rows=ROWS + "4 0 1 2 3\n", vertex="", face="", header=HEADER):
        (tmp_path / "mesh.ply").write_text(header.format(vertex=vertex, face=face) + rows)
        return load_ply(tmp_path / "mesh.ply")

    return read


def test_polygons_become_triangles(read):
    mesh = read()
    assert mesh.vertices.tolist() == SQUARE.tolist()
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert mesh.vertices.dtype == np.float32


def test_bytes_are_srgb_and_v_is_counted_from_the_top(read):
    vertex = "property uchar red\nproperty uchar green\nproperty uchar blue\nproperty float s\nproperty float t\n"
    mesh = read("0 0 0 255 0 128 0 0\n1 0 0 0 0 0 1 0\n1 1 0 0 0 0 1 1\n0 1 0 0 0 0 0 1\n3 0 1 2\n", vertex)
    assert mesh.vertex_colors[0] == pytest.approx([1, 0, 0.215861], abs=1e-6)
    assert mesh.uv.tolist() == [[0, 1], [1, 1], [1, 0], [0, 0]]


def test_corners_can_have_their_own_uv(read):
    mesh = read(ROWS + "3 0 1 2 6 0 0 1 0 1 0.25\n", face="property list uchar float texcoord\n")
    assert mesh.uv[mesh.uv_triangles].tolist() == [[[0, 1], [1, 1], [1, 0.75]]]


def test_colours_of_faces_become_their_textures(read):
    face = "property uchar red\nproperty uchar green\nproperty uchar blue\n"
    assert read(ROWS + "4 0 1 2 3 255 0 0\n", face=face).face_textures.reshape(-1, 3).tolist() == [[1, 0, 0]] * 2


@pytest.mark.parametrize("form", FORMS)
def test_every_form_brings_back_every_bit(tmp_path, form):
    rng = np.random.default_rng(0)
    sphere = shapes.sphere(8, 5)
    colors = linear_from_srgb(rng.integers(0, 256, (len(sphere.vertices), 3)) / 255)
    texture = linear_from_srgb(rng.integers(0, 256, (4, 6, 3)) / 255)
    mesh = sphere.replace(vertices=sphere.vertices * np.float32(0.3), vertex_colors=colors, texture=texture)
    save_ply(tmp_path / "sphere.ply", mesh, form=form)
    again = load(tmp_path / "sphere.ply")
    assert (again.vertices == mesh.vertices).all()
    assert (again.triangles == mesh.triangles).all()
    assert again.vertex_colors == pytest.approx(mesh.vertex_colors, abs=1e-7)
    assert again.texture == pytest.approx(mesh.texture, abs=1e-6)
    uv = mesh.uv[mesh.triangles if mesh.uv_triangles is None else mesh.uv_triangles]
    uv_again = again.uv[again.triangles if again.uv_triangles is None else again.uv_triangles]
    assert uv_again == pytest.approx(uv, abs=2**-23)  # 1 - v, twice
    assert sorted(os.listdir(tmp_path)) == ["sphere.ply", "sphere.png"]


@pytest.mark.parametrize("form", FORMS)
def test_colours_between_two_bytes_are_written_as_floats(tmp_path, form):
    colors = np.random.default_rng(0).random((4, 3), dtype=np.float32)
    save_ply(tmp_path / "a.ply", Mesh(SQUARE, [[0, 1, 2]], vertex_colors=colors), form=form)
    assert load(tmp_path / "a.ply").vertex_colors == pytest.approx(colors, abs=1e-6)


def test_plain_face_textures_come_back(tmp_path):
    faces = linear_from_srgb(np.random.default_rng(0).integers(0, 256, (12, 1, 1, 1, 3)) / 255).astype(np.float32)
    cube = shapes.cube()
    save(tmp_path / "cube.ply", Mesh(cube.vertices, cube.triangles, face_textures=faces))
    assert load(tmp_path / "cube.ply").face_textures == pytest.approx(faces, abs=1e-6)


def test_triangles_and_quads_can_stand_side_by_side_in_binary(tmp_path):
    header = HEADER.format(vertex="", face="").replace("ascii", "binary_big_endian").replace("face 1", "face 2")
    rows = b"".join(p[:2].astype(">f4").tobytes() + p[2:].astype(">f8").tobytes() for p in SQUARE)
    faces = bytes([3]) + np.array([0, 1, 2], ">i4").tobytes() + bytes([4]) + np.array([0, 1, 2, 3], ">i4").tobytes()
    (tmp_path / "a.ply").write_bytes(header.encode() + rows + faces)
    assert load(tmp_path / "a.ply").triangles.tolist() == [[0, 1, 2], [0, 1, 2], [0, 2, 3]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"header": "plx\n"}, "is no PLY file: it must begin with 'ply' and a header (is it a whole PLY file?)"),
        ({"vertex": "property string name\n"}, ":8: the header says what no PLY header says: 'property string name'"),
        ({"vertex": "property float x\n"}, ":8: declares x twice, or too many properties"),
        ({"vertex": "element vertex 3\n"}, ":8: declares vertex twice"),
        ({"rows": ROWS}, "ends within face: its 1 rows need at least 1 numbers; got 0 (is it a whole PLY file?)"),
        ({"rows": ROWS + "4 0 1 2 3 9"}, "has 1 words more than its header declares (is it a whole PLY file?)"),
        ({"rows": ROWS + "-1 0"}, "face: vertex_indices has -1.0 entries"),
        ({"rows": ROWS + "inf 0"}, "face: vertex_indices has inf entries"),
        ({"rows": ROWS + "2 0 1"}, "face 0 must have at least 3 corners; got 2"),
        ({"rows": ROWS + "3 0 1 4"}, "face 0 names vertex 4 of 4, from 0"),
        ({"rows": ROWS + "3 0 1 -1"}, "face 0 names vertex -1 of 4, from 0"),
        ({"rows": ROWS + "3 0 1 0.5"}, "face: vertex_indices holds what is no int32"),
        ({"rows": "nan 0 0\n" + ROWS[6:] + "3 0 1 2"}, "vertex 0: x, y, z must be finite in 32 bits"),
        ({"rows": "0 0 1e39\n" + ROWS[6:] + "3 0 1 2"}, "vertex 0: x, y, z must be finite in 32 bits"),
        ({"rows": "a 0 0\n" + ROWS[6:] + "3 0 1 2"}, "vertex holds what is no number: b'a 0 0 "),
        ({"header": HEADER.replace("face 1", "fact 1")}, "holds no faces (is it a whole PLY file?)"),
        ({"header": HEADER.replace("x\n", "w\n")}, "its vertices have no x, y, z (is it a whole PLY file?)"),
        ({"header": HEADER.replace("vertex 4", "vertex 999999999")}, "has too many vertices: 999999999 (max_v"),
        (
            {"rows": ROWS + "3 0 1 2 2 0 0", "face": "property list uchar float texcoord\n"},
            "face 0 of 3 corners has 2 texcoord numbers (there must be two for each corner)",
        ),
    ],
)  # fmt: skip
def test_a_damaged_ply_is_named(read, tmp_path, changes, message):
    with pytest.raises(InputError) as error:
        read(**changes)
    colon = "" if message.startswith(":") else ": "
    assert str(error.value).startswith(f"{tmp_path / 'mesh.ply'}{colon}{message}")


def test_a_binary_file_cut_anywhere_is_named(tmp_path):
    save(tmp_path / "cube.ply", shapes.cube())
    data = (tmp_path / "cube.ply").read_bytes()
    for size in range(0, len(data), 7):
        (tmp_path / "cut.ply").write_bytes(data[:size])
        with pytest.raises(InputError, match=re.escape(str(tmp_path / "cut.ply"))):
            load(tmp_path / "cut.ply")


def test_a_picture_outside_of_the_folder_is_not_read(tmp_path):
    save_image(tmp_path / "secret.png", np.ones((1, 1, 3)))
    (tmp_path / "asset").mkdir()
    mesh = Mesh(SQUARE, [[0, 1, 2]], uv=SQUARE[:, :2], texture=np.ones((1, 1, 3)))
    save(tmp_path / "asset" / "a.ply", mesh)
    data = (tmp_path / "asset" / "a.ply").read_bytes()
    (tmp_path / "asset" / "a.ply").write_bytes(data.replace(b"File a.png", b"File ../secret.png"))
    with pytest.raises(InputError, match=r"a.ply: TextureFile: names a file outside of its folder"):
        load(tmp_path / "asset" / "a.ply")


def test_pictures_have_a_limit(tmp_path):
    save(tmp_path / "a.ply", Mesh(SQUARE, [[0, 1, 2]], uv=SQUARE[:, :2], texture=np.ones((3, 3, 3))))
    with pytest.raises(InputError, match=r"a.png: is too large a picture \(8 pixels at most\)$"):
        load(tmp_path / "a.ply", limits=Limits(max_pixels=8))


def test_an_unknown_form_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"^save_ply: form must be one of ascii, binary_little_endian, binary_big_"):
        save_ply(tmp_path / "a.ply", shapes.cube(), form="text")


def test_normals_are_kept_where_the_corners_at_each_vertex_agree(tmp_path):
    cube = shapes.cube()
    normals = cube.vertex_normals()[::-1].copy()
    agreeing = cube.replace(normals=normals, normal_triangles=(len(normals) - 1 - cube.triangles).astype(np.int32))
    save_ply(tmp_path / "a.ply", agreeing)
    np.testing.assert_array_equal(load_ply(tmp_path / "a.ply").normals, cube.vertex_normals())
    of_faces = np.repeat(np.arange(12, dtype=np.int32)[:, None], 3, axis=1)
    save_ply(tmp_path / "b.ply", cube.replace(normals=cube.face_normals(), normal_triangles=of_faces))
    assert load_ply(tmp_path / "b.ply").normals is None


def test_normals_of_vertices_come_back(tmp_path):
    cube = shapes.cube()
    for form in ("ascii", "binary_little_endian", "binary_big_endian"):
        save_ply(tmp_path / "a.ply", cube.replace(normals=cube.vertex_normals()), form=form)
        np.testing.assert_array_equal(load_ply(tmp_path / "a.ply").normals, cube.vertex_normals())
