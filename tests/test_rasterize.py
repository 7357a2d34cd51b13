# SPDX-License-Identifier: MIT
"""Who covers a pixel, with which weights and at which depth: hand numbers, invariants, and the reference."""

import numpy as np
import pytest
from reference import agreement, raster, scenes, shade

from intaglio import ops

DTYPES = [np.float32, np.float64]
TRIANGLE = np.array([[0, 1, 2]], dtype=np.int32)


def clip_from_sub(corners_sub, size, depth=0.0, w=1.0):
    """Sub-pixel integers (x right, y down, origin at the image centre) -> pos_clip [1,V,4] that snaps to them."""
    height, width = size
    corners_sub = np.asarray(corners_sub, dtype=np.float64)
    x, y = corners_sub[:, 0] / (width * 128), -corners_sub[:, 1] / (height * 128)
    ones = np.ones(len(corners_sub))
    return np.stack([x * w, y * w, depth * w * ones, w * ones], axis=1)[None]


def covered(pos_clip, triangles, size):
    return ops.rasterize(pos_clip, triangles, size).triangle_id >= 0


def coverage_counts(pos_clip, triangles, size):
    """[H,W]: how many triangles cover each pixel, every triangle drawn alone, as a batch of its own topologies."""
    alone = np.broadcast_to(pos_clip, (len(triangles), *pos_clip.shape[1:]))
    return covered(np.ascontiguousarray(alone), triangles[:, None, :], size).sum(axis=0)


# --- agreement with the reference


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 3), (48, 64), (65, 33)])
def test_random_triangles_agree_with_the_reference(size, dtype):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(1), batch=3, num_triangles=40)
    pos_clip = pos_clip.astype(dtype)
    got = ops.rasterize(pos_clip, triangles, size)
    few_pixels = size[0] * size[1] < 100
    agreement.assert_fragments_agree(got, pos_clip, triangles, size, max_doubtful=0.15 if few_pixels else 0.05)


@pytest.mark.parametrize("dtype", DTYPES)
def test_own_topologies_agree_with_the_reference(dtype):
    rng = np.random.default_rng(2)
    pos_clip, _ = scenes.random_triangles(rng, batch=3, num_triangles=10)
    triangles = rng.integers(0, pos_clip.shape[1], (3, 12, 3), dtype=np.int32)
    pos_clip = pos_clip.astype(dtype)
    got = ops.rasterize(pos_clip, triangles, (31, 40))
    agreement.assert_fragments_agree(got, pos_clip, triangles, (31, 40))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(4))
def test_triangles_through_the_eye_plane_agree_with_the_reference(seed, dtype):
    pos_clip, triangles = scenes.random_crossing_triangles(np.random.default_rng(seed), batch=3, num_triangles=12)
    pos_clip = pos_clip.astype(dtype)
    assert (pos_clip[..., 3] <= 0).any()
    got = ops.rasterize(pos_clip, triangles, (40, 56))
    agreement.assert_fragments_agree(got, pos_clip, triangles, (40, 56))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_sphere_agrees_with_the_reference(dtype):
    sphere = scenes.icosphere(3)
    view = sphere.vertices + np.array([0.1, -0.2, -3])
    pos_clip = scenes.project(scenes.perspective(1.7, aspect=1.25), view).astype(dtype)
    got = ops.rasterize(pos_clip, sphere.triangles, (64, 80))
    agreement.assert_fragments_agree(got, pos_clip, sphere.triangles, (64, 80), max_doubtful=0.2)


def test_the_comparison_sees_a_moved_triangle():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(1), batch=1, num_triangles=40)
    right = ops.rasterize(pos_clip, triangles, (48, 64))
    moved = ops.rasterize(pos_clip + np.array([2 / 64, 0, 0, 0]), triangles, (48, 64))
    with pytest.raises(AssertionError, match="triangle_id"):
        agreement.assert_fragments_agree(moved, pos_clip, triangles, (48, 64))
    for name in ("barycentrics", "depth"):
        wrong = right._replace(**{name: getattr(right, name) * (1 + 1e-9)})
        with pytest.raises(AssertionError, match=name):
            agreement.assert_fragments_agree(wrong, pos_clip, triangles, (48, 64))


# --- coverage


def area(a, b, c):
    """Twice the signed area of the triangle of 2-D points."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def random_triangulation(rng, corners_sub, num_points, *, step=1):
    """Split a quad [4,2] of integers at interior points into ever more triangles: (corners [V,2], triangles [F,3]).

    New corners lie `step` sub-pixels apart, counted from the quad's first corner.
    """
    points = [np.array(corner) for corner in corners_sub]
    triangles = [(0, 1, 2), (0, 2, 3)]
    while len(points) < 4 + num_points:
        a, b, c = triangle = triangles[rng.integers(len(triangles))]
        inside = rng.dirichlet([1, 1, 1]) @ np.stack([points[a], points[b], points[c]])
        points.append(points[0] + step * np.rint((inside - points[0]) / step).astype(int))
        pieces = [(a, b, len(points) - 1), (b, c, len(points) - 1), (c, a, len(points) - 1)]
        areas = np.array([area(points[k], points[j], points[m]) for k, j, m in pieces])
        if not (areas < 0).all():  # rounded onto or over a side
            points.pop()
            continue
        triangles.remove(triangle)
        triangles.extend(pieces)
    return np.stack(points), np.array(triangles, dtype=np.int32)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(4))
def test_a_triangulated_quad_covers_every_pixel_exactly_once(seed, dtype):
    rng = np.random.default_rng(seed)
    size = (24, 32)
    quad = np.array([(-4100, -3100), (-4100, 3100), (4100, 3100), (4100, -3100)])  # a little larger than the image
    corners, triangles = random_triangulation(rng, quad, 80)
    # Different w at every corner: perspective moves no edge.
    pos_clip = clip_from_sub(corners, size, w=rng.uniform(0.5, 2, len(corners))).astype(dtype)
    assert (coverage_counts(pos_clip, triangles, size) == 1).all()


@pytest.mark.parametrize("seed", range(4))
def test_corners_on_pixel_centres_are_covered_exactly_once(seed):
    size = (16, 16)
    quad = np.array([(-1408, -1408), (-1408, 1408), (1408, 1408), (1408, -1408)])  # its corners are pixel centres
    corners, triangles = random_triangulation(np.random.default_rng(seed), quad, 30, step=256)
    counts = coverage_counts(clip_from_sub(corners, size), triangles, size)
    # The top and the left side are in, the bottom and the right side are out: centres from -1408 to 1152.
    expected = np.zeros(size, dtype=int)
    expected[2:13, 2:13] = 1
    np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize("shift", [(1, 0), (0, 1), (128, 128), (-255, 77)])
def test_a_shift_by_sub_pixels_opens_no_seam(shift):
    size = (24, 24)
    quad = np.array([(-4000, -4000), (-4000, 4000), (4000, 4000), (4000, -4000)])
    corners, triangles = random_triangulation(np.random.default_rng(7), quad, 60)
    pos_clip = clip_from_sub(corners + np.array(shift), size)
    assert (coverage_counts(pos_clip, triangles, size) == 1).all()


def test_an_edge_through_centres_belongs_to_the_triangle_below_it():
    # The centre of row 1 is at sub-pixel y = -128 in a 4 x 4 image; two quads meet on that line.
    upper = clip_from_sub([(-512, -512), (512, -512), (512, -128), (-512, -128)], (4, 4))
    lower = clip_from_sub([(-512, -128), (512, -128), (512, 512), (-512, 512)], (4, 4))
    quad = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    assert covered(upper, quad, (4, 4))[0].sum(axis=1).tolist() == [4, 0, 0, 0]
    assert covered(lower, quad, (4, 4))[0].sum(axis=1).tolist() == [0, 4, 4, 4]


def test_an_edge_through_centres_belongs_to_the_triangle_right_of_it():
    left = clip_from_sub([(-512, -512), (-128, -512), (-128, 512), (-512, 512)], (4, 4))
    right = clip_from_sub([(-128, -512), (512, -512), (512, 512), (-128, 512)], (4, 4))
    quad = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    assert covered(left, quad, (4, 4))[0].sum(axis=0).tolist() == [4, 0, 0, 0]
    assert covered(right, quad, (4, 4))[0].sum(axis=0).tolist() == [0, 4, 4, 4]


def test_both_orientations_cover_the_same():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(3), batch=1, num_triangles=30)
    forward = ops.rasterize(pos_clip, triangles, (40, 40))
    turned = ops.rasterize(pos_clip, np.ascontiguousarray(triangles[:, ::-1]), (40, 40))
    np.testing.assert_array_equal(forward.triangle_id, turned.triangle_id)


def test_a_permutation_of_triangles_changes_only_their_names():
    rng = np.random.default_rng(4)
    pos_clip, triangles = scenes.random_triangles(rng, batch=2, num_triangles=50)
    order = rng.permutation(len(triangles))
    first = ops.rasterize(pos_clip, triangles, (40, 40))
    second = ops.rasterize(pos_clip, triangles[order], (40, 40))
    renamed = np.where(second.triangle_id >= 0, order[second.triangle_id], -1)
    np.testing.assert_array_equal(renamed, first.triangle_id)
    np.testing.assert_array_equal(second.barycentrics, first.barycentrics)
    np.testing.assert_array_equal(second.depth, first.depth)


@pytest.mark.parametrize("size", [(8192, 3), (3, 8192)])
def test_long_images_are_covered_to_their_ends(size):
    sides = np.array([[-1.5, -1.5, 0, 1], [1.5, -1.5, 0, 1], [1.5, 1.5, 0, 1], [-1.5, 1.5, 0, 1]], dtype=np.float32)
    quad = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    assert covered(sides[None], quad, size).all()


def test_an_image_of_8192_squared_is_drawn():
    pos_clip = np.array([[[-1, -1, 0, 1], [1, -1, 0, 1], [1, 1, 0, 1], [-1, 1, 0, 1]]], dtype=np.float32)
    quad = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    ids = ops.rasterize(pos_clip, quad, (8192, 8192)).triangle_id[0]
    # The diagonal runs from the lower left to the upper right through pixel centres: it is a lower triangle's top edge.
    assert ids[0, 0] == 1
    assert ids[-1, -1] == 0
    assert int((ids == 0).sum(dtype=np.int64)) == 8192 * 8193 // 2
    assert int((ids == 1).sum(dtype=np.int64)) == 8192 * 8191 // 2


def test_a_million_triangles_tile_the_image():
    mesh = scenes.grid(724, half_side=1.01)
    assert len(mesh.triangles) > 1_000_000
    pos_clip = np.c_[mesh.vertices, np.ones(len(mesh.vertices))][None].astype(np.float32)
    fragments = ops.rasterize(pos_clip, mesh.triangles, (512, 512))
    assert (fragments.triangle_id >= 0).all()
    places = ops.interpolate(pos_clip[..., :2], fragments, mesh.triangles)[0]
    x, y = raster.pixel_centres_ndc((512, 512))
    centre = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1)
    # A weight clamped to its triangle is off by 1/256 pixel at most, in x and y.
    agreement.assert_close(places, centre, 2 / 512 / raster.SUBPIXELS * 2**0.5, "pixel centres from weights")


# --- depth


def test_the_nearer_triangle_wins():
    pos_clip = np.concatenate(
        [clip_from_sub([(-999, -999), (999, -999), (0, 999)], (4, 4), depth=d) for d in (0.5, -0.5)], 1
    )
    ids = ops.rasterize(pos_clip, np.array([[0, 1, 2], [3, 4, 5]], dtype=np.int32), (4, 4)).triangle_id
    assert set(np.unique(ids)) == {-1, 1}


def test_equal_depths_go_to_the_lowest_index():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(5), batch=1, num_triangles=20)
    twice = np.concatenate([triangles, triangles])
    np.testing.assert_array_equal(
        ops.rasterize(pos_clip, twice, (32, 32)).triangle_id,
        ops.rasterize(pos_clip, triangles, (32, 32)).triangle_id,
    )


def test_equal_depths_of_tiny_triangles_go_to_the_lowest_index():
    # A dense sphere twice, the copy first in one order and then in the other: triangles of a pixel or two.
    sphere = scenes.icosphere(4)
    pos_clip = scenes.project(scenes.perspective(1.7), sphere.vertices + np.array([0, 0, -3])).astype(np.float32)
    twice = np.concatenate([sphere.triangles, sphere.triangles[::-1]])
    once = ops.rasterize(pos_clip, sphere.triangles, (48, 48)).triangle_id
    np.testing.assert_array_equal(ops.rasterize(pos_clip, twice, (48, 48)).triangle_id, once)


@pytest.mark.parametrize(("depth", "is_seen"), [(-1.01, False), (-0.99, True), (0.99, True), (1.01, False)])
def test_only_what_lies_between_near_and_far_is_seen(depth, is_seen):
    pos_clip = clip_from_sub([(-999, -999), (999, -999), (0, 999)], (4, 4), depth=depth)
    assert covered(pos_clip, TRIANGLE, (4, 4)).any() == is_seen


def test_background_has_no_triangle_no_weights_and_depth_one():
    fragments = ops.rasterize(np.zeros((2, 0, 4), np.float32), np.zeros((0, 3), np.int32), (3, 5))
    assert fragments.triangle_id.tolist() == np.full((2, 3, 5), -1).tolist()
    assert fragments.barycentrics.tolist() == np.zeros((2, 3, 5, 2)).tolist()
    assert fragments.depth.tolist() == np.ones((2, 3, 5)).tolist()


def test_weights_give_back_the_centre_of_the_pixel():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(6), batch=1, num_triangles=30)
    fragments = ops.rasterize(pos_clip, triangles, (48, 48))
    weights = shade.weights3(fragments.barycentrics)
    assert ((weights >= 0) & (weights <= 1)).all()
    # Where no weight was clamped to the triangle; clamping needs a centre within 1/256 pixel of an edge.
    inside = (fragments.triangle_id >= 0) & (weights > 0).all(axis=-1)
    assert inside.sum() > 0.99 * (fragments.triangle_id >= 0).sum()
    xyw = ops.interpolate(pos_clip[..., [0, 1, 3]], fragments, triangles)[inside]
    x, y = raster.pixel_centres_ndc((48, 48))
    centre = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1)[None]
    agreement.assert_close(xyw[:, :2] / xyw[:, 2:], centre[inside], 1e-9, "pixel centres from weights")


# --- clipping


FLOOR = np.array([[-30, -1, 5], [30, -1, 5], [30, -1, -30], [-30, -1, -30]])  # passes under the camera
FLOOR_QUAD = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)


def subdivided(vertices, triangles):
    """Every triangle in four; child index = 4 * parent + k."""
    corners = vertices[triangles]
    middles = (corners + np.roll(corners, -1, axis=1)) / 2  # of edges 01, 12, 20
    (a, b, c), (ab, bc, ca) = np.moveaxis(corners, 1, 0), np.moveaxis(middles, 1, 0)
    children = np.stack([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))], axis=1)
    children = children.reshape(-1, 3, vertices.shape[1])
    return children.reshape(-1, vertices.shape[1]), np.arange(3 * len(children), dtype=np.int32).reshape(-1, 3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_floor_under_the_camera_reaches_from_the_bottom_to_the_horizon(dtype):
    pos_clip = scenes.project(scenes.perspective(1.0), FLOOR).astype(dtype)
    fragments = ops.rasterize(pos_clip, FLOOR_QUAD, (64, 64))
    # The far side, 1 below the eye and 30 away, is seen at ndc y = -1/30: 32 + 32/30 = 33.07 rows from the top.
    assert (fragments.triangle_id[0, :33] == -1).all()
    assert (fragments.triangle_id[0, 33:] >= 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("turn", np.linspace(0, 6, 7))
def test_clipped_triangles_look_like_their_subdivision(turn, dtype):
    vertices = FLOOR @ scenes.rotation([0, 1, 0.3], turn).T
    matrix = scenes.perspective(1.0, near=0.1, far=200.0)
    whole_clip = scenes.project(matrix, vertices).astype(dtype)
    whole = ops.rasterize(whole_clip, FLOOR_QUAD, (48, 48))
    pieces, triangles = subdivided(*subdivided(*subdivided(vertices, FLOOR_QUAD)))
    pieces_clip = scenes.project(matrix, pieces).astype(dtype)
    fine = ops.rasterize(pieces_clip, triangles, (48, 48))
    reference = raster.rasterize(
        whole_clip, FLOOR_QUAD, (48, 48), slack_pixels=2 / raster.SUBPIXELS, eps=agreement.EPS[np.dtype(dtype)]
    )
    parents = np.where(fine.triangle_id >= 0, fine.triangle_id // 64, -1)
    clear = ~reference.doubtful
    assert (parents == whole.triangle_id)[clear].all()
    agreement.assert_values_agree(fine, pieces_clip, triangles)
    agreement.assert_values_agree(whole, whole_clip, FLOOR_QUAD)


def test_a_clipped_mesh_has_no_seams():
    floor = scenes.grid(12, half_side=20.0)
    vertices = floor.vertices @ scenes.rotation([1, 0, 0], -np.pi / 2).T + [0.3, -1, 0.2]
    pos_clip = scenes.project(scenes.perspective(1.0), vertices).astype(np.float32)
    assert (pos_clip[..., 3] < 0).any()
    assert covered(pos_clip, floor.triangles, (200, 200))[0, 110:].all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_behind_the_eye_is_not_seen(dtype):
    pos_clip = scenes.project(scenes.perspective(1.0), np.array([[-1, -1, 2], [1, -1, 2], [0, 1, 2.0]])).astype(dtype)
    assert not covered(pos_clip, TRIANGLE, (16, 16)).any()


@pytest.mark.parametrize("w", [0.0, 1e-38, 1e-30, 1e-7, -1e-7, -1.0])
def test_a_corner_whose_w_goes_to_zero_stays_finite(w):
    pos_clip = np.array([[[-0.5, -0.5, 0, 1], [0.5, -0.5, 0, 1], [0, 0.7, 0, w]]], dtype=np.float32)
    fragments = ops.rasterize(pos_clip, TRIANGLE, (16, 16))
    assert np.isfinite(fragments.barycentrics).all()
    assert np.isfinite(fragments.depth).all()
    assert fragments.triangle_id[0, 11, 8] == 0  # close above the side between the first two corners


# --- odd triangles


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e15, 1e30])
def test_a_huge_triangle_covers_the_image(scale):
    pos_clip = np.array([[[-scale, -scale, 0, 1], [scale, -scale, 0, 1], [0, scale, 0, 1]]], dtype=np.float32)
    fragments = ops.rasterize(pos_clip, TRIANGLE, (33, 17))
    assert (fragments.triangle_id == 0).all()
    assert np.isfinite(fragments.barycentrics).all()
    assert np.isfinite(fragments.depth).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (0, 0), (0, 0)],  # a point
        [(-500, -300), (500, 300), (0, 0)],  # a line
        [(-500, -300), (500, 300), (-500, -300)],  # there and back
    ],
)
def test_a_triangle_without_area_covers_nothing(corners, dtype):
    pos_clip = clip_from_sub(corners, (16, 16)).astype(dtype)
    assert not covered(pos_clip, TRIANGLE, (16, 16)).any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_slivers_are_finite_and_agree_with_the_reference(dtype):
    rng = np.random.default_rng(8)
    start = rng.uniform(-1, 1, (60, 2))
    along = rng.normal(size=(60, 2))
    thin = 10.0 ** rng.uniform(-7, -2, (60, 1)) * rng.normal(size=(60, 2))
    xy = np.stack([start, start + along, start + along * 0.5 + thin], axis=1)
    rest = np.broadcast_to([0.1, 1.0], (60, 3, 2))
    pos_clip = np.concatenate([xy, rest], axis=-1).reshape(1, -1, 4).astype(dtype)
    triangles = np.arange(180, dtype=np.int32).reshape(-1, 3)
    got = ops.rasterize(pos_clip, triangles, (64, 64))
    assert np.isfinite(got.barycentrics).all()
    assert np.isfinite(got.depth).all()
    agreement.assert_fragments_agree(got, pos_clip, triangles, (64, 64), max_doubtful=0.5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("length", "count"), [(1.0, 2000), (0.05, 20000)])
def test_the_depth_of_a_sliver_stays_between_its_corners(length, count, dtype):
    # Snapping may put a centre beside a sliver, where its steep plane has run off: here beyond the side of depth 0,
    # over which the third corner stands by a few hundredths of a pixel.
    rng = np.random.default_rng(9)
    start, along = rng.uniform(-1, 1, (count, 2)), length * rng.normal(size=(count, 2))
    thin = rng.uniform(1e-4, 2e-3, (count, 1)) * rng.normal(size=(count, 2))
    xy = np.stack([start, start + along, start + along * 0.5 + thin], axis=1)
    depth = np.zeros((count, 3, 1))
    depth[:, 2, 0] = rng.choice([-0.9, 0.9], count)
    pos_clip = np.concatenate([xy, depth, np.ones_like(depth)], axis=-1).reshape(1, -1, 4).astype(dtype)
    triangles = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    got = ops.rasterize(pos_clip, triangles, (64, 64))
    seen = got.triangle_id >= 0
    corners = pos_clip[0, triangles[got.triangle_id[seen]], 2]
    assert seen.sum() >= 500
    rounding = 4 * np.finfo(dtype).eps
    assert (got.depth[seen] >= corners.min(axis=1) - rounding).all()
    assert (got.depth[seen] <= corners.max(axis=1) + rounding).all()
