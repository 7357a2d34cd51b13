# SPDX-License-Identifier: MIT
"""Tangents: squares whose texture is known by hand, who shares one with whom, and every gradient."""

import numpy as np
import pytest
import torch
from reference import scenes
from reference.derivative import central

from intaglio.tangents import tangent_groups, tangents

# A square in the plane z = 0, seen from +z: top left, bottom left, bottom right, top right.
SQUARE = np.array([[-1, 1, 0], [-1, -1, 0], [1, -1, 0], [1, 1, 0]], dtype=np.float64)
HALVES = np.array([[0, 1, 2], [0, 2, 3]])
UPRIGHT = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=np.float64)  # the image as one sees it
TOWARDS_US = np.array([[0.0, 0, 1]])


def of(vertices, triangles, uv, normals=TOWARDS_US, uv_triangles=None, normal_triangles=None):
    """Groups, and the tangent of each corner [F, 3, 4]; one normal for all where no table of them is given."""
    uv_triangles = triangles if uv_triangles is None else uv_triangles
    normal_triangles = np.zeros_like(triangles) if normal_triangles is None else normal_triangles
    groups = tangent_groups(vertices, triangles, uv, uv_triangles, normals, normal_triangles)
    return groups, tangents(vertices, uv, normals, groups)[groups.triangles]


@pytest.mark.parametrize(
    ("uv", "expected"),
    [
        (UPRIGHT, [1, 0, 0, 1]),
        (1 - UPRIGHT, [-1, 0, 0, 1]),  # upside down: u runs to the left, up in the image is down
        (UPRIGHT * [-1, 1], [-1, 0, 0, -1]),  # in a mirror: -cross(+z, -x) = +y is up in the image
        (UPRIGHT * [1, -1], [1, 0, 0, -1]),
        (UPRIGHT[:, ::-1] * [1, -1], [0, -1, 0, 1]),  # u runs down; up in the image is cross(z, -y) = +x, and v is -x
        (UPRIGHT * 1e-6 + 7, [1, 0, 0, 1]),
    ],
)
def test_a_square_whose_texture_is_known(uv, expected):
    groups, found = of(SQUARE, HALVES, uv)
    np.testing.assert_allclose(found, np.broadcast_to(expected, (2, 3, 4)), atol=1e-8)  # uv of 7 has 1e-15, of 1e-6
    assert groups.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_the_bitangent_points_up_in_the_image_whatever_way_the_texture_lies():
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for mirror in (1, -1):
        uv = UPRIGHT @ turn * [mirror, 1]
        # uv = A (x, y): rows of A by least squares; up in the image is where v falls and u stays.
        gradient = np.linalg.lstsq(SQUARE[:, :2] - SQUARE[0, :2], uv - uv[0], rcond=None)[0].T
        up = np.linalg.solve(gradient, [0, -1])
        _, found = of(SQUARE, HALVES, uv)
        bitangent = found[0, 0, 3] * np.cross(TOWARDS_US[0], found[0, 0, :3])
        np.testing.assert_allclose(bitangent[:2], up / np.linalg.norm(up), atol=1e-14)


def test_corners_weigh_as_their_angles():
    # At the first vertex three triangles meet, of 30, 60 and 90 degrees, whose u runs along 0, 90 and 180 degrees.
    rays = np.deg2rad([0, 30, 90, 180])
    vertices = np.concatenate([[[0, 0, 0]], np.stack([np.cos(rays), np.sin(rays), 0 * rays], -1)])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4]])
    ways = np.deg2rad([0, 90, 180])
    axes = np.stack([np.stack([np.cos(ways), np.sin(ways)], -1), np.stack([np.sin(ways), -np.cos(ways)], -1)], 1)
    # Each triangle has a uv of its own but for the shared vertex, so that what joins them there is put in by hand.
    uv = np.einsum("fij,fkj->fki", axes, vertices[triangles][..., :2]).reshape(-1, 2)
    uv_triangles = np.arange(9).reshape(3, 3)
    groups, found = of(vertices, triangles, uv, uv_triangles=uv_triangles)
    np.testing.assert_allclose(found[:, 1, :2], np.stack([np.cos(ways), np.sin(ways)], -1), atol=1e-14)
    joined = groups.corners.copy()
    joined[4, groups.corners[0] == 0] = 0
    shared = tangents(vertices, uv, TOWARDS_US, type(groups)(**{**vars_of(groups), "corners": joined}))[0]
    expected = np.array([30 - 90, 60])
    np.testing.assert_allclose(shared[:2], expected / np.linalg.norm(expected), atol=1e-14)


def vars_of(groups):
    return {name: x for name, x in vars(groups).items() if name != "_kept"}


# --- who shares


def test_equal_numbers_are_one_point_whatever_their_index():
    corners = SQUARE[HALVES].reshape(-1, 3)
    apart = np.arange(6).reshape(2, 3)
    groups, _ = of(corners, apart, UPRIGHT[HALVES].reshape(-1, 2), np.repeat(TOWARDS_US, 6, axis=0), apart, apart)
    assert groups.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_a_seam_of_the_texture_parts_tangents():
    uv = np.concatenate([UPRIGHT, UPRIGHT * 3])
    groups, found = of(SQUARE, HALVES, uv, uv_triangles=np.add(HALVES, [[0], [4]]))
    assert groups.triangles.tolist() == [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_allclose(found, np.broadcast_to([1.0, 0, 0, 1], (2, 3, 4)), atol=1e-14)


def test_a_crease_parts_tangents():
    normals = np.array([[0, 0, 1.0], [0, 0.1, 1]])
    groups, _ = of(SQUARE, HALVES, UPRIGHT, normals, normal_triangles=HALVES * 0 + [[0], [1]])
    assert groups.triangles.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_mirrored_half_does_not_share_with_the_other():
    uv = np.array([[0, 0], [0, 1], [1, 1], [0.0, 1]])  # the second half folded over onto the first
    groups, found = of(SQUARE, HALVES, uv)
    assert groups.triangles.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found[..., 3].tolist() == [[1] * 3, [-1] * 3]


def test_triangles_that_meet_in_a_point_only_do_not_share():
    bow = np.array([[0, 0, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0], [-1, -1, 0]], dtype=np.float64)
    groups, _ = of(bow, np.array([[0, 1, 2], [0, 3, 4]]), bow[:, :2])
    assert groups.triangles.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_triangles_wound_the_other_way_do_not_share():
    groups, _ = of(SQUARE, np.array([[0, 1, 2], [0, 3, 2]]), UPRIGHT)
    assert len(set(groups.triangles.ravel().tolist())) == 6


def test_a_fan_in_any_order_shares_its_middle():
    angles = np.linspace(0, 2 * np.pi, 501)[:-1]
    vertices = np.concatenate([[[0, 0, 0]], np.stack([np.cos(angles), np.sin(angles), 0 * angles], -1)])
    ends = np.arange(1, 501)
    fan = np.stack([np.zeros(500, int), ends, np.roll(ends, -1)], -1)
    groups, found = of(vertices, np.random.default_rng(0).permutation(fan), vertices[:, :2] * [1, -1])
    assert len(set(groups.triangles[:, 0].tolist())) == 1
    assert groups.signs.size == 501
    np.testing.assert_allclose(found, np.broadcast_to([1.0, 0, 0, 1], (500, 3, 4)), atol=1e-13)


def test_three_triangles_at_an_edge_pair_up_in_their_order():
    vertices = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0], [-1, 0, 0], [0, 0, 1]], dtype=np.float64)
    uv = np.array([[0, 0], [0, 1], [-1, 0], [1, 0], [1, 0.0]])
    groups, _ = of(vertices, np.array([[1, 0, 2], [0, 1, 3], [0, 1, 4]]), uv)
    table = groups.triangles
    assert (table[0, 0], table[0, 1]) == (table[1, 1], table[1, 0])
    assert not {*table[2]} & {*table[0], *table[1]}


# --- triangles without an inside


def test_a_triangle_of_two_corners_in_one_place_takes_the_tangents_of_others():
    triangles = np.concatenate([HALVES, [[0, 0, 2]]])
    groups, found = of(SQUARE, triangles, UPRIGHT)
    assert groups.triangles[2].tolist() == groups.triangles[0, [0, 0, 2]].tolist()
    np.testing.assert_allclose(found, np.broadcast_to([1.0, 0, 0, 1], (3, 3, 4)), atol=1e-14)


def test_a_triangle_without_area_on_the_texture_joins_whom_it_lies_between():
    # A strip of three quads whose middle one takes a single column of the texture, stretched: u has no direction.
    x = np.array([0, 1, 2, 3.0])
    vertices = np.concatenate([np.stack([x, 0 * x, 0 * x], -1), np.stack([x, 0 * x + 1, 0 * x], -1)])
    uv = np.concatenate([[[0, 1], [0.5, 1], [0.5, 1], [1, 1]], [[0, 0], [0.5, 0], [0.5, 0], [1, 0]]])
    left = np.arange(3)
    strip = np.concatenate([np.stack([left, left + 1, left + 5], -1), np.stack([left, left + 5, left + 4], -1)])
    groups, found = of(vertices, strip, uv)
    np.testing.assert_allclose(found, np.broadcast_to([1.0, 0, 0, 1], (6, 3, 4)), atol=1e-14)
    assert groups.signs.size == 8


def test_between_halves_that_turn_each_its_way_the_first_is_joined():
    # Triangle 1 has no area on the texture and lies between 0, which turns one way, and 2, which turns the other.
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0.5, 2, 0]])
    uv = np.array([[0, 0], [1, 0], [0, 1], [0.5, 0.5], [0, 0.2]])
    triangles = np.array([[0, 1, 2], [2, 1, 3], [2, 3, 4]])
    groups, _ = of(vertices, triangles, uv)
    first, middle, last = groups.triangles
    assert (middle[0], middle[1]) == (first[2], first[1])
    assert not {*last} & {*middle}
    assert groups.signs[middle].tolist() == [groups.signs[first[0]]] * 3
    assert groups.signs[last[0]] == -groups.signs[first[0]]


@pytest.mark.parametrize("normal", [[0, 0, 1.0], [1.0, 0, 0], [0, -3.0, 0], [0.1, 0.2, -0.3]])
@pytest.mark.parametrize("uv", [np.zeros((4, 2)), np.full((4, 2), 0.25), UPRIGHT * [1, 0], UPRIGHT * [0, 1]])
def test_without_a_direction_of_u_there_is_still_a_tangent_plane(uv, normal):
    _, found = of(SQUARE, HALVES, uv, np.array([normal]))
    np.testing.assert_allclose((found[..., :3] ** 2).sum(-1), 1, atol=1e-14)
    np.testing.assert_allclose(found[..., :3] @ normal, 0, atol=1e-14)
    assert (found[..., 3] == 1).all()


def test_an_empty_mesh_has_no_tangents():
    empty = np.zeros((0, 3), np.int32)
    groups, found = of(np.zeros((0, 3), np.float32), empty, np.zeros((0, 2), np.float32), np.zeros((0, 3), np.float32))
    assert groups.triangles.shape == (0, 3)
    assert found.shape == (0, 3, 4)


def test_tables_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match=r"tangent_groups: .* must be \[F, 3\]; got \[2, 3\], \[1, 3\], \[2, 3\]"):
        tangent_groups(SQUARE, HALVES, UPRIGHT, HALVES[:1], TOWARDS_US, HALVES * 0)


# --- calculus


def curved(batch=None):
    sphere = scenes.icosphere(1)
    rng = np.random.default_rng(0)
    vertices = sphere.vertices * (1 + 0.1 * rng.normal(size=(*([batch] if batch else []), len(sphere.vertices), 1)))
    uv = sphere.vertices[:, :2] * 0.4 + 0.02 * rng.normal(size=(len(sphere.vertices), 2))
    return vertices, uv, vertices + 0.1 * rng.normal(size=vertices.shape), sphere.triangles


def test_tangents_turn_with_the_mesh():
    vertices, uv, normals, triangles = curved()
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    groups = tangent_groups(vertices, triangles, uv, triangles, normals, triangles)
    found = tangents(vertices, uv, normals, groups)
    turned = tangents(vertices @ turn.T, uv, normals @ turn.T, groups)
    np.testing.assert_allclose(turned[:, :3], found[:, :3] @ turn.T, atol=1e-12)
    assert (turned[:, 3] == found[:, 3]).all()
    assert {*found[:, 3]} == {-1, 1}  # the back of the sphere shows the texture in a mirror


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("name", ["vertices", "uv", "normals"])
def test_gradients_agree_with_central_differences(name, batch):
    vertices, uv, normals, triangles = curved(batch)
    is_front = (scenes.icosphere(1).vertices[triangles, 2] > 0.2).all(axis=-1)  # where u has a direction
    triangles = triangles[is_front]
    groups = tangent_groups(vertices, triangles, uv, triangles, normals, triangles)
    inputs = {"vertices": vertices, "uv": uv, "normals": normals}
    tensors = {key: torch.tensor(x, requires_grad=key == name) for key, x in inputs.items()}
    found = tangents(**tensors, groups=groups)
    rng = np.random.default_rng(2)
    weight, direction = rng.normal(size=tuple(found.shape)), rng.normal(size=inputs[name].shape)
    (found * torch.from_numpy(weight)).sum().backward()
    step = 1e-6
    moved = central(lambda x: tangents(**inputs | {name: x}, groups=groups), inputs[name], direction, step)
    slope = (moved * weight).sum()
    got = (tensors[name].grad.numpy() * direction).sum()
    # The third derivatives, of angles between edges of 0.5 and worse, are below 1e4: step^2 of them, and eps / step.
    assert got == pytest.approx(slope, abs=1e-12 * 1e4 + 1e3 * 2e-16 / step)


def test_gradients_are_finite_where_there_is_no_direction():
    vertices = np.concatenate([SQUARE, [[1, 1, 0]]])
    triangles = np.concatenate([HALVES, [[3, 4, 2]]])
    inputs = [vertices, np.concatenate([UPRIGHT, [[1, 0]]]), TOWARDS_US.repeat(5, 0)]
    groups = tangent_groups(vertices, triangles, inputs[1], triangles, inputs[2], triangles)
    for moved in (inputs, [x * 0 for x in inputs]):  # as built, and collapsed since
        tensors = [torch.tensor(x, requires_grad=True) for x in moved]
        found = tangents(*tensors, groups)
        assert found.isfinite().all()
        found.square().sum().backward()
        assert all(x.grad.isfinite().all() for x in tensors)


def test_a_batch_is_its_meshes_side_by_side():
    vertices, uv, normals, triangles = curved(2)
    groups = tangent_groups(vertices, triangles, uv, triangles, normals, triangles)
    both = tangents(vertices, uv, normals, groups)
    for k in range(2):
        np.testing.assert_array_equal(both[k], tangents(vertices[k], uv, normals[k], groups))
    shared = tangents(vertices[0], uv, normals, groups)  # one shape, two sets of normals
    np.testing.assert_array_equal(shared[0], both[0])
    assert shared.shape == both.shape
