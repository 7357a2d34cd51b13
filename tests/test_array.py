# SPDX-License-Identifier: MIT
import subprocess
import sys

import numpy as np
import pytest
import torch

from intaglio.array import as_float_array, cross, framework, from_numpy, leader, like, namespace, to_numpy, unit


def in_framework(name):
    return lambda values: framework(name).from_numpy(np.asarray(values))


MAKERS = {"numpy": np.asarray, **{name: in_framework(name) for name in ("torch", "paddle")}}
in_all = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def test_the_namespace_follows_the_type_of_the_array():
    assert namespace(np.zeros(1)).name == "numpy"
    assert namespace(np.float32(1)).name == "numpy"
    assert namespace([0.0, 1.0]).name == "numpy"
    assert namespace(torch.zeros(1)).name == "torch"
    assert namespace(torch.nn.Parameter(torch.zeros(1))).name == "torch"


def test_an_array_of_no_supported_framework_is_named():
    with pytest.raises(TypeError) as error:
        namespace("abc")
    assert str(error.value) == "array: must be an array of numpy, torch, paddle, jax; got builtins.str"


def test_numpy_work_imports_no_framework():
    code = "import sys, intaglio.array as a; a.unit(a.as_float_array([3, 4])); print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@in_all
def test_names_mean_the_same_in_every_framework(make):
    x = make([[1.0, -2.0], [3.0, 4.0]])
    xp = namespace(x)
    assert to_numpy(xp.sum(x, axis=-1, keepdims=True)).tolist() == [[-1], [7]]
    assert to_numpy(xp.mean(x, axis=(0, 1))).item() == 1.5
    assert to_numpy(xp.maximum(x, 0)).tolist() == [[1, 0], [3, 4]]
    assert to_numpy(xp.take(x, make([1, 1, 0]), axis=0)).tolist() == [[3, 4], [3, 4], [1, -2]]
    assert to_numpy(xp.concat([x, x], axis=-1)).tolist() == [[1, -2, 1, -2], [3, 4, 3, 4]]
    assert to_numpy(xp.channels(x, 1, 2)).tolist() == [[-2], [4]]
    assert to_numpy(xp.squeeze(x[..., None], axis=-1)).tolist() == [[1, -2], [3, 4]]
    assert to_numpy(xp.max(x, axis=-1, keepdims=True)).tolist() == [[1], [4]]
    assert to_numpy(xp.stack([x, x], axis=0)).shape == (2, 2, 2)
    assert to_numpy(xp.permute_dims(x, (1, 0))).tolist() == [[1, 3], [-2, 4]]
    assert to_numpy(xp.where(x > 0, x, xp.zeros_like(x))).tolist() == [[1, 0], [3, 4]]
    assert to_numpy(xp.broadcast_to(x[0], (3, 2))).shape == (3, 2)


@in_all
def test_index_sum_adds_rows_that_share_an_index(make):
    values = make([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    index = make([2, 0, 2])
    assert to_numpy(namespace(values).index_sum(values, index, 4)).tolist() == [[2, 20], [0, 0], [5, 50], [0, 0]]
    batch = namespace(values).stack([values, 2 * values], axis=0)
    assert to_numpy(namespace(values).index_sum(batch, index, 3))[1].tolist() == [[4, 40], [0, 0], [10, 100]]


@in_all
def test_cross_follows_the_right_hand_in_batches_of_three(make):
    x, y = make([[1.0, 0, 0]] * 3), make([0.0, 1, 0])
    assert to_numpy(cross(x, y)).tolist() == [[0, 0, 1]] * 3


def test_unit_of_nothing_is_nothing_with_a_finite_gradient():
    v = torch.tensor([[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]], requires_grad=True)
    unit(v).sum().backward()
    assert torch.allclose(unit(v), torch.tensor([[0.6, 0.0, 0.8], [0.0, 0.0, 0.0]]))
    assert torch.isfinite(v.grad).all()


def test_the_leader_is_the_first_array_that_is_not_numpys():
    a, b = np.zeros(1), torch.zeros(1)
    assert leader(a, None, b) is b
    assert leader(a, [1.0]) is a


def test_like_takes_the_dtype_of_the_other_and_keeps_the_gradient():
    other = torch.zeros(1, dtype=torch.float64)
    assert like([1, 2], other).dtype == torch.float64
    x = torch.ones(2, requires_grad=True)
    like(x, other).sum().backward()
    assert x.grad.tolist() == [1, 1]
    assert like([1, 2], np.zeros(1, dtype=np.float32)).dtype == np.float32


def test_a_tensor_made_from_numpy_is_a_copy():
    source = np.zeros(3, dtype=np.int32)
    tensor = from_numpy(source, like=torch.zeros(1))
    tensor += 1
    assert source.tolist() == [0, 0, 0]
    assert tensor.dtype == torch.int32
    read_only = np.broadcast_to(np.float32(1), (2,))
    assert from_numpy(read_only, like=tensor).tolist() == [1, 1]


def test_lists_become_float_arrays_and_arrays_stay():
    assert as_float_array([1, 2]).dtype == np.float32
    assert as_float_array(np.arange(3)).dtype == np.float32
    assert as_float_array(np.zeros(3)).dtype == np.float64
    x = torch.zeros(1)
    assert as_float_array(x) is x


@pytest.mark.parametrize("name", ["numpy", "torch", "paddle", "jax"])
def test_integers_become_floats_in_their_framework(name):
    made = as_float_array(framework(name).from_numpy(np.array([1, -2])))
    assert namespace(made).name == name
    assert (to_numpy(made).dtype, to_numpy(made).tolist()) == (np.float32, [1, -2])


def test_array_names_survive_torch_compile():
    @torch.compile(fullgraph=True, backend="eager")
    def area(a, b):
        return namespace(a).sum(unit(cross(a, b)) ** 2)

    assert area(torch.rand(5, 3), torch.rand(5, 3)).item() == pytest.approx(5)


def test_an_array_is_not_taken_to_numpy_behind_its_gradient():
    with pytest.raises(TypeError, match=r"^array: must be of numpy like the others; got torch$"):
        like(torch.zeros(1), np.zeros(1))
