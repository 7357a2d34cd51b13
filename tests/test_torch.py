# SPDX-License-Identifier: MIT
"""The ops as PyTorch functions: compiling, transforms, dtypes, layouts, and what they refuse."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from reference import chains

from intaglio import ops

# Those that have a gradient; `screen_derivatives` has none.
DIFFERENTIABLE = [name for name in chains.CHAINS if name != "screen_derivatives"]


def assert_same(got, expected):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert torch.equal(one, other)


# --- compiling


# Dynamo makes an instance of autograd.Function while it traces, and torch warns of it.
FOR_DYNAMO = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")


@FOR_DYNAMO
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_compiled_in_one_graph_it_gives_the_same_bits(name):
    torch._dynamo.reset()
    x = chains.inputs(batch=2)
    compiled = torch.compile(chains.CHAINS[name], fullgraph=True, backend="aot_eager")
    outputs, gradients = chains.value_and_gradients(compiled, x)
    expected_outputs, expected_gradients = chains.value_and_gradients(chains.CHAINS[name], x)
    assert_same(outputs, expected_outputs)
    for key, gradient in gradients.items():  # a compiled graph gives zeros where there is no gradient
        assert torch.equal(gradient, expected_gradients.get(key, torch.zeros_like(gradient)))
    assert expected_gradients.keys() <= gradients.keys()


@FOR_DYNAMO
@pytest.mark.parametrize("name", chains.CHAINS)
def test_compiled_without_gradients_it_gives_the_same_bits(name):
    torch._dynamo.reset()
    x = chains.inputs(batch=2)
    assert_same(torch.compile(chains.CHAINS[name], fullgraph=True, backend="aot_eager")(x), chains.CHAINS[name](x))


@FOR_DYNAMO
@pytest.mark.parametrize("op", [ops.edge_gradient, ops.antialias])
def test_a_table_cannot_be_built_while_torch_traces(op):
    torch._dynamo.reset()
    x = chains.inputs(batch=1, level=0)

    def picture(pos):
        fragments = ops.rasterize(pos, x["triangles"], chains.SIZE)
        return op(chains.image_of(x, fragments), fragments, pos, x["triangles"]).sum()

    with pytest.raises(ValueError, match="neighbours must be given"):
        torch.func.grad(picture)(x["pos_clip"])
    with pytest.raises((ValueError, torch._dynamo.exc.TorchDynamoException), match="neighbours must be given"):
        torch.compile(picture, fullgraph=True, backend="aot_eager")(x["pos_clip"])


@FOR_DYNAMO
def test_the_first_call_may_be_a_compiled_one():
    # In a process of its own: nothing is cached.
    program = """
import torch, intaglio
from reference import chains
x = chains.inputs(batch=1, level=0)
torch.compile(chains.rasterize, fullgraph=True, backend="aot_eager")(x)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parent)


@FOR_DYNAMO
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")
def test_inductor_compiles_a_render_in_one_graph():
    torch._dynamo.reset()
    x = chains.inputs(batch=2)
    compiled = torch.compile(chains.edge_gradient, fullgraph=True)
    outputs, gradients = chains.value_and_gradients(compiled, x)
    expected_outputs, expected_gradients = chains.value_and_gradients(chains.edge_gradient, x)
    torch.testing.assert_close(outputs, expected_outputs)
    torch.testing.assert_close(gradients, expected_gradients)


# --- transforms and modes


@pytest.mark.parametrize("name", chains.CHAINS)
def test_no_grad_gives_the_same_values_and_no_graph(name):
    x = chains.inputs()
    leaves = {key: value.detach().requires_grad_(value.is_floating_point()) for key, value in x.items()}
    with torch.no_grad():
        outputs = chains.CHAINS[name](leaves)
    assert not any(output.requires_grad for output in outputs)
    assert_same(outputs, chains.CHAINS[name](x))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_func_grad_agrees_with_backward(name):
    x = chains.inputs()
    _, expected = chains.value_and_gradients(chains.CHAINS[name], x)
    floats = {key: value for key, value in x.items() if value.is_floating_point()}
    others = {key: value for key, value in x.items() if not value.is_floating_point()}
    got = torch.func.grad(lambda values: chains.loss_of(chains.CHAINS[name]({**values, **others})))(floats)
    for key, gradient in expected.items():
        assert torch.equal(got[key], gradient)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_each_input_alone_receives_the_same_gradient(name):
    x = chains.inputs()
    _, expected = chains.value_and_gradients(chains.CHAINS[name], x)
    for key, gradient in expected.items():
        alone = {other: value.detach() for other, value in x.items()}
        alone[key].requires_grad_()
        chains.loss_of(chains.CHAINS[name](alone)).backward()
        assert torch.equal(alone[key].grad, gradient)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_a_second_derivative_is_refused(name):
    x = chains.inputs(batch=1, level=0)
    leaves = {key: value.detach().requires_grad_(value.is_floating_point()) for key, value in x.items()}
    used = list(chains.value_and_gradients(chains.CHAINS[name], x)[1])
    loss = chains.loss_of(chains.CHAINS[name](leaves))
    gradients = torch.autograd.grad(loss, [leaves[key] for key in used], create_graph=True)
    with pytest.raises(ValueError, match="second derivative"):
        sum((gradient**2).sum() for gradient in gradients).backward()


def test_vmap_is_refused_with_a_remedy():
    x = chains.inputs()
    with pytest.raises(ValueError, match="the ops take batches"):
        torch.vmap(lambda pos: ops.rasterize(pos[None], x["triangles"], chains.SIZE).depth)(x["pos_clip"])


def test_the_graph_can_be_used_twice():
    x = chains.inputs()
    pos = x["pos_clip"].requires_grad_()
    loss = chains.loss_of(chains.rasterize(x))
    first = torch.autograd.grad(loss, pos, retain_graph=True)[0]
    assert torch.equal(torch.autograd.grad(loss, pos)[0], first)


def test_ids_have_no_gradient():
    x = chains.inputs()
    x["pos_clip"].requires_grad_()
    fragments = chains.fragments_of(x)
    assert not fragments.triangle_id.requires_grad
    assert fragments.barycentrics.requires_grad
    assert fragments.depth.requires_grad


# --- dtypes and layouts


@pytest.mark.parametrize("name", chains.CHAINS)
def test_float64_stays_float64(name):
    outputs, gradients = chains.value_and_gradients(chains.CHAINS[name], chains.inputs(torch.float64))
    assert {value.dtype for value in (*outputs, *gradients.values())} == {torch.float64}


@pytest.mark.parametrize("name", chains.CHAINS)
def test_layout_does_not_matter(name):
    x = chains.inputs()
    scattered = {}
    for key, value in x.items():  # every second element of a buffer, with the axes stored in reverse
        buffer = torch.zeros(*[2 * n for n in value.shape][::-1], dtype=value.dtype)
        view = buffer.permute(*range(value.dim())[::-1])[tuple(slice(None, None, 2) for _ in value.shape)]
        view.copy_(value)
        assert not view.is_contiguous()
        scattered[key] = view
    outputs, gradients = chains.value_and_gradients(chains.CHAINS[name], scattered)
    expected_outputs, expected_gradients = chains.value_and_gradients(chains.CHAINS[name], x)
    assert_same(outputs, expected_outputs)
    assert_same(tuple(gradients.values()), tuple(expected_gradients.values()))


def test_an_expanded_batch_axis_is_taken():
    x = chains.inputs(batch=1)
    expanded = x["pos_clip"].expand(3, -1, -1)
    ids = ops.rasterize(expanded, x["triangles"], chains.SIZE).triangle_id
    assert torch.equal(ids, chains.fragments_of(x).triangle_id.expand(3, -1, -1))


def test_inputs_are_left_as_they_were():
    x = chains.inputs()
    before = {key: value.clone() for key, value in x.items()}
    for chain in chains.CHAINS.values():
        chains.value_and_gradients(chain, x)
    for key, value in x.items():
        assert torch.equal(value, before[key])
