# SPDX-License-Identifier: MIT
import pickle
import re

import numpy as np
import pytest
import torch

from intaglio.mesh import Mesh

CORNERS = np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [2, 2, 0]], dtype=np.float32)
SQUARE = np.array([[0, 1, 2], [2, 1, 3]], dtype=np.int32)
WHITE = np.ones((2, 2, 2, 2, 3), dtype=np.float32)


def test_a_mesh_of_lists_is_float32_and_int32():
    mesh = Mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    assert mesh.vertices.dtype == np.float32
    assert mesh.triangles.dtype == np.int32
    assert repr(mesh) == "Mesh(3 vertices, 1 triangles, numpy)"


def test_all_arrays_follow_the_one_that_is_not_numpys():
    texture = torch.zeros(4, 4, 3, dtype=torch.float64, requires_grad=True)
    mesh = Mesh(CORNERS, SQUARE, uv=CORNERS[:, :2] / 2, texture=texture)
    assert mesh.vertices.dtype == mesh.uv.dtype == mesh.texture.dtype == torch.float32
    assert mesh.triangles.dtype == mesh.neighbours.dtype == torch.int32
    mesh.texture.sum().backward()
    assert texture.grad.sum().item() == 48


def test_neighbours_are_built_once_and_shared_by_replaced_meshes(monkeypatch):
    mesh = Mesh(CORNERS, SQUARE)
    moved = mesh.replace(vertices=CORNERS + 1)
    assert moved.neighbours.tolist() == [[-1, 1, -1], [0, -1, -1]]
    monkeypatch.setattr("intaglio.mesh.find_neighbours", None)
    assert mesh.neighbours is moved.neighbours
    assert mesh.to("torch").neighbours.tolist() == [[-1, 1, -1], [0, -1, -1]]


def test_given_neighbours_are_kept():
    mesh = Mesh(CORNERS, SQUARE, neighbours=[[-1, -1, -1], [-1, -1, -1]])
    assert mesh.neighbours.tolist() == [[-1, -1, -1], [-1, -1, -1]]


def test_a_seam_is_not_a_border():
    split = Mesh(CORNERS[[0, 1, 2, 2, 1, 3]], [[0, 1, 2], [3, 4, 5]])
    assert split.neighbours.tolist() == [[-1, 1, -1], [0, -1, -1]]


def test_replacing_vertices_reads_no_values():
    mesh = Mesh(CORNERS, SQUARE)
    assert np.isnan(mesh.replace(vertices=CORNERS * np.nan).vertices).all()


def test_replacing_triangles_checks_and_builds_anew():
    mesh = Mesh(CORNERS, SQUARE)
    assert mesh.neighbours.max() == 1
    assert mesh.replace(triangles=SQUARE[:1]).neighbours.tolist() == [[-1, -1, -1]]
    with pytest.raises(ValueError, match=r"triangles must lie in 0 \.\.\. 3; got 4"):
        mesh.replace(triangles=[[0, 1, 4]])


def test_a_fit_of_the_tensors_leaves_the_numpy_mesh_alone():
    mesh = Mesh(CORNERS, SQUARE)
    mesh.to("torch").vertices.add_(1)
    assert mesh.vertices.max() == 2
    tensors = mesh.to("torch")
    kept = tensors.to("numpy")
    tensors.vertices.add_(1)
    assert kept.vertices.tolist() == CORNERS.tolist()


def test_a_mesh_that_stays_in_its_framework_keeps_its_gradient():
    vertices = torch.tensor(CORNERS, requires_grad=True)
    assert Mesh(vertices, SQUARE).to("torch", device="cpu").vertices is vertices
    assert not Mesh(vertices, SQUARE).to("numpy").to("torch").vertices.requires_grad


def test_normals_of_a_square_in_the_plane_point_along_z():
    mesh = Mesh(CORNERS, SQUARE)
    assert mesh.face_normals().tolist() == [[0, 0, 1]] * 2
    assert mesh.vertex_normals().tolist() == [[0, 0, 1]] * 4


def test_a_vertex_normal_weighs_faces_by_area():
    # A face of area 1 in the plane z = 0 and one of area 3 in the plane x = 0 meet at the y axis.
    mesh = Mesh([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3.0]], [[0, 1, 2], [0, 2, 3]])
    expected = np.array([3, 0, 1]) / np.sqrt(10)
    assert mesh.vertex_normals()[0] == pytest.approx(expected)
    assert mesh.to("torch").vertex_normals()[0].numpy() == pytest.approx(expected)


def test_normals_of_batches_are_those_of_their_meshes():
    stretched = CORNERS @ np.array([[1, 0, 0.5], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
    batch = Mesh(np.stack([CORNERS, stretched, CORNERS]), SQUARE)
    assert repr(batch) == "Mesh(3 x 4 vertices, 2 triangles, numpy)"
    for mesh in (batch, batch.to("torch")):
        for k, vertices in enumerate([CORNERS, stretched, CORNERS]):
            one = Mesh(vertices, SQUARE)
            assert np.asarray(mesh.vertex_normals()[k]) == pytest.approx(one.vertex_normals())
            assert np.asarray(mesh.face_normals()[k]) == pytest.approx(one.face_normals())


def test_normals_of_nothing_are_zero_with_a_finite_gradient():
    vertices = torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 5, 5]], requires_grad=True)
    mesh = Mesh(vertices, [[0, 1, 2]])
    assert mesh.face_normals().tolist() == [[0, 0, 0]]
    assert mesh.vertex_normals().abs().sum() == 0
    (mesh.face_normals().sum() + mesh.vertex_normals().sum()).backward()
    assert torch.isfinite(vertices.grad).all()


def test_gradients_of_normals_agree_with_differences():
    vertices = torch.rand(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    mesh = Mesh(vertices.detach(), SQUARE)
    assert torch.autograd.gradcheck(lambda v: mesh.replace(vertices=v).vertex_normals(), vertices)


def test_a_normalized_mesh_spans_one_to_minus_one_along_its_longest_side():
    mesh = Mesh(CORNERS * [1, 3, 1] + 7, SQUARE).normalized()
    assert mesh.vertices.min(axis=0) == pytest.approx([-1 / 3, -1, 0])
    assert mesh.vertices.max(axis=0) == pytest.approx([1 / 3, 1, 0])


def test_a_mesh_without_extent_is_only_centred():
    assert np.abs(Mesh([[3, 3, 3]], np.zeros((0, 3), int)).normalized().vertices).max() == 0


def test_an_empty_mesh_is_a_mesh():
    empty = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    assert empty.neighbours.shape == empty.face_normals().shape == empty.vertex_normals().shape == (0, 3)
    assert empty.normalized().vertices.shape == (0, 3)
    assert empty.to("torch").vertex_normals().shape == (0, 3)


def test_a_mesh_can_be_pickled():
    mesh = pickle.loads(pickle.dumps(Mesh(CORNERS, SQUARE)))
    assert mesh.neighbours.tolist() == [[-1, 1, -1], [0, -1, -1]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"vertices": CORNERS[0]}, "Mesh: vertices must be [V, 3] or [B, V, 3]; got [3]"),
        ({"vertices": CORNERS[:, :2]}, "Mesh: vertices must be [V, 3] or [B, V, 3]; got [4, 2]"),
        ({"vertices": CORNERS.astype(np.float16)}, "Mesh: vertices must be float32 or float64; got float16"),
        ({"vertices": CORNERS * [1, 1, np.nan]}, "Mesh: vertices must be finite; got nan at [0, 2]"),
        ({"triangles": [0, 1, 2]}, "Mesh: triangles must be [F, 3]; got [3]"),
        ({"triangles": [[0.0, 1, 2]]}, "Mesh: triangles must be integers; got float64"),
        ({"triangles": [[0, 1, 4]]}, "Mesh: triangles must lie in 0 ... 3; got 4"),
        ({"triangles": [[0, 1, -1]]}, "Mesh: triangles must lie in 0 ... 3; got -1"),
        ({"triangles": [[0, 1, 2**32]]}, "Mesh: triangles must fit int32; got 4294967296"),
        ({"vertex_colors": CORNERS[:3]}, "Mesh: vertex_colors must be [4, 3] or [B, 4, 3]; got [3, 3]"),
        (
            {"face_textures": WHITE[:1]},
            "Mesh: face_textures must be [2, T, T, T, 3] or [B, 2, T, T, T, 3]; got [1, 2, 2, 2, 3]",
        ),
        (
            {"face_textures": WHITE[:, :1]},
            "Mesh: face_textures must be [2, T, T, T, 3] or [B, 2, T, T, T, 3]; got [2, 1, 2, 2, 3]",
        ),
        ({"texture": np.zeros((4, 4, 3))}, "Mesh: texture must come with uv; got none (face_textures need no uv)"),
        ({"uv": CORNERS}, "Mesh: uv must be [T, 2]; got [4, 3]"),
        (
            {"uv": CORNERS[:3, :2]},
            "Mesh: uv must be [4, 2]; got [3, 2] (give uv_triangles where uv and vertices are not indexed alike)",
        ),
        ({"uv": CORNERS[:3, :2], "uv_triangles": SQUARE[:1]}, "Mesh: uv_triangles must be [2, 3]; got [1, 3]"),
        ({"uv": CORNERS[:3, :2], "uv_triangles": SQUARE}, "Mesh: uv_triangles must lie in 0 ... 2; got 3"),
        (
            {"uv": CORNERS[:, :2], "texture": np.zeros((4, 4))},
            "Mesh: texture must be [H, W, 3] or [B, H, W, 3]; got [4, 4]",
        ),
        ({"neighbours": [[0, 1, 2]]}, "Mesh: neighbours must be [2, 3]; got [1, 3]"),
        ({"neighbours": [[-1, 2, 0]] * 2}, "Mesh: neighbours must lie in -1 ... 1; got 2"),
    ],
)
def test_bad_arrays_are_named(arrays, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Mesh(**{"vertices": CORNERS, "triangles": SQUARE} | arrays)


def test_replacing_what_a_mesh_does_not_have_is_named():
    with pytest.raises(
        TypeError, match=re.escape("Mesh.replace: arguments must name parts of a mesh; got colour (there")
    ):
        Mesh(CORNERS, SQUARE).replace(colour=CORNERS)
    with pytest.raises(ValueError, match=re.escape("Mesh: vertex_colors must be [4, 3]")):
        Mesh(CORNERS, SQUARE).replace(vertex_colors=CORNERS[:2])


def test_an_unknown_framework_is_named():
    with pytest.raises(
        ValueError, match=r"^array: framework must be one of numpy, torch, paddle, jax; got 'tensorflow'$"
    ):
        Mesh(CORNERS, SQUARE).to("tensorflow")
