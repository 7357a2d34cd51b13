# SPDX-License-Identifier: MIT
"""Results depend neither on the number of threads, bit for bit, forward and backward, nor on the rest of the batch."""

import os

import pytest
import torch
from reference import chains

from intaglio import neighbours, ops


def assert_same_bits(first, second):
    for got, expected in zip(first, second, strict=True):
        assert torch.equal(got, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", chains.CHAINS)
def test_the_number_of_threads_changes_no_bit(name, dtype):
    x = chains.inputs(dtype, batch=2, level=4)
    results = []
    for threads in (1, 2, 3):
        ops.set_num_threads(threads)
        assert ops.get_num_threads() == threads
        outputs, gradients = chains.value_and_gradients(chains.CHAINS[name], x)
        assert gradients or name == "screen_derivatives"
        results.append((*outputs, *gradients.values()))
    assert_same_bits(results[1], results[0])
    assert_same_bits(results[2], results[0])


@pytest.mark.parametrize("name", chains.CHAINS)
def test_repeating_a_call_changes_no_bit(name):
    x = chains.inputs(level=3)
    runs = [chains.value_and_gradients(chains.CHAINS[name], x) for _ in range(3)]
    for outputs, gradients in runs[1:]:
        assert_same_bits((*outputs, *gradients.values()), (*runs[0][0], *runs[0][1].values()))


@pytest.mark.parametrize(
    "name", [name for name in chains.CHAINS if name not in ("screen_derivatives", "soft", "squared_error", "smooth")]
)
def test_a_batch_of_eight_is_eight_single_calls(name):
    x = chains.inputs(batch=8)
    chain = chains.CHAINS[name]
    leaves = {key: value.detach().requires_grad_(value.is_floating_point()) for key, value in x.items()}
    outputs = chain(leaves)
    torch.autograd.backward(outputs, [torch.cos(output.detach() * 3) for output in outputs])
    for index in range(8):
        shared = ("triangles", "neighbours")
        one = {key: value if key in shared else value[index : index + 1] for key, value in x.items()}
        one = {key: value.detach().clone().requires_grad_(value.is_floating_point()) for key, value in one.items()}
        single = chain(one)
        torch.autograd.backward(single, [torch.cos(output.detach() * 3) for output in single])
        assert_same_bits([output[index : index + 1] for output in outputs], single)
        for key, leaf in one.items():
            if leaf.grad is not None:
                assert torch.equal(leaf.grad, leaves[key].grad[index : index + 1])


@pytest.mark.parametrize(
    "name", ["rasterize", "interpolate", "edge_gradient", "silhouette", "antialias", "sweep_gradient"]
)
def test_every_image_may_have_its_own_topology(name):
    x = chains.inputs(batch=3)
    orders = [torch.randperm(len(x["triangles"]), generator=torch.Generator().manual_seed(k)) for k in range(3)]
    triangles = [x["triangles"][order] for order in orders]
    tables = [torch.from_numpy(neighbours(faces.numpy())) for faces in triangles]
    together = {**x, "triangles": torch.stack(triangles), "neighbours": torch.stack(tables)}
    outputs, gradients = chains.value_and_gradients(chains.CHAINS[name], together)
    shared, shared_gradients = chains.value_and_gradients(chains.CHAINS[name], x)
    # Only the names of the triangles differ from image to image: the picture is the same, and gradients are the same
    # sums in another order.
    assert_same_bits(outputs, shared)
    for key, gradient in gradients.items():
        tolerance = 100 * torch.finfo(gradient.dtype).eps * shared_gradients[key].abs().max()
        assert (gradient - shared_gradients[key]).abs().max() <= tolerance


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # JAX's, where another test has imported it
def test_ops_work_in_a_forked_process():
    # Data loaders fork: a pool that was started before must come up again in the child.
    x = chains.inputs(level=3)
    expected, _ = chains.value_and_gradients(chains.edge_gradient, x)
    ops.set_num_threads(2)
    fragments = ops.rasterize(x["pos_clip"].numpy(), x["triangles"].numpy(), chains.SIZE)
    child = os.fork()
    if child == 0:  # in the child, NumPy only: torch itself does not survive a fork after its own threads ran
        again = ops.rasterize(x["pos_clip"].numpy(), x["triangles"].numpy(), chains.SIZE)
        os._exit(0 if (again.triangle_id == fragments.triangle_id).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert expected[0].shape == (3, *chains.SIZE, 3)


def test_several_python_threads_may_draw_at_once():
    import threading

    x = chains.inputs(level=3)
    expected = chains.value_and_gradients(chains.edge_gradient, x)
    results = []

    def work():
        for _ in range(5):
            results.append(chains.value_and_gradients(chains.edge_gradient, x))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 20
    for outputs, gradients in results:
        assert_same_bits((*outputs, *gradients.values()), (*expected[0], *expected[1].values()))
