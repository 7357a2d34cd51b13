# SPDX-License-Identifier: MIT
"""The ops as JAX functions: the same bits as torch's, every transform, threads, and what they refuse."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from reference import chains

from intaglio import ops

SIZE = chains.SIZE
TRIANGLE = jnp.array([[0, 1, 2]], dtype=jnp.int32)
POS = jnp.array([[[-1, -1, 0, 1], [1, -1, 0, 1], [0, 1, 0, 1]]], dtype=jnp.float32)


def inputs(dtype=torch.float32, **how):
    """Those of the chains: what is differentiable, and the integers."""
    x = {name: jnp.array(value.numpy()) for name, value in chains.inputs(dtype, **how).items()}
    integers = {name: x.pop(name) for name, value in list(x.items()) if value.dtype == jnp.int32}
    return x, integers


def loss_of(outputs):
    """That of chains.loss_of."""
    ramps = (jnp.linspace(0.5, 1.5, x.size, dtype=x.dtype).reshape(x.shape) for x in outputs)
    return sum((ramp * x * (x + 1)).sum() for ramp, x in zip(ramps, outputs, strict=True))


def agree_with_torch(name, dtype):
    chain = chains.CHAINS[name]
    expected, expected_gradients = chains.value_and_gradients(chain, chains.inputs(dtype))
    values, integers = inputs(dtype)
    outputs = chain(values | integers)
    for got, want in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(got, want)
    # Gradients pass through sums of up to 200 terms, whose order is JAX's: a few roundings of the largest.
    gradients = jax.jit(jax.grad(lambda values: loss_of(chain(values | integers))))(values)
    for key, got in gradients.items():
        want = expected_gradients[key].numpy() if key in expected_gradients else np.zeros(got.shape)
        assert got.dtype == values[key].dtype
        np.testing.assert_allclose(got, want, rtol=0, atol=8 * jnp.finfo(got.dtype).eps * np.abs(want).max())
    for key, untouched in chains.inputs(dtype).items():  # arrays of JAX must not be written into
        np.testing.assert_array_equal((values | integers)[key], untouched)


@pytest.mark.parametrize("name", chains.CHAINS)
def test_float64_has_the_bits_of_torch_where_it_is_enabled_and_writes_into_no_input(name):
    with jax.enable_x64(True):
        agree_with_torch(name, torch.float64)


# --- transforms


def depths(pos_clip, triangles=TRIANGLE):
    return ops.rasterize(pos_clip, triangles, (8, 8)).depth


def tilted(count):
    """[count, 1, 3, 4]: the triangle with its tip ever further away."""
    return jnp.stack([POS.at[0, 2, 2].set(0.1 * i) for i in range(count)])


def test_the_tip_of_a_triangle_pulls_its_depth():
    gradient = jax.grad(lambda pos_clip: depths(pos_clip).sum())(POS)
    assert float(gradient[..., 2].sum()) == 32  # one for each of the pixels that it covers
    assert not gradient[..., (0, 1, 3)].any()


@pytest.mark.parametrize("wrap", [jax.jit, lambda f: f])
def test_vmap_is_a_loop(wrap):
    pos = tilted(3)
    value_and_gradient = jax.value_and_grad(lambda pos_clip: (depths(pos_clip) ** 2).sum())
    singly = [value_and_gradient(one) for one in pos]
    values, gradients = wrap(jax.vmap(value_and_gradient))(pos)
    np.testing.assert_allclose(values, [value for value, _ in singly], rtol=1e-6)
    np.testing.assert_allclose(gradients, [gradient for _, gradient in singly], atol=1e-6)
    outside = wrap(jax.grad(lambda pos: (jax.vmap(depths)(pos) ** 2).sum()))(pos)
    np.testing.assert_allclose(outside, gradients, atol=1e-6)


def test_vmap_takes_meshes_of_their_own():
    triangles = jnp.array([[[0, 1, 2]], [[0, 2, 1]]], dtype=jnp.int32)
    two = jax.vmap(depths)(tilted(2), triangles)
    np.testing.assert_array_equal(two[1], depths(tilted(2)[1], triangles[1]))
    one_shape = jax.vmap(depths, in_axes=(None, 0))(POS, triangles)
    np.testing.assert_array_equal(one_shape[0], one_shape[1])


def test_vmap_sums_gradients_of_what_is_shared():
    colors, pos = jnp.eye(3), tilted(2)

    def brightness(colors, pos_clip):
        fragments = ops.rasterize(pos_clip, TRIANGLE, (8, 8))
        return ops.interpolate(colors, fragments, TRIANGLE)[..., 0].sum()

    shared = jax.grad(lambda colors: jax.vmap(brightness, in_axes=(None, 0))(colors, pos).sum())(colors)
    np.testing.assert_allclose(shared, sum(jax.grad(brightness)(colors, one) for one in pos), rtol=1e-6)


def test_a_fit_runs_within_scan():
    target = depths(POS.at[0, 2, 2].set(0.5))

    def step(pos_clip, _):
        value, gradient = jax.value_and_grad(lambda p: ((depths(p) - target) ** 2).sum())(pos_clip)
        return pos_clip - 0.01 * gradient, value

    errors = jax.jit(lambda pos: jax.lax.scan(step, pos, None, length=60)[1])(POS)
    assert errors[0] > 1
    assert errors[-1] < 1e-3


def test_what_is_not_asked_for_gets_no_gradient():
    values, integers = inputs(batch=1)
    text = str(jax.make_jaxpr(jax.grad(lambda a: chains.interpolate(values | integers | {"attributes": a})[0].sum()))(
        values["attributes"]
    ))  # fmt: skip
    assert "rasterize_vjp" not in text
    assert "interpolate_vjp" in text


SHARDED = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, PartitionSpec as P
import sys; sys.path.insert(0, sys.argv[1])
from reference import chains
from intaglio import ops

x = {name: jnp.array(value.numpy()) for name, value in chains.inputs(batch=8).items()}
weights = jnp.cos(jnp.arange(8 * 40 * 56 * 3.0)).reshape(8, 40, 56, 3)

def shade(colors, pos_clip, triangles):
    fragments = ops.rasterize(pos_clip, triangles, chains.SIZE)
    return ops.interpolate(colors, fragments, triangles)

def loss(shade, colors, pos_clip):
    return (weights * shade(colors, pos_clip, x["triangles"])).sum()

mesh = Mesh(np.array(jax.devices()), ("images",))
assert mesh.size == 4
colors, pos_clip = x["attributes"][0], x["pos_clip"]
expected = jax.grad(loss, argnums=(1, 2))(shade, colors, pos_clip)
for check in (True, False):
    specs = dict(in_specs=(P(), P("images"), P()), out_specs=P("images"), check_vma=check)
    sharded = jax.jit(jax.shard_map(shade, mesh=mesh, **specs))
    for _ in range(5):
        image = sharded(colors, pos_clip, x["triangles"])
        assert image.sharding.spec == P("images")
        np.testing.assert_array_equal(image, shade(colors, pos_clip, x["triangles"]))
    got = jax.jit(jax.grad(loss, argnums=(1, 2)), static_argnums=0)(sharded, colors, pos_clip)
    np.testing.assert_allclose(got[0], expected[0], rtol=0, atol=1e-5 * jnp.abs(expected[0]).max())
    np.testing.assert_array_equal(got[1], expected[1])
"""


def test_shard_map_gives_each_device_its_images_and_sums_gradients_of_what_they_share():
    environment = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", SHARDED, str(Path(__file__).parent)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


# --- threads, imports


def test_many_threads_may_draw_at_once():
    draw = jax.jit(lambda pos_clip: ops.rasterize(pos_clip, TRIANGLE, (256, 256)).depth)
    pos = tilted(8)
    expected = [np.asarray(draw(one)) for one in pos]
    ops.set_num_threads(3)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for got, want in zip(pool.map(draw, pos), expected, strict=True):
                np.testing.assert_array_equal(got, want)


def test_importing_intaglio_and_drawing_in_numpy_imports_no_jax():
    program = (
        "import sys, numpy as np, intaglio as i; i.rasterize(np.zeros((1, 3, 4)), np.int32([[0, 1, 2]]), (2, 2));"
        "print('jax' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "False"


# --- what is refused


def refuses(message):
    return pytest.raises(ValueError, match="^" + re.escape(message) + "(\n|$)")  # JAX adds a note


OUT_OF_RANGE = (
    "rasterize: triangles must be in [0, 3); got 3 (indices count from 0 and must stay below the number of vertices)"
)


def test_an_op_by_itself_refuses_as_everywhere():
    with refuses(OUT_OF_RANGE):
        depths(POS, TRIANGLE + 1)
    with refuses(
        "rasterize: pos_clip must be finite; got nan at flat index 0 (a camera inside the mesh, or a diverged fit?)"
    ):
        depths(POS.at[0, 0, 0].set(jnp.nan))
    with refuses(OUT_OF_RANGE):
        jax.grad(lambda pos_clip: depths(pos_clip, TRIANGLE + 1).sum())(POS)


def test_a_jitted_program_refuses_with_the_same_text():
    with pytest.raises((ValueError, jax.errors.JaxRuntimeError), match=re.escape(OUT_OF_RANGE)):
        jax.block_until_ready(jax.jit(depths)(POS, TRIANGLE + 1))


def test_the_door_looks_at_shapes_while_jax_traces():
    with refuses(
        "rasterize: pos_clip must be [B, V, 4]; got [3, 4] (did you forget clip_from_world, or the batch axis?)"
    ):
        jax.jit(depths)(POS[0])
    with refuses("rasterize: triangles must be a jax.Array like the others; got ndarray (convert it first)"):
        depths(POS, np.asarray(TRIANGLE))
    with refuses("edge_gradient: fragments.triangle_id must be a jax.Array like the others; got ndarray"
                 " (convert it first)"):  # fmt: skip
        fragments = ops.rasterize(np.asarray(POS), np.asarray(TRIANGLE), (8, 8))
        ops.edge_gradient(jnp.zeros((1, 8, 8, 1)), fragments, POS, TRIANGLE)


def test_a_second_derivative_is_refused():
    with refuses("rasterize: differentiates once; got a second derivative (its gradient has no gradient)"):
        jax.grad(lambda p: jax.grad(lambda q: (depths(q) ** 2).sum())(p).sum())(POS)
    with pytest.raises(TypeError, match="can't apply forward-mode"):
        jax.jvp(depths, (POS,), (POS,))


def test_a_gradient_passes_through_what_another_gradient_saved():
    # d/dscale of d/dcolor: the fragments are between them, the gradient of interpolate is not.
    def brightness(scale):
        fragments = ops.rasterize(POS * jnp.array([1.0, 1, 1, scale]), TRIANGLE, (8, 8))
        return fragments.barycentrics.sum()

    assert jax.grad(lambda s: jax.grad(lambda t: t * brightness(s))(1.0))(1.0) == jax.grad(brightness)(1.0)
