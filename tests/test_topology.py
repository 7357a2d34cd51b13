# SPDX-License-Identifier: MIT
import itertools
import re
import time

import numpy as np
import pytest

from intaglio.topology import edge_ends, edges, neighbours

TWO_TRIANGLES = np.array([[0, 1, 2], [2, 1, 3]], dtype=np.int32)
TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], dtype=np.int32)


def test_two_triangles_meet_at_their_shared_edge():
    assert neighbours(TWO_TRIANGLES).tolist() == [[-1, 1, -1], [0, -1, -1]]
    assert neighbours(TWO_TRIANGLES).dtype == np.int32


def test_a_closed_mesh_has_no_border():
    # Edge 0-2 of the first triangle is edge 2-0 of the fourth, 2-1 is 1-2 of the third, 1-0 is 0-1 of the second.
    assert neighbours(TETRAHEDRON).tolist() == [[3, 2, 1], [0, 2, 3], [0, 3, 1], [0, 1, 2]]


def test_neighbourhood_is_mutual_on_a_shuffled_grid():
    rng = np.random.default_rng(0)
    triangles = rng.permutation(grid(9, 7))
    table = neighbours(triangles)
    for face, row in enumerate(table):
        for k, other in enumerate(row):
            if other >= 0:
                shared = {triangles[face, k], triangles[face, (k + 1) % 3]}
                assert shared < set(triangles[other])
                assert face in table[other]
    assert np.count_nonzero(table < 0) == 2 * (8 + 6)  # the sides of a grid of 8 x 6 cells


def test_an_edge_of_three_triangles_is_a_border():
    fin = np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4]])
    assert neighbours(fin)[:, 0].tolist() == [-1, -1, -1]


def test_coinciding_vertices_are_welded_by_their_positions():
    seam = np.array([[0, 1, 2], [3, 4, 5]])
    positions = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]], dtype=np.float32)
    assert neighbours(seam).max() == -1
    assert neighbours(seam, positions).tolist() == neighbours(TWO_TRIANGLES).tolist()
    positions[3, 0] = -0.0
    assert neighbours(seam, positions)[0, 1] == 1
    positions[3, 0] = 1e-30
    assert neighbours(seam, positions).max() == -1


def test_vertices_that_part_in_one_mesh_of_a_batch_are_not_welded():
    seam = np.array([[0, 1, 2], [3, 4, 5]])
    positions = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]], dtype=np.float32)
    apart = positions.copy()
    apart[4] += 1
    assert neighbours(seam, np.stack([positions, positions]))[0, 1] == 1
    assert neighbours(seam, np.stack([positions, apart])).max() == -1


def test_a_triangle_without_inside_does_not_stand_between_its_neighbours():
    with_sliver = np.array([[0, 1, 2], [1, 1, 2], [2, 1, 3]])
    assert neighbours(with_sliver).tolist() == [[-1, 2, -1], [-1, -1, -1], [0, -1, -1]]


def test_meshes_of_a_batch_are_not_joined():
    batch = np.stack([TWO_TRIANGLES, TWO_TRIANGLES[::-1]])
    expected = [[[-1, 1, -1], [0, -1, -1]], [[1, -1, -1], [-1, 0, -1]]]
    assert neighbours(batch).tolist() == expected
    assert neighbours(batch, np.random.default_rng(0).random((4, 3))).tolist() == expected


def test_no_triangles_give_an_empty_table():
    assert neighbours(np.zeros((0, 3), dtype=np.int32)).shape == (0, 3)
    assert edges(np.zeros((0, 3), dtype=np.int32)).shape == (0, 2)


def test_edges_are_listed_once():
    assert edges(TWO_TRIANGLES).tolist() == [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]
    assert edges([[0, 1, 1]]).tolist() == [[0, 1]]
    assert len(edges(TETRAHEDRON)) == 6


def test_tables_come_in_the_framework_of_the_triangles():
    import torch

    triangles = torch.tensor(TWO_TRIANGLES)
    positions = torch.rand(4, 3, requires_grad=True)
    assert neighbours(triangles, positions).dtype == torch.int32
    assert edges(triangles).tolist() == edges(TWO_TRIANGLES).tolist()


def test_a_million_triangles_take_about_a_second():
    triangles = np.random.default_rng(0).permutation(grid(708, 708))
    positions = np.random.default_rng(1).random((708 * 708, 3), dtype=np.float32)
    start = time.perf_counter()
    neighbours(triangles, positions)
    assert time.perf_counter() - start < 5  # 0.4 s on a quiet core; five for a loaded machine


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: neighbours(np.zeros((2, 4), dtype=np.int32)),
            "neighbours: triangles must be [F, 3] or [B, F, 3] integers; got [2, 4] int32",
        ),
        (lambda: edges(np.zeros((2, 3))), "edges: triangles must be [F, 3] or [B, F, 3] integers; got [2, 3] float64"),
        (lambda: edges([[0, 1, -2]]), "edges: triangles must hold vertex indices from 0 on; got -2"),
        (
            lambda: neighbours(TWO_TRIANGLES, np.zeros((4, 2))),
            "neighbours: positions must be [V, 3] or [B, V, 3]; got [4, 2]",
        ),
        (
            lambda: neighbours(TWO_TRIANGLES, np.zeros((3, 3))),
            "neighbours: triangles must index positions; got index 3 for 3 vertices",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def grid(columns, rows):
    """[2 (columns - 1) (rows - 1), 3] triangles of a grid of vertices."""
    index = np.arange(columns * rows).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    cells = [np.stack([a, c, b], axis=-1), np.stack([b, c, d], axis=-1)]
    return np.concatenate([cell.reshape(-1, 3) for cell in cells])


def test_the_ends_of_two_triangles_that_share_an_edge():
    starts, ends = edge_ends([[0, 1, 2], [2, 1, 3]], 5)
    assert starts.tolist() == [0, 2, 5, 8, 10, 10]
    assert [ends[a:b].tolist() for a, b in itertools.pairwise(starts)] == [[1, 2], [0, 2, 3], [0, 1, 3], [1, 2], []]
    with pytest.raises(ValueError, match=r"^edge_ends: triangles must index 3 vertices; got 3$"):
        edge_ends([[0, 1, 2], [2, 1, 3]], 3)
