# SPDX-License-Identifier: MIT
import re

import numpy as np
import pytest

from intaglio import shapes
from intaglio.topology import edges

CLOSED = {
    "sphere": shapes.sphere(8, 5),
    "icosphere": shapes.icosphere(2),
    "cube": shapes.cube(),
    "torus": shapes.torus(0.3, 7, 5),
}
ALL = CLOSED | {"plane": shapes.plane(3), "teapot": shapes.teapot(3)}


@pytest.mark.parametrize("name", CLOSED)
def test_a_closed_shape_has_no_border_and_its_volume_is_positive(name):
    mesh = CLOSED[name]
    assert mesh.neighbours.min() >= 0
    assert volume(mesh) > 0


@pytest.mark.parametrize("name", ALL)
def test_neighbours_cross_their_edge_in_opposite_directions(name):
    mesh = ALL[name]
    for face, row in enumerate(mesh.neighbours):
        for k, other in enumerate(row):
            if other >= 0:
                start, end = mesh.triangles[face, [k, (k + 1) % 3]]
                assert (end, start) in directed_edges(mesh.triangles[other])


@pytest.mark.parametrize("name", ALL)
def test_no_two_vertices_coincide_and_each_is_used(name):
    mesh = ALL[name]
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)
    assert np.unique(mesh.triangles).tolist() == list(range(len(mesh.vertices)))
    assert np.linalg.norm(mesh.face_normals(), axis=-1).min() > 0.99  # 0 for a triangle without area


@pytest.mark.parametrize("name", [name for name, mesh in ALL.items() if mesh.uv is not None])
def test_a_texture_is_seen_upright_and_not_mirrored_from_outside(name):
    mesh = ALL[name]
    corners = mesh.uv[mesh.uv_triangles]
    right, down = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # Counter-clockwise with v down is a negative area.
    assert (right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0] < 0).all()


def test_the_first_row_of_a_texture_lies_at_the_top_of_the_plane():
    mesh = shapes.plane()
    assert mesh.vertices.tolist() == [[-1, 1, 0], [1, 1, 0], [-1, -1, 0], [1, -1, 0]]
    assert mesh.uv.tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]


def test_sides_of_the_cube_face_away_from_its_centre_and_stand_upright():
    mesh = shapes.cube()
    corners = mesh.vertices[mesh.triangles]
    assert (np.einsum("fk,fk->f", corners.mean(axis=1), mesh.face_normals()) > 0.9).all()
    for side in range(4 * 2, 6 * 2):  # the sides towards +z and -z
        top = mesh.uv[mesh.uv_triangles[side]][:, 1] == 0
        assert (corners[side, top, 1] == 1).all()


@pytest.mark.parametrize("level", [0, 1, 3])
def test_an_icosphere_has_20_4_to_the_level_triangles_on_the_unit_sphere(level):
    mesh = shapes.icosphere(level)
    assert len(mesh.triangles) == 20 * 4**level
    assert len(mesh.vertices) == 10 * 4**level + 2  # Euler
    assert np.linalg.norm(mesh.vertices, axis=-1) == pytest.approx(1, abs=1e-6)
    lengths = np.linalg.norm(np.diff(mesh.vertices[edges(mesh.triangles)], axis=1), axis=-1)
    assert lengths.max() / lengths.min() < 1.35


def test_volumes_approach_those_of_the_true_solids():
    assert volume(shapes.icosphere(5)) == pytest.approx(4 / 3 * np.pi, rel=0.01)
    assert volume(shapes.sphere(64, 32)) == pytest.approx(4 / 3 * np.pi, rel=0.01)
    assert volume(shapes.cube()) == pytest.approx(8)
    assert volume(shapes.torus(0.4, 96, 48)) == pytest.approx(2 * np.pi**2 * 0.4**2, rel=0.01)


def test_a_sphere_has_single_poles_and_no_triangles_without_area():
    assert len(shapes.sphere(8, 5).vertices) == 8 * 4 + 2
    assert len(shapes.sphere(8, 5).triangles) == 2 * 8 * 4


@pytest.mark.parametrize("subdivisions", [2, 5, 6, 13])
def test_the_teapot_is_open_only_where_its_four_parts_meet(subdivisions):
    mesh = shapes.teapot(subdivisions)
    parts = connected_parts(mesh.neighbours)
    assert len(parts) == 4  # body, handle, spout, lid
    for part in parts:  # one ring of four patches, or two rings of two
        assert np.count_nonzero(mesh.neighbours[part] < 0) == 4 * subdivisions


def test_the_teapot_stands_upright_with_its_spout_towards_x():
    mesh = shapes.teapot()
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert low == pytest.approx([-3, 0, -2], abs=1e-6)
    assert high == pytest.approx([3.43, 3.15, 2], abs=5e-3)
    knob = mesh.vertices[mesh.vertices[:, 1] > 2.9]
    assert np.abs(knob[:, [0, 2]]).max() < 0.5
    assert (len(mesh.vertices), len(mesh.triangles)) == (1177, 2256)


def test_every_part_of_the_teapot_faces_outward():
    mesh = shapes.teapot()
    for part in connected_parts(mesh.neighbours):
        corners = mesh.vertices[mesh.triangles[part]].astype(np.float64)
        corners -= corners.mean(axis=(0, 1))
        assert np.linalg.det(corners).sum() > 0


def test_the_normalized_teapot_fits_the_box_of_the_2018_renderer():
    box = np.abs(shapes.teapot().normalized().vertices).max(axis=0)
    assert box == pytest.approx([1, 0.48992, 0.62212], abs=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shapes.teapot(0), "teapot: subdivisions must be an integer from 1 on; got 0"),
        (lambda: shapes.teapot(1.5), "teapot: subdivisions must be an integer from 1 on; got 1.5"),
        (lambda: shapes.sphere(2), "sphere: segments must be an integer from 3 on; got 2"),
        (lambda: shapes.sphere(8, 1), "sphere: rings must be an integer from 2 on; got 1"),
        (lambda: shapes.icosphere(-1), "icosphere: level must be an integer from 0 on; got -1"),
        (lambda: shapes.plane(0), "plane: subdivisions must be an integer from 1 on; got 0"),
        (lambda: shapes.torus(segments=2), "torus: segments must be an integer from 3 on; got 2"),
        (lambda: shapes.torus(tube_segments=2), "torus: tube_segments must be an integer from 3 on; got 2"),
        (lambda: shapes.torus(1.0), "torus: tube_radius must lie between 0 and 1; got 1.0"),
    ],
)
def test_bad_numbers_are_named(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def volume(mesh):
    return np.linalg.det(mesh.vertices[mesh.triangles].astype(np.float64)).sum() / 6


def directed_edges(triangle):
    return {(triangle[k], triangle[(k + 1) % 3]) for k in range(3)}


def connected_parts(neighbours):
    """Lists of the triangles that hang together."""
    unseen, parts = set(range(len(neighbours))), []
    while unseen:
        front = [unseen.pop()]
        part = list(front)
        while front:
            reached = {int(n) for n in neighbours[front.pop()]} & unseen
            unseen -= reached
            front += reached
            part += reached
        parts.append(sorted(part))
    return parts
