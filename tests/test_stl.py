# SPDX-License-Identifier: MIT
import re

import numpy as np
import pytest

from intaglio import InputError, Limits, load, save, shapes
from intaglio.io import load_stl, save_stl
from intaglio.io.welding import weld
from intaglio.mesh import Mesh

TRIANGLE = (
    "solid one\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid\n"
)


def test_text_is_read(tmp_path):
    (tmp_path / "a.stl").write_text(TRIANGLE)
    mesh = load(tmp_path / "a.stl")
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert mesh.triangles.tolist() == [[0, 1, 2]]


def test_corners_that_coincide_are_one_vertex_whatever_the_sign_of_zero():
    corners = np.array([[1, 0, 0], [0, 1, 0], [1, -0.0, 0], [0, 0, 1]], dtype=np.float32)
    vertices, index = weld(corners)
    assert vertices.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert index.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("text", [False, True])
def test_triangles_survive_writing_and_reading(tmp_path, text):
    pot = shapes.teapot()
    save_stl(tmp_path / "pot.stl", pot, text=text)
    again = load_stl(tmp_path / "pot.stl")
    assert (again.vertices[again.triangles] == pot.vertices[pot.triangles]).all()


def test_a_binary_file_may_begin_with_solid(tmp_path):
    save(tmp_path / "a.stl", shapes.cube())
    data = (tmp_path / "a.stl").read_bytes()
    (tmp_path / "a.stl").write_bytes(b"solid facet" + data[11:])
    assert len(load(tmp_path / "a.stl").triangles) == 12
    assert len(load(tmp_path / "a.stl").vertices) == 8


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "declares 84 bytes; got 0 (is it a whole STL file?)"),
        (b" " * 80 + b"\2\0\0\0" + b" " * 60, "declares 184 bytes; got 144 (is it a whole STL file?)"),
        (b" " * 80 + b"\0\0\0\0", "holds no triangles (is it a whole STL file?)"),
        (b" " * 80 + b"\1\0\0\0" + b"\xff" * 50, "triangle 1 has a corner that is not finite in 32 bits"),
        (TRIANGLE.replace("1 0 0", "1 0").encode(), ":5: vertex must have 3 numbers; got '1 0'"),
        (TRIANGLE.replace("1 0 0", "1 0 1e39").encode(), "triangle 1 has a corner that is not finite in 32 bits"),
        (TRIANGLE.replace("vertex 1 0 0\n", "").encode(), ":6: the loop that ends here has not three vertices"),
        (TRIANGLE.partition("vertex 1")[0].encode(), "ends within a triangle: 1 vertices (is it a whole STL file?)"),
    ],
)  # fmt: skip
def test_a_damaged_stl_is_named(tmp_path, data, message):
    (tmp_path / "a.stl").write_bytes(data)
    with pytest.raises(InputError) as error:
        load(tmp_path / "a.stl")
    assert str(error.value).startswith(f"{tmp_path / 'a.stl'}{'' if message.startswith(':') else ': '}{message}")


def test_a_file_with_too_many_triangles_is_named(tmp_path):
    save(tmp_path / "a.stl", shapes.cube())
    with pytest.raises(InputError, match=r"a.stl: has too many vertices: 36 \(max_vertices is 35\)$"):
        load(tmp_path / "a.stl", limits=Limits(max_vertices=35))


def test_files_of_unknown_kinds_are_named(tmp_path):
    with pytest.raises(InputError, match=re.escape("a.dxf: is of no known kind (the name must end in .obj")):
        load(tmp_path / "a.dxf")
    with pytest.raises(InputError, match=re.escape("a.dxf: meshes are not written as this kind of file (end the name")):
        save(tmp_path / "a.dxf", shapes.cube())
    with pytest.raises(ValueError, match=r"^save_stl: mesh must be one mesh; got a batch"):
        save(tmp_path / "a.stl", Mesh(np.zeros((2, 3, 3)), [[0, 1, 2]]))
