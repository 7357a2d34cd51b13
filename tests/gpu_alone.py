# SPDX-License-Identifier: MIT
"""What only a GPU can show; `make test-cuda` runs it after tests/gpu.py. Each test fails where there is none."""

import pytest
import torch
from gpu import VALUES, assert_close, on
from reference import chains, steps

from intaglio import _native, ops


@pytest.fixture(autouse=True)
def _is_there():
    if not torch.cuda.is_available() or _native.num_gpus() == 0:
        pytest.exit("no GPU: nothing was tested", 1)


def error_and_gradient(x):
    leaf = x["pos_clip"].detach().requires_grad_()
    (error,) = chains.silhouette_error(x | {"pos_clip": leaf})
    error.sum().backward()
    return error.detach(), leaf.grad


def captured(step):
    """A graph of a step, after some that were not captured, and what the step gives in it."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = step()
    return graph, found


def test_a_step_is_captured_in_a_graph_and_replayed_on_new_positions():
    x, other = on("cuda", chains.inputs(seed=0)), on("cuda", chains.inputs(seed=1))
    expected = error_and_gradient(x | {"pos_clip": other["pos_clip"]})
    graph, (error, gradient) = captured(lambda: error_and_gradient(x))
    x["pos_clip"].copy_(other["pos_clip"])
    graph.replay()
    assert_close(error.cpu(), expected[0].cpu(), VALUES)
    assert_close(gradient.cpu(), expected[1].cpu(), 1e-4)


@pytest.mark.parametrize("name", steps.NAMES)
def test_a_step_of_a_scene_is_captured(name):
    draw = steps.steps(torch.device("cuda", 0))[name]

    def step():
        out = draw()
        out.sum().backward()
        return out.detach()

    expected = step()
    graph, found = captured(step)
    graph.replay()
    assert_close(found.cpu(), expected.cpu(), VALUES)


# This one brings ranges from the host, which no capture takes.
BRINGING = {"silhouette_error_of_ranges"}


@pytest.mark.parametrize("name", sorted(chains.CHAINS.keys() - BRINGING))
def test_no_op_waits_for_the_device(name):
    """A capture refuses what does."""
    x = on("cuda", chains.inputs())
    chains.CHAINS[name](x)
    torch.cuda.synchronize()
    with torch.cuda.graph(torch.cuda.CUDAGraph()):
        outputs = chains.CHAINS[name](x)
    assert all(output.is_cuda for output in outputs)


def test_compiled_code_gives_what_it_gives_uncompiled():
    x = on("cuda", chains.inputs())
    compiled = torch.compile(chains.edge_gradient, fullgraph=True)
    assert_close(compiled(x)[0].cpu(), chains.edge_gradient(x)[0].cpu(), VALUES)


def test_arrays_on_different_devices_are_named():
    x = on("cuda:0", chains.inputs())
    with pytest.raises(ValueError, match="rasterize: triangles must be on cuda:0 like pos_clip; got device cpu"):
        ops.rasterize(x["pos_clip"], x["triangles"].cpu(), chains.SIZE)
    assert error_and_gradient(x)[0].isfinite().all()


def test_running_out_of_memory_names_the_op_and_leaves_the_device_usable():
    x = on("cuda:0", chains.inputs())
    expected = error_and_gradient(x)[0]
    free = torch.cuda.mem_get_info()[0]
    images = free // (16384**2 * 16) + 2
    many = x["pos_clip"][:1].expand(images, -1, -1)
    with pytest.raises((torch.cuda.OutOfMemoryError, RuntimeError), match="rasterize: "):
        ops.rasterize(many, x["triangles"], (16384, 16384))
    torch.cuda.empty_cache()
    assert_close(error_and_gradient(x)[0].cpu(), expected.cpu(), VALUES)


def test_a_checked_call_names_what_is_wrong():
    x = on("cuda:0", chains.inputs())
    bad = x["triangles"].clone()
    bad[3, 1] = 10**6
    _native.set_checked(True)
    with pytest.raises(ValueError, match="rasterize: triangles must be in"):
        ops.rasterize(x["pos_clip"], bad, chains.SIZE)
    _native.set_checked(False)
    assert ops.rasterize(x["pos_clip"], bad, chains.SIZE).triangle_id.max() >= 0
