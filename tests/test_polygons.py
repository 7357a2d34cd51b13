# SPDX-License-Identifier: MIT
import numpy as np
import pytest

from intaglio.io import polygons
from intaglio.io.polygons import triangulate

LARGE = 3 * polygons.MOST_EAR_CORNERS  # more corners than ears are looked for in


def signed_areas(points, triangles):
    ab, ac = (points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))
    return (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]) / 2


def cut(points):
    return triangulate(np.array([len(points)]), np.pad(points, [(0, 0), (0, 1)]))[0]


def assert_is_cut(points, triangles, area):
    """Triangles that agree with the outline and with each other at every edge, none turned over, cover its inside."""
    assert len(triangles) == len(points) - 2
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).tolist()
    outline = {(k, (k + 1) % len(points)) for k in range(len(points))}
    directed = set(map(tuple, edges))
    assert len(directed) == len(edges)
    assert {(a, b) for a, b in directed if (b, a) not in directed} == outline
    areas = signed_areas(points, triangles)
    assert areas.min() >= 0
    assert areas.sum() == pytest.approx(area, rel=1e-9)  # of 2e4 areas, each rounded to 2**-52


def turned(points, quarters):
    """The same outline with its corners met in another order by what goes from left to right."""
    for _ in range(quarters):
        points = np.stack([-points[:, 1], points[:, 0]], axis=-1)
    return points


def comb(count):
    """Teeth that hang from y = 10, of widths 1, the k-th of length 1 + k % 7."""
    teeth = (count - 2) // 2
    tips = [[(k, 0.0), (k + 0.5, -1.0 - k % 7)] for k in range(teeth)]
    points = [*np.array(tips).reshape(-1, 2).tolist(), [teeth, 0], [teeth, 10], [0, 10]]
    return np.array(points, dtype=float), 10 * teeth + sum(1 + k % 7 for k in range(teeth)) / 2


def star(count, seed=0):
    """Radii at random; the area is the sum of the triangles that meet in the middle."""
    rng = np.random.default_rng(seed)
    angles = (np.arange(count) + 0.9 * rng.random(count)) * 2 * np.pi / count
    points = (0.1 + rng.random((count, 1))) * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    after = np.roll(points, -1, axis=0)
    return points, (points[:, 0] * after[:, 1] - points[:, 1] * after[:, 0]).sum() / 2


def spiral(rounds):
    """A corridor of width 1 that leads inwards between walls of width 1; two of three corners lie on straight sides."""
    at, way = np.array([0.0, 0.0]), np.array([1.0, 0.0])
    lengths = [2 * rounds + 4, *np.repeat(np.arange(2 * rounds + 4, 4, -2), 2)]
    outer, inner = [], []
    for length in lengths:
        left = np.array([-way[1], way[0]])
        for step in (0, length / 4, length / 2):
            inner.append(at + max(step, len(outer) > 0) * way + left)
            outer.append(at + step * way)
        at, way = at + length * way, left
    area = sum(lengths) - (len(lengths) - 1)  # where it turns, two lengths share a square
    return np.array([*outer, at, at + way, *inner[::-1]]), area


def simple_by_exchange(count, seed):
    """Corners at random in an order that is mended wherever two edges cross: shorter every time, so it ends."""
    points = np.random.default_rng(seed).random((count, 2))
    found = True
    while found:
        found = False
        for i in range(count - 2):
            for k in range(i + 2, count - (i == 0)):
                a, b, c, d = points[[i, i + 1, k, (k + 1) % count]]
                if side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0:
                    points[i + 1 : k + 1] = points[i + 1 : k + 1][::-1].copy()
                    found = True
    after = np.roll(points, -1, axis=0)
    area = (points[:, 0] * after[:, 1] - points[:, 1] * after[:, 0]).sum() / 2
    return (points, area) if area > 0 else (points[::-1], -area)


def side(a, b, p):
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def sieve(rows):
    """A square with diamonds of area 2 cut out, each row of them on a bridge from the left side."""
    points, size = [(0, 0), (4 * rows, 0), (4 * rows, 4 * rows), (0, 4 * rows)], 4 * rows
    for y in range(size - 2, 0, -4):
        points.append((0, y))
        for x in range(1, size, 4):
            points += [(x, y), (x + 1, y + 1), (x + 2, y)]
        for x in range(size - 3, 0, -4):
            points += [(x + 2, y), (x + 1, y - 1), (x, y)]
        points.append((0, y))
    return np.array(points, dtype=float), size**2 - 2.0 * rows**2


@pytest.fixture(params=["by ears", "by the sweep"])
def both_ways(request, monkeypatch):
    if request.param == "by the sweep":
        monkeypatch.setattr(polygons, "MOST_EAR_CORNERS", 0)
        monkeypatch.setattr(polygons, "MOST_LOOKS", 0)  # for what the sweep refuses there are no ears either


@pytest.mark.parametrize("quarters", range(4))
def test_a_comb_of_20000_corners_is_cut_right(quarters):
    points, area = comb(20_000)
    assert len(points) > 20_000
    points = turned(points, quarters)
    assert_is_cut(points, cut(points), area)


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("shape", [star(5000), spiral(200), sieve(25)], ids=["star", "spiral", "sieve"])
def test_large_polygons_are_cut_right_without_a_look_for_ears(shape, quarters, monkeypatch):
    monkeypatch.setattr(polygons, "MOST_LOOKS", 0)
    points = turned(shape[0], quarters)
    assert len(points) > LARGE
    assert_is_cut(points, cut(points), shape[1])


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("seed", range(20))
def test_polygons_at_random_are_cut_right(seed):
    for points, area in (simple_by_exchange(5 + 2 * seed, seed), star(7 + seed, seed)):
        assert_is_cut(points, cut(points), area)


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    ("points", "area"),
    [
        ([(0, 0), (4, 0), (1, 1), (0, 4)], 4),  # a dart
        ([(4, 0), (2, 0), (1, 0), (1, 1), (0, 4), (0, 0), (0, -1), (4, -1)], 6.5),  # corners on straight sides
        ([(4, 0), (1, 1), (1, 1), (0, 4), (0, 0), (0, 0)], 4),  # corners twice
        ([(4, 0), (1, 1), (0, 4), (0, 6), (0, 4), (0, 0)], 4),  # a thorn without area
        (sieve(2)[0], 56),  # bridges to holes and on to holes
        ([(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)], 8),  # a corner that touches a side from within
        ([(0, 0), (9, 0), (9, 9), (0, 9), (3, 5), (0, 9), (0, 0), (1, 1), (5, 3), (1, 1)], 81),  # only slits
    ],
)
def test_what_touches_itself_is_cut_right(points, area):
    points = np.array(points, dtype=float)
    for first in range(len(points)):
        for quarters in range(4):
            rolled = turned(np.roll(points, first, axis=0), quarters)
            triangles = cut(rolled)
            areas = signed_areas(rolled, triangles)
            assert len(triangles) == len(points) - 2
            assert areas.min() >= 0
            assert areas.sum() == area


@pytest.mark.usefixtures("both_ways")
def test_what_crosses_itself_still_becomes_as_many_triangles():
    for seed in range(20):
        points = np.random.default_rng(seed).random((30, 2))
        assert cut(points).shape == (28, 3)
        assert np.unique(cut(points)).tolist() == list(range(30))


def test_the_sweep_refuses_what_crosses_itself():
    points, _ = star(1000)
    assert polygons._sweep(points) is not None
    points[[0, 500]] = points[[500, 0]]
    assert polygons._sweep(points) is None
    knot = [(1, 4), (4, 0), (4, 4), (2, 0), (2, 3), (1, 0), (3, 0)]  # of which it could make five triangles, but wrong
    assert polygons._sweep(np.array(knot, dtype=float)) is None


def test_a_large_polygon_that_crosses_itself_becomes_as_many_triangles(monkeypatch):
    points, _ = star(LARGE)
    points[[0, 500]] = points[[500, 0]]
    monkeypatch.setattr(polygons, "MOST_LOOKS", 100_000)  # not enough
    assert cut(points).shape == (LARGE - 2, 3)


def test_where_the_looks_are_spent_small_polygons_are_still_cut_right(monkeypatch):
    monkeypatch.setattr(polygons, "MOST_LOOKS", 0)
    points, area = star(100)
    assert_is_cut(points, cut(points), area)


def test_a_polygon_far_away_and_on_a_slope_is_cut_right_between_others():
    flat, area = star(LARGE)
    flat = np.round(flat * 2**10)  # so that the slope moves no corner off the plane
    after = np.roll(flat, -1, axis=0)
    area = (flat[:, 0] * after[:, 1] - flat[:, 1] * after[:, 0]).sum() / 2
    slope = np.stack([flat[:, 1], flat[:, 0] + 2**20, flat[:, 1] + flat[:, 0]], axis=-1)
    square = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)])
    triangles, of = triangulate(np.array([4, LARGE, 4]), np.concatenate([square, slope, square]).astype(np.float32))
    assert of.tolist() == [0, 0] + [1] * (LARGE - 2) + [2, 2]
    assert triangles[[0, 1, -2, -1]].tolist() == [
        [0, 1, 2],
        [0, 2, 3],
        [LARGE + 4, LARGE + 5, LARGE + 6],
        [LARGE + 4, LARGE + 6, LARGE + 7],
    ]
    assert_is_cut(flat, triangles[of == 1] - 4, area)
