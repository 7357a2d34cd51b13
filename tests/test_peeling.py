# SPDX-License-Identifier: MIT
"""Layer after layer of what lies behind: against sorted lists of all triangles of every pixel."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from frameworks import FRAMEWORKS, arrays
from reference import derivative, raster, scenes
from reference import layers as reference

from intaglio import ops
from intaglio.array import to_numpy

DTYPES = [np.float32, np.float64]
SIZE = (32, 40)


def peel(pos_clip, triangles, size, count, **options):
    """Fragments of `count` layers."""
    found = [ops.rasterize(pos_clip, triangles, size, **options)]
    while len(found) < count:
        found.append(ops.rasterize(pos_clip, triangles, size, behind=found[-1], **options))
    return found


def ids_of(found):
    return np.stack([to_numpy(fragments.triangle_id) for fragments in found], axis=-1)


def assert_sorted_lists_agree(pos_clip, triangles, size, *, max_doubtful=0.01):
    """Ids of all layers, but where the order of two depths, or coverage, is a matter of rounding."""
    expected, depths = reference.layers(pos_clip, triangles, size)
    found = peel(pos_clip, triangles, size, expected.shape[-1])
    got = ids_of(found)
    differs = (got != expected).any(axis=-1)
    assert differs.mean() <= max_doubtful
    with np.errstate(invalid="ignore"):
        gaps = np.diff(depths, axis=-1)
    # Depth planes in single precision are off by some roundings of their slopes over the triangle's box.
    is_close = (gaps < (1e-3 if pos_clip.dtype == np.float32 else 1e-9)).any(axis=-1)
    doubtful = np.array([coverage_doubts(item, triangles, size) for item in pos_clip])
    assert not (differs & ~is_close & ~doubtful).any()
    # Nothing twice, whatever the rounding.
    ordered = np.sort(got, axis=-1)
    assert not ((np.diff(ordered, axis=-1) == 0) & (ordered[..., 1:] >= 0)).any()
    assert (got[..., -1][~differs] == -1).all()


def coverage_doubts(positions, triangles, size):
    """[H, W]: whether any triangle's coverage is a matter of rounding there, hidden or not."""
    doubtful = np.zeros(size, dtype=bool)
    for corners in triangles:
        one = raster.coverage(np.asarray(positions, np.float64)[corners], size, 2 / 256, 0.0)
        if one is not None:
            doubtful[np.ix_(one.rows, one.columns)] |= one.doubtful
    return doubtful


@pytest.mark.parametrize("dtype", DTYPES)
def test_random_triangles_peel_as_sorted(dtype):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(1), batch=2, num_triangles=70)
    assert_sorted_lists_agree(pos_clip.astype(dtype), triangles, SIZE)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(3))
def test_triangles_through_the_eye_plane_peel_as_sorted(seed, dtype):
    pos_clip, triangles = scenes.random_crossing_triangles(np.random.default_rng(seed), batch=2, num_triangles=12)
    assert_sorted_lists_agree(pos_clip.astype(dtype), triangles, SIZE)


@pytest.mark.parametrize("dtype", DTYPES)
def test_triangles_in_one_plane_peel_one_at_a_time(dtype):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(5), batch=1, num_triangles=8)
    thrice = np.concatenate([triangles, triangles, triangles])
    pos_clip = pos_clip.astype(dtype)
    once, many = ids_of(peel(pos_clip, triangles, SIZE, 9)), ids_of(peel(pos_clip, thrice, SIZE, 27))
    # Every triangle of a layer three times, lowest index first.
    np.testing.assert_array_equal(many[..., 0::3], once)
    np.testing.assert_array_equal(many[..., 1::3], np.where(once >= 0, once + 8, -1))
    np.testing.assert_array_equal(many[..., 2::3], np.where(once >= 0, once + 16, -1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_nested_spheres_peel_from_the_outside_to_the_inside_and_out_again(dtype):
    sphere = scenes.icosphere(2)
    radii = [1.0, 0.8, 0.6, 0.4]
    mesh = scenes.join(*(scenes.Shape(sphere.vertices * r, sphere.triangles) for r in radii))
    pos_clip = scenes.project(scenes.perspective(2.2), mesh.vertices + np.array([0, 0, -3])).astype(dtype)
    found = peel(pos_clip, mesh.triangles, (48, 48), 9)
    spheres = np.where(ids_of(found) >= 0, ids_of(found) // len(sphere.triangles), -1)[0]
    assert spheres[24, 24].tolist() == [0, 1, 2, 3, 3, 2, 1, 0, -1]
    for row in spheres.reshape(-1, 9):  # as a bracket: those that are met on the way in are met on the way out
        met = row[row >= 0].tolist()
        assert met == list(range(len(met) // 2)) + list(range(len(met) // 2))[::-1]
    depths = np.stack([fragments.depth for fragments in found], axis=-1)
    assert (np.diff(depths, axis=-1) >= 0).all()


def test_the_first_layer_is_unchanged_and_there_is_nothing_behind_nothing():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(2), batch=1, num_triangles=5)
    found = peel(pos_clip, triangles, SIZE, 8)
    for fragments in found[6:]:
        assert (fragments.triangle_id == -1).all()
        assert (fragments.depth == 1).all()
        assert not fragments.barycentrics.any()
    for before, after in pairwise(found):
        assert (after.triangle_id[before.triangle_id < 0] == -1).all()


def test_a_permutation_of_triangles_changes_only_their_names_in_every_layer():
    rng = np.random.default_rng(4)
    pos_clip, triangles = scenes.random_triangles(rng, batch=1, num_triangles=30)
    order = rng.permutation(len(triangles))
    first, second = peel(pos_clip, triangles, SIZE, 6), peel(pos_clip, triangles[order], SIZE, 6)
    for one, other in zip(first, second, strict=True):
        renamed = np.where(other.triangle_id >= 0, order[other.triangle_id], -1)
        np.testing.assert_array_equal(renamed, one.triangle_id)
        np.testing.assert_array_equal(other.depth, one.depth)
        np.testing.assert_array_equal(other.barycentrics, one.barycentrics)


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (65, 130)])
def test_a_batch_in_any_number_of_threads_is_single_images(size):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(6), batch=3, num_triangles=40)
    pos_clip = pos_clip.astype(np.float32)
    before = ops.get_num_threads()
    ops.set_num_threads(3)
    together = peel(pos_clip, triangles, size, 4)
    ops.set_num_threads(1)
    alone = [peel(pos_clip[b : b + 1], triangles, size, 4) for b in range(3)]
    ops.set_num_threads(before)
    for layer, fragments in enumerate(together):
        for name in fragments._fields:
            expected = np.concatenate([getattr(one[layer], name) for one in alone])
            np.testing.assert_array_equal(getattr(fragments, name), expected)


def test_layers_of_ranges_are_those_of_each_mesh_alone():
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(7), batch=1, num_triangles=40)
    together = peel(pos_clip, triangles, SIZE, 3, ranges=[[0, 15], [15, 25]])
    for r, (first, count) in enumerate([(0, 15), (15, 25)]):
        alone = ids_of(peel(pos_clip, triangles[first : first + count], SIZE, 3))[0]
        np.testing.assert_array_equal(ids_of(together)[r], np.where(alone >= 0, alone + first, -1))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_framework_peels_the_same(framework):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(8), batch=2, num_triangles=30)
    x = arrays(framework, {"pos_clip": pos_clip, "triangles": triangles})
    found = peel(x["pos_clip"], x["triangles"], SIZE, 4)
    for got, expected in zip(found, peel(pos_clip.astype(np.float32), triangles, SIZE, 4), strict=True):
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_array_equal(to_numpy(one), other)


@pytest.mark.parametrize("layer", [1, 2])
def test_weights_and_depths_of_a_layer_have_gradients(layer):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(9), batch=1, num_triangles=60)
    pos = torch.tensor(pos_clip, requires_grad=True)
    fragments = peel(pos, torch.from_numpy(triangles), SIZE, layer + 1)[layer]
    rng = np.random.default_rng(0)
    to_weights, to_depth = rng.normal(size=(1, *SIZE, 2)), rng.normal(size=(1, *SIZE))
    loss = (fragments.barycentrics * torch.from_numpy(to_weights)).sum()
    (loss + (fragments.depth * torch.from_numpy(to_depth)).sum()).backward()
    ids = fragments.triangle_id.numpy()
    assert (ids >= 0).sum() > 100

    def values(positions):
        weights, depth = raster.attributes_of_position(positions, triangles, ids)
        return (weights * to_weights).sum() + (depth * to_depth).sum()

    # Clamped weights pass nothing on; the complex step clamps likewise.
    for _ in range(3):
        direction = rng.normal(size=pos_clip.shape)
        expected = derivative.complex_step(values, pos_clip, direction)
        assert (pos.grad.numpy() * direction).sum() == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("behind", "message"),
    [
        (lambda f: f[0], r"rasterize: behind must be Fragments; got ndarray \(pass what rasterize returned\)"),
        (
            lambda f: ops.Fragments(*(x[:, :3] for x in f)),
            r"rasterize: behind.triangle_id must be \[B, H, W\] with B = 1 from pos_clip, "
            r"H = 32 from size, W = 40 from size; got \[1, 3, 40\]",
        ),
        (
            lambda f: f._replace(depth=f.depth.astype(np.float32)),
            r"rasterize: behind.depth must be float64 like pos_clip",
        ),
    ],
)
def test_what_is_not_a_layer_of_this_picture_is_refused(behind, message):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(9), batch=1, num_triangles=3)
    with pytest.raises(ValueError, match=message):
        ops.rasterize(pos_clip, triangles, SIZE, behind=behind(ops.rasterize(pos_clip, triangles, SIZE)))
