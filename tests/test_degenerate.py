# SPDX-License-Identifier: MIT
"""Meshes that no one would draw on purpose: every op stays finite, forward and backward, in float32."""

import jax
import numpy as np
import pytest
import torch
from reference import chains, scenes

from intaglio import neighbours
from intaglio.topology import edge_ends


def duplicates(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 12)
    return pos, np.concatenate([triangles, triangles[::-1], triangles[:, ::-1]])


def slivers(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 40)
    pos = pos.reshape(2, -1, 3, 4)
    pos[:, :, 2] = (pos[:, :, 0] + pos[:, :, 1]) / 2 + 10.0 ** rng.uniform(-9, -3, (2, 40, 1)) * rng.normal(
        size=(2, 40, 4)
    )
    return pos.reshape(2, -1, 4), triangles


def points_and_lines(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 20)
    return pos, np.concatenate([triangles[:, [0, 0, 0]], triangles[:, [0, 1, 0]], triangles])


def huge(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 12)
    scale = 10.0 ** rng.uniform(0, 15, (2, 12, 1, 1))
    pos = pos.reshape(2, 12, 3, 4) * np.concatenate([scale, scale, np.ones_like(scale), np.ones_like(scale)], -1)
    return pos.reshape(2, -1, 4), triangles


def through_the_eye(rng):
    return scenes.random_crossing_triangles(rng, 2, 16)


def nearly_no_w(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 16)
    pos[..., 3] *= 10.0 ** rng.uniform(-30, 0, pos.shape[:2]) * rng.choice([-1, 0, 1, 1, 1], pos.shape[:2])
    return pos, triangles


def on_one_plane(rng):
    pos, triangles = scenes.random_triangles(rng, 2, 16)
    pos[..., 2] = 0.25 * pos[..., 3]
    return pos, triangles


def tangled(rng):
    # Few vertices, many triangles: edges of many triangles, folds upon folds, vertices used twice.
    pos, _ = scenes.random_triangles(rng, 2, 4)
    return pos, rng.integers(0, 12, (40, 3))


MESHES = [duplicates, slivers, points_and_lines, huge, through_the_eye, nearly_no_w, on_one_plane, tangled]
NAMES = [name for name in chains.CHAINS if name not in ("sample_texture", "squared_error", "downsample")]


def inputs_of(pos_clip, triangles, rng):
    triangles = triangles.astype(np.int32)
    x = chains.inputs(batch=2)
    x["pos_clip"] = torch.tensor(pos_clip, dtype=torch.float32)
    x["attributes"] = torch.tensor(rng.normal(size=(2, pos_clip.shape[1], 3)), dtype=torch.float32)
    x["face_textures"] = torch.tensor(rng.normal(size=(len(triangles), 2, 2, 2, 3)), dtype=torch.float32)
    x["triangles"] = torch.from_numpy(np.ascontiguousarray(triangles))
    x["neighbours"] = torch.from_numpy(neighbours(x["triangles"].numpy()))
    x["starts"], x["ends"] = edge_ends(x["triangles"], x["attributes"].shape[-2])
    return x


# A walk over a tangle may go in circles; it is cut short and counted, aloud.
CUT_SHORT = "gave up after 4096 triangles within one pixel; their gradient may be wrong"


@pytest.mark.filterwarnings(f"ignore:.*{CUT_SHORT}:RuntimeWarning")
@pytest.mark.parametrize("make", MESHES)
@pytest.mark.parametrize("name", NAMES)
def test_odd_meshes_stay_finite(name, make):
    rng = np.random.default_rng(0)
    x = inputs_of(*make(rng), rng)
    outputs, gradients = chains.value_and_gradients(chains.CHAINS[name], x)
    for output in outputs:
        assert torch.isfinite(output).all()
    for gradient in gradients.values():
        assert torch.isfinite(gradient).all()


def test_a_walk_that_is_cut_short_is_reported():
    rng = np.random.default_rng(0)
    with pytest.warns(RuntimeWarning, match=rf"^edge_gradient backward: \d+ pixel pairs {CUT_SHORT}$"):
        chains.value_and_gradients(chains.edge_gradient, inputs_of(*tangled(rng), rng))


def test_jax_reports_it_from_a_thread_of_its_own():
    rng = np.random.default_rng(0)
    x = {name: jax.numpy.array(value.numpy()) for name, value in inputs_of(*tangled(rng), rng).items()}
    pull = jax.jit(jax.grad(lambda pos: (chains.edge_gradient(x | {"pos_clip": pos})[0] ** 2).sum()))
    with pytest.warns(RuntimeWarning, match=rf"^edge_gradient backward: \d+ pixel pairs {CUT_SHORT}$"):
        jax.block_until_ready(pull(x["pos_clip"]))
