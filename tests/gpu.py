# SPDX-License-Identifier: MIT
"""The ops on a GPU, held against the CPU: `make test-cuda`. Not a part of `make test`, since most machines have no GPU.

Where there is none, the emulated kernels stand in (`make test-emulate` runs this file so): what is said here has then
been executed, and nothing of it proved of a GPU. What only a GPU can show is in tests/gpu_alone.py.
"""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from reference import chains

from intaglio import _native, ops

IS_GPU = torch.cuda.is_available() and _native.num_gpus() > 0
DEVICES = [f"cuda:{i}" for i in range(_native.num_gpus())] if IS_GPU else ["emulated"]
REPETITIONS = 10_000 if IS_GPU else 10
# The same formulas without contraction: what differs is a GPU's exp and pow, by a few last digits, and the order in
# which the pixels of a triangle are added up.
VALUES, GRADIENTS = 1e-5, 1e-4


@pytest.fixture(autouse=True)
def _is_there():
    if not IS_GPU and not _native.is_emulating():
        pytest.exit("no GPU, and no emulation: nothing was tested (make test-emulate runs these tests without one)", 1)
    yield
    _native.set_emulating(True)
    torch.use_deterministic_algorithms(False)
    _native.set_deterministic(False)
    _native.set_checked(True)


def on(device, x):
    """The arrays there; emulated kernels draw CPU arrays, until `on_cpu`."""
    return {name: array.to(device) if IS_GPU else array.clone() for name, array in x.items()}


def on_cpu(chain, x):
    _native.set_emulating(False)
    found = value_and_gradients(chain, x)
    _native.set_emulating(True)
    return found


def value_and_gradients(chain, x):
    """Outputs and gradients of a loss in which every element counts differently, on the CPU."""
    leaves = {name: value.detach().requires_grad_(value.is_floating_point()) for name, value in x.items()}
    outputs = chain(leaves)
    assert {output.device for output in outputs} == {x["pos_clip"].device}
    ramps = [
        torch.linspace(0.5, 1.5, out.numel(), dtype=out.dtype).reshape(out.shape).to(out.device) for out in outputs
    ]
    loss = sum((ramp * out * (out + 1)).sum() for ramp, out in zip(ramps, outputs, strict=True))
    if loss.requires_grad:
        loss.backward()
    gradients = {name: leaf.grad.cpu() for name, leaf in leaves.items() if leaf.grad is not None}
    return [output.detach().cpu() for output in outputs], gradients


def use_deterministic(wanted):
    torch.use_deterministic_algorithms(wanted)
    if not IS_GPU:  # the torch front end tells the native module of GPU tensors alone
        _native.set_deterministic(wanted)


def assert_close(got, expected, tolerance):
    scale = float(expected.abs().max()) if expected.numel() else 0.0
    assert got.shape == expected.shape
    assert float((got - expected).abs().max() if got.numel() else 0) <= tolerance * max(scale, 1e-30)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", chains.CHAINS)
def test_an_op_gives_what_the_cpu_gives(name, dtype, device):
    chain, x = chains.CHAINS[name], chains.inputs(dtype)
    (expected, expected_grads), (got, grads) = on_cpu(chain, x), value_and_gradients(chain, on(device, x))
    for a, b in zip(got, expected, strict=True):
        assert_close(a, b, VALUES)
    assert grads.keys() == expected_grads.keys()
    for key, grad in grads.items():
        assert_close(grad, expected_grads[key], GRADIENTS)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [(1, 1), (7, 33), (64, 64), (129, 257)])
def test_the_same_triangles_are_seen_but_for_exact_ties(size, device):
    x = chains.inputs(batch=2)

    def draw(x):
        fragments = ops.rasterize(x["pos_clip"], x["triangles"], size)
        return fragments.triangle_id, fragments.depth

    def found(x):
        return [array.detach().cpu() for array in draw(x)]

    ids, depth = found(on(device, x))
    _native.set_emulating(False)
    expected_ids, expected_depth = found(x)
    assert torch.equal(ids[depth != expected_depth], expected_ids[depth != expected_depth])
    assert (ids >= 0).equal(expected_ids >= 0)
    assert (ids == expected_ids).float().mean() > 0.999


def silhouette_step(x):
    return value_and_gradients(chains.silhouette_error, x)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("chain", [chains.silhouette_error, chains.interpolate, chains.sample_texture])
def test_deterministic_algorithms_repeat_their_bits(chain, device):
    use_deterministic(True)
    x = on(device, chains.inputs())
    first = value_and_gradients(chain, x)
    for _ in range(REPETITIONS if chain is chains.silhouette_error else REPETITIONS // 10):
        outputs, gradients = value_and_gradients(chain, x)
        assert all(map(torch.equal, outputs, first[0]))
        assert all(torch.equal(gradients[name], first[1][name]) for name in first[1])


JAX_STEPS = """
import jax, numpy as np
from reference import chains
x = {name: jax.numpy.asarray(value, np.float32 if value.dtype.kind == "f" else np.int32)
     for name, value in chains.numpy_inputs().items()}
loss = jax.jit(lambda p: chains.silhouette_error(x | {"pos_clip": p})[0].sum())
grads = {np.asarray(jax.grad(loss)(x["pos_clip"])).tobytes() for _ in range(10)}
print(len(grads))
"""


def has_jax_a_gpu():
    ask = "import jax; print(len(jax.devices('gpu')))"
    return subprocess.run([sys.executable, "-c", ask], capture_output=True, check=False, timeout=300).returncode == 0


@pytest.mark.parametrize("flags", ["--xla_gpu_deterministic_ops=true", "--xla_gpu_exclude_nondeterministic_ops", ""])
def test_jax_repeats_its_bits_where_xla_was_told_to(flags):
    if IS_GPU and not has_jax_a_gpu():
        pytest.skip("JAX finds no GPU")
    tests = Path(__file__).parent
    environment = os.environ | {"XLA_FLAGS": flags, "PYTHONPATH": str(tests)}
    done = subprocess.run(
        [sys.executable, "-c", JAX_STEPS], env=environment, cwd=tests, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    if flags or os.environ.get("INTAGLIO_EMULATE") == "deterministic":
        assert int(done.stdout) == 1
    elif not IS_GPU:
        assert int(done.stdout) > 1  # or the flags would prove nothing


@pytest.mark.parametrize("device", DEVICES)
def test_two_streams_do_not_disturb_each_other(device):
    inputs = [on(device, chains.inputs(seed=seed)) for seed in (0, 1)]
    alone = [silhouette_step(x) for x in inputs]
    streams = [torch.cuda.Stream(device) if IS_GPU else None for _ in inputs]
    for _ in range(20 if IS_GPU else 2):
        together = []
        for x, stream in zip(inputs, streams, strict=True):
            with torch.cuda.stream(stream) if stream else nullcontext():
                leaf = x["pos_clip"].detach().requires_grad_()
                (error,) = chains.silhouette_error(x | {"pos_clip": leaf})
                error.sum().backward()
                together.append((error.detach(), leaf.grad))
        if IS_GPU:
            torch.cuda.synchronize(device)
        for (error, _), (outputs, _) in zip(together, alone, strict=True):
            assert_close(error.cpu(), outputs[0], VALUES)


@pytest.mark.parametrize("device", DEVICES)
def test_what_is_not_contiguous_or_begins_within_an_array_is_taken(device):
    x = on(device, chains.inputs())
    expected = silhouette_step(x)[0][0]
    wide = torch.zeros(x["pos_clip"].numel() + 1, device=x["pos_clip"].device)
    wide[1:] = x["pos_clip"].flatten()
    strided = x["pos_clip"].permute(2, 1, 0).contiguous().permute(2, 1, 0)
    assert not strided.is_contiguous()
    for positions in (wide[1:].view_as(x["pos_clip"]), strided):
        assert_close(silhouette_step(x | {"pos_clip": positions})[0][0], expected, VALUES)


# Without a check, for which the host would wait, what cannot be looked up is left out.
NOWHERE = np.int32([-(2**31), -2, -1, 0, 3, 10**6, 2**31 - 1])


def with_nowhere(indices, seed):
    """A fifth of them replaced."""
    rng = np.random.default_rng(seed)
    bad = torch.from_numpy(rng.choice(NOWHERE, tuple(indices.shape))).to(indices.device)
    return torch.where(torch.from_numpy(rng.random(tuple(indices.shape)) < 0.2).to(indices.device), bad, indices)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", chains.CHAINS)
def test_indices_that_lead_nowhere_lead_out_of_no_array(name, device, monkeypatch):
    chain, x = chains.CHAINS[name], on(device, chains.inputs(batch=2, level=1))
    expected = value_and_gradients(chain, x)[0]
    _native.set_checked(False)
    for seed, key in enumerate(("triangles", "neighbours", "starts", "ends")):
        value_and_gradients(chain, x | {key: with_nowhere(x[key], seed)})
    with monkeypatch.context() as patch:
        fragments = chains.fragments_of(x)
        bad = fragments._replace(triangle_id=with_nowhere(fragments.triangle_id, 4))
        patch.setattr(chains, "fragments_of", lambda x: bad)
        value_and_gradients(chain, x)
    _native.set_checked(True)
    for a, b in zip(value_and_gradients(chain, x)[0], expected, strict=True):
        assert_close(a, b, VALUES)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30, -1e30])
@pytest.mark.parametrize("name", ["rasterize", "edge_gradient", "layered", "soft", "textured", "silhouette_error"])
def test_positions_that_are_no_numbers_lead_out_of_no_array(name, value, device):
    x = on(device, chains.inputs(batch=2, level=1))
    x["pos_clip"][0, 3] = value
    _native.set_checked(False)
    outputs, _ = value_and_gradients(chains.CHAINS[name], x)
    _native.set_checked(True)
    assert all(output.shape[0] in (2, 1) for output in outputs)
