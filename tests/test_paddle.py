# SPDX-License-Identifier: MIT
"""The ops as PaddlePaddle functions: modes, dtypes, layouts, what they keep alive, and what they refuse."""

import gc
import re
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from frameworks import arrays, evaluate, loss_of
from reference import chains

from intaglio import ops
from intaglio.array import framework

framework("paddle")
import paddle  # noqa: E402

from intaglio.ops import paddle as front_end  # noqa: E402

VALUES = chains.numpy_inputs(batch=2, level=1)
FLOATS = [name for name, x in VALUES.items() if x.dtype.kind == "f"]
DIFFERENTIABLE = [name for name in chains.CHAINS if name != "screen_derivatives"]


def leaves(*, batch_of=VALUES):
    x = arrays("paddle", batch_of)
    for name in FLOATS:
        x[name].stop_gradient = False
    return x


# --- modes


@pytest.mark.parametrize("name", chains.CHAINS)
def test_no_grad_gives_the_same_values_and_no_graph(name):
    expected = evaluate("paddle", chains.CHAINS[name], VALUES).outputs
    with paddle.no_grad():
        outputs = chains.CHAINS[name](leaves())
    assert all(output.stop_gradient for output in outputs)
    for output, same in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(output.numpy(), same)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_each_input_alone_receives_the_same_gradient(name):
    chain = chains.CHAINS[name]
    for key, gradient in evaluate("paddle", chain, VALUES, FLOATS).gradients.items():
        if gradient.any():
            np.testing.assert_array_equal(evaluate("paddle", chain, VALUES, [key]).gradients[key], gradient)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_a_second_derivative_is_refused(name):
    x = leaves()
    loss = loss_of(chains.CHAINS[name](x))
    gradients = paddle.grad(loss, [x[key] for key in FLOATS], create_graph=True, allow_unused=True)
    with pytest.raises(OSError, match=r"\w+: differentiates once; got a second derivative"):
        sum((gradient**2).sum() for gradient in gradients if gradient is not None).backward()


def test_the_graph_can_be_used_twice_by_grad():
    x = leaves()
    loss = loss_of(chains.rasterize(x))
    first, second = (paddle.grad(loss, x["pos_clip"], retain_graph=True)[0] for _ in range(2))
    assert bool((first == second).all())


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_a_second_backward_is_an_error_and_not_the_end_of_the_process(name):
    loss = loss_of(chains.CHAINS[name](leaves()))
    loss.backward(retain_graph=True)
    with pytest.raises(OSError, match=r"backward runs once; got a second backward \(add up the losses"):
        loss.backward()


def test_ids_have_no_gradient():
    fragments = chains.fragments_of(leaves())
    assert fragments.triangle_id.stop_gradient
    assert not fragments.barycentrics.stop_gradient
    assert not fragments.depth.stop_gradient


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_a_graph_that_is_dropped_is_freed(name, monkeypatch):
    contexts = []

    class Life(front_end._Life):
        def __init__(self):
            contexts.append(weakref.ref(self))

    monkeypatch.setattr(front_end, "_Life", Life)
    chains.CHAINS[name](leaves())
    gc.collect()
    assert contexts
    assert all(context() is None for context in contexts)


# --- dtypes and layouts


@pytest.mark.parametrize("name", chains.CHAINS)
def test_float64_stays_float64(name):
    found = evaluate("paddle", chains.CHAINS[name], VALUES, FLOATS, np.float64)
    assert {value.dtype for value in found.outputs} == {np.dtype(np.float64)}


@pytest.mark.parametrize("name", chains.CHAINS)
def test_layout_does_not_matter(name):
    def scattered(x):
        """Each array as every second element of a buffer, with the axes stored in reverse."""
        views = {}
        for key, value in x.items():
            order = list(range(value.ndim))[::-1]
            stored = paddle.stack([value.transpose(order)] * 2, axis=1).flatten(0, 1)
            views[key] = stored[::2].transpose(order)
            assert not views[key].is_contiguous()
        return chains.CHAINS[name](views)

    expected, found = (evaluate("paddle", f, VALUES, FLOATS) for f in (chains.CHAINS[name], scattered))
    for got, same in zip(found.outputs, expected.outputs, strict=True):
        np.testing.assert_array_equal(got, same)
    for key, gradient in expected.gradients.items():
        np.testing.assert_array_equal(found.gradients[key], gradient)


def test_inputs_are_left_as_they_were():
    x = leaves()
    before = {key: value.numpy() for key, value in x.items()}
    for chain in chains.CHAINS.values():
        loss = loss_of(chain(x))
        if not loss.stop_gradient:
            loss.backward()
    for key, value in x.items():
        np.testing.assert_array_equal(value.numpy(), before[key])


def test_large_outputs_come_from_recycled_memory_and_go_back():
    x, size = arrays("paddle", VALUES), (256, 256)
    places = []
    for _ in range(3):
        places.append(ops.rasterize(x["pos_clip"], x["triangles"], size).barycentrics.data_ptr())
    assert len(set(places)) == 1


# --- what is refused


POS = np.array([[[-1, -1, 0, 1], [1, -1, 0, 1], [0, 1, 0, 1]]], dtype=np.float32)
TRIANGLES = np.array([[0, 1, 2]], dtype=np.int32)
REMEDY_FOR_FLOATS = "(convert it first, for example x.astype(np.float32) or x.float())"


@pytest.mark.parametrize(
    ("pos", "triangles", "message"),
    [
        (
            lambda: paddle.to_tensor(POS).astype("float16"),
            lambda: paddle.to_tensor(TRIANGLES),
            f"rasterize: pos_clip must be float32 or float64; got paddle.float16 {REMEDY_FOR_FLOATS}",
        ),
        (
            lambda: paddle.to_tensor(POS),
            lambda: paddle.to_tensor(TRIANGLES).astype("int64"),
            "rasterize: triangles must be int32; got paddle.int64 "
            "(convert it first, for example x.astype(np.int32) or x.to(torch.int32))",
        ),
        (
            lambda: paddle.to_tensor(POS),
            lambda: TRIANGLES,
            "rasterize: triangles must be a paddle.Tensor like the others; got ndarray (convert it first)",
        ),
        (
            lambda: paddle.to_tensor(POS[0]),
            lambda: paddle.to_tensor(TRIANGLES),
            "rasterize: pos_clip must be [B, V, 4]; got [3, 4] (did you forget clip_from_world, or the batch axis?)",
        ),
        (
            lambda: paddle.to_tensor(POS).to_sparse_coo(3),
            lambda: paddle.to_tensor(TRIANGLES),
            "rasterize: pos_clip must be dense; got layout sparse (call .to_dense() first)",
        ),
        (
            lambda: paddle.to_tensor(POS - np.float32(np.inf)),
            lambda: paddle.to_tensor(TRIANGLES),
            "rasterize: pos_clip must be finite; got -inf at flat index 0 (a camera inside",
        ),
    ],
)
def test_bad_input_is_named_with_its_remedy(pos, triangles, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        ops.rasterize(pos(), triangles(), (4, 6))


def test_another_place_is_no_cpu():
    place = SimpleNamespace(is_cpu_place=lambda: False, is_gpu_place=lambda: False)
    assert front_end.device_of(SimpleNamespace(place=place)) == str(place)
    gpu = SimpleNamespace(is_cpu_place=lambda: False, is_gpu_place=lambda: True, gpu_device_id=lambda: 1)
    assert front_end.device_of(SimpleNamespace(place=gpu)) == "cuda:1"
    assert front_end.device_of(paddle.to_tensor(POS)) == "cpu"


def test_bad_input_found_in_backward_names_the_op():
    pos = paddle.to_tensor(POS)
    pos.stop_gradient = False
    table = paddle.full([1, 3], 7, "int32")
    mask = ops.silhouette(pos, paddle.to_tensor(TRIANGLES), (4, 6), neighbours=table)
    with pytest.raises(OSError, match=r"edge_gradient backward: neighbours must be in \[-1, 1\); got 7"):
        mask.sum().backward()
